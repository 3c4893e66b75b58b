"""DPM-Solver with adaptive steps, orders 2 and 3 embedded (Lu et al. 2022a, algorithm 3 and appendix C), each member with its own steps."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import steps


class DPMSolverAdaptive(Sampler):
    """Order 3; three evaluations an attempted step, as many as the member of a batch that needs most, and the jump to the estimate of x.

    A step of DPM-Solver-3 is accepted where it differs from the step of DPM-Solver-2 inside it by E <= 1, the root mean square over the
    member's cells of the difference over max(atol, rtol max(|z|, |z'|)), with z = alpha y before and z' after the step: as in the paper the
    variance-preserving state, in which tolerances mean the same at all levels. The next attempt is 0.9 E^(-1/3) times as long. The error is
    that of each member alone, so that a member does not depend on those beside it. Of the levels only the ends and the first step count.
    Each attempt waits once for the device.
    """

    order: ClassVar[int] = 3
    evaluations: ClassVar[int] = 3
    adaptive: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2206.00927"
    steps: int = 18
    levels: Levels = Karras()
    rtol: float = 0.05
    """Error of a step relative to the variance-preserving state."""
    atol: float = 0.0078
    """Error of a step of that state; the larger of the two tolerances counts."""
    attempts: int = 1000
    """Attempted steps after which it gives up."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            if not 0 < value < float("inf"):
                raise ValueError(f"DPMSolverAdaptive.{name} must be positive and finite, got {value}")
        if self.attempts < 1:
            raise ValueError(f"DPMSolverAdaptive.attempts must be at least 1, got {self.attempts}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        """As declared by the kind.

        Raises:
            FloatingPointError: where an estimate is not finite, naming attempt and noise level, or after too many attempts.
        """
        lengths = [h for _, _, h in steps(gamma)]
        here, end = gamma[0].to(y.device).repeat(len(y)), gamma[-1].to(y.device)
        h = torch.full_like(here, lengths[0] if lengths else 0.0)
        valid = (y != 0).flatten(1).sum(1).clamp(min=1)  # masked cells are 0 and have no error
        going, attempt = bool(lengths), 0
        while going:
            if attempt == self.attempts:
                s = noise_level.scale(here.min()).item()
                allow = f"allow more attempts, or larger errors than rtol = {self.rtol} and atol = {self.atol}"
                raise FloatingPointError(f"DPMSolverAdaptive is at noise level s = {s:.4g} after {attempt} attempted steps; {allow}")
            attempt += 1
            h = torch.minimum(h, (end - here) / 2)
            there, difference = _embedded(denoise, y, here, h)
            alpha, alpha_next = (noise_level.broadcast(noise_level.alpha2(g).sqrt(), y) for g in (here, here + 2 * h))
            difference *= alpha_next / (self.rtol * torch.maximum(alpha * y.abs(), alpha_next * there.abs())).clamp_(min=self.atol)
            error = (difference.square_().flatten(1).sum(1) / valid).sqrt()
            del difference
            active = here < end
            accepted = active & (error <= 1)
            chosen = noise_level.broadcast(accepted, y).bool()
            y = torch.where(chosen, there, y)
            arrived = accepted & (h >= (end - here) / 2)
            here = torch.where(arrived, end, torch.where(accepted, here + 2 * h, here))
            h = torch.where(active, h * (0.9 * error.clamp(min=1e-9) ** (-1 / 3)), h)
            lost = active & ~error.isfinite()
            going, stopped = torch.stack([(here < end).any(), lost.any()]).tolist()  # the one wait of the attempt
            if stopped:
                s = noise_level.scale(here[lost][0]).item()
                raise FloatingPointError(f"an estimate is not finite at attempted step {attempt} (noise level s = {s:.4g})")
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def _embedded(denoise: Denoiser, y: Tensor, here: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """The state h = ln(s / s') further [N] by DPM-Solver-3, and what DPM-Solver-2 with r1 = 1/3 differs, which shares two evaluations.

    In units of s, as in DPMSolver3: n = y - D is s eps, and later noises are scaled up to s.
    """

    def of(coefficient: Tensor) -> Tensor:
        return noise_level.broadcast(coefficient, y)

    def estimated(u: Tensor, length: Tensor) -> Tensor:
        return of(torch.exp(length)) * (u - denoise(u, here + 2 * length))

    third, two_thirds = h / 3, 2 * h / 3
    n = y - denoise(y, here)
    first = y + of(torch.expm1(-third)) * n
    d_first = estimated(first, third) - n
    second = y + of(torch.expm1(-two_thirds)) * n - of(2 * _curved(two_thirds)) * d_first
    d_second = estimated(second, two_thirds) - n
    curved = of(1.5 * _curved(h)) * d_second
    return y + of(torch.expm1(-h)) * n - curved, of(1.5 * torch.expm1(-h)) * d_first + curved


def _curved(length: Tensor) -> Tensor:
    """exp(-t) (expm1(t) / t - 1) = (1 - exp(-t)) / t - exp(-t), 0 at t = 0."""
    return torch.where(length > 0, -torch.expm1(-length) / length - torch.exp(-length), 0.0)
