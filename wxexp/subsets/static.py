"""Classes of a static field: land and sea, heights."""

from __future__ import annotations

from typing import cast

import numpy as np

from wxexp.interfaces import Charted, Opened, Subset


class Static(Subset):
    """Cells in which the static field `name` of the source is at least `at_least` and less than `below`, in its units.

    Land is Static(name="land_sea_mask", at_least=0.5), where the source calls it so. Cells where the field is NaN do not belong to it.
    """

    name: str
    at_least: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        if self.at_least is None and self.below is None:
            raise ValueError("Static needs at_least or below")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            raise ValueError(f"Static.at_least must be less than below, got {self.at_least} and {self.below}")

    def cells(self, opened: Opened) -> np.ndarray:
        if not isinstance(opened, Charted):
            raise ValueError(f"a Static needs static fields by name, which {type(opened).__name__.removeprefix('Opened')} does not have")
        field = cast(Charted, opened).static(self.name)
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.below is None else self.below
        return np.asarray((field >= low) & (field < high))
