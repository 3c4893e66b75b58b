"""The configuration layer: knows neither weather nor Ray.

An experiment is a tree of frozen components (`Spec`). It is read from a Python file, a record or a run directory (`load`), changed by
paths (`edit`, `override`) or by attribute (`thaw`, `freeze`), multiplied by sweeps (`product`, `Sweep`), written as strict JSON (`write`,
`read`), compared (`diff`, `compare`), hashed stage by stage (`fingerprint`) and found again (`find`). Components check their fields with
`at_least`.
"""

from .checks import at_least as at_least
from .diff import Change as Change, compare as compare, diff as diff
from .fingerprint import Staged as Staged, fingerprint as fingerprint, held as held, identities as identities
from .load import import_packages as import_packages, load as load
from .lookup import find as find
from .overrides import edit as edit, freeze as freeze, override as override, thaw as thaw
from .record import RECORD as RECORD, Loaded as Loaded, read as read, trees as trees, write as write
from .sweep import Sweep as Sweep, product as product
from .tree import (
    ConfigError as ConfigError,
    Spec as Spec,
    exports as exports,
    from_tree as from_tree,
    packages as packages,
    to_tree as to_tree,
)
