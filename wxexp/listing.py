"""What there is of each kind, for `python -m wxexp list`."""

from __future__ import annotations

import inspect

from wxexp.config.tree import Spec, exports

KINDS: dict[str, tuple[str, str, str]] = {
    "baselines": ("wxexp.interfaces", "Baseline", "what a forecast must beat"),
    "conditionings": ("wxexp.diffusion.conditionings", "NoiseConditioning", "how a network is told the noise level"),
    "datasets": ("wxexp.interfaces", "Dataset", "what is to be predicted from what"),
    "embeddings": ("wxexp.models.embeddings", "LevelEmbedding", "how a network tells noise levels apart"),
    "levels": ("wxexp.interfaces", "Levels", "the noise levels a sampler steps through"),
    "likelihoods": ("wxexp.interfaces", "Likelihood", "the law of a field around a network's output"),
    "metrics": ("wxexp.interfaces", "Metric", "what is reported"),
    "models": ("wxexp.interfaces", "Model", "networks"),
    "objectives": ("wxexp.interfaces", "Objective", "what is learnt"),
    "parameterizations": ("wxexp.diffusion.parameterizations", "Parameterization", "what a denoising network predicts"),
    "samplers": ("wxexp.interfaces", "Sampler", "how a sample is drawn"),
    "scalings": ("wxexp.diffusion.scalings", "InputScaling", "how a noised state is scaled for a network"),
    "schedulers": ("wxexp.interfaces", "Scheduler", "densities of noise levels in training"),
    "sources": ("wxexp.interfaces", "Source", "on-disk layouts"),
    "subsets": ("wxexp.interfaces", "Subset", "parts of what is scored that get rows of their own"),
    "weightings": ("wxexp.diffusion.weightings", "Weighting", "weights of noise levels in the loss"),
}


def components(kind: str) -> list[tuple[str, ...]]:
    """Name and first line of the docstring; for samplers also order, evaluations per step, whether stochastic, and source."""
    module, name, _ = KINDS[kind]
    base: type[Spec] = getattr(__import__(module, fromlist=[name]), name)
    rows = [(found, *_facts(kind, cls), (inspect.getdoc(cls) or "").partition("\n")[0]) for found, cls in sorted(exports(base).items())]
    heads = {"samplers": ("name", "order", "evaluations", "noise", "source", "")}
    return [heads[kind], *rows] if kind in heads else rows


def _facts(kind: str, cls: type[Spec]) -> tuple[str, ...]:
    if kind != "samplers":
        return ()
    from wxexp.interfaces import Sampler

    assert issubclass(cls, Sampler)
    each = f"{cls.evaluations} {'an attempt, as many as errors need' if cls.adaptive else 'a step'}"
    start = f", {cls.startup} to start" if cls.startup else ""
    return (str(cls.order), each + start, "stochastic" if cls.stochastic else "none", cls.source)
