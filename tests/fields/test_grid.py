import numpy as np
import pytest

from wxexp.fields.grid import Grid


def latlon(lat, lon, **rest):
    return Grid("latlon", np.asarray(lat, dtype=float), np.asarray(lon, dtype=float), **rest)


def test_areas_of_a_globe_are_the_exact_bands():
    # band between latitudes a and b has the part (sin b - sin a) / 2 of the sphere; 4 bands of 45 degrees: sin 45 = 0.70711
    area = latlon([-67.5, -22.5, 22.5, 67.5], np.arange(8) * 45).area()
    parts = area[:, 0] * 8 / area.sum()
    assert parts == pytest.approx([0.1464466, 0.3535534, 0.3535534, 0.1464466], abs=1e-7)
    assert area.mean() == pytest.approx(1.0, abs=1e-12)


def test_cells_at_the_poles_are_caps():
    # centres on the poles: the cap north of 85 has 1 - sin 85 = 0.0038053, the band 75-85 has sin 85 - sin 75 = 0.0302689
    area = latlon(np.arange(-90, 91, 10), [0.0, 10.0]).area()
    assert area[0, 0] / area[1, 0] == pytest.approx(0.0038053 / 0.0302689, rel=1e-5)
    assert area[-1] == pytest.approx(area[0])


def test_order_of_latitudes_does_not_matter():
    lat = np.array([40.0, 40.5, 41.5, 42.0])
    assert latlon(lat[::-1], [0, 1]).area()[::-1] == pytest.approx(latlon(lat, [0, 1]).area())


@pytest.mark.parametrize("kind, shape", [("projected", (3, 4)), ("cells", (5,)), ("ring", (6,))])
def test_other_grids_are_uniform(kind, shape):
    grid = Grid(kind, None if kind == "ring" else np.zeros(shape), np.zeros(shape))
    assert grid.shape == shape and len(grid.dims) == len(shape)
    assert (grid.area() == 1).all()


def test_digits_of_global_and_regional_weights():
    """WeatherBench 2 on its 64 x 32 grid and with poles; of a region, where it is not used, the bands between midpoints."""
    lat = -90 + 5.625 * (np.arange(32) + 0.5)
    row = latlon(lat, np.arange(4) * 90).area()[:, 0]
    assert row[[0, 1, 2, 3, 15]] == pytest.approx(
        [0.077044373245, 0.230391140303, 0.381519114736, 0.528972851535, 1.568274245273], abs=1e-11
    )
    assert row.sum() == pytest.approx(32) and row == pytest.approx(row[::-1], abs=1e-14)
    assert np.mean(row * np.sin(np.deg2rad(lat)) ** 2) == pytest.approx(0.333601710056, abs=1e-11)
    poles = latlon(np.linspace(-90, 90, 33), [0.0, 90.0]).area()[:, 0]
    assert poles[[0, 1, 16]] == pytest.approx([0.019874972615, 0.158712612966, 1.619233252805], abs=1e-11)
    region = latlon([40.0, 42, 44, 46], [0.0, 1.0]).area()[:, 0]
    assert region == pytest.approx([1.048231711447, 1.016896577294, 0.984322511303, 0.950549199956], abs=1e-11)
