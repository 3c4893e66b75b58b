"""Mean error of the ensemble mean."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Errors


class Bias(Metric):
    """Bias = Σw (x̄ − y) / Σw: forecast minus truth, positive where the ensemble mean is too high (Wilks 2019, chapter 9)."""

    def needs(self) -> tuple[Statistic, ...]:
        return (Errors(),)

    def rows(self, sums: Sums) -> list[Row]:
        errors = sums[Errors()]
        return sums.rows("bias", lambda total: ratio(total(errors["error"]), total(errors["weight"])))
