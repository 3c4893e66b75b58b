"""Scores of yes-or-no forecasts, from the four numbers of a contingency table (Wilks 2019, section 9.2; Ferro and Stephenson 2011)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _by_chance(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Hits of a forecast that knows no more than how often it says yes."""
    return np.asarray((a + b) * (a + c) / (a + b + c + d))


def _sedi(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    hit, alarm = a / (a + c), b / (b + d)
    up, down = np.log(alarm) - np.log(hit), np.log(1 - hit) - np.log(1 - alarm)
    return np.asarray((up + down) / (np.log(alarm) + np.log(hit) + np.log(1 - hit) + np.log(1 - alarm)))


SCORES: dict[str, Score] = {
    "hit_rate": lambda a, b, c, d: a / (a + c),
    "false_alarm_rate": lambda a, b, c, d: b / (b + d),
    "false_alarm_ratio": lambda a, b, c, d: b / (a + b),
    "accuracy": lambda a, b, c, d: (a + d) / (a + b + c + d),
    "csi": lambda a, b, c, d: a / (a + b + c),
    "ets": lambda a, b, c, d: (a - _by_chance(a, b, c, d)) / (a + b + c - _by_chance(a, b, c, d)),
    "hss": lambda a, b, c, d: 2 * (a * d - b * c) / ((a + c) * (c + d) + (a + b) * (b + d)),
    "pss": lambda a, b, c, d: a / (a + c) - b / (b + d),
    "f1": lambda a, b, c, d: 2 * a / (2 * a + b + c),
    "sedi": _sedi,
}
"""By name, of hits a, false alarms b, misses c and correct negatives d; NaN where a score is 0 / 0."""


def numbers(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(a, b, c, d) of all members taken as forecasts, on average, from a table of exceedances [..., M + 1, 2]."""
    count = table.shape[-2] - 1
    p = np.arange(count + 1) / count
    others, events = table[..., 0], table[..., 1]
    return events @ p, others @ p, events @ (1 - p), others @ (1 - p)
