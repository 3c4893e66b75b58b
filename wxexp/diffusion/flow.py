"""The probability flow as a map: encode a sample into its noise, decode it, and the log-likelihood of a sample (Song et al. 2021).

The flow dy/ds = (y - D(y)) / s is integrated on given levels, in either direction, by Heun's method in s (order 2) or by the method of
Runge and Kutta in gamma, where it is dy/dgamma = (D(y) - y) / 2 (order 4). Along it, with l = -ln s = gamma / 2,
d ln p / dl = -(tr dD/dy - d), d = C * prod(S), integrated by the trapezoidal rule in l on the levels of Heun's method, so that both have
order 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.fields import masks
from wxexp.fields.seeds import Draws

Denoiser = Callable[[Tensor, Tensor], Tensor]


def transport(denoise: Denoiser, y: Tensor, gamma: Tensor, *, order: Literal[2, 4] = 2) -> Tensor:
    """The state at level gamma[-1] of the flow that is at y [N, C, *S] at level gamma[0].

    Increasing gamma decodes (noise to sample), decreasing gamma encodes; on the flipped levels one undoes the other to that order.
    Costs `order` (len(gamma) - 1) evaluations. NaN stays NaN.

    Args:
        denoise: estimates of x.
        y: in units of the data: a sample of the data has the level of a small s, not s = 0.
        gamma: float64 [K], monotone.
        order: 2, Heun's method, or 4, that of Runge and Kutta, for encoding and decoding that are each other's inverse to many digits.

    Raises:
        ValueError: for levels that are not monotone, and any other order.
    """
    _check(gamma)
    if order not in _STEPS:
        raise ValueError(f"order must be one of {', '.join(map(str, _STEPS))}, got {order}")
    for here, there in pairwise(gamma):
        y = _STEPS[order](denoise, y, denoise(y, here), here, there)
    return y


@torch.no_grad()
def log_likelihood(
    denoise: Denoiser,
    y: Tensor,
    gamma: Tensor,
    *,
    probes: Sequence[Tensor] | None = None,
    mean: Tensor | float = 0.0,
    variance: Tensor | float = 1.0,
    mask: Tensor | None = None,
) -> Tensor:
    """Natural logarithm of the density at level gamma[0] of each row of y, in nats, float64 [N], without a gradient.

    ln p(y) = ln N(y_K; mean, variance + s_K^2) + integral over l of (tr dD/dy - d), y_K the encoded state (Song et al. 2021, equation 39).
    The law at the noisiest level is taken as Gaussian with the moments of the data, which leaves the variance of the data in: at s = 80
    and unit variance that is 8e-5 a dimension.

    Args:
        denoise: estimates of x, differentiable; rows must not depend on each other.
        y: [N, C, *S] in units of the data, noised to gamma[0] or with noise at gamma[0] that is negligible.
        gamma: float64 [K], decreasing: clean to noisy.
        probes: fields [N, C, *S] of unit covariance, over which Hutchinson's estimate of the trace is averaged, the same ones at all levels
            (Grathwohl et al. 2019); see `rademacher`. None: the exact trace, by d passes backward a level.
        mean: of the data, broadcasts against y.
        variance: of the data, likewise.
        mask: bool [1|N, 1|C, *S], True where valid; masked cells, which are 0 in y and in the estimates, do not count. None: all.

    Raises:
        ValueError: for levels that are not decreasing, no probes, or a mask of the wrong shape.
    """
    _check(gamma)
    if gamma[-1] > gamma[0]:
        raise ValueError("gamma must decrease, clean to noisy, to encode; got increasing levels")
    if probes is not None and not probes:
        raise ValueError("probes must be at least one field, or None for the exact trace; got none")
    if mask is not None:
        masks.check("mask", mask, y.shape)
    valid = torch.ones_like(y, dtype=torch.bool) if mask is None else mask.to(y.device).expand_as(y)
    dimensions = valid.flatten(1).sum(1)
    total = torch.zeros(len(y), dtype=torch.float64, device=y.device)
    before: Tensor | None = None
    for i, here in enumerate(gamma):
        x, trace = _trace(denoise, y, here, probes)
        divergence = trace - dimensions
        if before is not None:
            total = total + (gamma[i - 1] - here) / 4 * (before + divergence)
        before = divergence
        if i + 1 < len(gamma):
            y = _step(denoise, y, x, here, gamma[i + 1])
    spread = variance + torch.exp(-gamma[-1]).to(y.device)
    prior = -0.5 * ((y.double() - mean) ** 2 / spread + torch.log(2 * math.pi * spread))
    return torch.where(valid, prior, 0.0).flatten(1).sum(1) - total


def rademacher(draws: Draws, shape: Sequence[int], count: int) -> list[Tensor]:
    """Fields [N, *shape] of independent signs, the probes of least variance for Hutchinson's trace; float32, on the CPU."""
    return [torch.where(draws.of("probe", i).normal(shape) < 0, -1.0, 1.0) for i in range(count)]


def _step(denoise: Denoiser, y: Tensor, x: Tensor, here: Tensor, there: Tensor) -> Tensor:
    """Heun's step from y, whose estimate is x."""
    s, s_next = noise_level.scale(here), noise_level.scale(there)
    d = (y - x) / s
    guess = y + (s_next - s) * d
    return y + (s_next - s) / 2 * (d + (guess - denoise(guess, there)) / s_next)


def _runge_kutta(denoise: Denoiser, y: Tensor, x: Tensor, here: Tensor, there: Tensor) -> Tensor:
    """The classical step of order 4 from y, whose estimate is x."""
    middle, half = (here + there) / 2, ((there - here) / 4).to(y)  # of the step in gamma / 2
    first = x - y
    guess = y + half * first
    second = denoise(guess, middle) - guess
    guess = y + half * second
    third = denoise(guess, middle) - guess
    guess = y + 2 * half * third
    fourth = denoise(guess, there) - guess
    return y + half / 3 * (first + 2 * (second + third) + fourth)


_STEPS = {2: _step, 4: _runge_kutta}


def _trace(denoise: Denoiser, y: Tensor, gamma: Tensor, probes: Sequence[Tensor] | None) -> tuple[Tensor, Tensor]:
    """The estimate at y and the trace of its derivative [N], float64."""
    with torch.enable_grad():
        at = y.detach().requires_grad_()
        x = denoise(at, gamma)
        if probes is None:
            total = torch.zeros(len(y), dtype=torch.float64, device=y.device)
            for i in range(math.prod(y.shape[1:])):
                (row,) = torch.autograd.grad(x.flatten(1)[:, i].sum(), at, retain_graph=True)
                total = total + row.flatten(1)[:, i].double()
            return x.detach(), total
        of_each = []
        for probe in probes:
            probe = probe.to(x)
            (pulled,) = torch.autograd.grad(x, at, probe, retain_graph=True)
            of_each.append((probe * pulled).flatten(1).double().sum(1))
        return x.detach(), torch.stack(of_each).mean(0)


def _check(gamma: Tensor) -> None:
    steps = gamma.diff()
    if not bool((steps > 0).all() or (steps < 0).all()):
        raise ValueError(f"gamma must be strictly monotone, got {gamma.tolist()}")
