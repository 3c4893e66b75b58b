"""The layers of the house hold, and the contracts that say so notice when they do not."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

VIOLATIONS = {
    "imports point down": ("fields/upward.py", "from wxexp.experiment import Experiment"),
    "kinds do not know each other": ("metrics/sideways.py", "import wxexp.schedulers"),
    "diffusion and statistics do not know each other": ("diffusion/sideways.py", "def late():\n    import wxexp.statistics"),
    "the mathematics of statistics is pure": ("statistics/crps.py", "import wxexp.interfaces"),
    "only wxexp.launch imports ray": ("training/distributed.py", "from ray import train"),
    "only wxexp.tracking.aim imports aim": ("tracking/review.py", "import aim.sdk"),
    "the configuration layer and the run directory are light": ("config/heavy.py", "import numpy as np"),
}


def lint(folder: Path) -> tuple[int, dict[str, bool], str]:
    """Exit status, and which contracts are kept."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    words = [line.rpartition(" (")[0] or line for line in done.stdout.splitlines() if " KEPT" in line or " BROKEN" in line]
    kept = {word.rpartition(" ")[0]: word.endswith("KEPT") for word in words}
    return done.returncode, kept, done.stdout + done.stderr


def test_the_layers_hold() -> None:
    status, kept, output = lint(ROOT)
    assert status == 0, output
    assert kept == dict.fromkeys(VIOLATIONS, True)


def test_a_violation_of_each_contract_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "wxexp", tmp_path / "wxexp", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in VIOLATIONS.values():
        with (tmp_path / "wxexp" / file).open("a", encoding="utf-8") as out:
            out.write(f"\n{line}\n")
    status, kept, output = lint(tmp_path)
    assert status == 1, output
    assert kept == dict.fromkeys(VIOLATIONS, False)


def test_a_package_without_a_place_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "wxexp", tmp_path / "wxexp", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "wxexp" / "attic").mkdir()
    (tmp_path / "wxexp" / "attic" / "__init__.py").write_text("")
    status, kept, output = lint(tmp_path)
    assert status == 1 and [name for name in kept if not kept[name]] == ["imports point down"] and "attic" in output
