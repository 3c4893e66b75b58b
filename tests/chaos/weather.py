"""Runs long enough to be shot at in every stage, and still seconds long."""

from pathlib import Path

import wxexp as wx

SMALL = Path(__file__).parents[1] / "small.py"


def stored() -> wx.Experiment:
    """200 steps, 360 members, 92 blocks of sums; seen in Aim."""
    return wx.edit(
        wx.load(SMALL),
        {
            "dataset.source.times": 840,
            "training.samples": 1600,
            "training.checkpoint": 64,
            "ensemble.members": 4,
            "ensemble.chunk": 2,
            "scoring.baselines": {
                "bicubic": wx.baselines.Interpolation(method="bicubic"),
                "bilinear": wx.baselines.Interpolation(method="bilinear"),
                "climatology": wx.baselines.Climatology(),
            },
            "resources.workers": 1,
            "aim": "runs",
        },
    )


def unstored() -> wx.Experiment:
    return wx.edit(stored(), {"ensemble.store": None, "resources.workers": 2, "aim": None})


def pair() -> wx.Experiment:
    """Two workers, which train together."""
    return wx.edit(stored(), {"resources.workers": 2, "aim": None})
