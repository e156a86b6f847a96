"""Where the data is, and whether it will be there after a restart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from webapp.store.db import Database

Durability = Literal["durable", "ephemeral", "network", "unknown"]
ReplicaState = Literal["ok", "failing", "stopped"]

MEMORY = {"tmpfs", "ramfs", "overlay", "aufs"}  # the last two: a container's own layer, thrown away with it
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}
SANDBOX = "9p"  # as the root of everything: a sandbox that hands its container's layer in

WORDS: Mapping[Durability, str] = {
    "durable": "which survives a restart",
    "ephemeral": "which is thrown away with its container or at a restart",
    "network": "which is a network share, on which SQLite is not safe",
    "unknown": "of which nobody can tell whether it survives a restart",
}


def storage_of(db: Database) -> dict[str, Any]:
    """`{kind, path, durability}`; the path of the file, or host and name of the database."""
    place = db.storage()
    kind: Durability = "durable" if db.dialect == "postgresql" else durability(Path(place))
    return {"kind": db.dialect, "path": place, "durability": kind}


def whereabouts(db: Database) -> tuple[str, Durability]:
    """Where the data is and whether it lasts there, in words that follow on "the data is"."""
    found = storage_of(db)
    if db.dialect == "postgresql":
        return f"on the server {found['path']}", found["durability"]
    return f"in {found['path']}, {WORDS[found['durability']]}", found["durability"]


def durability(path: Path, mounts: Path = Path("/proc/mounts")) -> Durability:
    """Whether a file there survives a restart, by the file system it is on; `unknown` where that cannot be told."""
    try:
        table = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown"
    target = os.path.realpath(path)
    best, kind = -1, ""
    for line in table.splitlines():
        parts = line.split()
        if len(parts) < 3:  # noqa: PLR2004  device, folder, type
            continue
        folder = parts[1].replace("\\040", " ")
        inside = target == folder or target.startswith(folder.rstrip("/") + "/")
        if inside and len(folder) >= best:
            best, kind = len(folder), parts[2]
    if kind in MEMORY or (kind == SANDBOX and best == 1):
        return "ephemeral"
    if kind in NETWORK:
        return "network"
    return "durable" if kind else "unknown"
