"""An opened dataset that also gives the field of a frozen regression, computed once for each item."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from wxexp.interfaces import Batch, Frame, Item, Opened

MEAN = "mean"
"""Name of the field among `Batch.extra`."""


def weights_name(module: nn.Module) -> str:
    """A name that changes with any weight or buffer of the module, and with the kind of device, whose bits differ."""
    digest, kind = hashlib.blake2b(digest_size=8), "cpu"
    for name, value in sorted(module.state_dict().items()):
        kind = value.device.type
        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.detach().contiguous().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return f"{digest.hexdigest()}-{kind}"


class CachedMean:
    """Full fields get `extra["mean"]` [B, C, *S], read from a file if an earlier read has made it; patches do not, as theirs are many.

    Files are written under a temporary name and renamed: several processes may share the folder. They take the space of the targets, in
    float32, of all items that are read.

    Args:
        opened: the dataset.
        folder: of the files, one an item, of this dataset and these weights only; made if need be.
        mean: the field of a batch of one row, [1, C, *S], without gradients.
    """

    def __init__(self, opened: Opened, folder: Path, mean: Callable[[Batch], Tensor]) -> None:
        self._opened, self._folder, self._mean = opened, folder, mean
        self.ports, self.codec, self.grid, self.patch = opened.ports, opened.codec, opened.grid, opened.patch
        self.items, self.truth = opened.items, opened.truth
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        batch = self._opened.read(items, origins)
        if origins is not None:
            return batch
        mean = torch.cat([self._of(item, batch, row) for row, item in enumerate(items)])
        return dataclasses.replace(batch, extra={**batch.extra, MEAN: mean})

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        return self._opened.frames(items, leads)

    def _of(self, item: Item, batch: Batch, row: int) -> Tensor:
        path = self._folder / f"{item.index}-{item.lead_hours:g}.npy"
        if path.exists():
            return torch.from_numpy(np.load(path, allow_pickle=False))
        mean = self._mean(batch[row : row + 1]).cpu().contiguous()
        part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        with part.open("wb") as file:
            np.save(file, mean.numpy(), allow_pickle=False)
        part.replace(path)
        return mean
