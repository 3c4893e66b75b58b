"""What `python -m wxexp list` says is what the components declare."""

import pytest

from wxexp.config.tree import exports
from wxexp.interfaces import Sampler
from wxexp.listing import KINDS, components

SAMPLERS = {row[0]: row for row in components("samplers")}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_component_of_a_kind_has_a_line(kind: str) -> None:
    rows = components(kind)
    assert rows and len({len(row) for row in rows}) == 1
    assert all(row[0] and row[-1] for row in rows if row[0] != "name")


@pytest.mark.parametrize("name", sorted(exports(Sampler)))
def test_a_sampler_is_listed_with_its_facts(name: str) -> None:
    _, order, evaluations, noise, source, text = SAMPLERS[name]
    assert f"rder {order}" in text
    assert int(evaluations.split()[0]) >= 1 and noise in ("none", "stochastic") and "doi:10." in source


def test_what_is_said_of_some() -> None:
    """Order, evaluations and noise as in the papers."""
    assert SAMPLERS["Heun"][1:4] == ("2", "2 a step", "none")
    assert SAMPLERS["DPMSolver3M"][1:4] == ("3", "1 a step, 2 to start", "none")
    assert SAMPLERS["LMS"][1:4] == ("4", "1 a step, 4 to start", "none")
    assert SAMPLERS["EulerAncestral"][1:4] == ("1", "1 a step", "stochastic")
    assert SAMPLERS["DPMSolverAdaptive"][1:4] == ("3", "3 an attempt, as many as errors need", "none")
