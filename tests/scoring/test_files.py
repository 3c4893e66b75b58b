import numpy as np
import pytest

from wxexp.scoring.files import Parts, replacing


def test_a_file_that_fails_half_way_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("old")
    with pytest.raises(OSError), replacing(path) as temporary:
        temporary.write_text("ne")
        raise OSError("no space left")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_a_folder(tmp_path):
    path = tmp_path / "x.zarr"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / text).touch()
    assert [p.name for p in path.iterdir()] == ["new"] and list(tmp_path.iterdir()) == [path]


def test_a_part_is_done_when_it_is_there_and_reads_back_its_bits(tmp_path):
    parts = Parts(tmp_path / "parts", {"cases": [1]})
    assert (0, 3) not in parts
    x = np.random.default_rng(0).standard_normal((2, 3))
    parts.write((0, 3), {"errors/error": x, "members": np.array(4)})
    again = Parts(tmp_path / "parts", {"cases": [1]})
    assert (0, 3) in again
    np.testing.assert_array_equal(again.read((0, 3))["errors/error"], x)
