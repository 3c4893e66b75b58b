"""What datasets refuse in the fields of a source."""

import dataclasses

import pytest

from wxexp.datasets import SyntheticFields
from wxexp.datasets.contents import known


@pytest.mark.parametrize("variable", ["tas", "orog"])
def test_latitude_and_longitude_the_wrong_way_round_are_refused(variable):
    """On a square grid nothing else would tell."""
    fields = SyntheticFields(cells=(8, 8), times=4).open()
    known("Mine", fields, [variable], static=variable == "orog")
    turned = dataclasses.replace(fields, data=fields.data.transpose("time", "lon", "lat"))
    with pytest.raises(ValueError, match=rf"^{variable} of Mine must have the dims \(lat, lon\) in this order, got \(.*'lon', 'lat'\)$"):
        known("Mine", turned, [variable], static=variable == "orog")
