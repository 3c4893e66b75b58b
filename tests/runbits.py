"""Everything that a run decides."""

from __future__ import annotations

import numpy as np
import xarray as xr
import zarr

from wxexp import runner


def bits(run: runner.Run) -> dict[str, bytes]:
    """Everything a run decides: weights, members, sums and rows."""
    found = {}
    (weights,) = (run.directory / "train").glob("step-*/ema.safetensors")
    found["weights"] = weights.read_bytes()
    if (run.sample_dir / "members.zarr").exists():
        with xr.open_zarr(run.sample_dir / "members.zarr", consolidated=False, chunks=None) as members:
            found |= {str(name): members[name].values.tobytes() for name in members.data_vars}
    scores = zarr.open_group(run.score_dir / "scores.zarr", mode="r")
    for source in scores.group_keys():
        group = scores[source]
        assert isinstance(group, zarr.Group)
        found |= {f"{source}/{name}": np.asarray(array[...]).tobytes() for name, array in group.arrays()}
    found["table"] = (run.score_dir / "table.json").read_bytes()
    return found
