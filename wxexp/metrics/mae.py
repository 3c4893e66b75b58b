"""Mean absolute error of the ensemble mean."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Errors


class MAE(Metric):
    """MAE = Σw |x̄ − y| / Σw of the ensemble mean x̄, in the units of the variable (Wilks 2019, chapter 9)."""

    def needs(self) -> tuple[Statistic, ...]:
        return (Errors(),)

    def rows(self, sums: Sums) -> list[Row]:
        errors = sums[Errors()]
        return sums.rows("mae", lambda total: ratio(total(errors["absolute"]), total(errors["weight"])))
