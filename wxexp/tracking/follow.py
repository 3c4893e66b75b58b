"""A run that goes on, seen in Aim: a thread of the driver reads what the run writes and tells the view of it.

The run knows nothing of Aim and never waits for it: whatever goes wrong here costs one warning.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from wxexp.tracking.aim import abandon, words
from wxexp.tracking.sync import Feed

log = logging.getLogger("wxexp.tracking")


class Follower:
    """While the block runs, and at its end, the view of a run directory is brought up to date.

        with rundir.lock(directory), Follower(directory, repo=directory.parent, warn=progress.line):
            ...

    What Aim raises (it cannot be imported, its repository is locked, read-only, corrupted, the disk is full) becomes one call of `warn`,
    which may come from another thread; the block goes on, and its end waits for Aim at most `patience` seconds.
    """

    def __init__(
        self,
        run: Path,
        *,
        repo: Path,
        warn: Callable[[str], None],
        tags: Sequence[str] = (),
        every: float = 2.0,
        patience: float = 10.0,
    ) -> None:
        """Args:
        run: the run directory, with its record; the caller holds its lock.
        repo: the folder of the repository `.aim`, made if need be.
        warn: told in one line what went wrong.
        tags: for queries.
        every: seconds between two looks at metrics.jsonl.
        patience: seconds that the end of the block waits for the view at most.
        """
        self._run, self._repo, self._tags = run, repo, tags
        self._warn, self._every, self._patience = warn, every, patience
        self._ended = threading.Event()
        self._warned = threading.Lock()
        self._thread = threading.Thread(target=self._follow, name=f"aim {run.name}", daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(self._patience)
        if self._thread.is_alive():
            self._fail(f"it is not done {self._patience:g} seconds after the run")

    def _follow(self) -> None:
        try:
            feed = Feed(self._run, self._repo, tags=self._tags)
            while not self._ended.wait(self._every):
                feed.rows()
            feed.finish()
        except Exception as error:
            log.info("the view in Aim failed", exc_info=error)
            self._fail(f"{type(error).__name__}: {words(error)}", error)

    def _fail(self, what: str, error: Exception | None = None) -> None:
        abandon(error)
        if self._warned.acquire(blocking=False):  # once
            again = f"python -m wxexp review --rebuild {self._run.name}"
            self._warn(f"Aim does not show this run ({what[:300]}); the run is not affected. Later: {again}")
