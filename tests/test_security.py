"""Nothing in a run directory is executed, whoever wrote it; nothing of the environment is in it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

import wxexp as wx
from wxexp import cli, runner
from wxexp.config import edit

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests" / "small.py"
TINY = {
    "training.samples": 16,
    "training.checkpoint": 8,
    "dataset.source.times": 48,
    "ensemble.members": 2,
    "scoring.metrics": {"crps": wx.metrics.CRPS()},
}


class Bomb:
    """What it does when it is unpickled; in numpy's object arrays too."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.canary}",)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> runner.Run:
    return wx.run(edit(wx.load(SMALL), TINY), runs=tmp_path_factory.mktemp("runs"), until="score")


class Crafted:
    """A copy of a run, for somebody to do harm to."""

    def __init__(self, finished: runner.Run, home: Path) -> None:
        shutil.copytree(finished.home, home / "runs")
        self.home, self.canary = home / "runs", home / "canary"
        self.run = self.home / finished.directory.name
        self.sample = self.run / finished.sample_dir.relative_to(finished.directory)
        self.score = self.run / finished.score_dir.relative_to(finished.directory)
        (self.checkpoint,) = (self.run / "train").glob("step-*")

    @property
    def bomb(self) -> bytes:
        return pickle.dumps(Bomb(self.canary))

    def seal(self) -> None:
        """The checkpoint's checksums are those of what is there now."""
        path = self.checkpoint / "state.json"
        record = json.loads(path.read_text())
        record.pop("sha256")
        record["files"] = {name: hashlib.sha256((self.checkpoint / name).read_bytes()).hexdigest() for name in record["files"]}
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        record["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        path.write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")))

    def edit_state(self, change: Callable[[dict], None]) -> None:
        path = self.checkpoint / "state.json"
        record = json.loads(path.read_text())
        change(record)
        path.write_text(json.dumps(record))
        self.seal()


@pytest.fixture
def crafted(finished: runner.Run, tmp_path: Path) -> Crafted:
    return Crafted(finished, tmp_path)


def told(crafted: Crafted, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that fails says: one line, and no canary."""
    capsys.readouterr()
    status = cli.main([*words, "--runs", str(crafted.home)] if words[0] not in ("diff",) else [*words])
    said = capsys.readouterr().err
    assert not crafted.canary.exists(), "executed"
    assert status == 2, said
    assert said.startswith("wxexp: ") and said.count("\n") == 1, said
    return said


def test_the_bomb_explodes_where_it_is_unpickled(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "canary")))
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("file", ["optimizers.pt", "learner.safetensors", "ema.safetensors", "state.json"])
def test_a_crafted_checkpoint(crafted: Crafted, capsys: pytest.CaptureFixture[str], file: str) -> None:
    """With the right checksums; where training goes on from it, and where members are drawn with it."""
    (crafted.checkpoint / file).write_bytes(crafted.bomb)
    if file != "state.json":
        crafted.edit_state(lambda record: record.update(finished=False))
    shutil.rmtree(crafted.sample)
    (crafted.run / "train" / "done.json").unlink()
    assert file in told(crafted, capsys, "score", str(crafted.run))


def test_a_torch_pickle_among_the_optimizers(crafted: Crafted, capsys: pytest.CaptureFixture[str]) -> None:
    """In the format of torch.save."""
    import torch

    torch.save({"main": Bomb(crafted.canary)}, crafted.checkpoint / "optimizers.pt")
    crafted.seal()
    shutil.rmtree(crafted.sample)
    (crafted.run / "train" / "done.json").unlink()
    assert "optimizers.pt" in told(crafted, capsys, "score", str(crafted.run))


EVIL = "import pathlib; pathlib.Path({!r}).touch()\nfrom wxexp.samplers import Euler\nclass Sampler(Euler): pass\n"
NAMES = ["os:system", "evil:Sampler", "os.path:join", "wxexp.config.load:import_packages", "builtins:eval", "Euler.__class__", "../evil"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["experiment.json", "state.json"])
def test_names_of_classes(
    crafted: Crafted, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str, name: str
) -> None:
    """Only what a registry has, or is loaded already; nothing is imported because a file names it."""
    (crafted.home.parent / "evil.py").write_text(EVIL.format(str(crafted.canary)))
    monkeypatch.syspath_prepend(str(crafted.home.parent))
    shutil.rmtree(crafted.sample)
    if where == "state.json":
        crafted.edit_state(lambda record: record["made_from"]["experiment"]["model"].update(type=name))
        said = told(crafted, capsys, "score", str(crafted.run))
    else:
        record = json.loads((crafted.run / where).read_text())
        record["experiment"]["sampler"]["type"] = name
        (crafted.run / where).write_text(json.dumps(record))
        said = told(crafted, capsys, "score", str(crafted.run))
    assert repr(name) in said
    assert "evil" not in sys.modules


@pytest.mark.parametrize("file", ["experiment.json", "samples/*/experiment.json", "metrics.jsonl"])
@pytest.mark.parametrize("content", ["pickle", "yaml", "python"])
def test_records_that_are_none(crafted: Crafted, capsys: pytest.CaptureFixture[str], file: str, content: str) -> None:
    (path,) = crafted.run.glob(file)
    texts = {
        "yaml": f"!!python/object/apply:os.system ['touch {crafted.canary}']\n",
        "python": f"__import__('os').system('touch {crafted.canary}')\n",
    }
    path.write_bytes(crafted.bomb + b"\n" if content == "pickle" else texts[content].encode())
    if file == "metrics.jsonl":
        assert file in told(crafted, capsys, "review", "--rebuild", str(crafted.run))
    elif file == "experiment.json":
        assert file in told(crafted, capsys, "run", str(crafted.run))
    else:
        assert path.parent.name in told(crafted, capsys, "score", str(path.parent))


def test_a_marker_of_members(crafted: Crafted, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(crafted.sample / "scores")
    marker = min((crafted.sample / "done").iterdir())
    for content in (crafted.bomb, b"[]", b'{"stop": "__import__"}'):
        marker.write_bytes(content)
        assert marker.name in told(crafted, capsys, "score", str(SMALL), *overrides())


def overrides() -> list[str]:
    plain = {path: value for path, value in TINY.items() if not isinstance(value, dict)}
    return [f"--{path}={value}" for path, value in plain.items()] + ["--scoring.metrics.mae=None", "--scoring.metrics.ranks=None"]


@pytest.mark.parametrize("content", ["pickle", "objects", "zip"])
def test_parts_of_scores(crafted: Crafted, capsys: pytest.CaptureFixture[str], finished: runner.Run, content: str) -> None:
    """All parts are there, one of them crafted."""
    from wxexp.scoring.engine import scorer, work
    from wxexp.scoring.files import Parts

    tree = _tree(crafted, finished)
    shutil.rmtree(crafted.score)
    crafted.score.mkdir()
    parts, score = Parts(crafted.score / "scores.parts", dict(tree["plan"])), scorer(tree)
    for item in work(tree["plan"]):
        parts.write(item, score(item))
    part = min((crafted.score / "scores.parts").glob("0*.npz"))
    if content == "objects":
        np.savez(part, allow_pickle=True, members=np.array([Bomb(crafted.canary)], dtype=object))
    else:
        part.write_bytes(crafted.bomb if content == "pickle" else b"PK\x03\x04" + crafted.bomb)
    assert part.name in told(crafted, capsys, "score", str(crafted.run))


def _tree(crafted: Crafted, finished: runner.Run):
    from wxexp import scoring

    e = finished.experiment
    opened = e.dataset.open()
    return scoring.prepare(e, opened, members=crafted.sample / "members.zarr", out=crafted.home.parent / "out")


def pickled(group: Path, bomb: bytes) -> None:
    """A zarr of version 2 in the place of a store, with the same names: arrays of strings, it says, whose compressor is pickle."""
    names = {path.parent.relative_to(group): json.loads(path.read_text())["node_type"] for path in group.rglob("zarr.json")}
    shutil.rmtree(group)
    for name, kind in names.items():
        (group / name).mkdir(parents=True, exist_ok=True)
        _pickled(group / name, bomb) if kind == "array" else (group / name / ".zgroup").write_text('{"zarr_format": 2}')


def _pickled(array: Path, bomb: bytes) -> None:
    codecs = {"dtype": "|O", "filters": [{"id": "vlen-utf8"}], "compressor": {"id": "pickle"}}
    about = {"zarr_format": 2, "shape": [1], "chunks": [1], "order": "C", "fill_value": "", **codecs}
    (array / ".zarray").write_text(json.dumps(about))
    (array / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["time"], "units": "K"}')
    (array / "0").write_bytes(bomb)


@pytest.mark.parametrize("store", ["members.zarr", "scores.zarr", "maps.zarr"])
def test_codecs_that_unpickle(crafted: Crafted, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    folder = crafted.sample if store == "members.zarr" else crafted.score
    pickled(folder / store, crafted.bomb)
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True)
    with pytest.raises(Exception, match=""):
        zarr.open_array(folder / store / ("forecast/time" if store == "scores.zarr" else "lat"), mode="r")[:]
    crafted.canary.unlink()  # there is something to be afraid of
    if store == "members.zarr":
        shutil.rmtree(crafted.score)
    else:
        (crafted.score / "table.json").unlink()
    if store == "maps.zarr":  # only the report reads it
        assert told(crafted, capsys, "report", str(crafted.run))
    else:
        assert told(crafted, capsys, "score", str(crafted.run))


def test_what_a_view_remembers_names_no_folder(crafted: Crafted) -> None:
    """Of aim.json a view is deleted by its name, which must not lead elsewhere."""
    from wxexp.tracking.aim import note

    (crafted.home / ".aim" / "meta" / "chunks").mkdir(parents=True)
    for name in ("..", "../../..", f"../../../{crafted.run.name}", str(crafted.run), ".", ""):
        (crafted.run / "aim.json").write_text(json.dumps({"repo": str(crafted.home), "hash": name, "seen": {}}))
        assert note(crafted.run, crafted.home) == {}
    (crafted.run / "aim.json").write_text("[]")
    assert note(crafted.run, crafted.home) == {}


FORBIDDEN = ("pickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib")


def test_no_code_unpickles() -> None:
    """No module that unpickles is imported; whatever can, is told not to."""
    found = []
    for path in sorted((ROOT / "wxexp").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                if ast.unparse(node) == "from pickle import UnpicklingError":
                    continue
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
                found += [where for name in names if name.partition(".")[0] in FORBIDDEN]
            if isinstance(node, ast.Call):
                called, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
                safe = {
                    "np.load": given.get("allow_pickle") == "False",
                    "np.savez": given.get("allow_pickle") == "False",
                    "np.save": given.get("allow_pickle") == "False",
                    "torch.load": given.get("weights_only") == "True",
                    "yaml.load": False,
                    "yaml.unsafe_load": False,
                    "yaml.full_load": False,
                    "pd.read_pickle": False,
                    "os.system": False,
                    "eval": False,
                }
                found += [f"{where} {called}" for name, fine in safe.items() if called == name and not fine]
                found += [f"{where} exec" for _ in [0] if called == "exec" and path.name != "load.py"]  # the experiment that a user names
                found += [f"{where} shell" for _ in [0] if given.get("shell", "False") != "False"]
                if called.startswith("torch.") and called.endswith("load"):
                    found += [where for _ in [0] if called != "torch.load"]
    assert found == []


SECRET = "hunter2-6c1f0b5d"


@pytest.mark.slow  # 18 s
def test_nothing_of_the_environment_is_kept(tmp_path: Path) -> None:
    """Values of variables are in no file of a run: records, provenance, log, Aim, also where it fails."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "WANDB_API_KEY": SECRET,
        "RAY_AUTH_TOKEN": SECRET * 2,
    }
    environment["http_proxy"] = f"http://user:{SECRET}@127.0.0.1:9"
    words = [sys.executable, "-m", "wxexp"]
    runs = ["--runs", str(tmp_path), "--aim=runs", *[word for word in overrides() if not word.startswith("--scoring")]]
    done = subprocess.run([*words, "score", str(SMALL), *runs], env=environment, capture_output=True, text=True, cwd=ROOT, timeout=200)
    assert done.returncode == 0, done.stderr
    failed = subprocess.run(
        [*words, "score", str(SMALL), *runs, "--name=other", "--training.optimizer.rate=1e30", "--training.clip=None"],
        env=environment,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=200,
    )
    assert failed.returncode == 2 and " is inf at step" in failed.stderr, failed.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 50 and any(".aim" in str(path) for path in files) and sum(path.name == "log.txt" for path in files) == 2
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in done.stdout + done.stderr + failed.stdout + failed.stderr
