import dataclasses

import numpy as np
import pytest

from wxexp.reports.survey import survey


def test_picks_are_the_cases_of_median_and_largest_spread(land):
    material = land(members=3)
    members = material.members.copy(deep=True)
    for case, factor in enumerate((1.0, 5.0, 3.0, 2.0, 4.0)):
        members["tasmax"][case] *= factor
    found = survey(dataclasses.replace(material, members=members), lead=None)
    assert found.picks == (2, 1) and found.cases == 5
    variance, error, weight = found.pairs["tasmax"]
    assert variance.shape == error.shape == weight.shape == (5, 240)
    x = members["tasmax"].values[4].reshape(3, -1).astype(float)
    truth = material.truth(material.items[4])["tasmax"].values.ravel()
    np.testing.assert_allclose(variance[4], ((x - x.sum(0) / 3) ** 2).sum(0) / 2)
    np.testing.assert_allclose(error[4], (x.sum(0) / 3 - truth) ** 2)
    np.testing.assert_allclose(weight[4].reshape(12, 20), material.grid.area())


def test_the_cell_of_largest_spread_has_data_in_all_cases(land):
    material = land()
    members = material.members.copy(deep=True)
    members["tasmax"][:, :, 6, 7] *= 10
    members["tasmax"][:, :, 8, 9] *= 100
    members["tasmax"][3, :, 8, 9] = np.nan
    material = dataclasses.replace(material, members=members, truth=None)
    assert survey(material, lead=None).widest == {"tasmax": 6 * 20 + 7}
    assert survey(material, lead=None, most_cells=100).widest["tasmax"] % 3 == 0  # in the field, not among the cells that are kept
    assert survey(land(members=1), lead=None).widest == {}


def test_bounded_numbers_of_cases_and_cells(land):
    material = land()
    found = survey(material, lead=None, most_cases=2, most_cells=100)
    assert found.cases == 2 and found.pairs["tasmax"][0].shape == (2, 80)  # every third cell: 2 divides 20, 3 does not
    assert set(found.picks) <= {0, 4}


def test_a_lead_is_read_at_its_place(ring):
    first, last = (survey(ring, lead=lead).pairs["x1"][0] for lead in (6.0, 18.0))
    members = ring.members["x1"].values
    np.testing.assert_allclose(first, members[:, :, 0].var(axis=1, ddof=1))
    np.testing.assert_allclose(last, members[:, :, 2].var(axis=1, ddof=1))


def test_items_must_match_the_members(land):
    with pytest.raises(ValueError, match="must be the 5 times of the members, got 4"):
        dataclasses.replace(land(), items=land().items[:4])
