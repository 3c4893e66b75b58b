"""Processes that tests look for and kill."""

from __future__ import annotations

import os
import time
from pathlib import Path


def parent(pid: int) -> int | None:
    """None for one that has ended."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(parent)


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(root: int, called: str = "") -> list[int]:
    """Living processes that this one started, or those did, whose command line has `called` in it."""
    parents = {int(path.name): parent(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found, new = set[int](), {root}
    while new := {pid for pid, above in parents.items() if above in new} - found:
        found |= new
    return sorted(pid for pid in found if called in name(pid))


def workers(root: int | None = None, called: str = "ray::RayWorker") -> list[int]:
    """Ray's worker processes of this process, or of another."""
    return descendants(os.getpid() if root is None else root, called)


def gone(pids: list[int] | int, *, seconds: float = 15) -> bool:
    """Whether processes end."""
    left = [pids] if isinstance(pids, int) else list(pids)
    end = time.monotonic() + seconds
    while (left := [pid for pid in left if parent(pid) is not None]) and time.monotonic() < end:
        time.sleep(0.02)
    return not left
