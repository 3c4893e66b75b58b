"""Root-mean-square error of single members."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Moments


class MemberRMSE(Metric):
    """sqrt(Σw 1/M Σ_m (x_m − y)² / Σw), the error of a member taken as the forecast, in the row `member_rmse`.

    1/M Σ_m (x_m − y)² = (x̄ − y)² + (M − 1)/M s², so it is never below the RMSE of the ensemble mean, and is that of one member. With
    members exchangeable with the truth it is sqrt(2 s²), that of the mean sqrt((1 + 1/M) s²) (Leutbecher and Palmer 2008).
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (Moments(),)

    def rows(self, sums: Sums) -> list[Row]:
        moments = sums[Moments()]

        def value(total: Total) -> np.ndarray:
            square = total(moments["square"])
            if sums.members > 1:
                square = square + (sums.members - 1) / sums.members * total(moments["variance"])
            return np.asarray(np.sqrt(ratio(square, total(moments["weight"]))))

        return sums.rows("member_rmse", value)
