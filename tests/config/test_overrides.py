import re
from collections.abc import Callable

import pytest
import toy as wx

from wxexp.config import ConfigError, diff, edit, fingerprint, freeze, from_tree, override, thaw, to_tree

STAGES = ("train", "sample", "score")


def kept(e: wx.Experiment, x: wx.Experiment) -> list[str]:
    """The stages whose work is the same."""
    return [stage for stage in STAGES if fingerprint(e, stage, {}) == fingerprint(x, stage, {})]


CHANGES = {
    "swap": (
        ["--sampler=Euler", "--sampler.steps=32"],
        ["sampler.type: Heun -> Euler", "sampler.steps: 18 -> 32", "sampler.churn: 0.0 -> (absent)"],
        ["train"],
    ),
    "swap with a required field": (
        ["--sampler.levels=Linear", "--sampler.levels.sigma_max=10"],
        [
            "sampler.levels.type: Karras -> Linear",
            "sampler.levels.sigma_min: 0.002 -> (absent)",
            "sampler.levels.sigma_max: 500.0 -> 10.0",
            "sampler.levels.rho: 7.0 -> (absent)",
        ],
        ["train"],
    ),
    "members": (["--ensemble.members=32"], ["ensemble.members: 16 -> 32"], ["train", "sample"]),
    "a value where there was none": (["--training.clip=1"], ["training.clip: None -> 1.0"], []),
    "no stage": (["--training.micro_batch=2", "--name=other"], ["name: residual -> other", "training.micro_batch: 8 -> 2"], [*STAGES]),
    "entries": (
        ["--scoring.metrics.brier=Brier", "--scoring.metrics.brier.threshold=3", "--scoring.metrics.crps=None"],
        [
            "scoring.metrics.crps.type: CRPS -> (absent)",
            "scoring.metrics.crps.estimator: fair -> (absent)",
            "scoring.metrics.brier.type: (absent) -> Brier",
            "scoring.metrics.brier.threshold: (absent) -> 3.0",
        ],
        ["train", "sample"],
    ),
    "inside a held experiment": (
        ["--objective.mean.training.samples=1e6", "--objective.mean.sampler.steps=3"],
        ["objective.mean.sampler.steps: 50 -> 3", "objective.mean.training.samples: 1000 -> 1000000"],
        [],
    ),
    "sampler of a held experiment": (["--objective.mean.sampler.steps=3"], ["objective.mean.sampler.steps: 50 -> 3"], [*STAGES]),
    "tuples": (
        ["--dataset.targets=tas,pr,psl", "--dataset.years=(1990, 1999)", "--model.multipliers=1,2"],
        [
            "dataset.targets: ['tas', 'pr'] -> ['tas', 'pr', 'psl']",
            "dataset.years: [2000, 2010] -> [1990, 1999]",
            "model.multipliers: [1, 2, 2] -> [1, 2]",
        ],
        [],
    ),
    "tuples of text": (["--dataset.targets=(tas, pr, psl)"], ["dataset.targets: ['tas', 'pr'] -> ['tas', 'pr', 'psl']"], []),
    "a tuple as a literal": (["--dataset.targets=('tas', \"p,r\")"], ["dataset.targets: ['tas', 'pr'] -> ['tas', 'p,r']"], []),
    "a tuple of one": (["--model.multipliers=4"], ["model.multipliers: [1, 2, 2] -> [4]"], []),
    "an empty tuple": (["--model.multipliers="], ["model.multipliers: [1, 2, 2] -> []"], []),
    "bool": (["--training.compile=true"], ["training.compile: False -> True"], []),
    "whole float": (["--seed=1e3"], ["seed: 0 -> 1000"], []),
    "underscores": (["--training.samples=1_000_000"], ["training.samples: 1000 -> 1000000"], []),
    "text like a number": (["--dataset.path=1e3"], ["dataset.path: era5.zarr -> 1e3"], []),
    "text with =": (["--dataset.path=a=b"], ["dataset.path: era5.zarr -> a=b"], []),
    "the last wins": (["--seed=1", "--seed=2"], ["seed: 0 -> 2"], []),
    "nothing": ([], [], [*STAGES]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_reaches_its_place_and_its_stages_only(e: wx.Experiment, case: str) -> None:
    argv, changes, stages = CHANGES[case]
    x = override(e, argv)
    assert list(map(str, diff(to_tree(e), to_tree(x)))) == changes
    assert kept(e, x) == stages
    assert override(x, []) == x and from_tree(to_tree(x), wx.Experiment) == x


def test_a_swap_keeps_what_the_kind_declares(e: wx.Experiment) -> None:
    x = override(e, ["--sampler=Euler"])
    assert x.sampler == wx.samplers.Euler(steps=18, levels=wx.levels.Karras(sigma_max=500.0))
    x = override(override(e, ["--sampler.terminal=keep", "--sampler.churn=2"]), ["--sampler=Heun"])
    assert x.sampler == wx.samplers.Heun(levels=wx.levels.Karras(sigma_max=500.0), terminal="keep", churn=0.0)


def without_sampler(e: wx.Experiment) -> wx.Experiment:
    """One that may lack a sampler, since Residual asks for none."""
    return edit(e, {"sampler": None})


def test_a_component_can_be_left_out_and_chosen_again(e: wx.Experiment) -> None:
    off = override(e, ["--sampler=None"])
    assert off.sampler is None and off == without_sampler(e)
    assert override(off, ["--sampler=Heun"]).sampler == wx.samplers.Heun()


def test_edit_takes_values_components_names_and_mappings(e: wx.Experiment) -> None:
    x = edit(e, {"seed": 3, "sampler": wx.samplers.Heun(steps=4), "scoring.metrics": {"b": wx.metrics.Brier()}, "model": "SongUNet"})
    assert (x.seed, x.sampler, x.scoring.metrics) == (3, wx.samplers.Heun(steps=4), {"b": wx.metrics.Brier()})
    assert x.model == wx.models.UNet(channels=32)  # by its old name; a swap takes the defaults of what the class adds


def test_the_whole_is_checked_once_at_the_end(e: wx.Experiment) -> None:
    with pytest.raises(ConfigError, match=r"^experiment: Denoising needs a sampler$"):
        override(e, ["--objective=Denoising", "--sampler=None"])
    x = override(without_sampler(e), ["--objective=Denoising", "--sampler=Euler"])  # wrong after the first, right after both
    assert isinstance(x.objective, wx.objectives.Denoising)


def test_a_mapping_that_is_none_gets_entries() -> None:
    x = override(wx.leaves.Leaves(), ["--others.a=Leaves", "--others.a.count=2", "--weights={'tas': 1}", "--note=None", "--limit=None"])
    assert x.others == {"a": wx.leaves.Leaves(count=2)} and x.weights == {"tas": 1.0} and x.note is None


def test_choices_are_read_by_what_they_are() -> None:
    def choice(text: str) -> object:
        return override(wx.leaves.Leaves(), [f"--choice={text}"]).choice

    assert (choice("1"), choice("2"), choice("True"), choice("biased")) == ("1", 2, True, "biased")
    assert override(wx.leaves.Leaves(), ["--season=SUMMER"]).season is wx.leaves.Season.SUMMER


MISTAKES = {
    "misspelt field": (["--sampler.stpes=3"], "no 'stpes' in sampler (Heun); did you mean 'steps'?"),
    "misspelt noun": (["--trianing.samples=3"], "no 'trianing' in Experiment; did you mean 'training'?"),
    "field of elsewhere": (["--channels=3"], "no 'channels' in Experiment; did you mean 'model.channels'?"),
    "wrong type": (["--training.samples=lots"], "training.samples must be int, got 'lots'"),
    "bool": (["--training.compile=yes"], "training.compile must be bool, got 'yes'"),
    "bool as int": (["--training.compile=1"], "training.compile must be bool, got 1"),
    "int as bool": (["--seed=True"], "seed must be int, got True"),
    "float to int": (["--seed=1.5"], "seed must be int, got 1.5"),
    "misspelt component": (["--sampler=Huen"], "sampler: 'Huen' is no Sampler; did you mean 'Heun'?"),
    "wrong kind": (["--sampler=Karras"], "sampler: 'Karras' is no Sampler; choose from Euler, Heun"),
    "call": (["--sampler=Heun(steps=3)"], "sampler: 'Heun(steps=3)' is no Sampler; did you mean 'Heun'?"),
    "inside a leaf": (["--seed.x=3"], "seed is a value, there is nothing inside it"),
    "inside a tuple": (["--dataset.years.0=3"], "dataset.years is a value, there is nothing inside it"),
    "order": (["--sampler.steps=3", "--sampler=Euler"], "sampler must come before sampler.steps, which it would undo"),
    "no equals": (["--seed", "3"], "cannot read '--seed'; write --path=value"),
    "no dashes": (["seed=3"], "cannot read 'seed=3'; write --path=value"),
    "None not allowed": (["--model=None"], "model must be a Model, got None"),
    "None for a number": (["--seed=None"], "seed must be int, got None"),
    "tuple length": (["--dataset.years=1,2,3"], "dataset.years must have 2 values, got [1, 2, '3']"),
    "tuple element": (["--model.multipliers=1,x"], "model.multipliers[1] must be int, got 'x'"),
    "literal": (["--scoring.metrics.crps.estimator=fiar"], "scoring.metrics.crps.estimator cannot be 'fiar'; did you mean 'fair'?"),
    "misspelt entry": (["--scoring.metrics.crsp.estimator=fair"], "no 'crsp' in scoring.metrics; did you mean 'crps'?"),
    "removing what is not there": (["--scoring.metrics.brier=None"], "no 'brier' in scoring.metrics; choose from crps"),
    "removing all": (["--scoring.metrics=None"], "scoring.metrics must be a mapping, got None"),
    "new weight": (["--scoring.weights.taz=1.0"], "no 'taz' in scoring.weights; did you mean 'tas'?"),
    "entry with a space": (["--scoring.metrics.a b=CRPS"], "scoring.metrics must have names without '.', '=' or space, got 'a b'"),
    "post_init": (["--sampler.steps=0"], "sampler: Heun.steps must be at least 1, got 0"),
    "objective needs": (["--objective=Denoising", "--sampler=None"], "experiment: Denoising needs a sampler"),
    "needs a field": (["--sampler.levels=Linear"], "sampler.levels (Linear) needs sampler.levels.sigma_max"),
    "residual swap in": (
        ["--objective.mean.objective=Residual"],
        "objective.mean.objective (Residual) needs objective.mean.objective.mean, objective.mean.objective.inner",
    ),
    "infinity": (["--training.rate=inf"], "training.rate must be finite (unbounded is None, where the field allows it), got inf"),
    "1e999": (["--training.rate=1e999"], "training.rate must be finite (unbounded is None, where the field allows it), got inf"),
    "nan": (["--training.rate=nan"], "training.rate must be finite (unbounded is None, where the field allows it), got nan"),
    "empty": (
        ["--=3"],
        "no '' in Experiment; choose from dataset, ensemble, model, name, objective, sampler, scoring, seed, training",
    ),
    "double dot": (["--sampler..steps=3"], "no '' in sampler (Heun); choose from churn, levels, steps, terminal"),
    "type": (["--sampler.type=Heun"], "no 'type' in sampler (Heun); choose from churn, levels, steps, terminal"),
    "dict": (["--sampler={'steps': 3}"], "sampler: \"{'steps': 3}\" is no Sampler; choose from Euler, Heun"),
    "not a literal": (["--seed={[]: 1}"], "seed must be int, got '{[]: 1}'"),
    "two lines": (["--seed=1\n2"], r"seed must be int, got '1\n2'"),
    "two lines in a name": (["--se\ned=1"], r"no 'se\ned' in Experiment; did you mean 'seed'?"),
    "unloaded": (["--sampler=antigravity:fly"], "sampler: 'antigravity:fly' is not loaded; if you trust it, --import=antigravity"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line(e: wx.Experiment, case: str) -> None:
    argv, message = MISTAKES[case]
    with pytest.raises(ConfigError) as caught:
        override(e, argv)
    assert str(caught.value) == message


PYTHON: dict[str, tuple[Callable[[wx.Experiment], object], str]] = {
    "inside none": (
        lambda e: override(without_sampler(e), ["--sampler.steps=3"]),
        "sampler is not set; choose one first: --sampler=Euler|Heun",
    ),
    "a text for a number": (lambda e: edit(e, {"training.samples": "3"}), "training.samples must be int, got '3'"),
    "another kind": (lambda e: edit(e, {"sampler": wx.levels.Karras()}), "sampler: 'Karras' is no Sampler; choose from Euler, Heun"),
    "no component": (lambda e: edit(e, {"sampler": 3, "sampler.steps": 4}), "sampler must be a Sampler, got 3"),
    "no component, an": (lambda e: edit(e, {"ensemble": 16}), "ensemble must be an Ensemble, got 16"),
}


@pytest.mark.parametrize("case", PYTHON)
def test_a_mistake_in_python_is_one_line(e: wx.Experiment, case: str) -> None:
    call, message = PYTHON[case]
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        call(e)


def test_a_frozen_experiment_cannot_be_changed(e: wx.Experiment) -> None:
    with pytest.raises(AttributeError, match="cannot assign to field 'seed'"):
        e.seed = 3


def test_by_attribute(e: wx.Experiment) -> None:
    c = thaw(e)
    assert freeze(c, wx.Experiment) == e
    c.training.samples = 7
    c.dataset.years = (1980, 1990)
    c.training.clip = 0.5
    x = freeze(c, wx.Experiment)
    assert (x.training.samples, x.dataset.years, x.training.clip) == (7, (1980, 1990), 0.5)
    assert e.training.samples == 1000


def test_by_attribute_with_references(e: wx.Experiment) -> None:
    c = thaw(e)
    c.ensemble.seed = c.get_ref("seed")
    c.training.micro_batch = 2 * c.training.get_ref("samples")
    c.seed, c.training.samples = 5, 30
    x = freeze(c, wx.Experiment)
    assert (x.ensemble.seed, x.training.micro_batch) == (5, 60)


def test_by_attribute_is_locked_and_checked(e: wx.Experiment) -> None:
    c = thaw(e)
    with pytest.raises(AttributeError, match='Did you mean "samples" instead of "sampels"?'):
        c.training.sampels = 3
    with pytest.raises(TypeError):
        c.training.samples = "many"
    c.sampler.steps = 0
    with pytest.raises(ConfigError, match=r"^sampler: Heun.steps must be at least 1, got 0$"):
        freeze(c, wx.Experiment)


def test_fields_called_like_methods_of_a_dict(lab: None) -> None:
    from lab.bad import Names

    names = Names(items=9)
    assert from_tree(to_tree(names), Names) == names
    assert freeze(thaw(names), Names) == names
