"""Channels that do not change in time: static fields, and where a cell is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from wxexp.fields.grid import Grid

Place = Literal["mask", "coordinates"]
Geometry = Literal["mask", "coordinates", "subgrid"]


def channels(fields: np.ndarray, mask: np.ndarray, grid: Grid, *, geometry: Sequence[Geometry], factor: int = 1) -> np.ndarray:
    """float32 [E, *S]: `fields` standardised over the valid cells (0 elsewhere), then the geometry in the order asked for.

    mask: 1 where valid, one channel for each mask; none where every cell is valid.
    coordinates: place along each axis, from -1 to 1; sine and cosine of it along a periodic one.
    subgrid: place along each axis within a coarse cell of `factor` fine ones, in (-1, 1).

    Args:
        fields: [F, *S] physical, NaN where there is none.
        mask: bool [1 or C, *S].
        grid: of *S.
        geometry: what to add.
        factor: fine cells along the side of a coarse one.
    """
    shape, somewhere = grid.shape, mask.any(0)
    out = [_standardised(field, np.asarray(somewhere)) for field in fields]
    for kind in geometry:
        if kind == "mask" and not mask.all():
            out += list(mask)
        for axis, n in enumerate(shape):
            i = np.arange(n).reshape([-1 if a == axis else 1 for a in range(len(shape))])
            if kind == "coordinates" and grid.periodic_x and axis == len(shape) - 1:
                out += [np.broadcast_to(wave(2 * np.pi * i / n), shape) for wave in (np.sin, np.cos)]
            elif kind == "coordinates":
                out.append(np.broadcast_to((2 * i + 1) / n - 1, shape))
            elif kind == "subgrid":
                out.append(np.broadcast_to((2 * (i % factor) + 1) / factor - 1, shape))
    return np.stack(out).astype(np.float32) if out else np.zeros((0, *shape), np.float32)


def _standardised(field: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(x - mean) / std over valid cells, 0 where there is no value; 0 everywhere for a constant field."""
    here = mask & ~np.isnan(field)
    x = field[here].astype(np.float64)
    spread = float(x.std()) if x.size else 0.0
    out = (field - x.mean()) / spread if spread > 0 else np.zeros(field.shape)
    return np.where(np.isnan(field), 0.0, out)
