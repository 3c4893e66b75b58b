"""A network applied tile by tile, for fields larger than it was trained on or than memory allows.

The outputs of overlapping tiles are fused with smooth windows that sum to one at every cell. Where a denoiser is c_skip(gamma) y +
c_out(gamma) f(y) with pointwise coefficients, fusing the network's outputs equals fusing the denoisers', as in MultiDiffusion
(Bar-Tal et al. 2023, equation 5, with weights) and in the patch-based generation of Mardani et al. (2025).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from itertools import product
from types import EllipsisType

import torch
from torch import Tensor

from wxexp.interfaces import Inputs, Network, Wrapper

Where = tuple[EllipsisType | Tensor, ...]


class Tiles(Wrapper):
    """`network` over tiles of `size` cells that overlap by `overlap`, one number for each dimension of space (1 or 2).

    A tensor is a field, and is cropped, iff it has the dimensions of space and two more; everything else belongs to a row and is passed
    on; `origin` moves with the tile. A field smaller than a tile is one tile. `periodic_x`: the fields span the whole circle, and tiles go
    on past the last column with the first.
    """

    def __init__(self, network: Network, *, size: Sequence[int], overlap: Sequence[int], periodic_x: bool = False) -> None:
        super().__init__(network)
        self.size, self.overlap, self.periodic_x = tuple(size), tuple(overlap), periodic_x
        if len(self.size) not in (1, 2) or len(self.overlap) != len(self.size):
            raise ValueError(f"Tiles.size and overlap must have one number for each of 1 or 2 dimensions, got {size} and {overlap}")
        if any(not 0 <= o < s for o, s in zip(self.overlap, self.size, strict=True)):
            raise ValueError(f"Tiles.overlap must be at least 0 and less than size {self.size}, got {self.overlap}")

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        """[N, target, *S] -> [N, out, *S]."""
        dims, field = len(self.size), inputs.condition.shape[2:]
        if len(field) != dims:
            raise ValueError(f"Tiles.size must have one number for each of {len(field)} dimensions of space, got {self.size}")
        device = inputs.condition.device
        places = [self._along(axis, cells) for axis, cells in enumerate(field)]
        total: Tensor | None = None
        for tile in product(*places):
            cells = [(start + torch.arange(len(window))) % n for (start, window), n in zip(tile, field, strict=True)]
            where: Where = (..., *torch.meshgrid(*cells, indexing="ij"))
            y = self.network(None if x is None else x[where].contiguous(), self._crop(inputs, where, [start for start, _ in tile]))
            weight = _outer([window for _, window in tile]).to(device=device, dtype=y.dtype)
            if total is None:
                total = y.new_zeros(*y.shape[:2], *field)
            total[where] += y * weight
        assert total is not None
        return total

    def _along(self, axis: int, cells: int) -> list[tuple[int, Tensor]]:
        """First cell and window of every tile along one axis; at each cell the windows sum to one."""
        size, overlap = self.size[axis], self.overlap[axis]
        if cells <= size:
            return [(0, torch.ones(cells, dtype=torch.float64))]
        step, wraps = size - overlap, self.periodic_x and axis == len(self.size) - 1
        starts = list(range(0, cells, step)) if wraps else sorted({min(a, cells - size) for a in range(0, cells - overlap, step)})
        # sin^2 ramps of half-open cells: neighbours at the regular step add to one; never zero, so tiles may stand anywhere
        ramp = torch.sin(math.pi / 2 * (torch.arange(overlap, dtype=torch.float64) + 0.5) / max(overlap, 1)) ** 2
        window = torch.ones(size, dtype=torch.float64)
        window[:overlap] *= ramp
        window[size - overlap :] *= ramp.flip(0)
        at = [(a + torch.arange(size)) % cells for a in starts]
        total = torch.zeros(cells, dtype=torch.float64)
        for index in at:
            total[index] += window
        return [(a, window / total[index]) for a, index in zip(starts, at, strict=True)]

    def _crop(self, inputs: Inputs, where: Where, start: list[int]) -> Inputs:
        dims = len(self.size)
        cropped = inputs.map(lambda t: t[where].contiguous() if t.ndim == dims + 2 else t)
        return dataclasses.replace(cropped, origin=inputs.origin + torch.tensor(start, device=inputs.origin.device))


def _outer(windows: list[Tensor]) -> Tensor:
    """The outer product of the windows of each axis."""
    out = windows[0]
    for window in windows[1:]:
        out = out[..., None] * window
    return out
