"""How every picture looks: colours, labels of units and leads, norms, and PNG bytes that are the same on every run.

Colours are those of Okabe and Ito (2008), told apart with any kind of colour vision; fields are viridis, differences RdBu, ratios PuOr.
Figures are made through matplotlib's object interface with its own defaults, so that neither a user's matplotlibrc nor pyplot's state
matters.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize, PowerNorm
from matplotlib.figure import Figure

Drawing = tuple[Figure, xr.Dataset]
"""A picture and the numbers in it."""

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
TRUTH, FORECAST, MEAN = BLACK, BLUE, VERMILION
OTHERS = (ORANGE, GREEN, PURPLE, SKY, "#7F7F7F")
NO_DATA = "#C8C8C8"
WIDTH = 7.4  # inches: text of 8.5 points stays readable when the picture is as wide as a page
DPI = 144

_STYLE = {
    "font.size": 8.5,
    "axes.titlesize": 9.0,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "figure.titlesize": 10.0,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.4,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": "#E2E2E2",
    "grid.linewidth": 0.6,
    "figure.dpi": 100,
    "savefig.dpi": DPI,
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's defaults and this style inside, whatever was set outside; also a decorator."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type]
        yield


def new_figure(height: float, *, width: float = WIDTH) -> Figure:
    """An empty figure of `width` x `height` inches that arranges its panels by itself."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@styled()
def png(figure: Figure) -> bytes:
    """The picture as PNG, without dates or versions: equal figures give equal bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def panel_grid(figure: Figure, count: int, columns: int, *, sharey: bool = False) -> list[Axes]:
    """`count` panels in rows of at most `columns`; places left over stay empty."""
    rows = -(-count // columns)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=sharey).ravel().tolist()
    for axis in axes[count:]:
        axis.remove()
    return list(axes[:count])


# Words

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def unit_text(units: str) -> str:
    """CF units as they are printed: "mm d-1" -> "mm d⁻¹", "degC" -> "°C", "1" -> ""."""
    words = {"1": "", "degC": "°C", "degree_Celsius": "°C", "percent": "%"}
    if units in words:
        return words[units]
    return re.sub(r"(?<=[A-Za-z])(\^|\*\*)?(-?\d+)", lambda found: found[2].translate(_SUPERSCRIPT), units)


def with_units(name: str, units: str) -> str:
    """`name (units)`, or the name alone where there are none."""
    text = unit_text(units)
    return f"{name} ({text})" if text else name


def lead_text(hours: float | None) -> str:
    """A lead time as "+18 h" or "+5 d"; empty where there is none."""
    if hours is None:
        return ""
    return f"+{hours / 24:g} d" if hours >= 72 and hours % 24 == 0 else f"+{hours:g} h"


def date_text(time: str) -> str:
    """An ISO time to the minute, and only its date at midnight."""
    day, _, clock = time.replace(" ", "T").partition("T")
    return day if clock[:5] in ("", "00:00") else f"{day} {clock[:5]}"


def number(value: float, digits: int = 3) -> str:
    """A number of `digits` significant digits with a true minus sign; "–" where it is not finite."""
    return f"{value:.{digits}g}".replace("-", "−") if np.isfinite(value) else "–"


# Norms

Limits = tuple[Normalize, str]
"""A norm, and matplotlib's `extend` for what lies beyond it."""


def _extend(values: np.ndarray, low: float, high: float) -> str:
    below, above = bool((values < low).any()), bool((values > high).any())
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]


def _finite(fields: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.asarray(f, dtype=np.float64)[np.isfinite(f)] for f in fields] or [np.zeros(0)])


def sequential(*fields: np.ndarray, cut: float = 0.5) -> Limits:
    """One norm for all the fields, from the `cut` to the 100 - `cut` percentile of their finite values.

    Square-root spaced from 0 where the values are never negative and mostly far below the top (precipitation), linear elsewhere.
    """
    values = _finite(fields)
    if not values.size:
        return Normalize(0.0, 1.0), "neither"
    low, middle, high = np.percentile(values, [cut, 50, 100 - cut])
    if values.min() >= 0 and high > 0 and middle < 0.15 * high:
        return PowerNorm(0.5, 0.0, high), _extend(values, 0.0, high)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return Normalize(low, high), _extend(values, low, high)


def diverging(*fields: np.ndarray, cut: float = 2.0) -> Limits:
    """Symmetric around 0, to the 100 - `cut` percentile of the sizes."""
    values = _finite(fields)
    most = float(np.percentile(np.abs(values), 100 - cut)) if values.size else 0.0
    most = most or 1.0
    return Normalize(-most, most), _extend(values, -most, most)


def around_one(*fields: np.ndarray, cut: float = 2.0) -> Limits:
    """For ratios: symmetric around 1 in the logarithm, to the 100 - `cut` percentile, at least 0.8-1.25."""
    values = _finite(fields)
    values = values[values > 0]
    most = max(1.25, float(np.exp(np.percentile(np.abs(np.log(values)), 100 - cut)))) if values.size else 1.25
    return LogNorm(1 / most, most), _extend(values, 1 / most, most)
