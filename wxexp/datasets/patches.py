"""Where the patches of a training step start.

Every start that keeps the patch inside the field is reachable and equally likely: (H - h + 1)(W - w + 1) of them, the last row and column
included. A draw belongs to the sample's place in the training stream, so that it is the same on any number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wxexp.fields.seeds import Draws


def origins(draws: Draws, shape: Sequence[int], patch: Sequence[int]) -> Tensor:
    """First cells of patches of size `patch` in fields of size `shape`: int64 [B, dims], one row of `draws` each."""
    # float64 uniforms are multiples of 2^-53: the starts are uniform to one part in 2^53 / starts
    starts = [(draws.of("axis", axis).uniform() * (n - p + 1)).long() for axis, (n, p) in enumerate(zip(shape, patch, strict=True))]
    return torch.stack(starts, dim=1)


def crop(field: Tensor, origin: Tensor, patch: Sequence[int], *, rows: Tensor | None = None) -> Tensor:
    """Patches of fields [T or 1, ..., *S], one for each row of `origin` [B, dims]: [B, ..., *patch], fresh memory.

    `rows` [B] names the field of each patch; None: one field for all, or the first for the first.
    """
    batch, lead = len(origin), field.ndim - 1 - len(patch)
    which = [0] * batch if len(field) == 1 else range(batch) if rows is None else rows.tolist()
    out = field.new_empty((batch, *field.shape[1 : 1 + lead], *patch))
    for place, (row, start) in enumerate(zip(which, origin.tolist(), strict=True)):
        cut = tuple(slice(a, a + p) for a, p in zip(start, patch, strict=True))
        out[place] = field[row][(slice(None),) * lead + cut]
    return out
