import numpy as np
import pytest
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.interfaces import Fields, Source, Variable


@pytest.fixture
def source_of():
    """A source around arrays: variables [time, *S], static fields [*S]."""

    def make(variables, *, static=None, times=None, present=None, periodic_x=False):
        first = next(iter(variables.values()))
        shape = first.shape[1:]
        if len(shape) == 1:
            grid = Grid("ring", None, np.arange(shape[0]), periodic_x=True)
        else:
            grid = Grid("latlon", 40.0 + np.arange(shape[0]), np.arange(shape[1]) * 1.0, periodic_x=periodic_x)
        times = np.datetime64("2001-01-01", "s") + np.arange(len(first)) * np.timedelta64(1, "D") if times is None else times
        fields = {name: (("time", *grid.dims), x) for name, x in variables.items()}
        fields |= {name: (grid.dims, x) for name, x in (static or {}).items()}
        known = {name: Variable(name, "K", "static" if name in (static or {}) else "prognostic") for name in fields}
        opened = Fields(xr.Dataset(fields, coords={"time": times}), known, grid, np.ones(len(first), bool) if present is None else present)

        class Arrays(Source):
            registry = __name__

            def open(self):
                return opened

        return Arrays()

    return make
