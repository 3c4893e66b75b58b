import pytest

from wxexp.scoring.units import conversion, normal


@pytest.mark.parametrize("units", ["mm/day", "mm day-1", "mm d**-1", "mm day^-1", "mm.d-1", " mm / d "])
def test_spellings_of_one_unit(units):
    assert normal(units) == "mm d-1"


@pytest.mark.parametrize(
    ("units", "other"), [("kg m**-2 s**-1", "kg m-2 s-1"), ("m/s", "m s-1"), ("kg/m2/s", "kg m-2 s-1"), ("1", "1"), ("", "")]
)
def test_spellings_of_derived_units(units, other):
    assert normal(units) == other


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        ("degC", "K", 20.0, 293.15),
        ("K", "celsius", 0.0, -273.15),
        ("kg m-2 s-1", "mm/day", 1.0, 86400.0),
        ("mm/day", "mm s-1", 86400.0, 1.0),
        ("mm h-1", "mm/day", 1.0, 24.0),
        ("hPa", "Pa", 1013.25, 101325.0),
        ("m/s", "m s**-1", 3.0, 3.0),
        ("m", "mm", 0.002, 2.0),
        ("kg m**-2", "m", 5.0, 0.005),
        ("metres", "km", 1500.0, 1.5),
        ("knots", "m s-1", 10.0, 5.144444444444445),
        ("g/kg", "kg kg**-1", 7.0, 0.007),
        ("percent", "1", 30.0, 0.3),
        ("kPa", "hPa", 101.325, 1013.25),
    ],
)
def test_conversions(source, target, value, expected):
    factor, offset = conversion(source, target)
    assert factor * value + offset == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("source", "target"), [("K", "mm/day"), ("m", "mm d-1"), ("", "K"), ("m s-1", "s m-1"), ("m2 s-2", "m")])
def test_others_have_none(source, target):
    assert conversion(source, target) is None
