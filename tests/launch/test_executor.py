"""What executors promise, of work items in this process and on a cluster; and what happens to them when workers are lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import factories
import numpy as np
import pytest
import torch
from processes import gone, workers

from wxexp.interfaces import Executor, Failure, Job
from wxexp.members.executor import LocalExecutor


@pytest.fixture(scope="module")
def on_ray(ray_cluster, tmp_path_factory) -> Iterator[Executor]:
    from wxexp.launch.executor import RayExecutor

    with RayExecutor(2, output=tmp_path_factory.mktemp("output") / "log.txt") as executor:
        yield executor


@pytest.fixture(params=["here", "ray"])
def executor(request: pytest.FixtureRequest) -> Executor:
    return LocalExecutor() if request.param == "here" else request.getfixturevalue("on_ray")


def test_results_failures_and_one_thread(executor):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    pulled = []

    def items():
        for i in range(12):
            pulled.append(i)
            yield i

    try:
        found = {}
        for item, result in executor.map(Job(factories.squares, {"bad": 5}), items(), in_flight=3):
            found[item] = result
            assert len(pulled) <= len(found) + 3 - 1, "no more than 3 are begun and not given out"
        assert isinstance(bad := found.pop(5), Failure) and bad.error == "ValueError: 5 is bad" and "factories" in bad.traceback
        assert {item: result[0] for item, result in found.items()} == {i: i * i for i in range(12) if i != 5}
        assert {threads for *_, threads in found.values()} == {1}
        assert torch.get_num_threads() == 2, "as before"
        assert ({pid for _, pid, _ in found.values()} == {os.getpid()}) == isinstance(executor, LocalExecutor)
    finally:
        torch.set_num_threads(threads)


def test_a_broken_factory_ends_the_map(executor):
    with pytest.raises(ValueError, match="there is no data here"):
        list(executor.map(Job(factories.broken, None), range(3), in_flight=1))
    assert dict(executor.map(Job(factories.nothing, None), range(3), in_flight=2)) == {0: 0, 1: 1, 2: 2}, "and the next one works"


def test_nothing_to_do(executor):
    assert list(executor.map(Job(factories.nothing, None), [], in_flight=1)) == []
    assert list(executor.gather(Job(factories.halves, None), Job(factories.joined, None), [], tiles=2, in_flight=1)) == []


def test_what_is_made_of_items_is_gathered_by_groups(executor):
    groups = [("a", [1, 2, 3]), ("bad", [4, -1, 5]), ("b", [6]), ("few", [-2]), ("none", []), ("c", [7, 8])]
    found = dict(executor.gather(Job(factories.halves, None), Job(factories.joined, None), groups, tiles=2, in_flight=2))
    assert found.keys() == dict(groups).keys()
    bad, few = found.pop("bad"), found.pop("few")
    assert isinstance(bad, Failure) and bad.error == "ValueError: -1 is bad"
    assert isinstance(few, Failure) and few.error == "ValueError: an item must become 2 arrays, got 1"
    for name, (group, firsts, seconds) in found.items():
        assert group == name and firsts == list(dict(groups)[name]) and seconds == [-x for x in firsts]


def test_no_more_groups_are_begun_than_in_flight(executor):
    pulled = []

    def groups():
        for i in range(6):
            pulled.append(i)
            yield i, [i, i + 1]

    for n, _ in enumerate(executor.gather(Job(factories.halves, None), Job(factories.joined, None), groups(), tiles=2, in_flight=2)):
        assert len(pulled) <= n + 2


def test_what_cannot_be(executor):
    with pytest.raises(ValueError, match="in_flight must be at least 1, got 0"):
        executor.map(Job(factories.nothing, {}), [1], in_flight=0)
    with pytest.raises(ValueError, match="a function that can be imported, got .*test_executor:.*lambda"):
        executor.map(Job(lambda tree: None, {}), [1], in_flight=1)


def test_an_item_whose_worker_dies(on_ray, tmp_path):
    """Item 0 kills one worker, and is done by the next; item 1 kills every worker it is given to."""
    (tmp_path / "0").write_text("1")
    (tmp_path / "1").write_text("1000")
    found = dict(on_ray.map(Job(factories.deadly, {"folder": str(tmp_path)}), range(3), in_flight=3))
    assert (found[0], found[2]) == (0, 2)
    assert isinstance(found[1], Failure) and "3 workers were lost with this item" in found[1].error
    assert (tmp_path / "1").read_text() == "997"


def test_an_answer_that_cannot_travel_is_a_failure(on_ray):
    ((_, result),) = on_ray.map(Job(factories.unspeakable, None), [0], in_flight=1)
    assert isinstance(result, Failure) and "pickle" in result.error


def test_arrays_come_back_and_stopping_early_ends_what_is_under_way(on_ray, tmp_path):
    found = on_ray.map(Job(factories.array, None), range(10), in_flight=10)
    item, result = next(found)
    assert np.array_equal(result, np.full((300, 300), item))
    found.close()
    assert dict(on_ray.map(Job(factories.nothing, None), range(3), in_flight=2)) == {0: 0, 1: 1, 2: 2}


def test_workers_are_the_same_from_map_to_map_and_end_with_the_executor(ray_cluster, tmp_path):
    from wxexp.launch.executor import RayExecutor

    with RayExecutor(1, output=tmp_path / "log.txt") as executor:
        pids = [{pid for _, (_, pid, _) in executor.map(Job(factories.squares, {}), range(2), in_flight=2)} for _ in range(2)]
        assert pids[0] == pids[1]
    assert gone(list(pids[0]))


def test_all_that_workers_print_is_in_one_file(ray_cluster, tmp_path, capfd):
    from wxexp.launch.executor import RayExecutor

    with RayExecutor(1, output=tmp_path / "log.txt") as executor:
        list(executor.map(Job(factories.talkative, None), [7], in_flight=1))
    text = (tmp_path / "log.txt").read_text()
    assert "item 7 from Python\n" in text and "item 7 from C\n" in text and "wxexp.talk: item 7 logged" in text
    assert capfd.readouterr() == ("", "")


def test_killed_while_it_gathers(ray_cluster, tmp_path):
    """A worker is killed after the first group; what it had made is still there, or is made again."""
    from wxexp.launch.executor import RayExecutor

    groups = [(str(i), [i, i + 10, i + 20]) for i in range(8)]
    with RayExecutor(2, output=tmp_path / "log.txt") as executor:
        found, killed = {}, []
        for name, result in executor.gather(Job(factories.halves, None), Job(factories.joined, None), groups, tiles=2, in_flight=3):
            found[name] = result
            if not killed:
                killed = workers()[-1:]
                os.kill(killed[0], signal.SIGKILL)
    assert found == {name: (name, [float(i) for i in items], [-float(i) for i in items]) for name, items in groups}


HALVES = """
import logging, sys; sys.path[:0] = sys.argv[1:]
import ray, factories
ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
from wxexp.interfaces import Job
from wxexp.launch.executor import RayExecutor
with RayExecutor(2, gpus=0.5) as executor:
    found = dict(executor.map(Job(factories.visible, None), range(12), in_flight=4))
print(len({pid for pid, _ in found.values()}), sorted({shown for _, shown in found.values()}))
"""


@pytest.mark.slow  # a cluster of its own, which is told that it has a GPU
def test_two_workers_share_a_gpu():
    words = [sys.executable, "-c", HALVES, str(Path(factories.__file__).parent)]
    said = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert said.stdout == "2 ['0']\n", said.stderr


def test_a_failure_is_raised_as_what_it_was():
    told = Failure("FloatingPointError: pr is not finite", "...").exception("drawing members 0 to 3 of 2001-01-01")
    assert type(told) is FloatingPointError and str(told) == "drawing members 0 to 3 of 2001-01-01: pr is not finite"
    assert type(Failure("FileNotFoundError: x", "").exception("reading")) is OSError
    bug = Failure("KeyError: 'x'", "Traceback ...").exception("scoring")
    assert type(bug) is RuntimeError and str(bug) == "scoring: KeyError: 'x'\nTraceback ..."
