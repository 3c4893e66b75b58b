"""How flat the rank histogram is."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.statistics import Ranks
from wxexp.statistics.flatness import Index, flatness


class RankHistogram(Metric):
    """How far the rank histogram is from flat, 0: by default Σ_k |f_k − 1 / (M + 1)| (Delle Monache et al. 2006), below 2 always.

    f_k is the share of the weight in which the truth has rank k among M members (Hamill 2001), ties split equally. That index (the row
    `rank_histogram`) does not grow with the number of cases, but sampling alone makes it positive; "chi2" and "delta" (the rows
    `rank_histogram_chi2`, `rank_histogram_delta`, see `wxexp.statistics.flatness`) are M and 1 for a reliable ensemble, if cells were
    independent, which they are not: the weight of a cell of mean area counts as one case. The counts themselves are in the sums of
    `Ranks`. A deterministic source has no row.
    """

    index: Index = "reliability"

    def needs(self) -> tuple[Statistic, ...]:
        return (Ranks(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        ranks = sums[Ranks()]

        def value(total: Total) -> np.ndarray:
            return flatness(total(ranks["ranks"]), self.index, weight=total(ranks["weight"]))

        return sums.rows("rank_histogram" if self.index == "reliability" else f"rank_histogram_{self.index}", value, units="1")
