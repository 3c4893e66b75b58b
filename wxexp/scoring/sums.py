"""Sums of one source over cases, and rows of a table with bootstrap bounds from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wxexp.interfaces import Row, Statistic, Sums, Total
from wxexp.scoring.plan import Plan, name_of
from wxexp.statistics.bootstrap import block_counts, interval, runs


class CaseSums:
    """Sums of one source, kept for each case in time order, so that they total to the same bits whoever computed them.

    Implements `wxexp.interfaces.Sums`. Bounds are the 2.5 % and 97.5 % quantiles of the metric over bootstrap draws of blocks (runs of
    contiguous cases); with a single block there are none.

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
        self.plan, self._arrays = plan, arrays
        index = np.array([case["index"] for case in plan["cases"]])
        every = _Resampling(slice(None), index, draws=draws, seed=seed)
        chosen = {name: _Resampling(cases, index, draws=draws, seed=seed) for name, cases in plan.get("selections", {}).items()}
        names = dict.fromkeys([*plan["groups"], *chosen])
        self._groups = {name: (plan["groups"].index(name) if name in plan["groups"] else 0, chosen.get(name, every)) for name in names}

    def __getitem__(self, statistic: Statistic) -> Mapping[str, np.ndarray]:
        prefix = f"{name_of(statistic)}/"
        found = {name.removeprefix(prefix): x for name, x in self._arrays.items() if name.startswith(prefix)}
        if not found:
            known = sorted({name.partition("/")[0] for name in self._arrays})
            raise ValueError(f"the scores of {self.source!r} hold no {name_of(statistic)!r}, only {', '.join(known)}; score again")
        return found

    def has(self, statistic: Statistic) -> bool:
        """Whether a metric asked for it when these sums were made."""
        return any(name.startswith(f"{name_of(statistic)}/") for name in self._arrays)

    def rows(self, metric: str, value: Callable[[Total], np.ndarray], *, source: str | None = None, units: str | None = None) -> list[Row]:
        found = {each: each.bounded(value) for each in dict.fromkeys(each for _, each in self._groups.values())}
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
            for group, (g, cases) in self._groups.items()
            for point, low, high in [found[cases]]
        ]


class _Resampling:
    """Totals over some cases: as they are, and in draws of blocks (runs of contiguous ones)."""

    def __init__(self, cases: slice | Sequence[int], index: np.ndarray, *, draws: int, seed: int) -> None:
        self._cases = cases
        blocks = runs(index[cases])
        self._starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        self._counts = block_counts(blocks, draws=draws, seed=seed)

    def bounded(self, value: Callable[[Total], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A metric of the totals, and its bounds."""
        point = value(lambda x: x[self._cases].sum(axis=0))
        if len(self._starts) > 1:
            return point, *interval(value(self._drawn))
        return point, np.full(point.shape, np.nan), np.full(point.shape, np.nan)

    def _drawn(self, x: np.ndarray) -> np.ndarray:
        """Totals of every draw, [draws, ...]: of blocks first, which is the same sum with fewer terms."""
        blocks = np.add.reduceat(x[self._cases], self._starts, axis=0)
        total = self._counts @ blocks.reshape(len(blocks), -1)
        return np.asarray(total.reshape(len(total), *x.shape[1:]))


def _finite(x: np.floating) -> float | None:
    return float(x) if np.isfinite(x) else None
