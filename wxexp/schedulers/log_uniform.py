"""Log-uniform noise, the density of variance-exploding diffusion (Song et al. 2021; Karras et al. 2022, table 1, column VE)."""

from __future__ import annotations

from torch import Tensor

from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds
from wxexp.schedulers.linear import Linear


class LogUniform(Scheduler):
    """Ln s uniform between ln sigma_min and ln sigma_max (VE), which is `Linear` in gamma; s is in data units."""

    sigma_min: float = 0.02
    sigma_max: float = 100.0

    def __post_init__(self) -> None:
        bounds.check_scales("LogUniform", self.sigma_min, self.sigma_max)

    def gamma(self, t: Tensor) -> Tensor:
        return self._linear.gamma(t)

    def time(self, gamma: Tensor) -> Tensor:
        return self._linear.time(gamma)

    def log_density(self, gamma: Tensor) -> Tensor:
        return self._linear.log_density(gamma)

    @property
    def range(self) -> tuple[float, float]:
        return bounds.of_scales(self.sigma_min, self.sigma_max)

    @property
    def _linear(self) -> Linear:
        low, high = self.range
        return Linear(gamma_min=low, gamma_max=high)
