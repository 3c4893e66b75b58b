"""The Lorenz-96 model: chaos on a ring, for tests and examples that need no data.

    dX_k/dt = (X_{k+1} - X_{k-2}) X_{k-1} - X_k + F

Lorenz 1996 (Predictability: a problem partly solved, ECMWF seminar); one time unit is about five days of the atmosphere, so that 0.05 is
six hours. Integrated with the classical fourth-order Runge-Kutta scheme in float64. For F = 8 the climate has mean 2.34 and standard
deviation 3.64, and <X^2> = F <X>, which follows from the energy equation.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
import xarray as xr

from wxexp.config import at_least, to_tree
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import stream
from wxexp.interfaces import Fields, Source, Variable

VERSION = 1  # of the algorithm
HOURS = 120.0  # in a time unit
START = "2000-01-01T00:00:00"


class Lorenz96(Source):
    """Simulated trajectories of `state`, X_k, on a ring, one after the other in time, with a missing time between two."""

    cells: int = 40
    forcing: float = 8.0
    dt: float = 0.05
    """Step of the integration, in time units of 5 days."""
    every: int = 1
    """Integration steps between stored states."""
    steps: int = 2_000
    """Stored states of a trajectory."""
    trajectories: int = 8
    spin_up: int = 2_000
    """Integration steps before the first stored state."""
    seed: int = 0
    masked: tuple[int, ...] = ()
    """Cells of which nothing is known: NaN at all times, as land is for the sea."""

    def __post_init__(self) -> None:
        at_least(self, 4, "cells")
        at_least(self, 1, "every", "steps", "trajectories")
        at_least(self, 0, "spin_up")
        if not 0 < self.dt <= 0.1:
            raise ValueError(f"Lorenz96.dt must be in (0, 0.1], where the scheme is stable, got {self.dt}")
        if not set(self.masked) < set(range(self.cells)):
            raise ValueError(f"Lorenz96.masked must be some of the cells 0 ... {self.cells - 1}, not all, got {self.masked}")

    @property
    def step_hours(self) -> float:
        """Hours between stored states."""
        return self.dt * self.every * HOURS

    def open(self) -> Fields:
        noise = stream("lorenz96", self.seed).standard_normal((self.trajectories, self.cells))
        x = integrate(self.forcing + 1e-3 * noise, forcing=self.forcing, dt=self.dt, steps=self.spin_up)[-1]
        states = integrate(x, forcing=self.forcing, dt=self.dt, steps=(self.steps - 1) * self.every)[:: self.every]
        values = np.full((self.trajectories, self.steps + 1, self.cells), np.nan, dtype=np.float32)
        values[:, :-1] = states.transpose(1, 0, 2)
        values[..., list(self.masked)] = np.nan
        present = np.ones((self.trajectories, self.steps + 1), dtype=bool)
        present[:, -1] = False
        states_of_time = values.reshape(-1, self.cells)[:-1]  # no gap after the last
        seconds = np.round(np.arange(len(states_of_time)) * self.step_hours * 3600).astype("timedelta64[s]")
        grid = Grid("ring", None, np.arange(self.cells, dtype=np.float64), periodic_x=True)
        data = xr.Dataset(
            {"state": (("time", "x"), states_of_time, {"units": "1", "long_name": "Lorenz-96 state"})},
            coords={"time": np.datetime64(START, "s") + seconds},
        )
        return Fields(data, {"state": Variable("state", "1", "prognostic")}, grid, present.reshape(-1)[:-1])

    def identity(self) -> str:
        tree = {name: value for name, value in to_tree(self).items() if name != "masked" or self.masked}
        text = json.dumps([VERSION, tree], sort_keys=True)
        return f"lorenz96-v{VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def tendency(x: np.ndarray, *, forcing: float) -> np.ndarray:
    """dX/dt of states [..., cells]."""
    slope: np.ndarray = (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1) - x + forcing
    return slope


def integrate(x: np.ndarray, *, forcing: float, dt: float, steps: int) -> np.ndarray:
    """The states x(0), x(dt), ..., x(steps dt): float64 [steps + 1, trajectories, cells] from x [trajectories, cells].

    Classical Runge-Kutta; a trajectory does not depend on the others.
    """
    n = x.shape[-1]
    out: np.ndarray = np.empty((steps + 1, *x.shape))
    out[0] = x
    # one ring and three cells of the next, so that neighbours are views and not copies: three times as fast as np.roll
    ring = np.empty((*x.shape[:-1], n + 3))

    def slope(x: np.ndarray) -> np.ndarray:
        ring[..., 2 : n + 2] = x
        ring[..., :2], ring[..., n + 2] = x[..., -2:], x[..., 0]
        change: np.ndarray = (ring[..., 3:] - ring[..., :n]) * ring[..., 1 : n + 1] - x + forcing
        return change

    for step in range(steps):
        x = out[step]
        k1 = slope(x)
        k2 = slope(x + dt / 2 * k1)
        k3 = slope(x + dt / 2 * k2)
        k4 = slope(x + dt * k3)
        out[step + 1] = x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return out
