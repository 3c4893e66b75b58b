"""What is known without looking: states of other times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wxexp.fields.seeds import Draws
from wxexp.interfaces import Baseline, Item, Opened


class Climatology(Baseline):
    """An ensemble of true fields of training times, drawn with replacement, anew for every lead. NaN where masked.

    No regard is had to the season: for data with a strong annual cycle it is a weak reference.
    """

    size: int = 16
    """Members."""

    def __post_init__(self) -> None:
        if self.size < 2:
            raise ValueError(f"Climatology.size must be at least 2, got {self.size}")

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        rows, items = draws.members(range(self.size)), opened.items("train")
        out = []
        for lead in range(leads):
            chosen = (rows.of("climatology", lead).uniform() * len(items)).long().tolist()
            out.append(np.stack([_state(opened, items[i]) for i in chosen]))
        return np.stack(out, axis=1)


def _state(opened: Opened, item: Item) -> np.ndarray:
    """[C, *S] physical, of an item's (first) target."""
    truth = opened.truth(item)
    assert truth is not None, "training items have truth"
    first = truth.isel(lead_time=0) if "lead_time" in truth.dims else truth
    return np.stack([first[name].values for name in opened.codec.targets])
