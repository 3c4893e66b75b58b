"""`import wxexp` costs nothing, and every registry is what overrides, records and `wxexp list` take it for."""

import ast
import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import wxexp
from wxexp.config import Spec, exports, from_tree, to_tree
from wxexp.config.tree import defaults, hints

ROOT = Path(wxexp.__file__).parent
HEAVY = ("torch", "ray", "aim", "xarray", "numpy", "numba", "matplotlib", "ml_collections", "zarr")


@pytest.mark.parametrize("code", ["import wxexp", "import wxexp.config", "import wxexp.cli"])
def test_importing_imports_nothing_heavy(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import sys, {code.split()[1]}; print(*sys.modules)"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(HEAVY) & {name.partition(".")[0] for name in done.stdout.split()} == set()


def shown() -> dict[str, str]:
    """What editors and mypy see of `wxexp`: name to module, from the TYPE_CHECKING block."""
    (block,) = [node for node in ast.parse((ROOT / "__init__.py").read_text()).body if isinstance(node, ast.If)]
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for name in node.names:
            assert name.asname == name.name  # re-exported
            found[name.name] = f"wxexp.{name.name}" if node.module == "wxexp" else str(node.module)
    return found


def test_what_editors_see_is_what_there_is() -> None:
    names = {**{name: f"wxexp.{name}" for name in wxexp._MODULES}, **{name: f"wxexp.{module}" for name, module in wxexp._NAMES.items()}}
    assert shown() == names
    assert dir(wxexp) == sorted([*names, "__version__"])


@pytest.mark.parametrize("name", sorted(shown()))
def test_a_lazy_name_is_there(name: str) -> None:
    module = importlib.import_module(shown()[name])
    assert getattr(wxexp, name) is (module if name in wxexp._MODULES else getattr(module, name))


def test_a_misspelt_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'wxexp' has no attribute 'sampler'"):
        wxexp.sampler  # noqa: B018


def registries() -> list[str]:
    """Of every kind of the project, however deep."""
    importlib.import_module("wxexp.interfaces")
    found: set[str] = set()
    while new := {registry for cls in subclasses(Spec) if (registry := getattr(cls, "registry", "")).startswith("wxexp")} - found:
        found |= new
        for name in new:  # which may define further kinds
            importlib.import_module(name)
    return sorted(found)


def subclasses(cls: type[Spec]) -> set[type[Spec]]:
    below = {sub for sub in cls.__subclasses__() if sub.__module__.partition(".")[0] == "wxexp"}
    return below | {inner for sub in below for inner in subclasses(sub)}


REGISTRIES = registries()
COMPONENTS = [
    pytest.param(getattr(importlib.import_module(registry), name), registry, id=f"{registry.removeprefix('wxexp.')}.{name}")
    for registry in REGISTRIES
    for name in getattr(importlib.import_module(registry), "__all__", ())
]


def test_every_kind_is_known() -> None:
    kinds = "baselines datasets datasets.sources experiment levels likelihoods metrics models objectives perturbations samplers schedulers"
    assert {f"wxexp.{kind}" for kind in [*kinds.split(), "statistics", "subsets"]} <= set(REGISTRIES)


@pytest.mark.parametrize("registry", REGISTRIES)
def test_a_registry_says_how_to_add_one(registry: str) -> None:
    module = importlib.import_module(registry)
    assert module.__doc__ and (registry == "wxexp.experiment" or "To add" in module.__doc__)
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize(("component", "registry"), COMPONENTS)
def test_a_component_is_documented_and_found_by_its_name(component: type[Spec], registry: str) -> None:
    assert inspect.isclass(component) and issubclass(component, Spec)
    assert component.registry == registry
    assert component.__doc__ and not component.__doc__.startswith(f"{component.__name__}(")  # dataclasses write one where there is none
    assert exports(component)[component.__name__] is component


@pytest.mark.parametrize(("component", "registry"), COMPONENTS)
def test_every_field_of_a_component_has_a_type_that_a_record_can_hold(component: type[Spec], registry: str) -> None:
    assert hints(component).keys() >= defaults(component).keys()


@pytest.mark.parametrize("component", [p.values[0] for p in COMPONENTS if hints(p.values[0]).keys() <= defaults(p.values[0]).keys()])
def test_a_component_with_defaults_for_all_survives_its_record(component: type[Spec]) -> None:
    made = component()
    tree = json.loads(json.dumps(to_tree(made), allow_nan=False))
    assert tree["type"] == component.__name__
    assert from_tree(tree, component) == made
