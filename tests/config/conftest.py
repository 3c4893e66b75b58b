"""A toy project with kinds, nouns and an experiment file: what the configuration layer knows nothing about."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # toy and lab are packages

import toy as wx  # noqa: E402

from wxexp.config import load  # noqa: E402


@pytest.fixture(scope="session")
def file() -> Path:
    return HERE / "experiments" / "toy_residual.py"


@pytest.fixture(scope="session")
def e(file: Path) -> wx.Experiment:
    return load(file, wx.Experiment).experiment


@pytest.fixture
def lab() -> Iterator[None]:
    """Forgets the packages that a test imports."""
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "lab"]:
        del sys.modules[name]
