"""Experiments as trees: typed objects <-> nested dicts of JSON values, where each component has a `type`.

A field is a bool, int, float, str, Literal, Enum, tuple[...], Mapping[str, ...] or a Spec, or one of these `| None`; collections of
components are mappings by name, so that each has a path. Values are checked against their annotations without conversion, except that an
int may stand where a float is meant and a list where a tuple is: True is no int, "3" is no number, None is only what `| None` allows.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import functools
import importlib
import math
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

TYPE = "type"


class ConfigError(ValueError):
    """What a user can get wrong, said in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(line.strip() for line in message.splitlines()))


@typing.dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec:
    """Hyper-parameters of one component. Every subclass is a frozen, keyword-only dataclass, without a decorator.

    `registry` names the module whose `__all__` lists the components of this kind. Its optional `MOVED` maps names in old records to
    today's: {"EDMHeun": "Heun", "Heun.num_steps": "steps"}. `held` names the fields that hold an experiment of which more counts than its
    training: {"field": "sample"} where members drawn from it feed this component; any other held experiment counts as trained.
    """

    registry: ClassVar[str]
    held: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        assert TYPE not in cls.__dataclass_fields__, f"{cls.__name__}: no field can be called {TYPE!r}"
        assert cls.held.keys() <= cls.__dataclass_fields__.keys(), f"{cls.__name__}.held names what is no field"
        cls.__init__ = _explained(cls.__init__)  # type: ignore[method-assign]

    def identity(self) -> str:
        """What decides the result beside the fields, such as the checksum of a file; part of the fingerprint."""
        return ""


S = TypeVar("S", bound=Spec)


def to_tree(value: Any) -> Any:
    """Plain JSON values: a component becomes a dict of its `type` and all its fields, in the order of the class."""
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
            plain = isinstance(name, str) and name.split() == [name] and not set(name) & set(".=")
            _expect(plain, path, "have names without '.', '=' or space", name)
        return {name: from_tree(inner, args[1], join(path, name), filled) for name, inner in tree.items()}
    if origin is tuple:
        _expect(isinstance(tree, (list, tuple)), path, "be a tuple", tree)
        inner = args[:1] * len(tree) if args[-1] is Ellipsis else args
        _expect(len(inner) == len(tree), path, f"have {len(inner)} values", tree)
        return tuple(from_tree(v, t, f"{path}[{i}]", filled) for i, (v, t) in enumerate(zip(tree, inner, strict=True)))
    if is_choice(hint):
        allowed = choices(hint)
        if not any(type(tree) is type(a) and tree == a for a in allowed):  # True == 1, and is not meant
            raise ConfigError(f"{path} cannot be {shown(tree)}{suggest(tree, allowed)}")
        return allowed[tree]
    if hint is float and type(tree) is int and abs(tree) <= sys.float_info.max:
        return float(tree)
    _expect(type(tree) is hint, path, f"be {hint.__name__}", tree)
    _expect(hint is not float or math.isfinite(tree), path, "be finite (unbounded is None, where the field allows it)", tree)
    return tree


def _component(tree: Any, base: type[S], path: str, filled: list[str] | None) -> S:
    _expect(isinstance(tree, Mapping) and TYPE in tree, path, f"be {article(base)}", tree)
    cls = resolve(tree[TYPE], base, path)
    known, given = hints(cls), {}
    for name in tree.keys() - {TYPE}:
        today = moved(cls, cls.__name__, name)
        if today in given or today != name and today in tree:
            raise ConfigError(f"{at(path, cls.__name__)} has {today!r} twice, once by an old name")
        given[today] = tree[name]
    _named(cls, given, path)
    absent = [name for name in known if name not in given]
    if filled is not None:
        filled += [join(path, name) for name in absent]
    values = {name: from_tree(given[name], known[name], join(path, name), filled) for name in known if name in given}
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(f"{at(path)}: {error}") from error


def _named(cls: type[Spec], given: Collection[str], path: str = "") -> None:
    """Refuses fields that the class does not have, and the lack of those it needs."""
    known = [f.name for f in dataclasses.fields(cls)]
    for name in sorted(set(given) - set(known), key=str):
        raise ConfigError(f"no {name!r} in {at(path, cls.__name__)}{suggest(name, known)}")
    if needed := [join(path, name) for name in known if name not in given and name not in defaults(cls)]:
        raise ConfigError(f"{at(path, cls.__name__)} needs {', '.join(needed)}")


def _explained(init: Callable[..., None]) -> Callable[..., None]:
    """The constructor of a class, which says of a wrong call what from_tree would say; a right call costs nothing."""

    @functools.wraps(init)
    def __init__(self: Spec, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except (TypeError, AttributeError):
            cls = type(self)
            if args:
                raise ConfigError(f"{cls.__name__} takes its fields by name, got {shown(args[0])}") from None
            _named(cls, kwargs)
            for name, value in kwargs.items():
                _fits(value, hints(cls)[name], f"{cls.__name__}.{name}")
            raise

    return __init__


def _fits(value: Any, hint: Any, path: str) -> None:
    """Refuses a field's value of the wrong type; what is inside a component was checked when it was made."""
    base = required(hint)
    if value is None and is_optional(hint):
        return
    if typing.get_origin(base) is Mapping and isinstance(value, Mapping):
        for name, inner in value.items():
            _fits(inner, typing.get_args(base)[1], join(path, str(name)))
    elif is_component(base):
        _expect(isinstance(value, base), path, f"be {article(base)}", value)
    else:
        from_tree(to_tree(value), hint, path)


def check(spec: Spec, path: str) -> None:
    """Refuses values that the annotations of fields do not allow: constructors let them pass, records and overrides do not."""
    for name, hint in hints(type(spec)).items():
        _fits(getattr(spec, name), hint, join(path, name))


def _expect(right: bool, path: str, rule: str, tree: Any) -> Any:
    if not right:
        raise ConfigError(f"{at(path)} must {rule}, got {shown(tree)}")
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
    _expect(isinstance(name, str), path, f"name {article(base)}", name)
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


def packages(spec: Any) -> tuple[str, ...]:
    """Modules of the components that no registry exports: what a worker imports before it rebuilds them."""
    if isinstance(spec, Spec):
        module, colon, _ = name_of(type(spec)).partition(":")
        inner = [packages(getattr(spec, name)) for name in hints(type(spec))]
        return tuple(dict.fromkeys([*([module] if colon else []), *(name for names in inner for name in names)]))
    return tuple(dict.fromkeys(name for v in spec.values() for name in packages(v))) if isinstance(spec, Mapping) else ()


def moved(cls: type[Spec], name: str, field: str | None = None) -> str:
    """Today's name of a class of this kind, or of one of its fields."""
    today: Mapping[str, str] = getattr(_registry(cls), "MOVED", {})
    return today.get(name, name) if field is None else today.get(f"{name}.{field}", field)


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
        own = {f.name: found[f.name] for f in dataclasses.fields(cls)}
        for name, hint in own.items():
            if not _is_field(hint):
                raise ConfigError(f"{cls.__name__}.{name}: a field cannot be {hint}")
        _HINTS[cls] = own
    return _HINTS[cls]


def _is_field(hint: Any) -> bool:
    hint = required(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return bool(args) and all(_is_field(a) and not is_component(required(a)) for a in args if a is not Ellipsis)
    if origin is Mapping:
        return args[0] is str and _is_field(args[1])
    return hint in (bool, int, float, str) or is_choice(hint) or is_component(hint) and hasattr(hint, "registry")


def defaults(cls: type[Spec]) -> dict[str, Any]:
    """The values of the fields that need not be given."""
    fields, none = dataclasses.fields(cls), dataclasses.MISSING
    made = {f.name: f.default_factory() for f in fields if f.default_factory is not none}
    return made | {f.name: f.default for f in fields if f.default is not none}


def is_optional(hint: Any) -> bool:
    """X | None."""
    return typing.get_origin(hint) in (typing.Union, types.UnionType) and type(None) in (a := typing.get_args(hint)) and len(a) == 2


def required(hint: Any) -> Any:
    """X of X | None; any other annotation as it is."""
    return next(a for a in typing.get_args(hint) if a is not type(None)) if is_optional(hint) else hint


def is_component(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Spec)


def is_choice(hint: Any) -> bool:
    """A Literal or an Enum."""
    return typing.get_origin(hint) is typing.Literal or isinstance(hint, type) and issubclass(hint, enum.Enum)


def choices(hint: Any) -> dict[Any, Any]:
    """What a Literal or an Enum allows, by what stands for it in a tree."""
    return {a: a for a in typing.get_args(hint)} or dict(hint.__members__)


# Paths and words


def join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


def at(path: str, cls: str = "") -> str:
    """A place in the tree as a message names it; the root is the experiment."""
    return f"{path} ({cls})" if path and cls else path or cls or "experiment"


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of all that is no mapping, empty ones included, in order."""
    if isinstance(tree, Mapping) and tree:
        for name, inner in tree.items():
            yield from leaves(inner, join(path, name))
    else:
        yield path, tree


def article(cls: type) -> str:
    return f"{'an' if cls.__name__[0] in 'AEIOU' else 'a'} {cls.__name__}"


def shown(value: Any) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def suggest(word: Any, options: Collection[Any]) -> str:
    """The nearest right name; where none is near, all of them, if a person would read them."""
    names = {str(o).lower(): str(o) for o in options}
    if close := difflib.get_close_matches(str(word).lower(), names, 1):
        return f"; did you mean {names[close[0]]!r}?"
    return f"; choose from {', '.join(sorted(names.values())) or 'nothing'}" if len(names) <= 40 else ""
