"""In which way the rank histogram is not flat."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.statistics import Ranks
from wxexp.statistics.flatness import pit_moments


class PIT(Metric):
    """Bias and dispersion of the probability integral transform z, the truth's rank as a probability (Dawid 1984; Gneiting et al. 2007).

    `pit_bias` = mean z − ½: above 0 the truth is higher than the members say; `pit_dispersion` = 12 var z: above 1 the members spread
    too little (a U), below 1 too much. 0 and 1 where the truth is one of the members, for any number of them; z lies evenly within its
    rank. Counts over equal parts of [0, 1] are `wxexp.statistics.flatness.pit_histogram` of the sums of `Ranks`. A deterministic source
    has no rows.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (Ranks(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        ranks = sums[Ranks()]["ranks"]

        def bias(total: Total) -> np.ndarray:
            return pit_moments(total(ranks))[0] - 0.5

        def dispersion(total: Total) -> np.ndarray:
            return 12.0 * pit_moments(total(ranks))[1]

        return sums.rows("pit_bias", bias, units="1") + sums.rows("pit_dispersion", dispersion, units="1")
