import matplotlib
import numpy as np
import pytest
from matplotlib.colors import PowerNorm

from wxexp.reports.plots import loss_curves
from wxexp.reports.style import around_one, date_text, diverging, lead_text, number, png, sequential, unit_text, with_units


@pytest.mark.parametrize(
    ("units", "text"),
    [("mm d-1", "mm d⁻¹"), ("K", "K"), ("1", ""), ("degC", "°C"), ("m2 s-2", "m² s⁻²"), ("kg m**-2", "kg m⁻²"), ("%", "%"), ("dB", "dB")],
)
def test_units_are_printed_with_superscripts(units, text):
    assert unit_text(units) == text
    assert with_units("x", units) == (f"x ({text})" if text else "x")


def test_times_leads_and_numbers():
    assert date_text("1990-01-25T00:00:00") == "1990-01-25"
    assert date_text("1990-01-25T12:00:00") == "1990-01-25 12:00"
    assert [lead_text(h) for h in (None, 6.0, 48.0, 72.0, 78.0)] == ["", "+6 h", "+48 h", "+3 d", "+78 h"]
    assert [number(v) for v in (-0.01234, 1234.0, float("nan"))] == ["−0.0123", "1.23e+03", "–"]


def test_norms():
    values = np.linspace(-1.0, 3.0, 101)
    norm, extend = diverging(values)
    assert norm(0.0) == 0.5 and norm.vmax == pytest.approx(2.92) and norm.vmin == -norm.vmax and extend == "max"
    norm, _ = around_one(np.array([0.5, 1.0, 1.2]), cut=0.0)
    assert norm(1.0) == pytest.approx(0.5) and (norm.vmin, norm.vmax) == pytest.approx((0.5, 2.0))
    assert around_one(np.ones(3))[0].vmax == 1.25  # no wider colours than the differences deserve
    norm, extend = sequential(values, np.array([np.nan, 3.0]), cut=0.0)
    assert (norm.vmin, norm.vmax, extend) == (-1.0, 3.0, "neither")
    rain, _ = sequential(np.concatenate([np.zeros(90), np.linspace(0, 10, 10)]))
    assert isinstance(rain, PowerNorm) and rain.vmin == 0.0 and rain(rain.vmax / 4) == pytest.approx(0.5)
    assert sequential(np.full(4, np.nan))[0].vmax == 1.0 and sequential(np.full(4, 7.0))[0](7.0) == 0.5


def test_equal_figures_are_equal_bytes_whatever_the_users_settings():
    curves = {"train": (np.arange(1.0, 50.0), 1 / np.arange(1.0, 50.0))}
    first = png(loss_curves(curves)[0])
    assert first.startswith(b"\x89PNG") and b"Software" not in first
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        second = png(loss_curves(curves)[0])
        assert matplotlib.rcParams["font.size"] == 30
    assert first == second
