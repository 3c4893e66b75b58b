"""Two runs of made-up errors: the differences are known, the weather is common to both."""

import numpy as np
import pytest

from wxexp.metrics import CRPS, CRPSS, MAE, RMSE, Bias
from wxexp.scoring import CaseSums
from wxexp.scoring.comparison import compare, cost

METRICS = (MAE(), RMSE(), Bias())


def sums(error, index=None, *, variables=("a",), leads=(None,), groups=("all",), units=None, members=8, draws=400, **more):
    """Of one cell whose ensemble mean has these errors, [case, lead, variable, group]."""
    index = range(len(error)) if index is None else index
    error = np.broadcast_to(error if error.ndim == 4 else error[:, None, None, None], (len(error), len(leads), len(variables), len(groups)))
    plan = {
        "sources": ["forecast"],
        "variables": list(variables),
        "units": list(units or ["K"] * len(variables)),
        "leads": list(leads),
        "groups": list(groups),
        "cases": [{"index": int(i), "time": f"2001-{i:04d}", "lead_hours": 0.0} for i in index],
        "statistics": ["errors"],
        **more,
    }
    found = {
        "weight": np.ones(error.shape),
        "missing": np.zeros(error.shape),
        "error": error,
        "absolute": np.abs(error),
        "square": error**2,
    }
    return CaseSums("forecast", members, {f"errors/{name}": x for name, x in found.items()}, plan=plan, draws=draws, seed=0)


def weather(size=240, seed=0):
    return 2.0 + np.random.default_rng(seed).standard_normal(size) ** 2


def by_metric(found):
    return {d.metric: d for d in found.differences}


def test_a_difference_in_every_case_is_found_however_hard_the_weather():
    """MAE that differs by 0.05 in each case, where its own interval is ± 0.2: paired draws know the difference exactly."""
    error = weather()
    d = by_metric(compare(sums(error), sums(error - 0.05), METRICS))
    assert d["mae"].second - d["mae"].first == pytest.approx(-0.05) and (d["mae"].low, d["mae"].high) == pytest.approx((-0.05, -0.05))
    assert d["mae"].verdict == "better" and d["mae"].change == pytest.approx(-0.05 / error.mean())
    assert d["bias"].verdict == "better"
    (own,) = sums(error).rows("mae", lambda total: total(np.abs(error)[:, None, None, None]) / len(error))
    assert own.high - own.low > 0.2


def test_whoever_is_named_first_the_verdict_is_the_other_way_round():
    error = weather()
    one, other = (compare(*pair, METRICS) for pair in ((sums(error), sums(1.1 * error)), (sums(1.1 * error), sums(error))))
    assert {d.verdict for d in one.differences} == {"worse"} and {d.verdict for d in other.differences} == {"better"}
    assert by_metric(one)["rmse"].change == pytest.approx(0.1) and by_metric(other)["rmse"].change == pytest.approx(1 / 1.1 - 1)


def test_noise_is_significant_as_often_as_it_says():
    """Two forecasts of equal skill with errors of their own: about one in twenty differs 'significantly'."""
    found = 0
    for seed in range(120):
        a, b = (np.abs(np.random.default_rng((seed, who)).standard_normal(100)) for who in (0, 1))
        found += by_metric(compare(sums(a, draws=200), sums(b, draws=200), (MAE(),)))["mae"].verdict != "same"
    assert 0 < found < 17  # 6 expected; of 120 fair draws 17 or more in one of 10 000


def test_a_bias_of_the_other_sign_is_no_change():
    error = np.random.default_rng(3).standard_normal(200)
    error = error - error.mean()
    d = by_metric(compare(sums(0.5 + error), sums(-0.5 - error), (Bias(),)))["bias"]
    assert (d.first, d.second) == pytest.approx((0.5, -0.5)) and d.verdict == "same" and d.change == pytest.approx(0.0, abs=1e-12)


def test_only_what_both_have_is_compared_and_the_rest_is_said():
    first = sums(weather()[:30], range(30), variables=("a", "b"), leads=(6.0, 12.0), groups=("all", "land"))
    second = sums(weather(seed=1)[:30], range(10, 40), variables=("b", "c"), leads=(12.0, 18.0, 24.0), members=4)
    found = compare(first, second, METRICS, names=("x", "y"))
    assert found.cases == 20 and found.times == ("2001-0010", "2001-0029")
    assert {(d.variable, d.lead_hours, d.group) for d in found.differences} == {("b", 12.0, "all")}
    assert list(found.notes) == [
        "20 cases are common, of 30 in x and 30 in y: without 2001-0000, 2001-0001, 2001-0002 and 17 more",
        "1 lead time is common, of 2 in x and 3 in y: without 6 h, 18 h, 24 h",
        "1 variable is common, of 2 in x and 2 in y: without a, c",
        "only one of them has the group land",
        "x has 8 members, y 4",
    ]
    assert by_metric(found)["mae"].first == pytest.approx(weather()[10:30].mean())
    assert by_metric(found)["mae"].second == pytest.approx(weather(seed=1)[:20].mean())


def test_groups_of_cases_keep_their_cases():
    """A season of cases 0 … 14, of which the second run has 5 … 14."""
    error = weather(40)
    settings = {"groups": {"winter": {"type": "Months"}}}
    first = sums(error, range(40), selections={"winter": list(range(15))}, settings=settings)
    second = sums(error[5:] + 1.0, range(5, 40), selections={"winter": list(range(10))}, settings=settings)
    found = {d.group: d for d in compare(first, second, (MAE(),)).differences}
    assert found["winter"].first == pytest.approx(error[5:15].mean()) and found["all"].first == pytest.approx(error[5:].mean())
    other = sums(error[5:] + 1.0, range(5, 40), selections={"winter": list(range(10))}, settings={"groups": {"winter": {"type": "Both"}}})
    assert {d.group for d in compare(first, other, (MAE(),)).differences} == {"all"}


def test_a_group_without_a_common_case_is_left_out():
    """The land of winter, whose cells have sums of their own: of the common cases none is in winter."""
    error = np.stack([weather(30), 9 + weather(30)], axis=-1)[:, None, None, :]
    more = {"groups": ("all", "land of winter"), "settings": {"groups": {"land of winter": {"type": "Both"}}}}
    first = sums(error, range(30), selections={"land of winter": [0, 1, 2]}, **more)
    second = sums(error[10:], range(10, 30), selections={"land of winter": [19]}, **more)
    found = compare(first, second, (MAE(),))
    assert {d.group for d in found.differences} == {"all"}
    assert "none of the common cases is in the group land of winter" in found.notes


def skilled(error, **baselines):
    """With baselines whose errors are a multiple of it, and how they are configured."""
    own = {"settings": {"baselines": {name: {"type": kind} for name, (_, kind) in baselines.items()}}}
    found = sums(error, **own)
    pairs = {"pairs/weight": found.arrays["errors/weight"], "pairs/pairs": 0 * found.arrays["errors/error"]}
    found.arrays = {**found.arrays, **pairs, "pairs/skill": found.arrays["errors/absolute"]}
    found.references = {}
    for name, (factor, _) in baselines.items():
        other = sums(factor * error, members=1, **own)
        other.source, other.arrays = name, {**other.arrays, **pairs, "pairs/skill": other.arrays["errors/absolute"]}
        found.references[name] = other
    return found


def test_skill_is_compared_over_baselines_that_both_have():
    error = weather(30)
    first = skilled(error, climatology=(2.0, "Climatology"), persistence=(4.0, "Persistence"), other=(3.0, "A"))
    second = skilled(error / 2, climatology=(4.0, "Climatology"), damped=(4.0, "DampedPersistence"), other=(3.0, "B"))
    found = compare(first, second, (CRPSS(),), names=("x", "y"))
    assert [(d.metric, d.source, d.first, d.second) for d in found.differences] == [("crpss", "climatology", 0.5, 0.75)]
    assert list(found.notes) == [
        "the baseline other of one is not that of the other, nor is skill over it compared",
        "only one of them has the baseline persistence, damped",
    ]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"index": range(100, 130)}, "x and y have no case in common: 2001-0000 to 2001-0029, and 2001-0100 to 2001-0129"),
        ({"variables": ("b",)}, "x and y have no variable in common: a, and b"),
        ({"leads": (6.0,)}, "x and y have no lead time in common: no lead, and 6 h"),
        ({"units": ("degC",)}, "a is in K in x and in degC in y"),
    ],
)
def test_nothing_in_common_is_refused(second, message):
    with pytest.raises(ValueError, match=message):
        compare(sums(weather(30)), sums(weather(30), **second), METRICS, names=("x", "y"))
    with pytest.raises(ValueError, match="have no metric in common"):
        compare(sums(weather(30)), sums(weather(30)), (CRPS(), CRPSS()))


def test_many_cases_are_not_compared_each_with_each():
    """Of 300 cases each with each would be 300²/2."""
    asked = 0

    class Time(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal asked
            asked += 1
            return str.__eq__(self, other)

    both = [sums(weather(300)), sums(weather(300) + 1.0)]
    for each in both:
        each.plan["cases"] = [{**case, "time": Time(case["time"])} for case in each.plan["cases"]]
    assert compare(*both, (MAE(),)).cases == 300
    assert asked < 20 * 300


def test_too_few_cases_have_no_verdict():
    d = by_metric(compare(sums(weather(3)), sums(weather(3) + 1.0), (MAE(),)))["mae"]
    assert (d.low, d.high, d.verdict) == (None, None, None) and d.change == pytest.approx(1 / weather(3).mean())


@pytest.mark.parametrize(
    ("metric", "worse", "better"),
    [
        ("crps", 2.0, 1.0),
        ("crps_pooled_4", 2.0, 1.0),
        ("crpss", 0.1, 0.4),
        ("bias", -2.0, 1.0),
        ("spread_skill", 2.0, 0.9),
        ("spread_skill", 0.4, 2.0),
        ("spread_skill_reliability", 2.0, 0.9),
        ("brier_5", 0.3, 0.2),
        ("brier_resolution_5", 0.1, 0.2),
        ("fss_1_4", 0.5, 0.9),
    ],
)
def test_what_is_better(metric, worse, better):
    assert cost(metric)(np.array(worse)) > cost(metric)(np.array(better)) >= 0


def test_of_some_rows_there_is_no_better():
    assert [cost(name) for name in ("coverage_0.9", "interval_width_0.9", "brier_uncertainty_5", "made_up")] == [None] * 4
