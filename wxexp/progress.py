"""How far a stage is: a bar with rate and time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Progress(Protocol):
    """What stages report to."""

    def stage(self, name: str, total: float, unit: str) -> None:
        """A stage begins; `total` units of work."""
        ...

    def done(self, amount: float, text: str = "") -> None:
        """So many units are done, those of earlier runs included."""
        ...

    def line(self, text: str) -> None:
        """Something worth a line."""
        ...


class Silent:
    """No output: `wx.run` from Python."""

    def stage(self, name: str, total: float, unit: str) -> None: ...

    def done(self, amount: float, text: str = "") -> None: ...

    def line(self, text: str) -> None: ...


class Console:
    """For people: rich on a terminal, plain lines at most every ten seconds otherwise."""

    EVERY_SECONDS = 10.0

    def __init__(self) -> None:
        self._name, self._unit, self._total = "", "", 0.0
        self._began = self._said = time.monotonic()
        self._first: float | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        if sys.stdout.isatty():
            self._bar = _bar()

    def __enter__(self) -> Console:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def stage(self, name: str, total: float, unit: str) -> None:
        self._name, self._unit, self._total, self._first = name, unit, total, None
        self._began = self._said = time.monotonic()
        if self._bar:
            self._task = self._bar.add_task(name, total=total, text="", rate="")

    def done(self, amount: float, text: str = "") -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self._began = amount, now
        rate = (amount - self._first) / max(now - self._began, 1e-9)
        speed = f"{rate:.3g} {self._unit}/s" if rate > 0 else self._unit
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=amount, text=text, rate=speed)
            return
        if amount < self._total and now - self._said < self.EVERY_SECONDS:
            return
        self._said = now
        left = f", {(self._total - amount) / rate:.0f} s left" if rate > 0 and amount < self._total else ""
        speed = f", {speed}" if rate > 0 else ""
        print(f"{self._name:7} {amount:.0f}/{self._total:.0f} {self._unit}{speed}{left}{'  ' + text if text else ''}", flush=True)

    def line(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, flush=True)


def _bar() -> Bar:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    name, rate = TextColumn("{task.description:7}"), TextColumn("{task.fields[rate]}")
    text = TextColumn("{task.fields[text]}", markup=False)  # a point of a sweep may have a list, [a, b]
    left = TimeRemainingColumn(compact=True)
    return Progress(name, BarColumn(20), MofNCompleteColumn(), rate, TimeElapsedColumn(), TextColumn("left"), left, text)
