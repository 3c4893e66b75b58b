"""Kind datasets: what is to be predicted from what, of which source, and which times are for training, validation and test.

To add a dataset, subclass `wxexp.interfaces.Dataset` in a file here: `open` gives an object with the methods of `interfaces.Opened`, most
of which `memory.InMemory` has (`generation.py` is the shortest example), `codec` an empty codec. To add a split of times, subclass
`Partition`. Then export it below, which is the registry. Sources have their own, `wxexp.datasets.sources`, and can be had from here too so
that experiments say `wx.datasets.NRCanDaily()`.
"""

from wxexp.datasets.downscaling import Downscaling as Downscaling
from wxexp.datasets.forecasting import Forecasting as Forecasting
from wxexp.datasets.generation import Generation as Generation
from wxexp.datasets.partition import Cyclic as Cyclic, Dates as Dates, Fractions as Fractions, Partition as Partition
from wxexp.datasets.sources import Lorenz96 as Lorenz96, NRCanDaily as NRCanDaily, SyntheticFields as SyntheticFields

__all__ = ["Cyclic", "Dates", "Downscaling", "Forecasting", "Fractions", "Generation"]
