"""The discrete levels of improved DDPM (Nichol and Dhariwal 2021), as Karras et al. (2022, table 1, column iDDPM) state them."""

from __future__ import annotations

import functools
import math

from torch import Tensor

from wxexp.interfaces import Scheduler
from wxexp.schedulers.table import Table


class Iddpm(Scheduler):
    """The levels u_0 > ... > u_(steps - 1) that improved DDPM trains on with equal probability, and what lies between them.

    u_steps = 0, u_(j-1)^2 = (u_j^2 + 1) / max(abar_(j-1) / abar_j, c_1) - 1 with abar_j = sin^2(pi j / (2 steps (c_2 + 1))); c_1
    bounds the noisiest level, c_2 keeps the cleanest from being too clean. Between levels gamma is linear in time, as in `Table`.
    """

    steps: int = 1000
    c_1: float = 0.001
    c_2: float = 0.008

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise ValueError(f"Iddpm.steps must be at least 2, got {self.steps}")
        if not 0 < self.c_1 < 1:
            raise ValueError(f"Iddpm.c_1 must be in (0, 1), got {self.c_1}")
        if self.c_2 <= 0:
            raise ValueError(f"Iddpm.c_2 must be positive, got {self.c_2}")

    def gamma(self, t: Tensor) -> Tensor:
        return self._table.gamma(t)

    def time(self, gamma: Tensor) -> Tensor:
        return self._table.time(gamma)

    def log_density(self, gamma: Tensor) -> Tensor:
        return self._table.log_density(gamma)

    @property
    def range(self) -> tuple[float, float]:
        return self._table.range

    @property
    def _table(self) -> Table:
        return _table(self.steps, self.c_1, self.c_2)


@functools.lru_cache(maxsize=8)
def _table(steps: int, c_1: float, c_2: float) -> Table:
    def abar(j: int) -> float:
        return math.sin(math.pi * j / (2 * steps * (c_2 + 1))) ** 2

    u2, found = 0.0, []
    for j in range(steps, 0, -1):
        u2 = (u2 + 1) / max(abar(j - 1) / abar(j), c_1) - 1
        found.append(math.sqrt(u2))
    return Table(sigmas=tuple(found))
