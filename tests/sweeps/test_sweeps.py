"""Every committed sweep: each of its points is an experiment."""

from pathlib import Path

import pytest

from wxexp import sweeper

SWEEPS = sorted((Path(__file__).parents[2] / "sweeps").glob("*.py"))


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_point_is_an_experiment_that_is_scored_on_validation_times(path: Path) -> None:
    found = sweeper.load(path)
    experiments = found.experiments()
    assert len(experiments) == len(found.points) > 1
    for experiment in experiments:
        assert experiment.ensemble.split == "valid", "what is chosen is chosen without the test times"
        assert found.rank in experiment.scoring.metrics
