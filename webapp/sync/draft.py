"""What a sync has to write of projects, by the stored accounts and their tabs, and what is reported of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import chain
from typing import Any, Generic, Literal, TypeVar

import sqlalchemy as sa

from webapp.model import METRICS, UNKNOWN, Metric, Problem, SkipReason
from webapp.rules import wording
from webapp.rules.addresses import cell_address
from webapp.rules.merge import pin_in_force
from webapp.rules.shrink import may_have_shrunk, shrinkage
from webapp.sources.sheet.reading import SheetRow, TabReading
from webapp.store import accounts, doubts, held, observations, pins, spans, tab_rows
from webapp.store.doubts import DoubtedDay
from webapp.store.held import Held
from webapp.store.observations import Stored
from webapp.store.pins import Pin
from webapp.store.projects import Project
from webapp.store.standing import standing_at
from webapp.sync.live import LiveRun
from webapp.sync.plan import Inputs, Plan
from webapp.sync.planner import make_plan
from webapp.sync.row_prints import RowPrints
from webapp.sync.side import SheetSide, reread

T = TypeVar("T")
DOUBLE: SkipReason = "duplicate_row"
NO_REPORT: Mapping[str, Any] = {"problems": [], "skips": {}}


@dataclass(frozen=True)
class Draft:
    """A plan with what is reported of it. plan None: nothing has changed since the last sync.

    report: problems, skips and the number of accounts. tab_report: what was wrong with the tab itself, which is
    repeated while the tab is unchanged. guarded: the tab has lost so much that nothing of it is applied.
    gone: columns of metrics that were there before. prints: the rows of the tab, each with the account that is quiet;
    None: nothing is remembered of them.
    """

    plan: Plan | None
    sheet_read: bool
    report: Mapping[str, Any]
    tab_report: Mapping[str, Any]
    guarded: bool = False
    gone: Sequence[Problem] = ()
    prints: RowPrints | None = None

    @property
    def applied(self) -> bool:
        """Whether a reading counts as what the tab says."""
        return not self.guarded and not self.gone

    @property
    def whole(self) -> bool:
        """Whether everything that the tab used to say was read."""
        return self.sheet_read and not self.gone


@dataclass(frozen=True)
class Known:
    """What is stored of some projects, by their ids; what there is nothing of is not there.

    accounts: those of a project. streamed: they are read anew each time, and none is kept.
    """

    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pins: Mapping[str, Sequence[Pin]] = field(default_factory=dict)
    held: Mapping[str, Mapping[tuple[int, int], Held]] = field(default_factory=dict)
    doubts: Mapping[str, Mapping[tuple[int, int], Sequence[DoubtedDay]]] = field(default_factory=dict)
    accounts: Callable[[str], Iterable[Stored]] = lambda _: ()
    streamed: bool = False

    @classmethod
    def of(cls, tx: sa.Connection, project_ids: Sequence[str], split: observations.Split) -> Known:
        """Loaded at once; the accounts of a project that is alone, and may be large, as they are asked for.

        split: the accounts of which it is known whether they are of interest.
        """
        streamed = len(project_ids) == 1 and (not split.leaves_out or len(split.open) > observations.MANY)
        if streamed:
            found: Callable[[str], Iterable[Stored]] = partial(observations.stored_accounts, tx, split=split)
        else:
            stored = observations.stored_by_project(tx, project_ids, split)
            found = partial(_those_of, stored)
        return cls(
            aliases=accounts.aliases_of(tx, project_ids),
            pins=pins.of_projects(tx, project_ids),
            held=held.of_projects(tx, project_ids),
            doubts=doubts.of_projects(tx, project_ids),
            accounts=found,
            streamed=streamed,
        )


def _those_of(stored: Mapping[str, Sequence[Stored]], project_id: str) -> Sequence[Stored]:
    return stored.get(project_id, ())


def make_drafts(
    tx: sa.Connection, run: LiveRun, asked: Sequence[tuple[Project, SheetSide]], now: datetime, *, last: bool = False
) -> dict[str, Draft]:
    """{project id: its draft}. last: nobody will ask for their rows again, so that they go with the plans."""
    known_before = [project.id for project, side in asked if side.unchanged or side.leaves_out]
    changed = observations.changed_readings(tx, known_before)
    settled = [project for project, side in asked if _is_settled(run, project, side) and project.id not in changed]
    done = {project.id: _settled_draft(project) for project in settled}
    rest = _recall(tx, run, [pair for pair in asked if pair[0].id not in done])
    return done | _make_drafts(tx, run, rest, changed, now, last=last) if rest else done


def _is_settled(run: LiveRun, project: Project, side: SheetSide) -> bool:
    """Whether nothing has changed since the last sync, as far as it does not depend on readings."""
    is_same = side.unchanged and project.settled and project.sheet_report is not None
    return is_same and run.options.shortcuts.settled


def _recall(
    tx: sa.Connection, run: LiveRun, asked: Sequence[tuple[Project, SheetSide]]
) -> list[tuple[Project, SheetSide]]:
    """With what is remembered of the rows of tabs that have not changed."""
    wanted = [project.id for project, side in asked if side.unchanged and project.knows_rows]
    known = tab_rows.of_projects(tx, wanted) if run.options.shortcuts.changed_rows else {}
    return [
        (project, replace(side, prints=RowPrints.from_bytes(known[project.id])) if project.id in known else side)
        for project, side in asked
    ]


def _make_drafts(
    tx: sa.Connection,
    run: LiveRun,
    asked: Sequence[tuple[Project, SheetSide]],
    changed: Mapping[str, Collection[int]],
    now: datetime,
    *,
    last: bool,
) -> dict[str, Draft]:
    """changed: {project id: accounts whose readings have to be looked at}."""
    quiet = {p.id: _without(side.prints.quiet, changed.get(p.id, ())) for p, side in asked if side.prints}
    split = observations.Split([*quiet.values()], [*chain(*(_open(side, changed.get(p.id, ())) for p, side in asked))])
    known = Known.of(tx, [project.id for project, _ in asked], split)
    aliases = known.aliases
    followed = [(project, _follow_aliases(side, aliases.get(project.id, {}), last=last)) for project, side in asked]
    doubled = _doubled(tx, followed, known)
    drafts = {
        project.id: _draft(tx, run, project, side, known, quiet.get(project.id, set()), now)
        for project, side in followed
        if project.id not in doubled
    }
    if not doubled:
        return drafts
    whole = [(project, reread(side, run)) for project, side in asked if project.id in doubled]
    return drafts | make_drafts(tx, run, whole, now, last=True)


def _without(accounts: set[int], others: Collection[int]) -> set[int]:
    return accounts.difference(others) if others else accounts


def _open(side: SheetSide, changed: Collection[int]) -> Iterable[int]:
    """Accounts that have, or had, a row of their own and have to be looked at. changed: those whose readings have."""
    return chain(side.prints.lost, side.prints.quiet.intersection(changed)) if side.prints else ()


def _doubled(tx: sa.Connection, asked: Sequence[tuple[Project, SheetSide]], known: Known) -> set[str]:
    """The ids of projects of which a row that was read is of an account that has a row which was not."""
    found: dict[str, set[int]] = {}
    new: dict[str, set[str]] = {}
    for project, side in asked:
        if side.reading is not None and side.leaves_out:
            mine = () if known.streamed else known.accounts(project.id)  # others are looked up
            there = {account.url_key: account.id for account in mine}
            found[project.id] = {there[key] for key in side.reading.rows if key in there}
            new[project.id] = {key for key in side.reading.rows if key not in there}
    more = accounts.ids_by_key(tx, {project_id: keys for project_id, keys in new.items() if keys})
    unread = {project.id: side.prints.quiet for project, side in asked if side.prints}
    return {project_id for project_id, ids in found.items() if (ids | more.get(project_id, set())) & unread[project_id]}


def _settled_draft(project: Project) -> Draft:
    report = project.sheet_report or {}
    return Draft(None, sheet_read=True, report=report["final"], tab_report=report["read"])


def _draft(
    tx: sa.Connection,
    run: LiveRun,
    project: Project,
    side: SheetSide,
    known: Known,
    quiet: Collection[int],
    now: datetime,
) -> Draft:
    """quiet: accounts that are not looked at."""
    before = _report_before(project)
    gone = [] if run.trigger.force else _gone(tx, project, side, before)
    inputs = _inputs(tx, run, project, side, known, quiet, now)
    plan = make_plan(known.accounts(project.id), inputs, explain=run.dry)
    guard = None if run.trigger.force else _guard(tx, project, side, plan)
    if guard is not None:
        plan = make_plan(known.accounts(project.id), replace(inputs, reading=None), explain=run.dry)
        gone = []
    plan.problems[:0] = gone
    draft = _with_report(plan, side, before, guard, gone)
    if side.prints is None or not draft.applied:
        return draft
    return replace(draft, prints=_remember(side.prints, plan, quiet))


def _remember(prints: RowPrints, plan: Plan, quiet: Collection[int]) -> RowPrints:
    """The rows with the accounts that are quiet now."""
    still = prints.only({*quiet, *(account for account, _ in plan.quiet)})
    return still.having({row: account for account, row in plan.quiet if row})


def _inputs(
    tx: sa.Connection,
    run: LiveRun,
    project: Project,
    side: SheetSide,
    known: Known,
    quiet: Collection[int],
    now: datetime,
) -> Inputs:
    counted = _Counted(tx, project.id, now)
    return Inputs(
        now,
        project.merge_policy,
        side.reading,
        discover=run.options.discover,
        columns=project.sheet_columns or {},
        pins=_pins(known.pins.get(project.id, ()), now),
        held=known.held.get(project.id, {}),
        was_ended=_was_ended(project),
        doubts=known.doubts.get(project.id, {}),
        day=run.row.day,
        latest=run.options.latest_snapshot,
        stands=side.unchanged,
        quiet=len(quiet),
        same=side.prints.quiet.difference(quiet) if side.prints else (),
        has_history=counted.has_history,
        counts_since=counted.since,
        last_known=_LastKnown(tx, project.id, run.row.day).value,
    )


FEW = 100  # accounts that are looked up one by one, before all of a project are


class _Lookup(Generic[T]):
    """What is only asked for when something is odd, which it seldom is. look: given a scope and whose it is."""

    def __init__(self, look: Callable[[Literal["account", "project"], Any], Mapping[int, T]], project_id: str) -> None:
        self.look = look
        self.project_id = project_id
        self.found: dict[int, T | None] = {}
        self.every: Mapping[int, T] | None = None

    def of(self, account_id: int) -> T | None:
        if account_id not in self.found and len(self.found) < FEW:
            self.found[account_id] = self.look("account", account_id).get(account_id)
        if account_id in self.found:
            return self.found[account_id]
        if self.every is None:
            self.every = self.look("project", self.project_id)
        return self.every.get(account_id)


class _Counted:
    """Since when metrics of a project's accounts count."""

    def __init__(self, tx: sa.Connection, project_id: str, now: datetime) -> None:
        self.spans = _Lookup(partial(spans.by_account, tx), project_id)
        self.now = now

    def has_history(self, account_id: int, place: int) -> bool:
        """Whether a metric has counted long enough for its last value to say what can follow."""
        counted = self._counted(account_id, place)
        return counted is not None and counted.has_history(self.now)

    def since(self, account_id: int, place: int) -> datetime:
        """Since when a metric has counted without a break; now, where it does not."""
        counted = self._counted(account_id, place)
        return self.now if counted is None or counted.until is not None else counted.since

    def _counted(self, account_id: int, place: int) -> spans.Counted | None:
        return spans.counted(self.spans.of(account_id) or ()).get(place)


class _LastKnown:
    """What history says last of metrics, however long ago."""

    def __init__(self, tx: sa.Connection, project_id: str, day: date) -> None:
        self.stood = _Lookup(partial(standing_at, tx, day=day), project_id)

    def value(self, account_id: int, place: int) -> int | None:
        _, values = self.stood.of(account_id) or (date.min, UNKNOWN)
        return values[place]


def _report_before(project: Project) -> Mapping[str, Any]:
    """What was reported of the tab when it was last understood."""
    return (project.sheet_report or {}).get("read") or NO_REPORT


def _was_ended(project: Project) -> bool:
    """Whether the file ended its last line when it was last understood."""
    return bool(_report_before(project).get("ended"))


def _was_log(project: Project) -> bool:
    """Whether accounts had a row for each date when the tab was last understood."""
    return any(problem["code"] == "log_layout" for problem in _report_before(project)["problems"])


def _guard(tx: sa.Connection, project: Project, side: SheetSide, plan: Plan) -> Problem | None:
    """The problem with a tab that has lost much at once."""
    reading = side.reading
    if reading is None:
        return None
    if not reading.ended and (_was_ended(project) or plan.cut or reading.stops):
        if plan.losses.rows:
            return wording.cut_file(reading.title, plan.losses.rows)
        if gone := plan.earlier if _was_log(project) else plan.fewer:
            return wording.cut_log(reading.title, gone)
    if plan.stubbed:
        return wording.cut_name(reading.title, plan.stubbed)
    if not may_have_shrunk(plan.losses):
        return None
    shrunk = shrinkage(plan.losses, *observations.metric_totals(tx, project.id))
    if shrunk is None:
        return None
    if shrunk.metric is None:
        return wording.sheet_shrank(reading.title, shrunk.lost, shrunk.known)
    column = cell_address(reading.title, reading.columns.get(shrunk.metric, ""), "")
    return wording.column_shrank(column, shrunk.metric, shrunk.lost, shrunk.known)


def _gone(tx: sa.Connection, project: Project, side: SheetSide, before: Mapping[str, Any]) -> list[Problem]:
    """The metrics whose columns are not there although they gave the values that stand, or have got another name.

    before: what was reported of the tab when it was last understood.
    """
    reading, columns = side.reading, project.sheet_columns or {}
    if reading is None or not reading.rows:
        return []
    missing = [metric for metric in columns if metric not in reading.columns]
    if not missing:
        return []
    _, known = observations.metric_totals(tx, project.id)
    names, there = before.get("names", {}), ", ".join(reading.headers)
    return [
        wording.column_gone(reading.title, metric, names.get(metric), columns[metric], there)
        for metric in missing
        if known[METRICS.index(metric)] or _is_renamed(columns[metric], reading, columns, before.get("others", ()))
    ]


def _is_renamed(letter: str, reading: TabReading, columns: Mapping[Metric, str], others: Container[str]) -> bool:
    """Whether a column has a new name that means nothing, in a tab whose other columns are where they were.

    It may be blank until then: what is typed into it from now on would be read by nobody. A blank column that is taken
    away is no loss. others: the names that meant nothing before.
    """
    name = reading.others.get(letter)
    moved = any(columns.get(metric, place) != place for metric, place in reading.columns.items())
    return name is not None and name not in others and not moved


def _follow_aliases(side: SheetSide, aliases: Mapping[str, str], *, last: bool) -> SheetSide:
    return side if side.reading is None else replace(side, reading=_follow(side.reading, aliases, last=last))


def _follow(reading: TabReading, aliases: Mapping[str, str], *, last: bool) -> TabReading:
    """Give the rows of a corrected or merged profile URL to the account that they mean now, in the order of the sheet.

    In rows of its own, unless it is the last time: a plan takes them, and may be made once more.
    """
    rows, doubles = reading.rows if last else dict(reading.rows), []
    moved = sorted(((rows.pop(alias), key) for alias, key in aliases.items() if alias in rows), key=_place)
    for row, key in moved:
        other = rows.get(key)
        if other is not None:  # two rows of one account, like any other double
            numbers = sorted((row.row, other.row), reverse=True)
            cells = (cell_address(reading.title, reading.named_in, number) for number in numbers)
            doubles.append(wording.duplicate_row(*cells))
        rows[key] = row if other is None else _together(other, row)
    if not doubles:
        return replace(reading, rows=rows)
    skips = {**reading.skips, DOUBLE: reading.skips.get(DOUBLE, 0) + len(doubles)}
    return replace(reading, rows=rows, problems=(*reading.problems, *doubles), skips=skips)


def _place(moved: tuple[SheetRow, str]) -> int:
    return moved[0].row


def _together(current: SheetRow, former: SheetRow) -> SheetRow:
    """One row of two of one account, in the order of the sheet; what it is called now stays its name."""
    first, second = (former, current) if former.row < current.row else (current, former)
    return first.with_repeat(second)._replace(profile=current.profile, typed=current.typed)


def _pins(known: Iterable[Pin], now: datetime) -> dict[int, dict[Metric, int]]:
    """Those in force: {account id: {metric: value}}."""
    found: dict[int, dict[Metric, int]] = {}
    for pin in known:
        if pin_in_force(pin.until, now):
            found.setdefault(pin.account_id, {})[pin.metric] = pin.value
    return found


def _with_report(
    plan: Plan, side: SheetSide, before: Mapping[str, Any], guard: Problem | None, gone: Sequence[Problem]
) -> Draft:
    """before: what was wrong with the tab when it was last understood."""
    problems: list[Mapping[str, Any]] = [asdict(problem) for problem in plan.problems]
    skips: dict[str, int] = {str(reason): n for reason, n in plan.skips.items()}
    tab_report = before
    if side.reading is not None and guard is None:
        tab_report = {
            "problems": [asdict(problem) for problem in (*side.reading.problems, *plan.withheld)],
            "skips": {reason: n for reason, n in skips.items() if reason != "off"},
            "ended": side.reading.ended,
            "names": dict(before.get("names", {}) if gone else {}) | dict(side.reading.names),
            "others": before.get("others", []) if gone else sorted(side.reading.others.values()),
        }
    else:
        skips = dict(before["skips"]) | skips
        problems = [*([asdict(guard)] if guard else []), *before["problems"], *problems]
    report = {"problems": problems, "skips": skips, "total": plan.total}
    sheet_read = guard is None and (side.reading is not None or side.unchanged)
    return Draft(plan, sheet_read, report, tab_report, guarded=guard is not None, gone=gone)
