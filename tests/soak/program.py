"""The service with a clock and a disk that a soak can turn: what its processes run before they serve."""

from __future__ import annotations

__all__ = ["CLOCK", "PAGES", "PROGRAM"]

CLOCK, PAGES = "SOAK_CLOCK", "SOAK_PAGES"  # variables that name files: seconds the clock is ahead; pages the disk has

_PRELUDE = """
import os, pathlib, time
from datetime import datetime, timedelta
from webapp import clock
from webapp.store.backends import sqlite

def said(name, otherwise):
    try:
        return float(pathlib.Path(os.environ.get(name, "nowhere")).read_text())
    except (OSError, ValueError):
        return otherwise

class Turned(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=said("SOAK_CLOCK", 0))

def julianday(word):
    assert word == "now"
    return (time.time() + said("SOAK_CLOCK", 0)) / 86400 + 2440587.5

def begin(connection, real=sqlite._begin):
    file = sqlite._file_of(connection)
    file.create_function("julianday", 1, julianday)
    file.execute(f"PRAGMA max_page_count={int(said('SOAK_PAGES', 2**30))}")
    real(connection)

clock.datetime = Turned
sqlite._begin = begin
"""
_SERVE = "import sys; sys.argv[1:] = ['serve']; from webapp.cli import main; main()"
PROGRAM = ("-c", _PRELUDE + _SERVE)
