"""Whether rain comes in the right shapes, amounts and places."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import RainObjects


class SAL(Metric):
    """Structure, amplitude and location of rain against the truth's, each 0 where perfect (Wernli et al. 2008).

        S = (V_x − V_y) / ((V_x + V_y) / 2)      in (−2, 2): above 0 objects are too large or too flat
        A = (D_x − D_y) / ((D_x + D_y) / 2)      in (−2, 2): above 0 there is too much rain in the domain
        L = (|c_x − c_y| + 2 |r_x − r_y|) / d    in [0, 2]:  centres of mass c and scatter r of the objects about them, d the diagonal

    of the objects of each field (V, D, c, r: see `wxexp.statistics.rain_objects`). The rows `sal_structure`, `sal_amplitude` and
    `sal_location` are means over pairs of a member and the truth that both have objects, `sal_structure_absolute` and
    `sal_amplitude_absolute` those of |S| and |A|, in which errors of either sign do not cancel.

    `esal_structure`, `esal_amplitude` and `esal_location` are those of the ensemble (after Radanovics et al. 2018), means over cases: V
    and D are means over members (V = 0 without objects), c the mean of the members' with objects, and |r_x − r_y| is the CRPS of their
    scatter. Of one member they are S, A and L. NaN where no case has objects in both.

    Distances are in cells, so the domain should be small enough (500 km; a group) for cells to be alike; for rain, in its units.
    """

    fraction: float = 1 / 15
    """Of the 95th percentile of wet cells: from where on cells belong to an object."""
    wet: float = 0.1
    """Cells with more are wet, in the units of the variable."""

    def __post_init__(self) -> None:
        self._statistic()

    def _statistic(self) -> RainObjects:
        return RainObjects(fraction=self.fraction, wet=self.wet)

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]

        def rows(metric: str, name: str, count: str) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                return ratio(total(found[name]), total(found[count]))

            return sums.rows(metric, value, units="1")

        out = []
        for name in ("structure", "amplitude", "location"):
            out += rows(f"sal_{name}", name, "pairs")
            if name != "location":
                out += rows(f"sal_{name}_absolute", f"{name}_size", "pairs")
            out += rows(f"esal_{name}", f"ensemble_{name}", "count")
        return out
