import base64
import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr

from wxexp.interfaces import Item, Row
from wxexp.reports import Material, report
from wxexp.reports.material import coarse_input


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch):
    monkeypatch.setattr("wxexp.reports.style.DPI", 40)


VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Attributes by tag; every tag must be closed."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.open, self.text = [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.seen if name == tag]


def check(path):
    """The page, known to be self-contained, and the names of its pictures, each of which is also a file."""
    page = Page(path.read_text())
    for _, attributes in page.seen:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    assert not page.all("script") and not page.all("link") and "url(" not in path.read_text() and "@import" not in path.read_text()
    ids = {attributes["id"] for _, attributes in page.seen if "id" in attributes}
    assert {a["href"][1:] for a in page.all("a")} <= ids
    embedded = [base64.b64decode(image["src"].partition(",")[2]) for image in page.all("img")]
    files = sorted(path.parent.glob("*.png"))
    assert sorted(embedded) == sorted(file.read_bytes() for file in files) and all(image["alt"] for image in page.all("img"))
    assert {file.stem for file in path.parent.glob("*.nc")} == {file.stem for file in files}
    assert not list(path.parent.glob(".*"))
    return page, {file.stem for file in files}


def test_everything_of_three_variables(land, tmp_path):
    done = []
    material = dataclasses.replace(land(("tasmax", "tasmin", "pr")), picks=[3])
    path = report(material, out=tmp_path / "report", progress=done.append)
    page, names = check(path)
    stamps = {name for name in names if name.startswith("stamps-")}
    assert stamps == {f"stamps-{name}-1990-01-28" for name in ("tasmax", "tasmin", "pr")}
    general = {"loss", "loss-by-noise-level", "pit", "plume", "rank-histogram", "spectra", "spread-skill", "validation"}
    assert names - stamps == general | {"maps-tasmax", "maps-tasmin", "maps-pr"} and set(done) == names
    for text in ("5 cases, 1990-01-25 to 1990-01-29", "4 members", "12 × 20 cells", "29 % below the best baseline", "MAE of bicubic"):
        assert text in page.text, text
    assert "https://example.org/<repository>" in page.text and '"type": "Experiment"' in page.text  # as text, escaped
    data = xr.open_dataset(tmp_path / "report" / "maps-pr.nc")
    np.testing.assert_array_equal(data["crps"], material.maps["crps"].sel(variable="pr"))


def test_maps_that_were_asked_for_have_pictures_of_their_own(land, tmp_path):
    material = land()
    field, about = material.maps["crps"] / 9, {"units": "1", "asked": 1}
    asked = {name: field.assign_attrs(about) for name in ("coverage_0.8", "crpss_bicubic", *(f"brier_{i}" for i in range(8)))}
    few = Material(title="maps", grid=material.grid, units=material.units, maps=material.maps.assign(asked))
    page, names = check(report(few, out=tmp_path))
    assert names == {"maps-tasmax", "maps-asked-tasmax", "maps-asked-2-tasmax"}
    text = "tasmax in each cell over all cases: coverage 0.8; CRPS skill over bicubic, large is good; Brier score 0, small is good; "
    assert text in page.text and list(xr.open_dataset(tmp_path / "maps-asked-2-tasmax.nc").data_vars) == ["brier_7"]


def test_a_deterministic_forecast_has_no_ranks_and_no_noise_levels(land, tmp_path):
    page, names = check(report(land(members=1), out=tmp_path))
    assert (
        not names & {"pit", "plume", "rank-histogram", "spread-skill", "loss-by-noise-level"}
        and {"loss", "spectra", "maps-tasmax"} <= names
    )
    assert "1 member (deterministic)" in page.text and "tasmax: MAE 0.120 K" in page.text and "the error" in page.text


def test_a_ring_with_lead_times(ring, tmp_path):
    _, names = check(report(ring, out=tmp_path))
    assert {
        "lead-crps",
        "lead-rmse",
        "lead-spread-and-error",
        "plume",
        "maps-x1-6h",
        "maps-x1-18h",
        "spread-skill",
    } <= names and "spectra" not in names
    assert len([name for name in names if name.startswith("stamps-x1") and name.endswith("-18h")]) == 2
    drawn = xr.open_dataset(tmp_path / "maps-x1-18h.nc")
    np.testing.assert_array_equal(drawn["crps"], ring.maps["crps"].isel(variable=0, lead_time=2))


@pytest.mark.parametrize("absent", [("members",), ("truth", "coarse"), ("maps", "ranks", "spectra")])
def test_what_is_absent_is_left_out(land, tmp_path, absent):
    material = dataclasses.replace(land(), history=(), rows=(), picks=[3], **dict.fromkeys(absent))
    _, names = check(report(material, out=tmp_path))
    expected = {"stamps-tasmax-1990-01-28", "plume", "spread-skill", "maps-tasmax", "pit", "rank-histogram", "spectra"}
    lost = {
        "members": {"stamps-tasmax-1990-01-28", "plume", "spread-skill"},
        "truth": {"spread-skill"},
        "maps": {"maps-tasmax", "pit", "rank-histogram", "spectra"},
    }
    assert names == expected - lost[absent[0]]


def test_a_run_that_has_only_been_trained(land, tmp_path):
    full = land()
    page, names = check(report(Material(title="x", grid=full.grid, units=full.units, history=full.history), out=tmp_path))
    assert names == {"loss", "loss-by-noise-level", "validation"} and "Provenance" not in page.text


def test_equal_material_gives_equal_bytes(land, tmp_path):
    full = land()
    material = Material(title="x", grid=full.grid, units=full.units, rows=full.rows, history=full.history[:4])
    first, second = (report(material, out=tmp_path / name) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_text_of_users_cannot_become_markup(land, tmp_path):
    material = Material(title='<script>"x"</script>', grid=land().grid, units={}, question="a < b", record={"name": "</pre><b>"})
    page, _ = check(report(material, out=tmp_path))
    assert '<script>"x"</script>' in page.text and "</pre><b>" in page.text and not page.all("b")
    assert re.search(r"a &lt; b", (tmp_path / "index.html").read_text())


def test_coarse_input_is_on_the_fine_grid(land):
    import torch

    class Codec:
        targets = ("t", "p")

    class Opened:
        factor, grid, codec = 4, land().grid, Codec()

        def coarse(self, items):
            assert items == [Item(7, "2000")]
            return torch.arange(30.0).reshape(1, 2, 3, 5)

        def interpolate(self, coarse, method):
            raise AssertionError

    found = coarse_input(Opened())(Item(7, "2000"))
    assert found["p"].dims == ("lat", "lon") and found["p"].values[5, 19] == 15 + 1 * 5 + 4 and found["t"].values[11, 0] == 10
    assert coarse_input(object()) is None


def test_thresholds_distributions_groups_and_noise_levels(land, tmp_path):
    """What only some runs have: sums of thresholds and bins, groups, and a schedule that adapts."""
    material = land()
    table = np.zeros((1, 2, 4, 2))
    table[0, 0] = [[5.0, 1.0], [3.0, 2.0], [2.0, 3.0], [1.0, 6.0]]
    table[0, 1, 0, 0] = 23.0
    dims = ("variable", "threshold", "exceeding", "event")
    bounds = {name: (dims[:3], table[..., 0] / 50) for name in ("low", "high")} | {
        name: (dims[:2], np.full((1, 2), 0.7)) for name in ("area_low", "area_high")
    }
    exceedances = xr.Dataset({"table": (dims, table), **bounds}, {"variable": ["tasmax"], "threshold": [280.0, 400.0]})
    fss = xr.DataArray([[[0.4, 0.9]]], {"variable": ["tasmax"], "threshold": [280.0], "scale": [1, 3]})
    scores = xr.Dataset({"fss": fss, "low": fss - 0.1, "high": fss + 0.05, "frequency": fss.isel(scale=0, drop=True) / 4})
    counts = np.array([0.0, 3.0, 8.0, 4.0, 0.0])
    bins = xr.Dataset({"truth": ("bin", counts), "members": ("bin", counts[::-1]), "edges": ("edge", [270.0, 280.0, 290.0, 300.0])})
    density = {"step": 100, "samples": 400, "values": {"density": 0.25}, "context": {"subset": "valid"}}
    material = dataclasses.replace(
        material,
        exceedances=exceedances,
        neighbourhoods=scores,
        histograms={"tasmax": bins.assign_attrs(spacing="linear")},
        group_spectra={"land": material.spectra},
        sizes={"tasmax": 3.4},
        history=[{**density, "context": {"subset": "valid", "gamma": gamma}} for gamma in (-1.0, 1.0)],
        members=None,
        maps=None,
    )
    page, names = check(report(material, out=tmp_path))
    assert {"reliability", "roc", "value", "fss", "quantiles", "spectra-land", "noise-density"} <= names and "loss" not in names
    assert "as much as that of so many independent ones: tasmax 3" in page.text
    assert xr.open_dataset(tmp_path / "roc.nc").sizes["curve"] == 1  # 400 K is never exceeded
    assert xr.open_dataset(tmp_path / "value.nc").sizes["curve"] == 1


def test_decompositions_that_were_asked_for(land, tmp_path):
    names = ("brier_uncertainty_q0.9", "brier_reliability_q0.9", "brier_resolution_q0.9", "crps_reliability", "crps_potential")
    rows = [Row(name, "tasmax", "forecast", "all", None, 0.1, None, None, "1") for name in names]
    page, names = check(report(Material(title="x", grid=land().grid, units={"tasmax": "K"}, rows=rows), out=tmp_path))
    assert names == {"decomposition-brier", "decomposition-crps"} and "Thresholds q are quantiles" in page.text
    data = xr.open_dataset(tmp_path / "decomposition-brier.nc")
    assert float(data["score"].sel(variable="tasmax", threshold="q0.9")) == pytest.approx(0.1)
