"""Members that were never stored have the scores of those that were."""

import numpy as np
import pytest
import toy_scoring as toy
from test_engine import FEW, digest

from wxexp.interfaces import Item, Job
from wxexp.members.executor import LocalExecutor
from wxexp.scoring import prepare, scattered, score

CHUNK = 2


class Drawing:
    """A worker that "draws" a chunk of members: those of `toy.write_members`."""

    def __init__(self, leads):
        self.leads = leads

    def __call__(self, item, /):
        time, members = item
        fields = [np.stack([[toy.field("member", time, n, m, l) for l in range(self.leads)] for m in members]) for n in toy.NAMES]
        for x, mask in zip(fields, toy.mask(), strict=True):
            x[..., ~mask] = np.nan
        return tuple(fields)


def chunks(case, item):
    assert isinstance(item, Item)
    return [(item.time, range(first, min(first + CHUNK, 5))) for first in range(0, 5, CHUNK)]


def trees(w, leads, tmp_path):
    """With stored members, and without."""
    coordinates = {
        "time": (("time",), np.arange(7), {}),
        "lat": (("lat",), w.opened.grid.lat, {}),
        "lon": (("lon",), w.opened.grid.lon, {}),
    }
    if leads > 1:
        coordinates["lead_time"] = (("lead_time",), 6.0 * np.arange(leads), {"units": "hours"})
    loose = prepare(w.experiment, w.opened, members=None, coordinates=coordinates, out=tmp_path / "fit", imports=["toy_scoring"], block=2)
    return w.tree, loose


@pytest.mark.parametrize("leads", [1, 2])
def test_scattered_members_have_the_bits_of_stored_ones(leads, world, here, tmp_path):
    stored, loose = trees(world(leads=leads, metrics=FEW), leads, tmp_path)
    score(tree=stored, executor=here(), out=tmp_path / "stored")
    want = digest(tmp_path / "stored")
    for name, executor in {"late": here(lambda groups: groups[::-1]), "local": LocalExecutor()}.items():
        scattered(tree=loose, executor=executor, out=tmp_path / name, make=Job(Drawing, leads), chunks=chunks)
        assert len(want) > 50 and digest(tmp_path / name) == want


def test_either_way_finishes_what_the_other_began(world, here, tmp_path):
    stored, loose = trees(world(metrics=FEW), 1, tmp_path)
    score(tree=stored, executor=here(), out=tmp_path / "whole")
    want = digest(tmp_path / "whole")
    drawing = {"make": Job(Drawing, 1), "chunks": chunks}
    with pytest.raises(KeyboardInterrupt):
        score(tree=stored, executor=here(lambda items: [i for i in items if i[0] == 0 or i[1] < 2], stop=5), out=tmp_path / "a")
    rest, seen = here(), []
    scattered(tree=loose, executor=rest, out=tmp_path / "a", progress=lambda *now: seen.append(now), **drawing)
    assert 0 < len(rest.done) == len(seen) < 12 and seen[-1] == (12, 12)
    with pytest.raises(KeyboardInterrupt):  # all baselines are there, and one block of members
        score(tree=loose, executor=here(lambda items: [i for i in items if i[0]], stop=8), out=tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        scattered(tree=loose, executor=here(lambda groups: groups[2:], stop=1), out=tmp_path / "b", **drawing)
    score(tree=stored, executor=here(), out=tmp_path / "b")
    assert digest(tmp_path / "a") == want and digest(tmp_path / "b") == want


def test_members_that_were_not_drawn_are_missed(world, here, tmp_path):
    _, loose = trees(world(times=2), 1, tmp_path)
    with pytest.raises(ValueError, match="4 members were drawn, 5 are to be scored"):
        scattered(tree=loose, executor=here(), out=tmp_path, make=Job(Drawing, 1), chunks=lambda case, item: chunks(case, item)[:2])
