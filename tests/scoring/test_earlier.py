"""Other metrics of the same members from sums that are there, without the members."""

import shutil

import pytest

from wxexp.metrics import CRPS, MAE, RMSE, Bias, SpreadSkill
from wxexp.scoring import finalise, prepare, reuse, score

FIRST = {"crps": CRPS(), "bias": Bias()}
OTHER = {"biased": CRPS(estimator="biased"), "rmse": RMSE(), "mae": MAE()}


@pytest.fixture
def scored(world, here, tmp_path):
    """A run with sums of `FIRST`, and the plan of the same with other metrics, whose members are gone."""
    w = world(times=3, metrics=FIRST)
    score(tree=w.tree, executor=here(), out=tmp_path / "first")

    def plan(metrics, **changes):
        other = world(times=3, metrics=metrics, stored=w, **changes)
        return other.experiment, other.tree

    return plan, w


def test_other_metrics_have_the_bits_of_a_second_scoring_without_members(scored, here, tmp_path):
    plan, w = scored
    experiment, tree = plan(OTHER)
    score(tree=tree, executor=here(), out=tmp_path / "again")
    want = [repr(row) for row in finalise(experiment, tmp_path / "again")]
    shutil.rmtree(w.path)
    (tmp_path / "second").mkdir()
    assert reuse(tree=tree, out=tmp_path / "second", others=(tmp_path / "first", tmp_path / "second")) == tmp_path / "first"
    score(tree=tree, executor=None, out=tmp_path / "second")
    assert [repr(row) for row in finalise(experiment, tmp_path / "second")] == want


@pytest.mark.parametrize(
    ("metrics", "changes"),
    [({"ss": SpreadSkill()}, {}), (OTHER, {"scored": 4}), (OTHER, {"block": 1})],
    ids=["statistic", "members", "blocks"],
)
def test_what_lacks_a_statistic_or_is_of_something_else_is_not_taken(metrics, changes, scored, tmp_path):
    _, tree = scored[0](metrics, **changes)
    assert reuse(tree=tree, out=tmp_path / "second", others=[tmp_path / "first"]) is None


def test_a_statistic_that_was_not_summed_is_named(scored, tmp_path):
    experiment, _ = scored[0]({"ss": SpreadSkill()})
    with pytest.raises(ValueError, match="the scores of 'forecast' hold no 'moments', only errors, pairs; score again"):
        finalise(experiment, tmp_path / "first")


def test_baselines_of_other_settings_are_not_taken(scored, tmp_path):
    plan, w = scored
    experiment, tree = plan(OTHER)
    tree["plan"]["settings"]["baselines"]["zero"] = {"type": "ToyOther"}
    assert reuse(tree=tree, out=tmp_path / "second", others=[tmp_path / "first"]) is None
    assert prepare(experiment, w.opened, members=w.path, out=tmp_path, block=2)["plan"]["settings"]["members"] == 5
