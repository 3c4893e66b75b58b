"""Statistics, metrics, baselines, subsets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol

import numpy as np

from wxexp.config import Spec
from wxexp.fields.seeds import Draws
from wxexp.interfaces.data import Item, Opened

Reducer = Callable[[np.ndarray, np.ndarray, np.ndarray], Mapping[str, np.ndarray]]
"""`Statistic.reduce`, of one variable."""


class Statistic(Spec):
    """Sums over space of one case that metrics are made from; hashable, deduplicated over metrics.

    Class attribute `scope`: "point" (cell by cell, in the fused kernel where built in) or "field" (needs whole fields).
    """

    registry: ClassVar[str] = "wxexp.statistics"
    scope: ClassVar[Literal["point", "field"]]
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Names of the dims after the group, for sums that have any."""

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """What it has to know of training times, arrays [variable, ...] by name; most need nothing."""
        return {}

    def reducer(self, fitted: Mapping[str, np.ndarray], *, time: str = "", hours: float = 0.0) -> Reducer:
        """`reduce` for one variable, of which these are the fitted arrays [...]; of what is valid `hours` after an ISO time.

        Only those of scope "field" may ask for the time.
        """
        return self.reduce

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        """[*S], [M, *S], [G, *S] (weight 0: not scored) -> name: float64 [G, ...]."""
        raise NotImplementedError

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = MappingProxyType({})
    ) -> Mapping[str, np.ndarray]:
        """`reduce` of every cell by itself, with weight 1: [*S], [M, *S], flat places [n] that have truth -> name: float64 [n, ...].

        For maps of what has the scope "point"; `fitted` are arrays [..., *S] of this variable. This is right for all of them, with
        groups of one cell, and slow: statistics that have a faster way to the same numbers override it.
        """
        reduce, found = self.reducer(fitted), []
        for few in [at[start : start + 64] for start in range(0, len(at), 64)] or [np.zeros(1, dtype=np.int64)]:
            if fitted:
                each = (np.arange(truth.size) == few[:, None]).astype(np.float64).reshape(-1, *truth.shape)
                found.append(reduce(truth, members, each))
            else:
                found.append(reduce(truth.reshape(-1)[few], members.reshape(len(members), -1)[:, few], np.eye(len(few))))
        return {name: np.concatenate([each[name] for each in found])[: len(at)] for name in found[0]}


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table; absent bounds are None, `lead_hours` too where there is no lead."""

    metric: str
    variable: str
    source: str
    group: str
    lead_hours: float | None
    value: float
    low: float | None
    high: float | None
    units: str


Total = Callable[[np.ndarray], np.ndarray]


class Sums(Protocol):
    """Sums of one source (the forecast, or a baseline), by statistic, name: float64 [case, lead, variable, group, ...], in time order."""

    source: str
    members: int
    references: Mapping[str, Sums]
    """Of the baselines, for skill scores; empty in a baseline's own sums."""

    def __getitem__(self, statistic: Statistic) -> Mapping[str, np.ndarray]: ...

    def rows(self, metric: str, value: Callable[[Total], np.ndarray], *, source: str | None = None, units: str | None = None) -> list[Row]:
        """Rows of a metric with bootstrap bounds.

        `value(total)` computes the metric [..., lead, variable, group] from totals; `total(x)` sums an array [case, ...] over cases:
        once as they are, and once per bootstrap draw (all draws on a new first axis), so that finished scores are never averaged.
        `source`: None is this source's name. `units`: None is those of the variable, "1" is none.
        """
        ...


class Metric(Spec):
    """What is reported, from which statistics."""

    registry: ClassVar[str] = "wxexp.metrics"

    def needs(self) -> tuple[Statistic, ...]:
        """Statistics whose sums it is computed from; equal ones are summed once for all metrics."""
        raise NotImplementedError

    def rows(self, sums: Sums) -> list[Row]:
        """Rows of the table; `crps` and the like are the scores of `sums.source`, `crpss` is that of the forecast over `source`."""
        raise NotImplementedError


class Subset(Spec):
    """Part of what is scored, which gets rows of its own."""

    registry: ClassVar[str] = "wxexp.subsets"

    def cells(self, opened: Opened) -> np.ndarray | None:
        """Which cells belong to it, bool [*S]; None: all."""
        return None

    def cases(self, items: Sequence[Item]) -> np.ndarray | None:
        """Which initial times belong to it, bool [case]; None: all."""
        return None


class Baseline(Spec):
    """What a forecast must beat; fitted on training times only."""

    registry: ClassVar[str] = "wxexp.baselines"

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """What it must know of the training times, by name, kept with the run; given to `members`."""
        return {}

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        """[M, lead, C, *S] physical; M = 1 for a deterministic one. `draws` has one row."""
        raise NotImplementedError
