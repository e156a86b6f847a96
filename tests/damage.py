"""A filled database of SQLite, and what can happen to its file."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from tests.fakes.calls import account_id, call
from tests.fakes.service import Service

__all__ = ["KINDS", "copy_database", "fill"]

PAGE = 4096
ENDINGS = ("", "-wal", "-shm")


def fill(service: Service) -> None:
    """Three projects, a few days, readings, corrections, and pages that are free again."""
    sheet, time = service.sheet, service.time
    for tab in "ABC":
        rows = [[f"x.com/{tab}{n}", 1_000 + n, 10, None, 5, 90_000 + n] for n in range(60)]
        sheet.rows(f"Project {tab}", *rows, ["x.com/odd", "ask Ann"])
    service.sync()
    for day in range(4):
        time.forward(days=1)
        for tab in "ABC":
            for row in range(2, 60):
                sheet.put(f"Project {tab}!F{row}", 90_100 + 100 * day + row)
        service.reading("x.com/A1", followers=1_500 + day)
        service.sync()
    service.reading("x.com/A1", followers=9_000_000)
    sheet.put("Project A!F3", 90_000_000)
    service.sync()
    project = f"/api/admin/projects/{service.project()['id']}"
    for number in range(30):
        call(service, "PATCH", project, {"target_views": number + 1})
    call(service, "POST", f"{project}/share_links", {"label": "Client"}, 201)
    call(service, "PUT", f"/api/admin/accounts/{account_id(service, 'x.com/B2')}/pins/views", {"value": 5})
    service.write("DELETE FROM count_changes WHERE account_id % 3 > 0")


def copy_database(source: Path, target: Path) -> Path:
    """A copy with what stands beside it."""
    for ending in ENDINGS:
        if Path(f"{source}{ending}").exists():
            shutil.copyfile(f"{source}{ending}", f"{target}{ending}")
    return target


# What happens to a file: the places where it does are drawn


def _pages(path: Path, dice: random.Random, data: Callable[[int], bytes], *, among: list[int] | None = None) -> None:
    content = bytearray(path.read_bytes())
    pages = among or [*range(2, len(content) // PAGE + 1)]
    for page in dice.sample(pages, min(len(pages), dice.choice([1, 1, 2, 5]))):
        content[(page - 1) * PAGE : page * PAGE] = data(PAGE)
    path.write_bytes(content)


def _header(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(dice.choice([1, 3, 30])):
        content[dice.randrange(100)] = dice.randrange(256)
    path.write_bytes(content)


def _schema(path: Path, dice: random.Random) -> None:
    """Bytes of the pages that say which tables there are."""
    with closing(sqlite3.connect(path)) as connection:
        pages = [1]
        try:
            roots = connection.execute("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'").fetchall()
            pages = [row[0] for row in roots]
        except sqlite3.Error:
            pages = [1, 2, 3, 4]
    _bytes_of(path, dice, pages)


def _bytes_of(path: Path, dice: random.Random, pages: list[int], length: int = 60) -> None:
    content = bytearray(path.read_bytes())
    page = dice.choice(pages)
    start = (page - 1) * PAGE + (100 if page == 1 else 0)
    for _ in range(dice.choice([1, 4, 20])):
        at = min(start + dice.randrange(PAGE - 200), len(content) - length)
        some = dice.randrange(1, length)
        content[at : at + some] = dice.randbytes(some)
    path.write_bytes(content)


def _noise(path: Path, dice: random.Random) -> None:
    _pages(path, dice, dice.randbytes)


def _zeros(path: Path, dice: random.Random) -> None:
    _pages(path, dice, bytes)


def _bytes(path: Path, dice: random.Random) -> None:
    pages = [*range(2, path.stat().st_size // PAGE + 1)]
    for _ in range(dice.choice([1, 1, 10, 40])):
        _bytes_of(path, dice, pages)


def _swapped(path: Path, dice: random.Random) -> None:
    """A page stands where another belongs."""
    content = path.read_bytes()
    page = dice.randrange(1, len(content) // PAGE) * PAGE
    _pages(path, dice, lambda _: content[page : page + PAGE])


def _cut(path: Path, dice: random.Random) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(dice.choice([size // 2, size - PAGE, size - 1, PAGE, PAGE + 7, 50]))


def _log(path: Path, dice: random.Random) -> None:
    """The log of changes beside it."""
    log = Path(f"{path}-wal")
    content = bytearray(log.read_bytes())
    for _ in range(dice.choice([1, 3, 30])):
        at = dice.randrange(len(content) - 100)
        content[at : at + 50] = dice.randbytes(50)
    log.write_bytes(content)


def _index(path: Path, dice: random.Random) -> None:
    """What only an index says, and interior pages."""
    content = bytearray(path.read_bytes())
    pages = [page for page in range(2, len(content) // PAGE + 1) if content[(page - 1) * PAGE] in (2, 5, 10)]
    _bytes_of(path, dice, pages)


KINDS: Mapping[str, Callable[[Path, random.Random], None]] = {
    "header": _header,
    "schema": _schema,
    "noise": _noise,
    "zeros": _zeros,
    "bytes": _bytes,
    "swapped": _swapped,
    "cut": _cut,
    "log": _log,
    "index": _index,
}
