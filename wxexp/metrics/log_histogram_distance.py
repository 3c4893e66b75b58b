"""Whether rare values are as rare as they should be."""

from __future__ import annotations

from wxexp.interfaces import Row, Sums
from wxexp.metrics.binned import Binned
from wxexp.statistics.distributions import log_distance


class LogHistogramDistance(Binned):
    """sqrt(mean_b (ln f_b / g_b)²) of the shares of members and truth in bins of value, the row `log_histogram_distance`; 0 is equal.

    Of all cells, members and cases of a group. Tails weigh as much as the bulk; bins that only one of the two has anything in are left
    out, as their logarithm is infinite, so choose bins that the truth fills.
    """

    def rows(self, sums: Sums) -> list[Row]:
        truth, members = self.histograms(sums)
        return sums.rows("log_histogram_distance", lambda total: log_distance(total(members), total(truth)), units="1")
