"""Logit-normal times of flow matching (Esser et al. 2024, section 3.1)."""

from __future__ import annotations

from torch import Tensor

from wxexp.interfaces import Scheduler
from wxexp.schedulers.log_normal import LogNormal


class FlowLogitNormal(Scheduler):
    """Times u = s / (1 + s) of flow matching with logit(u) ~ N(mean, std^2). As logit(u) = ln s, this is `LogNormal`."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        if self.std <= 0:
            raise ValueError(f"FlowLogitNormal.std must be positive, got {self.std}")

    def gamma(self, t: Tensor) -> Tensor:
        return self._log_normal.gamma(t)

    def time(self, gamma: Tensor) -> Tensor:
        return self._log_normal.time(gamma)

    def log_density(self, gamma: Tensor) -> Tensor:
        return self._log_normal.log_density(gamma)

    @property
    def range(self) -> tuple[float, float]:
        return self._log_normal.range

    @property
    def _log_normal(self) -> LogNormal:
        return LogNormal(mean=self.mean, std=self.std)
