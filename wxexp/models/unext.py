"""A U-Net of ConvNeXt blocks (Liu et al. 2022, "A ConvNet for the 2020s"), as surrogates of sea ice use it (Finn et al. 2024).

A block mixes space by a wide convolution of each channel alone, normalises over all channels and cells (GroupNorm with one group),
modulates scale and shift by the noise level, latent vector and lead time (FiLM, Perez et al. 2018), and mixes channels by a perceptron of
each cell; a factor for each channel, near zero at the start, scales what it adds (Touvron et al. 2021, LayerScale).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wxexp.experiment import Experiment
from wxexp.interfaces import Inputs, Learner, Model, Network, Ports
from wxexp.models.embeddings import LevelEmbedding, Sinusoidal
from wxexp.models.layers import Cells, Convolution, embedding

Film = tuple[Tensor, Tensor] | None


class UNeXt(Model):
    """A U-Net of ConvNeXt blocks for any size of field, 1-D or 2-D; fields are padded to whole coarse cells and cropped back.

    Edges are padded with zeros inside the network, and with the nearest cell to reach a whole number of coarse cells; along x circularly
    in both where the grid is a ring or `periodic_x` and the input spans it (a patch of it is not periodic).
    """

    channels: int = 64
    """Channels at the finest level."""
    multipliers: tuple[int, ...] = (1, 2)
    """Channels of each level, finest first, over `channels`; each level halves the resolution of the one before."""
    blocks: int = 1
    """Blocks of a level, on the way down and on the way up; the coarsest level has them once."""
    kernel: int = 5
    """Width of the convolution of a block; odd."""
    expansion: int = 4
    """Channels inside the perceptron of a block over those of the block."""
    layer_scale: float = 1e-6
    """What a block adds is scaled by this at the start."""
    patch: int = 1
    """Side of the square of cells that is one cell of the finest level (space to depth)."""
    embedding: int = 512
    """Size of the embedding of noise level, latent vector and lead time."""
    level_embedding: LevelEmbedding = Sinusoidal()
    """What becomes of the number that tells the noise level, before the embedding."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of convolutions and activations; parameters, embedding and output are float32."""

    def __post_init__(self) -> None:
        kind = type(self).__name__
        for name in ("channels", "blocks", "expansion", "patch", "embedding"):
            if getattr(self, name) < 1:
                raise ValueError(f"{kind}.{name} must be at least 1, got {getattr(self, name)}")
        if not self.multipliers or min(self.multipliers) < 1:
            raise ValueError(f"{kind}.multipliers must be positive, at least one, got {self.multipliers}")
        if self.kernel < 1 or not self.kernel % 2:
            raise ValueError(f"{kind}.kernel must be odd and positive, got {self.kernel}")
        if self.layer_scale <= 0:
            raise ValueError(f"{kind}.layer_scale must be positive, got {self.layer_scale}")

    def build(self, ports: Ports, parent: Callable[[Experiment], Learner]) -> Network:
        return ConvNeXtUNet(self, ports)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels: int, kernel: tuple[int, int], expansion: int, layer_scale: float) -> None:
        super().__init__()
        self.spatial = Convolution(channels, channels, kernel, groups=channels)
        self.norm = nn.GroupNorm(1, channels)
        self.wide = Convolution(channels, expansion * channels, (1, 1))
        self.narrow = Convolution(expansion * channels, channels, (1, 1))
        self.scale = nn.Parameter(torch.full((channels, 1, 1), layer_scale))

    def forward(self, x: Tensor, film: Film, periodic: bool) -> Tensor:
        h = self.norm(self.spatial(x, periodic))
        if film is not None:
            h = h * film[0] + film[1]
        out: Tensor = x + self.scale * self.narrow(F.gelu(self.wide(h, False)), False)
        return out


class ConvNeXtUNet(Network):
    """Also the frame of networks whose coarsest level is `count` other blocks, which `coarsest` makes from its width."""

    def __init__(self, spec: UNeXt, ports: Ports, coarsest: Callable[[int], nn.Module] | None = None, count: int = 0) -> None:
        super().__init__()
        self.precision = spec.precision
        self.cells = Cells(ports, patch=spec.patch, levels=len(spec.multipliers), width=spec.kernel)
        channels = [spec.channels * m for m in spec.multipliers]
        pool, number = self.cells.pool, self.cells.number

        def level(width: int) -> nn.ModuleList:
            kernel = self.cells.kernel
            return nn.ModuleList(ConvNeXtBlock(width, kernel, spec.expansion, spec.layer_scale) for _ in range(spec.blocks))

        self.embedding = embedding(ports, spec.embedding, spec.level_embedding)
        self.stem = Convolution((ports.target + ports.condition + ports.static) * number, channels[0], self.cells.kernel)
        self.down = nn.ModuleList(level(width) for width in channels[:-1])
        bottom = channels[-1]
        self.bottom = level(bottom) if coarsest is None else nn.ModuleList(coarsest(bottom) for _ in range(count))
        self.up = nn.ModuleList(level(width) for width in reversed(channels[:-1]))
        self.norms = nn.ModuleList(nn.GroupNorm(1, fine) for fine in channels[:-1])
        self.coarser = nn.ModuleList(nn.Conv2d(fine, coarse, pool, pool) for fine, coarse in pairwise(channels))
        self.finer = nn.ModuleList(Convolution(coarse, fine, (1, 1)) for fine, coarse in reversed([*pairwise(channels)]))
        self.joined = nn.ModuleList(Convolution(2 * width, width, (1, 1)) for width in reversed(channels[:-1]))
        self.norm = nn.GroupNorm(1, channels[0])
        self.out = Convolution(channels[0], ports.out * number, (1, 1), zero=True)
        sides = [width for width in channels[:-1] for _ in range(spec.blocks)]
        self.widths = [*sides, *[bottom] * len(self.bottom), *reversed(sides)]
        self.film = nn.Linear(spec.embedding, 2 * sum(self.widths)) if self.embedding is not None else None

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        h, periodic = self.cells.enter(x, inputs)
        h = h.contiguous(memory_format=torch.channels_last)
        films = self._films(inputs)
        with torch.autocast(h.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            h = self._body(h, films, periodic)
        return self.cells.leave(h.float(), inputs.condition.shape[2:])

    def _films(self, inputs: Inputs) -> list[Film]:
        """Factor and shift [N, C, 1, 1] of every block, in the order they run."""
        if self.embedding is None or self.film is None:
            return [None] * len(self.widths)
        film = self.film(self.embedding(inputs)).to(torch.bfloat16 if self.precision == "bfloat16" else torch.float32)
        parts = film[..., None, None].split([2 * c for c in self.widths], dim=1)
        return [(1 + scale, shift) for scale, shift in (part.chunk(2, dim=1) for part in parts)]

    def _body(self, h: Tensor, films: list[Film], periodic: bool) -> Tensor:
        queue = iter(films)

        def through(blocks: nn.Module, h: Tensor) -> Tensor:
            assert isinstance(blocks, nn.ModuleList)
            for block in blocks:
                h = block(h, next(queue), periodic)
            return h

        h = self.stem(h, periodic)
        skips = []
        for blocks, norm, coarser in zip(self.down, self.norms, self.coarser, strict=True):
            skips.append(through(blocks, h))
            h = coarser(norm(skips[-1]))
        h = through(self.bottom, h)
        for blocks, finer, joined in zip(self.up, self.finer, self.joined, strict=True):
            h = F.interpolate(finer(h, False), scale_factor=self.cells.pool, mode="nearest")
            h = through(blocks, joined(torch.cat([h, skips.pop()], dim=1), False))
        out: Tensor = self.out(F.gelu(self.norm(h)), False)
        return out
