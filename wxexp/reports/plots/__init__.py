"""Plots: pure functions from arrays to (matplotlib Figure, xarray Dataset of the numbers drawn).

To add one: a file here with a function decorated by `@styled()` that returns a `Drawing`, its export below, a picture of it in
`reports.report`, and a test that its dataset holds what it should.
"""

from wxexp.reports.plots.decomposition import decomposed as decomposed, decomposition as decomposition
from wxexp.reports.plots.fss import fss_by_scale as fss_by_scale
from wxexp.reports.plots.leads import score_by_lead as score_by_lead, spread_and_error as spread_and_error
from wxexp.reports.plots.learning import (
    loss_by_noise_level as loss_by_noise_level,
    loss_curves as loss_curves,
    noise_density as noise_density,
    validation_scores as validation_scores,
)
from wxexp.reports.plots.maps import maps as maps
from wxexp.reports.plots.plume import plume as plume
from wxexp.reports.plots.quantiles import quantile_quantile as quantile_quantile
from wxexp.reports.plots.ranks import pit_histogram as pit_histogram, rank_histogram as rank_histogram
from wxexp.reports.plots.scorecard import scorecard as scorecard
from wxexp.reports.plots.spectra import spectra as spectra
from wxexp.reports.plots.spread import spread_skill as spread_skill
from wxexp.reports.plots.stamps import postage_stamps as postage_stamps
from wxexp.reports.plots.thresholds import events as events, reliability as reliability, roc_curves as roc_curves
from wxexp.reports.plots.value import value_curves as value_curves

__all__ = [
    "decomposed",
    "decomposition",
    "events",
    "fss_by_scale",
    "loss_by_noise_level",
    "loss_curves",
    "maps",
    "noise_density",
    "pit_histogram",
    "plume",
    "postage_stamps",
    "quantile_quantile",
    "rank_histogram",
    "reliability",
    "roc_curves",
    "score_by_lead",
    "scorecard",
    "spectra",
    "spread_and_error",
    "spread_skill",
    "validation_scores",
    "value_curves",
]
