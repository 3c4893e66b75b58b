"""How flat the rank histogram is."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Ranks


class RankHistogram(Metric):
    """Reliability index Σ_k |f_k − 1 / (M + 1)| of the rank histogram (Delle Monache et al. 2006); 0 is flat, below 2 always.

    f_k is the share of the weight in which the truth has rank k among M members (Hamill 2001), ties split equally. The index does not
    grow with the number of cases, but sampling alone makes it positive; the counts themselves are in the sums of `Ranks`. A
    deterministic source has no row.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (Ranks(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        ranks = sums[Ranks()]

        def value(total: Total) -> np.ndarray:
            share = ratio(total(ranks["ranks"]), total(ranks["weight"])[..., None])
            return np.asarray(np.abs(share - 1.0 / (sums.members + 1)).sum(axis=-1))

        return sums.rows("rank_histogram", value, units="1")
