"""The coarse field interpolated back: what downscaling must beat, and the same with the training days' mean error taken out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from wxexp.fields.interpolation import Method
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Baseline, Coarsened, Item, Opened


class Interpolation(Baseline):
    """The interpolated coarse field: M = 1. NaN nowhere: masked cells hold interpolated values too.

    Bicubic interpolation overshoots: rain may be slightly below 0, and is left so.
    """

    method: Method = "bicubic"

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        return interpolated(type(self).__name__, opened, item, self.method)


class MeanResidual(Baseline):
    """The interpolated coarse field plus, in each cell, the mean of truth - interpolation over training times; 0 in masked cells."""

    method: Method = "bicubic"

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """Its name is "residual", float64 [C, *S]."""
        names, total, items = opened.codec.targets, 0.0, opened.items("train")
        for item in items:
            truth = opened.truth(item)
            assert truth is not None, "training items have truth"
            fine = np.stack([truth[name].values for name in names]).astype(np.float64)
            total = total + fine - interpolated(type(self).__name__, opened, item, self.method)[0, 0]
        return {"residual": np.nan_to_num(np.asarray(total) / len(items), nan=0.0)}

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        return interpolated(type(self).__name__, opened, item, self.method) + fitted["residual"].astype(np.float32)


def interpolated(name: str, opened: Opened, item: Item, method: Method) -> np.ndarray:
    """float32 [1, 1, C, *S]."""
    if not isinstance(opened, Coarsened):
        raise ValueError(f"baseline {name} interpolates a coarse field, which {type(opened).__name__.removeprefix('Opened')} does not have")
    coarsened = cast(Coarsened, opened)
    return coarsened.interpolate(coarsened.coarse([item]), method).numpy()[None]
