import re
from collections.abc import Callable

import pytest
import toy as wx

from wxexp.config import ConfigError, Sweep, product


def test_a_product_has_the_last_path_fastest_and_products_add_up(e: wx.Experiment) -> None:
    points = product({"sampler": (wx.samplers.Heun(), "Euler"), "sampler.steps": (10, 20)})
    found = [(type(x.sampler).__name__, x.sampler.steps) for x in Sweep(e, points).experiments()]
    assert found == [("Heun", 10), ("Heun", 20), ("Euler", 10), ("Euler", 20)]
    assert [x.seed for x in Sweep(e, product({"seed": (1, 2)}) + product({"seed": (7,)})).experiments()] == [1, 2, 7]


def test_the_order_of_paths_decides_the_order_of_points_only(e: wx.Experiment) -> None:
    points = product({"sampler.steps": (10, 20), "sampler": (wx.samplers.Heun(), "Euler")})
    found = [(type(x.sampler).__name__, x.sampler.steps) for x in Sweep(e, points).experiments()]
    assert found == [("Heun", 10), ("Euler", 10), ("Heun", 20), ("Euler", 20)]


MISTAKES: dict[str, tuple[Callable[[wx.Experiment], object], str]] = {
    "misspelt": (
        lambda e: Sweep(e, product({"sampler.stpes": (1, 2)})).experiments(),
        "sweep at sampler.stpes=1: no 'stpes' in sampler (Heun); did you mean 'steps'?",
    ),
    "one value": (lambda e: product({"sampler": "Heun"}), "sweep: the values of sampler must be a tuple, got 'Heun'"),
    "one number": (lambda e: product({"seed": 3}), "sweep: the values of seed must be a tuple, got 3"),
    "field of one": (
        lambda e: Sweep(e, product({"sampler": ("Heun", "Euler"), "sampler.churn": (0.0, 2.0)})).experiments(),
        "sweep at sampler=Euler sampler.churn=0.0: no 'churn' in sampler (Euler); choose from levels, steps, terminal",
    ),
    "twice": (lambda e: Sweep(e, product({"seed": (1, 1)})).experiments(), "sweep at seed=1 repeats an earlier point"),
    "nothing": (lambda e: Sweep(e, ()).experiments(), "a sweep must have at least one point"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_before_anything_starts(e: wx.Experiment, case: str) -> None:
    call, message = MISTAKES[case]
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        call(e)
