"""The mathematics of diffusion, gauge-free.

A noise level is its log-SNR gamma = ln(alpha^2 / sigma^2); the state is y = x + s eps in data units with s = exp(-gamma / 2). A
parameterization is a pair (c_skip, c_out); the gauge (variance preserving, exploding, flow matching) is only the scaling of what goes into
the network. So parameterizations, scalings, conditionings, weightings, schedulers, levels and samplers compose freely.
"""

from wxexp.diffusion import (
    conditionings as conditionings,
    denoisers as denoisers,
    empirical as empirical,
    flow as flow,
    guidance as guidance,
    noise as noise,
    noise_level as noise_level,
    parameterizations as parameterizations,
    scalings as scalings,
    schedules as schedules,
    weightings as weightings,
)

__all__ = [
    "conditionings",
    "denoisers",
    "empirical",
    "flow",
    "guidance",
    "noise",
    "noise_level",
    "parameterizations",
    "scalings",
    "schedules",
    "weightings",
]
