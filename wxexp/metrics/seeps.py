"""Whether it is dry, and light or heavy when it is not, for the climate of the place."""

from __future__ import annotations

from typing import Literal

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.ratio import ratio
from wxexp.statistics import SeepsErrors


class SEEPS(Metric):
    """Stable equitable error in probability space, of precipitation in categories dry, light and heavy (Rodwell et al. 2010).

    The row `seeps` is 0 for a perfect forecast and 1 on average for one that knows only the climate, of dry and wet places alike. Light is
    up to the boundary above which a third of the wet cases are, heavy above. Fractions and boundary are those of each cell and calendar
    month at training times (`by` "all": of all months together), or given. A cell is dry with x ≤ `dry`, in the units of the variable;
    cells that are dry less often than the first of `fractions`, or more often than the second, are not scored. Each member is a
    deterministic forecast, whose scores are averaged: the score does not reward spread.
    """

    dry: float = 0.25
    by: Literal["month", "all"] = "month"
    dry_fraction: float | None = None
    heavy: float | None = None
    fractions: tuple[float, float] = (0.1, 0.85)

    def __post_init__(self) -> None:
        self._statistic()

    def _statistic(self) -> SeepsErrors:
        return SeepsErrors(dry=self.dry, by=self.by, dry_fraction=self.dry_fraction, heavy=self.heavy, fractions=self.fractions)

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]
        return sums.rows("seeps", lambda total: ratio(total(found["error"]), total(found["weight"])), units="1")
