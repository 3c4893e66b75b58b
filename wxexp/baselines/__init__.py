"""Kind baselines: what a forecast must beat. One file, one export, one test of its own facts; the list below is the registry.

To add one, subclass `wxexp.interfaces.Baseline` in a file here: `fit` sees training times only, `members` gives [M, lead, C, *S] in
physical units for one initial time (M = 1 for a deterministic one; random numbers only from the `draws` it is given).
"""

from wxexp.baselines.climatology import Climatology as Climatology
from wxexp.baselines.damped_persistence import DampedPersistence as DampedPersistence
from wxexp.baselines.interpolation import Interpolation as Interpolation, MeanResidual as MeanResidual
from wxexp.baselines.persistence import Persistence as Persistence

__all__ = ["Climatology", "DampedPersistence", "Interpolation", "MeanResidual", "Persistence"]
