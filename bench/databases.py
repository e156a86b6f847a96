"""SQLite, and beside it a PostgreSQL server of our own: empty databases, and the CPU that their server uses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from tests.postgres_server import Server

KINDS = ("sqlite", "postgres")
TICKS = 100  # a second, of the time that processes used which have ended
ON_DISK = Path("/tmp")  # not the folder for temporary files, which may be deep: a socket's path is short


@dataclass(frozen=True)
class Kind:
    """A database to measure on. name: for people. server: None where there is none, which is SQLite."""

    name: str
    server: Server | None = None

    def empty(self, folder: Path, name: str) -> str:
        """The URL of a database without tables; one that had this name is gone. folder: of a file."""
        if self.server is None:
            for path in folder.glob(f"{name}.db*"):
                path.unlink()
            return f"sqlite:///{folder}/{name}.db"
        self.server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.server.execute(f"CREATE DATABASE {name}")
        return self.server.url(name)

    def cpu_s(self, besides: int | None = None) -> float:
        """What the server has used until now, for whomever. besides: the process of a connection that is left out."""
        if self.server is None:
            return 0.0
        return _cpu_of_server(self.server.pid) - (0.0 if besides is None else _cpu_of(besides))

    def settle(self, url: str) -> None:
        """Do what a server does by itself within minutes of large changes; ours is told not to, for steadier figures."""
        if self.server is not None:
            with self.connected(url) as other:
                other.driver.execute("VACUUM (ANALYZE)")

    @contextmanager
    def connected(self, url: str) -> Iterator[Other]:
        """A connection of somebody else, in autocommit, that waits for no disk."""
        if self.server is None:
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
                file.execute("PRAGMA synchronous=OFF")
                yield Other(file, None)
            return
        import psycopg  # noqa: PLC0415  who measures SQLite has the memory of a service on SQLite

        with psycopg.connect(url, autocommit=True) as connection:
            yield Other(connection, connection.info.backend_pid)


class Driver(Protocol):
    def execute(self, query: str, /) -> object: ...


class Other(NamedTuple):
    """A connection of a driver, and its process at the server."""

    driver: Driver
    pid: int | None


SQLITE = Kind("SQLite")


@contextmanager
def offered(asked: Sequence[str] = KINDS, *, large: bool = False) -> Iterator[Sequence[Kind]]:
    """Those of KINDS that are asked for and that this machine has, SQLite first. large: for gigabytes."""
    kinds = [SQLITE] if "sqlite" in asked else []
    if "postgres" not in asked:
        yield kinds
        return
    from tests.postgres_server import find_binaries, postgres_server  # noqa: PLC0415  as with psycopg

    binaries = find_binaries()
    if binaries is None:
        print("this machine has no PostgreSQL")
        yield kinds
        return
    with postgres_server(binaries, ON_DISK if large else None) as server:
        yield [*kinds, Kind("PostgreSQL", server)]


def _cpu_of_server(pid: int) -> float:
    """Of a server that gives each connection a process: those that live, and those that have gone."""
    living = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    gone = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[13:15]
    return sum(map(_cpu_of, (pid, *map(int, living)))) + sum(map(int, gone)) / TICKS


def _cpu_of(pid: int) -> float:
    """Seconds of a process of one thread; none of one that has gone."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except OSError:
        return 0.0
