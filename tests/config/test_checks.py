import pytest

from wxexp.config import Spec, at_least


class Walk(Spec):
    registry = __name__
    steps: int | None = 3
    length: float = 0.5


def test_at_least_names_the_first_field_that_is_below():
    at_least(Walk(), 0.5, "steps", "length")
    at_least(Walk(steps=None), 1, "steps")
    with pytest.raises(ValueError, match=r"^Walk\.length must be at least 1, got 0\.5$"):
        at_least(Walk(), 1, "steps", "length")
