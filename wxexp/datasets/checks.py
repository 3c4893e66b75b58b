"""What every dataset refuses, and how it measures spread: one wording for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from wxexp.config.tree import suggest
from wxexp.datasets.contents import Contents
from wxexp.datasets.transforms import NOT_NEGATIVE

Bound = tuple[float | None, float | None]


def check_names(
    dataset: str,
    first: str,
    targets: Sequence[str],
    second: str,
    others: Sequence[str],
    transforms: Mapping[str, str],
    bounds: Mapping[str, Bound],
) -> None:
    """Of the fields `first` (at least one name) and `second`: no name twice, and every transform and bound is of one of them."""
    if not targets:
        raise ValueError(f"{dataset}.{first} must name at least one variable, got none")
    names = [*targets, *others]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{dataset}.{first} and .{second} must name a variable once, got {twice[0]!r} {names.count(twice[0])} times")
    for field, given, among in (("transforms", transforms, names), ("bounds", bounds, list(targets))):
        for name in given:
            if name not in among:
                raise ValueError(f"{dataset}.{field} has {name!r}, which is none of its variables{suggest(name, among)}")
    for name, (low, high) in bounds.items():
        if low is not None and high is not None and low >= high:
            raise ValueError(f"{dataset}.bounds of {name!r} must be (least, greatest), got ({low}, {high})")


def check_patch(dataset: str, patch: Sequence[int] | None, shape: Sequence[int]) -> None:
    """A patch has the field's dimensions and lies within it."""
    if patch is not None and (len(patch) != len(shape) or any(not 1 <= p <= n for p, n in zip(patch, shape, strict=True))):
        raise ValueError(f"{dataset}.patch must be within the field, {' x '.join(map(str, shape))} cells, got {tuple(patch)}")


def check_domain(dataset: str, found: Contents, names: Sequence[str], transforms: Mapping[str, str]) -> None:
    """Values are where the transform of their variable is defined."""
    for v, name in enumerate(names):
        if transforms.get(name) in NOT_NEGATIVE and (least := float(np.nanmin(found.values[:, v]))) < 0:
            raise ValueError(
                f"{dataset}.transforms: {transforms[name]} needs values of at least 0, but {name} of {found.name} has {least:g}"
            )


def one_mask(valid: np.ndarray) -> np.ndarray:
    """A mask [C, *S] as [1, *S] where all variables are valid in the same cells."""
    return valid[:1] if bool((valid == valid[:1]).all()) else valid


def moments(x: Tensor, name: str) -> tuple[float, float]:
    """Mean and standard deviation (over n), of a variable that varies."""
    mean, std = float(x.mean()), float(x.std(correction=0))
    if std == 0:
        raise ValueError(f"{name} does not vary over training times and valid cells, so that it cannot be standardised")
    return mean, std
