"""On the shipped path: a SongUNet from a checkpoint, workers that are real processes, processes that are killed."""

import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import members_doubles as doubles
import numpy as np
import pytest
import torch
import xarray as xr
from processes import workers

from wxexp.fields.seeds import Draws
from wxexp.interfaces import Job
from wxexp.members.draw import chunks, draw, layout, plan
from wxexp.members.drawer import maker
from wxexp.members.executor import LocalExecutor
from wxexp.members.store import create_or_extend
from wxexp.training.checkpoint import load

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """(kind) -> (experiment of 7 members, its checkpoint, what one process draws in one chunk)."""
    made = {}

    def make(**kind):
        key = tuple(kind.items())
        if key not in made:
            home = tmp_path_factory.mktemp("toy")
            e = doubles.experiment(**kind, members=7, chunk=7)
            weights = doubles.checkpoint(e, home / "weights")
            doubles.drawn(e, weights, home / "whole", LocalExecutor())
            made[key] = e, weights, read(home / "whole")
        return made[key]

    return make


def read(directory: Path) -> dict[str, np.ndarray]:
    return {name: array.values for name, array in xr.open_zarr(directory / "members.zarr").data_vars.items()}


def equal(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    """To the bit, those of NaN too."""
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def ensemble(e, **changes):
    return dataclasses.replace(e, ensemble=dataclasses.replace(e.ensemble, **changes))


class Shuffled:
    """An executor that does items in another order."""

    def map(self, job, items, *, in_flight):
        return LocalExecutor().map(job, [list(items)[i] for i in (3, 0, 2, 5, 1, 4)], in_flight=in_flight)


KINDS = [{"precision": "float32"}, {"precision": "bfloat16"}, {"precision": "float32", "leads": 3}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_members_do_not_depend_on_chunks(toy, tmp_path, kind, chunk):
    e, weights, whole = toy(**kind)
    doubles.drawn(ensemble(e, chunk=chunk), weights, tmp_path, LocalExecutor())
    assert equal(read(tmp_path), whole)


class Killing:
    """Kills a worker with SIGKILL after the first result."""

    def __init__(self, executor) -> None:
        self.executor = executor

    def map(self, job, items, *, in_flight) -> Iterator:
        for n, found in enumerate(self.executor.map(job, items, in_flight=in_flight)):
            if n == 0:
                (worker,) = workers()
                os.kill(worker, signal.SIGKILL)
            yield found


@pytest.mark.parametrize(("kind", "number", "chunk"), [(KINDS[0], 1, 1), (KINDS[0], 3, 1), (KINDS[1], 2, 5)])
def test_members_do_not_depend_on_workers(ray_cluster, toy, tmp_path, kind, number, chunk):
    """One, three and two processes; the only one is killed on its way."""
    from wxexp.launch.executor import RayExecutor

    e, weights, whole = toy(**kind)
    with RayExecutor(number, output=tmp_path / "log.txt") as executor:
        doubles.drawn(ensemble(e, chunk=chunk), weights, tmp_path, Killing(executor) if number == 1 else executor)
    assert equal(read(tmp_path), whole)


def test_members_that_are_not_stored_are_those_that_are(toy, tmp_path):
    e, weights, whole = toy(**KINDS[2])
    e = ensemble(e, chunk=3)
    told = plan(e, directory=tmp_path, checkpoint=weights, loader=doubles.LOADER, imports=["members_doubles"])
    items = e.dataset.open().items("test")
    work = [one for item in items for one in chunks(e, item)]
    assert [(one.index, one.first, one.stop) for one in work] == [(0, 0, 3), (0, 3, 6), (0, 6, 7), (1, 0, 3), (1, 3, 6), (1, 6, 7)]
    found = [made for _, made in LocalExecutor().map(Job(maker, told), work)]
    for c, name in enumerate(("tas", "pr")):
        times = [np.concatenate([tiles[c] for tiles in found[i : i + 3]]) for i in (0, 3)]
        assert np.stack(times).tobytes() == whole[name].tobytes()


def test_members_do_not_depend_on_order(toy, tmp_path):
    e, weights, whole = toy(**KINDS[0])
    doubles.drawn(ensemble(e, chunk=3), weights, tmp_path, Shuffled())
    assert equal(read(tmp_path), whole)


def test_members_are_added_to_those_there_are(toy, tmp_path):
    e, weights, whole = toy(**KINDS[0])
    few = ensemble(e, members=3, chunk=2)
    doubles.drawn(few, weights, tmp_path, LocalExecutor())
    assert equal(read(tmp_path), {name: array[:, :3] for name, array in whole.items()})
    first = (tmp_path / "done" / "1-0.json").stat().st_mtime_ns
    steps: list[tuple[int, int]] = []
    doubles.drawn(ensemble(e, members=7, chunk=5), weights, tmp_path, LocalExecutor(), lambda *step: steps.append(step))
    assert equal(read(tmp_path), whole)
    assert (tmp_path / "done" / "1-0.json").stat().st_mtime_ns == first, "what is there is not drawn again"
    assert steps == [(4, 14), (6, 14), (8, 14), (9, 14), (11, 14), (13, 14), (14, 14)], "member 2, alone in its chunk of 2, is"


def test_what_is_drawn(toy):
    """The members are what the learner makes of the draws that have their names, decoded; leads follow one another."""
    e, weights, whole = toy(**KINDS[2])
    assert whole["tas"].shape == (2, 7, 3, *doubles.SHAPE)
    _, learner = load(weights)
    opened = e.dataset.open()
    item = opened.items("test")[1]
    draws = Draws.drawing(e.ensemble.seed, [item.time]).members(range(5, 6))
    batch, codec = opened.read([item]), opened.codec
    with torch.no_grad():
        frames = list(opened.frames([item], 3))
        for lead in range(3):
            y = learner.members(batch, draws.of("lead", lead), e.sampler)[:, 0]
            want = codec.decode(y, batch)[0]
            for c, name in enumerate(("tas", "pr")):
                found = whole[name][1, 5, lead]
                assert np.isnan(found[doubles.MASKED]).all()
                valid = opened.mask[0, 0].numpy()
                np.testing.assert_allclose(found[valid], want[c].numpy()[valid], rtol=1e-4, atol=1e-2)
            if lead < 2:
                batch = codec.advance(batch, y, frames[lead])
    data = whole["tas"][:, :, :, 10, 10].reshape(-1)
    assert len(np.unique(data)) == len(data), "no two times, members or leads are alike"


def test_the_store_and_its_markers(toy, tmp_path):
    e, weights, _ = toy(**KINDS[2])
    doubles.drawn(ensemble(e, members=5, chunk=4), weights, tmp_path, LocalExecutor())
    data = xr.open_zarr(tmp_path / "members.zarr")
    assert data.tas.dims == ("init_time", "member", "lead_time", "lat", "lon") and list(data.lead_time.values) == [6, 12, 18]
    assert data.tas.attrs["units"] == "K" and data.attrs["title"] == "toy"
    assert sorted(p.name for p in (tmp_path / "done").iterdir()) == ["0-0.json", "0-4.json", "1-0.json", "1-4.json"]
    marker = json.loads((tmp_path / "done" / "1-4.json").read_text())
    assert (marker["time"], marker["first"], marker["stop"]) == (doubles.TIMES[1], 4, 5)
    assert marker["evaluations"] == 3 * 3, "Heun in 2 steps evaluates 3 times, for each of 3 leads"


def test_a_store_that_was_removed_is_drawn_again(toy, tmp_path):
    e, weights, whole = toy(**KINDS[0])
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "0-0.json").write_text('{"stop": 7}')
    doubles.drawn(e, weights, tmp_path, LocalExecutor())
    assert equal(read(tmp_path), whole)


def test_everything_is_killed(toy, tmp_path):
    """The process dies in the middle of something; the same call goes on from there."""
    e, weights, whole = toy(**KINDS[0])
    program = f"""
import os, signal, sys; sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
import members_doubles as doubles
from wxexp.members.executor import LocalExecutor
e = doubles.experiment(precision="float32", members=7, chunk=1)
def progress(done, total):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)
doubles.drawn(e, Path({str(weights)!r}), Path({str(tmp_path)!r}), LocalExecutor(), progress)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGKILL
    assert 4 <= len(list((tmp_path / "done").glob("*.json"))) < 14
    assert not equal(read(tmp_path), whole)
    doubles.drawn(ensemble(e, chunk=1), weights, tmp_path, LocalExecutor())
    assert equal(read(tmp_path), whole)


def test_no_space_left(toy, tmp_path):
    """A limit on the size of files stands for a full disk: the chunk of 2 members is larger, and the metadata and markers are smaller."""
    e, weights, whole = toy(**KINDS[0])
    e = ensemble(e, chunk=2)
    create_or_extend(tmp_path / "members.zarr", layout(e, (o := e.dataset.open()), o.items("test")), members=7, chunk=2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(OSError) as error:
            doubles.drawn(e, weights, tmp_path, LocalExecutor())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "drawing members 0 to 1 of 2001-01-01" in str(error.value) and "File too large" in str(error.value)
    assert "members.zarr" in str(error.value) and "\n" not in str(error.value)
    assert not list((tmp_path / "done").iterdir())
    doubles.drawn(e, weights, tmp_path, LocalExecutor())
    assert equal(read(tmp_path), whole)


def test_a_value_that_is_not_finite(toy, tmp_path, monkeypatch):
    e, weights, _ = toy(**KINDS[2])
    decode = doubles.ToyCodec.decode

    def bad(self, y, batch):
        out = decode(self, y, batch)
        out[:, :, 0, 0] = torch.inf  # a masked cell: never looked at
        if float(batch.lead_hours[0]) == 12.0:
            out[2, 1, 5, 5] = torch.nan
        return out

    monkeypatch.setattr(doubles.ToyCodec, "decode", bad)
    with pytest.raises(FloatingPointError, match="members 0 to 6 of 2001-01-01: pr of member 2 of 2001-01-01, lead 2, is not finite"):
        doubles.drawn(e, weights, tmp_path, LocalExecutor())


def test_what_cannot_be(toy, tmp_path):
    e, weights, _ = toy(**KINDS[0])
    opened = e.dataset.open()

    def call(**changes):
        given = {"directory": tmp_path, "checkpoint": weights, "loader": doubles.LOADER, "opened": opened, "items": opened.items("test")}
        draw(e, **given | changes, executor=LocalExecutor(), imports=["members_doubles"])

    with pytest.raises(ValueError, match="no times"):
        call(items=[])
    with pytest.raises(ValueError, match=r"loader must be 'wxexp.package.module:function', got 'os:system'"):
        call(loader="os:system")
    with pytest.raises(ValueError, match="missing"):
        call(checkpoint=tmp_path / "nothing")
    with pytest.raises(ValueError, match="another time"):
        call(items=opened.items("test")[:1])
