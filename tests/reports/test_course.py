import dataclasses

import numpy as np
import pytest

from wxexp.fields.grid import Grid
from wxexp.interfaces import Item
from wxexp.reports.course import longest_run, middle, over_leads, over_times
from wxexp.reports.survey import survey

LAT, LON = np.array([10.0, 11.0, 12.0]), np.array([0.0, 1.0, 2.0, 3.0, 4.0])


def test_all_leads_of_one_case_in_the_middle_of_a_ring(ring):
    course = over_leads(ring, 3, ["x1"])
    np.testing.assert_array_equal(course.members["x1"], ring.members["x1"].values[3, :, :, 8])
    np.testing.assert_array_equal(course.truth["x1"], ring.truth(ring.items[3])["x1"].values[:, 8])
    assert course.lead_hours.tolist() == [6, 12, 18] and course.places == {"x1": "x1 at place 8"} and course.items == (ring.items[3],)


def test_the_middle_has_data_at_all_leads(ring):
    members = ring.members.copy(deep=True)
    members["x1"][2, :, 1, :10] = np.nan
    course = over_leads(dataclasses.replace(ring, members=members, truth=None), 2, ["x1"])
    assert course.places == {"x1": "x1 at place 13"} and course.truth == {}
    members["x1"][2] = np.nan
    assert over_leads(dataclasses.replace(ring, members=members), 2, ["x1"]).members == {}


def test_cases_in_a_row_at_the_cell_of_largest_spread(land):
    material = land(("tasmax", "pr"))
    members = material.members.copy(deep=True)
    members["tasmax"][:, :, 6, 7] *= 10
    members["pr"][:, :, 11, 0] *= 10
    items, real = list(material.items), {item.time: material.truth(item)[["tasmax"]] for item in material.items if item.index != 25}
    items[4] = Item(40, "1990-03-01T00:00:00")
    material = dataclasses.replace(material, members=members, items=items, truth=lambda item: real.get(item.time))
    course = over_times(material, survey(material, lead=None), ["tasmax", "pr"])
    assert course.items == items[:4] and course.lead_hours is None
    np.testing.assert_array_equal(course.members["tasmax"], members["tasmax"].values[:4, :, 6, 7].T)
    np.testing.assert_array_equal(course.members["pr"], members["pr"].values[:4, :, 11, 0].T)
    expected = [real[item.time]["tasmax"].values[6, 7] if item.index != 25 else np.nan for item in items[:4]]
    np.testing.assert_array_equal(course.truth["tasmax"], expected)
    assert np.isnan(course.truth["pr"]).all()
    assert course.places == {"tasmax": "tasmax at 45.50° N, 79.42° W", "pr": "pr at 45.92° N, 80.00° W"}


@pytest.mark.parametrize(("favourite", "expected"), [(0, [3, 4, 5]), (4, [3, 4, 5]), (8, [6, 7, 8]), (9, [3, 4, 5])])
def test_of_equally_long_runs_the_favourite(favourite, expected):
    times = np.array([0.0, 1.0, 1.9, 10.0, 11.0, 12.0, 20.0, 21.0, 22.0, 50.0]) * 86400
    times[2] = 5 * 86400
    assert longest_run(times, favourite).tolist() == expected


def test_the_middle_of_what_is_valid():
    field = np.zeros((3, 5), bool)
    field[0] = field[2] = field[:, 0] = field[:, 4] = True  # a frame, whose mean place has no data
    assert middle(Grid("latlon", LAT, LON), field.ravel()) in (2, 12)
    field[1, 2] = True
    assert middle(Grid("latlon", LAT, LON), field.ravel()) == 7
    north, east = np.meshgrid(LAT, LON, indexing="ij")
    assert middle(Grid("projected", north, east), field.ravel()) == 7
    ring = np.zeros(12, bool)
    ring[[1, 5, 11]] = True
    assert middle(Grid("ring", None, np.arange(12.0)), ring) == 5


def test_scattered_cells_across_the_date_line():
    """Of 178, 179, 180, -179 and -178 degrees east, 180 is the middle, and not that nearest to their mean, 36."""
    east = np.array([-178.0, 179.0, -179.0, 180.0, 178.0])
    assert middle(Grid("cells", np.zeros(5), east), np.ones(5, bool)) == 3
