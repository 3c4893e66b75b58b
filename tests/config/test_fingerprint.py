import dataclasses
import hashlib

import pytest
import toy as wx
from toy.datasets import downscaling

from wxexp.config import Loaded, edit, fingerprint, identities, load
from wxexp.config.fingerprint import stage_of

STAGES = ("train", "sample", "score")


def prints(e: wx.Experiment, found: dict[str, str] | None = None) -> list[str]:
    return [fingerprint(e, stage, identities(e) if found is None else found) for stage in STAGES]


def kept(e: wx.Experiment, changes: dict[str, object]) -> list[str]:
    pairs = zip(STAGES, prints(e), prints(edit(e, changes)), strict=True)
    return [stage for stage, a, b in pairs if a == b]


def test_it_is_the_hash_of_the_values_of_its_stage_and_those_before(file: object) -> None:
    """Written out by hand, since it names directories: a change of this text is a change of every name."""
    e = load(f"{file}:regression", wx.Experiment).experiment
    text = (
        '[["dataset.factor",8],["dataset.path","era5.zarr"],["dataset.targets",["tas","pr"]],["dataset.type",["Downscaling","sha256:0"]],'
        '["dataset.years",[2000,2010]],["ensemble.seed",0],["ensemble.type",["Ensemble",""]],'
        '["model.channels",64],["model.multipliers",[1,2,2]],["model.type",["UNet",""]],["objective.sigma_data",1.0],'
        '["objective.type",["Denoising",""]],["sampler.levels.rho",7.0],["sampler.levels.sigma_max",80.0],["sampler.levels.sigma_min",0.002],'
        '["sampler.levels.type",["Karras",""]],["sampler.steps",50],["sampler.terminal","denoise"],["sampler.type",["Euler",""]],'
        '["seed",0],["training.clip",null],["training.compile",false],["training.rate",0.001],["training.samples",1000],'
        '["training.type",["Training",""]]]'
    )
    assert fingerprint(e, "sample", identities(e)) == hashlib.sha256(text.encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"name": "other"}, [*STAGES]),
        ({"training.micro_batch": 1}, [*STAGES]),
        ({"seed": 1}, []),
        ({"model.channels": 33}, []),
        ({"training": wx.Training(samples=2)}, []),
        ({"sampler.steps": 3}, ["train"]),
        ({"ensemble.seed": 3}, ["train"]),
        ({"ensemble.members": 3}, ["train", "sample"]),
        ({"scoring.metrics.crps.estimator": "biased"}, ["train", "sample"]),
        ({"scoring.metrics": {}}, ["train", "sample"]),
        ({"objective.inner.sigma_data": 0.5}, []),
        ({"objective.mean.seed": 1}, []),
        ({"objective.mean.name": "other", "objective.mean.sampler.steps": 3, "objective.mean.scoring.weights": {"a": 1.0}}, [*STAGES]),
    ],
)
def test_a_change_counts_from_its_stage_on(e: wx.Experiment, changes: dict[str, object], stages: list[str]) -> None:
    assert kept(e, changes) == stages


def test_the_longest_path_decides(e: wx.Experiment) -> None:
    assert [stage_of(e, path) for path in ("training", "training.rate", "training.micro_batch", "ensemble", "ensemble.members")] == [
        "train",
        "train",
        None,
        "sample",
        "score",
    ]
    assert stage_of(e, "name") is None and stage_of(e, "objective.mean.name") == "train" and stage_of(e, "type") is None


def test_of_what_members_feed_its_holder_the_sample_fingerprint_counts(e: wx.Experiment) -> None:
    teacher = e.objective.mean
    distilled = dataclasses.replace(e, objective=wx.objectives.Distilled(teacher=teacher))
    assert kept(distilled, {"objective.teacher.sampler.steps": 3}) == []
    assert kept(distilled, {"objective.teacher.ensemble.members": 3, "objective.teacher.name": "x"}) == [*STAGES]
    blend = dataclasses.replace(e, objective=wx.objectives.Blend(experts={"a": teacher, "b": distilled}))
    assert kept(blend, {"objective.experts.a.sampler.steps": 3}) == []
    assert kept(blend, {"objective.experts.b.objective.teacher.sampler.steps": 3}) == []
    assert kept(blend, {"objective.experts.b.ensemble.members": 3}) == [*STAGES]


def test_the_order_of_entries_does_not_count(e: wx.Experiment) -> None:
    a, b = wx.metrics.CRPS(), wx.metrics.Brier()
    one, other = (edit(e, {"scoring.metrics": m}) for m in ({"a": a, "b": b}, {"b": b, "a": a}))
    assert prints(one) == prints(other)
    assert prints(edit(e, {"scoring.metrics": {"a": b, "b": a}})) != prints(one)


def test_whole_floats_and_lists_are_what_their_annotation_says(e: wx.Experiment) -> None:
    loose = dataclasses.replace(e, training=wx.Training(clip=1), model=wx.models.UNet(multipliers=[1, 2]))
    tight = dataclasses.replace(e, training=wx.Training(clip=1.0), model=wx.models.UNet(multipliers=(1, 2)))
    assert prints(loose) == prints(tight)


def test_data_changed_under_the_same_path_is_other_data(e: wx.Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Loaded(e, identities(e))
    assert recorded.identities == {"dataset": "sha256:0", "objective.mean.dataset": "sha256:0"}
    monkeypatch.setitem(downscaling.CHECKSUM, "era5.zarr", "sha256:1")
    now = prints(e)
    assert all(a != b for a, b in zip(now, prints(e, dict(recorded.identities)), strict=True))
    mixed = {"dataset": "sha256:1", "objective.mean.dataset": "sha256:0"}  # only that of the held one changed
    assert all(a != b for a, b in zip(now, prints(e, mixed), strict=True))
    monkeypatch.setitem(downscaling.CHECKSUM, "era5.zarr", "sha256:0")
    assert prints(e) == prints(e, dict(recorded.identities))


def test_an_identity_is_asked_for_once(e: wx.Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(type(e.dataset), "identity", lambda self: asked.append(self.path) or "x")
    identities(e)
    assert asked == ["era5.zarr", "era5.zarr"]  # its own, and that of the held one


def test_no_such_stage(e: wx.Experiment) -> None:
    with pytest.raises(ValueError, match=r"^the stage must be one of train, sample, score, got 'training'$"):
        fingerprint(e, "training", {})


def test_what_a_class_holds_must_be_a_field() -> None:
    with pytest.raises(AssertionError, match=r"Wrong\.held names what is no field"):

        class Wrong(wx.objectives.Distilled):
            held = {"pupil": "sample"}
