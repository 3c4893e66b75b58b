"""Sums of one source over cases, and rows of a table with bootstrap bounds from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wxexp.interfaces import Row, Statistic, Sums, Total
from wxexp.scoring.plan import Plan, name_of
from wxexp.statistics.bootstrap import FEWEST, are_blocks, block_counts, block_length, interval, moving_counts
from wxexp.statistics.spacing import NEAR, Spacing, instants, memory


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
        times = instants([case["time"] for case in plan["cases"]], [case["index"] for case in plan["cases"]])
        every = Resampling(slice(None), times, draws=draws, seed=seed)
        chosen = {name: Resampling(cases, times, draws=draws, seed=seed) for name, cases in plan.get("selections", {}).items()}
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

    Blocks are made from distances in time, for each metric, lead, variable and group by how much its cases are alike (`Spacing`): runs of
    cases end where there is a gap in which they are no more so. Runs are blocks as they are where they are many, and about as long; others,
    such as all cases of a year, have moving blocks, of a length that goes with how many independent cases they are worth (`block_length`).
    Fewer than `FEWEST` cases have no bounds.

    Args:
        cases: which of the sums.
        times: of every case that there are sums of, in any unit.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """

    def __init__(self, cases: slice | Sequence[int], times: np.ndarray, *, draws: int, seed: int) -> None:
        self._cases, self._draws, self._seed = cases, draws, seed
        self._when = Spacing(times[cases])
        self._counts: dict[tuple[float, int], np.ndarray] = {}

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
        if len(self._when.at) < FEWEST:
            return None
        reach, length = self._blocks(value)
        low, high = np.full(reach.shape, np.nan), np.full(reach.shape, np.nan)
        for key in sorted(set(zip(reach.ravel().tolist(), length.ravel().tolist(), strict=True))):
            here = (reach == key[0]) & (length == key[1])
            for bound, found in zip((low, high), ends(value(self._drawn(*key))), strict=True):
                bound[here] = found[here]
        return low, high

    def effective_size(self, value: Callable[[Total], np.ndarray]) -> np.ndarray:
        """How many independent cases would tell as much of a metric as these do; NaN where the metric of a case alone says nothing."""
        return self._when.sizes(self._alike(value))

    def _alike(self, value: Callable[[Total], np.ndarray]) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # a case alone may have no event
            return self._when.correlation(value(self.single))

    def _blocks(self, value: Callable[[Total], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The longest step within a run, and the length of moving blocks, 0 where runs are blocks: powers of 2, so that few differ."""
        alike = self._alike(value)
        size, far = self._when.sizes(alike), memory(alike)
        steps = np.unique(np.append(self._when.gaps, NEAR))
        far = np.where(far > NEAR, 2.0 ** np.floor(np.log2(np.clip(far, NEAR, 2.0 * steps[-1]))), NEAR)
        reach = steps[np.searchsorted(steps, np.maximum(far, NEAR), side="right") - 1]
        length = np.zeros(reach.shape, dtype=np.int64)
        for each in np.unique(reach):
            if not are_blocks(self._when.runs(each)):
                here = reach == each
                length[here] = [2 ** math.ceil(math.log2(block_length(len(self._when.at), n))) for n in size[here].tolist()]
        return reach, length

    def _drawn(self, reach: float, length: int) -> Total:
        """Totals of every draw, [draws, ...]: where blocks are runs, of those first, which is the same sum with fewer terms."""
        run = self._when.runs(reach)
        if not length:
            starts = np.flatnonzero(np.diff(run, prepend=-1))
            if (reach, 0) not in self._counts:
                self._counts[reach, 0] = block_counts(run, draws=self._draws, seed=self._seed)
            return lambda x: _weighted(self._counts[reach, 0], np.add.reduceat(x[self._cases], starts, axis=0))
        if (reach, length) not in self._counts:
            self._counts[reach, length] = moving_counts(self._when, length=length, draws=self._draws, seed=self._seed, run=run)
        return lambda x: _weighted(self._counts[reach, length], x[self._cases])


def _weighted(counts: np.ndarray, x: np.ndarray) -> np.ndarray:
    total = counts @ x.reshape(len(x), -1)
    return np.asarray(total.reshape(len(total), *x.shape[1:]))


def _finite(x: np.floating) -> float | None:
    return float(x) if np.isfinite(x) else None
