"""The CRPS of what was forecast for one tail, when the truth was in it."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import OutcomePairs
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.tail import Tail


class OutcomeCRPS(Metric):
    """owCRPS = 1[y ≥ t] CRPS(F | X ≥ t, y), of the distribution given that it is in the tail (Holzmann and Klar 2017; Allen et al. 2023).

    The rows are `owcrps_5` for a threshold of 5, in the units of the variable, which are those of the thresholds; with `tail="lower"`, of
    X ≤ t and y ≤ t, `owcrps_below_5`. Cells whose truth is outside count 0, and the members inside are scored as they are, "biased":
    their number differs from cell to cell. It does not see how likely the tail was said to be, so read it with a Brier score of the
    threshold. Where the truth is in the tail and no member is, it is not defined: such cells are left out, and the row
    `owcrps_missed_5` is their share of those whose truth is in the tail (0 where there are none). NaN where that is all of them.
    """

    thresholds: tuple[float, ...]
    tail: Tail = "upper"

    def __post_init__(self) -> None:
        check_numbers("OutcomeCRPS.thresholds", self.thresholds)

    def _statistic(self) -> OutcomePairs:
        return OutcomePairs(thresholds=self.thresholds, tail=self.tail)

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]
        below = "_below" if self.tail == "lower" else ""

        def rows(index: int) -> list[Row]:
            score, hit, missed = (found[name][..., index] for name in ("score", "hit", "missed"))

            def value(total: Total) -> np.ndarray:
                known = (total(hit) != 0) | (total(missed) == 0)
                return np.where(known, ratio(total(score), total(found["weight"]) - total(missed)), np.nan)

            def share(total: Total) -> np.ndarray:
                inside = total(hit) + total(missed)
                return np.where((inside == 0) & (total(found["weight"]) > 0), 0.0, ratio(total(missed), inside))

            name = label(self.thresholds[index])
            return sums.rows(f"owcrps{below}_{name}", value) + sums.rows(f"owcrps_missed{below}_{name}", share, units="1")

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
