"""What is reported, from which statistics.

To add one: a file here with a subclass of `wxexp.interfaces.Metric` that names the statistics it `needs` and makes `rows` from their
totals (a new statistic goes to wxexp.statistics), one export below, and one test of its own facts in tests/metrics. A metric never
averages finished scores: it gives `sums.rows` a function of totals, which is evaluated once for the value and once per bootstrap draw.
`mae.py` is the shortest example: `ratio` divides where nothing may have been scored.
"""

from wxexp.metrics.acc import ACC as ACC
from wxexp.metrics.bias import Bias as Bias
from wxexp.metrics.binned_spread_skill import BinnedSpreadSkill as BinnedSpreadSkill
from wxexp.metrics.brier import Brier as Brier
from wxexp.metrics.brier_decomposition import BrierDecomposition as BrierDecomposition
from wxexp.metrics.contingency import Contingency as Contingency
from wxexp.metrics.corp import CORP as CORP
from wxexp.metrics.coverage import Coverage as Coverage
from wxexp.metrics.crps import CRPS as CRPS
from wxexp.metrics.crps_decomposition import CRPSDecomposition as CRPSDecomposition
from wxexp.metrics.crpss import CRPSS as CRPSS
from wxexp.metrics.dawid_sebastiani import DawidSebastiani as DawidSebastiani
from wxexp.metrics.economic_value import EconomicValue as EconomicValue
from wxexp.metrics.energy_score import EnergyScore as EnergyScore
from wxexp.metrics.error_spread import ErrorSpread as ErrorSpread
from wxexp.metrics.event_ratio import EventRatio as EventRatio
from wxexp.metrics.field_kernel_score import FieldKernelScore as FieldKernelScore
from wxexp.metrics.frequency_bias import FrequencyBias as FrequencyBias
from wxexp.metrics.fss import FSS as FSS
from wxexp.metrics.ignorance import Ignorance as Ignorance
from wxexp.metrics.interval_score import IntervalScore as IntervalScore
from wxexp.metrics.kernel_score import KernelScore as KernelScore
from wxexp.metrics.log_histogram_distance import LogHistogramDistance as LogHistogramDistance
from wxexp.metrics.log_spectral_distance import LogSpectralDistance as LogSpectralDistance
from wxexp.metrics.mae import MAE as MAE
from wxexp.metrics.member_rmse import MemberRMSE as MemberRMSE
from wxexp.metrics.outcome_crps import OutcomeCRPS as OutcomeCRPS
from wxexp.metrics.pattern_correlation import PatternCorrelation as PatternCorrelation
from wxexp.metrics.perkins import Perkins as Perkins
from wxexp.metrics.pit import PIT as PIT
from wxexp.metrics.pooled_crps import PooledCRPS as PooledCRPS
from wxexp.metrics.quantile_bias import QuantileBias as QuantileBias
from wxexp.metrics.quantile_score import QuantileScore as QuantileScore
from wxexp.metrics.rank_histogram import RankHistogram as RankHistogram
from wxexp.metrics.relative_bias import RelativeBias as RelativeBias
from wxexp.metrics.rescaled_crps import RescaledCRPS as RescaledCRPS
from wxexp.metrics.rmse import RMSE as RMSE
from wxexp.metrics.roc_area import ROCArea as ROCArea
from wxexp.metrics.rps import RPS as RPS
from wxexp.metrics.sal import SAL as SAL
from wxexp.metrics.seeps import SEEPS as SEEPS
from wxexp.metrics.spherical_spectral_distance import SphericalSpectralDistance as SphericalSpectralDistance
from wxexp.metrics.spread_skill import SpreadSkill as SpreadSkill
from wxexp.metrics.threshold_crps import ThresholdCRPS as ThresholdCRPS
from wxexp.metrics.variogram_score import VariogramScore as VariogramScore
from wxexp.metrics.wasserstein import Wasserstein as Wasserstein
from wxexp.metrics.weighted_interval_score import WeightedIntervalScore as WeightedIntervalScore
from wxexp.metrics.wet_days import WetDays as WetDays
from wxexp.metrics.zonal_spectral_distance import ZonalSpectralDistance as ZonalSpectralDistance

__all__ = [
    "ACC",
    "CORP",
    "CRPS",
    "CRPSS",
    "FSS",
    "MAE",
    "PIT",
    "RMSE",
    "RPS",
    "SAL",
    "SEEPS",
    "Bias",
    "BinnedSpreadSkill",
    "Brier",
    "BrierDecomposition",
    "CRPSDecomposition",
    "Contingency",
    "Coverage",
    "DawidSebastiani",
    "EconomicValue",
    "EnergyScore",
    "ErrorSpread",
    "EventRatio",
    "FieldKernelScore",
    "FrequencyBias",
    "Ignorance",
    "IntervalScore",
    "KernelScore",
    "LogHistogramDistance",
    "LogSpectralDistance",
    "MemberRMSE",
    "OutcomeCRPS",
    "PatternCorrelation",
    "Perkins",
    "PooledCRPS",
    "QuantileBias",
    "QuantileScore",
    "ROCArea",
    "RankHistogram",
    "RelativeBias",
    "RescaledCRPS",
    "SphericalSpectralDistance",
    "SpreadSkill",
    "ThresholdCRPS",
    "VariogramScore",
    "Wasserstein",
    "WeightedIntervalScore",
    "WetDays",
    "ZonalSpectralDistance",
]
