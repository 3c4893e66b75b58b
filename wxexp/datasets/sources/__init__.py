"""Kind sources: where fields come from, one file per layout on disk (or generator), one export, one test of its own facts.

To add one, subclass `wxexp.interfaces.Source` in a file here: `open` gives `Fields` (lazily; errors of disk and network name the path):
a dataset with dims (time, *grid.dims), static fields without time, NaN where there is no value; a `Variable` for each; and which times,
in increasing order, are `present`. `identity` says which data they are, without reading them all:
it is asked for before every stage, and a run is trained again when it changes. Then export it below, which is the registry.
`lorenz96.py` is the shortest example.
"""

from wxexp.datasets.sources.lorenz96 import Lorenz96 as Lorenz96
from wxexp.datasets.sources.nrcan import NRCanDaily as NRCanDaily
from wxexp.datasets.sources.synthetic import SyntheticFields as SyntheticFields

__all__ = ["Lorenz96", "NRCanDaily", "SyntheticFields"]
