"""Components of somebody else, which no registry exports."""

import toy as wx
from toy.interfaces import Levels, Sampler


class Mine(Sampler):
    steps: int = 4
    levels: Levels = wx.levels.Karras()
    tag: str | None = None
