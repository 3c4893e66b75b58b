"""The configuration layer: knows neither weather nor Ray."""

from .diff import Change as Change, diff as diff
from .fingerprint import Staged as Staged, fingerprint as fingerprint, identities as identities
from .load import load as load
from .overrides import edit as edit, freeze as freeze, override as override, thaw as thaw
from .record import Loaded as Loaded, read as read, trees as trees, write as write
from .sweep import Sweep as Sweep, product as product
from .tree import (
    ConfigError as ConfigError,
    Spec as Spec,
    exports as exports,
    from_tree as from_tree,
    to_tree as to_tree,
)
