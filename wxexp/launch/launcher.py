"""One interface to this process and to a Ray cluster, which is started when something is first asked of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from wxexp.config.tree import ConfigError
from wxexp.experiment import Resources

if TYPE_CHECKING:
    from types import ModuleType

    from wxexp.interfaces import Executor, Opened
    from wxexp.training import Plan, Progress

log = logging.getLogger("wxexp")


class Launcher(Protocol):
    """What carries out training and work items."""

    @property
    def device(self) -> str:
        """Where networks run: "cpu" or "cuda"."""
        ...

    @property
    def executor(self) -> Executor: ...

    def train(self, plan: Plan, *, opened: Callable[[], Opened], progress: Callable[[Progress], None]) -> None:
        """Raises Interrupted where it was asked to stop, after a checkpoint. `opened` gives the open dataset, where it is needed."""
        ...


@contextmanager
def launcher(resources: Resources, *, output: Path, address: str | None = None) -> Iterator[Launcher]:
    """This process if `resources.workers` is 0, else a cluster: the one at `address`, at $RAY_ADDRESS, or one that ends with the block.

    Raises ConfigError where an address is given and no worker is wanted; `output` is the file that all that workers print goes to.
    """
    if resources.workers == 0:
        if address:
            raise ConfigError(f"resources.workers=0 stays in this process, and does not go with --address {address}")
        yield Here(resources)
        return
    with OnRay(resources, output, address) as found:
        yield found


class Here:
    """This process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @cached_property
    def device(self) -> str:
        import torch

        there = torch.cuda.is_available()
        if self._resources.device == "cuda" and not there:
            raise ConfigError("resources.device is 'cuda', and torch finds no GPU here; possible: cpu")
        return self._resources.device or ("cuda" if there else "cpu")

    @cached_property
    def executor(self) -> Executor:
        from wxexp.members.executor import LocalExecutor

        return LocalExecutor()

    def train(self, plan: Plan, *, opened: Callable[[], Opened], progress: Callable[[Progress], None]) -> None:
        """On `resources.threads` threads, by default all cores."""
        import os

        import torch

        from wxexp.training import LocalSession, work

        before = torch.get_num_threads()
        torch.set_num_threads(self._resources.threads or os.cpu_count() or 1)
        try:
            with LocalSession(Path(plan["directory"]), device=torch.device(self.device)) as session:
                work(plan, session, opened=opened(), progress=progress)
        finally:
            torch.set_num_threads(before)


class OnRay:
    """A Ray cluster."""

    def __init__(self, resources: Resources, output: Path, address: str | None) -> None:
        self._resources, self._output, self._address = resources, output, address
        self._open = ExitStack()

    def __enter__(self) -> OnRay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    @cached_property
    def _ray(self) -> ModuleType:
        from wxexp.launch.cluster import cluster

        return self._open.enter_context(cluster(self._address))

    @cached_property
    def device(self) -> str:
        there = self._ray.cluster_resources().get("GPU", 0) > 0
        if self._resources.device == "cuda" and not there:
            raise ConfigError("resources.device is 'cuda', and the cluster has no GPU; possible: cpu")
        return self._resources.device or ("cuda" if there else "cpu")

    @cached_property
    def executor(self) -> Executor:
        """Its workers have one CPU each, and `resources.gpus` of a GPU where networks run on one."""
        from wxexp.launch.cluster import check
        from wxexp.launch.executor import RayExecutor

        gpus = self._resources.gpus if self.device == "cuda" else 0.0
        check(self._resources.workers, {"CPU": 1, "GPU": gpus})
        return self._open.enter_context(RayExecutor(self._resources.workers, gpus=gpus, output=self._output))

    def train(self, plan: Plan, *, opened: Callable[[], Opened], progress: Callable[[Progress], None]) -> None:
        """Each worker on `resources.threads` CPUs, by default as many as there are for each; workers open their own dataset."""
        from wxexp.launch.cluster import check, threads
        from wxexp.launch.train import fit

        workers, gpus = self._resources.workers, 1.0 if self.device == "cuda" else 0.0
        each = self._resources.threads or threads(workers, {"GPU": gpus})
        check(workers, {"CPU": each, "GPU": gpus})
        fit(plan, workers=workers, threads=each, gpus=gpus, output=self._output, progress=progress)
