"""Units that differ in spelling or by a known factor, for data written by others (UDUNITS and CF spellings)."""

from __future__ import annotations

import re

_SAME = {
    "kelvin": "K",
    "c": "degC",
    "°c": "degC",
    "celsius": "degC",
    "degrees_c": "degC",
    "degree_c": "degC",
    "degree_celsius": "degC",
    "degrees_celsius": "degC",
    "deg_c": "degC",
    "degc": "degC",
    "mbar": "hPa",
    "millibar": "hPa",
    "millibars": "hPa",
    "day": "d",
    "days": "d",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "hpa": "hPa",
    "meter": "m",
    "meters": "m",
    "metre": "m",
    "metres": "m",
    "millimeter": "mm",
    "millimeters": "mm",
    "millimetre": "mm",
    "millimetres": "mm",
    "knot": "kn",
    "knots": "kn",
    "kt": "kn",
    "percent": "%",
    "dimensionless": "1",
    "sec": "s",
    "second": "s",
    "seconds": "s",
}
"""Other spellings of a symbol, in lower case."""

_KINDS: tuple[dict[str, tuple[float, float]], ...] = (
    {"K": (1.0, 0.0), "degC": (1.0, 273.15)},
    # 1 kg m-2 of water is 1 mm
    {"kg m-2 s-1": (86400.0, 0.0), "mm s-1": (86400.0, 0.0), "mm h-1": (24.0, 0.0), "mm d-1": (1.0, 0.0), "kg m-2 d-1": (1.0, 0.0)},
    {"Pa": (1.0, 0.0), "hPa": (100.0, 0.0), "kPa": (1000.0, 0.0)},
    {"1": (1.0, 0.0), "%": (0.01, 0.0)},
    {"kg m-2": (1.0, 0.0), "mm": (1.0, 0.0), "m": (1000.0, 0.0), "cm": (10.0, 0.0)},
    {"m s-1": (1.0, 0.0), "mm s-1": (1e-3, 0.0), "km h-1": (1 / 3.6, 0.0), "kn": (1852 / 3600, 0.0)},
    {"m": (1.0, 0.0), "km": (1000.0, 0.0)},
    {"kg kg-1": (1.0, 0.0), "g kg-1": (1e-3, 0.0), "1": (1.0, 0.0)},
)
"""Units of one kind: (factor, offset) to the kind's own unit."""


def normal(units: str) -> str:
    """One spelling of a unit: "mm/day", "mm day^-1" and "mm d**-1" are "mm d-1"."""
    out: list[str] = []
    for part, symbols in re.findall(r"(^|/)([^/]*)", units.strip().replace("**", "").replace("^", "")):
        for number, symbol in enumerate(re.findall(r"[^\s.*]+", symbols)):
            name, power = re.fullmatch(r"(.*?)(-?\d+)?", symbol).groups()  # type: ignore[union-attr]
            if not name:  # a bare number, as in "1"
                out += [symbol] if not part and symbols.strip() == symbol and "/" not in units else []
                continue
            exponent = int(power or 1) * (-1 if part and number == 0 else 1)
            out.append(_SAME.get(name.lower(), name) + ("" if exponent == 1 else str(exponent)))
    return " ".join(out)


def conversion(source: str, target: str) -> tuple[float, float] | None:
    """(factor, offset) with value in `target` = factor * value in `source` + offset; None where there is none.

    Known are K and degC, rates and amounts of water (mm/day, mm/h, mm/s, kg m-2 s-1; kg m-2, mm, m), pressures, lengths, speeds,
    shares (1, %, kg/kg, g/kg); of others only spellings.
    """
    before, after = normal(source), normal(target)
    if before == after:
        return 1.0, 0.0
    for kind in _KINDS:
        if before in kind and after in kind:
            (a, b), (c, d) = kind[before], kind[after]
            return a / c, (b - d) / c
    return None
