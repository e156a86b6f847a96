"""Our lines in a crontab, between two marks. A crontab is bytes here: whatever else is in it stays as it is. Pure."""

from __future__ import annotations

import re

from webapp.cron.call import Call
from webapp.cron.callers.crontab import crontab_line
from webapp.cron.every import Fields, parse_fields
from webapp.errors import Invalid

BEGIN = b"# BEGIN smart-sync (kept by `smart-sync cron`: what stands between these two lines is replaced)"
END = b"# END smart-sync"
DUE = b"# syncs what is due"
LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def block(call: Call, curl: str) -> bytes:
    """Our lines. curl: path of the program, since cron looks into few folders.

    Raises: Invalid.
    """
    line = crontab_line(call, curl).encode("utf-8", "surrogateescape")
    return b"\n".join([BEGIN, DUE, line, END, b""])


def put_block(crontab: bytes, ours: bytes) -> bytes:
    """The crontab with our lines, in the place of earlier ones or at its end. Every other line keeps its bytes.

    Raises: Invalid when one of our marks is there without the other.
    """
    foreign, _, place = _split(crontab)
    if place is None:
        place = len(foreign)
        foreign = [*foreign[:-1], _end_line(foreign[-1])] if foreign else foreign
    return b"".join([*foreign[:place], ours, *foreign[place:]])


def drop_block(crontab: bytes) -> bytes:
    """The crontab without our lines.

    Raises: Invalid when one of our marks is there without the other.
    """
    return b"".join(_split(crontab)[0])


def read_block(crontab: bytes) -> Fields | None:
    """When our lines call; None when there are none, or none that cron would run.

    Raises: Invalid when one of our marks is there without the other.
    """
    _, ours, _ = _split(crontab)
    jobs = [line.decode("utf-8", "replace").split() for line in ours if line.strip() and not line.startswith(b"#")]
    if not jobs:
        return None
    return parse_fields(" ".join(jobs[0][:5]))


def _split(crontab: bytes) -> tuple[list[bytes], list[bytes], int | None]:
    """(foreign lines, what stands between our marks, how many foreign lines come before; None: no marks)."""
    foreign: list[bytes] = []
    ours: list[bytes] = []
    place: int | None = None
    inside = False
    for line in LINE.findall(crontab):
        mark = _strip_end(line)
        if inside == (mark == BEGIN) and mark in (BEGIN, END):
            raise _torn_block()
        if mark in (BEGIN, END):
            inside = mark == BEGIN
            place = len(foreign) if place is None else place
        else:
            (ours if inside else foreign).append(line)
    if inside:
        raise _torn_block()
    return foreign, ours, place


def _torn_block() -> Invalid:
    return Invalid(
        "one of our two marks in the crontab is there without the other, so nobody can say which lines are ours",
        code="bad_crontab",
        hint=f"mend it with `crontab -e`: the marks are {BEGIN.decode()!r} and {END.decode()!r}",
    )


def _strip_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _end_line(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"
