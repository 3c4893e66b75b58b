"""How many network evaluations are enough for the quickstart, and with which sampler?

    python -m wxexp sweep sweeps/sampler_steps.py

Trains the quickstart once (or finds its run), then draws and scores 8 members of the validation days for each point: the test days are
left to whoever runs the quickstart with what was chosen here. On two cores: the training, and about two minutes.
"""

from pathlib import Path

import wxexp as wx

QUICKSTART = Path(__file__).parents[1] / "experiments" / "quickstart.py"


def sweep() -> wx.Sweep:
    base = wx.edit(wx.load(QUICKSTART), {"ensemble.split": "valid", "ensemble.members": 8})
    return wx.Sweep(base, wx.product({"sampler.steps": (4, 8, 16), "sampler": ("DPMSolver2M", "Heun")}))
