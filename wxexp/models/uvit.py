"""A U-ViT: convolutions where cells are many, a transformer where they are few (Hoogeboom et al. 2023, "simple diffusion", section 3).

The levels but the coarsest are those of UNeXt, with skip connections. The coarsest is a stack of transformer blocks over all of its cells;
where a cell is enters by rotary position encoding (Su et al. 2021) in two dimensions (Heo et al. 2024), half of each head for the rows and
half for the columns. It depends on differences of position only, so any size of field can follow any other; along a periodic x every
frequency is a whole number of turns around the ring, so that there is no seam.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wxexp.experiment import Experiment
from wxexp.interfaces import Learner, Network, Ports
from wxexp.models.unext import ConvNeXtUNet, Film, UNeXt

HEAD = 32  # channels of a head
SLOWEST = 100.0  # the lowest frequency is about one radian in as many cells


class UViT(UNeXt):
    """As UNeXt, with transformer blocks at the coarsest level, which need `channels` times its multiplier to be a multiple of 32.

    Cost and memory grow with the square of the number of coarsest cells of a field.
    """

    multipliers: tuple[int, ...] = (1, 2, 4)
    blocks: int = 2
    """Blocks of a level, on the way down and on the way up."""
    layer_scale: float = 1e-2
    transformers: int = 4
    """Transformer blocks at the coarsest level."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.transformers < 1:
            raise ValueError(f"UViT.transformers must be at least 1, got {self.transformers}")
        if self.channels * self.multipliers[-1] % HEAD:
            raise ValueError(f"UViT.channels times the last multiplier must be a multiple of {HEAD}, got {self.channels}")

    def build(self, ports: Ports, parent: Callable[[Experiment], Learner]) -> Network:
        return ConvNeXtUNet(
            self, ports, coarsest=lambda width: TransformerBlock(width, self.expansion, self.layer_scale), count=self.transformers
        )


def rotation(cells: int, *, periodic: bool, device: torch.device) -> Tensor:
    """Angles [cells, HEAD / 4] of the pairs of channels of one direction: position times frequency."""
    pairs = HEAD // 4
    frequency = SLOWEST ** (-torch.arange(pairs, device=device) / (pairs - 1))
    if periodic:
        frequency = (frequency * cells / (2 * math.pi)).round().clamp(min=1) * (2 * math.pi / cells)
    angle: Tensor = torch.arange(cells, device=device)[:, None] * frequency
    return angle


def rotate(x: Tensor, angle: Tensor) -> Tensor:
    """Pairs of channels of x [..., cells, 2 P] turned by angle [cells, P]."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class TransformerBlock(nn.Module):
    """Attention over all cells, then a perceptron of each; both see normalised cells, and what they add is scaled by channel."""

    def __init__(self, channels: int, expansion: int, layer_scale: float) -> None:
        super().__init__()
        self.heads = channels // HEAD
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv, self.mixed = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.mlp = nn.Sequential(nn.Linear(channels, expansion * channels), nn.GELU(), nn.Linear(expansion * channels, channels))
        self.scale1, self.scale2 = (nn.Parameter(torch.full((channels,), layer_scale)) for _ in range(2))

    def forward(self, x: Tensor, film: Film, periodic: bool) -> Tensor:
        n, channels, height, width = x.shape
        cells = x.permute(0, 2, 3, 1).reshape(n, height * width, channels)
        h = self.norm1(cells)
        if film is not None:
            h = h * film[0].flatten(2).transpose(1, 2) + film[1].flatten(2).transpose(1, 2)
        q, k, v = self.qkv(h).reshape(n, height * width, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        rows = rotation(height, periodic=False, device=x.device).repeat_interleave(width, 0)
        columns = rotation(width, periodic=periodic, device=x.device).repeat(height, 1)
        angle = torch.cat([rows, columns], dim=1)
        h = F.scaled_dot_product_attention(rotate(q, angle), rotate(k, angle), v).transpose(1, 2).reshape(n, height * width, channels)
        cells = cells + self.scale1 * self.mixed(h)
        cells = cells + self.scale2 * self.mlp(self.norm2(cells))
        out: Tensor = cells.reshape(n, height, width, channels).permute(0, 3, 1, 2)
        return out
