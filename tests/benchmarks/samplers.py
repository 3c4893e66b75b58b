"""Samplers: error at equal evaluations on known laws, and what their arithmetic costs beside a network.

    OMP_NUM_THREADS=1 python tests/benchmarks/samplers.py [errors|levels|costs]

errors: every sampler with its default levels (s from 80 to 0.002), from the exact law at the first level to the estimate of x at the last,
with the exact denoiser in float64. On N(1, 0.5^2) the standard deviation relative to 0.5 (the mean is exact); on the mixture
0.4 N(-1, 0.3^2) + 0.6 N(1.5, 0.2^2) the Wasserstein-1 distance to the law, which is the mean absolute error of quantiles. Deterministic
samplers push 2048 quantiles, which the flow keeps. Stochastic ones: on the Gaussian, where they are affine in state and noises, exact
moments by unit impulses; on the mixture scrambled Sobol points over start and all noises, which resolve about 0.003. A sampler takes as
many steps as the evaluations allow; the adaptive one the tolerance of least error for which its slowest member stays within them, and its
own tolerance is printed below. Beside them the defaults that others ship: CorrDiff's two samplers (Heun with 18 steps from s = 800, Euler
with 9) and k-diffusion's (LMS of order 4 that starts with order 1, and 2M with the coefficient that it calls heun, 50 steps from 80 to
0.01).

levels: of the default sampler, also on Gaussians of standard deviation 0.03 to 60: in a smooth field of many cells the amplitudes of the
large scales stand out that far beside white noise.

costs: the time of a sampler that is not its denoiser's, over the network's, in CPU time of one thread: for the network of the quickstart on
8 members of its domain, and for a network that takes 5 ms on 100 000 values. Rounds interleaved, medians.
"""

import argparse
import functools
import itertools
import math
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from scipy import special
from scipy.stats import qmc

import wxexp as wx
from wxexp.config import exports, from_tree
from wxexp.diffusion.denoisers import ExactGaussian, Mixture, NetworkDenoiser
from wxexp.fields.grid import Grid
from wxexp.interfaces import Denoiser, Inputs, Levels, Noise, Ports, Sampler

BUDGETS = (4, 6, 9, 12, 18, 25, 36)
POINTS, SOBOL = 2048, 2**15
STD = 0.5
WEIGHTS, MEANS, STDS = np.array([0.4, 0.6]), np.array([-1.0, 1.5]), np.array([0.3, 0.2])
GAUSSIAN = ExactGaussian(1.0, STD**2)
MIXTURE = Mixture(*(torch.from_numpy(a) for a in (WEIGHTS, MEANS[:, None, None], STDS**2)))


def fields(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float64))[:, None, None]


def quantiles(p: np.ndarray, s: float) -> np.ndarray:
    """Of the mixture noised to s, by bisection."""
    width = np.sqrt(STDS**2 + s**2)
    low, high = np.full(p.shape, -3 - 9 * s), np.full(p.shape, 3 + 9 * s)
    for _ in range(70):
        middle = (low + high) / 2
        below = (WEIGHTS * special.ndtr((middle[:, None] - MEANS) / width)).sum(1) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


class Given:
    """Noises [draws, N, 1, 1] in the order in which they are drawn."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values, self.drawn = values, 0

    def prior(self) -> torch.Tensor:
        raise NotImplementedError

    def at(self, *key: int) -> torch.Tensor:
        self.drawn += 1
        return self.values[self.drawn - 1]

    def brownian(self, s0: float, s1: float) -> torch.Tensor:
        return self.at()


def gaussian_error(sampler: Sampler, std: float = STD) -> float:
    """Relative error of the standard deviation."""
    gamma = sampler.levels.gamma(sampler.steps)
    start, law = math.hypot(std, math.exp(-gamma[0].item() / 2)), ExactGaussian(1.0, std**2)
    if sampler.stochastic:
        impulses = torch.eye(sampler.steps + 1, dtype=torch.float64)[:, :, None, None]
        x = sampler.sample(law, 1 + start * impulses[0], gamma, Given(impulses[1:]))
        return (x - 1).square().sum().sqrt().item() / std - 1
    z = fields(special.ndtri((np.arange(POINTS) + 0.5) / POINTS))
    x = sampler.sample(law, 1 + start * z, gamma, Given(z[:0]))
    return ((x - 1).square().mean() / (std * z).square().mean()).sqrt().item() - 1


def mixture_error(sampler: Sampler) -> float:
    """Wasserstein-1 distance."""
    gamma = sampler.levels.gamma(sampler.steps)
    s = math.exp(-gamma[0].item() / 2)
    count = SOBOL if sampler.stochastic else POINTS
    p, noises = (np.arange(count) + 0.5) / count, np.zeros((0, count))
    at = p
    if sampler.stochastic:
        points = qmc.Sobol(sampler.steps + 1, scramble=True, rng=0).random(count)
        at, noises = points[:, 0], special.ndtri(np.clip(points[:, 1:].T, 1e-12, 1 - 1e-12))
    noise = Given(torch.from_numpy(np.ascontiguousarray(noises))[..., None, None])
    x = sampler.sample(MIXTURE, fields(quantiles(at, s)), gamma, noise).flatten().numpy()
    return float(np.mean(np.abs(np.sort(x) - quantiles(p, 0.0))))


def within(cls: type[Sampler], budget: int, error: Callable[[Sampler], float]) -> float | None:
    """The error with as many steps as `budget` evaluations allow; None where that is too few."""
    if cls.adaptive:
        return min((found for calls, found in adaptive(cls, error) if calls <= budget), key=abs, default=None)
    steps = (budget - 1 - cls.startup) // cls.evaluations + 1
    return error(cls(steps=steps)) if steps >= max(2, cls.order) else None


@functools.cache
def adaptive(cls: type[Sampler], error: Callable[[Sampler], float]) -> list[tuple[int, float]]:
    """Evaluations of the slowest member and error, for many tolerances and first steps."""
    settings = itertools.product(np.geomspace(3, 1e-3, 13).tolist(), (3, 6, 18))
    trees = ({"type": cls.__name__, "rtol": tolerance, "atol": 0.1 * tolerance, "steps": steps} for tolerance, steps in settings)
    return [measured(from_tree(tree, Sampler), error) for tree in trees]


def measured(sampler: Sampler, error: Callable[[Sampler], float]) -> tuple[int, float]:
    """Evaluations of the slowest member, and error."""
    denoise, p = Timed(GAUSSIAN if error is gaussian_error else MIXTURE), (np.arange(POINTS) + 0.5) / POINTS
    y = fields(1 + 80 * special.ndtri(p) if error is gaussian_error else quantiles(p, 80.0))
    sampler.sample(denoise, y, sampler.levels.gamma(sampler.steps), Given(y[:0]))
    return denoise.calls, error(sampler)


class Timed:
    """A function that counts its calls and their CPU time."""

    def __init__(self, function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        self.function, self.calls, self.seconds = function, 0, 0.0

    def __call__(self, y: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        start = time.process_time()
        out = self.function(y, gamma)
        self.seconds += time.process_time() - start
        self.calls += 1
        return out


# What others ship


class KDiffusionLMS(Sampler):
    """Adams and Bashforth's method in s with orders 1, 2, 3 and 4 at the first steps; a last step of that kind to s = 0."""

    order, evaluations, stochastic, source = 4, 1, False, "k-diffusion, sample_lms"
    steps: int = 50
    levels: Levels = wx.levels.Karras(sigma_min=0.01)

    def sample(self, denoise: Denoiser, y: torch.Tensor, gamma: torch.Tensor, noise: Noise) -> torch.Tensor:
        s = [*torch.exp(-gamma / 2).tolist(), 0.0]
        slopes: list[torch.Tensor] = []
        for i, level in enumerate(gamma):
            slopes = [*slopes[-3:], (y - denoise(y, level)) / s[i]]
            nodes = s[i + 1 - len(slopes) : i + 1]
            for j, slope in enumerate(slopes):
                basis = np.polynomial.Polynomial([1.0])
                for k, node in enumerate(nodes):
                    if k != j:
                        basis = basis * np.polynomial.Polynomial([-node, 1.0]) / (nodes[j] - node)
                integral = basis.integ()
                y = y + float(integral(s[i + 1]) - integral(s[i])) * slope
        return y


class KDiffusion2M(Sampler):
    """The solver that k-diffusion calls 2M SDE of type heun, without noise."""

    order, evaluations, stochastic, source = 2, 1, False, "k-diffusion, sample_dpmpp_2m_sde"
    steps: int = 50
    levels: Levels = wx.levels.Karras(sigma_min=0.01)

    def sample(self, denoise: Denoiser, y: torch.Tensor, gamma: torch.Tensor, noise: Noise) -> torch.Tensor:
        before: tuple[torch.Tensor, float] | None = None
        for here, there in pairwise(gamma):
            h, x = (there - here).item() / 2, denoise(y, here)
            y = math.exp(-h) * y - math.expm1(-h) * x
            if before is not None:
                y = y + (1 + math.expm1(-h) / h) * h / before[1] * (x - before[0])
            before = (x, h)
        return denoise(y, gamma[-1])


SHIPPED: dict[str, Sampler] = {
    "CorrDiff stochastic: Heun, 18 steps from s = 800": wx.samplers.Heun(steps=18, levels=wx.levels.Karras(sigma_max=800.0)),
    "CorrDiff deterministic: Euler, 9 steps": wx.samplers.Euler(steps=9),
    "k-diffusion: LMS, 50 steps": KDiffusionLMS(),
    "k-diffusion: 2M of type heun, 50 steps": KDiffusion2M(),
}


def evaluations(sampler: Sampler) -> int:
    return (sampler.steps - 1) * sampler.evaluations + 1 + sampler.startup


def row(name: str, cells: list[str]) -> None:
    print(f"| {name} | " + " | ".join(cells) + " |")


def percent(error: float) -> str:
    return f"{100 * error:+.0f}" if abs(error) >= 1 else f"{100 * error:+.3g}"


def errors() -> None:
    shown: dict[Callable[[Sampler], float], tuple[str, Callable[[float], str]]] = {
        gaussian_error: ("N(1, 0.5²): error of the standard deviation, %", percent),
        mixture_error: ("mixture: Wasserstein-1 distance", lambda e: f"{e:.2g}"),
    }
    for error, (title, form) in shown.items():
        print()
        row(title, [str(budget) for budget in BUDGETS])
        row("---", ["---:"] * len(BUDGETS))
        for name, cls in sorted(exports(Sampler).items()):
            cells = [within(cls, budget, error) for budget in BUDGETS]
            row(f"{name}, {type(cls().levels).__name__}", ["" if cell is None else form(cell) for cell in cells])
        print()
        for cls in (cls for cls in exports(Sampler).values() if cls.adaptive):
            calls, found = measured(cls(), error)
            print(f"{cls.__name__} with its own tolerance: {calls} evaluations of the slowest member, {form(found)}")
        for name, sampler in {"Heun, 18 steps on the levels of EDM": wx.samplers.Heun(), **SHIPPED}.items():
            print(f"{name}: {evaluations(sampler)} evaluations, {form(error(sampler))}")


def levels() -> None:
    spreads = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)

    def of(sampler: Sampler) -> list[str]:
        gaussian = [percent(gaussian_error(sampler, std)) for std in (STD, *spreads)]
        return [str(evaluations(sampler)), f"{mixture_error(sampler):.2g}", *gaussian]

    print()
    row("sampler, levels", ["evaluations", "mixture", *(f"N(0, {std:g}²), %" for std in (STD, *spreads))])
    row("---", ["---:"] * (3 + len(spreads)))
    row("Heun, Karras", of(wx.samplers.Heun(steps=18)))
    for steps in (12, 18):
        for name in ("Karras", "Exponential", "LogNormal"):
            row(f"DPMSolver2M, {name}", of(wx.samplers.DPMSolver2M(steps=steps, levels=exports(Levels)[name]())))


class Drawn:
    """Noise that costs nothing."""

    def __init__(self, y: torch.Tensor) -> None:
        self.y = y

    def prior(self) -> torch.Tensor:
        return self.y

    def at(self, *key: int) -> torch.Tensor:
        return self.y

    def brownian(self, s0: float, s1: float) -> torch.Tensor:
        return self.y


def quickstart() -> tuple[Callable[[torch.Tensor, torch.Tensor], torch.Tensor], torch.Tensor]:
    """Its network, untrained, and the state of 8 members."""
    experiment = wx.load(str(Path(__file__).parents[2] / "experiments" / "quickstart.py"))
    height, width, members = 80, 152, 8
    grid = Grid("latlon", np.linspace(43, 49.6, height), np.linspace(-80, -67.4, width))
    network = experiment.model.build(Ports(target=3, condition=6, static=1, out=3, level=1, grid=grid), None).eval()
    given = {"condition": torch.randn(members, 6, height, width), "static": torch.randn(1, 1, height, width)}
    lead, origin = torch.zeros(members), torch.zeros(members, 2, dtype=torch.int64)

    def call(y: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        return network(y, Inputs(given["condition"], given["static"], lead, origin, level=level))

    return call, torch.randn(members, 3, height, width, dtype=torch.float64)


def busy(y: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """5 ms of CPU time."""
    square, end = torch.ones(64, 64), time.process_time() + 0.005
    while time.process_time() < end:
        square @ square
    return y


def costs() -> None:
    small = torch.randn(4, 1, 25_000, dtype=torch.float64)
    cases = [("the quickstart's network", *quickstart(), 6, 5, ("DPMSolver2M", "Heun"))]
    cases.append(("a network of 5 ms", busy, small, 12, 9, tuple(sorted(exports(Sampler)))))
    edm = wx.diffusion.parameterizations.EDM()
    wrapping = {"parameterization": edm, "scaling": edm.scaling(), "conditioning": edm.conditioning()}
    for title, function, y, steps, rounds, names in cases:
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
        for turn in range(rounds + 1):
            for name in names:
                sampler = exports(Sampler)[name](steps=steps)
                network = Timed(function)
                denoise = Timed(NetworkDenoiser(network, **wrapping))
                gamma = sampler.levels.gamma(steps)
                start = time.process_time()
                with torch.no_grad():
                    sampler.sample(denoise, y, gamma, Drawn(y))
                whole = time.process_time() - start
                if turn:
                    of = network.seconds
                    found[name].append((of / network.calls, (whole - denoise.seconds) / of, (denoise.seconds - of) / of))
        print(f"\n{title}, {y.numel()} values")
        for name, values in found.items():
            each, sampling, around = (statistics.median(column) for column in zip(*values, strict=True))
            print(f"    {name:22} {each * 1e3:6.1f} ms a call; arithmetic of the sampler {sampling:6.2%}, around the network {around:6.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"errors": errors, "levels": levels, "costs": costs}
    parser.add_argument("part", nargs="?", choices=parts)
    chosen = parser.parse_args().part
    torch.set_num_threads(1)
    start = time.perf_counter()
    for name, part in parts.items():
        if chosen in (None, name):
            part()
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
