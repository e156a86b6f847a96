"""The log of runs: every trigger ends in exactly one row here, with exactly one terminal state.

A live run shows its heartbeat; a dead one is known by the beat it missed, never by its age. Heartbeats are
milliseconds of the database's clock; all other times are aware UTC of the process that wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from webapp.errors import NotFound
from webapp.model import LIVE_STATES, RunState
from webapp.rules.outcomes import STALLED, stalled, worst_first
from webapp.store.backends.dialect import counted, insert_for, insert_into, now_ms
from webapp.store.leases import TTL, in_force
from webapp.store.statement import Ready, delete_some, is_one_of, new_values, or_update, values_of
from webapp.store.tables import IDLE, run_keys, sync_run_projects, sync_runs

KEEP = timedelta(days=90)
KEEP_IDLE = timedelta(days=2)
KEY_LIVES = timedelta(hours=24)
QUEUED_MS = 7_200_000  # that a run may wait for a worker before it is given up: there may be many before it
AT_ONCE = 100  # runs that go with one that comes: more than one, so that what has piled up goes too
PROBLEMS_SHOWN = 20  # of a project, in an answer; the run has all for some days


@dataclass(frozen=True)
class NewRun:
    """What is known of a run when it is triggered. `identity`: equal for triggers that may answer for each other."""

    id: str
    caller: str
    identity: str
    params: Mapping[str, Any]
    day: date
    started_at: datetime
    dry_run: bool = False


@dataclass(frozen=True)
class Run:
    """One row of the run log."""

    id: str
    caller: str
    identity: str
    params: Mapping[str, Any]
    state: RunState
    dry_run: bool
    day: date
    started_at: datetime
    read_at: datetime | None
    finished_at: datetime | None
    heartbeat: int
    silent_ms: int
    again: bool
    phase: str | None
    done: int
    total: int
    success_count: int
    error_count: int
    skipped_count: int
    remaining: int
    added_count: int
    removed_count: int
    degraded: bool
    warnings: Sequence[str] | None
    api_calls: int
    seconds: float | None
    error_code: str | None
    error: str | None

    @property
    def live(self) -> bool:
        return self.state in LIVE_STATES


@dataclass(frozen=True)
class ProjectResult:
    """One project's outcome in a run. `skipped`: why nothing was done; `problems`: [{code, message, cell}]."""

    project_id: str
    project_name: str
    position: int = 0
    success: bool = True
    skipped: str | None = None
    degraded: bool = False
    total_accounts: int = 0
    updated_count: int = 0
    snapshot_count: int = 0
    added_count: int = 0
    removed_count: int = 0
    skips: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Mapping[str, Any]] = ()
    problem_count: int = 0
    error_code: str | None = None
    error: str | None = None
    finished_at: datetime | None = None
    seconds: float = 0.0


def _run_of(row: Sequence[Any]) -> Run:
    """A live run whose work is silent says so as its error, so that no door takes it for one that goes well."""
    run = Run(*row)
    why = stalled(run.silent_ms / 1_000) if run.live else None
    return run if why is None else replace(run, error_code=STALLED, error=why)


_SINCE_BEAT = now_ms() - sync_runs.c.heartbeat
# Of the work, as its heart has told; where that has stopped with it, since then.
_SILENT_MS = sa.case(
    ((sync_runs.c.state == "running") & (sync_runs.c.silent_ms < _SINCE_BEAT), _SINCE_BEAT),
    else_=sync_runs.c.silent_ms,
).label("silent_ms")
_COLUMNS = [_SILENT_MS if name == "silent_ms" else sync_runs.c[name] for name in Run.__dataclass_fields__]
_RESULT_COLUMNS = [sync_run_projects.c[name] for name in ProjectResult.__dataclass_fields__]
_LIVE = is_one_of(sync_runs.c.state, LIVE_STATES)
_is_live = Ready(
    lambda _: sa.select(sa.literal_column("1").label("one")).where(sync_runs.c.id == sa.bindparam("run_id"), _LIVE)
)


def add(
    tx: sa.Connection,
    run: NewRun,
    key: str | None = None,
    ended: Mapping[str, Any] | None = None,
    *,
    queued: bool = False,
) -> bool:
    """Record a run as running. False when a live one with the same identity, or one with the same key, is there.

    ended: how it ended, of one that is over already. queued: it waits for a worker to claim it.
    """
    _forget.run(tx, before=run.started_at - KEEP, most=AT_ONCE)
    row = vars(run) | {"params": dict(run.params), "state": "queued" if queued else "running"}
    row |= {"phase": None if queued else "read"} | dict(ended or {})
    if _add(tuple(row)).run(tx, **row) != 1:
        return False
    if not put_key(tx, key, run.id, run.params, run.started_at):
        tx.execute(sync_runs.delete().where(sync_runs.c.id == run.id))
        return False
    return True


@lru_cache(maxsize=8)
def _add(names: tuple[str, ...]) -> Ready:
    values = {**values_of(sync_runs, names), "heartbeat": now_ms()}

    def build(dialect: str) -> Any:
        return insert_into(dialect, sync_runs).values(values).on_conflict_do_nothing()

    return Ready(build)


_old = sync_runs.c.started_at < sa.bindparam("before", type_=sync_runs.c.started_at.type)
_forget = delete_some(sync_runs, _old)
_forget_idle = delete_some(sync_runs, sa.text(IDLE) & _old)


def put_key(tx: sa.Connection, key: str | None, run_id: str, params: Mapping[str, Any], now: datetime) -> bool:
    """Let an Idempotency-Key stand for a run. False when it stands for another; what it stood for long ago is forgotten."""
    if key is None:
        return True
    tx.execute(run_keys.delete().where(~_is_remembered(now)))
    row = {"key": key, "run_id": run_id, "params": dict(params), "used_at": now}
    return counted(tx, insert_for(tx, run_keys).values(row).on_conflict_do_nothing()) == 1


def add_idle(tx: sa.Connection, run: NewRun, key: str | None, warnings: Sequence[str]) -> bool:
    """Record a run that found nothing to do; False when another has its Idempotency-Key. Old ones are forgotten."""
    _forget_idle.run(tx, before=run.started_at - KEEP_IDLE, most=AT_ONCE)
    ended = {"state": "succeeded", "phase": None, "finished_at": run.started_at, "warnings": warnings, "seconds": 0.0}
    return add(tx, run, key, ended)


def claim(tx: sa.Connection, run_id: str) -> bool:
    """Take a run that waits for a worker; False when somebody else has, or it is over. One statement."""
    mine = sync_runs.update().where(sync_runs.c.id == run_id, sync_runs.c.state == "queued")
    return counted(tx, mine.values(state="running", phase="read", heartbeat=now_ms())) == 1


def give_up(tx: sa.Connection, run_id: str, code: str, words: str, now: datetime) -> None:
    """Close a run that no worker can be told of; its Idempotency-Key stands for nothing any more."""
    close(tx, run_id, "failed", {"error_code": code, "error": words, "finished_at": now})
    tx.execute(run_keys.delete().where(run_keys.c.run_id == run_id))


# A beat is a sign of life for the time of a lease; a run that waits for a worker gives none.
_QUEUED_MS = sa.literal(QUEUED_MS, sa.BigInteger())
_IS_ALIVE = sa.or_(
    in_force(sync_runs.c.heartbeat + TTL, TTL),
    (sync_runs.c.state == "queued") & in_force(sync_runs.c.heartbeat + _QUEUED_MS, _QUEUED_MS),
)


def close_dead(tx: sa.Connection, now: datetime, ttl_ms: int) -> Sequence[str]:
    """Close the runs whose holder has given no sign of life for the time of a lease; their ids."""
    return _close_dead.column(tx, ttl_ms=ttl_ms, now=now)


_close_dead = Ready(
    lambda _: (
        sync_runs.update()
        .where(_LIVE, ~_IS_ALIVE)
        .values(
            state="abandoned",
            finished_at=sa.bindparam("now", type_=sync_runs.c.finished_at.type),
            error_code="abandoned",
            error="the process that ran it stopped without a word; the next run goes on from what it had committed",
        )
        .returning(sync_runs.c.id)
    )
)


def is_at_work(tx: sa.Connection, run_id: str, ttl_ms: int) -> bool:
    """Whether somebody works a run off and has lately given a sign of life."""
    mine = sa.exists().where(sync_runs.c.id == run_id, sync_runs.c.state == "running", _IS_ALIVE)
    return bool(tx.execute(sa.select(mine), {"ttl_ms": ttl_ms}).scalar())


def is_made_up_for(tx: sa.Connection, run: Run) -> bool:
    """Whether a later run was asked for the same."""
    later = sa.exists().where(sync_runs.c.started_at > run.started_at, sync_runs.c.identity == run.identity)
    return bool(tx.execute(sa.select(later)).scalar())


def live_like(tx: sa.Connection, identity: str, ttl_ms: int) -> Run | None:
    """The live run that would answer for a trigger of this identity."""
    return _first(_live_like.first(tx, ttl_ms=ttl_ms, identity=identity))


def by_key(tx: sa.Connection, key: str | None, now: datetime) -> tuple[Run, Mapping[str, Any]] | None:
    """The run that an Idempotency-Key stands for, and what was asked with it. None stands for none."""
    if key is None:
        return None
    statement = sa.select(*_COLUMNS, run_keys.c.params).join_from(run_keys, sync_runs)
    row = tx.execute(statement.where(run_keys.c.key == key, _is_remembered(now))).first()
    return None if row is None else (_run_of(row[:-1]), row[-1])


def _is_remembered(now: datetime) -> sa.ColumnElement[bool]:
    """Keys are for 24 hours; one of a clock that was ahead by more is none."""
    return run_keys.c.used_at.between(now - KEY_LIVES, now + KEY_LIVES)


def by_id(tx: sa.Connection, run_id: str) -> Run | None:
    return None if "\x00" in run_id else _first(_by_id.first(tx, run_id=run_id))


def missing(run_id: str) -> NotFound:
    return NotFound(f"there is no run {run_id[:100]!r}", code="run_not_found")


def get(tx: sa.Connection, run_id: str) -> Run:
    """The run.

    Raises: NotFound.
    """
    run = by_id(tx, run_id)
    if run is None:
        raise missing(run_id)
    return run


def is_live(tx: sa.Connection, run_id: str) -> bool:
    return _is_live.first(tx, run_id=run_id) is not None


def lock(tx: sa.Connection, run_id: str) -> Run | None:
    """The run, and on PostgreSQL its row lock, so that no trigger can join it while it is being closed."""
    return _first(_lock.first(tx, run_id=run_id))


_BY_ID: sa.Select[Any] = sa.select(*_COLUMNS).where(sync_runs.c.id == sa.bindparam("run_id"))
_by_id, _lock = Ready(lambda _: _BY_ID), Ready(lambda _: _BY_ID.with_for_update())
_live_like = Ready(
    lambda _: sa.select(*_COLUMNS).where(_LIVE, _IS_ALIVE, sync_runs.c.identity == sa.bindparam("identity")).limit(1)
)


def _first(row: Sequence[Any] | None) -> Run | None:
    return None if row is None else _run_of(row)


def latest(
    tx: sa.Connection,
    *,
    limit: int,
    before: datetime | None = None,
    project_id: str | None = None,
    label: str | None = None,
    idle: bool = True,
) -> list[Run]:
    """Runs, newest first; `before`: only those started earlier; `idle`: also those that found nothing to do.

    label: only those that `rules.outcomes.run_label` calls so.
    """
    statement = sa.select(*_COLUMNS).order_by(sync_runs.c.started_at.desc(), sync_runs.c.id.desc()).limit(limit)
    if not idle:
        statement = statement.where(sa.text(f"NOT ({IDLE})"))
    if before is not None:
        statement = statement.where(sync_runs.c.started_at < before)
    if label is not None:
        whole = sync_runs.c.state == "succeeded"
        degraded = whole & sync_runs.c.degraded
        called = {"succeeded": whole & ~sync_runs.c.degraded, "degraded": degraded}
        statement = statement.where(called.get(label, sync_runs.c.state == label))
    if project_id is not None:
        of_project = sa.select(sync_run_projects.c.run_id).where(sync_run_projects.c.project_id == project_id)
        statement = statement.where(sync_runs.c.id.in_(of_project))
    return [_run_of(row) for row in tx.execute(statement)]


def live_runs(tx: sa.Connection, ttl_ms: int) -> list[Run]:
    """Runs that are at work now, oldest first."""
    statement = sa.select(*_COLUMNS).where(_LIVE, _IS_ALIVE)
    # Sorted by SQLite, it would take the index of all runs by time for that of the live ones.
    return sorted(map(_run_of, tx.execute(statement, {"ttl_ms": ttl_ms})), key=attrgetter("started_at"))


def ask_again(tx: sa.Connection, run_id: str) -> bool:
    """Make a live run pass over its projects once more, if it has begun to read; False when it has just ended."""
    mine = sync_runs.update().where(sync_runs.c.id == run_id, _LIVE)
    again = sa.or_(sync_runs.c.again, sync_runs.c.read_at.is_not(None))
    return counted(tx, mine.values(again=again)) == 1


def begin_pass(tx: sa.Connection, run_id: str, now: datetime) -> bool:
    """Say that reading begins: a trigger from now on asks for another pass. False when the run is live no more."""
    return _set_of(tx, run_id, {"read_at": now, "again": False})


def beat(tx: sa.Connection, run_id: str, progress: Mapping[str, Any], silent_s: float = 0.0) -> bool:
    """A sign of life, with phase, done and total. False when the run is live no more.

    silent_s: since the work itself gave one, which is not the thread that beats.
    """
    return _set_of(tx, run_id, {"silent_ms": int(silent_s * 1_000), **progress}, beating=True)


def _set_of(tx: sa.Connection, run_id: str, values: Mapping[str, Any], *, beating: bool = False) -> bool:
    """Give a live run these values; False when it is live no more. beating: as a sign of life."""
    given = {f"new_{name}": value for name, value in values.items()}
    return _set(tuple(values), beating).run(tx, run_id=run_id, **given) == 1


@lru_cache(maxsize=64)
def _set(names: tuple[str, ...], beating: bool) -> Ready:
    mine = sync_runs.update().where(sync_runs.c.id == sa.bindparam("run_id"), _LIVE)
    beat = {"heartbeat": now_ms()} if beating else {}
    return Ready(lambda _: mine.values(new_values(sync_runs, names) | beat))


def close(tx: sa.Connection, run_id: str, state: RunState, values: Mapping[str, Any]) -> bool:
    """Give a live run its terminal state. False when it has one already: that one stands."""
    return _set_of(tx, run_id, {"state": state, "phase": None, **values})


def _build_put_result(dialect: str) -> Any:
    names = sync_run_projects.c.keys()
    statement = insert_into(dialect, sync_run_projects).values(values_of(sync_run_projects, names))
    return or_update(statement, names, ("run_id", "project_id"))


_put_result = Ready(_build_put_result)


def put_results(tx: sa.Connection, run_id: str, results: Sequence[ProjectResult]) -> None:
    """Record the outcomes of projects; a later pass of the same run replaces them."""
    rows = [vars(one) | {"run_id": run_id, "long": len(one.problems) > PROBLEMS_SHOWN} for one in results]
    _put_result.run_all(tx, rows)


def results_of(tx: sa.Connection, run_id: str) -> list[ProjectResult]:
    """The run's outcomes, the worst first, else in the order they came."""
    statement = (
        sa.select(*_RESULT_COLUMNS)
        .where(sync_run_projects.c.run_id == run_id)
        .order_by(sync_run_projects.c.position, sync_run_projects.c.project_id)
    )
    return worst_first(ProjectResult(*row) for row in tx.execute(statement))


def problem_counts(tx: sa.Connection, project_id: str, since: date) -> list[tuple[date, int]]:
    """(UTC day, most problems that a sync of the project found on it), oldest first, from a day on."""
    results = sync_run_projects
    statement = (
        sa.select(sync_runs.c.day, sa.func.max(results.c.problem_count))
        .join_from(results, sync_runs, sync_runs.c.id == results.c.run_id)
        .where(results.c.project_id == project_id, results.c.skipped.is_(None), sync_runs.c.day >= since)
        .group_by(sync_runs.c.day)
        .order_by(sync_runs.c.day)
    )
    return [(row[0], row[1]) for row in tx.execute(statement)]


_long = Ready(
    lambda _: (
        sa.select(sync_run_projects.c.run_id, sync_run_projects.c.project_id, sync_run_projects.c.problems)
        .join(sync_runs, sync_runs.c.id == sync_run_projects.c.run_id)
        .where(sa.text("sync_run_projects.long"), sync_runs.c.started_at < sa.bindparam("before"))
        .limit(sa.bindparam("most", type_=sa.Integer))
    )
)


def forget_problems(tx: sa.Connection, before: datetime, most: int) -> int:
    """Leave outcomes of runs from before a moment the problems that an answer shows; how many outcomes had more."""
    found = [*_long.rows(tx, before=before, most=most)]
    for run_id, project_id, problems in found:
        mine = (sync_run_projects.c.run_id == run_id) & (sync_run_projects.c.project_id == project_id)
        tx.execute(sync_run_projects.update().where(mine).values(problems=problems[:PROBLEMS_SHOWN], long=False))
    return len(found)
