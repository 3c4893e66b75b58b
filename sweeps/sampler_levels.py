"""Which noise levels should the quickstart's sampler step through, and how many?

    python -m wxexp sweep sweeps/sampler_levels.py

At equal evaluations of the network, from 4 to 36: the two-step multistep solver on three kinds of levels with the same ends; and Heun's
method with 35 evaluations, as EDM ships it. Scored are 8 members of the validation days, of one training.
"""

from pathlib import Path

import wxexp as wx

QUICKSTART = Path(__file__).parents[1] / "experiments" / "quickstart.py"
EVALUATIONS = (4, 6, 9, 12, 18, 36)


def sweep() -> wx.Sweep:
    base = wx.edit(wx.load(QUICKSTART), {"ensemble.split": "valid", "ensemble.members": 8})
    ends = {"sigma_min": 0.01, "sigma_max": 80.0}
    karras = wx.levels.Karras(**ends, rho=7.0)
    levels = (karras, wx.levels.Exponential(**ends), wx.levels.LogNormal(**ends))
    multistep = [wx.samplers.DPMSolver2M(steps=n, levels=one) for n in EVALUATIONS for one in levels]
    return wx.Sweep(base, wx.product({"sampler": (*multistep, wx.samplers.Heun(steps=18, levels=karras))}))
