from pathlib import Path

import pytest

ECHO = """
import os, sys
def experiment():
    print("words", sys.argv[1:], "commit", os.environ.get("WXEXP_COMMIT"), "folder", sorted(os.listdir(".")), flush=True)
    raise ValueError("there is no such weather")
"""
SLEEP = "import time\ndef experiment():\n    print('asleep', flush=True)\n    time.sleep(100)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A working directory with experiments, and with what must not leave it."""
    folder = tmp_path / "project"
    for name, text in {"experiments/echo.py": ECHO, "experiments/sleep.py": SLEEP, ".gitignore": "*.nc\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in (
        ".git/config",
        "runs/x-1/experiment.json",
        "data/a.grib",
        "era5.nc",
        "experiments/__pycache__/echo.pyc",
        "package/data/ours.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("12345")
    return folder
