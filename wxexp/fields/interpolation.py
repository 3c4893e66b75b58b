"""Coarsening by area-weighted block means, and interpolation back.

Blocks are counted from the first cell; those at the far edges hold what is left when the factor does not divide the size. A coarse cell is
the mean of the valid fine cells of its block weighted by their areas; one without valid cells takes the value of the nearest that has some
(in coarse cells, Euclidean). Interpolation treats a coarse value as that of the centre of its whole block, so that fine and coarse cells
share their edges (`align_corners=False`), and repeats the outermost values beyond the edge, or wraps around on a periodic grid.

The cubic kernel is Keys' (1981, IEEE Trans. ASSP 29, 1153) with a = -0.75, as in torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

Method = Literal["bilinear", "bicubic"]


def coarse_shape(shape: Sequence[int], factor: int) -> tuple[int, ...]:
    """Coarse cells along each axis: those at the far edges may be partial."""
    return tuple(math.ceil(n / factor) for n in shape)


def block_sum(x: np.ndarray, factor: int, *, dims: int) -> np.ndarray:
    """Sums over blocks of the last `dims` axes [..., *S] -> [..., *s], edge blocks partial; dtype of x."""
    for axis in range(x.ndim - dims, x.ndim):
        x = np.add.reduceat(x, np.arange(0, x.shape[axis], factor), axis=axis)
    return x


def expand(x: np.ndarray, factor: int, shape: Sequence[int]) -> np.ndarray:
    """Every coarse value on all cells of its block: [..., *s] -> [..., *S] of size `shape`."""
    for axis, n in zip(range(x.ndim - len(shape), x.ndim), shape, strict=True):
        x = np.repeat(x, factor, axis=axis).take(np.arange(n), axis=axis)
    return x


def block_mean(x: np.ndarray, factor: int, *, weights: np.ndarray) -> np.ndarray:
    """Weighted means over blocks of factor cells along each axis of S.

    Args:
        x: [..., *S]; cells of weight 0 are not read and may be NaN.
        factor: cells along the side of a block.
        weights: [*S], not negative: cell area where valid, else 0.

    Returns:
        float64 [..., *s], s = ceil(S / factor); blocks of weight 0 have the value of the nearest block that has one.

    Raises:
        ValueError: every weight is 0.
    """
    dims = weights.ndim
    total = block_sum(weights.astype(np.float64), factor, dims=dims)
    if not total.any():
        raise ValueError("block_mean needs a valid cell, got weights of 0 only")
    weighted = np.where(weights > 0, x, 0.0) * weights.astype(np.float64)
    mean = block_sum(weighted, factor, dims=dims) / np.where(total > 0, total, 1.0)
    if (total > 0).all():
        return mean
    nearest = ndimage.distance_transform_edt(total == 0, return_distances=False, return_indices=True)
    filled: np.ndarray = mean[(..., *nearest)]
    return filled


def interpolate(coarse: Tensor, factor: int, shape: Sequence[int], *, method: Method, periodic_x: bool = False) -> Tensor:
    """Coarse fields [B, C, *s] on the fine grid, [B, C, *S] with S = `shape`, in one or two dimensions.

    The coarse grid covers s * factor >= S cells; what lies past the last fine cell is cut. In one dimension "bilinear" is linear and
    "bicubic" cubic. NaN spreads to the cells whose stencil (2 or 4 wide) holds it.
    """
    shape = tuple(shape)
    if tuple(coarse.shape[2:]) != coarse_shape(shape, factor):
        raise ValueError(
            f"a field of {shape} has {coarse_shape(shape, factor)} blocks of {factor}, got a coarse field {tuple(coarse.shape)}"
        )
    lone = coarse.ndim == 3
    x = coarse[:, :, None] if lone else coarse
    halo = 2 if periodic_x else 0  # the cubic stencil reaches two cells to each side
    if periodic_x:
        if shape[-1] % factor:
            raise ValueError(f"a periodic axis of {shape[-1]} cells cannot have a partial block of {factor}")
        around = torch.arange(-halo, x.shape[-1] + halo, device=x.device) % x.shape[-1]
        x = x[..., around]
    size = (x.shape[-2] * (1 if lone else factor), x.shape[-1] * factor)
    fine = F.interpolate(x, size=size, mode=method, align_corners=False)
    fine = fine[..., halo * factor : halo * factor + shape[-1]]
    return fine[:, :, 0] if lone else fine[:, :, : shape[0]]
