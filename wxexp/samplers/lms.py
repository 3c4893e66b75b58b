"""Linear multistep sampling: the Adams-Bashforth method in s of order 4 (Liu et al. 2022; LMS of k-diffusion)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import scales, steps, total
from wxexp.samplers.dpm_solver_3 import three_stages

_NODE = 1 / math.sqrt(3)


class LMS(Sampler):
    """Order 4 with one evaluation a step, and four more to start: N + 4 for N steps, the last of them the jump to the estimate of x.

    The slope d = (y - D) / s = dy/ds is interpolated through its last four values and integrated exactly: y' = y + sum_j d_j times the
    integral of the Lagrange polynomial l_j over [s, s']. The first two steps are those of DPM-Solver-3 and the third is of order 3; a start
    of order 1, as in public codes, caps the order at 2.
    """

    order: ClassVar[int] = 4
    evaluations: ClassVar[int] = 1
    startup: ClassVar[int] = 4
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Liu et al. 2022, doi:10.48550/arXiv.2202.09778; Hairer, Norsett and Wanner 1993, doi:10.1007/978-3-540-78862-1"
    steps: int = 36
    levels: Levels = Karras()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        s, past = scales(gamma), list[Tensor]()  # the last values of s d, newest last
        for step, (here, _, h) in enumerate(steps(gamma)):
            x = denoise(y, here)
            past = [*past[-3:], y - x]
            if step < 2:
                y = three_stages(denoise, y, x, here, h)
            else:
                at = s[step + 1 - len(past) : step + 1]
                weights = [a / b for a, b in zip(adams(at, s[step + 1]), at, strict=True)]
                y = total((1.0, y), *zip(weights, past, strict=True))
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def adams(nodes: Sequence[float], end: float) -> list[float]:
    """Integrals of the Lagrange polynomials of up to four nodes from the last node to `end`.

    By quadrature at the two points of Gauss and Legendre, which is exact up to cubics.
    """
    half, middle = (end - nodes[-1]) / 2, (end + nodes[-1]) / 2
    found = []
    for a in nodes:
        others = [b for b in nodes if b != a]
        found.append(half * sum(math.prod((at - b) / (a - b) for b in others) for at in (middle - half * _NODE, middle + half * _NODE)))
    return found
