"""Blocks of cells as channels of one coarser cell, and back: a change of resolution that loses nothing."""

from __future__ import annotations

import dataclasses
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wxexp.fields.grid import Grid


def pad(x: Tensor, factor: int) -> Tensor:
    """[N, C, *S] -> [N, C, *S'], S' the next multiples of factor: with the nearest cell, False where x is a mask."""
    for axis, size in enumerate(x.shape[2:], start=2):
        if extra := -size % factor:
            if x.dtype == torch.bool:
                x = F.pad(x, (0, 0) * (x.ndim - 1 - axis) + (0, extra), value=False)
            else:
                x = torch.cat([x, x.narrow(axis, size - 1, 1).expand(*x.shape[:axis], extra, *x.shape[axis + 1 :])], axis)
    return x


def fold(x: Tensor, factor: int) -> Tensor:
    """[N, C, *S] -> [N, C * factor^dims, *(S / factor)], sizes rounded up; a channel's cells of a block are neighbouring channels."""
    x = pad(x, factor)
    n, channels, *size = x.shape
    dims = len(size)
    x = x.reshape(n, channels, *chain(*((s // factor, factor) for s in size)))
    x = x.permute(0, 1, *range(3, 3 + 2 * dims, 2), *range(2, 2 + 2 * dims, 2))
    return x.reshape(n, channels * factor**dims, *(s // factor for s in size))


def unfold(x: Tensor, factor: int, size: tuple[int, ...]) -> Tensor:
    """The inverse of `fold`, for fields of `size`: [N, C * factor^dims, *(S / factor)] -> [N, C, *size]."""
    n, channels, *coarse = x.shape
    dims = len(coarse)
    x = x.reshape(n, channels // factor**dims, *(factor,) * dims, *coarse)
    x = x.permute(0, 1, *chain(*((2 + dims + k, 2 + k) for k in range(dims))))
    x = x.reshape(n, channels // factor**dims, *(s * factor for s in coarse))
    for axis, cells in enumerate(size, start=2):
        x = x.narrow(axis, 0, cells)
    return x


def coarse_grid(grid: Grid, factor: int) -> Grid:
    """The grid of folded fields: means of the coordinates of each block.

    Raises:
        ValueError: a circle is not a whole number of blocks.
    """
    if grid.periodic_x and grid.shape[-1] % factor:
        raise ValueError(f"factor must divide the {grid.shape[-1]} cells of a periodic grid along x, got {factor}")

    def means(values: np.ndarray) -> np.ndarray:
        for axis, size in enumerate(values.shape):
            starts = np.arange(0, size, factor)
            counts = np.diff(starts, append=size).reshape(-1, *(1,) * (values.ndim - 1 - axis))
            values = np.add.reduceat(values, starts, axis=axis) / counts
        return values

    return dataclasses.replace(
        grid,
        lat=None if grid.lat is None else means(np.asarray(grid.lat, dtype=np.float64)),
        lon=means(np.asarray(grid.lon, dtype=np.float64)),
        dx_km=None if grid.dx_km is None else grid.dx_km * factor,
        dy_km=None if grid.dy_km is None else grid.dy_km * factor,
    )
