"""What actions work with, and the one transaction that each of them is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from webapp.alerts.ping import Ping
from webapp.clock import Clock, utc_day
from webapp.config import Settings
from webapp.store import audit, days, spans
from webapp.store.accounts import Account
from webapp.store.db import Database
from webapp.store.projects import Project
from webapp.store.types import as_moment
from webapp.sync.background import Background
from webapp.sync.engine import Engine

if TYPE_CHECKING:
    from webapp.sync.postman import Postman
    from webapp.sync.queue import Queue

Door = Literal["http", "page", "cli"]

# Columns of a project that follow from what was changed.
CONSEQUENCES = {
    *("revision", "updated_at", "settled", "sheet_seen", "rows_seen", "snapshot_day", "weekly_until"),
    *("next_sync_at", "anchor_at"),
}


@dataclass(frozen=True)
class Desk:
    """The parts that actions use. postman None: nobody is told. queue: of
    runs for workers; None: runs are worked off here. door: through which of ours somebody came."""

    settings: Settings
    clock: Clock
    db: Database
    engine: Engine
    background: Background
    ping: Ping
    postman: Postman | None
    queue: Queue | None
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
            yield Edit(tx, self.clock.now(), self.door)
            if trial is not None:
                trial.rollback()


@dataclass(frozen=True)
class Edit:
    """One action under way. now: its time, the same for everything that it writes."""

    tx: sa.Connection
    now: datetime
    door: Door

    @contextmanager
    def moving(self, project_id: str, account_ids: Collection[int], since: date | None = None) -> Iterator[None]:
        """Let spans and days follow what is changed of these accounts within. since: the first day that is touched."""
        today = utc_day(self.now)
        with days.adjusting(self.tx, project_id, account_ids, since or today, today):
            yield
            spans.follow(self.tx, account_ids, self.now)

    def audit(self, action: str, target: str, before: Any, after: Any, note: str | None = None) -> None:
        """Write down what was changed from what to what. target: as `AuditEntry` has it."""
        audit.add(self.tx, action, target, before, after, now=self.now, door=self.door, note=note)

    def audit_project(self, action: str, before: Project, after: Project) -> None:
        """The same for a project, from its rows; nothing where nothing changed."""
        self._audit_rows(action, f"project:{after.id}", vars(before), vars(after))

    def audit_account(self, action: str, before: Account, after: Account, note: str | None = None) -> None:
        """The same for an account."""
        self._audit_rows(action, f"account:{after.id}", before._asdict(), after._asdict(), note)

    def _audit_rows(
        self, action: str, target: str, before: Mapping[str, Any], after: Mapping[str, Any], note: str | None = None
    ) -> None:
        names = [name for name in before if before[name] != after[name] and name not in CONSEQUENCES]
        if names:
            was, now = ({name: _plain(name, row[name]) for name in names} for row in (before, after))
            self.audit(action, target, was, now, note)


def _plain(name: str, value: Any) -> Any:
    return as_moment(value) if name.endswith("_at") else value
