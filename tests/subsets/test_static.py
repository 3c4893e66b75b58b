from types import SimpleNamespace

import numpy as np
import pytest

from wxexp.datasets import Downscaling, Forecasting, SyntheticFields
from wxexp.subsets import Static

HEIGHT = np.array([[0.0, 50.0], [200.0, np.nan]])


def test_classes_are_half_open_and_without_cells_that_have_no_value():
    opened = SimpleNamespace(static={"height": HEIGHT}.__getitem__)
    assert Static(name="height", at_least=50.0).cells(opened).tolist() == [[False, True], [True, False]]
    assert Static(name="height", below=50.0).cells(opened).tolist() == [[True, False], [False, False]]
    assert Static(name="height", at_least=10.0, below=200.0).cells(opened).tolist() == [[False, True], [False, False]]


def test_limits_are_needed_and_in_order():
    with pytest.raises(ValueError, match="Static needs at_least or below"):
        Static(name="height")
    with pytest.raises(ValueError, match="at_least must be less than below, got 5.0 and 2.0"):
        Static(name="height", at_least=5.0, below=2.0)


def test_a_dataset_without_static_fields_is_refused():
    with pytest.raises(ValueError, match="static fields by name, which SimpleNamespace does not have"):
        Static(name="height", below=1.0).cells(SimpleNamespace())


SOURCE = SyntheticFields(cells=(16, 24), times=30)
DATASETS = {
    "downscaling": Downscaling(source=SOURCE, targets=("tas",), region=(0, 16, 8, 24)),
    "forecasting": Forecasting(source=SOURCE, variables=("tas",), lead_hours=24.0),
}


@pytest.mark.parametrize("kind", DATASETS)
def test_a_field_of_the_source_that_no_network_sees_is_found(kind):
    opened = DATASETS[kind].open()
    height = SOURCE.open().data["orog"].values[:, 8 if kind == "downscaling" else 0 :]
    found = Static(name="orog", at_least=300.0).cells(opened)
    assert found.shape == opened.grid.shape and np.array_equal(found, height >= 300) and 0 < found.mean() < 1
    with pytest.raises(ValueError, match="SyntheticFields has no static field 'orgo'; did you mean 'orog'"):
        Static(name="orgo", below=1.0).cells(opened)
