"""What is printed where there is no terminal."""

from __future__ import annotations

import pytest

from wxexp import progress


def test_lines_are_rare_have_rate_and_time_left_and_the_last_is_always_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Console() as console:
        console.stage("train", 100, "samples")
        for done in range(0, 101, 2):  # two samples a second, fifty seconds
            console.done(done, "loss 0.5")
            now[0] += 1.0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "train   20/100 samples, 2 samples/s, 40 s left  loss 0.5",
        "train   40/100 samples, 2 samples/s, 30 s left  loss 0.5",
        "train   60/100 samples, 2 samples/s, 20 s left  loss 0.5",
        "train   80/100 samples, 2 samples/s, 10 s left  loss 0.5",
        "train   100/100 samples, 2 samples/s  loss 0.5",
    ]


def test_the_rate_does_not_count_what_an_earlier_run_did(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    console = progress.Console()
    console.stage("sample", 1000, "members")
    console.done(900)
    now[0] = 20.0
    console.done(920)
    assert capsys.readouterr().out == "sample  920/1000 members, 1 members/s, 80 s left\n"


def test_what_has_brackets_is_printed_as_it_is_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich would take [tas] for a style and leave it out, and fail over [/data], for which no style was begun."""
    monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    with progress.Console() as console:
        console.stage("sweep", 2, "points")
        console.line("warning: values of [tas] in [/data] are NaN")
        console.done(2, "dataset.targets=[tas] [/end]")
    out = capsys.readouterr().out
    assert "warning: values of [tas] in [/data] are NaN\n" in out and "dataset.targets=[tas] [/end]" in out
