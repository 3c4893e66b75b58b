"""Edits by path, the same from the command line, from sweeps and from Python; checked before anything starts.

--sampler=Heun                   swap: what the kind declares (steps, levels) stays, what the class adds takes its default
--sampler.steps=32               a value, read by its annotation
--scoring.metrics.brier=Brier    add or swap an entry; =None removes it
--sampler=None                   no component, where the annotation says `| None`
"""

from __future__ import annotations

import ast
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .tree import (
    TYPE,
    ConfigError,
    S,
    Spec,
    at,
    choices,
    defaults,
    exports,
    from_tree,
    hints,
    is_choice,
    is_component,
    is_optional,
    join,
    leaves,
    name_of,
    required,
    resolve,
    suggest,
    to_tree,
)

if TYPE_CHECKING:
    from ml_collections import ConfigDict


class Word(str):
    """A value as it was typed; its annotation says how to read it."""


def override(experiment: S, argv: Sequence[str]) -> S:
    """The experiment after `--path=value` arguments, from left to right."""
    for arg in argv:
        if not arg.startswith("--") or "=" not in arg:
            raise ConfigError(f"cannot read {arg!r}; write --path=value")
    return edit(experiment, [(path, Word(text)) for path, _, text in (arg[2:].partition("=") for arg in argv)])


def edit(experiment: S, changes: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> S:
    """An experiment with values, components or components' names replaced, as by `edit(e, {"seed": 1, "sampler": Heun(steps=8)})`."""
    changes = list(changes.items() if isinstance(changes, Mapping) else changes)
    for i, (path, _) in enumerate(changes):
        for earlier, _ in changes[:i]:
            if earlier.startswith(path + "."):
                raise ConfigError(f"{path} must come before {earlier}, which it would undo")
    tree = to_tree(experiment)
    for path, value in changes:
        _put(tree, type(experiment), path, value)
    return typing.cast(S, from_tree(tree, type(experiment)))


def thaw(experiment: Spec) -> ConfigDict:
    """A locked ml-collections ConfigDict, to edit by attribute: c.training.samples = 1000."""
    from ml_collections import ConfigDict  # 50 ms: only who edits by attribute pays

    def node(tree: Any) -> Any:
        if isinstance(tree, Mapping):
            return ConfigDict({name: node(inner) for name, inner in tree.items()}, sort_keys=False)
        return tuple(map(node, tree)) if isinstance(tree, list) else tree

    return node(to_tree(experiment)).lock()


def freeze(buffer: ConfigDict, cls: type[S]) -> S:
    """The experiment that a thawed one has become, checked as a record is."""
    return typing.cast(S, from_tree(buffer.to_dict(), cls))


def _put(tree: Any, root: type[Spec], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    node, hint, walked, remove = tree, root, "", value in (None, "None")
    for part in parents:
        hint, walked, holder = required(_inside(tree, node, hint, walked, part)), join(walked, part), node
        node = holder.get(part)
        if node is None and is_component(hint):
            raise ConfigError(f"{walked} is not set; choose one first: --{walked}={'|'.join(exports(hint))}")
        if node is None and typing.get_origin(hint) is Mapping:
            node = holder[part] = {}
    inner = _inside(tree, node, hint, walked, last, adding=not remove)
    if remove and not is_component(hint) and is_component(inner):
        del node[last]
    else:
        node[last] = _read(value, inner, path, node.get(last))


def _inside(tree: Any, node: Any, hint: Any, path: str, part: str, adding: bool = False) -> Any:
    """The annotation of `part` in a component, or in a mapping of names."""
    if is_component(hint):
        cls = resolve(node[TYPE], hint, path)
        options, label = hints(cls), cls.__name__
    elif typing.get_origin(hint) is Mapping:
        inner, label = typing.get_args(hint)[1], ""
        options = dict.fromkeys([*node, part] if adding and is_component(inner) else node, inner)
    else:
        raise ConfigError(f"{at(path)} is a value, there is nothing inside it")
    if part in options:
        return options[part]
    elsewhere = [p for p, _ in leaves(tree) if part != TYPE and p.split(".")[-1] == part]
    raise ConfigError(f"no {part!r} in {at(path, label)}" + (f"; did you mean {elsewhere[0]!r}?" if elsewhere else suggest(part, options)))


def _read(value: Any, hint: Any, path: str, before: Any) -> Any:
    """The tree of a new value."""
    base = required(hint)
    if value in (None, "None") and (is_optional(hint) or is_component(base)):
        return from_tree(None, hint, path)
    if not is_component(base):
        return to_tree(from_tree(parse(value, base) if isinstance(value, Word) else to_tree(value), base, path))
    if not isinstance(value, str):
        tree = to_tree(value)
        return tree if isinstance(tree, Mapping) and TYPE in tree else to_tree(from_tree(tree, base, path))
    cls = resolve(str(value), base, path)
    kept = {name: v for name, v in (before or {}).items() if name in hints(base)}
    return {TYPE: name_of(cls), **to_tree(defaults(cls)), **kept}


def parse(text: str, hint: Any) -> Any:
    """A typed word as a tree: text verbatim, tuples as `a,b` or `(a, b)`, anything else a Python literal.

    What cannot be read stays a text, which from_tree then refuses by the field's name.
    """
    if is_optional(hint):
        return None if text == "None" else parse(text, required(hint))
    if hint is str:
        return str(text)
    if is_choice(hint):
        return next((a for a in choices(hint) if str(a) == text), str(text))
    if typing.get_origin(hint) is tuple:
        return _tuple(text.strip(), typing.get_args(hint))
    try:
        value = float(text) if hint is float else _literal(text.capitalize() if hint is bool else text)
    except ValueError:
        return str(text)
    return int(value) if hint is int and type(value) is float and value.is_integer() else value  # 1e6


def _tuple(text: str, args: tuple[Any, ...]) -> Any:
    """`1,2`, `(1, 2)` and `(tas, pr)` word by word; what has brackets or quotes inside is a Python literal."""
    inside = text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text
    if set(inside) & set("()[]{}'\""):
        try:
            return _literal(text)
        except ValueError:
            return str(text)
    words = [word for word in map(str.strip, inside.split(",")) if word]
    kinds = args[:1] * len(words) if args[-1] is Ellipsis else (*args, *[str] * len(words))
    return [parse(word, kind) for word, kind in zip(words, kinds, strict=False)]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:  # of the text, such as {[]: 1} or a thousand brackets
        raise ValueError(str(error)) from error
