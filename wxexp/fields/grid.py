"""Where cells are, and how much each counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np

EARTH_RADIUS_KM = 6371.0  # mean radius (IUGG R1 = 6371.0088)
Coordinate = tuple[tuple[str, ...], np.ndarray, Mapping[str, str]]
"""Dims, values, attributes."""


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """The grid of a field *S.

    Attributes:
        kind: "latlon" (lat [H], lon [W]), "projected" (lat, lon [H, W]), "cells" (lat, lon [X]) or "ring" (lon [X], no latitude).
        lat: degrees north; None on a ring.
        lon: degrees east; on a ring the place of each cell.
        dx_km: spacing in x; None where it varies or means nothing.
        dy_km: spacing in y.
        periodic_x: True if the last column touches the first.
    """

    kind: Literal["latlon", "projected", "cells", "ring"]
    lat: np.ndarray | None
    lon: np.ndarray
    dx_km: float | None = None
    dy_km: float | None = None
    periodic_x: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """*S."""
        if self.kind == "latlon":
            assert self.lat is not None
            return (len(self.lat), len(self.lon))
        return self.lon.shape

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of *S on disk."""
        return {"latlon": ("lat", "lon"), "projected": ("y", "x"), "cells": ("cell",), "ring": ("x",)}[self.kind]

    def area(self) -> np.ndarray:
        """Relative cell areas, float64 *S, mean 1.

        On a latitude-longitude grid the exact area between the cell's edges, sin(lat_n) - sin(lat_s), with edges half-way between centres
        and never past the poles; uniform elsewhere.
        """
        if self.kind != "latlon":
            return np.ones(self.shape)
        assert self.lat is not None
        lat = np.asarray(self.lat, dtype=np.float64)
        if len(lat) == 1:
            return np.ones(self.shape)
        inner = (lat[1:] + lat[:-1]) / 2
        edges = np.concatenate([[lat[0] - (inner[0] - lat[0])], inner, [lat[-1] + (lat[-1] - inner[-1])]]).clip(-90.0, 90.0)
        band = np.abs(np.diff(np.sin(np.deg2rad(edges))))
        return np.broadcast_to((band / band.mean())[:, None], self.shape).copy()


def coordinates(grid: Grid) -> dict[str, Coordinate]:
    """Where the cells of *S are, for xarray: name -> dims, values, CF attributes."""
    north = {"standard_name": "latitude", "units": "degrees_north"}
    east = {"standard_name": "longitude", "units": "degrees_east"}
    if grid.kind == "ring":
        return {"x": (("x",), grid.lon, {"long_name": "place on the ring"})}
    assert grid.lat is not None
    if grid.kind == "latlon":
        return {"lat": (("lat",), grid.lat, north), "lon": (("lon",), grid.lon, east)}
    return {"lat": (grid.dims, grid.lat, north), "lon": (grid.dims, grid.lon, east)}
