"""Experiments as trees: typed objects <-> nested dicts of JSON values, where each component has a `type`.

A field is a bool, int, float, str, Literal, Enum, tuple[...], Mapping[str, ...] or a Spec, or one of these `| None`.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import importlib
import math
import sys
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

TYPE = "type"


class ConfigError(ValueError):
    """What a user can get wrong, said in one line."""


@typing.dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec:
    """Hyper-parameters of one component. Every subclass is a frozen, keyword-only dataclass, without a decorator.

    `registry` names the module whose `__all__` lists the components of this kind. Its optional `MOVED` maps names in old records to
    today's: {"EDMHeun": "Heun", "Heun.num_steps": "steps"}.
    """

    registry: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        assert TYPE not in cls.__dataclass_fields__, f"{cls.__name__}: no field can be called {TYPE!r}"

    def identity(self) -> str:
        """What decides the result beside the fields, such as the checksum of a file; part of the fingerprint."""
        return ""


S = TypeVar("S", bound=Spec)


def to_tree(value: Any) -> Any:
    if isinstance(value, Spec):
        return {TYPE: name_of(type(value)), **{name: to_tree(getattr(value, name)) for name in hints(type(value))}}
    if isinstance(value, Mapping):
        return {key: to_tree(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_tree(inner) for inner in value]
    return value.name if isinstance(value, enum.Enum) else value


def from_tree(tree: Any, hint: Any, path: str = "", filled: list[str] | None = None) -> Any:
    """The object a tree describes, each value checked against its annotation. Paths that took a default are added to `filled`."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if is_optional(hint):
        return None if tree is None else from_tree(tree, required(hint), path, filled)
    if is_component(hint):
        return _component(tree, hint, path, filled)
    if origin is Mapping:
        for name in _expect(isinstance(tree, Mapping), path, "be a mapping", tree):
            _expect(
                isinstance(name, str) and bool(name) and not set(name) & set(".= "),
                path,
                "have names without '.', '=' or space",
                name,
            )
        return {name: from_tree(inner, args[1], join(path, name), filled) for name, inner in tree.items()}
    if origin is tuple:
        _expect(isinstance(tree, (list, tuple)), path, "be a tuple", tree)
        inner = args[:1] * len(tree) if args[-1] is Ellipsis else args
        _expect(len(inner) == len(tree), path, f"have {len(inner)} values", tree)
        return tuple(from_tree(v, t, f"{path}[{i}]", filled) for i, (v, t) in enumerate(zip(tree, inner, strict=True)))
    if origin is typing.Literal or isinstance(hint, type) and issubclass(hint, enum.Enum):
        allowed = {a: a for a in args} or dict(hint.__members__)
        if not any(type(tree) is type(a) and tree == a for a in allowed):  # True == 1, and is not meant
            raise ConfigError(f"{path} cannot be {tree!r}{suggest(tree, allowed)}")
        return allowed[tree]
    if hint not in (bool, int, float, str):
        raise ConfigError(f"{at(path)}: a field cannot be {hint}")
    value = float(tree) if hint is float and type(tree) is int else tree
    _expect(type(value) is hint, path, f"be {hint.__name__}", tree)
    _expect(
        hint is not float or math.isfinite(value),
        path,
        "be finite (unbounded is None, where the field allows it)",
        tree,
    )
    return value


def _component(tree: Any, base: type[S], path: str, filled: list[str] | None) -> S:
    _expect(isinstance(tree, Mapping) and TYPE in tree, path, f"be a {base.__name__}", tree)
    cls = resolve(tree[TYPE], base, path)
    known = hints(cls)
    given = {moved(cls, f"{cls.__name__}.{name}"): value for name, value in tree.items() if name != TYPE}
    for name in given.keys() - known.keys():
        raise ConfigError(f"no {name!r} in {at(path, cls.__name__)}{suggest(name, known)}")
    absent = [name for name in known if name not in given]
    if needed := [join(path, name) for name in absent if name not in defaults(cls)]:
        raise ConfigError(f"{at(path, cls.__name__)} needs {', '.join(needed)}")
    if filled is not None:
        filled += [join(path, name) for name in absent]
    values = {name: from_tree(value, known[name], join(path, name), filled) for name, value in given.items()}
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(f"{at(path)}: {error}") from error


def _expect(right: bool, path: str, rule: str, tree: Any) -> Any:
    if not right:
        raise ConfigError(f"{at(path)} must {rule}, got {tree!r}")
    return tree


def normal(spec: S) -> S:
    """The spec as its record would rebuild it: lists become tuples, ints in float fields floats, wrong values errors."""
    return typing.cast(S, from_tree(to_tree(spec), type(spec)))


# Names of classes. Data never causes an import: only registries are imported, anything else is imported by the caller first.


def name_of(cls: type[Spec]) -> str:
    """The name that finds a class again: `Heun` where its registry exports it, else `package.module:Class`."""
    short, name = cls.__name__, f"{cls.__module__}:{cls.__qualname__}"
    if getattr(_registry(cls), short, None) is cls:
        return short
    if cls.__module__ == "__main__" or _loaded(name) is not cls:
        raise ConfigError(f"{cls.__qualname__} could not be found again from a record; move it to an importable module")
    return name


def resolve(name: Any, base: type[S], path: str = "") -> type[S]:
    """The subclass of `base` that a record or an override names."""
    _expect(isinstance(name, str), path, f"name a {base.__name__}", name)
    module, colon, _ = name.partition(":")
    if colon and module.replace(".", "").isidentifier() and module not in sys.modules:
        raise ConfigError(f"{at(path)}: {name!r} is not loaded; if you trust it, --import={module}")
    name = name if colon else moved(base, name)
    found = _loaded(name) if colon else getattr(_registry(base), name) if name in _registry(base).__all__ else None
    if isinstance(found, type) and issubclass(found, base):
        return found
    raise ConfigError(f"{at(path)}: {name!r} is no {base.__name__}{suggest(name.partition('(')[0], exports(base))}")


def exports(base: type[S]) -> dict[str, type[S]]:
    """What may stand where `base` is expected: the rule of overrides, of `wxexp list` and of the conformance tests."""
    found = {name: getattr(_registry(base), name) for name in _registry(base).__all__}
    return {name: c for name, c in found.items() if isinstance(c, type) and issubclass(c, base)}


def moved(base: type[Spec], name: str) -> str:
    """Today's name of a class, or of a field given as Class.field."""
    today: Mapping[str, str] = getattr(_registry(base), "MOVED", {})
    return today.get(name, name.rpartition(".")[2])


def _registry(base: type[Spec]) -> Any:
    return importlib.import_module(base.registry)


def _loaded(name: str) -> Any:
    module, _, attributes = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in attributes.split("."):
        found = getattr(found, "__dict__", {}).get(part)  # not getattr: a lazy module would import
    return found


# Annotations


_HINTS: dict[type, dict[str, Any]] = {}  # functools.cache would do, but mypy finds type[Spec] unhashable


def hints(cls: type[Spec]) -> dict[str, Any]:
    """The annotation of every field."""
    if cls not in _HINTS:
        try:
            found = typing.get_type_hints(cls)
        except NameError as error:
            raise ConfigError(f"{cls.__name__}: {error}; import the types of fields at run time, not under TYPE_CHECKING") from error
        _HINTS[cls] = {f.name: found[f.name] for f in dataclasses.fields(cls)}
    return _HINTS[cls]


def defaults(cls: type[Spec]) -> dict[str, Any]:
    fields, none = dataclasses.fields(cls), dataclasses.MISSING
    made = {f.name: f.default_factory() for f in fields if f.default_factory is not none}
    return made | {f.name: f.default for f in fields if f.default is not none}


def is_optional(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType) and type(None) in (a := typing.get_args(hint)) and len(a) == 2


def required(hint: Any) -> Any:
    return next(a for a in typing.get_args(hint) if a is not type(None)) if is_optional(hint) else hint


def is_component(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Spec)


# Paths and words


def join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


def at(path: str, cls: str = "") -> str:
    return f"{path} ({cls})" if path and cls else path or cls or "experiment"


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping) and tree:
        for name, inner in tree.items():
            yield from leaves(inner, join(path, name))
    else:
        yield path, tree


def suggest(word: Any, options: Collection[Any]) -> str:
    names = {str(o).lower(): str(o) for o in options}
    close = difflib.get_close_matches(str(word).lower(), names, 1)
    return f"; did you mean {names[close[0]]!r}?" if close else f"; choose from {', '.join(sorted(names.values())) or 'nothing'}"
