"""A U-Net for fields on a plane or a ring: the DDPM++ network of Song et al. (2021) as simplified by Karras et al. (2022, appendix C).

Residual blocks (GroupNorm, SiLU, 3x3 convolution, twice) over levels of halved resolution, each block of the way up joined with the
output of its mirror block of the way down. The noise level, a latent vector and the lead time modulate scale and shift of the second
normalisation (FiLM, Perez et al. 2018). The last convolution of every block and of the network starts at zero.

What differs, for speed on a CPU: one block up per block down, strided 2x2 convolutions between levels, sixteen channels in every group
of GroupNorm, activations channels-last, and all modulations from one matrix product.
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

GROUP = 16  # channels of a group; the bfloat16 backward of GroupNorm is three times slower with 8, as 16 fill a vector register


class SongUNet(Model):
    """A DDPM++-like U-Net for any size of field, 1-D or 2-D; fields are padded to whole cells of the coarsest level and cropped back.

    Edges are padded with zeros inside the network, and with the nearest cell to reach a whole number of coarse cells; along x circularly
    in both where the grid is a ring or `periodic_x` and the input spans it (a patch of it is not periodic).
    """

    channels: int = 32
    """Channels at the finest level; a multiple of 16."""
    multipliers: tuple[int, ...] = (1, 2, 2)
    """Channels of each level, finest first, over `channels`; each level halves the resolution of the one before."""
    blocks: int = 2
    """Residual blocks of a level, on the way down and on the way up."""
    patch: int = 1
    """Side of the square of cells that is one cell of the finest level (space to depth); 2 trains 3.5 times as fast as 1."""
    attention: tuple[int, ...] = ()
    """Levels, 0 the finest, whose blocks end in self-attention over all cells."""
    embedding: int = 128
    """Size of the embedding of noise level, latent vector and lead time."""
    level_embedding: LevelEmbedding = Sinusoidal()
    """What becomes of the number that tells the noise level, before the embedding."""
    dropout: float = 0.0
    """Part of the features dropped before the second convolution of a block."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of convolutions and activations; parameters, embedding and output are float32.

    Forward and backward on cores with AVX-512 bfloat16, 32 patches of 64 x 64, against float32 as torch comes (NCHW): with activations
    channels-last, as they always are, 1.2 times as fast; in bfloat16 2.5 times with 32 channels (two cores) and 2.8 with 64 (one core)
    (`tests/benchmarks/networks.py`). A processor without such instructions is faster in float32.
    """

    def __post_init__(self) -> None:
        for name in ("blocks", "patch", "embedding"):
            if getattr(self, name) < 1:
                raise ValueError(f"SongUNet.{name} must be at least 1, got {getattr(self, name)}")
        if self.channels < GROUP or self.channels % GROUP:
            raise ValueError(f"SongUNet.channels must be a multiple of {GROUP}, got {self.channels}")
        if not self.multipliers or min(self.multipliers) < 1:
            raise ValueError(f"SongUNet.multipliers must be positive, at least one, got {self.multipliers}")
        if any(level not in range(len(self.multipliers)) for level in self.attention):
            raise ValueError(f"SongUNet.attention must be levels from 0 to {len(self.multipliers) - 1}, got {self.attention}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"SongUNet.dropout must be at least 0 and less than 1, got {self.dropout}")

    def build(self, ports: Ports, parent: Callable[[Experiment], Learner]) -> Network:
        return _UNet(self, ports)


class _Attention(nn.Module):
    """Self-attention over all cells, heads of 64 channels or fewer, added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // 64)
        self.norm = nn.GroupNorm(channels // GROUP, channels)
        self.qkv = Convolution(channels, 3 * channels, (1, 1))
        self.out = Convolution(channels, channels, (1, 1), zero=True)

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        qkv = self.qkv(self.norm(x), False).permute(0, 2, 3, 1).reshape(n, height * width, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, height, width, channels)
        out: Tensor = self.out(h.permute(0, 3, 1, 2), False)
        return x + out


class _Block(nn.Module):
    def __init__(self, channels_in: int, channels_out: int, kernel: tuple[int, int], dropout: float, attention: bool) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(channels_in // GROUP, channels_in)
        self.convolution1 = Convolution(channels_in, channels_out, kernel)
        self.norm2 = nn.GroupNorm(channels_out // GROUP, channels_out)
        self.dropout = nn.Dropout(dropout)
        self.convolution2 = Convolution(channels_out, channels_out, kernel, zero=True)
        self.shortcut = Convolution(channels_in, channels_out, (1, 1)) if channels_in != channels_out else None
        self.attention = _Attention(channels_out) if attention else None

    def forward(self, x: Tensor, film: tuple[Tensor, Tensor] | None, periodic: bool) -> Tensor:
        h = self.norm2(self.convolution1(F.silu(self.norm1(x)), periodic))
        if film is not None:
            h = torch.addcmul(film[1], h, film[0])
        h = self.convolution2(self.dropout(F.silu(h)), periodic)
        x = h + (x if self.shortcut is None else self.shortcut(x, False))
        return x if self.attention is None else self.attention(x)


class _UNet(Network):
    def __init__(self, spec: SongUNet, ports: Ports) -> None:
        super().__init__()
        self.precision = spec.precision
        self.cells = Cells(ports, patch=spec.patch, levels=len(spec.multipliers))
        kernel, pool, cells = self.cells.kernel, self.cells.pool, self.cells.number
        channels = [spec.channels * m for m in spec.multipliers]
        self.stem = Convolution((ports.target + ports.condition + ports.static) * cells, channels[0], kernel)
        self.embedding = embedding(ports, spec.embedding, spec.level_embedding)

        def block(channels_in: int, level: int) -> _Block:
            return _Block(channels_in, channels[level], kernel, spec.dropout, level in spec.attention)

        self.blocks = spec.blocks
        levels = [level for level in range(len(channels)) for _ in range(spec.blocks)]
        self.down = nn.ModuleList(block(channels[level], level) for level in levels)
        self.up = nn.ModuleList(block(2 * channels[level], level) for level in reversed(levels))
        self.coarser = nn.ModuleList(nn.Conv2d(fine, coarse, pool, pool) for fine, coarse in pairwise(channels))
        self.finer = nn.ModuleList(Convolution(coarse, fine, (1, 1)) for fine, coarse in reversed([*pairwise(channels)]))
        self.norm = nn.GroupNorm(channels[0] // GROUP, channels[0])
        self.out = Convolution(channels[0], ports.out * cells, kernel, zero=True)
        self.widths = [channels[level] for level in (*levels, *reversed(levels))]
        self.film = nn.Linear(spec.embedding, 2 * sum(self.widths)) if self.embedding is not None else None

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        h, periodic = self.cells.enter(x, inputs)
        h = h.contiguous(memory_format=torch.channels_last)
        films = self._films(inputs)
        with torch.autocast(h.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            h = self._body(h, films, periodic)
        return self.cells.leave(h.float(), inputs.condition.shape[2:])

    def _films(self, inputs: Inputs) -> list[tuple[Tensor, Tensor] | None]:
        """Factor and shift [N, C, 1, 1] of every block, in the order they run."""
        if self.embedding is None or self.film is None:
            return [None] * len(self.widths)
        film = self.film(self.embedding(inputs)).to(torch.bfloat16 if self.precision == "bfloat16" else torch.float32)
        parts = film[..., None, None].split([2 * c for c in self.widths], dim=1)
        return [(1 + scale, shift) for scale, shift in (part.chunk(2, dim=1) for part in parts)]

    def _body(self, h: Tensor, films: list[tuple[Tensor, Tensor] | None], periodic: bool) -> Tensor:
        queue = iter(films)
        h = self.stem(h, periodic)
        skips = []
        for i, block in enumerate(self.down):
            if i and i % self.blocks == 0:
                h = self.coarser[i // self.blocks - 1](h)
            h = block(h, next(queue), periodic)
            skips.append(h)
        for i, block in enumerate(self.up):
            if i and i % self.blocks == 0:
                h = F.interpolate(self.finer[i // self.blocks - 1](h, False), scale_factor=self.cells.pool, mode="nearest")
            h = block(torch.cat([h, skips.pop()], dim=1), next(queue), periodic)
        out: Tensor = self.out(F.silu(self.norm(h)), periodic)
        return out
