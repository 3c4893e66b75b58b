"""The Gaussian kernel score of whole fields."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.pair_score import pair_score
from wxexp.statistics import FieldKernels
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.crps import Estimator


class FieldKernelScore(Metric):
    """½ + ½ E k(X, X') − E k(X, y) of fields, with k(a, b) = exp(−‖a − b‖² / 2h²) (Gneiting and Raftery 2007, section 5), per case.

    ‖·‖ is the area-weighted root mean square over the cells of a group, as in `EnergyScore`, and h a bandwidth in the units of the
    variable: about the root mean square error of a member is of use. The rows are `field_kernel_score_2` for h = 2; without units,
    at most 1, smaller is better. The smaller h, the more it asks that a member be near the truth in all cells at once. Estimators, their
    suffix (`field_kernel_score_biased_2`) and what a deterministic source has are as in `CRPS`.
    """

    bandwidths: tuple[float, ...]
    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        check_numbers("FieldKernelScore.bandwidths", self.bandwidths, 0.0)
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"FieldKernelScore.alpha must be in [0, 1], got {self.alpha}")

    def needs(self) -> tuple[Statistic, ...]:
        return (FieldKernels(bandwidths=self.bandwidths),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[FieldKernels(bandwidths=self.bandwidths)]
        prefix = "field_kernel_score" if self.estimator == "fair" else f"field_kernel_score_{self.estimator}"

        def rows(index: int) -> list[Row]:
            value = pair_score(found, sums.members, index, estimator=self.estimator, alpha=self.alpha)
            return sums.rows(f"{prefix}_{label(self.bandwidths[index])}", value, units="1")

        return [row for index in range(len(self.bandwidths)) for row in rows(index)]
