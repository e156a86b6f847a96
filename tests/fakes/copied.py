"""A database file in whose place another comes."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path


def replace_by_copy(path: Path, folder: Path) -> None:
    """Put a file that says the same in the place of this one, as a restored backup is. folder: where it is made."""
    copy = folder / "copy.db"
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    for name in ("", "-wal", "-shm"):
        Path(f"{path}{name}").unlink(missing_ok=True)
    shutil.move(copy, path)
