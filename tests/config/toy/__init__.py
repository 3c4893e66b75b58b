"""A toy project on the configuration layer; `import toy as wx` imports nothing until a name is used."""

from importlib import import_module
from typing import Any

_KINDS = ("datasets", "leaves", "levels", "metrics", "models", "objectives", "samplers")
_NAMES = ("Ensemble", "Experiment", "Scoring", "Training")


def __getattr__(name: str) -> Any:
    if name in _KINDS:
        return import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(import_module(f"{__name__}.experiment"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*_KINDS, *_NAMES]
