"""Checks of fields that many components need: one wording for all."""

from __future__ import annotations

from .tree import Spec


def at_least(spec: Spec, least: float, *names: str) -> None:
    """Refuses, with a ValueError, a component with a field below `least`; None and NaN pass."""
    for name in names:
        value = getattr(spec, name)
        if value is not None and value < least:
            raise ValueError(f"{type(spec).__name__}.{name} must be at least {least:g}, got {value}")
