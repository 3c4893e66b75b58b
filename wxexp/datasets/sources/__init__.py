"""Kind sources: where fields come from, one file per layout on disk (or generator), one export, one test of its own facts.

To add one, subclass `wxexp.interfaces.Source` in a file here: `open` gives `Fields` (lazily; errors of disk and network name the path),
`identity` says which data they are. Then export it below, which is the registry.
"""

from wxexp.datasets.sources.lorenz96 import Lorenz96 as Lorenz96
from wxexp.datasets.sources.nrcan import NRCanDaily as NRCanDaily
from wxexp.datasets.sources.synthetic import SyntheticFields as SyntheticFields

__all__ = ["Lorenz96", "NRCanDaily", "SyntheticFields"]
