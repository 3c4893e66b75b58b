"""A U-Net for fields on a plane or a ring: the DDPM++ network of Song et al. (2021) as simplified by Karras et al. (2022, appendix C).

Residual blocks (GroupNorm, SiLU, 3x3 convolution, twice) over levels of halved resolution, each block of the way up joined with the
output of its mirror block of the way down. The noise level, a latent vector and the lead time modulate scale and shift of the second
normalisation (FiLM, Perez et al. 2018). The last convolution of every block and of the network starts at zero.

What differs, for speed on a CPU: one block up per block down, strided 2x2 convolutions between levels, sixteen channels in every group
of GroupNorm, activations channels-last, and all modulations from one matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wxexp.experiment import Experiment
from wxexp.interfaces import Inputs, Learner, Model, Network, Ports

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


class _Convolution(nn.Module):
    """A convolution of odd width that keeps the size; circular along x where asked, zeros elsewhere."""

    def __init__(self, channels_in: int, channels_out: int, kernel: tuple[int, int], *, zero: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, *kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.margin = (kernel[0] // 2, kernel[1] // 2)
        if zero:
            nn.init.zeros_(self.weight)
        else:
            nn.init.kaiming_uniform_(self.weight, nonlinearity="linear")

    def forward(self, x: Tensor, periodic: bool) -> Tensor:
        rows, columns = self.margin
        if periodic and columns:
            x = torch.cat([x[..., -columns:], x, x[..., :columns]], dim=-1)
            columns = 0
        return F.conv2d(x, self.weight, self.bias, padding=(rows, columns))


class _Attention(nn.Module):
    """Self-attention over all cells, heads of 64 channels or fewer, added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // 64)
        self.norm = nn.GroupNorm(channels // GROUP, channels)
        self.qkv = _Convolution(channels, 3 * channels, (1, 1))
        self.out = _Convolution(channels, channels, (1, 1), zero=True)

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
        self.convolution1 = _Convolution(channels_in, channels_out, kernel)
        self.norm2 = nn.GroupNorm(channels_out // GROUP, channels_out)
        self.dropout = nn.Dropout(dropout)
        self.convolution2 = _Convolution(channels_out, channels_out, kernel, zero=True)
        self.shortcut = _Convolution(channels_in, channels_out, (1, 1)) if channels_in != channels_out else None
        self.attention = _Attention(channels_out) if attention else None

    def forward(self, x: Tensor, film: tuple[Tensor, Tensor] | None, periodic: bool) -> Tensor:
        h = self.norm2(self.convolution1(F.silu(self.norm1(x)), periodic))
        if film is not None:
            h = torch.addcmul(film[1], h, film[0])
        h = self.convolution2(self.dropout(F.silu(h)), periodic)
        x = h + (x if self.shortcut is None else self.shortcut(x, False))
        return x if self.attention is None else self.attention(x)


class _Embedding(nn.Module):
    """Noise level, latent vector and lead time -> one vector, always in float32."""

    OCTAVES = 6

    def __init__(self, ports: Ports, size: int) -> None:
        super().__init__()
        self.level, self.latent, self.leads = ports.level, ports.latent, ports.leads if len(ports.leads) > 1 else ()
        features = (self.level + bool(self.leads)) * (4 * self.OCTAVES + 1) + self.latent
        self.mlp = nn.Sequential(nn.Linear(features, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU())

    def waves(self, u: Tensor) -> Tensor:
        """[N, k] -> [N, k * (4 * OCTAVES + 1)]: u itself, and sine and cosine of 2 pi f u with two f an octave from 1/8 to 6."""
        f = 2.0 ** (torch.arange(2 * self.OCTAVES, device=u.device) / 2 - 3)
        angle = 2 * math.pi * u[..., None] * f
        return torch.cat([u[..., None], angle.sin(), angle.cos()], dim=-1).flatten(1)

    def forward(self, inputs: Inputs) -> Tensor:
        found = []
        if self.level:
            assert inputs.level is not None
            found.append(self.waves(inputs.level.float()))
        if self.leads:
            found.append(self.waves(inputs.lead_hours.float()[:, None] / max(self.leads)))
        if self.latent:
            assert inputs.latent is not None
            found.append(inputs.latent.float())
        embedded: Tensor = self.mlp(torch.cat(found, dim=1))
        return embedded


class _UNet(Network):
    def __init__(self, spec: SongUNet, ports: Ports) -> None:
        super().__init__()
        assert ports.grid is not None
        self.precision = spec.precision
        self.ring = ports.grid.shape[-1] if ports.grid.periodic_x or ports.grid.kind == "ring" else None
        line = len(ports.grid.shape) == 1  # a line is a plane of one row
        self.dims = len(ports.grid.shape)
        kernel, pool = ((1, 3), (1, 2)) if line else ((3, 3), (2, 2))
        self.patch = (1, spec.patch) if line else (spec.patch, spec.patch)
        self.coarsest = tuple(p * q ** (len(spec.multipliers) - 1) for p, q in zip(self.patch, pool, strict=True))
        self.pool = pool
        cells = self.patch[0] * self.patch[1]
        channels = [spec.channels * m for m in spec.multipliers]
        self.stem = _Convolution((ports.target + ports.condition + ports.static) * cells, channels[0], kernel)
        self.embedding = _Embedding(ports, spec.embedding) if ports.level or ports.latent or len(ports.leads) > 1 else None

        def block(channels_in: int, level: int) -> _Block:
            return _Block(channels_in, channels[level], kernel, spec.dropout, level in spec.attention)

        self.blocks = spec.blocks
        levels = [level for level in range(len(channels)) for _ in range(spec.blocks)]
        self.down = nn.ModuleList(block(channels[level], level) for level in levels)
        self.up = nn.ModuleList(block(2 * channels[level], level) for level in reversed(levels))
        self.coarser = nn.ModuleList(nn.Conv2d(fine, coarse, pool, pool) for fine, coarse in pairwise(channels))
        self.finer = nn.ModuleList(_Convolution(coarse, fine, (1, 1)) for fine, coarse in reversed([*pairwise(channels)]))
        self.norm = nn.GroupNorm(channels[0] // GROUP, channels[0])
        self.out = _Convolution(channels[0], ports.out * cells, kernel, zero=True)
        self.widths = [channels[level] for level in (*levels, *reversed(levels))]
        self.film = nn.Linear(spec.embedding, 2 * sum(self.widths)) if self.embedding is not None else None

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        n = len(inputs.condition)
        fields = [f.expand(n, *f.shape[1:]).float() for f in (x, inputs.condition, inputs.static) if f is not None]
        h = torch.cat(fields, dim=1)
        size = h.shape[2:]
        periodic = self.ring is not None and size[-1] == self.ring
        h = self._enter(h, periodic).contiguous(memory_format=torch.channels_last)
        films = self._films(inputs)
        with torch.autocast(h.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            h = self._body(h, films, periodic)
        return self._leave(h.float(), size)

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
                h = F.interpolate(self.finer[i // self.blocks - 1](h, False), scale_factor=self.pool, mode="nearest")
            h = block(torch.cat([h, skips.pop()], dim=1), next(queue), periodic)
        out: Tensor = self.out(F.silu(self.norm(h)), periodic)
        return out

    def _enter(self, h: Tensor, periodic: bool) -> Tensor:
        """[N, C, *S] -> [N, C * patch cells, rows, columns], padded to whole cells of the coarsest level."""
        if self.dims == 1:
            h = h[:, :, None]
        for dim, whole in zip((-2, -1), self.coarsest, strict=True):
            size = h.shape[dim]
            if size % whole:
                cells = torch.arange(-(-size // whole) * whole, device=h.device)
                h = h.index_select(dim, cells % size if periodic and dim == -1 else cells.clamp(max=size - 1))
        rows, columns = self.patch
        if rows * columns == 1:
            return h
        n, c, height, width = h.shape
        h = h.view(n, c, height // rows, rows, width // columns, columns).permute(0, 1, 3, 5, 2, 4)
        return h.reshape(n, -1, height // rows, width // columns)

    def _leave(self, h: Tensor, size: Sequence[int]) -> Tensor:
        rows, columns = self.patch
        n, _, height, width = h.shape
        h = h.reshape(n, -1, rows, columns, height, width).permute(0, 1, 4, 2, 5, 3).reshape(n, -1, height * rows, width * columns)
        h = h[..., : size[-1]]
        return h[:, :, 0] if self.dims == 1 else h[:, :, : size[0]]
