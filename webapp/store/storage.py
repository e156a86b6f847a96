"""Where the data is, and whether it will be there after a restart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from webapp.store.db import Database

Durability = Literal["durable", "ephemeral", "network", "unknown"]

MEMORY = {"tmpfs", "ramfs", "overlay", "aufs"}  # the last two: a container's own layer, thrown away with it
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}


def storage_of(db: Database) -> dict[str, Any]:
    """`{kind, path, durability}`; the path of the file, or host and name of the database."""
    place = db.storage()
    kind: Durability = "durable" if db.dialect == "postgresql" else durability(Path(place))
    return {"kind": db.dialect, "path": place, "durability": kind}


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
    if kind in MEMORY:
        return "ephemeral"
    if kind in NETWORK:
        return "network"
    return "durable" if kind else "unknown"
