"""The finished work that a stage of an experiment can take up again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from .fingerprint import Staged, fingerprint
from .record import RECORD, read
from .tree import ConfigError

log = logging.getLogger(__name__)


def find(directory: Path, experiment: Staged, stage: str, identities: Mapping[str, str], pattern: str = "*") -> Path | None:
    """The subdirectory of `directory` whose recorded experiment would do the same work in `stage`; None where there is none.

    Each record that matches `pattern` is read, what it lacks is filled with today's defaults, and the whole is hashed with the identities
    that its data had when it was recorded. So a run outlives a new field, whose default reproduces the old behaviour, and data changed
    under the same path never matches. A record that cannot be read is skipped with a warning; a directory without one is not a run.
    Where several match, the one named after today's fingerprint wins, then the first by name.
    """
    wanted = fingerprint(experiment, stage, identities)
    records = [path for path in directory.glob(f"{pattern}/{RECORD}") if path.is_file()]
    for path in sorted(records, key=lambda path: (not path.parent.name.endswith(wanted), path.parent.name)):
        try:
            found = read(path, type(experiment))
        except ConfigError as error:
            log.warning("%s; it is passed over", error)
            continue
        if fingerprint(found.experiment, stage, found.identities) == wanted:
            return path.parent
    return None
