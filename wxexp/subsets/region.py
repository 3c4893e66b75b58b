"""Boxes of latitude and longitude."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Opened, Subset

DEGREES = 1e-4
"""What coordinates in float32 may be off."""


class Region(Subset):
    """Cells whose centre is from `south` to `north` and, going east, from `west` to `east`; the edges belong to it.

    Degrees; longitudes in any turn, so that west=350, east=30 and west=-10, east=30 are the same. Without them: all round.
    """

    south: float = -90.0
    north: float = 90.0
    west: float | None = None
    east: float | None = None

    def __post_init__(self) -> None:
        if not -90.0 <= self.south < self.north <= 90.0:
            raise ValueError(f"Region.south must be less than north, both from -90 to 90, got {self.south} and {self.north}")
        if (self.west is None) != (self.east is None):
            raise ValueError(f"Region.west and east must both be given or neither, got {self.west} and {self.east}")
        if self.west is not None and self.west == self.east:
            raise ValueError(f"Region.west and east must differ, got {self.west} twice")

    def cells(self, opened: Opened) -> np.ndarray:
        grid = opened.grid
        if grid.lat is None:
            raise ValueError("a Region needs latitudes, which the grid does not have")
        lat, lon = np.asarray(grid.lat, dtype=np.float64), np.asarray(grid.lon, dtype=np.float64)
        if grid.kind == "latlon":
            lat = lat[:, None]
        inside = (lat >= self.south - DEGREES) & (lat <= self.north + DEGREES)
        if self.west is not None and self.east is not None:
            width = (self.east - self.west) % 360.0 or 360.0
            inside = inside & ((lon - self.west + DEGREES) % 360.0 <= width + 2 * DEGREES)
        return np.broadcast_to(inside, grid.shape).copy()
