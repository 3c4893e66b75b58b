"""Sums of one source over cases, and rows of a table with bootstrap bounds from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wxexp.interfaces import Row, Statistic, Sums, Total
from wxexp.scoring.plan import Plan, name_of
from wxexp.statistics.bootstrap import block_counts, block_length, interval, moving_counts, runs
from wxexp.statistics.significance import effective_size

FEWEST = 8
"""Cases of a single run that have bounds, at least."""


class CaseSums:
    """Sums of one source, kept for each case in time order, so that they total to the same bits whoever computed them.

    Implements `wxexp.interfaces.Sums`. Bounds are the 2.5 % and 97.5 % quantiles of the metric over bootstrap draws of blocks, see
    `Resampling`.

    Args:
        source: name of the forecast or baseline.
        members: how many it has.
        arrays: float64 [case, lead, variable, group, ...] by name of the statistic and of the sum, "errors/weight".
        plan: of what the axes are.
        draws: of the bootstrap.
        seed: of the bootstrap.
        references: sums of the baselines.
    """

    def __init__(
        self,
        source: str,
        members: int,
        arrays: Mapping[str, np.ndarray],
        *,
        plan: Plan,
        draws: int,
        seed: int,
        references: Mapping[str, Sums] | None = None,
    ) -> None:
        self.source, self.members, self.references = source, members, references or {}
        self.plan, self.arrays, self.draws, self.seed = plan, arrays, draws, seed
        index = np.array([case["index"] for case in plan["cases"]])
        every = Resampling(slice(None), index, draws=draws, seed=seed)
        chosen = {name: Resampling(cases, index, draws=draws, seed=seed) for name, cases in plan.get("selections", {}).items()}
        names = dict.fromkeys([*plan["groups"], *chosen])
        self.groups = {name: (plan["groups"].index(name) if name in plan["groups"] else 0, chosen.get(name, every)) for name in names}

    def __getitem__(self, statistic: Statistic) -> Mapping[str, np.ndarray]:
        prefix = f"{name_of(statistic)}/"
        found = {name.removeprefix(prefix): x for name, x in self.arrays.items() if name.startswith(prefix)}
        if not found:
            known = sorted({name.partition("/")[0] for name in self.arrays})
            raise ValueError(f"the scores of {self.source!r} hold no {name_of(statistic)!r}, only {', '.join(known)}; score again")
        return found

    def has(self, statistic: Statistic) -> bool:
        """Whether a metric asked for it when these sums were made."""
        return any(name.startswith(f"{name_of(statistic)}/") for name in self.arrays)

    def rows(self, metric: str, value: Callable[[Total], np.ndarray], *, source: str | None = None, units: str | None = None) -> list[Row]:
        found = {each: each.bounded(value) for each in dict.fromkeys(each for _, each in self.groups.values())}
        return [
            Row(
                metric=metric,
                variable=variable,
                source=self.source if source is None else source,
                group=group,
                lead_hours=lead,
                value=float(point[l, v, g]),
                low=_finite(low[l, v, g]),
                high=_finite(high[l, v, g]),
                units=self.plan["units"][v] if units is None else units,
            )
            for l, lead in enumerate(self.plan["leads"])
            for v, variable in enumerate(self.plan["variables"])
            for group, (g, cases) in self.groups.items()
            for point, low, high in [found[cases]]
        ]


class Resampling:
    """Totals over some cases: as they are, and in draws of blocks.

    Blocks are the runs of contiguous cases; where all cases are one run, moving blocks of it, of a length that goes with how much cases
    that follow each other are alike (`block_length`), for each metric, lead, variable and group its own. Fewer than `FEWEST` cases of one
    run have no bounds.

    Args:
        cases: which of the sums.
        index: of every case that there are sums of; contiguous ones rise by 1.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """

    def __init__(self, cases: slice | Sequence[int], index: np.ndarray, *, draws: int, seed: int) -> None:
        self._cases, self._index, self._draws, self._seed = cases, index[cases], draws, seed
        blocks = runs(self._index)
        self._starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        self._counts = block_counts(blocks, draws=draws, seed=seed) if len(self._starts) > 1 else np.zeros(0)

    def whole(self, x: np.ndarray) -> np.ndarray:
        """The total of all cases."""
        return np.asarray(x[self._cases].sum(axis=0))

    def single(self, x: np.ndarray) -> np.ndarray:
        """The totals of each case alone, which are its sums."""
        return x[self._cases]

    def bounded(self, value: Callable[[Total], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A metric of the totals, and its bounds."""
        point = value(self.whole)
        none = np.full(point.shape, np.nan), np.full(point.shape, np.nan)
        return point, *(self.over_draws(value, interval) or none)

    def over_draws(
        self, value: Callable[[Total], np.ndarray], ends: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """`ends`, such as `interval`, of a metric [draw, ...]; None where there are too few cases to draw from."""
        if len(self._starts) > 1:
            return ends(value(self._drawn))
        if len(self._index) < FEWEST:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):  # a case alone may have no event
            lengths = self._lengths(value(self.single))
        low, high = np.full(lengths.shape, np.nan), np.full(lengths.shape, np.nan)
        for length in np.unique(lengths):
            counts = moving_counts(self._index, length=int(length), draws=self._draws, seed=self._seed)

            def drawn(x: np.ndarray, counts: np.ndarray = counts) -> np.ndarray:
                return _weighted(counts, x[self._cases])

            here = lengths == length
            for bound, found in zip((low, high), ends(value(drawn)), strict=True):
                bound[here] = found[here]
        return low, high

    def effective_size(self, value: Callable[[Total], np.ndarray]) -> np.ndarray:
        """How many independent cases would tell as much of a metric as these do; NaN where the metric of a case alone says nothing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            series = value(self.single)
        return _each(series, lambda d: effective_size(d, runs(self._index)))

    def _lengths(self, series: np.ndarray) -> np.ndarray:
        """Of blocks, from the metric of each case [case, ...], int64 [...]: powers of 2, so that there are few different draws."""
        return _each(series, lambda d: 2.0 ** np.ceil(np.log2(block_length(len(d), effective_size(d))))).astype(np.int64)

    def _drawn(self, x: np.ndarray) -> np.ndarray:
        """Totals of every draw, [draws, ...]: of blocks first, which is the same sum with fewer terms."""
        return _weighted(self._counts, np.add.reduceat(x[self._cases], self._starts, axis=0))


def _weighted(counts: np.ndarray, x: np.ndarray) -> np.ndarray:
    total = counts @ x.reshape(len(x), -1)
    return np.asarray(total.reshape(len(total), *x.shape[1:]))


def _each(series: np.ndarray, number: Callable[[np.ndarray], float]) -> np.ndarray:
    """A number of every series, [case, ...] -> [...]."""
    flat = series.reshape(len(series), -1)
    return np.array([number(d) for d in flat.T]).reshape(series.shape[1:])


def _finite(x: np.floating) -> float | None:
    return float(x) if np.isfinite(x) else None
