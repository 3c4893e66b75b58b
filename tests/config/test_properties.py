"""What holds for any experiment and for anything a person may type."""

import json

import pytest
import toy as wx
from hypothesis import given, settings
from hypothesis import strategies as st
from toy.leaves import Leaves, Season

from wxexp.config import ConfigError, diff, edit, fingerprint, freeze, from_tree, override, thaw, to_tree
from wxexp.config.tree import leaves

names = st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters=".="), min_size=1, max_size=4)
finite = st.floats(allow_nan=False, allow_infinity=False)
one = st.builds(
    Leaves,
    flag=st.booleans(),
    count=st.integers(),
    rate=finite,
    text=st.text(),
    choice=st.sampled_from(["fair", "biased", "1", 2, True]),
    season=st.sampled_from(Season),
    pair=st.tuples(st.integers(), finite),
    words=st.lists(st.text(), max_size=3).map(tuple),
    boxes=st.lists(st.tuples(st.integers(), st.integers()), max_size=2).map(tuple),
    weights=st.dictionaries(names, finite, max_size=2),
    limit=st.none() | finite,
    note=st.none() | st.text().filter(lambda text: text != "None"),
)
nested = st.builds(
    lambda a, b, c: edit(a, {"inner": b, "others": c}), one, st.none() | one, st.none() | st.dictionaries(names, one, max_size=2)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*to_tree(Leaves()), "x"]) | st.text(), inner, max_size=3),
    max_leaves=5,
)
few = settings(max_examples=40, deadline=None)


@few
@given(nested)
def test_a_record_rebuilds_what_was_written(spec: Leaves) -> None:
    tree = json.loads(json.dumps(to_tree(spec), allow_nan=False))
    assert from_tree(tree, Leaves) == spec and to_tree(from_tree(tree, Leaves)) == tree
    assert freeze(thaw(spec), Leaves) == spec


@few
@given(nested, nested)
def test_a_difference_is_what_was_changed(a: Leaves, b: Leaves) -> None:
    before, after = to_tree(a), to_tree(b)
    changes = diff(before, after)
    assert (changes == []) == (a == b)
    rebuilt = dict(leaves(before))
    for change in changes:
        rebuilt[change.path] = change.after
    shown = {path: value for path, value in rebuilt.items() if value != "(absent)"}
    assert {p: v for p, v in shown.items() if v not in (None, {})} == {p: v for p, v in leaves(after) if v not in (None, {})}


@few
@given(one)
def test_what_is_typed_is_what_is_meant(spec: Leaves) -> None:
    argv = [
        f"--flag={str(spec.flag).lower()}",
        f"--count={spec.count}",
        f"--rate={spec.rate!r}",
        f"--text={spec.text}",
        f"--choice={spec.choice}",
        f"--season={spec.season.name}",
        f"--pair={spec.pair[0]}, {spec.pair[1]!r}",
        f"--words={spec.words!r}" if spec.words else "--words=()",
        f"--boxes={spec.boxes!r}",
        f"--weights={spec.weights!r}",
        f"--limit={spec.limit!r}",
        f"--note={spec.note}",
    ]
    assert override(Leaves(), argv) == spec
    assert override(Leaves(), argv[::-1]) == spec


@few
@given(
    st.sampled_from([*to_tree(Leaves(inner=Leaves(), others={"a": Leaves()})), "inner.pair", "others.a.rate", "others.b", "x", ""]),
    st.text(),
)
@pytest.mark.parametrize("start", ["", "(", "[", "{", "'", "1", "-"])
def test_whatever_is_typed_is_taken_or_refused_in_one_line(start: str, path: str, text: str) -> None:
    try:
        override(Leaves(inner=Leaves(), others={"a": Leaves()}), [f"--{path}={start}{text}"])
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1


@few
@given(json_values)
def test_whatever_a_record_says_is_taken_or_refused_in_one_line(tree: object) -> None:
    for candidate in (tree, {"type": "Leaves", **tree} if isinstance(tree, dict) else {"type": tree}):
        try:
            spec = from_tree(candidate, Leaves)
        except ConfigError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert from_tree(to_tree(spec), Leaves) == spec


@few
@given(st.integers(1, 10**6), st.floats(1e-6, 1.0), st.integers(0, 99), st.integers(1, 99))
def test_stages_change_when_and_only_when_something_of_theirs_does(samples: int, rate: float, seed: int, members: int) -> None:
    def prints(x: wx.Experiment) -> list[str]:
        return [fingerprint(x, stage, {}) for stage in ("train", "sample", "score")]

    base = wx.Experiment(
        name="base",
        dataset=wx.datasets.Downscaling(path="x", targets=("tas",)),
        model=wx.models.UNet(),
        objective=wx.objectives.Denoising(),
        sampler=wx.samplers.Heun(),
    )
    changed = edit(base, {"training.samples": samples, "training.rate": rate, "ensemble.seed": seed, "ensemble.members": members})
    train = (samples, rate) == (1000, 1e-3)
    sample = train and seed == 0
    assert [a == b for a, b in zip(prints(base), prints(changed), strict=True)] == [train, sample, sample and members == 16]
