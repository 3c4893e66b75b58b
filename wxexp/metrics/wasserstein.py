"""How far values would have to be moved to be distributed as the truth."""

from __future__ import annotations

from wxexp.interfaces import Row, Sums
from wxexp.metrics.binned import Binned
from wxexp.statistics.distributions import wasserstein


class Wasserstein(Binned):
    """W₁ = ∫ |F − G| dx between the values of truth and members, the row `wasserstein`, in the units of the variable; 0 is equal.

    Of all cells, members and cases of a group (Villani 2009, remark 2.19), from histograms that add up: exact for values that lie evenly
    within bins, so off by less than a bin. Values outside the bins count as if they were at the outermost edge.
    """

    def rows(self, sums: Sums) -> list[Row]:
        truth, members = self.histograms(sums)
        return sums.rows("wasserstein", lambda total: wasserstein(total(truth), total(members), self.bins().edges()))
