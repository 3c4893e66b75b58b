"""What is reported, from which statistics.

To add one: a file here with a subclass of `wxexp.interfaces.Metric` that names the statistics it `needs` and makes `rows` from their
totals (a new statistic goes to wxexp.statistics), one export below, and one test of its own facts in tests/metrics. A metric never
averages finished scores: it gives `sums.rows` a function of totals, which is evaluated once for the value and once per bootstrap draw.
"""

from wxexp.metrics.bias import Bias as Bias
from wxexp.metrics.crps import CRPS as CRPS
from wxexp.metrics.crpss import CRPSS as CRPSS
from wxexp.metrics.log_spectral_distance import LogSpectralDistance as LogSpectralDistance
from wxexp.metrics.mae import MAE as MAE
from wxexp.metrics.rank_histogram import RankHistogram as RankHistogram
from wxexp.metrics.rmse import RMSE as RMSE
from wxexp.metrics.spread_skill import SpreadSkill as SpreadSkill

__all__ = ["CRPS", "CRPSS", "MAE", "RMSE", "Bias", "LogSpectralDistance", "RankHistogram", "SpreadSkill"]
