"""Components that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from toy.interfaces import Levels, Metric

from wxexp.config import Spec

if TYPE_CHECKING:
    from toy.experiment import Experiment


class Late(Metric):
    other: Experiment | None = None


class Call(Metric):
    f: Callable[[int], int] | None = None


class Either(Metric):
    g: int | str = 3


class Listed(Metric):
    levels: tuple[Levels, ...] = ()


class Numbered(Metric):
    weights: Mapping[int, float] | None = None


class Bare(Metric):
    anything: Spec | None = None


class Names(Metric):
    """Fields called like methods of a dict."""

    items: int = 1
    lock: int = 2
    values: float = 3.0
    update: int = 4
    get: int = 5
