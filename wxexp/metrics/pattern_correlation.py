"""Whether highs and lows are where they should be."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Covariances


class PatternCorrelation(Metric):
    """Correlation in space of the ensemble mean and the truth, Σ cov / sqrt(Σ var_x̄ Σ var_y) over cases, the row `pattern_correlation`.

    Each field without its weighted mean in space, or with it where not `centred` (the row `pattern_correlation_uncentred`); sums over
    cases before the root. Of fields that are anomalies already these are the two anomaly correlations (Wilks 2019, section 9.6.4); of
    full fields it is mostly the climate's own pattern. 1 is perfect, and so is any linear function of the truth; NaN of constant fields.
    """

    centred: bool = True

    def needs(self) -> tuple[Statistic, ...]:
        return (Covariances(centred=self.centred),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[Covariances(centred=self.centred)]

        def value(total: Total) -> np.ndarray:
            return ratio(total(found["covariance"]), np.sqrt(total(found["mean"])) * np.sqrt(total(found["truth"])))

        return sums.rows("pattern_correlation" if self.centred else "pattern_correlation_uncentred", value, units="1")
