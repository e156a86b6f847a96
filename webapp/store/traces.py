"""Traces: small files beside a database that has history, which are still there when the database is not.

Written where they can be, at most once a day; where they cannot, a loss goes unnoticed, and nothing else is the worse.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from webapp.clock import as_utc, iso, utc_day

log = logging.getLogger("smart_sync")

WHAT = "Smart Sync looks here, when its database is empty, whether one with history was there before."


@dataclass(frozen=True)
class Trace:
    """A database with history. place: a path, or host and name. first_day: of its snapshots. seen_at: when it was."""

    place: str
    first_day: date
    seen_at: datetime


class Traces:
    """The files of one database, each of which says the same. None of them: nothing is written or found."""

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self._paths = tuple(paths)
        self._left: date | None = None

    def is_due(self, day: date) -> bool:
        """Whether this process has not left a trace on this UTC day."""
        return bool(self._paths) and self._left != day

    def latest(self) -> Trace | None:
        """The youngest of those that can be read; None where no database with history has been."""
        found = [trace for trace in map(_read, self._paths) if trace is not None]
        return max(found, key=lambda trace: trace.seen_at, default=None)

    def leave(self, trace: Trace) -> None:
        """Write the trace into all files that do not say the same of that day already."""
        self._left = utc_day(trace.seen_at)
        for path in self._paths:
            there = _read(path)
            if there is None or _of_day(there) != _of_day(trace):
                _write(path, trace)


def trace_files(folder: Path, name: str, *, beside: bool) -> Sequence[Path]:
    """Where traces of something in a folder are left: in it and, with `beside`, next to it, where they outlive it."""
    inside = folder / f".{name}.seen"
    outside = folder.parent / f".{folder.name}.{name}.seen"
    return (inside, outside) if beside and folder != folder.parent else (inside,)


def _of_day(trace: Trace) -> tuple[str, date, date]:
    return trace.place, trace.first_day, utc_day(trace.seen_at)


def _read(path: Path) -> Trace | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        seen_at = as_utc(datetime.fromisoformat(said["seen_at"]))
        return Trace(str(said["place"]), date.fromisoformat(said["first_day"]), seen_at)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(path: Path, trace: Trace) -> None:
    said = {"what": WHAT, "place": trace.place, "first_day": str(trace.first_day), "seen_at": iso(trace.seen_at)}
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")
        new.replace(path)  # whole or not at all, whoever else writes
    except OSError as error:
        log.debug("[SmartSync] no trace was left in %s: %s", path, error.strerror)
        with suppress(OSError):
            new.unlink(missing_ok=True)
