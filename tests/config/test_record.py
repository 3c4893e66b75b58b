import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import toy as wx

from wxexp.config import ConfigError, fingerprint, identities, read, trees, write

Tree = dict[str, Any]


@pytest.fixture
def path(e: wx.Experiment, tmp_path: Path) -> Path:
    path = tmp_path / "experiment.json"
    write(path, e, identities(e))
    return path


def rewrite(path: Path, change: Callable[[Tree], object]) -> None:
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def put(*keys: Any) -> Callable[[Tree], object]:
    *inner, last, value = keys

    def change(tree: Tree) -> None:
        for key in inner:
            tree = tree[key]
        tree[last] = value

    return change


def test_a_record_is_the_experiment(e: wx.Experiment, path: Path) -> None:
    loaded = read(path, wx.Experiment)
    assert loaded.experiment == e and loaded.filled == ()
    assert loaded.identities == {"dataset": "sha256:0", "objective.mean.dataset": "sha256:0"}
    assert read(path.parent, wx.Experiment) == loaded  # by its directory
    assert [p.name for p in path.parent.iterdir()] == ["experiment.json"]


def test_a_record_is_readable_and_whole(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith('{\n  "format": 1,\n  "experiment": {\n    "type": "Experiment",\n    "name": "residual",\n') and text.endswith(
        "}\n"
    )
    assert trees(path)["experiment"]["training"] == {
        "type": "Training",
        "samples": 1000,
        "rate": 0.001,
        "clip": None,
        "compile": False,
        "micro_batch": 8,
    }


def test_what_an_old_record_lacks_is_filled_and_told(e: wx.Experiment, path: Path) -> None:
    def age(tree: Tree) -> None:
        tree["experiment"]["model"] = {"type": "SongUNet", "width": 32}
        del tree["experiment"]["training"]["clip"], tree["experiment"]["objective"]["mean"]["ensemble"]

    rewrite(path, age)
    loaded = read(path, wx.Experiment)
    assert loaded.experiment == e
    assert loaded.filled == ("model.multipliers", "objective.mean.ensemble", "training.clip")
    for stage in ("train", "sample", "score"):
        assert fingerprint(loaded.experiment, stage, loaded.identities) == fingerprint(e, stage, identities(e))


MISTAKES: dict[str, tuple[Callable[[Tree], object], str]] = {
    "os:system": (put("experiment", "sampler", "type", "os:system"), "sampler: 'os:system' is no Sampler; choose from Euler, Heun"),
    "unloaded": (
        put("experiment", "sampler", "type", "antigravity:fly"),
        "sampler: 'antigravity:fly' is not loaded; if you trust it, --import=antigravity",
    ),
    "other kind": (
        put("experiment", "sampler", "type", "toy.models.unet:UNet"),
        "sampler: 'toy.models.unet:UNet' is no Sampler; choose from Euler, Heun",
    ),
    "type missing": (put("experiment", "sampler", {"steps": 3}), "sampler must be a Sampler, got {'steps': 3}"),
    "type int": (put("experiment", "sampler", "type", 3), "sampler must name a Sampler, got 3"),
    "later format": (put("format", 2), "format 2, and this wxexp reads up to 1; a newer one wrote it"),
    "later format with more in it": (
        lambda tree: tree.update(format=3, more=1),
        "format 3, and this wxexp reads up to 1; a newer one wrote it",
    ),
    "format true": (put("format", True), "format True, and this wxexp reads up to 1; a newer one wrote it"),
    "no format": (lambda tree: tree.pop("format"), "not the record of an experiment"),
    "no identities": (lambda tree: tree.pop("identities"), "not the record of an experiment"),
    "identities": (put("identities", {"dataset": 3}), "identities must be texts by path, got {'dataset': 3}"),
    "nan": (put("experiment", "training", "rate", float("nan")), "NaN is not JSON"),
    "infinity": (put("experiment", "training", "rate", -float("inf")), "-Infinity is not JSON"),
    "unknown key": (put("experiment", "ensemble", "membres", 3), "no 'membres' in ensemble (Ensemble); did you mean 'members'?"),
    "missing": (lambda tree: tree["experiment"].pop("name"), "Experiment needs name"),
    "no experiment": (put("experiment", None), "experiment must be an Experiment, got None"),
    "out of range": (put("experiment", "training", "samples", 0), "training: Training.samples must be at least 1, got 0"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_with_the_file(path: Path, case: str) -> None:
    change, message = MISTAKES[case]
    rewrite(path, change)
    with pytest.raises(ConfigError) as caught:
        read(path, wx.Experiment)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b'{"format": 1,', "Expecting property name enclosed in double quotes: line 1 column 14 (char 13)"),
        (b"[]", "not the record of an experiment"),
        (b"\xff{}", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"format": 1, "format": 1}', "'format' is given twice"),
        (None, "No such file or directory"),
    ],
)
def test_a_damaged_file_is_one_line(path: Path, content: bytes | None, message: str) -> None:
    path.unlink() if content is None else path.write_bytes(content)
    for call in (lambda: read(path, wx.Experiment), lambda: trees(path)):
        with pytest.raises(ConfigError, match=f"^{re.escape(f'{path}: {message}')}$"):
            call()


def test_a_wrong_value_is_refused_before_anything_is_written(path: Path) -> None:
    before = path.read_bytes()
    for training, message in (
        (wx.Training(rate=[3]), "rate must be float, got [3]"),
        (wx.Training(rate=float("nan")), "rate must be finite (unbounded is None, where the field allows it), got nan"),
    ):
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            write(path, training, {})
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


def test_a_record_is_replaced_whole_or_not_at_all(e: wx.Experiment, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, wx.Training(), {})
    assert path.read_bytes() == before and read(path, wx.Experiment).experiment == e
