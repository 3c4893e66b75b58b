"""How a sample is drawn.

A sampler integrates dy/ds = (y - D(y; s)) / s (Karras et al. 2022, equation 3; any training, whatever its gauge) or a stochastic
equation with the same marginals, from noisy to clean levels. One step goes from s to s' with h = ln(s / s') and r = exp(-h) = s' / s.

To add one: a file with `class Mine(Sampler)` that reads as the algorithm of its paper: `order`, `evaluations` (and `startup`),
`stochastic`, `source`, default `steps` and `levels`, and `sample`; its export and its name in `__all__` below;
`tests/samplers/test_mine.py` with its facts. The conformance tests already measure its order, count its evaluations and check what
`terminal` does.
"""

from wxexp.samplers.dpm2 import DPM2 as DPM2
from wxexp.samplers.dpm_solver_2m import DPMSolver2M as DPMSolver2M
from wxexp.samplers.dpm_solver_2m_sde import DPMSolver2MSDE as DPMSolver2MSDE
from wxexp.samplers.dpm_solver_2s import DPMSolver2S as DPMSolver2S
from wxexp.samplers.dpm_solver_3m import DPMSolver3M as DPMSolver3M
from wxexp.samplers.euler import Euler as Euler
from wxexp.samplers.euler_ancestral import EulerAncestral as EulerAncestral
from wxexp.samplers.heun import Heun as Heun

__all__ = ["DPM2", "DPMSolver2M", "DPMSolver2MSDE", "DPMSolver2S", "DPMSolver3M", "Euler", "EulerAncestral", "Heun"]
