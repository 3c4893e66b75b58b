"""Every type a field can have."""

import enum
from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar, Literal

from wxexp.config import Spec

__all__ = ["Leaves"]


class Season(enum.Enum):
    WINTER = "DJF"
    SUMMER = "JJA"


class Leaves(Spec):
    registry: ClassVar[str] = __name__
    flag: bool = False
    count: int = 0
    rate: float = 0.0
    text: str = ""
    choice: Literal["fair", "biased", "1", 2, True] = "fair"
    season: Season = Season.WINTER
    pair: tuple[int, float] = (1, 2.0)
    words: tuple[str, ...] = ()
    boxes: tuple[tuple[int, int], ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None
    note: str | None = None
    inner: "Leaves | None" = None
    others: "Mapping[str, Leaves] | None" = None
