"""Whether what is unusual is where it should be."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Anomalies
from wxexp.statistics.seasonal_means import check_window


class ACC(Metric):
    """Anomaly correlation of the ensemble mean and the truth, Σ cov / sqrt(Σ var_x̄ Σ var_y) over cases, sums before the root.

    Anomalies are from the mean of each cell over training times near the day of the year (see `wxexp.statistics.seasonal_means`). The row
    `acc_centred` is that of anomalies without their weighted mean in space (Miyakoda et al. 1972), which forgives a bias of the whole
    region; `acc_uncentred` that of anomalies as they are, which libraries for global forecasts report (Rasp et al. 2024). Wilks (2019,
    section 9.6.4) has both. 1 is perfect, 0 is as good as the climatology's pattern; NaN of anomalies that are 0 everywhere.
    """

    window_days: float | None = 15.0
    """Training times count that are within so many days of the day of the year. None: the fields are anomalies already."""

    def __post_init__(self) -> None:
        check_window("ACC.window_days", self.window_days)

    def needs(self) -> tuple[Statistic, ...]:
        return (Anomalies(window_days=self.window_days),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[Anomalies(window_days=self.window_days)]

        def rows(name: str, centring: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                covariance, mean, truth = (total(found[each][..., centring]) for each in ("covariance", "mean", "truth"))
                return ratio(covariance, np.sqrt(mean) * np.sqrt(truth))

            return sums.rows(name, value, units="1")

        return [*rows("acc_centred", 0), *rows("acc_uncentred", 1)]
