"""Groups of cells, which are weighted in the one pass over the members, and of cases, which are chosen afterwards, of the sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wxexp.interfaces import Item, Opened, Subset

ALL = "all"


def cells(groups: Mapping[str, Subset], opened: Opened, *, what: str = "Scoring.groups") -> dict[str, np.ndarray]:
    """Of everything and of every group that is not the whole grid, bool [*S]; ValueError, with its name, for one that cannot be."""
    found = {ALL: np.ones(opened.grid.shape, dtype=bool)}
    for name, subset in groups.items():
        try:
            inside = subset.cells(opened)
        except ValueError as error:
            raise ValueError(f"{what}[{name!r}]: {error}") from error
        if inside is not None:
            found[name] = inside
    return found


def check_cells(found: Mapping[str, np.ndarray], mask: np.ndarray, *, what: str = "Scoring.groups") -> None:
    """Raises ValueError for a group without a cell in the mask [variable, *S]."""
    for name, inside in found.items():
        if not (inside & mask).any():
            raise ValueError(
                f"{what}[{name!r}] has no cell that is scored: {int(inside.sum())} of {inside.size} cells belong to it"
                f"{', all masked' if inside.any() else ''}"
            )


def cases(groups: Mapping[str, Subset], items: Sequence[Item], *, what: str = "Scoring.groups") -> dict[str, list[int]]:
    """The cases of every group that has not all, by number.

    Raises:
        ValueError: for a group without any.
    """
    found: dict[str, list[int]] = {}
    for name, subset in groups.items():
        if (chosen := subset.cases(items)) is not None:
            found[name] = np.flatnonzero(chosen).tolist()
            if not found[name]:
                raise ValueError(
                    f"{what}[{name!r}] has none of the {len(items)} times that are scored, {items[0].time} to {items[-1].time}"
                )
    return found
