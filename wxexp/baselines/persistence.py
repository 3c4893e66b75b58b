"""Tomorrow is as today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from wxexp.fields.seeds import Draws
from wxexp.interfaces import Baseline, Evolving, Item, Opened


class Persistence(Baseline):
    """The state at the initial time, at every lead: M = 1. NaN where masked."""

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        if not isinstance(opened, Evolving):
            raise ValueError(
                f"baseline Persistence needs an initial state, which {type(opened).__name__.removeprefix('Opened')} does not have"
            )
        return cast(Evolving, opened).state([item]).numpy()[None].repeat(leads, axis=1)
