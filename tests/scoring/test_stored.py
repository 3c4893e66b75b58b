"""Every metric from sums that went through workers, parts and a store, against libraries."""

import numpy as np
import pytest
import scoringrules
from test_engine import arrays

from wxexp.metrics import (
    FSS,
    Brier,
    BrierDecomposition,
    Coverage,
    EnergyScore,
    IntervalScore,
    KernelScore,
    MemberRMSE,
    OutcomeCRPS,
    QuantileScore,
    RelativeBias,
    RescaledCRPS,
    ROCArea,
    ThresholdCRPS,
    VariogramScore,
)
from wxexp.scoring import finalise, score

METRICS = {
    "brier": Brier(thresholds=(0.25, -1.0)),
    "biased": Brier(thresholds=(0.25,), estimator="biased"),
    "decomposition": BrierDecomposition(thresholds=(0.25,)),
    "roc": ROCArea(thresholds=(0.25,)),
    "tail": ThresholdCRPS(thresholds=(0.25, 1.0, 1.5)),
    "quantiles": QuantileScore(levels=(0.25, 0.5, 0.9)),
    "interval": IntervalScore(levels=(0.5, 0.8)),
    "coverage": Coverage(levels=(0.5,)),
    "energy": EnergyScore(),
    "variogram": VariogramScore(lags=(1, 3)),
    "fss": FSS(thresholds=(0.25,), scales=(1, 5)),
    "member": MemberRMSE(),
    "outcome": OutcomeCRPS(thresholds=(0.25,)),
    "rescaled": RescaledCRPS(thresholds=(0.25,), estimator="biased"),
    "kernel": KernelScore(bandwidths=(1.0,)),
    "relative": RelativeBias(),
}


def test_rows_equal_libraries_over_all_cells_and_cases(world, here, tmp_path):
    w = world(times=4, metrics=METRICS)
    score(tree=w.tree, executor=here(), out=tmp_path)
    rows = finalise(w.experiment, tmp_path)
    table = {(r.metric, r.source, r.variable): r.value for r in rows}
    assert len(table) == len(rows)
    weights, y, x = (a[..., 0, 0, :, :].astype(float) for a in arrays(w))  # of t: [case, *S], x [case, M, *S]

    def mean(field):
        return np.average(field, weights=weights)

    q = {tau: np.quantile(x, tau, axis=1) for tau in (0.1, 0.25, 0.75, 0.9)}
    brier = mean(((x > 0.25).mean(axis=1) - (y > 0.25)) ** 2)
    norms = [
        scoringrules.es_ensemble(truth * root, members * root, m_axis=0, v_axis=1, estimator="fair", backend="numpy")
        for truth, members, root in (
            (a[u > 0], b[:, u > 0], np.sqrt(u[u > 0] / u[u > 0].sum())) for a, b, u in zip(y, x, weights, strict=True)
        )
    ]
    points = y.reshape(-1), x.swapaxes(0, 1).reshape(x.shape[1], -1)
    rescaled = scoringrules.vrcrps_ensemble(*points, a=0.25, m_axis=0, backend="numpy").reshape(y.shape)
    with np.errstate(divide="ignore", invalid="ignore"):  # where no member is in the tail
        outcome = np.where(y >= 0.25, scoringrules.owcrps_ensemble(y, x, a=0.25, m_axis=1, backend="numpy"), 0.0)
    known = ~np.isnan(outcome)
    expected = {
        "owcrps_0.25": np.average(outcome[known], weights=weights[known]),
        "owcrps_missed_0.25": weights[~known].sum() / weights[y >= 0.25].sum(),
        "vrcrps_biased_0.25": mean(rescaled),
        "kernel_score_1": mean(scoringrules.gksuv_ensemble(y, x, m_axis=1, estimator="fair", backend="numpy")),
        "relative_bias": mean(x.mean(axis=1) - y) / mean(y),
        "brier_biased_0.25": brier,
        "brier_uncertainty_0.25": mean(y > 0.25) * (1 - mean(y > 0.25)),
        "twcrps_1": mean(scoringrules.twcrps_ensemble(y, x, a=1.0, m_axis=1, estimator="fair", backend="numpy")),
        "quantile_score_0.9": mean(scoringrules.quantile_score(y, q[0.9], 0.9, backend="numpy")),
        "interval_score_0.8": mean(scoringrules.interval_score(y, q[0.1], q[0.9], 0.2, backend="numpy")),
        "coverage_0.5": mean((q[0.25] <= y) & (y <= q[0.75])),
        "energy_score": np.mean(norms),
        "member_rmse": np.sqrt(mean(((x - y[:, None]) ** 2).mean(axis=1))),
    }
    for name, value in expected.items():
        assert table[name, "forecast", "t"] == pytest.approx(value, rel=1e-6), name
    parts = [table[f"brier_{part}_0.25", "forecast", "t"] for part in ("reliability", "resolution", "uncertainty")]
    assert parts[0] - parts[1] + parts[2] == pytest.approx(brier, rel=1e-12)
    assert table["brier_0.25", "forecast", "t"] < brier
    assert {name for name, source, _ in table if source == "zero"} == {name for name, *_ in table} - {
        name for name, *_ in table if name.startswith(("coverage", "interval"))
    }
