"""A small world to score: two variables on a latitude-longitude grid with a masked corner, a deterministic and an ensemble baseline."""

from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import torch
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.fields.seeds import stream
from wxexp.interfaces import Baseline, Batch, Dataset, Item, Model, Objective

SHAPE = (10, 14)
NAMES, UNITS = ("t", "p"), ("K", "mm")


def mask():
    out = np.ones((2, *SHAPE), dtype=bool)
    out[:, :3, :4] = False
    out[1, -1] = False
    return out


def field(*key):
    return stream(*key).standard_normal(SHAPE).astype(np.float32)


class ToyOpened:
    codec = SimpleNamespace(targets=NAMES, units=UNITS)
    grid = Grid("latlon", np.linspace(40.0, 70.0, SHAPE[0]), np.linspace(0.0, 20.0, SHAPE[1]))

    def __init__(self, leads, times):
        self.leads, self.times = leads, times

    def items(self, split):
        days = {"train": list(range(20)), "test": [24, 25, 26, 52, 53, 54, 80, 340, 341, 342][: self.times]}[split]
        return [Item(day, str(np.datetime64("2001-01-01", "s") + np.timedelta64(day, "D"))) for day in days]

    def read(self, items, origins=None):
        x = torch.zeros(len(items), 1, *SHAPE)
        lead = torch.zeros(len(items))
        return Batch(
            target=None,
            condition=x,
            static=x[:1],
            mask=torch.from_numpy(mask())[None],
            area=torch.ones(1, *SHAPE),
            lead_hours=lead,
            origin=torch.zeros(len(items), 2, dtype=torch.int64),
            key=torch.tensor([item.index for item in items]),
            time=np.array([item.time for item in items]),
        )

    def truth(self, item):
        data = {}
        for name in NAMES:
            fields = np.stack([field("truth", item.time, name, lead) for lead in range(self.leads)])
            fields[0, 5, 5] = np.nan if item.index == 25 else fields[0, 5, 5]
            data[name] = (("lead_time", "lat", "lon"), fields) if self.leads > 1 else (("lat", "lon"), fields[0])
        hours = {"lead_time": np.arange(self.leads) * np.timedelta64(6, "h").astype("timedelta64[ns]")} if self.leads > 1 else {}
        return xr.Dataset(data, coords=hours)


class ToyWorld(Dataset):
    leads: int = 1
    times: int = 7

    def open(self):
        return ToyOpened(self.leads, self.times)


class ToyZero(Baseline):
    """Deterministic: its fitted number, everywhere."""

    def fit(self, opened):
        return {"value": np.array(0.25)}

    def members(self, fitted, opened, item, leads, draws):
        return np.full((1, leads, 2, *SHAPE), fitted["value"], dtype=np.float32)


class ToyNoise(Baseline):
    """Four random members."""

    def members(self, fitted, opened, item, leads, draws):
        return draws.members(range(4)).normal((leads, 2, *SHAPE)).numpy()


class ToyModel(Model):
    pass


class ToyObjective(Objective):
    pass


class Processes:
    """An executor with worker processes of one thread."""

    worker = None

    def __init__(self, workers):
        self.workers = workers

    def map(self, job, items, *, in_flight):
        context = get_context("forkserver")
        context.set_forkserver_preload(["wxexp.scoring.external", "wxexp.metrics"])
        with ProcessPoolExecutor(self.workers, context, Processes.begin, (job,)) as pool:
            futures = {pool.submit(Processes.work, item): item for item in items}
            yield from ((futures[future], future.result()) for future in as_completed(futures))

    @staticmethod
    def begin(job):
        torch.set_num_threads(1)
        Processes.worker = job.factory(job.tree)

    @staticmethod
    def work(item):
        return Processes.worker(item)


def write_members(path, opened, members):
    """A members.zarr as drawing leaves it: NaN where masked."""
    times = np.array([item.time for item in opened.items("test")], dtype="datetime64[ns]")
    data = {}
    for v, name in enumerate(NAMES):
        x = np.stack(
            [
                [[field("member", str(t)[:19], name, m, lead) for lead in range(opened.leads)] for m in range(members)]
                for t in times.astype("datetime64[s]")
            ]
        )
        x[..., ~mask()[v]] = np.nan
        data[name] = (
            (("init_time", "member", "lead_time", "lat", "lon"), x) if opened.leads > 1 else (("time", "member", "lat", "lon"), x[:, :, 0])
        )
    coords = {"lat": opened.grid.lat, "lon": opened.grid.lon, "member": np.arange(members)}
    if opened.leads > 1:
        coords |= {"init_time": times, "lead_time": ("lead_time", 6.0 * np.arange(opened.leads), {"units": "hours"})}
    else:
        coords["time"] = times
    xr.Dataset(data, coords=coords).to_zarr(path, zarr_format=3, consolidated=False)
    return xr.Dataset(data, coords=coords)
