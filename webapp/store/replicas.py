"""How the replication of a database file goes: a small file beside it, which whoever replicates keeps fresh."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from webapp.clock import as_utc, iso
from webapp.store.storage import ReplicaState

FRESH = timedelta(seconds=90)
STOPPED = "nobody replicates: it begins with the server"


@dataclass(frozen=True)
class Replica:
    """to: where the copy is. state: `stopped` where nobody is at it. since: of the state, None: it is not known."""

    to: str
    state: ReplicaState
    since: datetime | None
    message: str | None


def litestream_path() -> str | None:
    """The program that copies: of this environment, else of the path; None where it is not installed."""
    own = Path(sys.executable).with_name("litestream")
    return str(own) if own.is_file() else shutil.which("litestream")


def shown_address(url: str) -> str:
    """The address of a replica without what is nobody's business: user, password and parameters."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def write(database: Path, state: ReplicaState, since: datetime, message: str | None, now: datetime) -> None:
    """Say how it goes. Raises: OSError."""
    said = {"state": state, "since": iso(since), "message": message, "at": iso(now)}
    path = _path(database)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(path)


def read(database: Path, url: str, now: datetime) -> Replica | None:
    """How it goes, as far as it was said lately; None where nothing is to be replicated."""
    if not url:
        return None
    try:
        said = json.loads(_path(database).read_text(encoding="utf-8"))
        at, since = (as_utc(datetime.fromisoformat(said[name])) for name in ("at", "since"))
        state: ReplicaState = "failing" if said["state"] == "failing" else "ok"
        message = None if said["message"] is None else str(said["message"])
    except (OSError, ValueError, TypeError, KeyError):
        return Replica(shown_address(url), "stopped", None, STOPPED)
    if now - at > FRESH:
        return Replica(shown_address(url), "stopped", at, STOPPED)
    return Replica(shown_address(url), state, since, message)


def _path(database: Path) -> Path:
    return database.with_name(f"{database.name}.replica")
