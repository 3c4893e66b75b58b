"""Denoisers D(y, gamma), estimates of E[x | y = x + s eps]: a trained network inside its preconditioning, and exact ones of known laws.

The exact one of a finite set of samples is in `empirical`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.diffusion.conditionings import NoiseConditioning
from wxexp.diffusion.parameterizations import Parameterization
from wxexp.diffusion.scalings import InputScaling
from wxexp.fields import masks


class NetworkDenoiser:
    """A network with its parameterization around it: D(y) = c_skip y + c_out F(c_in y, c_noise).

    The coefficients are computed in float64; c_in is applied in the dtype of the network, the others in that of y. Masked cells are 0
    before the network and in the estimate, so that they stay out of the state.

    Args:
        network: (scaled state [N, C, *S], conditioning [N, k]) -> [N, C, *S].
        parameterization: gives c_skip and c_out.
        scaling: gives c_in.
        conditioning: gives c_noise.
        mask: bool [1|N, 1|C, *S], True where valid; None: all.
        dtype: of what the network sees.
    """

    def __init__(
        self,
        network: Callable[[Tensor, Tensor], Tensor],
        *,
        parameterization: Parameterization,
        scaling: InputScaling,
        conditioning: NoiseConditioning,
        mask: Tensor | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.network = network
        self.parameterization = parameterization
        self.scaling = scaling
        self.conditioning = conditioning
        self.mask = mask
        self._invalid = None if mask is None or bool(mask.all()) else mask.logical_not()
        self.dtype = dtype
        self._evaluations: list[tuple[Tensor, Tensor]] = []

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """The estimate of x, as y [N, C, *S]; gamma [] or [N]. A gamma [] is best left on the CPU, where nothing waits to read it."""
        if self.mask is not None:
            masks.check("NetworkDenoiser.mask", self.mask, y.shape)
        gamma = gamma.double()
        x = self._at_one(y, gamma) if gamma.ndim == 0 else self._at_each(y, gamma.to(y.device, non_blocking=True))
        self._evaluations.append((gamma.flatten()[0], x.detach().sum().isfinite()))
        return x

    def _at_one(self, y: Tensor, gamma: Tensor) -> Tensor:
        """All rows at one level: the coefficients are numbers, and each field is read and written as often as it must be."""
        c_in, c_skip, c_out = (c(gamma).item() for c in (self.scaling.c_in, self.parameterization.c_skip, self.parameterization.c_out))
        level = self.conditioning(gamma[None]).to(self.dtype).to(y.device, non_blocking=True)
        f = self.network(self._cleared(y.to(self.dtype, copy=True).mul_(c_in)), level.expand(len(y), -1))
        return self._cleared(torch.mul(y, c_skip).add_(f, alpha=c_out))

    def _at_each(self, y: Tensor, gamma: Tensor) -> Tensor:
        """Each row at its own level."""
        scaled = self._cleared(noise_level.broadcast(self.scaling.c_in(gamma), y) * y)
        f = self.network(scaled.to(self.dtype), self.conditioning(gamma).to(self.dtype))
        return self._cleared(self.parameterization.denoised(f.to(y.dtype), y, gamma))

    def check(self, levels: Tensor | None = None) -> None:
        """Raises a FloatingPointError that names the first evaluation whose estimate was not finite, and its noise level.

        Called after sampling, so that nothing waits for the device in between. With the `levels` [K] of a sampler, noisy to clean, it also
        names the step, the number of the last of them that is not cleaner.
        """
        if self._evaluations and not bool(torch.stack([finite for _, finite in self._evaluations]).all()):
            number = next(i for i, (_, finite) in enumerate(self._evaluations) if not finite)
            gamma = self._evaluations[number][0]
            step = "" if levels is None else f"step {max(1, int((levels <= gamma.cpu() + 1e-9).sum()))} of {len(levels)}, "
            raise FloatingPointError(
                f"the network's output is not finite at {step}evaluation {number + 1} of {len(self._evaluations)} "
                f"(noise level s = {noise_level.scale(gamma).item():.4g})"
            )

    @property
    def evaluations(self) -> int:
        """How often the network was called."""
        return len(self._evaluations)

    def _cleared(self, x: Tensor) -> Tensor:
        """The same with 0 in masked cells, in place."""
        return x if self._invalid is None else x.masked_fill_(self._invalid, 0.0)


class ExactGaussian:
    """For x ~ N(mu, variance) in every cell: D = (variance y + s^2 mu) / (variance + s^2).

    Its probability flow has the solution y(s') = mu + (y - mu) sqrt((variance + s'^2) / (variance + s^2)).

    Raises:
        ValueError: for a variance below 0.
    """

    def __init__(self, mu: Tensor | float, variance: Tensor | float) -> None:
        if not bool((torch.as_tensor(variance) >= 0).all()):
            raise ValueError(f"ExactGaussian.variance must be at least 0, got {variance}")
        self.mu = mu
        self.variance = variance

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]; mean and variance broadcast against y."""
        s2 = noise_level.broadcast(torch.exp(-gamma), y)
        return (self.variance * y + s2 * self.mu) / (self.variance + s2)


class CorrelatedGaussian:
    """For x ~ N(mu, C) over the d = C * prod(S) cells of a row, with any covariance: D = mu + C (C + s^2 I)^-1 (y - mu).

    In the eigenvectors of C every component is shrunk by l / (l + s^2), so that the decomposition is done once for all noise levels.

    Args:
        mu: [C, *S].
        covariance: [d, d], symmetric and positive semidefinite, in the order of `mu.flatten()`.

    Raises:
        ValueError: for a covariance of another size, not symmetric, or with an eigenvalue below 0.
    """

    def __init__(self, mu: Tensor, covariance: Tensor) -> None:
        if covariance.shape != (mu.numel(), mu.numel()):
            raise ValueError(f"CorrelatedGaussian.covariance must be {mu.numel()} x {mu.numel()}, got {tuple(covariance.shape)}")
        if not torch.allclose(covariance, covariance.T, rtol=1e-6, atol=0.0):
            raise ValueError("CorrelatedGaussian.covariance must be symmetric")
        values, vectors = torch.linalg.eigh(covariance.double())
        tolerance = 1e-9 * float(values[-1].abs())  # of the decomposition
        if values[0] < -tolerance:
            raise ValueError(f"CorrelatedGaussian.covariance must have no eigenvalue below 0, got {float(values[0]):g}")
        self.mu = mu
        self.values = values.clamp(min=0)
        self.vectors = vectors

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]."""
        mu, values, vectors = (x.to(y) for x in (self.mu, self.values, self.vectors))
        s2 = noise_level.broadcast(torch.exp(-gamma), y.flatten(1))
        components = (y - mu).flatten(1) @ vectors
        return mu + (components * (values / (values + s2)) @ vectors.T).reshape(y.shape)


class Mixture:
    """For x from sum_k w_k N(mu_k, S_k^2 I) on the d = C * prod(S) cells of a row, S_k = 0 allowed (Diracs, the empirical law).

    D = sum_k r_k (S_k^2 y + s^2 mu_k) / (S_k^2 + s^2) with responsibilities
    r_k ~ w_k (S_k^2 + s^2)^(-d/2) exp(-|y - mu_k|^2 / (2 (S_k^2 + s^2))).

    Args:
        weights: [K], summing to one.
        means: [K, C, *S].
        variances: S_k^2 [K].

    Raises:
        ValueError: for weights that are negative or do not sum to one, variances below 0, and numbers of the three that differ.
    """

    def __init__(self, weights: Tensor, means: Tensor, variances: Tensor) -> None:
        if weights.shape != variances.shape or weights.shape != means.shape[:1]:
            shapes = ", ".join(str(tuple(x.shape)) for x in (weights, means, variances))
            raise ValueError(f"Mixture needs weights [K], means [K, C, *S] and variances [K], got {shapes}")
        if not bool((weights >= 0).all()) or abs(weights.sum().item() - 1) > 1e-5:
            raise ValueError(f"Mixture.weights must be at least 0 and sum to one, got {weights.tolist()}")
        if not bool((variances >= 0).all()):
            raise ValueError(f"Mixture.variances must be at least 0, got {variances.tolist()}")
        self.weights = weights
        self.means = means
        self.variances = variances

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]."""
        s2 = torch.exp(-gamma).to(y).expand(len(y))[:, None]  # [N, 1]
        total = self.variances + s2  # [N, K]
        distance = (y[:, None] - self.means).flatten(2).square().sum(-1)  # [N, K]
        dimensions = math.prod(y.shape[1:])
        r = torch.softmax(self.weights.log() - dimensions / 2 * total.log() - distance / (2 * total), dim=1)
        of_y = (r * self.variances / total).sum(1)
        of_means = (r * s2 / total) @ self.means.flatten(1)
        return noise_level.broadcast(of_y, y) * y + of_means.reshape(y.shape)
