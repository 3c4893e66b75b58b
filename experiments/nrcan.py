"""The quickstart's question with more capacity and time: which temperatures and how much rain fell within a block of 8 x 8 cells?

Data, split and baselines are those of quickstart.py; the network is wider, trains for longer, and members take finer steps.

    python -m wxexp run experiments/nrcan.py
"""

from pathlib import Path

import wxexp as wx


def experiment() -> wx.Experiment:
    return wx.edit(
        wx.load(Path(__file__).with_name("quickstart.py")),
        {
            "name": "nrcan",
            "model.channels": 64,
            "training.samples": 40_000,
            "training.ema": 6_000,
            "sampler.steps": 16,
            "ensemble.members": 32,
        },
    )
