"""The command line: what it prints, and how it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wxexp.cli import main

SMALL = str(Path(__file__).with_name("small.py"))
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where runs are after `run`, and what it printed, as a user runs it."""
    runs = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "wxexp", "run", SMALL, "--training.samples=32", "--ensemble.members=2", "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return runs, done.stdout


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line on stderr of a command that is refused with status 2, before anything is printed."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and err.startswith("wxexp: ")
    assert out == ""
    return err.removeprefix("wxexp: ").rstrip()


def test_run_prints_progress_table_report_and_what_to_try(ran: tuple[Path, str]) -> None:
    runs, out = ran
    assert "train   32/32 samples" in out
    assert "sample  18/18 members" in out
    for text in ("forecast", "bicubic", "CRPS", "tas (K)", "pr (mm day"):
        assert text in out
    (report,) = (line.split()[1] for line in out.splitlines() if line.startswith("report  /") or line.startswith("report  runs"))
    assert Path(report).is_file()
    (again,) = (line.removeprefix("try     ") for line in out.splitlines() if line.startswith("try "))
    # of the same training, in the same place
    assert again == f"python -m wxexp run {SMALL} --training.samples=32 --ensemble.members=4 --sampler.steps=4 --runs={runs}"


def test_show_prints_the_table_and_its_json(ran: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    runs, _ = ran
    (name,) = (path.name for path in runs.iterdir())
    assert main(["show", name, "--runs", str(runs)]) == 0
    assert "bicubic" in capsys.readouterr().out
    assert main(["show", str(runs / name), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    row = next(row for row in table["rows"] if row["metric"] == "crps" and row["source"] == "forecast" and row["variable"] == "tas")
    assert row.keys() == {"metric", "variable", "source", "group", "lead_hours", "value", "low", "high", "units"}
    assert row["group"] == "all" and row["lead_hours"] is None and row["units"] == "K" and row["low"] <= row["value"] <= row["high"]


def test_score_of_files_is_that_of_the_run(ran: tuple[Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The run's own members.zarr against its truth, written to a file by xarray."""
    import xarray as xr

    from wxexp import runner

    (run,) = ran[0].iterdir()
    (members,) = run.rglob("members.zarr")
    (table,) = (json.loads(path.read_text())["rows"] for path in run.rglob("table.json"))
    opened = runner.loaded(run).dataset.open()
    truth = xr.concat([opened.truth(item) for item in opened.items("test")], "time")
    truth.to_netcdf(tmp_path / "truth.nc")
    capsys.readouterr()
    files = ["score", "--truth", str(tmp_path / "truth.nc"), "--members", str(members)]
    assert main([*files, "--metrics", "crps,mae,rank_histogram", "--variables", "tas,pr", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "values of the truth of tas are NaN and have no weight" in err
    own = [(row["metric"], row["variable"], row["value"], row["units"]) for row in table if row["source"] == "forecast"]
    assert [(row["metric"], row["variable"], row["value"], row["units"]) for row in json.loads(out)["rows"]] == own
    assert main([*files, "--variables", "pr"]) == 0
    assert "pr (mm day" in (out := capsys.readouterr().out) and "tas" not in out


def test_score_refuses_files_that_are_not_there_or_not_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert refused(capsys, "score") == "score needs an EXPERIMENT, or --truth PATH and --members PATH"
    assert refused(capsys, "score", "--truth", "a.nc") == "score needs an EXPERIMENT, or --truth PATH and --members PATH"
    assert "'small.py' does not go with --truth" in refused(capsys, "score", "small.py", "--truth", "a.nc")
    assert "'--ensemble.members=2' does not go with --truth, --members" in refused(
        capsys, "score", "--truth", "a", "--members", "b", "--ensemble.members=2"
    )
    assert f"there is no file {tmp_path / 'a.nc'}" in refused(capsys, "score", "--truth", str(tmp_path / "a.nc"), "--members", "b")
    (tmp_path / "a.nc").write_text("no netCDF")
    assert "is neither zarr nor netCDF" in refused(capsys, "score", "--truth", str(tmp_path / "a.nc"), "--members", "b")


def _nobody(question: str) -> str:
    raise EOFError  # as with </dev/null


def test_runs_lists_and_deletes_after_asking(
    ran: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import shutil

    runs = Path(shutil.copytree(ran[0], tmp_path / "runs"))
    (name,) = (path.name for path in runs.iterdir())
    monkeypatch.setenv("WXEXP_RUNS", str(runs))
    assert main(["runs"]) == 0
    assert f"{name}  " in (out := capsys.readouterr().out) and "scored" in out
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert main(["runs", "--delete", name]) == 1
    monkeypatch.setattr("builtins.input", _nobody)
    assert main(["runs", "--delete", name]) == 1
    assert (runs / name).is_dir()
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(["runs", "--delete", name]) == 0
    assert not (runs / name).exists()


def test_diff_names_what_differs(ran: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = ran[0].iterdir()
    assert main(["diff", SMALL, str(run)]) == 0
    assert capsys.readouterr().out.splitlines() == ["training.samples: 96 -> 32", "ensemble.members: 3 -> 2"]


def test_list_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "samplers"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["name", "order", "evaluations", "noise", "source"]
    assert any(line.startswith("Heun ") and " 2 " in line for line in out.splitlines())
    assert main(["list"]) == 0
    assert "samplers" in capsys.readouterr().out
    assert refused(capsys, "list", "sampler") == "no kind 'sampler'; did you mean 'samplers'?"


def test_data_info_describes_a_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "info", "SyntheticFields"]) == 0
    out = capsys.readouterr().out
    for text in ("tas", "pr", "mm day-1", "orog"):
        assert text in out
    assert "did you mean 'Lorenz96'" in refused(capsys, "data", "info", "Lorenz69")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sampler.stpes=3"], "no 'stpes' in sampler (Euler); did you mean 'steps'?"),
        (["--sampler.steps=many"], "sampler.steps must be int, got 'many'"),
        (["--sampler=Karras"], "sampler: 'Karras' is no Sampler"),
        (["--sampler.steps=0"], "sampler: Euler.steps must be at least 1, got 0"),
        (["--ensemble.members=0"], "ensemble: Ensemble.members must be at least 1, got 0"),
        (["--objective=Regression"], "Regression"),
        (["--scheduler=None"], "scheduler"),
        (["steps=3"], "cannot read 'steps=3'; write --path=value"),
    ],
)
def test_mistakes_are_one_line_before_anything_starts(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert message in refused(capsys, "run", SMALL, *words, "--runs", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_experiment_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    assert "no such file" in refused(capsys, "run", str(wrong))
    wrong.write_text("def experiment(:\n")
    assert "wrong.py" in refused(capsys, "run", str(wrong))
    wrong.write_text("x = 1\n")
    assert "experiment" in refused(capsys, "run", str(wrong))
    wrong.write_text("def experiment():\n    return 3\n")
    assert "must return Experiment, got 3" in refused(capsys, "run", str(wrong))
    wrong.write_text("def experiment():\n    import wxexp as wx\n    return wx.Ensemble(membres=3)\n")
    assert "membres" in refused(capsys, "run", str(wrong))


def test_a_record_of_a_later_format_is_refused(ran: tuple[Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (run,) = ran[0].iterdir()
    record = json.loads((run / "experiment.json").read_text())
    (tmp_path / "later.json").write_text(json.dumps(record | {"format": 2}))
    assert "a newer one wrote it" in refused(capsys, "run", str(tmp_path / "later.json"))


def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wxexp", "run", SMALL, "--training.samples=4000", "--runs", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        deadline = time.monotonic() + 100
        while not list(tmp_path.glob("small-*/train/step-*")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.strip() == "stopped; the same command goes on from here"
    (run,) = tmp_path.iterdir()
    assert not (run / "train" / "done.json").exists()
    assert len(list((run / "train").glob("step-*"))) == 1
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert rows


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = "import sys, wxexp.cli\ntry:\n    wxexp.cli.main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
    code += "print(sorted({'torch', 'ray', 'aim', 'xarray', 'numpy', 'zarr'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.stderr.strip() == "[]"
    assert "--path=value" in done.stdout


def test_report_of_two_runs_is_one_page_and_of_one_run_is_made_anew(
    ran: tuple[Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The same training drawn with fewer steps: two drawings of one run."""
    import shutil

    runs = Path(shutil.copytree(ran[0], tmp_path / "runs"))
    (run,) = runs.iterdir()
    (first,) = run.glob("samples/*")
    words = ["score", SMALL, "--training.samples=32", "--ensemble.members=2", "--sampler.steps=2", "--runs", str(runs)]
    assert main(words) == 0
    (second,) = (path for path in run.glob("samples/*") if path != first)
    (own,) = first.glob("scores/*/report/index.html")
    before = own.stat().st_mtime_ns
    assert main(["report", str(own.parents[1]), "--runs", str(runs)]) == 0
    assert own.stat().st_mtime_ns > before
    shutil.rmtree(first / "members.zarr")  # only the scores are read
    capsys.readouterr()
    assert main(["report", str(first), str(second), "--runs", str(runs)]) == 0
    page = Path(capsys.readouterr().out.split()[1])
    text = page.read_text(encoding="utf-8")
    assert f"{run.name}/{first.name} and {run.name}/{second.name}" in text and "9 common cases" in text
    assert "sampler.steps" in text and "▲" in text and (page.parent / "scorecard-all-1.nc").is_file()
    assert "cannot be compared with itself" in refused(capsys, "report", str(first), str(first), "--runs", str(runs))
    assert "did you mean" in refused(capsys, "report", run.name, run.name[:-1], "--runs", str(runs))
    assert "does not know '--sampler.steps=2'" in refused(capsys, "report", str(first), str(second), "--sampler.steps=2")
