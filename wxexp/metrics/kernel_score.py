"""A score that sees how near members are to the truth, and not how far."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.pair_score import pair_score
from wxexp.statistics import KernelPairs
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.crps import Estimator


class KernelScore(Metric):
    """½ + ½ E k(X, X') − E k(X, y), k(a, b) = exp(−(a − b)² / 2h²), the Gaussian kernel score (Gneiting and Raftery 2007, section 5).

    The rows are `kernel_score_2` for a bandwidth h of 2, in the units of the variable; without units, at most 1, smaller is better. Unlike
    the CRPS it is bounded: all that is many bandwidths off is equally wrong, and does not drown the rest. With h far above all distances
    it is the squared error of the mean over 2h². "fair", "biased" and "almost_fair", their suffix (`kernel_score_biased_2`) and what a
    deterministic source has are as in `CRPS`.
    """

    bandwidths: tuple[float, ...]
    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        check_numbers("KernelScore.bandwidths", self.bandwidths, 0.0)
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"KernelScore.alpha must be in [0, 1], got {self.alpha}")

    def needs(self) -> tuple[Statistic, ...]:
        return (KernelPairs(bandwidths=self.bandwidths),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[KernelPairs(bandwidths=self.bandwidths)]
        prefix = "kernel_score" if self.estimator == "fair" else f"kernel_score_{self.estimator}"

        def rows(index: int) -> list[Row]:
            value = pair_score(found, sums.members, index, estimator=self.estimator, alpha=self.alpha)
            return sums.rows(f"{prefix}_{label(self.bandwidths[index])}", value, units="1")

        return [row for index in range(len(self.bandwidths)) for row in rows(index)]
