"""Whether anybody has written since, without asking a question of a table."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from webapp.store.db import Database

# Process, device, inode, and a number that every commit of anybody changes.
Version = tuple[int, int, int, int]


class Watch:
    """A SQLite file as it changes. One connection of its own, which never writes, shared by all threads.

    A transaction of the pool costs many times more than a page that is known already; this costs microseconds.
    """

    def __init__(self, db: Database) -> None:
        self._path = db.storage() if db.dialect == "sqlite" else None
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._seen: tuple[int, int, int] | None = None  # process, device, inode

    def version(self) -> Version | None:
        """Differs after every commit of any process, also when the file is replaced; None when it cannot be told."""
        with self._lock:
            try:
                return self._version()
            except (OSError, sqlite3.Error):
                return None

    def ask(self, sql: str, parameters: tuple[Any, ...], version: Version) -> list[tuple[Any, ...]] | None:
        """The rows of a select, as they were at this version or later; None when the file cannot be asked."""
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None and self._seen == version[:3]:
                return self._connection.execute(sql, parameters).fetchall()
        return None

    def _version(self) -> Version | None:
        if self._path is None:
            return None
        file = os.stat(self._path)  # noqa: PTH116  a tenth of the cost of a Path
        seen = (os.getpid(), file.st_dev, file.st_ino)
        if self._connection is None or seen != self._seen:
            self._open(self._path, seen)
        assert self._connection is not None  # noqa: S101  opened just now
        (number,) = self._connection.execute("PRAGMA data_version").fetchone()
        return *seen, number

    def close(self) -> None:
        """Give the file up; the next look opens it again."""
        with self._lock:
            self._leave()

    def _open(self, path: str, seen: tuple[int, int, int]) -> None:
        self._leave()
        uri = f"{Path(path).as_uri()}?mode=rw"
        self._connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only=1")
        self._seen = seen

    def _leave(self) -> None:
        """A connection that was opened before a fork is the parent's; it is not closed here."""
        connection, self._connection = self._connection, None
        if connection is None or self._seen is None:
            return
        if self._seen[0] == os.getpid():
            connection.close()
        else:
            INHERITED.append(connection)

    def __del__(self) -> None:
        self._leave()


INHERITED: list[sqlite3.Connection] = []  # never closed: closing would drop the parent's locks on the file
