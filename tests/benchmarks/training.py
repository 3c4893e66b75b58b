"""What the training loop costs: `python tests/benchmarks/training.py [ROUNDS]`.

The loop as it is shipped (reading ahead, keyed draws, clipping, schedule, moving average, tracking) against a bare PyTorch loop over the
same learner, the same optimiser and clipping, and batches that were read before. They take turns in one process, some steps each, so that
both see the same machine; the ratio is that of the medians of seconds per step. Below 0.97 the loop is at fault.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from doubles import Recorder

import wxexp as wx
from wxexp.datasets.loader import Stream
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Step
from wxexp.interfaces.learning import Group
from wxexp.training import LocalSession, build, loop, train

STEPS = 10


class Turns(Recorder):
    """Every STEPS steps of the loop, as many of the bare one."""

    def __init__(self, experiment: wx.Experiment, opened: Any) -> None:
        super().__init__()
        self.learner = build(experiment, opened, lambda held: build(held, opened, lambda _: None))
        training = experiment.training
        self.optimizer = training.optimizer.build(self.learner.parameters())
        stream = Stream(opened, seed=0, batch_size=training.batch_size)
        self.batches = [stream.batch(step, range(training.batch_size)) for step in range(STEPS)]
        self.clip, self.batch_size = training.clip, training.batch_size
        self.shipped: list[float] = []
        self.bare: list[float] = []
        self.resumed = time.perf_counter()

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None:
        if context != {"subset": "clock"}:
            return
        began = time.perf_counter()
        for number, batch in enumerate(self.batches):
            draws = Draws.training(1, number, range(self.batch_size), self.batch_size)
            loss = self.learner(batch, Step(number=number, phase="network", group=Group(), world=Group(), draws=draws)).per_sample.mean()
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.learner.parameters(), self.clip)
            self.optimizer.step()
        ended = time.perf_counter()
        if step > STEPS:  # the first turns warm up
            self.shipped.append((began - self.resumed) / STEPS)
            self.bare.append((ended - began) / STEPS)
        self.resumed = time.perf_counter()


def measure(experiment: wx.Experiment, rounds: int) -> None:
    changes = {"training.validation": None, "training.samples": experiment.training.batch_size * STEPS * (rounds + 1)}
    experiment = wx.edit(experiment, changes)
    opened = experiment.dataset.open()
    turns = Turns(experiment, opened)
    learner = build(experiment, opened, lambda held: build(held, opened, lambda _: None))
    with TemporaryDirectory() as directory:
        train(experiment, opened=opened, learner=learner, session=LocalSession(Path(directory)), tracker=turns)
    shipped, bare = median(turns.shipped), median(turns.bare)
    weights = sum(p.numel() for p in learner.parameters())
    pairs = sorted(b / s for s, b in zip(turns.shipped, turns.bare, strict=True))
    low, high = pairs[len(pairs) // 4], pairs[-1 - len(pairs) // 4]
    print(
        f"{experiment.name} ({weights / 1e6:.2f} M weights, batches of {experiment.training.batch_size}): bare {bare * 1e3:.1f} ms a step,"
        f" shipped {shipped * 1e3:.1f} ms, throughput {bare / shipped:.3f} of the bare loop (quartiles of turns {low:.3f} to {high:.3f})"
    )


def ring() -> wx.Experiment:
    return wx.Experiment(
        name="ring",
        dataset=wx.datasets.Forecasting(source=wx.datasets.Lorenz96(steps=400), variables=("state",), lead_hours=24.0),
        model=wx.models.SongUNet(channels=64, multipliers=(1, 1)),
        objective=wx.objectives.Denoising(),
        scheduler=wx.schedulers.LogNormal(),
        sampler=wx.samplers.DPMSolver2M(steps=8, levels=wx.levels.Karras()),
        training=wx.Training(batch_size=128),
    )


def fields() -> wx.Experiment:
    return wx.Experiment(
        name="fields",
        dataset=wx.datasets.Downscaling(source=wx.datasets.SyntheticFields(), targets=("tas",), patch=(32, 32)),
        model=wx.models.SongUNet(channels=32, multipliers=(1, 2), patch=2),
        objective=wx.objectives.Denoising(),
        scheduler=wx.schedulers.LogNormal(),
        sampler=wx.samplers.DPMSolver2M(steps=8, levels=wx.levels.Karras()),
        training=wx.Training(batch_size=32),
    )


if __name__ == "__main__":
    loop.tracked_steps = lambda steps: STEPS
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f} at the start")
    for experiment in (ring(), fields()):
        measure(experiment, rounds)
    print(f"load {os.getloadavg()[0]:.1f} at the end")
