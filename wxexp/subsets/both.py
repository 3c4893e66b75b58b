"""What two subsets have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wxexp.interfaces import Item, Opened, Subset


class Both(Subset):
    """Cells and initial times that belong to `first` and to `second`: a region in a season, the land of a region."""

    first: Subset
    second: Subset

    def cells(self, opened: Opened) -> np.ndarray | None:
        return _and(self.first.cells(opened), self.second.cells(opened))

    def cases(self, items: Sequence[Item]) -> np.ndarray | None:
        return _and(self.first.cases(items), self.second.cases(items))


def _and(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    return b if a is None else a if b is None else a & b
