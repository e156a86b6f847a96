"""What actions work with, and the one transaction that each of them is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from webapp.alerts.ping import Ping
from webapp.clock import Clock
from webapp.config import Settings
from webapp.store.db import Database
from webapp.sync.background import Background
from webapp.sync.engine import Engine

Door = Literal["http", "page", "cli"]


@dataclass(frozen=True)
class Desk:
    """The parts that actions use. door: through which of ours somebody came."""

    settings: Settings
    clock: Clock
    db: Database
    engine: Engine
    background: Background
    ping: Ping
    door: Door = "http"

    def through(self, door: Door) -> Desk:
        """The same desk for somebody who comes through another door."""
        return replace(self, door=door)

    @contextmanager
    def edit(self, *, dry_run: bool = False) -> Iterator[Edit]:
        """The transaction of one action. A dry run does all of it and then takes it back.

        Raises: StoreError.
        """
        with self.db.write() as tx:
            trial = tx.begin_nested() if dry_run else None
            yield Edit(tx, self.clock.now())
            if trial is not None:
                trial.rollback()


@dataclass(frozen=True)
class Edit:
    """One action under way. now: its time, the same for everything that it writes."""

    tx: sa.Connection
    now: datetime
