"""Denoisers that are led: towards a condition, into bounds, and to sparse observations.

Each wraps a denoiser D(y, gamma), the estimate of E[x | y = x + s eps], and is one itself: every sampler takes it, and wrappers nest. By
Tweedie's formula the score of the noisy law is (D - y) / s^2, so adding g to the score adds s^2 g to the estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.fields import masks

Denoiser = Callable[[Tensor, Tensor], Tensor]


class ClassifierFree:
    """Classifier-free guidance (Ho and Salimans 2022, equation 6): D = D_u + weight (D_c - D_u), the same combination of the scores.

    Weight 1 is the conditional denoiser and 0 the unconditional one, each without evaluating the other; between them the members spread
    more, above 1 they follow the condition more than its law says.

    Args:
        conditional: estimates with the condition.
        unconditional: estimates without; None is possible for weight 1 only.
        weight: any finite number.

    Raises:
        ValueError: for a weight that is not finite, and for guidance without an unconditional denoiser.
    """

    def __init__(self, conditional: Denoiser, unconditional: Denoiser | None, *, weight: float) -> None:
        if not abs(weight) < float("inf"):
            raise ValueError(f"ClassifierFree.weight must be finite, got {weight}")
        if unconditional is None and weight != 1:
            raise ValueError(f"ClassifierFree.weight must be 1 without an unconditional denoiser, got {weight}")
        self.conditional = conditional
        self.unconditional = unconditional
        self.weight = weight

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]."""
        if self.unconditional is None or self.weight == 1:
            return self.conditional(y, gamma)
        without = self.unconditional(y, gamma)
        if self.weight == 0:
            return without
        return without + self.weight * (self.conditional(y, gamma) - without)


class Masked:
    """The estimate with masked cells at 0, which see nothing of the state either: NaN there is harmless.

    With a prior and noise that are 0 in masked cells they stay exactly 0 throughout the sampler.

    Args:
        denoise: what is masked.
        mask: bool [1|N, 1|C, *S], True where valid.

    Raises:
        ValueError: when called, for a mask that does not fit the state.
    """

    def __init__(self, denoise: Denoiser, *, mask: Tensor) -> None:
        self.denoise = denoise
        self.mask = mask

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]."""
        masks.check("Masked.mask", self.mask, y.shape)
        return torch.where(self.mask, self.denoise(torch.where(self.mask, y, 0.0), gamma), 0.0)


class Bounded:
    """The estimate clipped to [low, high], such as a concentration to [0, 1] (in the units of the state); NaN stays NaN.

    With the terminal jump of a sampler the sample itself lies within the bounds.

    Args:
        denoise: what is bounded.
        low: least value, a number or a tensor that broadcasts against the estimate, such as [C, 1, 1]; None: unbounded.
        high: greatest value, likewise.

    Raises:
        ValueError: for low that is not below high, and when called for bounds that do not fit the estimate.
    """

    def __init__(self, denoise: Denoiser, *, low: Tensor | float | None = None, high: Tensor | float | None = None) -> None:
        if low is not None and high is not None and not bool((torch.as_tensor(low) < torch.as_tensor(high)).all()):
            raise ValueError(f"Bounded.low must be below high = {high}, got {low}")
        self.denoise = denoise
        self.low = low
        self.high = high

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]."""
        x = self.denoise(y, gamma)
        if self.low is not None:
            x = torch.maximum(x, _fitting("Bounded.low", torch.as_tensor(self.low), x.shape).to(x))
        if self.high is not None:
            x = torch.minimum(x, _fitting("Bounded.high", torch.as_tensor(self.high), x.shape).to(x))
        return x


class Observed:
    """Data consistency with sparse observations o = x[cells] + N(0, std^2): pseudoinverse guidance (Song et al. 2023).

    The law of x given y is taken as N(D, r^2) with r^2 = s^2 V / (s^2 + V), V the variance of the data. The score of the observations
    is then J^T (o - D) / (std^2 + r^2) over the observed cells, J = dD/dy by one pass backward, and D' = D + s^2 times that. Exact
    for Gaussian data with independent cells of variance V. Diffusion posterior sampling (Chung et al. 2023) is the same without r^2.

    The network has to be differentiable; an evaluation costs about three. Rows must not depend on each other.

    Args:
        denoise: prior estimates.
        values: o, broadcasts against the state [N, C, *S], in its units; read in observed cells only, and may be NaN elsewhere.
        cells: bool, likewise, True where observed.
        std: of the error of the observations, in units of the state; 0: exact observations.
        variance: V; 1 for normalised data.

    Raises:
        ValueError: for a negative std, a variance that is not positive, cells that are not bool, and observed values that are not finite;
            when called, for values and cells that do not fit the state.
    """

    def __init__(self, denoise: Denoiser, *, values: Tensor, cells: Tensor, std: float, variance: float = 1.0) -> None:
        name = type(self).__name__
        if not 0 <= std < float("inf"):
            raise ValueError(f"{name}.std must be at least 0 and finite, got {std}")
        if not 0 < variance < float("inf"):
            raise ValueError(f"{name}.variance must be positive and finite, got {variance}")
        if cells.dtype != torch.bool:
            raise ValueError(f"{name}.cells must be bool, got {cells.dtype}")
        if _joint(values.shape, cells.shape) is None:
            raise ValueError(f"{name}.cells must fit its values, {tuple(values.shape)}, got {tuple(cells.shape)}")
        if not bool((values.isfinite() | ~cells).all()):
            raise ValueError(f"{name}.values must be finite in observed cells, got NaN or infinity")
        self.denoise = denoise
        self.values = torch.where(cells, values, 0.0)
        self.cells = cells
        self.std = std
        self.variance = variance

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]."""
        s2 = noise_level.broadcast(torch.exp(-gamma), y)
        r2 = s2 * self.variance / (s2 + self.variance)
        with torch.enable_grad():
            at = y.detach().requires_grad_()
            x = self.denoise(at, gamma)
            (pulled,) = torch.autograd.grad(x, at, self._misfit(x) / (self.std**2 + r2))
        return x.detach() + s2 * pulled

    def _misfit(self, x: Tensor) -> Tensor:
        """Observations minus estimate, 0 in the cells that are not observed."""
        _fitting(f"{type(self).__name__}.values", self.values, x.shape)
        return torch.where(self.cells.to(x.device), self.values.to(x) - x.detach(), 0.0)


class MomentMatched(Observed):
    """As Observed, with the covariance of x given y that the denoiser itself implies, s^2 J (Rozet et al. 2024).

    An observation then counts for its surroundings as the fields are correlated, and dense observations do not count twice. The score of
    the observations, J^T v with (std^2 + s^2 J) v = o - D on the observed cells, is solved for by conjugate gradients, each iteration one
    more pass backward. With as many iterations as there are observed cells it is exact for Gaussian data of any covariance.

    Args:
        denoise: prior estimates.
        values: as in Observed.
        cells: as in Observed.
        std: as in Observed.
        iterations: of conjugate gradients, at least 1.

    Raises:
        ValueError: as Observed, and for less than one iteration.
    """

    def __init__(self, denoise: Denoiser, *, values: Tensor, cells: Tensor, std: float, iterations: int = 5) -> None:
        super().__init__(denoise, values=values, cells=cells, std=std)
        if iterations < 1:
            raise ValueError(f"MomentMatched.iterations must be at least 1, got {iterations}")
        self.iterations = iterations

    def __call__(self, y: Tensor, gamma: Tensor) -> Tensor:
        """As y [N, C, *S]; gamma [] or [N]."""
        s2 = noise_level.broadcast(torch.exp(-gamma), y)
        cells = self.cells.to(y.device)
        with torch.enable_grad():
            at = y.detach().requires_grad_()
            x = self.denoise(at, gamma)

            def pull(v: Tensor) -> Tensor:
                (pulled,) = torch.autograd.grad(x, at, v, retain_graph=True)
                return s2 * pulled

            left = self._misfit(x)
            v, along, square = torch.zeros_like(left), left, _dot(left, left)
            for _ in range(self.iterations):
                image = self.std**2 * along + torch.where(cells, pull(along), 0.0)
                step = _ratio(square, _dot(along, image))
                v, left = v + step * along, left - step * image
                before, square = square, _dot(left, left)
                along = left + _ratio(square, before) * along
            return x.detach() + pull(v)


def _joint(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...] | None:
    """The shape that two shapes broadcast to, or None."""
    try:
        return tuple(torch.broadcast_shapes(tuple(a), tuple(b)))  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None


def _fitting(name: str, x: Tensor, shape: Sequence[int]) -> Tensor:
    """The same, if it broadcasts to this shape of a state."""
    if _joint(x.shape, shape) != tuple(shape):
        raise ValueError(f"{name} must fit the state {tuple(shape)}, got the shape {tuple(x.shape)}")
    return x


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Of each row, [N, 1, ...]."""
    return (a * b).sum(tuple(range(1, a.ndim)), keepdim=True)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """The quotient a / b, 0 where b is 0: the row is solved."""
    return torch.where(b == 0, 0.0, a / torch.where(b == 0, 1.0, b))
