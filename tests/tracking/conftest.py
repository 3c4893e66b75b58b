"""A repository that all tests of the package share, for creating one takes seconds; run directories to show in it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from wxexp.interfaces import Row
from wxexp.scoring.table import write_table
from wxexp.training.tracker import JsonlTracker

EXPERIMENT = {"type": "Experiment", "name": "tiny", "sampler": {"type": "Heun", "steps": 18, "churn": None}, "targets": ["tasmax", "pr"]}
ROWS = [
    Row("crps", "tasmax", "forecast", "all", None, 0.25, 0.125, 0.5, "K"),
    Row("crps", "pr", "forecast", "all", 6.0, 0.75, None, None, "mm day-1"),
    Row("crps", "tasmax", "bilinear", "all", None, float("nan"), None, None, "K"),
]


class Runs:
    """Run directories of one folder, and what Aim shows of them."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def make(self, name: str, losses: Mapping[int, float]) -> Path:
        """With a record, and losses by step."""
        run = self.home / name
        run.mkdir()
        (run / "experiment.json").write_text(json.dumps({"format": 1, "experiment": EXPERIMENT, "identities": {}}))
        self.train(run, losses)
        return run

    def train(self, run: Path, losses: Mapping[int, float], *, after: int | None = None) -> None:
        """`after`: resumes there."""
        tracker = JsonlTracker(run / "metrics.jsonl")
        if after is not None:
            tracker.truncate(after)
        for step, loss in losses.items():
            tracker.scalars(step, {"loss": loss}, {"subset": "train"})
        tracker.close()

    def score(self, run: Path) -> Path:
        """A table and a report."""
        out = run / "samples" / "a" / "scores" / "0123456789ab"
        (out / "report").mkdir(parents=True)
        write_table(out / "table.json", ROWS)
        Image.new("RGB", (8, 6), "red").save(out / "report" / "maps-tasmax.png")
        (out / "report" / "index.html").write_text("<html>")
        return out

    def shown(self, run: Path) -> dict[str, Any]:
        """All that Aim's queries find: sequences as "name key=value ..." to values by step."""
        import aim

        repo = aim.Repo.from_path(str(self.home))
        query = f"run.hash == {self.hash(run)!r}"
        (one,) = [found.run for found in repo.query_runs(query, report_mode=0).iter_runs()]
        return {
            "metrics": _sequences(repo.query_metrics(query, report_mode=0), float),
            "images": _sequences(repo.query_images(query, report_mode=0), lambda image: image.size),
            "texts": _sequences(repo.query_texts(query, report_mode=0), lambda text: text.data),
            "params": one[...],
            "is": (one.name, one.experiment, tuple(one.tags), one.active),
        }

    def hash(self, run: Path) -> str:
        return str(json.loads((run / "aim.json").read_text())["hash"])


def _sequences(found: Any, value: Callable[[Any], Any]) -> dict[str, dict[int, Any]]:
    pairs = {}
    for sequence in found.iter():
        key = " ".join([sequence.name, *(f"{k}={v}" for k, v in sorted(sequence.context.to_dict().items()))])
        if hasattr(sequence, "dataframe"):
            frame = sequence.dataframe()
            pairs[key] = dict(zip(frame["step"].tolist(), map(value, frame["value"].tolist()), strict=True))
        else:
            steps, values = sequence.values.sparse_list()
            pairs[key] = dict(zip(steps, map(value, values), strict=True))
    return pairs


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("runs"))
