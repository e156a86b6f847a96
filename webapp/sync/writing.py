"""The rows of plans, written in the transaction of their projects: those of one kind together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from webapp.model import Metric
from webapp.rules.doubts import implausible
from webapp.rules.history import end_of
from webapp.store import accounts, audit, changes, days, doubts, held, observations, snapshots, spans, tab_rows
from webapp.store.changes import ChangeBatch
from webapp.store.doubts import DoubtedDay
from webapp.store.projects import Project
from webapp.store.snapshots import Taken, Wanted
from webapp.store.types import WHEN, native
from webapp.sync.draft import Draft
from webapp.sync.live import LiveRun
from webapp.sync.newcomers import Added, add_newcomers
from webapp.sync.plan import DayValue, HeldChange, Plan

MOMENT = timedelta(microseconds=1)
T = TypeVar("T")


class Effect(NamedTuple):
    """Accounts whose current counts changed, snapshots that were made, and those that got more or other counts.

    snapshot_day: as projects have it.
    """

    updated: int
    created: int
    filled: int = 0
    snapshot_day: date | None = None


class Work(NamedTuple):
    """A project, and what has to be written of it."""

    project: Project
    draft: Draft


@dataclass(frozen=True)
class Moved:
    """Accounts of a project that may count otherwise now. new: of those that came in with the plan."""

    new: Added
    others: Sequence[int]


def write_drafts(tx: sa.Connection, run: LiveRun, works: Sequence[Work], now: datetime) -> dict[str, Effect]:
    """Write the plans of projects, the day's snapshots and what they add up to; what the database then counted."""
    ids, day = [work.project.id for work in works], run.row.day
    at = min(now, end_of(day) - MOMENT)  # a run that crosses midnight belongs to one day
    begun = days.with_day(tx, ids, day)
    plans = {work.project.id: work.draft.plan for work in works if work.draft.plan is not None}
    prints = {work.project.id: work.draft.prints for work in works}
    added = add_newcomers(tx, plans, prints, now, at, day if run.options.shortcuts.newcomers_day else None)
    updated = _write_plans(tx, plans, added, now)
    moved = {project_id: _moved(plan, added[project_id]) for project_id, plan in plans.items()}
    tab_rows.put(tx, {one: mine.prints.to_bytes() for one, mine in added.items() if mine.prints})
    changed = {project_id: ChangeBatch(plan.letters, plan.counts) for project_id, plan in plans.items()}
    changes.add(tx, run.id, changed, now)
    turned = _follow(tx, moved, at)
    touched = {project_id: write_days(tx, plan, day, now, at) for project_id, plan in plans.items()}
    run.enter("snapshot")
    wanted = [one for work in works if (one := _wanted(run, work, begun, moved, touched))]
    taken = snapshots.take(tx, wanted, day, at, latest=run.options.latest_snapshot)
    for project_id in {*turned, *(one for one, made in taken.items() if any(made))}:
        touched.setdefault(project_id, set()).add(day)
    known = {one: new.all_sums for one, new in added.items() if new.all_sums and touched[one]}
    days.begin(tx, known, day)
    days.keep(tx, {one: mine for one, mine in touched.items() if one not in known})
    lacking = snapshots.lacking(tx, wanted, day)
    made = {one: new.created for one, new in added.items()}
    return {
        one: Effect(
            updated.get(one, 0), made.get(one, 0) + created, filled, snapshot_day=None if one in lacking else day
        )
        for one in ids
        for created, filled in (taken.get(one, Taken()),)
    }


def _wanted(
    run: LiveRun,
    work: Work,
    begun: Collection[str],
    moved: Mapping[str, Moved],
    touched: Mapping[str, Collection[date]],
) -> Wanted | None:
    """Of which accounts snapshots are looked for; None: the day has all that there can be.

    begun: projects that have any snapshot of the day. touched: days that the plan itself has changed.
    """
    project, plan, day = work.project, work.draft.plan, run.row.day
    if project.id in moved and moved[project.id].new.all_sums is not None:
        return None
    is_done = run.options.shortcuts.done_day and project.snapshot_day == day and not run.options.latest_snapshot
    changed = day in touched.get(project.id, ())
    if is_done and not changed:  # only accounts that count otherwise now can add to it
        mine = moved.get(project.id)
        ids = [*(() if mine.new.shown else mine.new.ids), *mine.others] if mine else []
        return Wanted(project.id, work.draft.sheet_read, only=ids) if ids else None
    return Wanted(project.id, work.draft.sheet_read, fill=plan is not None and (project.id in begun or changed))


def _follow(tx: sa.Connection, moved: Mapping[str, Moved], at: datetime) -> set[str]:
    """Let the spans of accounts say what they count for now; the projects of which any does so for other metrics."""
    turned = spans.follow(tx, [account for one in moved.values() for account in one.others], at)
    return {project_id for project_id, one in moved.items() if one.new.counts or not turned.isdisjoint(one.others)}


def _write_plans(
    tx: sa.Connection, plans: Mapping[str, Plan], added: Mapping[str, Added], now: datetime
) -> dict[str, int]:
    """Everything that plans change of accounts that were there before; {project id: how many have other counts now}."""
    every = list(plans.values())
    _write_sheet(tx, every, now)
    described = [(*_description(row, mode), account) for plan in every for account, row, mode in plan.described]
    accounts.describe_accounts(tx, described)
    accounts.remove_accounts(tx, _all(plan.removed for plan in every), now, "sheet")
    accounts.return_accounts(tx, _all(plan.returned for plan in every))
    observations.put_accepted(tx, _all(plan.accepted for plan in every))
    observations.drop_accepted(tx, _all(plan.forgotten for plan in every))
    _write_held(tx, _all(plan.held for plan in every), now)
    doubts.drop(tx, _all(plan.undoubted for plan in every))
    doubts.keep_timed(tx, _all(plan.timed for plan in every), now)
    counted = accounts.write_counts(tx, ((one.account_id, one.new) for plan in every for one in plan.counts), now)
    return _updated(plans, added, counted)


def _updated(plans: Mapping[str, Plan], added: Mapping[str, Added], counted: int) -> dict[str, int]:
    """{project id: accounts whose counts changed}, as the database counted them. counted: of all plans together."""
    planned = {project_id: len(plan.counts) for project_id, plan in plans.items()}
    if counted != sum(planned.values()):
        if len(plans) > 1:  # whose they are shows when each is written alone
            raise LookupError(f"{counted} accounts were there to be changed, and not {sum(planned.values())}")
        planned = dict.fromkeys(planned, counted)
    return {one: number + added[one].updated for one, number in planned.items()}


def _moved(plan: Plan, new: Added) -> Moved:
    described = (account for account, _, _ in plan.described)
    return Moved(new, [*described, *plan.removed, *plan.returned, *plan.counted])


def _all(parts: Iterable[Sequence[T]]) -> list[T]:
    return [one for part in parts for one in part]


def write_days(tx: sa.Connection, plan: Plan, day: date, now: datetime, at: datetime) -> set[date]:
    """What a plan changes of snapshots, before those of the day are taken; the days that are touched.

    day: of the run. at: a moment within it.
    """
    touched = [*plan.restored, *_withdrawn(tx, plan, day, now, at)]
    touched += [DayValue(account, day, metric, value, at) for account, metric, value in _there(tx, plan.replaced, day)]
    snapshots.set_values(tx, touched)
    late = snapshots.fill_values(tx, plan.late)
    seen = {(one.account_id, one.metric) for one in _snapshots_before(tx, plan.doubted, day)}
    doubts.put(tx, [one._replace(value=None) if (one.account_id, one.metric) in seen else one for one in plan.doubted])
    return {one[1] for one in (*touched, *late)}


def _there(tx: sa.Connection, changed: Sequence[tuple[int, Metric, int | None]], day: date) -> Iterator[Any]:
    """Those of which the day has a snapshot."""
    known = snapshots.of_day(tx, {account for account, _, _ in changed}, day)
    return (one for one in changed if one[0] in known)


def _snapshots_before(tx: sa.Connection, doubted: Sequence[DoubtedDay], day: date) -> Iterator[DoubtedDay]:
    """Doubted metrics that the day's snapshot has already: they stay as they are, whatever comes of the doubt."""
    new = [one for one in doubted if one.day == day and one.value is not None]
    known = snapshots.of_day(tx, {one.account_id for one in new}, day)
    return (one for one in new if one.account_id in known and known[one.account_id][one.place] is not None)


def _withdrawn(tx: sa.Connection, plan: Plan, day: date, now: datetime, at: datetime) -> list[DayValue]:
    """The days that lose a metric; the audit log keeps what they said."""
    found: list[DayValue] = []
    for account, metric, since, credible in plan.withdrawn:
        past = snapshots.on_days(tx, account, since, day)
        had = {one: counts._asdict()[metric] for one, counts in past.items()}
        known = {one: value for one, value in had.items() if implausible(credible, value)}
        audit.add(tx, "doubt.withdraw", f"account:{account}", {metric: known}, {metric: None}, now=now, door="sync")
        found.extend(DayValue(account, one, metric, None, at) for one in known)
    return found


def _write_sheet(tx: sa.Connection, plans: Sequence[Plan], now: datetime) -> None:
    """What the sheet says of accounts that were there before."""
    stamp = native(tx, WHEN, now)
    known: Iterable[tuple[Any, ...]] = (
        (account, "sheet", *counts, stamp if since is None else since, *rest)
        for plan in plans
        for account, counts, since, *rest in plan.sheet
    )
    observations.put_sheet(tx, known)
    observations.drop_sheet(tx, _all(plan.silent for plan in plans))


def _description(row: Any, mode: str) -> tuple[Any, ...]:
    return (row.profile.platform, row.profile.username, row.typed, row.topic, row.owner, row.status, mode)


def _write_held(tx: sa.Connection, found: Sequence[HeldChange], now: datetime) -> None:
    opened: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    for one in found:
        value, observed_at, held_at, agreeing, state = one.holding
        rest = (value, one.last_good, observed_at, one.origin, held_at, agreeing, state)
        if one.id is None:
            opened.append((one.account_id, one.metric, *rest))
        else:
            changed.append((*rest, None if state == "held" else now, one.id))
    held.put(tx, opened, changed)
