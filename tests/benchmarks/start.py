"""From the command to the first training step of the quickstart: `python tests/benchmarks/start.py [--resources.workers=1 ...]`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

QUICKSTART = Path(__file__).parents[2] / "experiments" / "quickstart.py"
ROUNDS = 3


def seconds(*words: str) -> float:
    """Until training says that it has done a step; it does so five times a second."""
    with TemporaryDirectory() as runs:
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-m", "wxexp", "train", str(QUICKSTART), "--runs", runs, *words], stdout=subprocess.DEVNULL
        )
        while not any(json.loads(path.read_text())[0] for path in Path(runs).glob("*/train/scratch/progress.json")):
            time.sleep(0.02)
            assert child.poll() is None
        found = time.monotonic() - began
        child.send_signal(signal.SIGTERM)
        child.wait()
    return found


def main() -> None:
    found = [seconds(*sys.argv[1:]) for _ in range(ROUNDS)]
    print(f"first step after {median(found):.1f} s ({', '.join(f'{x:.1f}' for x in found)}); load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
