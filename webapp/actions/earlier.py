"""The numbers of the app before this one, taken over: its projects, accounts and days, through our own doors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from webapp.actions.desk import Desk, Edit
from webapp.actions.projects import LONGEST_NAME
from webapp.actions.texts import clean_line
from webapp.errors import ConfigError, Invalid, SourceError
from webapp.model import Counts, Profile, larger
from webapp.rules.earlier import Seen, collapse, spans_of, stand, strip_zeros
from webapp.rules.history import union
from webapp.rules.modes import mode_of
from webapp.sources.earlier import EarlierAccount, EarlierApp, EarlierProject, EarlierSnapshot
from webapp.sources.urls import BadProfile, profile_of
from webapp.store import accounts, days, projects, snapshots, spans
from webapp.store.accounts import Account
from webapp.store.backends.dialect import count_on_from, last_id
from webapp.store.db import normalise_url
from webapp.store.projects import Project, Status
from webapp.store.tables import accounts as account_rows
from webapp.sync.tabs import same_title

Advance = Callable[[int, int], object]  # takes the snapshots that are done and all there are

LONGEST_TEXT = 255  # as in a cell of the Sheet
STATES: Mapping[str, Status] = {
    **dict.fromkeys(("paused", "on_hold", "inactive"), "paused"),
    **dict.fromkeys(("finished", "completed", "done", "archived"), "finished"),
}


@dataclass(frozen=True)
class OfAccount:
    """What became of the snapshots of one account.

    doubles: of a day that had one already. zeros: values that were 0 after more; zero_days: days of nothing else.
    unusable: that say no time, or one that is still to come. odd: values that count nothing. new_days: that were
    written.
    """

    name: str
    snapshots: int
    days: int
    doubles: int
    zeros: int
    zero_days: int
    unusable: int
    odd: int
    new_days: int


@dataclass
class Report:
    """What was found in the earlier database, and what became of it. left_out: what could not be taken, in words."""

    projects: int = 0
    new_projects: int = 0
    new_accounts: int = 0
    accounts: list[OfAccount] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def total(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.accounts)


@dataclass
class _Group:
    """An account of ours, those of the app that mean it, and what was read of them so far."""

    profile: Profile
    rows: list[EarlierAccount]
    read: list[EarlierSnapshot] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        found = self.rows[0].counts
        for row in self.rows[1:]:
            found = Counts._make(map(larger, found, row.counts))
        return found

    @property
    def active(self) -> bool:
        return any(row.active for row in self.rows)


@contextmanager
def open_earlier(where: str) -> Iterator[EarlierApp]:
    """The earlier database at a URL, or in a SQLite file. It is only read.

    Raises: SourceError; ConfigError for a URL that is none.
    """
    engine = sa.create_engine(_address(where), hide_parameters=True, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            yield EarlierApp(connection)
    except sa.exc.DBAPIError as error:
        words = str(error.orig).partition("\n")[0]
        raise SourceError(f"the earlier database cannot be read: {words}", code="source_unavailable") from error
    finally:
        engine.dispose()


def _address(where: str) -> sa.URL:
    try:
        url = normalise_url(where) if "://" in where else sa.URL.create("sqlite", database=where)
    except ConfigError as error:
        words = error.message.removeprefix("DATABASE_URL: ")
        raise ConfigError(f"the address of the earlier database: {words}", hint=error.hint) from None
    if url.drivername != "sqlite":
        # What its server does not translate, such as SQL_ASCII, is UTF-8 most likely; as bytes it would be of no use.
        return url.update_query_dict({"client_encoding": "UTF8"})
    path = Path(url.database or "").absolute()
    if not path.is_file():
        raise SourceError(f"there is no file {path}", code="bad_file")
    return sa.URL.create("sqlite", database=path.as_uri(), query={"mode": "ro", "uri": "true"})


def take_over(
    desk: Desk, app: EarlierApp, *, drop_zeros: bool, dry_run: bool = False, advance: Advance = lambda *_: None
) -> Report:
    """Bring the app's projects, accounts and days in, each project in a transaction; what there is already stays.

    Of a UTC day and metric the largest value is taken. Run again, it adds what has come since.

    drop_zeros: leave out values that are 0 after more. dry_run: do all of it and take it back.

    Raises: StoreError; SourceError.
    """
    report, done, all_ = Report(), 0, app.count()
    move = _Move(desk, report, drop_zeros, dry_run)
    waiting = move.projects(app)
    for project_id, read in groupby(app.snapshots(), attrgetter("project_id")):
        taken = waiting.pop(project_id, None)
        if taken is None:
            report.left_out.append(f"{sum(1 for _ in read)} snapshots of project {project_id}, which is not there")
            continue
        before = report.total("snapshots")
        move.take(*taken, read)
        done += report.total("snapshots") - before
        advance(done, all_)
    for taken in waiting.values():
        move.take(*taken, ())
    return report


class _Move:
    """One taking over. first_id: ids from which on no account of ours has ever had one."""

    def __init__(self, desk: Desk, report: Report, drop_zeros: bool, dry_run: bool) -> None:
        self._desk = desk
        self._report = report
        self._drop_zeros = drop_zeros
        self._dry_run = dry_run
        with desk.db.read() as tx:
            self._first_id = last_id(tx, account_rows) + 1

    def projects(self, app: EarlierApp) -> dict[str, tuple[EarlierProject, dict[str, _Group]]]:
        """{id of the app: its project, and its accounts by what identifies them}."""
        found: dict[str, tuple[EarlierProject, dict[str, _Group]]] = {one.id: (one, {}) for one in app.projects()}
        self._report.projects = len(found)
        for row in app.accounts():
            name = row.url or f"{row.platform} {row.username}".strip() or f"account {row.id}"
            if row.project_id not in found:
                self._report.left_out.append(f"{name}: its project {row.project_id} is not there")
                continue
            try:
                profile = profile_of(row.url or row.username, row.platform or None)
            except BadProfile as error:
                self._report.left_out.append(f"{name}: {error.message}")
                continue
            found[row.project_id][1].setdefault(profile.url_key, _Group(profile, [])).rows.append(row)
        return found

    def take(self, earlier: EarlierProject, groups: Mapping[str, _Group], read: Iterable[EarlierSnapshot]) -> None:
        leaders = {row.id: group for group in groups.values() for row in group.rows}
        with self._desk.edit(dry_run=self._dry_run) as edit:
            project, new = self._project(edit, earlier)
            if project is None:
                self._report.left_out.append(f"{earlier.name}: it was removed here")
                return
            one = _OfProject(edit, project, self._report, self._first_id, self._drop_zeros)
            for account_id, mine in groupby(read, attrgetter("account_id")):
                group = leaders.get(account_id)
                if group is None:
                    continue
                group.read.extend(mine)
                if len(group.rows) == 1:
                    one.take(group)
                    del leaders[account_id]
            for group in {id(group): group for group in leaders.values()}.values():
                one.take(group)
            one.finish(new=new)

    def _project(self, edit: Edit, earlier: EarlierProject) -> tuple[Project | None, bool]:
        """The project that is it, by id or name, and whether it is new; None: it was removed here."""
        known = projects.by_id(edit.tx, earlier.id)
        name = _line(earlier.name, LONGEST_NAME) or f"Project {earlier.id}"
        if known is None:
            mine = [one for one in projects.all_listed(edit.tx) if same_title(one.name) == same_title(name)]
            known = next((one for one in mine if one.removed_at is None), None)
        if known is not None:
            return (None if known.removed_at is not None else projects.lock(edit.tx, known.id)), False
        status = STATES.get(earlier.status, "active") if earlier.active else "paused"
        row = {"id": earlier.id, "name": name, "name_set": False, "status": status}
        row |= {"target_views": earlier.target_views, "start_date": earlier.start_date, "end_date": earlier.end_date}
        added = projects.add(edit.tx, row, edit.now)
        self._report.new_projects += 1
        return added, True


class _OfProject:
    """One project's accounts and days, within the transaction that locked it."""

    def __init__(self, edit: Edit, project: Project, report: Report, first_id: int, drop_zeros: bool) -> None:
        self._edit = edit
        self._project = project
        self._report = report
        self._first_id = first_id
        self._drop_zeros = drop_zeros
        self._new_accounts = self._new_days = 0
        self._latest: datetime | None = None
        self._moved = False

    def take(self, group: _Group) -> None:
        """Bring an account in, with its days."""
        tx, now = self._edit.tx, self._edit.now
        usable = [Seen(one.at, one.counts) for one in group.read if one.at is not None and one.at <= now]
        whole = collapse(usable)
        cleaned = strip_zeros(whole)
        found = cleaned.days if self._drop_zeros else whole
        counts = stand(found, group.counts, drop_zeros=self._drop_zeros)
        known = accounts.claimant(tx, self._project.id, group.profile.url_key)
        new_days = 0
        if known is None or known.removed_at is None:
            account = known or self._add(group, counts, found)
            new_days = snapshots.fill_days(tx, account.id, {day: (seen.at, seen.counts) for day, seen in found.items()})
            self._count_from_then_on(account, found, new=known is None)
        self._new_days += new_days
        self._latest = max(filter(None, (self._latest, *(seen.at for seen in found.values()))), default=None)
        self._report.accounts.append(
            OfAccount(
                f"{self._project.name}: {group.profile.url}",
                len(group.read),
                len(found),
                len(usable) - len({seen.at.date() for seen in usable}),
                cleaned.zeros,
                cleaned.zero_days,
                len(group.read) - len(usable),
                sum(one.odd for one in group.read),
                new_days,
            )
        )
        group.read.clear()

    def _add(self, group: _Group, counts: Counts, found: Mapping[Any, Seen]) -> Account:
        tx, row = self._edit.tx, group.rows[0]
        status = _line(row.status, LONGEST_TEXT)
        values: dict[str, Any] = {**counts._asdict(), "status": status, "mode": mode_of(status)}
        values |= {"owner": _line(row.owner.removeprefix("@"), LONGEST_TEXT), "topic": _line(row.topic, LONGEST_TEXT)}
        if row.id >= self._first_id and accounts.by_id(tx, row.id) is None:
            values["id"] = row.id  # programs know it by this
            count_on_from(tx, account_rows, row.id)
        if not group.active:
            values |= {"removed_at": self._edit.now, "removed_by": "sheet"}
        began = min((seen.at for seen in found.values()), default=self._edit.now)
        added = accounts.add(tx, self._project.id, group.profile, values, began)
        self._new_accounts += 1
        return accounts.change(tx, added, {"discovered": "sheet"})  # so that it goes when its row does

    def _count_from_then_on(self, account: Account, found: Mapping[Any, Seen], *, new: bool) -> None:
        """Let it count from its first value on; one that no longer does, up to now."""
        tx, now = self._edit.tx, self._edit.now
        if not new and not account.counted:
            return
        before = [*spans.of_scope(tx, "account", account.id)]
        mine = spans_of(account.id, found, account.counts, now, None if account.counted else now)
        after = union(before, mine, account.id)
        if after != before:
            spans.replace(tx, account.id, after)
            self._moved = True

    def finish(self, *, new: bool) -> None:
        tx = self._edit.tx
        self._report.new_accounts += self._new_accounts
        if not (new or self._moved or self._new_days):
            return
        days.rebuild(tx, self._project.id)
        projects.touch(tx, [self._project.id], read=True)
        if new and self._latest is not None:  # reads measure growth from here until the first sync
            project = projects.lock(tx, self._project.id)
            projects.change(tx, project, {"as_of": self._latest, "changed_at": self._latest}, self._edit.now)
        if self._new_days and self._project.weekly_until is not None:  # somebody has to want old days to go again
            projects.change(tx, projects.lock(tx, self._project.id), {"weekly_until": None}, self._edit.now)
        told = {"accounts": self._new_accounts, "days": self._new_days}
        self._edit.audit("project.take_over", f"project:{self._project.id}", None, told)


def _line(text: str, longest: int) -> str | None:
    """The text as our own doors would take it; None for one that they would not."""
    try:
        return clean_line("text", text[:longest], longest)
    except Invalid:
        return None
