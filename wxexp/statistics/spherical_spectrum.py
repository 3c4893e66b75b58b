"""Power by degree of spherical harmonics, of truth, members and ensemble mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from wxexp.fields.grid import Grid
from wxexp.interfaces.scoring import Statistic

if TYPE_CHECKING:
    from wxexp.fields.spherical import Nodes


class SphericalSpectrum(Statistic):
    """C_l = |a_l0|² + 2 Σ_{m>0} |a_lm|², in the square of the units; Σ_l C_l is 4π times the mean square of a field over the globe.

    Sums: `count` (cases) [G], `truth`, `members` (mean over the members' spectra) and `mean` (of the ensemble mean), each
    [G, degree + 1] for l = 0, 1, …, zero beyond where the transform is exact (`wxexp.fields.spherical`). The whole globe is needed: a group
    with a cell of weight 0, and a case with a cell without truth, are not counted. A NaN member propagates. Where the rows are, at Gauss'
    zeros or equidistant with or without poles, is told from the weights, which are areas of cells.

    Raises:
        ValueError: for a field that is not two-dimensional, and weights that are not those of a global grid.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("degree",) for name in ("truth", "members", "mean")}

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        from wxexp.fields.spherical import highest_degree

        if truth.ndim != 2:
            raise ValueError(f"SphericalSpectrum needs fields of latitude and longitude, got shape {truth.shape}")
        whole = (weights > 0).all(axis=(1, 2))
        lost = bool(np.isnan(truth).any())
        rows, columns = truth.shape
        kind = _nodes(weights[whole][0]) if whole.any() else None
        length = highest_degree(rows, columns, "gauss") + 1  # for all, as it must not change with the mask of a variable
        out: dict[str, np.ndarray] = {name: np.zeros((len(weights), length)) for name in self.dims}
        out["count"] = np.zeros(len(weights))
        if kind is None or lost:
            return out
        found = {
            "truth": _power(truth, kind),
            "members": np.mean([_power(member, kind) for member in members], axis=0),
            "mean": _power(members.mean(axis=0, dtype=np.float64), kind),
        }
        for name, values in found.items():
            out[name][whole, : len(values)] = values
        out["count"][whole] = 1.0
        return out


def _power(field: np.ndarray, kind: Nodes) -> np.ndarray:
    import torch  # here: whoever only names statistics in an experiment does not wait for torch

    from wxexp.fields.spherical import harmonics, power

    transform = harmonics(*field.shape, kind)
    return power(transform.analysis(torch.from_numpy(np.asarray(field, dtype=np.float64)))).numpy()


def _nodes(weights: np.ndarray) -> Nodes:
    """Where the rows are, from weights [rows, columns] all of which are positive."""
    from wxexp.fields.spherical import Nodes, nodes

    own = weights / weights.mean()
    for kind in get_args(Nodes):
        lat = np.rad2deg(np.arcsin(nodes(len(own), kind)[0]))
        if np.allclose(own, Grid("latlon", lat, np.arange(own.shape[1], dtype=np.float64)).area(), rtol=1e-4, atol=1e-9):
            return kind  # type: ignore[no-any-return]
    raise ValueError(
        f"SphericalSpectrum needs a global grid with rows at Gaussian latitudes, or equidistant with both poles or neither; the weights of "
        f"{len(own)} rows are not the areas of any"
    )
