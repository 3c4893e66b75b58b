"""Whether spread and skewness say how large the error is, and of which sign."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.ratio import ratio
from wxexp.statistics import MomentScores


class ErrorSpread(Metric):
    """Mean (s² − e² − e s g)², of the mean's error e and the unbiased variance s² and skewness g (Christensen et al. 2015, eq. 6).

    Smaller is better; the row `error_spread`, in the fourth power of the units of the variable, is written without units. A source of
    fewer than 3 members, which have no skewness, has no row.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (MomentScores(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members < 3:
            return []
        found = sums[MomentScores()]
        return sums.rows("error_spread", lambda total: ratio(total(found["error_spread"]), total(found["weight"])), units="")
