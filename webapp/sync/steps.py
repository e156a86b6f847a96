"""The lines of the log that follow a project through its sync, one for each station; their words are promised.

A run's own lines, and how each project ended, are written at INFO by those who do these things. These are for whoever
looks closer: at DEBUG, and nothing is counted for them below that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.store import observations
from webapp.store.backends.dialect import is_sqlite
from webapp.store.projects import Project
from webapp.sync.draft import Draft
from webapp.sync.live import LiveRun
from webapp.sync.side import SheetSide

log = logging.getLogger("smart_sync")


class Step(NamedTuple):
    """One line without its tag, with the fields behind it."""

    words: str
    fields: dict[str, Any]


def say_start(run: LiveRun, project: Project) -> None:
    if log.isEnabledFor(logging.DEBUG):
        say([Step("starting sync for project", {"run_id": run.id, "project_id": project.id})])
        say([Step(f"project name: {project.name}", {"run_id": run.id})])


def steps_of(
    tx: sa.Connection, run: LiveRun, project: Project, side: SheetSide, draft: Draft, updated: int, created: int
) -> Sequence[Step]:
    """What a transaction has done of the project, to be said once it is committed; nothing when nobody listens.

    updated: accounts whose counts changed. created: snapshots that were made.
    """
    if not log.isEnabledFor(logging.DEBUG):
        return ()
    fields = {"run_id": run.id, "project": project.name}
    return [Step(words, fields) for words in _words(tx, project, side, draft, updated, created)]


def say(steps: Sequence[Step]) -> None:
    for step in steps:
        log.debug("[SmartSync] %s", step.words, extra=step.fields)


def _words(
    tx: sa.Connection, project: Project, side: SheetSide, draft: Draft, updated: int, created: int
) -> Iterator[str]:
    stored = observations.totals(tx, project.id)
    database = "SQLite" if is_sqlite(tx) else "PostgreSQL"
    read = stored["sheet"] if side.unchanged else side.rows  # the same cells as last time are not parsed again
    merged = draft.plan.total if draft.plan else 0
    policy = "MAX()" if project.merge_policy == "max" else f"{project.merge_policy} first"
    yield f"found {draft.report['total']} accounts to sync"
    yield f"read {read} accounts from Sheets"
    yield f"loaded {stored['parsed']} accounts from {database} (parsed data)"
    yield f"merged {merged} accounts using {policy} strategy"
    yield f"updated {updated} accounts in {database}"
    yield f"created {created} snapshots"
