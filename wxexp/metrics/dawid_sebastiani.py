"""A score of mean and spread alone."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.ratio import ratio
from wxexp.statistics import MomentScores


class DawidSebastiani(Metric):
    """Mean e²/s² + ln s², of the error e of the ensemble mean and the unbiased variance s² (Dawid and Sebastiani 1999, eq. 24).

    The logarithmic score of a normal distribution, but for constants; smaller is better, and the row `dawid_sebastiani` may be negative.
    Changing units by a factor f adds 2 ln f. Not finite where members do not spread at all, so of no use where they may all be dry. A
    deterministic source has no row.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (MomentScores(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members < 2:
            return []
        found = sums[MomentScores()]
        return sums.rows("dawid_sebastiani", lambda total: ratio(total(found["dawid_sebastiani"]), total(found["weight"])), units="1")
