import copy
import dataclasses
import importlib
import inspect
import json
import math
import re
import sys
from collections.abc import Callable

import pytest
import toy as wx

from wxexp.config import ConfigError, Spec, exports, from_tree, packages, to_tree
from wxexp.config.tree import suggest


def test_the_tree_of_a_component() -> None:
    tree = to_tree(wx.samplers.Heun(levels=wx.levels.Karras(rho=5.0)))
    levels = {"type": "Karras", "sigma_min": 0.002, "sigma_max": 80.0, "rho": 5.0}
    assert tree == {"type": "Heun", "steps": 18, "levels": levels, "terminal": "denoise", "churn": 0.0}


def test_every_type_of_field_survives_json() -> None:
    leaves = wx.leaves.Leaves(
        flag=True,
        count=-(2**70),
        rate=0.1 + 0.2,
        text='two\nlines, "quotes", é and 中',
        choice="1",
        season=wx.leaves.Season.SUMMER,
        pair=(3, 1e-300),
        words=("None", ""),
        boxes=((1, 2), (3, 4)),
        weights={"tas": 1.0, "type": 2.0},
        limit=-0.0,
        inner=wx.leaves.Leaves(choice=2),
        others={"a": wx.leaves.Leaves(choice=True)},
    )
    again = from_tree(json.loads(json.dumps(to_tree(leaves))), wx.leaves.Leaves)
    assert again == leaves and math.copysign(1, again.limit) == -1 and again.others["a"].choice is True


def test_lists_become_tuples_and_ints_floats() -> None:
    x = from_tree({"type": "Leaves", "pair": [1, 2], "words": ["a"], "limit": 3}, wx.leaves.Leaves)
    assert x == wx.leaves.Leaves(pair=(1, 2.0), words=("a",), limit=3.0) and type(x.limit) is float and type(x.pair[1]) is float


TRAPS = {
    "True is no int": ({"count": True}, "count must be int, got True"),
    "1 is no bool": ({"flag": 1}, "flag must be bool, got 1"),
    "1.0 is no int": ({"count": 1.0}, "count must be int, got 1.0"),
    "True is no float": ({"rate": True}, "rate must be float, got True"),
    "no text of a number": ({"rate": "1"}, "rate must be float, got '1'"),
    "no number as text": ({"text": 1}, "text must be str, got 1"),
    "None where it is not allowed": ({"text": None}, "text must be str, got None"),
    "an int too large for a float": (
        {"rate": 10**400},
        "rate must be float, got 1" + 116 * "0" + "...",
    ),
    "infinity": ({"limit": math.inf}, "limit must be finite (unbounded is None, where the field allows it), got inf"),
    "1 is not the choice True": ({"choice": 1}, "choice cannot be 1; did you mean '1'?"),
    "a choice of another type": ({"choice": 2.0}, "choice cannot be 2.0; choose from 1, 2, True, biased, fair"),
    "an unhashable choice": ({"choice": [2]}, "choice cannot be [2]; choose from 1, 2, True, biased, fair"),
    "a value of an Enum": ({"season": "DJF"}, "season cannot be 'DJF'; choose from SUMMER, WINTER"),
    "a text is no tuple": ({"words": "abc"}, "words must be a tuple, got 'abc'"),
    "too long": ({"pair": [1, 2.0, 3]}, "pair must have 2 values, got [1, 2.0, 3]"),
    "deep": ({"boxes": [[1, 2], [3, "4"]]}, "boxes[1][1] must be int, got '4'"),
    "no mapping": ({"weights": [1.0]}, "weights must be a mapping, got [1.0]"),
    "a dot in a name": ({"weights": {"a.b": 1.0}}, "weights must have names without '.', '=' or space, got 'a.b'"),
    "a line break in a name": ({"weights": {"a\nb": 1.0}}, r"weights must have names without '.', '=' or space, got 'a\nb'"),
    "an empty name": ({"weights": {"": 1.0}}, "weights must have names without '.', '=' or space, got ''"),
    "no component": ({"inner": []}, "inner must be a Leaves, got []"),
    "a field with a dot": ({"x.count": 3}, "no 'x.count' in Leaves; did you mean 'count'?"),
    "a field of number": ({3: 3}, "no 3 in Leaves; choose from"),
}


@pytest.mark.parametrize("case", TRAPS)
def test_values_are_not_converted(case: str) -> None:
    given, message = TRAPS[case]
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        from_tree({"type": "Leaves", **given}, wx.leaves.Leaves)


def test_names_of_old_records() -> None:
    from toy.interfaces import Model

    assert from_tree({"type": "SongUNet", "width": 48}, Model) == wx.models.UNet(channels=48)
    with pytest.raises(ConfigError, match=r"^UNet has 'channels' twice, once by an old name$"):
        from_tree({"type": "UNet", "width": 48, "channels": 3}, Model)


def test_components_of_a_kind() -> None:
    from toy.interfaces import Objective, Sampler

    assert list(exports(Sampler)) == ["Euler", "Heun"]
    assert list(exports(wx.objectives.Residual)) == ["Residual"]
    assert list(exports(Objective)) == ["Blend", "Denoising", "Distilled", "Residual"]


def test_a_component_that_no_registry_exports(e: wx.Experiment, lab: None) -> None:
    from lab.parts import Mine

    mine = dataclasses.replace(e, sampler=Mine(tag="x"))
    tree = to_tree(mine)
    assert tree["sampler"]["type"] == "lab.parts:Mine"
    assert from_tree(tree, wx.Experiment) == mine
    assert packages(mine) == ("lab.parts",) and packages(e) == ()
    assert packages(dataclasses.replace(e, objective=wx.objectives.Residual(mean=mine, inner=e.objective.inner))) == ("lab.parts",)


def test_data_imports_only_registries(e: wx.Experiment) -> None:
    tree = to_tree(e)
    for name, message in {
        "os:system": "sampler: 'os:system' is no Sampler; choose from Euler, Heun",
        "toy.models.unet:UNet": "sampler: 'toy.models.unet:UNet' is no Sampler; choose from Euler, Heun",
        "toy.samplers:Karras": "sampler: 'toy.samplers:Karras' is no Sampler; choose from Euler, Heun",
        "lab.parts:Mine": "sampler: 'lab.parts:Mine' is not loaded; if you trust it, --import=lab.parts",
        "..:x": "sampler: '..:x' is no Sampler; choose from Euler, Heun",
        "import_module": "sampler: 'import_module' is no Sampler; choose from Euler, Heun",
    }.items():
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            from_tree({**tree, "sampler": {**tree["sampler"], "type": name}}, wx.Experiment)
    assert not {name for name in sys.modules if name.partition(".")[0] == "lab"}


def test_a_class_that_cannot_be_found_again() -> None:
    class Hidden(wx.samplers.Euler):
        pass

    with pytest.raises(ConfigError, match=r"Hidden could not be found again from a record; move it to an importable module$"):
        to_tree(Hidden())


BAD = {
    "Late": "Late: name 'Experiment' is not defined; import the types of fields at run time, not under TYPE_CHECKING",
    "Call": "Call.f: a field cannot be collections.abc.Callable[[int], int] | None",
    "Either": "Either.g: a field cannot be int | str",
    "Listed": "Listed.levels: a field cannot be tuple[toy.interfaces.Levels, ...]",
    "Numbered": "Numbered.weights: a field cannot be collections.abc.Mapping[int, float] | None",
    "Bare": "Bare.anything: a field cannot be wxexp.config.tree.Spec | None",
}


@pytest.mark.parametrize("name", BAD)
def test_what_a_field_cannot_be(name: str, lab: None) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(BAD[name])}$"):
        to_tree(getattr(importlib.import_module("lab.bad"), name)())


def test_a_subclass_is_a_frozen_keyword_only_dataclass() -> None:
    heun = wx.samplers.Heun(steps=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        heun.steps = 4
    assert heun == wx.samplers.Heun(steps=3) != wx.samplers.Heun() and hash(heun) == hash(copy.deepcopy(heun))
    assert list(inspect.signature(wx.samplers.Heun).parameters) == ["steps", "levels", "terminal", "churn"]


def test_no_field_can_be_called_type() -> None:
    with pytest.raises(AssertionError, match="Typed: no field can be called 'type'"):

        class Typed(Spec):
            type: str = "x"


CALLS: dict[str, tuple[Callable[[], object], str]] = {
    "misspelt": (lambda: wx.samplers.Heun(stpes=3), "no 'stpes' in Heun; did you mean 'steps'?"),
    "by place": (lambda: wx.samplers.Heun(3), "Heun takes its fields by name, got 3"),
    "missing": (lambda: wx.datasets.Downscaling(path="x"), "Downscaling needs targets"),
    "wrong type": (lambda: wx.samplers.Heun(steps="many"), "Heun.steps must be int, got 'many'"),
    "None": (lambda: wx.Training(samples=None), "Training.samples must be int, got None"),
    "wrong kind": (
        lambda: wx.Experiment(
            name="x", dataset=wx.datasets.Downscaling(path="x", targets=()), model=wx.models.UNet(), objective=wx.levels.Karras()
        ),
        "Experiment.objective must be an Objective, got Karras(sigma_min=0.002, sigma_max=80.0, rho=7.0)",
    ),
    "replace": (lambda: dataclasses.replace(wx.samplers.Heun(), stpes=3), "no 'stpes' in Heun; did you mean 'steps'?"),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_wrong_call_of_a_class_says_what_a_wrong_record_says(case: str) -> None:
    call, message = CALLS[case]
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        call()


def test_an_error_inside_a_right_call_is_not_hidden() -> None:
    class Broken(wx.samplers.Heun):
        def __post_init__(self) -> None:
            raise TypeError("of its author")

    with pytest.raises(TypeError, match="of its author"):
        Broken(steps=3)


def test_messages_are_one_line() -> None:
    assert str(ConfigError("one\n  two\r\nthree\u2028four")) == "one two three four"


def test_suggestions() -> None:
    assert suggest("LOGNORMAL", ["LogNormal", "Karras"]) == "; did you mean 'LogNormal'?"
    assert suggest("x", ["b", "a"]) == "; choose from a, b"
    assert suggest("x", []) == "; choose from nothing"
    assert suggest("x", [f"run-{i}" for i in range(41)]) == ""
    assert suggest("run-41", [f"run-{i}" for i in range(41)]) == "; did you mean 'run-4'?"
