"""What is reported, from which statistics.

To add one: a file here with a subclass of `wxexp.interfaces.Metric` that names the statistics it `needs` and makes `rows` from their
totals (a new statistic goes to wxexp.statistics), one export below, and one test of its own facts in tests/metrics. A metric never
averages finished scores: it gives `sums.rows` a function of totals, which is evaluated once for the value and once per bootstrap draw.
"""

from wxexp.metrics.bias import Bias as Bias
from wxexp.metrics.brier import Brier as Brier
from wxexp.metrics.brier_decomposition import BrierDecomposition as BrierDecomposition
from wxexp.metrics.coverage import Coverage as Coverage
from wxexp.metrics.crps import CRPS as CRPS
from wxexp.metrics.crpss import CRPSS as CRPSS
from wxexp.metrics.energy_score import EnergyScore as EnergyScore
from wxexp.metrics.frequency_bias import FrequencyBias as FrequencyBias
from wxexp.metrics.fss import FSS as FSS
from wxexp.metrics.ignorance import Ignorance as Ignorance
from wxexp.metrics.interval_score import IntervalScore as IntervalScore
from wxexp.metrics.log_spectral_distance import LogSpectralDistance as LogSpectralDistance
from wxexp.metrics.mae import MAE as MAE
from wxexp.metrics.member_rmse import MemberRMSE as MemberRMSE
from wxexp.metrics.quantile_score import QuantileScore as QuantileScore
from wxexp.metrics.rank_histogram import RankHistogram as RankHistogram
from wxexp.metrics.rmse import RMSE as RMSE
from wxexp.metrics.roc_area import ROCArea as ROCArea
from wxexp.metrics.spread_skill import SpreadSkill as SpreadSkill
from wxexp.metrics.threshold_crps import ThresholdCRPS as ThresholdCRPS
from wxexp.metrics.variogram_score import VariogramScore as VariogramScore

__all__ = [
    "CRPS",
    "CRPSS",
    "FSS",
    "MAE",
    "RMSE",
    "Bias",
    "Brier",
    "BrierDecomposition",
    "Coverage",
    "EnergyScore",
    "FrequencyBias",
    "Ignorance",
    "IntervalScore",
    "LogSpectralDistance",
    "MemberRMSE",
    "QuantileScore",
    "ROCArea",
    "RankHistogram",
    "SpreadSkill",
    "ThresholdCRPS",
    "VariogramScore",
]
