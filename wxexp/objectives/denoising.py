"""Diffusion: the network estimates a field from noised versions of it, and members are drawn by integrating from noise.

The loss of a sample at log-SNR gamma is factor * (c_out / s)^2 * M(|F - F*|^2), with M the masked mean by area and variable; the factor is
w / p for a weighting with respect to dgamma and omega for one per sample. With the EDM parameterization and its weighting the product is
lambda(s) M(|D - x|^2) of Karras et al. (2022, equation 8), so that F*, of unit variance, is regressed evenly.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from wxexp.diffusion import noise_level, weightings
from wxexp.diffusion.conditionings import NoiseConditioning
from wxexp.diffusion.denoisers import NetworkDenoiser
from wxexp.diffusion.noise import DrawnNoise
from wxexp.diffusion.parameterizations import EDM, Parameterization
from wxexp.diffusion.scalings import InputScaling
from wxexp.diffusion.weightings import DensityWeighting, Weighting
from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Inputs, Learner, Loss, Parts, Sampler, Scheduler, Step
from wxexp.objectives.weighted import WeightedObjective


class Denoising(WeightedObjective):
    """A diffusion model of the target given the condition. Needs a scheduler and a sampler.

    Scaling, conditioning and weighting are those of the parameterization unless given.
    """

    parameterization: Parameterization = EDM(sigma_data=1.0)
    scaling: InputScaling | None = None
    conditioning: NoiseConditioning | None = None
    weighting: Weighting | None = None

    def check(self, experiment: Experiment) -> None:
        if experiment.scheduler is None:
            raise ValueError("Denoising needs a scheduler, the density of noise levels in training, and scheduler is None")
        if experiment.sampler is None:
            raise ValueError("Denoising needs a sampler, which draws its members, and sampler is None")
        if type(experiment.scheduler).build is not Scheduler.build and not isinstance(self._weighting, DensityWeighting):
            given, adaptive = type(self._weighting).__name__, type(experiment.scheduler).__name__
            possible = [name for name in weightings.__all__ if issubclass(getattr(weightings, name), DensityWeighting)]
            raise ValueError(
                f"Denoising.weighting must be one with respect to gamma for {adaptive}, whose density would count twice "
                f"in a factor per sample: one of {', '.join(possible)}, got {given}"
            )
        self._check_end("sampler", experiment.sampler)
        validation = experiment.training.validation
        if validation is not None and validation.members:
            if validation.sampler is None:
                raise ValueError(
                    "Denoising needs training.validation.sampler to draw members in validation; set it, or validation.members=0"
                )
            self._check_end("training.validation.sampler", validation.sampler)

    def _check_end(self, name: str, sampler: Sampler) -> None:
        """Refuses a parameterization that cannot give x at the noisiest level: c_out F has the rounding of F, float32, times c_out."""
        gamma = sampler.levels.gamma(sampler.steps)[:1]
        rounding = self.parameterization.c_out(gamma).abs().item() * torch.finfo(torch.float32).eps
        if not rounding < 1:
            raise ValueError(
                f"Denoising.parameterization {type(self.parameterization).__name__} is impossible at the end point of {name}.levels, "
                f"s = {noise_level.scale(gamma).item():.3g}: it multiplies rounding to {rounding:.2g} times the data; "
                f"use EDM, V, Flow or X0, or levels with less noise"
            )

    @property
    def _weighting(self) -> Weighting:
        return self.weighting or self.parameterization.weighting()

    def build(self, parts: Parts) -> DenoisingLearner:
        return DenoisingLearner(self, parts)


class DenoisingLearner(Learner):
    """A network, and a schedule that may adapt."""

    def __init__(self, spec: Denoising, parts: Parts) -> None:
        super().__init__()
        assert parts.scheduler is not None, "refused by Denoising.check"
        self.parameterization = spec.parameterization
        self.scaling = spec.scaling or spec.parameterization.scaling()
        self.conditioning = spec.conditioning or spec.parameterization.conditioning()
        self.weighting = spec._weighting
        self.ports = dataclasses.replace(parts.ports, target=parts.ports.out, level=self.conditioning.size)
        self.mean = spec.mean(parts)
        self.schedule = parts.scheduler.build()
        self.network = parts.model.build(self.ports, parts.parent)

    def forward(self, batch: Batch, step: Step) -> Loss:
        """Noise levels in float64, fields and loss in float32; NaN in masked cells of the target is harmless."""
        assert batch.target is not None, "training needs truth"
        draws = step.of("level")
        t = draws.uniform() if draws.batch_size is None else draws.stratified()
        x = torch.where(batch.mask, batch.target, 0.0)
        gamma = self.schedule.gamma(t.to(x.device))
        noise = step.of("noise").normal(x.shape[1:]).to(x.device, x.dtype)
        eps = torch.where(batch.mask, noise, 0.0)
        y = x + noise_level.broadcast(noise_level.scale(gamma), x) * eps
        scaled = noise_level.broadcast(self.scaling.c_in(gamma), y) * y
        f = self.network(scaled, Inputs.of(batch, level=self.conditioning(gamma).float()))
        error = self.mean((f - self.parameterization.target(x, eps, gamma)).square(), batch)
        factor = self.weighting.log_factor(gamma, self.schedule.log_density(gamma)).exp()
        of_eps = self.parameterization.eps_factor(gamma)
        return Loss((factor * of_eps).to(error) * error, gamma=gamma, error=of_eps.to(error) * error)

    def commit(self, loss: Loss, step: Step) -> None:
        assert loss.gamma is not None and loss.error is not None
        error = loss.error
        if isinstance(self.weighting, DensityWeighting):
            error = self.weighting.log_weight(loss.gamma).exp() * error
        self.schedule.update(loss.gamma, error, step.world)

    def denoiser(self, batch: Batch) -> NetworkDenoiser:
        """Estimates of the targets of a batch: what samplers, guidance and the probability flow take.

        Its states are [B, C, *S], each row with the condition of that row of the batch.
        """
        return NetworkDenoiser(
            lambda y, level: self.network(y, Inputs.of(batch, level=level)),
            parameterization=self.parameterization,
            scaling=self.scaling,
            conditioning=self.conditioning,
            mask=batch.mask,
        )

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        """[B, M, C, *S] float32, masked cells 0; a FloatingPointError names step and noise level at which the network was not finite."""
        assert sampler is not None, "refused by Denoising.check"
        rows = batch.repeat(len(draws.rows) // len(batch))
        noise = DrawnNoise(draws, (self.ports.out, *batch.size), mask=rows.mask, device=rows.condition.device)
        denoise = self.denoiser(rows)
        gamma = sampler.levels.gamma(sampler.steps)
        y = noise_level.scale(gamma[0]) * noise.prior()
        x = sampler.sample(denoise, y, gamma, noise)
        denoise.check(gamma)
        return torch.where(rows.mask, x, 0.0).float().reshape(len(batch), -1, *x.shape[1:])
