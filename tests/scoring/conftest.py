import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # toy_scoring, for workers too

import toy_scoring as toy  # noqa: E402

from wxexp.experiment import Ensemble, Experiment, Scoring  # noqa: E402
from wxexp.metrics import CRPS, CRPSS, MAE, RMSE, Bias, LogSpectralDistance, RankHistogram, SpreadSkill  # noqa: E402
from wxexp.scoring import prepare  # noqa: E402

METRICS = {
    "crps": CRPS(),
    "crps_biased": CRPS(estimator="biased"),
    "crpss": CRPSS(),
    "mae": MAE(),
    "rmse": RMSE(),
    "bias": Bias(),
    "spread_skill": SpreadSkill(),
    "rank_histogram": RankHistogram(),
    "lsd": LogSpectralDistance(),
}


class Here:
    """An executor in this process, items in an order of choice; `stop` items before the end, the process is lost."""

    def __init__(self, order=lambda items: items, stop=None):
        self.order, self.stop, self.done = order, stop, []

    def map(self, job, items, *, in_flight):
        worker = job.factory(job.tree)
        for item in self.order(list(items))[: self.stop]:
            yield item, worker(item)
            self.done.append(item)
        if self.stop is not None:
            raise KeyboardInterrupt

    def gather(self, make, use, groups, *, tiles, in_flight):
        draw, score = make.factory(make.tree), use.factory(use.tree)
        for group, items in self.order(list(groups))[: self.stop]:
            drawn = [draw(item) for item in items]
            assert {len(arrays) for arrays in drawn} == {tiles}
            yield group, score((group, lambda t, drawn=drawn: [arrays[t] for arrays in drawn]))
            self.done.append(group)
        if self.stop is not None:
            raise KeyboardInterrupt


@pytest.fixture
def here():
    return Here


@pytest.fixture
def world(tmp_path):
    """make(leads, times, members) -> experiment, opened, the members in memory, and what workers are told."""

    def make(leads=1, times=7, members=5, scored=None, metrics=METRICS, block=2, groups=None, stored=None, maps=()):
        experiment = Experiment(
            name="toy",
            dataset=toy.ToyWorld(leads=leads, times=times),
            model=toy.ToyModel(),
            objective=toy.ToyObjective(),
            ensemble=Ensemble(members=scored or members, leads=leads),
            scoring=Scoring(
                metrics=metrics, baselines={"zero": toy.ToyZero(), "noise": toy.ToyNoise()}, draws=50, groups=groups or {}, maps=maps
            ),
        )
        opened = experiment.dataset.open()
        path = tmp_path / f"members-{leads}-{times}-{members}.zarr"
        data = stored.members if stored else toy.write_members(path, opened, members)
        tree = prepare(experiment, opened, members=path, out=tmp_path / "fitted", imports=["toy_scoring"], block=block)
        return SimpleNamespace(experiment=experiment, opened=opened, members=data, tree=tree, path=path)

    return make
