"""Geometry and randomness shared by all kinds: grids, area weights, interpolation, masked means, keyed draws."""
