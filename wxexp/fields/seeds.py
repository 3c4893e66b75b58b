"""Random numbers that are a function of names, never of ranks, chunks or retries.

Every row of a batch has a key: (seed, step, place in the stream) in training, (ensemble seed, initial time, member) in drawing. A draw is a
counter-based stream (Philox, Salmon et al. 2011) whose 128-bit key is a hash of the row's key and of the purpose, so that any two draws
with different names are independent and the same name gives the same numbers on every worker.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

Key = tuple[int | str, ...]


def stream(*key: int | str) -> np.random.Generator:
    """The generator that belongs to a key; 128 bits, where `torch.manual_seed` on the CPU keeps 32."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


@dataclasses.dataclass(frozen=True)
class Draws:
    """Keyed random numbers for N rows; b-major where the rows are members of samples.

    Attributes:
        rows: one key per row.
        purpose: what the numbers are for; phase, noise level and lead are part of it.
        batch_size: samples of a training step over all workers, for `stratified`; None in drawing.
    """

    rows: tuple[Key, ...]
    purpose: Key = ()
    batch_size: int | None = None

    @classmethod
    def training(cls, seed: int, step: int, keys: Iterable[int], batch_size: int) -> Draws:
        """Rows (seed, step, place in the training stream)."""
        return cls(tuple((seed, step, int(key)) for key in keys), (), batch_size)

    @classmethod
    def drawing(cls, seed: int, times: Sequence[str]) -> Draws:
        """Rows (ensemble seed, initial time), to be extended by `members`."""
        return cls(tuple((seed, str(time)) for time in times))

    def of(self, *purpose: int | str) -> Draws:
        """The draws for one purpose: `draws.of("noise")`. Several draws of a level are several purposes."""
        return dataclasses.replace(self, purpose=self.purpose + purpose)

    def members(self, members: range) -> Draws:
        """B rows -> B * M rows, b-major: the rows of members `members` of every sample."""
        return dataclasses.replace(self, rows=tuple((*row, "member", m) for row in self.rows for m in members))

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Standard normal float32 [N, *shape], on the CPU; `shape` has at least one axis."""
        out = np.empty((len(self.rows), *shape), dtype=np.float32)
        for row, key in zip(out, self.rows, strict=True):
            stream("normal", *self.purpose, *key).standard_normal(dtype=np.float32, out=row)
        return torch.from_numpy(out)

    def uniform(self) -> Tensor:
        """Uniform float64 on [0, 1) [N]."""
        return torch.tensor([stream("uniform", *self.purpose, *key).random() for key in self.rows], dtype=torch.float64)

    def stratified(self) -> Tensor:
        """Uniform on [0, 1) with one shared shift a step and the batch spread evenly (Kingma et al. 2021, appendix I.1), float64 [N].

        (u(seed, step) + (place mod batch_size) / batch_size) mod 1: the same for any split of the batch over workers and micro-batches.
        """
        assert self.batch_size, "stratified draws belong to training"
        shift = {key[:2]: stream("stratified", *self.purpose, *key[:2]).random() for key in self.rows}
        place = [(shift[key[:2]] + int(key[2]) % self.batch_size / self.batch_size) % 1.0 for key in self.rows]
        return torch.tensor(place, dtype=torch.float64)
