"""Sums that another run of scoring left: other metrics of the same members need no second look at them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import zarr

from wxexp.scoring.files import replacing
from wxexp.scoring.plan import Tree

STORES = ("maps.zarr", "scores.zarr")


def reuse(*, tree: Tree, out: Path, others: Iterable[Path]) -> Path | None:
    """Copies finished scores into `out` from the first of the other folders whose sums have all that is needed; None: there is none.

    They must be sums of the same members: of the same cases, baselines and groups, by more statistics and maps or the same.

    Args:
        tree: from `prepare`.
        out: folder; nothing is done where it has scores or parts of them.
        others: folders of scores of the same drawing of members.
    """
    if (out / "scores.zarr").exists() or (out / "scores.parts").exists():
        return None
    for other in sorted(others):
        if other != out and all((other / store).exists() for store in STORES) and _covers(other / "scores.zarr", tree):
            for store in STORES:
                with replacing(out / store) as temporary:
                    shutil.copytree(other / store, temporary)
            return other
    return None


def _covers(path: Path, tree: Tree) -> bool:
    plan: Mapping[str, Any] = zarr.open_group(path, mode="r", zarr_format=3).attrs["plan"]  # type: ignore[assignment]
    mine = dict(tree["plan"])
    same = all(name in plan and plan[name] == value for name, value in mine.items() if name not in ("statistics", "maps"))
    maps = plan.get("maps", {})
    drawn = all(name in maps and maps[name] == metric for name, metric in tree["plan"].get("maps", {}).items())
    return same and drawn and set(tree["plan"]["statistics"]) <= set(plan["statistics"])
