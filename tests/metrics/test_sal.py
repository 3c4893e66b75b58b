"""SAL of fields whose objects are known, and of pysteps."""

import numpy as np
import pytest

from wxexp.metrics import SAL

SHAPE = (30, 40)
"""Whose diagonal is 50."""


def field(*blocks):
    """(first row, first column, cells a side, rain) of squares."""
    out = np.zeros(SHAPE)
    for row, column, side, rain in blocks:
        out[row : row + side, column : column + side] = rain
    return out


def values(sums_of, truth, *members, metric=None, **options):
    metric = metric or SAL()
    return {row.metric: row.value for row in metric.rows(sums_of(metric, truth[None], np.stack(members)[None], **options))}


ONE = field((10, 10, 4, 8.0))


@pytest.mark.parametrize(
    "truth, forecast, s, a, l",
    [
        (ONE, ONE, 0, 0, 0),
        (ONE, field((13, 14, 4, 8.0)), 0, 0, 5 / 50),
        (ONE, 3 * ONE, 0, (3 - 1) / 2, 0),
        (ONE, field((8, 8, 8, 2.0)), (64 - 16) / 40, 0, 0),
        (ONE, field((10, 10, 4, 2.0), (10, 10, 2, 26.0)), (128 / 26 - 16) / ((128 / 26 + 16) / 2), 0, 96 / 128 * 2**0.5 / 50),
        (ONE, field((10, 0, 4, 4.0), (10, 20, 4, 4.0)), 0, 0, 2 * 10 / 50),
        (
            field((0, 0, 4, 8.0), (10, 10, 2, 1.0)),
            field((0, 0, 4, 8.0)),
            (16 - (128 * 16 + 4 * 4) / 132) / ((16 + 2064 / 132) / 2),
            None,
            None,
        ),
    ],
    ids=[
        "the same",
        "moved by 3 and 4 cells",
        "three times as much",
        "spread over four times the area",
        "peaked",
        "in two",
        "a small one lost",
    ],
)
def test_by_hand(truth, forecast, s, a, l, sums_of):
    """Of one block of 16 equal cells V is 16. The peak takes 24 · 4 of 128 a distance of (1, 1) from the rest's centre."""
    found = values(sums_of, truth, forecast)
    assert found["sal_structure"] == pytest.approx(s, abs=1e-12) and found["sal_structure_absolute"] == pytest.approx(abs(s), abs=1e-12)
    if a is not None:
        assert found["sal_amplitude"] == pytest.approx(a, abs=1e-12) and found["sal_location"] == pytest.approx(l, abs=1e-12)
    for name in ("structure", "amplitude", "location"):  # of one member the ensemble's are the same
        assert found[f"esal_{name}"] == pytest.approx(found[f"sal_{name}"], abs=1e-12)


def blob(row, column, radius, peak):
    y, x = np.indices((60, 80))
    return peak * np.maximum(1 - ((y - row) ** 2 + (x - column) ** 2) / radius**2, 0.0) ** 1.5


def test_digits_of_pysteps(sums_of):
    """verification.salscores.sal(thr_factor=1/15) of pysteps 1.21.5, whose wet cells are those above 0, of two forecasts of two objects."""
    truth = blob(20, 20, 8, 12.0) + blob(40, 55, 11, 5.0)
    first = blob(24, 18, 9, 9.0) + blob(38, 60, 7, 14.0)
    second = blob(20, 22, 12, 6.0) + blob(45, 50, 9, 8.0) + blob(12, 65, 6, 20.0)
    s, a, l = (
        (-0.3058031173643338, 0.01580310639790979),
        (0.03027688451554238, 0.4765795360388117),
        (0.0809254835040379, 0.1538092191825708),
    )
    for member, *expected in zip((first, second), s, a, l, strict=True):
        found = values(sums_of, truth, member, metric=SAL(wet=0.0))
        assert [found[f"sal_{name}"] for name in ("structure", "amplitude", "location")] == pytest.approx(expected, abs=1e-12)
    both = values(sums_of, truth, first, second, metric=SAL(wet=0.0))
    assert [both[f"sal_{name}"] for name in ("structure", "amplitude", "location")] == pytest.approx([np.mean(x) for x in (s, a, l)])
    assert both["sal_structure_absolute"] == pytest.approx((0.3058031173643338 + 0.01580310639790979) / 2)


def test_the_ensemble_is_more_than_its_members(sums_of):
    """Two members 10 cells to either side of the truth: each is misplaced, the ensemble is not. Half and twice the rain: 5 / 4 as much."""
    left, right = field((10, 0, 4, 4.0)), field((10, 20, 4, 16.0))
    found = values(sums_of, ONE, left, right)
    assert found["sal_location"] == pytest.approx(10 / 50) and found["esal_location"] == pytest.approx(0, abs=1e-12)
    assert found["sal_amplitude"] == pytest.approx(0, abs=1e-12) and found["sal_amplitude_absolute"] == pytest.approx(2 / 3)
    assert found["esal_amplitude"] == pytest.approx(0.25 / 1.125)


def test_the_scatter_of_an_ensemble_is_scored_by_its_crps(sums_of):
    """Scatters 0 and 10 about a truth of 0: 1/2 · 10 − 1/4 · 10 = 2.5, and the mean centre is right."""
    found = values(sums_of, ONE, ONE, field((10, 0, 4, 4.0), (10, 20, 4, 4.0)))
    assert found["esal_location"] == pytest.approx(2 * 2.5 / 50) and found["sal_location"] == pytest.approx(2 * 5 / 50)


def test_dry_fields(sums_of):
    """Of a dry member only the ensemble's V and D know; of dry truth nothing counts; cases are added up before they are divided."""
    dry, drizzle = field(), field((0, 0, 20, 0.1))
    assert np.isnan(list(values(sums_of, dry, ONE).values())).all() and np.isnan(list(values(sums_of, ONE, drizzle).values())).all()
    found = values(sums_of, ONE, ONE, dry)
    assert found["sal_structure"] == found["sal_amplitude"] == found["esal_location"] == 0
    assert [found["esal_structure"], found["esal_amplitude"]] == [pytest.approx(-0.5 / 0.75)] * 2
    metric = SAL()
    members = np.stack([np.stack([3 * ONE, 3 * ONE]), np.stack([ONE, dry]), np.stack([ONE, ONE])])
    rows = {row.metric: row.value for row in metric.rows(sums_of(metric, np.stack([ONE, ONE, dry]), members))}
    assert rows["sal_amplitude"] == pytest.approx(2 / 3) and rows["esal_amplitude"] == pytest.approx((1 - 2 / 3) / 2)


def test_areas_groups_and_missing_values(sums_of):
    """Cells of twice the area count twice; a group's domain is its box; truth that is NaN is outside, negative rain is none."""
    weights = np.ones((2, *SHAPE))
    weights[0, :, 20:] = 2.0
    weights[1, 20:], weights[1, :, :5], weights[1, :, 20:] = 0, 0, 0  # 20 x 15 cells: its diagonal is 25
    two = field((10, 10, 4, 8.0), (10, 30, 4, 8.0))
    metric = SAL()
    truth, forecast = two.copy(), ONE - 0.01
    truth[25], forecast[25] = np.nan, np.nan
    rows = metric.rows(sums_of(metric, truth[None], forecast[None, None] + 0.01 * (ONE > 0), weights=weights))
    found = {(row.metric, row.group): row.value for row in rows}
    assert found["sal_amplitude", "g0"] == pytest.approx((1 - 3) / 2) and found["sal_amplitude", "g1"] == pytest.approx(0, abs=1e-12)
    moved = values(sums_of, ONE, field((10, 15, 4, 8.0)), weights=weights[1:])
    assert moved["sal_location"] == pytest.approx(5 / 25)
    forecast[0, 0] = np.nan
    rows = metric.rows(sums_of(metric, truth[None], forecast[None, None], weights=weights))
    assert [row.group for row in rows if np.isfinite(row.value)] == ["g1"] * 8


def test_objects_begin_at_a_fraction_of_the_95th_percentile_of_wet_cells(sums_of):
    """Which is 15 of 96 cells of 15 and one of about 1: that is an object from 1 on. Then of 4 cells of 15 and 96 of 0.3, wet or not."""
    truth, forecast = np.zeros((2, 1, 120))
    truth[0, :96], truth[0, 110], forecast[0, :96], forecast[0, 110] = 15.0, 1.01, 15.0, 0.99
    volume = (1440 * 96 + 1.01 * 1) / 1441.01
    assert values(sums_of, truth, forecast)["sal_structure"] == pytest.approx((96 - volume) / ((96 + volume) / 2), abs=1e-12)
    truth[0], forecast[0] = 0.0, 0.0
    truth[0, :4], forecast[0, :4], forecast[0, 4:100] = 15.0, 15.0, 0.3
    volume = (60 + 96 * 0.3) / 15
    assert values(sums_of, truth, forecast)["sal_structure"] == pytest.approx((volume - 4) / ((volume + 4) / 2), abs=1e-12)
    assert values(sums_of, truth, forecast, metric=SAL(wet=1.0))["sal_structure"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("fields, name", [({"fraction": 0.0}, "fraction"), ({"fraction": 1.5}, "fraction"), ({"wet": -1.0}, "wet")])
def test_bad_thresholds(fields, name):
    with pytest.raises(ValueError, match=rf"RainObjects.{name} must be .*, got"):
        SAL(**fields)
