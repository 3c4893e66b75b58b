import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import toy as wx

from wxexp.config import ConfigError, fingerprint, identities, import_packages, load, override, write

HEAD = "from pathlib import Path\nimport toy as wx\nfrom wxexp.config import edit, load\n"
GOOD = """
def experiment() -> wx.Experiment:
    return wx.Experiment(
        name="good",
        dataset=wx.datasets.Downscaling(path="era5.zarr", targets=("tas",)),
        model=wx.models.UNet(),
        objective=wx.objectives.Denoising(),
        sampler=wx.samplers.Euler(),
    )


def tiny(steps: int = 2) -> wx.Experiment:
    return edit(experiment(), {"sampler.steps": steps})
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("x.py").write_text(HEAD + GOOD)
    return tmp_path


def steps(where: str | Path) -> int:
    return load(where, wx.Experiment).experiment.sampler.steps


def test_a_file_a_variant_a_record_and_a_run_directory(here: Path) -> None:
    assert steps("x.py") == steps(here / "x.py") == steps("x.py:experiment") == 50 and steps("x.py:tiny") == 2
    tiny = load("x.py:tiny", wx.Experiment).experiment
    Path("a:b").mkdir()
    write(Path("a:b/experiment.json"), tiny, identities(tiny))
    Path("x.py").unlink()  # a run needs no source file
    for where in ("a:b", "a:b/experiment.json", Path("a:b")):
        assert load(where, wx.Experiment).experiment == tiny
        assert load(where, wx.Experiment).identities == {"dataset": "sha256:0"}


def test_a_file_is_read_anew_and_leaves_nothing_behind(here: Path) -> None:
    before = set(sys.modules)
    assert steps("x.py:tiny") == 2
    Path("x.py").write_text((HEAD + GOOD).replace("= 2", "= 3"))  # of the same size, within the same second
    assert steps("x.py:tiny") == 3
    assert set(sys.modules) <= before | {name for name in sys.modules if name.partition(".")[0] == "toy"}
    assert [p.name for p in here.iterdir()] == ["x.py"]


def test_values_are_as_the_record_would_rebuild_them(here: Path) -> None:
    Path("x.py").write_text(HEAD + GOOD.replace('("tas",)', '["tas"]'))
    assert load("x.py", wx.Experiment).experiment.dataset.targets == ("tas",)


def test_a_file_beside_it(here: Path) -> None:
    here.joinpath("sub").mkdir()
    beside = "load(Path(__file__).with_name('x.py'), wx.Experiment).experiment"
    holder = f"def experiment():\n    base = {beside}\n    return edit(base, {{'seed': 7}})\n"
    Path("y.py").write_text(HEAD + holder)
    assert load("y.py", wx.Experiment).experiment.seed == 7
    Path("sub/x.py").write_text(HEAD + holder.replace("with_name('x.py')", "resolve().parent.with_name('x.py')"))  # of the same name
    assert load("sub/x.py", wx.Experiment).experiment.seed == 7
    Path("x.py").write_text(HEAD + holder)  # itself
    with pytest.raises(ConfigError, match=r"^x\.py:5: .*x\.py is loaded by what it loads$"):
        load("x.py", wx.Experiment)
    Path("x.py").write_text(HEAD + GOOD.replace("UNet()", "UNet(chanels=3)"))
    with pytest.raises(ConfigError, match=r"^y\.py:5: .*/x\.py:9: no 'chanels' in UNet; did you mean 'channels'\?$"):
        load("y.py", wx.Experiment)


FILES = {
    "syntax": ("def experiment(:\n    pass\n", "x.py:4: SyntaxError: invalid syntax"),
    "indentation": ("if True:\npass\n", "x.py:5: SyntaxError: expected an indented block after 'if' statement on line 4"),
    "no function": ("seed = 3\n", "x.py: no function 'experiment'"),
    "another function": ("def experimnt():\n    pass\n", "x.py: no function 'experiment'; did you mean 'experimnt'?"),
    "no function but a class": ("class experiment:\n    pass\n", "x.py: no function 'experiment'"),
    "somebody else's function": ("from dataclasses import replace as experiment\n", "x.py: no function 'experiment'"),
    "arguments": (
        "def experiment(width, *, depth, more=1, **most):\n    pass\n",
        "x.py:experiment must need no arguments, got width, depth",
    ),
    "None": ("def experiment():\n    pass\n", "x.py:experiment must return Experiment, got None of type NoneType"),
    "a part": (
        "def experiment():\n    return wx.Training()\n",
        "x.py:experiment must return Experiment, got Training(samples=1000, rate=0.001, clip=None, compile=False, micro_batch=8)"
        " of type Training",
    ),
    "exception above": ("x = 3\ny = {}['a']\n", "x.py:5: KeyError: 'a'"),
    "exception inside": ("def f():\n    return 1 / 0\ndef experiment():\n    return f()\n", "x.py:5: ZeroDivisionError: division by zero"),
    "exception elsewhere": (
        "import json\ndef experiment():\n    return json.loads('[')\n",
        "x.py:6: Expecting value: line 1 column 2 (char 1)",
    ),
    "exception of lines": ("raise OSError('no\\ndisk')\n", "x.py:4: OSError: no disk"),
    "out of range": ("def experiment():\n    return wx.samplers.Heun(\n        steps=0)\n", "x.py:5: Heun.steps must be at least 1, got 0"),
    "misspelt": ("X = wx.samplers.Heun(stpes=3)\n", "x.py:4: no 'stpes' in Heun; did you mean 'steps'?"),
    "misspelt edit": (
        GOOD + "def f():\n    return edit(tiny(), {'sed': 3})\nX = f()\n",
        "x.py:18: no 'sed' in Experiment; did you mean 'seed'?",
    ),
    "misspelt class": ("X = wx.samplers.Huen()\n", "x.py:4: module 'toy.samplers' has no attribute 'Huen'; did you mean 'Heun'?"),
    "misspelt kind": ("X = wx.sampler.Heun()\n", "x.py:4: module 'toy' has no attribute 'sampler'; did you mean 'samplers'?"),
    "component of another kind": (
        "X = wx.samplers.Karras()\n",
        "x.py:4: module 'toy.samplers' has no attribute 'Karras'; choose from Euler, Heun",
    ),
    "attribute of a value": ("X = wx.samplers.Heun().step\n", "x.py:4: 'Heun' object has no attribute 'step'"),
    "wrong kind": (
        GOOD.replace("sampler=wx.samplers.Euler()", "sampler=wx.levels.Karras()"),
        "x.py: sampler: 'Karras' is no Sampler; choose from Euler, Heun",
    ),
    "wrong type": (GOOD.replace("wx.models.UNet()", "wx.models.UNet(channels='32')"), "x.py: model.channels must be int, got '32'"),
    "no module": ("import nowhere.at_all\n", "x.py:4: No module named 'nowhere'"),
    "a file beside it imported": (
        "from y import experiment\n",
        "x.py:4: No module named 'y'; a file beside it is loaded by wx.load(Path(__file__).with_name('y.py'))",
    ),
    "a class of the file": (
        GOOD.replace("wx.samplers.Euler()", "Mine()") + "class Mine(wx.samplers.Euler):\n    tag: str = ''\n",
        "x.py: Mine could not be found again from a record; move it to an importable module",
    ),
    "a class of a function": (
        "from __future__ import annotations\n"
        + HEAD
        + "def experiment():\n    class Mine(wx.samplers.Euler):\n        tag: str = ''\n    return edit(base(), {'sampler': Mine()})\n"
        + GOOD.replace("def experiment", "def base"),
        "x.py:8: experiment.<locals>.Mine could not be found again from a record; move it to an importable module",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_mistake_in_a_file_is_one_line(here: Path, case: str) -> None:
    content, message = FILES[case]
    Path("y.py").write_text(HEAD + GOOD)
    Path("x.py").write_text(content if content.startswith("from __future__") else HEAD + content)
    with pytest.raises(ConfigError) as caught:
        load("x.py", wx.Experiment)
    assert str(caught.value) == message
    assert str(here / "x.py") not in sys.modules


PATHS = {
    "z.py": "z.py: no such file; did you mean 'x.py'?",
    "x.py:tny": "x.py: no function 'tny'; did you mean 'tiny'?",
    "x": "x: no such file; choose from x.json, x.py",
    "runs/good-01": "runs/good-01: no such file; did you mean 'good-012'?",
    "runs": "runs is not the directory of a run: there is no experiment.json in it",
    "nowhere/x.py": "nowhere/x.py: no such file",
    "x.json:tiny": "x.json:tiny: no such file; did you mean 'x.json'?",
    "x.yaml": "x.yaml must be an experiment file (x.py or x.py:function), a record (x.json) or the directory of a run",
}


@pytest.mark.parametrize("where", PATHS)
def test_a_mistake_in_a_path_is_one_line(here: Path, where: str) -> None:
    for name in ("x.json", "x.yaml", "runs/good-012/experiment.json"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("{}")
    with pytest.raises(ConfigError, match=f"^{re.escape(PATHS[where])}$"):
        load(where, wx.Experiment)


def test_imported_packages_can_be_named(here: Path, lab: None) -> None:
    e = load("x.py", wx.Experiment).experiment
    argument = "--sampler=lab.parts:Mine"
    with pytest.raises(ConfigError, match=r"^sampler: 'lab\.parts:Mine' is not loaded; if you trust it, --import=lab\.parts$"):
        override(e, [argument])
    import_packages(["lab.parts"])
    mine = override(e, [argument, "--sampler.tag=a"])
    assert mine.sampler.steps == 50 and mine.sampler.tag == "a"
    write(Path("mine.json"), mine, {})
    record = json.loads(Path("mine.json").read_text())
    assert record["experiment"]["sampler"]["type"] == "lab.parts:Mine"
    assert load("mine.json", wx.Experiment).experiment == mine


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("lab.broken", "RuntimeError: no licence for this machine"),
        ("", "ValueError: Empty module name"),
    ],
)
def test_packages_that_cannot_be_imported(lab: None, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^--import={re.escape(f'{name}: {message}')}$"):
        import_packages([name])


def test_a_record_needs_no_heavy_import(here: Path) -> None:
    """Nor does loading import more than the file does: the fingerprint is that of this process."""
    code = (
        "import sys; from wxexp.config import load, fingerprint; import toy\n"
        "print(fingerprint(load('x.py', toy.Experiment).experiment, 'score', {}))\n"
        "assert not {'torch', 'numpy', 'ml_collections', 'ray', 'aim', 'xarray'} & set(sys.modules)"
    )
    path = {"PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[2]}"}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == fingerprint(load("x.py", wx.Experiment).experiment, "score", {})
