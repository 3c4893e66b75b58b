"""Random fields of a sampler as a function of names: of a row's key, a purpose and a noise level, never of chunks or ranks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from wxexp.fields import masks
from wxexp.fields.seeds import Draws, stream

DEPTH = 20  # bisections of an octave of the Brownian path: levels are resolved to one part in a million


@dataclasses.dataclass(frozen=True)
class DrawnNoise:
    """Standard normal fields [N, C, *S] from keyed draws, 0 in masked cells.

    The prior is drawn on the CPU, so that members start from equal bits everywhere. Noise inside the loop is drawn where the state is: on
    a GPU by its own generators, seeded by the same keys (equal bits per kind of device), so that nothing waits.

    Attributes:
        draws: N rows.
        shape: (C, *S).
        mask: bool [1|N, 1|C, *S], True where valid; None: all.
        device: of the state.
        dtype: of the state.
    """

    draws: Draws
    shape: Sequence[int]
    mask: Tensor | None = None
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float64
    _ends: dict[tuple[int, int], Tensor] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.mask is not None:
            masks.check("DrawnNoise.mask", self.mask, (len(self.draws.rows), *self.shape))

    def prior(self) -> Tensor:
        """The field a sample starts from, before it is scaled by the first noise level."""
        return self._field(self.draws.of("prior").normal(self.shape))

    def at(self, *key: int) -> Tensor:
        """The field that belongs to a key, such as the number of a step."""
        return self._normal("at", *key)

    def brownian(self, s0: float, s1: float) -> Tensor:
        """(W(s1) - W(s0)) / sqrt(|s1 - s0|) of one Brownian path W in s > 0, the same for every choice of levels.

        Each octave [2^j, 2^(j+1)] has its own increment, refined by Levy's midpoint construction at DEPTH dyadic levels; s is rounded to
        them, and the increment is divided by the root of the rounded distance, so that it is exactly standard normal. Increments
        over disjoint intervals are independent. The path at s1 is kept, since the next increment mostly starts there: one of two
        descents of DEPTH draws is saved.

        Raises:
            ValueError: for levels that are not positive, or too close to be told apart.
        """
        if s0 <= 0 or s1 <= 0:
            raise ValueError(f"noise levels of a Brownian path must be positive, got {s0} and {s1}")
        start, end = _locate(s0), _locate(s1)
        (low, k0), (high, k1) = sorted((start, end))
        distance = _length(high, k1) - _length(low, k0)
        if distance == 0:
            raise ValueError(f"noise levels {s0} and {s1} are too close: the Brownian path resolves {2.0**-DEPTH:.0e} of a level")
        found = {place: self._ends[place] if place in self._ends else self._inside(*place) for place in (start, end)}
        self._ends.clear()
        self._ends[end] = found[end]
        increment = found[high, k1] - found[low, k0]
        for octave in range(low, high):
            increment = increment + self._inside(octave, 2**DEPTH)
        return increment * (math.copysign(1, s1 - s0) / math.sqrt(distance))

    def _inside(self, octave: int, k: int) -> Tensor:
        """W at k / 2^DEPTH of an octave, minus W at its start."""
        if k == 0:
            return torch.zeros((), dtype=self.dtype, device=self.device)
        left, right, span = 0, 2**DEPTH, math.ldexp(1.0, octave)
        value, increment = torch.zeros((), dtype=self.dtype, device=self.device), math.sqrt(span) * self._normal("octave", octave)
        while left < k < right:
            middle = (left + right) // 2
            half = increment / 2 + math.sqrt(span) / 2 * self._normal("bridge", octave, middle)
            if k < middle:
                right, increment = middle, half
            else:
                left, value, increment = middle, value + half, increment - half
            span /= 2
        return value + increment if k == right else value

    def _normal(self, *name: int | str) -> Tensor:
        draws = self.draws.of(*name)
        if self.device.type == "cpu":
            return self._field(draws.normal(self.shape))
        out = torch.empty((len(draws.rows), *self.shape), device=self.device)
        for row, key in zip(out, draws.rows, strict=True):
            generator = torch.Generator(self.device).manual_seed(int(stream("device", *draws.purpose, *key).integers(2**63)))
            torch.randn(tuple(self.shape), generator=generator, device=self.device, out=row)
        return self._field(out)

    def _field(self, x: Tensor) -> Tensor:
        x = x.to(self.device, self.dtype)
        return x if self.mask is None else torch.where(self.mask, x, 0.0)


def _locate(s: float) -> tuple[int, int]:
    """The octave j of s and k with s = 2^j (1 + k / 2^DEPTH), rounded."""
    mantissa, exponent = math.frexp(s)  # s = mantissa 2^exponent, mantissa in [1/2, 1)
    k = round((2 * mantissa - 1) * 2**DEPTH)
    return (exponent, 0) if k == 2**DEPTH else (exponent - 1, k)


def _length(octave: int, k: int) -> float:
    return math.ldexp(1 + k / 2**DEPTH, octave)
