"""How a sample is drawn.

A sampler integrates dy/ds = (y - D(y; s)) / s (Karras et al. 2022, equation 3; any training, whatever its gauge) or a stochastic
equation with the same marginals, from noisy to clean levels. One step goes from s to s' with h = ln(s / s') and r = exp(-h) = s' / s.

To add one: a file with `class Mine(Sampler)` that reads as the algorithm of its paper: `order`, `evaluations` (and `startup`, `adaptive`),
`stochastic`, `source`, default `steps` and `levels`, and `sample`; its export and its name in `__all__` below;
`tests/samplers/test_mine.py` with its facts. `arithmetic.py` has the steps with their lengths and sums of fields. The conformance tests
already measure its order, count its evaluations and the fields it holds, see that it waits for no device, and check what `terminal` does.
"""

from wxexp.samplers.dpm2 import DPM2 as DPM2
from wxexp.samplers.dpm2_ancestral import DPM2Ancestral as DPM2Ancestral
from wxexp.samplers.dpm_solver_2m import DPMSolver2M as DPMSolver2M
from wxexp.samplers.dpm_solver_2m_sde import DPMSolver2MSDE as DPMSolver2MSDE
from wxexp.samplers.dpm_solver_2s import DPMSolver2S as DPMSolver2S
from wxexp.samplers.dpm_solver_2s_ancestral import DPMSolver2SAncestral as DPMSolver2SAncestral
from wxexp.samplers.dpm_solver_3 import DPMSolver3 as DPMSolver3
from wxexp.samplers.dpm_solver_3m import DPMSolver3M as DPMSolver3M
from wxexp.samplers.dpm_solver_3m_sde import DPMSolver3MSDE as DPMSolver3MSDE
from wxexp.samplers.dpm_solver_adaptive import DPMSolverAdaptive as DPMSolverAdaptive
from wxexp.samplers.euler import Euler as Euler
from wxexp.samplers.euler_ancestral import EulerAncestral as EulerAncestral
from wxexp.samplers.heun import Heun as Heun
from wxexp.samplers.lms import LMS as LMS

__all__ = [
    "DPM2",
    "DPM2Ancestral",
    "DPMSolver2M",
    "DPMSolver2MSDE",
    "DPMSolver2S",
    "DPMSolver2SAncestral",
    "DPMSolver3",
    "DPMSolver3M",
    "DPMSolver3MSDE",
    "DPMSolverAdaptive",
    "Euler",
    "EulerAncestral",
    "Heun",
    "LMS",
]
