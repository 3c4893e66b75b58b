"""Scores of members as forecasts of yes or no."""

from __future__ import annotations

import numpy as np

from wxexp.config.tree import suggest
from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.statistics import Exceedances
from wxexp.statistics.contingency import SCORES, numbers
from wxexp.statistics.exceedances import Of, check_thresholds, threshold_label


class Contingency(Metric):
    """Scores of "x > threshold" over the hits a, false alarms b, misses c and correct negatives d of all members, cases and cells.

    In the rows `csi_5` and so on for a threshold of 5, in the units of each variable: "hit_rate" a/(a + c), "false_alarm_rate" b/(b + d),
    "false_alarm_ratio" b/(a + b), "accuracy", "csi" a/(a + b + c), "ets" (the same without the hits of chance), "hss" (Heidke), "pss"
    (Peirce), "f1" and "sedi", which does not go to 0 for rare events (Wilks 2019, section 9.2; Ferro and Stephenson 2011). Each member
    is a forecast, whose numbers are added up, so that these compare with those of a deterministic source; NaN where a score is 0 / 0.
    """

    thresholds: tuple[float, ...]
    of: Of = "values"
    """What thresholds are: values, or quantiles of the climatology of each cell: rows are then called `…_q0.9`."""
    scores: tuple[str, ...] = ("csi", "ets", "hss")

    def __post_init__(self) -> None:
        check_thresholds("Contingency.thresholds", self.thresholds, self.of)
        for name in self.scores:
            if name not in SCORES:
                raise ValueError(f"Contingency.scores: there is no score {name!r}{suggest(name, SCORES)}")
        if not self.scores or len(set(self.scores)) < len(self.scores):
            raise ValueError(f"Contingency.scores must be one or more different names, got {self.scores}")

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds, of=self.of),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.thresholds, of=self.of)]["table"]

        def rows(name: str, index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                with np.errstate(divide="ignore", invalid="ignore"):
                    return SCORES[name](*numbers(total(tables[..., index, :, :])))

            return sums.rows(f"{name}_{threshold_label(self.thresholds[index], self.of)}", value, units="1")

        return [row for index in range(len(self.thresholds)) for name in self.scores for row in rows(name, index)]
