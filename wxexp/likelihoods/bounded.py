"""Classes for the bounds, and a distribution of its own between them."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.special import ndtr, ndtri

from wxexp.likelihoods.bounds import BoundedLikelihood


class Bounded(BoundedLikelihood):
    """At the lower bound, at the upper bound or between, by three logits; between, v(x) is normal with mean f and scale s.

    v is ln(x - lower) with a lower bound alone, -ln(upper - x) with an upper one, and the logit of (x - lower) / (upper - lower) with
    both: the interior is log-normal or logit-normal (Atchison and Shen 1980). Whether it rains is not tied to how much, unlike in a
    censored distribution. Channels of each variable: logits of lower, inside, upper (that of a missing bound is ignored), then f.
    """

    parameters: ClassVar[int] = 4
    power: ClassVar[float] = 2.0

    def _split(self, f: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities [N, C, 3, *S], and f [N, C, *S]."""
        f = f.reshape(len(f), -1, 4, *f.shape[2:])
        there = torch.tensor([self.lower is not None, True, self.upper is not None], device=f.device).view(3, *(1,) * (f.ndim - 3))
        return f[:, :, :3].masked_fill(~there, -math.inf).log_softmax(2), f[:, :, 3]

    def _stretch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """V and ln |dv/dx|; finite at the bounds, where nobody looks."""
        tiny = torch.finfo(x.dtype).tiny
        below = None if self.lower is None else (x - self.lower).clamp(min=tiny).log()
        above = None if self.upper is None else (self.upper - x).clamp(min=tiny).log()
        if below is None:
            assert above is not None
            return -above, -above
        if above is None:
            return below, -below
        return below - above, math.log(self.high - self.low) - below - above

    def _inverse(self, v: Tensor) -> Tensor:
        if self.lower is None:
            return self.high - (-v).exp()
        if self.upper is None:
            return self.low + v.exp()
        return torch.lerp(torch.full_like(v, self.low), torch.full_like(v, self.high), v.sigmoid())

    def log_prob(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        log_p, center = self._split(f)
        v, slope = self._stretch(x)
        density = -((v - center) / scale).square() / 2 - scale.log() - math.log(2 * math.pi) / 2 + slope
        return self.by_place(
            x,
            lower=None if self.lower is None else log_p[:, :, 0],
            inside=log_p[:, :, 1] + density,
            upper=None if self.upper is None else log_p[:, :, 2],
        )

    def quantile(self, z: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        log_p, center = self._split(f)
        p_lower, p_inside, p_upper = log_p.exp().unbind(2)
        p = ndtr(z)
        small = torch.finfo(f.dtype).eps
        within = ((p - p_lower) / p_inside).clamp(small, 1 - small)
        x = self._inverse(center + scale * ndtri(within)).clamp(self.low, self.high)
        if self.lower is not None:
            x = torch.where(p <= p_lower, self.low, x)
        if self.upper is not None:
            x = torch.where(ndtr(-z) < p_upper, self.high, x)
        return x

    def moment(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        """Values at a bound say nothing of the scale between them: they count with what it is."""
        _, center = self._split(f)
        same = scale.square().expand_as(center)
        return self.by_place(
            x,
            lower=None if self.lower is None else same,
            inside=(self._stretch(x)[0] - center).square(),
            upper=None if self.upper is None else same,
        )
