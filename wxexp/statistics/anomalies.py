"""How the anomalies of the ensemble mean and of the truth vary together in space."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces import Opened
from wxexp.interfaces.scoring import Reducer, Statistic
from wxexp.statistics.cells import scored, select
from wxexp.statistics.covariances import products
from wxexp.statistics.seasonal_means import check_window, seasonal_means, usual


class Anomalies(Statistic):
    """The sums of `Covariances`, `covariance`, `truth` and `mean` [G, 2], centred and not, of anomalies of x̄ and y.

    Anomalies are from the seasonal means of training times (see `wxexp.statistics.seasonal_means`), or the fields themselves where
    `window_days` is None. Cells without truth or without a seasonal mean are not counted; a NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("centring",) for name in ("covariance", "truth", "mean")}
    window_days: float | None = 15.0

    def __post_init__(self) -> None:
        check_window("Anomalies.window_days", self.window_days)

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """The seasonal means."""
        return {} if self.window_days is None else seasonal_means(opened, self.window_days)

    def reducer(self, fitted: Mapping[str, np.ndarray], *, time: str = "", hours: float = 0.0) -> Reducer:
        return partial(self._reduce, usual(fitted, time, hours)) if fitted else self.reduce

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        if self.window_days is not None:
            raise ValueError(
                "seasonal means are known from training times, which there are not here; give anomalies and window_days=None instead"
            )
        return self._reduce(np.zeros(truth.shape, dtype=np.float32), truth, members, weights)

    def _reduce(self, usual: np.ndarray, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        anomaly = truth - usual.astype(np.float64)
        y, x, w = select(anomaly, members, weights)
        mean = x.mean(axis=0, dtype=np.float64) - usual[scored(anomaly, weights)]
        both = [products(mean, y, w, centred=centred) for centred in (True, False)]
        return {name: np.stack([each[name] for each in both], axis=1) for name in self.dims}
