"""Mean error of the ensemble mean as a share of the truth."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Amounts


class RelativeBias(Metric):
    """Σw (x̄ − y) / Σw y over all cells and cases: 0.1 where the ensemble mean has a tenth more than the truth (Wilks 2019, chapter 9).

    For amounts that cannot be negative, precipitation or wind speed. Both sums come before the ratio, so that dry cells and cases count in
    it and none is divided by zero; NaN, and not infinite, where the truth is zero everywhere.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (Amounts(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[Amounts()]

        def value(total: Total) -> np.ndarray:
            truth = total(found["truth"])
            return np.where(truth == 0, np.nan, ratio(total(found["members"]) - truth, truth))

        return sums.rows("relative_bias", value, units="1")
