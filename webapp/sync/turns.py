"""Whose turn it is: the right to sync a project, taken before its sheet is read and given back where it is written."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from webapp.errors import LostLease
from webapp.model import lease_of
from webapp.rules.freshness import freshness
from webapp.rules.outcomes import STALLED
from webapp.store import leases, runs
from webapp.store.projects import Project
from webapp.sync.live import LiveRun, Outcome
from webapp.sync.results import fail_project, skip_project


@dataclass(frozen=True)
class Turn:
    """A project that this run syncs now. fence: the number of its lease; None in a dry run, which takes none."""

    project: Project
    fence: int | None


def take_turns(run: LiveRun, group: Sequence[Project]) -> Generator[Outcome, None, list[Turn]]:
    """The projects of a group that this run syncs now, with their leases; an outcome for each of the others."""
    reasons = {project.id: _reason_to_skip(run, project) for project in group}
    fences = _take_leases(run, [project for project in group if reasons[project.id] is None])
    turns: list[Turn] = []
    held = [project for project in group if reasons[project.id] is None and not run.dry and project.id not in fences]
    stalled = _stalled(run, held)
    for project in group:
        reason = reasons[project.id]
        if project in held:
            reason = "already_running"
        if project.id in stalled:
            yield fail_project(run, project, STALLED, stalled[project.id])
        elif reason is None:
            turns.append(Turn(project, fences.get(project.id)))
        else:
            yield from skip_project(run, project, reason)
    return turns


def _reason_to_skip(run: LiveRun, project: Project) -> str | None:
    """Why this run leaves the project alone. A tick goes by the schedule alone, and `force` by nothing."""
    if project.status == "finished":
        return "finished"
    if run.trigger.due or run.trigger.force:
        return None
    return freshness(project.synced_at, project.min_interval_minutes, run.now())


def _take_leases(run: LiveRun, group: Sequence[Project]) -> dict[str, int]:
    """{project id: fence} of those that nobody else is syncing, taken before their sheet is read."""
    if run.dry or not group:
        return {}
    names = {lease_of(project.id): project.id for project in group}
    with run.db.read() as tx:
        free = leases.free(tx, names, run.options.lease_ms)
    if not free:
        return {}
    with run.writing() as tx:
        fences = leases.take(tx, free, run.id, run.options.lease_ms)
        run.begin_reading(tx)
    return {names[name]: fence for name, fence in fences.items()}


def _stalled(run: LiveRun, held: Sequence[Project]) -> dict[str, str]:
    """{project id: words} of the projects whose holder shows no progress: to leave those to it is no success."""
    if not held:
        return {}
    names = {lease_of(project.id): project.id for project in held}
    with run.db.read() as tx:
        holders = leases.holders(tx, names, run.options.lease_ms)
        runs_of = {holder: runs.by_id(tx, holder) for holder in set(holders.values())}
    found = {names[name]: runs_of[holder] for name, holder in holders.items()}
    return {
        id_: f"run {one.id} is at it: {one.error}" for id_, one in found.items() if one and one.error_code == STALLED
    }


def pass_fences(tx: sa.Connection, run: LiveRun, turns: Sequence[Turn]) -> set[str]:
    """The ids of the projects that the run may still write. The first statements of the transaction that writes them.

    The proof is giving the lease back: that succeeds only while the lease still bears the number it was taken with. A
    run that was paused past its lease fails here, because whoever took over has counted the number up. And since the
    lease is free exactly when the transaction commits, nobody can take it before all is written, and it is not left
    behind by a process that dies in between.

    Raises: LostLease when the run itself was taken for dead.
    """
    fences = {lease_of(turn.project.id): turn.fence for turn in turns if turn.fence is not None}
    given = leases.give_back(tx, fences, run.id)
    if not runs.is_live(tx, run.id):
        raise LostLease("this run was taken for dead and closed; nothing was written")
    return {turn.project.id for turn in turns if lease_of(turn.project.id) in given}
