"""Statistics of forecast and truth: pure mathematics, and the kind of which metrics are made.

To add one: a file here with a subclass of `wxexp.interfaces.Statistic` whose `reduce` gives named float64 sums [group, ...] of one case
(the dims after the group named in `dims`), one export below, and one test of its own facts in tests/statistics. A statistic of single
cells that should share the pass over the ensemble is a `Point` with a column in the kernel. Sums over cases must be plain additions:
whatever is not linear (a root, a ratio, a logarithm) belongs to the metric.
"""

from wxexp.statistics.exceedances import Exceedances as Exceedances
from wxexp.statistics.field_distances import FieldDistances as FieldDistances
from wxexp.statistics.neighbourhoods import Neighbourhoods as Neighbourhoods
from wxexp.statistics.point import Errors as Errors, Moments as Moments, Pairs as Pairs, Ranks as Ranks
from wxexp.statistics.quantiles import Quantiles as Quantiles
from wxexp.statistics.spectrum import Spectrum as Spectrum
from wxexp.statistics.tail_pairs import TailPairs as TailPairs
from wxexp.statistics.variogram import Variogram as Variogram

__all__ = [
    "Errors",
    "Exceedances",
    "FieldDistances",
    "Moments",
    "Neighbourhoods",
    "Pairs",
    "Quantiles",
    "Ranks",
    "Spectrum",
    "TailPairs",
    "Variogram",
]
