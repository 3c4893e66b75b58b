"""Two runs against each other: on the cases that both scored, with bounds of the difference from the same draws of both.

Only sums are read, so what is compared is every metric that either run's record asks for and both have the sums of. Differences are
evaluated inside every draw of the bootstrap, so that weather that is hard for both does not count as doubt (paired; Hamill 1999).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.scoring.plan import Plan
from wxexp.scoring.sums import CaseSums, Resampling
from wxexp.statistics.bootstrap import interval

T = TypeVar("T")
Verdict = Literal["better", "worse", "same"]
Cost = Callable[[np.ndarray], np.ndarray]


def _ratio_cost(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(np.log(x)))


_SMALL: Cost = lambda x: x  # noqa: E731
_LARGE: Cost = lambda x: 1.0 - x  # noqa: E731
_ZERO: Cost = np.abs
_ONE: Cost = _ratio_cost
_NONE = ("brier_uncertainty", "corp_uncertainty", "interval_width", "coverage", "event_frequency")
COSTS: Mapping[str, Cost] = {
    "spread_skill_reliability": _SMALL,
    "brier_resolution": _LARGE,
    "corp_discrimination": _LARGE,
    "crpss": _LARGE,
    **dict.fromkeys(("crps", "twcrps", "mae", "rmse", "member_rmse", "brier", "corp_miscalibration", "rps", "ignorance"), _SMALL),
    **dict.fromkeys(("energy_score", "variogram_score", "quantile_score", "interval_score", "weighted_interval_score"), _SMALL),
    **dict.fromkeys(("dawid_sebastiani", "error_spread", "wasserstein", "log_histogram_distance", "lsd", "rank_histogram"), _SMALL),
    **dict.fromkeys(("owcrps", "vrcrps", "kernel_score", "field_kernel_score", "seeps"), _SMALL),
    **dict.fromkeys(("false_alarm_rate", "false_alarm_ratio"), _SMALL),
    **dict.fromkeys(("roc_area", "pattern_correlation", "acc", "fss", "perkins", "economic_value"), _LARGE),
    **dict.fromkeys(("hit_rate", "accuracy", "csi", "ets", "hss", "pss", "f1", "sedi"), _LARGE),
    **dict.fromkeys(("bias", "relative_bias", "pit_bias", "quantile_bias", "sal", "esal"), _ZERO),
    **dict.fromkeys(("spread_skill", "pit_dispersion", "frequency_bias", "event_ratio", "wet_ratio", "sdii_ratio"), _ONE),
}
"""By the beginning of a row's name, how far a value is from the best one, 0: small is good, 1 − x, |x|, or |ln x|. The longest counts."""


def cost(metric: str) -> Cost | None:
    """How far a value of a metric is from the best one; None where there is no telling, such as the width of an interval."""
    known = [name for name in (*COSTS, *_NONE) if metric == name or metric.startswith(f"{name}_")]
    return COSTS.get(max(known, key=len)) if known else None


def best(metric: str) -> Literal["small", "large", "0", "1"] | None:
    """Which values of a metric are good; None where there is no telling."""
    found = cost(metric)
    if found in (_SMALL, _LARGE):
        return "small" if found is _SMALL else "large"
    return "0" if found is _ZERO else "1" if found is _ONE else None


@dataclasses.dataclass(frozen=True)
class Difference:
    """One metric of two runs.

    Attributes:
        metric, variable, source, group, lead_hours, units: as of a `Row`; `source` is that of skill over a baseline.
        first, second: values on the common cases.
        low, high: 2.5 % and 97.5 % bounds of second − first; None where there are too few cases.
        change: how much farther from the best value the second is, relative to the first: −0.1 is 10 % less. NaN where that says nothing.
        verdict: of the second, "same" where the bounds of the difference (of distances from the best value) include 0; None where there
            are no bounds, or no telling which is better.
        size: independent cases that would tell as much of the difference as there are.
    """

    metric: str
    variable: str
    source: str
    group: str
    lead_hours: float | None
    units: str
    first: float
    second: float
    low: float | None
    high: float | None
    change: float
    verdict: Verdict | None
    size: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What two runs have in common.

    Attributes:
        differences: of every metric, lead, variable and group.
        cases: how many are compared.
        times: the first and the last of them.
        notes: what one of the runs has that is not compared, a sentence each.
    """

    differences: Sequence[Difference]
    cases: int
    times: tuple[str, str]
    notes: Sequence[str]


class _Asked:
    """The sums of a run that take down which metrics are asked of them, instead of making rows."""

    def __init__(self, sums: CaseSums) -> None:
        self.source, self.members, self.references = sums.source, sums.members, sums.references
        self._sums = sums
        self.found: dict[tuple[str, str], tuple[Callable[[Total], np.ndarray], str | None]] = {}

    def __getitem__(self, statistic: Statistic) -> Mapping[str, np.ndarray]:
        return self._sums[statistic]

    def rows(self, metric: str, value: Callable[[Total], np.ndarray], *, source: str | None = None, units: str | None = None) -> list[Row]:
        self.found.setdefault((metric, self.source if source is None else source), (value, units))
        return []


def compare(first: CaseSums, second: CaseSums, metrics: Sequence[Metric], *, names: tuple[str, str] = ("first", "second")) -> Comparison:
    """Every metric of `metrics` that both have the sums of, on the cases, leads, variables and groups that both have.

    Args:
        first, second: sums of two forecasts, as `open_sums` gives them.
        metrics: asked for by either.
        names: of the two, in notes and errors.

    Raises:
        ValueError: where they have no case, lead, variable or metric in common, or other units.
    """
    pairs, notes = _Common(first, second, names).restricted()
    asked = [_Asked(sums) for sums in pairs]
    lost = []
    for metric in dict.fromkeys(metrics):
        if all(sums.has(statistic) for sums in pairs for statistic in metric.needs()):
            for each in asked:
                metric.rows(each)
        else:
            lost.append(type(metric).__name__)
    keys = [key for key in asked[0].found if key in asked[1].found]
    if not keys:
        raise ValueError(f"{names[0]} and {names[1]} have no metric in common")
    if lost:
        notes.append(f"only one of them has the sums of {', '.join(dict.fromkeys(lost))}")
    if first.members != second.members:
        notes.append(f"{names[0]} has {first.members} members, {names[1]} {second.members}")
    found = [d for key in keys for d in _differences(key, pairs[0], asked[0].found[key], asked[1].found[key][0])]
    times = [case["time"] for case in pairs[0].plan["cases"]]
    return Comparison(found, len(times), (times[0], times[-1]), notes)


def _differences(
    key: tuple[str, str],
    sums: CaseSums,
    asked: tuple[Callable[[Total], np.ndarray], str | None],
    second: Callable[[Total], np.ndarray],
) -> list[Difference]:
    (first, units), best = asked, cost(key[0])

    def apart(total: Total) -> np.ndarray:
        return np.asarray(second(total) - first(total))

    def farther(total: Total) -> np.ndarray:
        assert best is not None
        return np.asarray(best(second(total)) - best(first(total)))

    out = []
    for group, (g, cases) in sums.groups.items():
        one, other = first(cases.whole), second(cases.whole)
        _, low, high = cases.bounded(apart)
        costs = _costs(cases, farther, (low, high), best)
        size = cases.effective_size(apart)
        for l, lead in enumerate(sums.plan["leads"]):
            for v, variable in enumerate(sums.plan["variables"]):
                at = l, v, g
                change = math.nan
                if best is not None and (before := float(best(one[at]))) > 0:
                    change = float(best(other[at])) / before - 1.0
                out.append(
                    Difference(
                        metric=key[0],
                        variable=variable,
                        source=key[1],
                        group=group,
                        lead_hours=lead,
                        units=sums.plan["units"][v] if units is None else units,
                        first=float(one[at]),
                        second=float(other[at]),
                        low=float(low[at]) if np.isfinite(low[at]) else None,
                        high=float(high[at]) if np.isfinite(high[at]) else None,
                        change=change,
                        verdict=None if costs is None else _verdict(*(float(x[at]) for x in costs)),
                        size=float(size[at]),
                    )
                )
    return out


def _costs(
    cases: Resampling, farther: Callable[[Total], np.ndarray], bounds: tuple[np.ndarray, np.ndarray], best: Cost | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Bounds of the difference of distances from the best value."""
    if best is None:
        return None
    if best is _SMALL:
        return bounds
    return (-bounds[1], -bounds[0]) if best is _LARGE else cases.over_draws(farther, interval)


def _verdict(low: float, high: float) -> Verdict | None:
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return "better" if high < 0 else "worse" if low > 0 else "same"


def _label(value: object) -> str:
    """A lead in hours, or a name."""
    return "no lead" if value is None else f"{value:g} h" if isinstance(value, float) else str(value)


class _Common:
    """What two runs have both."""

    def __init__(self, first: CaseSums, second: CaseSums, names: tuple[str, str]) -> None:
        self.sums, self.names, self.notes = (first, second), names, list[str]()
        one, other = self.plans = first.plan, second.plan
        times = [[case["time"] for case in plan["cases"]] for plan in self.plans]
        self.times = self._both("case", *times)
        self.leads = self._both("lead time", one["leads"], other["leads"])
        self.variables = self._both("variable", one["variables"], other["variables"])
        units = [dict(zip(plan["variables"], plan["units"], strict=True)) for plan in self.plans]
        if unlike := [name for name in self.variables if units[0][name] != units[1][name]]:
            name = unlike[0]
            raise ValueError(f"{name} is in {units[0][name]} in {names[0]} and in {units[1][name]} in {names[1]}")
        settings = [plan.get("settings", {}).get("groups", {}) for plan in self.plans]
        same = [name for name in first.groups if name in second.groups and settings[0].get(name) == settings[1].get(name)]
        self.groups = same
        if lost := dict.fromkeys(name for sums in self.sums for name in sums.groups if name not in same):
            self.notes.append(f"only one of them has the group {', '.join(lost)}")
        self.baselines = self._same_baselines()

    def _same_baselines(self) -> list[str]:
        """Those that both have, configured alike where their scores say how."""
        settings = [plan.get("settings", {}).get("baselines") for plan in self.plans]
        names = [name for name in self.sums[0].references if name in self.sums[1].references]
        if settings[0] is not None and settings[1] is not None:
            unlike = [name for name in names if settings[0].get(name) != settings[1].get(name)]
            if unlike:
                self.notes.append(f"the baseline {', '.join(unlike)} of one is not that of the other, nor is skill over it compared")
            names = [name for name in names if name not in unlike]
        if lost := dict.fromkeys(
            name for one, other in (self.sums, self.sums[::-1]) for name in one.references if name not in other.references
        ):
            self.notes.append(f"only one of them has the baseline {', '.join(lost)}")
        return names

    def _both(self, what: str, one: Sequence[T], other: Sequence[T]) -> list[T]:
        others = set(other)
        found = [value for value in one if value in others]
        if not found:
            ends = [[_label(values[0]), _label(values[-1])][: len(values)] for values in (one, other)]
            each = [" to ".join(dict.fromkeys(end)) for end in ends]
            raise ValueError(f"{self.names[0]} and {self.names[1]} have no {what} in common: {each[0]}, and {each[1]}")
        if len(found) < max(len(one), len(other)):
            some = f"{len(found)} {what}s are" if len(found) > 1 else f"1 {what} is"
            both = set(found)
            lost = [_label(value) for value in dict.fromkeys([*one, *other]) if value not in both]
            left = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
            counts = f"of {len(one)} in {self.names[0]} and {len(other)} in {self.names[1]}"
            self.notes.append(f"{some} common, {counts}: without {left}")
        return found

    def restricted(self) -> tuple[tuple[CaseSums, CaseSums], list[str]]:
        """The sums of both, of what is common, by one plan."""
        plan, times = self.plans[0], [case["time"] for case in self.plans[0]["cases"]]
        common = set(self.times)
        kept = [place for place, time in enumerate(times) if time in common]
        new = {place: number for number, place in enumerate(kept)}
        selections = {
            name: [new[case] for case in cases if case in new] for name, cases in plan.get("selections", {}).items() if name in self.groups
        }
        if empty := [name for name, cases in selections.items() if not cases]:
            self.notes.append(f"none of the common cases is in the group {', '.join(empty)}")
        inside = [name for name in self.groups if all(name in plan["groups"] for plan in self.plans) and name not in empty]
        mine: Plan = {
            **plan,
            "leads": self.leads,
            "variables": self.variables,
            "units": [plan["units"][plan["variables"].index(name)] for name in self.variables],
            "groups": inside,
            "selections": {name: cases for name, cases in selections.items() if cases},
            "cases": [plan["cases"][place] for place in kept],
        }
        pair = self._cut(self.sums[0], mine), self._cut(self.sums[1], mine)
        weights = [name for name in pair[0].arrays if name.endswith("/weight") and name in pair[1].arrays]
        one, other = (sums.arrays[weights[0]] if weights else np.zeros(0) for sums in pair)
        if one.shape != other.shape or not np.allclose(one, other, rtol=1e-6, equal_nan=True):
            self.notes.append("they are scored on different cells, or some of the truth of one is missing")
        return pair, self.notes

    def _cut(self, sums: CaseSums, mine: Plan) -> CaseSums:
        plan = sums.plan
        places = {case["time"]: place for place, case in enumerate(plan["cases"])}
        at = np.ix_(
            [places[case["time"]] for case in mine["cases"]],
            [plan["leads"].index(lead) for lead in mine["leads"]],
            [plan["variables"].index(name) for name in mine["variables"]],
            [plan["groups"].index(name) for name in mine["groups"]],
        )
        arrays = {name: x[at] for name, x in sums.arrays.items()}
        references: dict[str, Sums] = {
            name: self._cut(each, mine) for name, each in sums.references.items() if isinstance(each, CaseSums) and name in self.baselines
        }
        own = self.sums[0]
        return CaseSums(sums.source, sums.members, arrays, plan=mine, draws=own.draws, seed=own.seed, references=references)
