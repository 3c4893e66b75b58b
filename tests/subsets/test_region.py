from types import SimpleNamespace

import numpy as np
import pytest

from wxexp.fields.grid import Grid
from wxexp.statistics import Moments
from wxexp.subsets import Region

LAT, LON = np.array([60.0, 30.0, 0.0, -30.0, -60.0]), np.arange(0.0, 360.0, 45.0)
GLOBE = SimpleNamespace(grid=Grid("latlon", LAT, LON))


def places(region, opened=GLOBE):
    return [(float(LAT[i]), float(LON[j])) for i, j in np.argwhere(region.cells(opened))]


def test_the_edges_belong_to_it():
    assert places(Region(south=0, north=30, west=90, east=180)) == [(lat, lon) for lat in (30, 0) for lon in (90, 135, 180)]


@pytest.mark.parametrize(("west", "east"), [(-50.0, 45.0), (310.0, 45.0), (310.0, 405.0)])
def test_it_goes_across_the_meridian_in_any_turn(west, east):
    assert places(Region(south=60, north=90, west=west, east=east)) == [(60.0, 0.0), (60.0, 45.0), (60.0, 315.0)]


def test_it_goes_across_the_date_line():
    found = Region(south=-10, north=10, west=135, east=-135).cells(SimpleNamespace(grid=Grid("latlon", LAT, LON - 180)))
    assert (LON - 180)[found[2]].tolist() == [-180.0, -135.0, 135.0] and not found[[0, 1, 3, 4]].any()


def test_all_longitudes():
    band = Region(south=20, north=90).cells(GLOBE)
    assert band[:2].all() and not band[2:].any()
    assert Region(west=-180, east=180).cells(GLOBE).all()


def test_coordinates_in_single_precision_are_on_the_edge_of_their_decimals():
    lat = np.array([0.1, 0.2, 0.3], dtype=np.float32)
    grid = Grid("projected", np.repeat(lat[:, None], 2, 1), np.array([[0.1, 0.7]] * 3, dtype=np.float32))
    found = Region(south=0.1, north=0.3, west=0.1, east=0.7).cells(SimpleNamespace(grid=grid))
    assert found.all() and found.shape == (3, 2)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"south": 30, "north": 20}, "south must be less than north, both from -90 to 90, got 30"),
        ({"north": 100}, "got -90.0 and 100"),
        ({"west": 10}, "both be given or neither, got 10 and None"),
        ({"west": 10, "east": 10}, "must differ, got 10 twice"),
    ],
)
def test_what_is_no_box_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Region(**fields)


def test_a_ring_has_no_latitudes():
    with pytest.raises(ValueError, match="a Region needs latitudes, which the grid does not have"):
        Region().cells(SimpleNamespace(grid=Grid("ring", None, np.arange(8.0))))


def test_scores_of_a_region_do_not_depend_on_the_order_of_latitudes():
    rng, region = np.random.default_rng(0), Region(south=-10, north=70, west=0, east=200)
    truth, members = rng.standard_normal((5, 8)), rng.standard_normal((6, 5, 8))

    def value(turn):
        grid = Grid("latlon", LAT[turn], LON)
        weights = grid.area() * region.cells(SimpleNamespace(grid=grid))
        found = Moments().reduce(truth[turn], members[:, turn], weights[None])
        return found["variance"] / found["square"]

    assert value(slice(None)) == pytest.approx(value(slice(None, None, -1)), rel=1e-12)
