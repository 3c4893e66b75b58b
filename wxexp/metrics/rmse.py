"""Root-mean-square error of the ensemble mean."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Errors


class RMSE(Metric):
    """RMSE = sqrt(Σw (x̄ − y)² / Σw) of the ensemble mean x̄, the root taken once, after space and time (Wilks 2019, chapter 9)."""

    def needs(self) -> tuple[Statistic, ...]:
        return (Errors(),)

    def rows(self, sums: Sums) -> list[Row]:
        errors = sums[Errors()]
        return sums.rows("rmse", lambda total: np.sqrt(ratio(total(errors["square"]), total(errors["weight"]))))
