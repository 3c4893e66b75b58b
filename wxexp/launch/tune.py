"""Work items as trials of Ray Tune, which shows them, isolates those that fail, and starts again those whose process is lost.

A trial does its item in its own process, on one CPU and one thread. Nothing that Tune writes is read again: it goes to a temporary
folder, and what a trial has done is known by what it left in the run directory.
"""

from __future__ import annotations

import importlib
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import Callback, FailureConfig, RunConfig, TuneConfig
from ray.tune.experiment import Trial

from wxexp.interfaces import Failure, Job
from wxexp.launch.cluster import nodes
from wxexp.launch.worker import import_from, print_to

RETRIES = 2
"""Times that a trial whose process was lost is started again."""
Answer = Mapping[str, Any] | Failure


def trials(
    job: Job[Any, Mapping[str, Any]],
    items: Mapping[str, Any],
    *,
    path: Sequence[str],
    output: Path,
    gpus: float = 0.0,
    done: Callable[[str, Answer], None],
) -> None:
    """Does every item, by name, as a trial of that name; as many at a time as the cluster has CPUs (and GPUs) for.

    Args:
        job: answers an item with plain values.
        items: plain values.
        path: folders to import from.
        output: file that all they print goes to.
        gpus: of each trial.
        done: told the name of a trial and what it came to, in this process, as trials end.
    """
    names = list(items)
    told = {
        "reference": job.reference(),
        "tree": job.tree,
        "path": list(path),
        "output": str(output.absolute()),
        "items": list(items.values()),
    }
    with tempfile.TemporaryDirectory(prefix="wxexp-tune-") as storage:
        logging.getLogger("ray.tune").setLevel(logging.ERROR)
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(_trial, told=told), {"cpu": 1, "gpu": gpus}),
            param_space={"place": tune.grid_search(list(range(len(names))))},
            tune_config=TuneConfig(
                max_concurrent_trials=_together(gpus),
                trial_name_creator=lambda trial: names[trial.config["place"]],
                trial_dirname_creator=lambda trial: names[trial.config["place"]],
            ),
            run_config=RunConfig(
                storage_path=storage,
                verbose=0,
                failure_config=FailureConfig(max_failures=RETRIES),
                callbacks=[_Teller(names, done)],
            ),
        )
        tuner.fit()


def _together(gpus: float) -> int:
    there = [node["Resources"] for node in nodes()]
    return max(1, sum(int(min(node.get("CPU", 0), node.get("GPU", 0) / gpus if gpus else 1e9)) for node in there))


def _trial(config: Mapping[str, int], *, told: Mapping[str, Any]) -> dict[str, Any]:
    """In the process of a trial. What an item raises is its answer: to start it again would not help."""
    import torch

    print_to(told["output"])
    import_from(told["path"])
    torch.set_num_threads(1)
    try:
        module, _, function = told["reference"].partition(":")
        work = getattr(importlib.import_module(module), function)(told["tree"])
        return {"answer": work(told["items"][config["place"]])}
    except Exception as error:
        failure = Failure.of(error)
        return {"failure": [failure.error, failure.traceback]}


class _Teller(Callback):
    """Tells what trials came to as they end."""

    def __init__(self, names: Sequence[str], done: Callable[[str, Answer], None]) -> None:
        self._names, self._done = names, done

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        result = trial.last_result or {}
        name = self._names[trial.config["place"]]
        self._done(name, result["answer"] if "answer" in result else Failure(*result["failure"]))

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._done(self._names[trial.config["place"]], Failure(f"RuntimeError: its process was lost {RETRIES + 1} times", ""))
