"""What networks on fields share: convolutions that know rings, whole cells, and the embedding of what is not a field."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wxexp.interfaces import Inputs, Ports
from wxexp.models.embeddings import LevelEmbedding, Sinusoidal


class Convolution(nn.Module):
    """A convolution of odd width that keeps the size; circular along x where asked, zeros elsewhere."""

    def __init__(self, channels_in: int, channels_out: int, kernel: tuple[int, int], *, zero: bool = False, groups: int = 1) -> None:
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in // groups, *kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.margin = (kernel[0] // 2, kernel[1] // 2)
        if zero:
            nn.init.zeros_(self.weight)
        else:
            nn.init.kaiming_uniform_(self.weight, nonlinearity="linear")

    def forward(self, x: Tensor, periodic: bool) -> Tensor:
        rows, columns = self.margin
        if periodic and columns:
            size = x.shape[-1]
            if size < columns:  # more than once around
                x = x[..., torch.arange(-columns, size + columns, device=x.device) % size]
            else:
                x = torch.cat([x[..., -columns:], x, x[..., :columns]], dim=-1)
            columns = 0
        return F.conv2d(x, self.weight, self.bias, padding=(rows, columns), groups=self.groups)


class Embedding(nn.Module):
    """Noise level, latent vector and lead time -> one vector, always in float32."""

    def __init__(self, ports: Ports, size: int, of_level: LevelEmbedding) -> None:
        super().__init__()
        self.latent, self.leads = ports.latent, ports.leads if len(ports.leads) > 1 else ()
        self.of_level = of_level.build() if ports.level else None
        self.of_lead = Sinusoidal().build() if self.leads else None
        features = (ports.level * self.of_level.size if self.of_level else 0) + (self.of_lead.size if self.of_lead else 0) + self.latent
        self.mlp = nn.Sequential(nn.Linear(features, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU())

    def forward(self, inputs: Inputs) -> Tensor:
        found = []
        if self.of_level is not None:
            assert inputs.level is not None
            found.append(self.of_level(inputs.level.float()))
        if self.of_lead is not None:
            found.append(self.of_lead(inputs.lead_hours.float()[:, None] / max(self.leads)))
        if self.latent:
            assert inputs.latent is not None
            found.append(inputs.latent.float())
        embedded: Tensor = self.mlp(torch.cat(found, dim=1))
        return embedded


class Cells:
    """How a field becomes a plane of whole cells, and back: padding, space to depth, and a line as a plane of one row.

    Edges are padded with the nearest cell; along x circularly where the grid is a ring or `periodic_x` and the input spans it (a patch of
    it is not periodic).

    Attributes:
        kernel: height and width of a convolution of the given width.
        pool: by how much one level is coarser than the one before.
        patch: side of the rectangle that is one cell of the finest level.
        number: cells of the field in one cell of the finest level.
    """

    def __init__(self, ports: Ports, *, patch: int, levels: int, width: int = 3) -> None:
        assert ports.grid is not None
        self.dims = len(ports.grid.shape)
        line = self.dims == 1
        self.kernel, self.pool = ((1, width), (1, 2)) if line else ((width, width), (2, 2))
        self.patch = (1, patch) if line else (patch, patch)
        self.number = self.patch[0] * self.patch[1]
        self._ring = ports.grid.shape[-1] if ports.grid.periodic_x or ports.grid.kind == "ring" else None
        self._whole = tuple(p * q ** (levels - 1) for p, q in zip(self.patch, self.pool, strict=True))

    def enter(self, x: Tensor | None, inputs: Inputs) -> tuple[Tensor, bool]:
        """State, condition and static fields [N, C, *S] -> [N, C * patch cells, rows, columns], and whether x is periodic."""
        n = len(inputs.condition)
        h = torch.cat([f.expand(n, *f.shape[1:]).float() for f in (x, inputs.condition, inputs.static) if f is not None], dim=1)
        periodic = self._ring is not None and h.shape[-1] == self._ring
        if self.dims == 1:
            h = h[:, :, None]
        for dim, whole in zip((-2, -1), self._whole, strict=True):
            size = h.shape[dim]
            if size % whole:
                cells = torch.arange(-(-size // whole) * whole, device=h.device)
                h = h.index_select(dim, cells % size if periodic and dim == -1 else cells.clamp(max=size - 1))
        rows, columns = self.patch
        if rows * columns > 1:
            c, height, width = h.shape[1:]
            h = h.view(n, c, height // rows, rows, width // columns, columns).permute(0, 1, 3, 5, 2, 4)
            h = h.reshape(n, -1, height // rows, width // columns)
        return h, periodic

    def leave(self, h: Tensor, size: Sequence[int]) -> Tensor:
        """[N, C * patch cells, rows, columns] -> [N, C, *size], padding cropped."""
        rows, columns = self.patch
        n, _, height, width = h.shape
        h = h.reshape(n, -1, rows, columns, height, width).permute(0, 1, 4, 2, 5, 3).reshape(n, -1, height * rows, width * columns)
        h = h[..., : size[-1]]
        return h[:, :, 0] if self.dims == 1 else h[:, :, : size[0]]


def embedding(ports: Ports, size: int, of_level: LevelEmbedding) -> Embedding | None:
    """None where a network sees nothing but fields."""
    return Embedding(ports, size, of_level) if ports.level or ports.latent or len(ports.leads) > 1 else None
