"""How a network tells noise levels apart: what the number it is told becomes before its first layer.

To add one: a subclass of `LevelEmbedding` here whose `build` gives `Waves` of some frequencies, or a subclass of `Waves` with a `size` and
a `forward` of its own, and its name in `__all__`; the conformance tests run over it. Every network has one as `level_embedding`; the
number itself is that of the objective's `conditioning`.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from wxexp.config import Spec

__all__ = ["Fourier", "Positional", "Sinusoidal"]


class Waves(nn.Module):
    """Sine and cosine of 2 pi f u of a number u, for every frequency f.

    Args:
        frequencies: float32 [F], cycles a unit.
        drawn: whether they cannot be found again, so that checkpoints keep them.
    """

    frequencies: Tensor

    def __init__(self, frequencies: Tensor, *, drawn: bool = False) -> None:
        super().__init__()
        self.register_buffer("frequencies", frequencies, persistent=drawn)

    @property
    def size(self) -> int:
        """Features of a number."""
        return 2 * len(self.frequencies)

    def forward(self, u: Tensor) -> Tensor:
        """float32 [N, k] -> [N, k * size]."""
        angle = 2 * math.pi * u[..., None] * self.frequencies
        return torch.cat([angle.sin(), angle.cos()], dim=-1).flatten(1)


class NumberAndWaves(Waves):
    """The number itself, then its waves."""

    @property
    def size(self) -> int:
        return 1 + super().size

    def forward(self, u: Tensor) -> Tensor:
        angle = 2 * math.pi * u[..., None] * self.frequencies
        return torch.cat([u[..., None], angle.sin(), angle.cos()], dim=-1).flatten(1)


class LevelEmbedding(Spec):
    """What a network makes of each number that tells a noise level."""

    registry: ClassVar[str] = __name__

    def build(self) -> Waves:
        raise NotImplementedError


class Sinusoidal(LevelEmbedding):
    """The number itself, and sines and cosines of two frequencies an octave from 1/8 cycle a unit."""

    octaves: int = 6
    """The highest frequency is 2^(octaves - 3.5) cycles a unit: 5.7 for 6, where levels 0.1 apart differ clearly."""

    def __post_init__(self) -> None:
        if self.octaves < 1:
            raise ValueError(f"Sinusoidal.octaves must be at least 1, got {self.octaves}")

    def build(self) -> Waves:
        return NumberAndWaves(2.0 ** (torch.arange(2 * self.octaves) / 2 - 3))


class Positional(LevelEmbedding):
    """The position encoding of transformers, as DDPM embeds its step (Vaswani et al. 2017; Ho et al. 2020): sin(w u) and cos(w u).

    w_k = scale longest^(-k / (size / 2 - 1)), k = 0 ... size / 2 - 1: radians a unit that fall geometrically from scale to scale / longest.
    """

    size: int = 128
    """Features, an even number."""
    scale: float = 1000.0
    """What the number is multiplied by. 1000 makes a time in [0, 1] the step of DDPM; 1 is for ln(s) / 4 (Karras et al. 2022)."""
    longest: float = 10_000.0
    """The ratio of the longest wave to the shortest."""

    def __post_init__(self) -> None:
        _check_size("Positional", self.size, 4)
        if self.scale <= 0:
            raise ValueError(f"Positional.scale must be positive, got {self.scale}")
        if self.longest <= 1:
            raise ValueError(f"Positional.longest must be above 1, got {self.longest}")

    def build(self) -> Waves:
        k = torch.arange(self.size // 2, dtype=torch.float64)
        radians = self.scale * self.longest ** (-k / (self.size // 2 - 1))
        return Waves((radians / (2 * math.pi)).float())


class Fourier(LevelEmbedding):
    """Random Fourier features: sin(2 pi f u) and cos(2 pi f u) with f ~ N(0, scale^2), drawn once (Tancik et al. 2020; Song et al. 2021).

    Frequencies are drawn as weights are, from the experiment's seed; they are not trained, and checkpoints keep them.
    """

    size: int = 128
    """Features, an even number."""
    scale: float = 16.0
    """Standard deviation of the frequencies in cycles a unit: how finely levels are told apart."""

    def __post_init__(self) -> None:
        _check_size("Fourier", self.size, 2)
        if self.scale <= 0:
            raise ValueError(f"Fourier.scale must be positive, got {self.scale}")

    def build(self) -> Waves:
        return Waves(self.scale * torch.randn(self.size // 2), drawn=True)


def _check_size(name: str, size: int, least: int) -> None:
    if size < least or size % 2:
        raise ValueError(f"{name}.size must be an even number of at least {least}, got {size}")
