"""Why a CRPS is what it is."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Gaps


class CRPSDecomposition(Metric):
    """Reliability + potential = the biased CRPS, exactly (Hersbach 2000, eqs. 36 and 37), in the units of the variable.

    `crps_reliability` = Σ g_k (o_k − k/M)² over the gaps k between the sorted members, of mean width g_k, where o_k is how often the truth
    lies below such a gap: 0 where the rank histogram is flat; `crps_potential` = Σ g_k o_k (1 − o_k) is what is left if the members were
    recalibrated, the less the sharper they are. A deterministic source has no rows.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (Gaps(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        gaps, p = sums[Gaps()], np.arange(sums.members + 1) / sums.members

        def parts(total: Total) -> tuple[np.ndarray, np.ndarray]:
            """(width, share below) of each gap; of the two outer ones only over the cases in which the truth is in them."""
            alpha, beta, first, last = (
                ratio(total(gaps[name]), total(gaps["weight"])[..., None] if name in ("alpha", "beta") else total(gaps["weight"]))
                for name in ("alpha", "beta", "below_first", "below_last")
            )
            width = alpha + beta
            below = np.where(width == 0, 0.0, ratio(beta, width))
            below[..., 0], below[..., -1] = first, last
            width[..., 0] = np.where(first == 0, 0.0, ratio(beta[..., 0], first))
            width[..., -1] = np.where(last == 1, 0.0, ratio(alpha[..., -1], 1.0 - last))
            return width, below

        def reliability(total: Total) -> np.ndarray:
            width, below = parts(total)
            return np.asarray((width * (below - p) ** 2).sum(axis=-1))

        def potential(total: Total) -> np.ndarray:
            width, below = parts(total)
            return np.asarray((width * below * (1 - below)).sum(axis=-1))

        return sums.rows("crps_reliability", reliability) + sums.rows("crps_potential", potential)
