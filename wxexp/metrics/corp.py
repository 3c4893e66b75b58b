"""How much of a Brier score calibration could take away."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.statistics import Exceedances
from wxexp.statistics.exceedances import Of, check_thresholds, threshold_label
from wxexp.statistics.reliability import corp


class CORP(Metric):
    """Miscalibration − discrimination + uncertainty = the biased Brier score, exactly (Dimitriadis, Gneiting and Jordan 2021).

    The probability k/M is calibrated by isotonic regression, which needs no bins: for a threshold of 5, `corp_miscalibration_5` is what
    the Brier score loses by that (0 is best, never negative), `corp_discrimination_5` how much better the calibrated forecast is than
    the frequency of the event (larger is better, never negative) and `corp_uncertainty_5` the Brier score of that frequency.
    """

    thresholds: tuple[float, ...]
    of: Of = "values"
    """What thresholds are: values, or quantiles of the climatology of each cell: rows are then called `…_q0.9`."""

    def __post_init__(self) -> None:
        check_thresholds("CORP.thresholds", self.thresholds, self.of)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds, of=self.of),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.thresholds, of=self.of)]["table"]

        def rows(part: str, index: int) -> list[Row]:
            name = f"corp_{part}_{threshold_label(self.thresholds[index], self.of)}"
            return sums.rows(name, lambda total: getattr(corp(total(tables[..., index, :, :])), part), units="1")

        parts = ("miscalibration", "discrimination", "uncertainty")
        return [row for index in range(len(self.thresholds)) for part in parts for row in rows(part, index)]
