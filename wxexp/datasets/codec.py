"""Between physical units and the space of the network.

With T the transform of a variable, m and s its mean and standard deviation over training times and valid cells after T, and u the
interpolated coarse field, a downscaling target is

    field             (T(x) - m) / s
    residual          (T(x) - T(u) - r) / q             r, q: mean and standard deviation of T(x) - T(u)
    residual_anomaly  (T(x) - T(u) - r(cell)) / q       r(cell): mean over training times in each cell, q: what is left

and a forecast's, with x' the last state,

    state             (T(x) - m) / s
    tendency          (T(x) - T(x') - r) / q            r, q: mean and standard deviation of T(x) - T(x')

What is generated is (T(x) - m) / s.

NaN in, NaN out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from wxexp.datasets import transforms as T
from wxexp.datasets.checks import moments
from wxexp.datasets.contents import Contents
from wxexp.datasets.patches import crop
from wxexp.interfaces import Batch, Codec, Frame

Downscaled = Literal["field", "residual", "residual_anomaly"]
Evolved = Literal["state", "tendency"]
Bounds = tuple[float | None, float | None]


class FieldCodec(Codec):
    """Transform and standardisation of each variable; `targets` are the first of `names`.

    Buffers: mean, std float32 [V], after the transform.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        names: Sequence[str],
        targets: Sequence[str],
        units: Sequence[str],
        transforms: Mapping[str, str],
        bounds: Mapping[str, Sequence[float | None]],
    ) -> None:
        super().__init__()
        self.names, self.targets, self.units = tuple(names), tuple(targets), tuple(units)
        self.transforms = tuple(transforms.get(name, "none") for name in self.names)
        self.bounds = tuple(tuple(bounds.get(name, (None, None))) for name in self.targets)
        self.register_buffer("mean", torch.zeros(len(self.names)))
        self.register_buffer("std", torch.ones(len(self.names)))

    def recipe(self) -> Mapping[str, Any]:
        return {
            "names": list(self.names),
            "targets": list(self.targets),
            "units": list(self.units),
            "transforms": dict(zip(self.names, self.transforms, strict=True)),
            "bounds": {name: list(pair) for name, pair in zip(self.targets, self.bounds, strict=True)},
        }

    def standardise(self, found: Contents, times: np.ndarray) -> None:
        """Fills `mean` and `std` from the valid cells at `times` (by index), one variable at a time, in float64."""
        for v, name in enumerate(self.names):
            x = T.FORWARD[self.transforms[v]](torch.from_numpy(found.values[times, v]))
            self.mean[v], self.std[v] = moments(x[:, torch.from_numpy(found.valid[v])].double(), name)

    def encode(self, name: str, x: Tensor) -> Tensor:
        """(T(x) - m) / s of one variable, any shape."""
        v = self.names.index(name)
        return (T.FORWARD[self.transforms[v]](x) - self.mean[v]) / self.std[v]

    def normalise(self, x: Tensor) -> Tensor:
        """All variables [B, V, *S]."""
        return (T.forward(x, self.transforms) - _wide(self.mean, x)) / _wide(self.std, x)

    def _transformed(self, z: Tensor) -> Tensor:
        """Targets m + s z, [B, C, *S]: back from standardised to transformed."""
        count = len(self.targets)
        return _wide(self.mean[:count], z) + _wide(self.std[:count], z) * z

    def _physical(self, t: Tensor) -> Tensor:
        """From transformed to physical, within bounds."""
        x = T.inverse(t, self.transforms[: len(self.targets)])
        if all(pair == (None, None) for pair in self.bounds):
            return x
        limited = [x[:, c] if pair == (None, None) else x[:, c].clamp(*pair) for c, pair in enumerate(self.bounds)]
        return torch.stack(limited, dim=1)


class GenerationCodec(FieldCodec):
    """Of a field that depends on no other."""

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        return self._physical(self._transformed(y))

    def advance(self, batch: Batch, y: Tensor, frame: Frame) -> Batch:
        raise ValueError("a generated field has no next step: Ensemble.leads must be 1 for Generation")


class DownscalingCodec(FieldCodec):
    """Of a fine field given the interpolated coarse one, which is the first channels of `condition`, standardised.

    Buffers, besides mean and std: residual_mean [C, *S] (*S of size 1 where it is not by cell), residual_std [C].
    """

    residual_mean: Tensor
    residual_std: Tensor

    def __init__(self, *, target: Downscaled, shape: Sequence[int], **rest: Any) -> None:
        super().__init__(**rest)
        self.target: Downscaled = target
        self.shape = tuple(shape)
        size = self.shape if target == "residual_anomaly" else (1,) * len(self.shape)
        self.register_buffer("residual_mean", torch.zeros(len(self.targets), *size))
        self.register_buffer("residual_std", torch.ones(len(self.targets)))

    def recipe(self) -> Mapping[str, Any]:
        return {**super().recipe(), "target": self.target, "shape": list(self.shape)}

    def learnt(self, x: Tensor, condition: Tensor, origin: Tensor) -> Tensor:
        """The target of the network: physical fields [B, C, *S] of the targets, seen from `condition`."""
        count = len(self.targets)
        t = T.forward(x, self.transforms[:count])
        if self.target == "field":
            return (t - _wide(self.mean[:count], t)) / _wide(self.std[:count], t)
        base = self._transformed(condition[:, :count]) + self._offset(origin, tuple(t.shape[2:]))
        return (t - base) / _wide(self.residual_std, t)

    def physical(self, interpolated: Tensor) -> Tensor:
        """What a prediction of zero means, [B, C, *S]: the interpolated fields, with the mean residual where that is part of the target."""
        base = self._transformed(interpolated[:, : len(self.targets)])
        offset = 0.0 if self.target == "field" else self.residual_mean[None]
        return self._physical(base + offset)

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        if self.target == "field":
            return self._physical(self._transformed(y))
        base = self._transformed(batch.condition[:, : len(self.targets)]) + self._offset(batch.origin, batch.size)
        return self._physical(base + _wide(self.residual_std, y) * y)

    def advance(self, batch: Batch, y: Tensor, frame: Frame) -> Batch:
        raise ValueError("a downscaled field has no next step: Ensemble.leads must be 1 for Downscaling")

    def _offset(self, origin: Tensor, size: tuple[int, ...]) -> Tensor:
        """The mean residual under each patch, [1 or B, C, *size]."""
        mean = self.residual_mean[None]
        return mean if self.target != "residual_anomaly" or size == self.shape else crop(mean, origin, size)


class ForecastingCodec(FieldCodec):
    """Of the next state given past ones, which are the first channels of `condition`, standardised, oldest first.

    Buffers, besides mean and std: tendency_mean, tendency_std [C], in standard deviations of the state.
    """

    tendency_mean: Tensor
    tendency_std: Tensor

    def __init__(self, *, target: Evolved, history: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.target: Evolved = target
        self.history = history
        self.register_buffer("tendency_mean", torch.zeros(len(self.targets)))
        self.register_buffer("tendency_std", torch.ones(len(self.targets)))

    def recipe(self) -> Mapping[str, Any]:
        return {**super().recipe(), "target": self.target, "history": self.history}

    def learnt(self, state: Tensor, last: Tensor) -> Tensor:
        """The target of the network: standardised state [B, C, *S], seen from the `last` one."""
        if self.target == "state":
            return state
        return (state - last - _wide(self.tendency_mean, state)) / _wide(self.tendency_std, state)

    def last(self, batch: Batch) -> Tensor:
        """The newest state in `condition`, standardised [B, C, *S]."""
        count = len(self.targets)
        return batch.condition[:, (self.history - 1) * count : self.history * count]

    def state(self, y: Tensor, batch: Batch) -> Tensor:
        """The standardised state that a prediction means; 0 in masked cells."""
        z = y
        if self.target == "tendency":
            z = self.last(batch) + _wide(self.tendency_mean, y) + _wide(self.tendency_std, y) * y
        return torch.where(batch.mask, z, 0.0)

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        return self._physical(self._transformed(self.state(y, batch)))

    def advance(self, batch: Batch, y: Tensor, frame: Frame) -> Batch:
        """The newest state enters the history, the oldest leaves it; differentiable in y."""
        state, count = self.state(y, batch), len(self.targets)
        kept = batch.condition[:, count : self.history * count]
        condition = torch.cat([kept, state, frame.forcing.to(state.dtype)], dim=1)
        target = None if frame.state is None else torch.where(batch.mask, self.learnt(frame.state, state), 0.0)
        return dataclasses.replace(batch, target=target, condition=condition, lead_hours=frame.lead_hours, future=batch.future[1:])


def _wide(x: Tensor, like: Tensor) -> Tensor:
    """[C] as [1, C, 1, ...]."""
    return x.view(1, -1, *(1,) * (like.ndim - 2))
