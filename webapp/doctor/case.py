"""What an examination goes by, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from webapp.clock import Clock
from webapp.config import Settings
from webapp.errors import SmartSyncError
from webapp.sources.sheet import SheetSource
from webapp.sources.sheet.credentials import Credentials
from webapp.store.db import Database

Level = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True)
class Diagnosis:
    """One part and how it is. `fix`: what to do about it; None where nothing has to be done."""

    level: Level
    what: str
    words: str
    fix: str | None = None


def failure(what: str, error: SmartSyncError) -> Diagnosis:
    return Diagnosis("FAIL", what, error.message, error.hint)


@dataclass
class Case:
    """One service under examination; each part leaves here what the ones after it rest on.

    wrong: what is wrong with the settings, as `NAME: words`. db: None when its address is of no use. current: whether
    it has the tables of this version. sheets: those that can be opened.
    """

    environ: Mapping[str, str]
    clock: Clock
    settings: Settings
    wrong: Sequence[str]
    db: Database | None = None
    current: bool = False
    credentials: Credentials | None = None
    sheets: list[SheetSource] = field(default_factory=list)
