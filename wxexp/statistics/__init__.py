"""Statistics of forecast and truth: pure mathematics, and the kind of which metrics are made.

To add one: a file here with a subclass of `wxexp.interfaces.Statistic` that says its `scope`, "point" or "field", and whose `reduce` gives
named float64 sums [group, ...] of one case (the dims after the group named in `dims`), one export below, and one test of its own facts in
tests/statistics. `reduce` sees all cells: `cells.select` takes those that have truth and, in some group, weight; for most statistics the
rest is a product with the weights, and Σw is a sum of its own, which means are divided by. Of scope "point" is what adds up cell by cell:
maps of it need nothing more, but are slow until it has `cells` of its own, and it shares the pass over the ensemble if it is a `Point`
with a column in the kernel. Sums over cases must be plain additions: whatever is not linear (a root, a ratio, a logarithm) belongs to
the metric.
"""

from wxexp.statistics.amounts import Amounts as Amounts
from wxexp.statistics.anomalies import Anomalies as Anomalies
from wxexp.statistics.bins import Bins as Bins
from wxexp.statistics.covariances import Covariances as Covariances
from wxexp.statistics.exceedances import Exceedances as Exceedances
from wxexp.statistics.field_distances import FieldDistances as FieldDistances
from wxexp.statistics.field_kernels import FieldKernels as FieldKernels
from wxexp.statistics.gaps import Gaps as Gaps
from wxexp.statistics.kernel_pairs import KernelPairs as KernelPairs
from wxexp.statistics.moment_scores import MomentScores as MomentScores
from wxexp.statistics.neighbourhoods import Neighbourhoods as Neighbourhoods
from wxexp.statistics.outcome_pairs import OutcomePairs as OutcomePairs
from wxexp.statistics.point import Errors as Errors, Moments as Moments, Pairs as Pairs, Ranks as Ranks
from wxexp.statistics.pooled_pairs import PooledPairs as PooledPairs
from wxexp.statistics.quantiles import Quantiles as Quantiles
from wxexp.statistics.rain_objects import RainObjects as RainObjects
from wxexp.statistics.rescaled_pairs import RescaledPairs as RescaledPairs
from wxexp.statistics.seeps_errors import SeepsErrors as SeepsErrors
from wxexp.statistics.spectrum import Spectrum as Spectrum
from wxexp.statistics.spherical_spectrum import SphericalSpectrum as SphericalSpectrum
from wxexp.statistics.spread_bins import SpreadBins as SpreadBins
from wxexp.statistics.tail_pairs import TailPairs as TailPairs
from wxexp.statistics.variogram import Variogram as Variogram
from wxexp.statistics.wet_amounts import WetAmounts as WetAmounts
from wxexp.statistics.zonal_spectrum import ZonalSpectrum as ZonalSpectrum

__all__ = [
    "Anomalies",
    "Amounts",
    "Bins",
    "Covariances",
    "Errors",
    "Exceedances",
    "FieldDistances",
    "FieldKernels",
    "Gaps",
    "KernelPairs",
    "MomentScores",
    "Moments",
    "Neighbourhoods",
    "OutcomePairs",
    "Pairs",
    "PooledPairs",
    "Quantiles",
    "RainObjects",
    "Ranks",
    "RescaledPairs",
    "SeepsErrors",
    "Spectrum",
    "SphericalSpectrum",
    "SpreadBins",
    "TailPairs",
    "Variogram",
    "WetAmounts",
    "ZonalSpectrum",
]
