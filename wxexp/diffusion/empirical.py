"""The exact denoiser of a finite set of samples: what a network with unlimited capacity would learn from a training set."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wxexp.diffusion import noise_level
from wxexp.fields import masks


class Empirical(nn.Module):
    """For x drawn from K samples x_j, each with the same probability: D = sum_j softmax_j(-|y - x_j|^2 / (2 s^2)) x_j.

    The limit for much noise is the mean of the samples, for little noise the nearest one. Its members are training samples, so what a
    network adds to it is what it generalises (Karras et al. 2022, appendix B.3). Samples are taken `chunk` at a time with a running
    maximum of the exponents (streaming log-sum-exp), so that memory is that of N x chunk distances; the result is that of one softmax,
    to rounding.

    Args:
        samples: [K, C, *S]; moves with `.to(device)`; NaN is allowed in masked cells only.
        mask: bool [1, 1|C, *S], True where valid: only valid cells count in distances, and the estimate is 0 in the others; None: all.
        chunk: samples at a time.

    Raises:
        ValueError: no samples, a mask of the wrong shape, values that are not finite in valid cells, a chunk that is not positive.
    """

    samples: Tensor
    mask: Tensor | None

    def __init__(self, samples: Tensor, *, mask: Tensor | None = None, chunk: int = 1024) -> None:
        super().__init__()
        if not len(samples):
            raise ValueError("Empirical.samples must be at least one, got none")
        if chunk < 1:
            raise ValueError(f"Empirical.chunk must be at least 1, got {chunk}")
        if mask is not None:
            masks.check("Empirical.mask", mask, (1, *samples.shape[1:]))
            samples = torch.where(mask, samples, 0.0)
        if not bool(samples.isfinite().all()):
            raise ValueError("Empirical.samples must be finite in valid cells, got NaN or infinity")
        self.chunk = chunk
        self.register_buffer("samples", samples, persistent=False)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, y: Tensor, gamma: Tensor, *, log_weights: Tensor | None = None) -> Tensor:
        """As y [N, C, *S], in its dtype. NaN in masked cells of y is harmless. Differentiable, at the memory of N x K.

        Args:
            y: the state.
            gamma: [] or [N].
            log_weights: [N, K], logarithms of the samples' probabilities up to a constant of each row; None: they are equal.
        """
        if y.shape[1:] != self.samples.shape[1:]:
            raise ValueError(f"Empirical.samples are fields {tuple(self.samples.shape[1:])}, and the state is {tuple(y.shape[1:])}")
        state = (y if self.mask is None else torch.where(self.mask, y, 0.0)).flatten(1)
        scale = noise_level.broadcast(torch.exp(gamma), state) / 2  # 1 / (2 s^2)
        top = torch.full_like(state[:, :1], -math.inf)
        total, mean = torch.zeros_like(top), torch.zeros_like(state)
        for first in range(0, len(self.samples), self.chunk):
            x = self.samples[first : first + self.chunk].to(y).flatten(1)
            # differences first: expanding the square would lose the nearest sample where there is little noise
            distance = torch.cdist(state, x, compute_mode="donot_use_mm_for_euclid_dist")
            exponent = -scale * distance.square()
            if log_weights is not None:
                exponent = exponent + log_weights[:, first : first + self.chunk].to(y)
            higher = torch.maximum(top, exponent.detach().amax(1, keepdim=True))
            kept, weight = torch.exp(top - higher), torch.exp(exponent - higher)
            total = kept * total + weight.sum(1, keepdim=True)
            mean = kept * mean + weight @ x
            top = higher
        return (mean / total).reshape(y.shape)
