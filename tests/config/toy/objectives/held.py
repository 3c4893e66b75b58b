from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from toy.experiment import Experiment
from toy.interfaces import Objective


class Distilled(Objective):
    """Learns from members of a teacher."""

    held: ClassVar[Mapping[str, str]] = {"teacher": "sample"}
    teacher: Experiment


class Blend(Objective):
    """Learns on top of several, by name, whose members it is fed."""

    held: ClassVar[Mapping[str, str]] = {"experts": "sample"}
    experts: Mapping[str, Experiment] = field(default_factory=dict)
