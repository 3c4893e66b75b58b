"""What samplers share: the steps between noise levels, with their lengths as numbers, and sums of fields.

Coefficients are numbers in double precision, read from the levels before the first step, so that nothing in the loop waits for a device,
and each field of a sum is read once: beside a small network the arithmetic of a sampler in double precision counts.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor


def steps(gamma: Tensor) -> list[tuple[Tensor, Tensor, float]]:
    """Each step from gamma to gamma' with its length h = ln(s / s') > 0.

    Raises:
        ValueError: for levels that do not increase, noisy to clean, or are not finite.
    """
    lengths = [(after - before) / 2 for before, after in pairwise(gamma.tolist())]
    for step, h in enumerate(lengths):
        if not 0 < h < math.inf:
            pair = f"{gamma[step].item():g} and then {gamma[step + 1].item():g}"
            raise ValueError(f"gamma must be finite and increase, noisy to clean; at step {step + 1} of {len(lengths)} it is {pair}")
    return [(here, there, h) for (here, there), h in zip(pairwise(gamma), lengths, strict=True)]


def scales(gamma: Tensor) -> list[float]:
    """The levels s = exp(-gamma / 2) as numbers."""
    return [math.exp(-g / 2) for g in gamma.tolist()]


def total(*terms: tuple[float, Tensor]) -> Tensor:
    """The sum of factor times field over `terms`, a new field."""
    (factor, field), *others = terms
    if factor == 1 and others:
        (factor, other), *others = others
        found = torch.add(field, other, alpha=factor)
    else:
        found = torch.mul(field, factor)
    for factor, field in others:
        found.add_(field, alpha=factor)
    return found


def moments(h: float) -> tuple[float, float, float]:
    """Integrals over [0, h] of exp(tau - h) times 1, tau and tau^2 (Hochbruck and Ostermann 2010), without cancellation for a small h."""
    of_one = -math.expm1(-h)
    if h > 0.1:
        of_tau = h - of_one
        return of_one, of_tau, h * h - 2 * of_tau
    # of_tau = h^2 (1/2 - h/6 + h^2/24 - ...), of_tau2 = h^3 (1/3 - h/12 + h^2/60 - ...)
    of_tau = h**2 * sum((-h) ** k / math.factorial(k + 2) for k in range(10))
    return of_one, of_tau, h**3 * sum(2 * (-h) ** k / math.factorial(k + 3) for k in range(10))
