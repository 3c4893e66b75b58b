"""A network that always sees the same number of rows.

The bits of a float32 convolution or matrix product depend on how many rows it is given, on the layout of its memory and on the number of
threads: libraries choose another kernel for another size. A member must not depend on which other members were drawn with it, so every
network used for drawing is given exactly `rows` rows, freshly copied to contiguous memory.
"""

from __future__ import annotations

import torch
from torch import Tensor

from wxexp.interfaces import Inputs, Network, Wrapper


class Rows(Wrapper):
    """`network` in passes of exactly `rows` rows; what is missing in the last pass repeats the last row.

    Tensors with one row for all samples (static fields) are expanded, so that memory looks the same for one sample as for many.
    Differentiable. A row's result does not depend on the other rows, as long as the network couples none.

    Attributes:
        passes: how many passes the network has made.
    """

    def __init__(self, network: Network, rows: int) -> None:
        super().__init__(network)
        if rows < 1:
            raise ValueError(f"Rows.rows must be at least 1, got {rows}")
        self.rows = rows
        self.passes = 0

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        """[N, target, *S] -> [N, out, *S]."""
        n = len(inputs.condition)
        out = []
        for first in range(0, n, self.rows):
            index = torch.arange(first, first + self.rows).clamp(max=n - 1)

            def take(t: Tensor, index: Tensor = index) -> Tensor:
                own = index if len(t) == n else torch.zeros_like(index)
                return t.index_select(0, own.to(t.device)).contiguous()

            y = self.network(None if x is None else take(x), inputs.map(take))
            out.append(y[: n - first])
            self.passes += 1
        return torch.cat(out)
