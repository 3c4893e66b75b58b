"""How much of the distribution of values the members share with the truth."""

from __future__ import annotations

from wxexp.interfaces import Row, Sums
from wxexp.metrics.binned import Binned
from wxexp.statistics.distributions import overlap


class Perkins(Binned):
    """Σ_b min(f_b, g_b) of the shares of truth and members in bins of value, the row `perkins`; 1 is equal, 0 apart (Perkins et al. 2007).

    Of all cells, members and cases of a group; what lies outside the bins is one more bin on each side.
    """

    def rows(self, sums: Sums) -> list[Row]:
        truth, members = self.histograms(sums)
        return sums.rows("perkins", lambda total: overlap(total(truth), total(members)), units="1")
