"""A made-up region whose downscaling has a known answer.

Daily fields of temperature `tas` (K) and precipitation `pr` (mm day-1, never below 0) over an orography, with sea in some cells (NaN). They
are built from the coarse fields up, so that the distribution of a fine field given its coarse one is known in closed form. With w the
area of a cell as a part of the valid area of its block (they add up to 1), o its altitude, [.] the weighted mean over the block:

    tas = T + lapse (o - [o]) + (n - [n])                 T: the coarse tas interpolated, shifted in each block to keep its mean
                                                          n: independent N(0, spread^2), spread = noise (1 + o / 1000 m)
    pr  = P d / w,  d ~ Dirichlet(alpha)                  P: the coarse pr, 0 on dry days
                                                          alpha = shape N w exp(o / 500 m) / [exp(o / 500 m)], N: valid cells of the block

so that block means are the coarse fields exactly. Given the coarse fields, tas in a cell is normal and pr / (P / w) is Beta distributed.
Coarse fields are Gaussian random fields with a red spectrum, AR(1) in time, plus a seasonal cycle for tas.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import torch
import xarray as xr

from wxexp.config import at_least, to_tree
from wxexp.fields.grid import Grid
from wxexp.fields.interpolation import block_mean, block_sum, coarse_shape, expand, interpolate
from wxexp.fields.seeds import stream
from wxexp.interfaces import Fields, Source, Variable

VERSION = 1  # of the algorithm
LAPSE = -6.5e-3  # K m-1, of the standard atmosphere
RELIEF = 500.0  # m over which rain grows by a factor e
START = "2000-01-01"


class SyntheticFields(Source):
    """Fields on a latitude-longitude grid from 40 N, 0 E, at `spacing` degrees; see `conditional` for the known answer."""

    cells: tuple[int, int] = (32, 48)
    times: int = 168
    factor: int = 8
    """Cells along the side of the blocks for which the answer is known; downscale by the same factor."""
    noise: float = 1.0
    """Standard deviation in K of what the coarse tas does not say, at altitude 0."""
    shape: float = 2.0
    """How even rain is within a block: the mean Dirichlet parameter."""
    sea: float = 0.2
    """Part of the cells that is sea, and masked."""
    spacing: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(self, 1, "times")
        at_least(self, 2, "factor")
        if min(self.cells) < self.factor:
            raise ValueError(f"SyntheticFields.cells must be at least one block of {self.factor} each way, got {self.cells}")
        for name in ("noise", "shape", "spacing"):
            if getattr(self, name) <= 0:
                raise ValueError(f"SyntheticFields.{name} must be positive, got {getattr(self, name)}")
        if not 0 <= self.sea < 1:
            raise ValueError(f"SyntheticFields.sea must be in [0, 1), got {self.sea}")

    def open(self) -> Fields:
        answer, grid = self.conditional(), self.grid()
        warm, wet = self._coarse()
        random = stream("synthetic", self.seed, "fine")
        tas, pr = answer.temperature(warm, random), answer.precipitation(wet, random)
        day = np.datetime64(START, "s") + np.arange(self.times).astype("timedelta64[D]")
        dims = ("time", *grid.dims)
        data = xr.Dataset(
            {
                "tas": (dims, tas.astype(np.float32), {"units": "K", "long_name": "near-surface air temperature"}),
                "pr": (dims, pr.astype(np.float32), {"units": "mm day-1", "long_name": "precipitation"}),
                "orog": (grid.dims, answer.orography.astype(np.float32), {"units": "m", "long_name": "surface altitude"}),
            },
            coords={"time": day, "lat": grid.lat, "lon": grid.lon},
        )
        variables = {
            "tas": Variable("tas", "K", "prognostic"),
            "pr": Variable("pr", "mm day-1", "prognostic"),
            "orog": Variable("orog", "m", "static"),
        }
        return Fields(data, variables, grid, present=np.ones(self.times, dtype=bool))

    def identity(self) -> str:
        text = json.dumps([VERSION, to_tree(self)], sort_keys=True)
        return f"synthetic-fields-v{VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def grid(self) -> Grid:
        """North and east of 40 N, 0 E."""
        lat, lon = (start + self.spacing * np.arange(n) for start, n in zip((40.0, 0.0), self.cells, strict=True))
        return Grid("latlon", lat, lon)

    def conditional(self) -> Conditional:
        """The distribution of fine fields given coarse ones."""
        height = 800.0 * np.maximum(0.0, _red(self.cells, 1, stream("synthetic", self.seed, "orography"))[0] + 0.5)
        coast = _red(self.cells, 1, stream("synthetic", self.seed, "coast"))[0]
        land = coast >= np.quantile(coast, self.sea)
        orography = np.where(land, height, 0.0)
        return Conditional(orography, land, self.grid().area() * land, self.factor, self.noise, self.shape)

    def _coarse(self) -> tuple[np.ndarray, np.ndarray]:
        """Coarse tas (K) and pr (mm day-1), [time, *s]: a warm day is wetter."""
        size = coarse_shape(self.cells, self.factor)
        warm, wet = (_persistent(_red(size, self.times, stream("synthetic", self.seed, name)), 0.7) for name in ("warm", "wet"))
        year = 2 * np.pi * np.arange(self.times) / 365.25
        rain = np.maximum(0.0, 0.8 * wet + 0.3 * warm)
        return 283.0 - 10.0 * np.cos(year)[:, None, None] + 4.0 * warm, 6.0 * rain**2


@dataclasses.dataclass(frozen=True)
class Conditional:
    """The known answer of a `SyntheticFields`.

    Attributes:
        orography: [H, W] m, 0 at sea.
        land: bool [H, W].
        weights: [H, W], cell areas, 0 at sea.
        factor, noise, shape: as in `SyntheticFields`.
    """

    orography: np.ndarray
    land: np.ndarray
    weights: np.ndarray
    factor: int
    noise: float
    shape: float

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Block means [..., H, W] -> [..., h, w]."""
        return block_mean(x, self.factor, weights=self.weights)

    def onto(self, x: np.ndarray) -> np.ndarray:
        """The value of its block in every cell, [..., h, w] -> [..., H, W]."""
        return expand(x, self.factor, self.land.shape)

    @property
    def parts(self) -> np.ndarray:
        """w: a cell's part of the valid area of its block, 0 at sea [H, W]."""
        total = self.onto(block_sum(self.weights, self.factor, dims=2))
        return self.weights / np.where(total > 0, total, 1.0)

    def temperature_mean(self, coarse: np.ndarray) -> np.ndarray:
        """Expected tas [time, H, W] given coarse tas [time, h, w]."""
        coarse = self.mean(self.onto(coarse))  # blocks of sea have the nearest land's value, as a downscaling dataset gives them
        base = interpolate(torch.from_numpy(coarse)[:, None], self.factor, self.land.shape, method="bicubic")[:, 0].numpy()
        relief = LAPSE * self.orography
        expected: np.ndarray = base + self.onto(coarse - self.mean(base)) + relief - self.onto(self.mean(relief))
        return expected

    def temperature_std(self) -> np.ndarray:
        """Standard deviation of tas given the coarse fields, [H, W]: var = s^2 (1 - 2 w) + sum over the block of w^2 s^2."""
        w, variance = self.parts, self._spread() ** 2
        shared = self.onto(block_sum(w**2 * variance, self.factor, dims=2))
        return np.asarray(np.sqrt(np.maximum(variance * (1 - 2 * w) + shared, 0.0)))

    def precipitation_beta(self) -> tuple[np.ndarray, np.ndarray]:
        """(a, b) [H, W]: given the coarse pr P, pr is P / w times a Beta(a, b) variable; b = 0 means pr = P / w, the only valid cell."""
        a = self._alpha()
        return a, self.onto(block_sum(a, self.factor, dims=2)) - a

    def temperature(self, coarse: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A sample [time, H, W], NaN at sea."""
        n = self._spread() * random.standard_normal((len(coarse), *self.land.shape))
        return np.where(self.land, self.temperature_mean(coarse) + n - self.onto(self.mean(n)), np.nan)

    def precipitation(self, coarse: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A sample [time, H, W], NaN at sea."""
        g = random.standard_gamma(np.broadcast_to(self._alpha(), (len(coarse), *self.land.shape)))
        total = self.onto(block_sum(g, self.factor, dims=2))
        d = np.divide(g, total, out=np.zeros_like(g), where=total > 0)
        w = np.where(self.land, self.parts, 1.0)
        return np.where(self.land, self.onto(coarse) * d / w, np.nan)

    def _spread(self) -> np.ndarray:
        return self.noise * (1 + self.orography / 1000.0)

    def _alpha(self) -> np.ndarray:
        lift = np.exp(self.orography / RELIEF)
        cells = self.onto(block_sum(self.land.astype(np.float64), self.factor, dims=2))
        return np.asarray(self.shape * cells * self.parts * lift / self.onto(self.mean(lift)))


def _red(size: tuple[int, ...], count: int, random: np.random.Generator) -> np.ndarray:
    """`count` Gaussian random fields [count, *size] of power ~ k^-3 in two dimensions, each of mean 0 and variance 1 over its cells."""
    doubled = tuple(2 * n for n in size)  # cut from a torus twice as large, whose edges do not match
    ky, kx = np.fft.fftfreq(doubled[0])[:, None] * doubled[0], np.fft.rfftfreq(doubled[1])[None] * doubled[1]
    k = np.hypot(ky, kx)
    amplitude = np.where(k > 0, np.maximum(k, 1.0) ** -1.5, 0.0)
    noise = np.fft.rfft2(random.standard_normal((count, *doubled)))
    field: np.ndarray = np.fft.irfft2(noise * amplitude, s=doubled, axes=(-2, -1))[:, : size[0], : size[1]]
    axes = (-2, -1)
    return np.asarray((field - field.mean(axes, keepdims=True)) / np.maximum(field.std(axes, keepdims=True), 1e-12))


def _persistent(x: np.ndarray, memory: float) -> np.ndarray:
    """AR(1) in time of the same variance, from independent fields [time, ...]."""
    out = x.copy()
    for t in range(1, len(x)):
        out[t] = memory * out[t - 1] + np.sqrt(1 - memory**2) * x[t]
    return out
