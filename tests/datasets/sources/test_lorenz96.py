"""Facts of Lorenz 1996, and of the trajectories as a source."""

import numpy as np
import pytest

from wxexp.config import identities
from wxexp.datasets import Lorenz96
from wxexp.datasets.sources.lorenz96 import integrate, tendency


def test_tendency_at_a_state_worked_by_hand():
    # cells 0..3 = 1, 2, 4, 8: (X_1 - X_2) X_3 - X_0 + F = (2 - 4) 8 - 1 + 8
    assert tendency(np.array([1.0, 2.0, 4.0, 8.0]), forcing=8.0).tolist() == [-9.0, (4 - 8) * 1 + 6, (8 - 1) * 2 + 4, (1 - 2) * 4]


def test_a_step_follows_the_tendency():
    x = np.random.default_rng(0).normal(size=(2, 7)) * 3
    step = integrate(x, forcing=8.0, dt=1e-5, steps=1)[1]
    assert (step - x) / 1e-5 == pytest.approx(tendency(x, forcing=8.0), abs=2e-3)


def test_the_scheme_is_of_fourth_order():
    x = integrate(8.0 + 0.1 * np.random.default_rng(1).normal(size=(1, 40)), forcing=8.0, dt=0.05, steps=400)[-1]
    exact = integrate(x, forcing=8.0, dt=0.4 / 640, steps=640)[-1]
    error = [np.abs(integrate(x, forcing=8.0, dt=0.4 / n, steps=n)[-1] - exact).max() for n in (8, 16, 32)]
    order = np.log2([error[0] / error[1], error[1] / error[2]])
    assert order == pytest.approx([4.0, 4.0], abs=0.3)


def test_the_climate_for_forcing_8():
    # mean 2.34 and standard deviation 3.64 are known; <X^2> = F <X> since d/dt sum X^2 / 2 = -sum X^2 + F sum X, whose mean is 0
    fields = Lorenz96(trajectories=32, steps=1000, every=2).open()
    x = fields.data["state"].values[fields.present].astype(float)
    assert x.mean() == pytest.approx(2.34, abs=0.02) and x.std() == pytest.approx(3.64, abs=0.02)
    assert (x**2).mean() == pytest.approx(8.0 * x.mean(), rel=0.005)


def test_trajectories_are_apart_in_time_and_differ():
    fields = Lorenz96(trajectories=3, steps=5, every=2, spin_up=100).open()
    time = fields.data["time"].values
    assert set(np.diff(time)) == {np.timedelta64(12, "h")}  # 0.05 time units are 6 hours
    assert np.flatnonzero(~fields.present).tolist() == [5, 11] and len(time) == 17
    x = fields.data["state"].values
    assert np.isnan(x[~fields.present]).all() and not np.isnan(x[fields.present]).any()
    assert abs(x[0] - x[6]).max() > 1
    # stored states are every second one of the integration
    assert x[1] == pytest.approx(integrate(x[None, 0].astype(float), forcing=8.0, dt=0.05, steps=2)[2, 0], abs=1e-4)


def test_the_same_parameters_give_the_same_bits_and_others_another_identity():
    small = {"trajectories": 2, "steps": 4, "spin_up": 10}
    a, b, c = Lorenz96(**small), Lorenz96(**small), Lorenz96(**small, seed=1)
    assert a.open().data.equals(b.open().data) and a.identity() == b.identity()
    assert not a.open().data.equals(c.open().data) and identities(a) != identities(c)


@pytest.mark.parametrize("field, value", [("cells", 3), ("dt", 0.0), ("dt", 0.2), ("steps", 0), ("trajectories", 0), ("spin_up", -1)])
def test_parameters_without_a_meaning_are_refused(field, value):
    with pytest.raises(ValueError, match=f"Lorenz96.{field} must be .*, got {value}"):
        Lorenz96(**{field: value})


def test_masked_cells_are_nan_at_all_times_and_the_others_as_they_were():
    some, all_cells = (Lorenz96(cells=8, trajectories=2, steps=5, spin_up=50, masked=cells) for cells in ((1, 6), ()))
    x, y = (source.open().data["state"].values for source in (some, all_cells))
    assert np.isnan(x[:, [1, 6]]).all() and np.array_equal(np.delete(x, [1, 6], 1), np.delete(y, [1, 6], 1), equal_nan=True)
    assert some.identity() != all_cells.identity()


@pytest.mark.parametrize("masked", [(8,), (-1,), tuple(range(8))])
def test_masked_cells_must_be_some_of_the_ring(masked):
    with pytest.raises(ValueError, match=r"Lorenz96\.masked must be some of the cells 0 \.\.\. 7, not all"):
        Lorenz96(cells=8, masked=masked)
