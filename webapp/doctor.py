"""Every part looked at once, and each fault told with its fix. Makes and mends nothing; what is secret is not shown."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from webapp import __version__
from webapp.bootstrap import credentials_of, token_file
from webapp.clock import Budget, Clock, iso
from webapp.config import SETTINGS, Settings, environment
from webapp.errors import ConfigError, SmartSyncError, SourceError, StoreError
from webapp.model import METRICS
from webapp.rules.addresses import column_letters
from webapp.sources.http import LIMITS, Http
from webapp.sources.sheet import Book, Cells, SheetSource, Tab
from webapp.sources.sheet.credentials import Credentials, ServiceAccount
from webapp.sources.sheet.google import API, GoogleSheet
from webapp.sources.sheet.headers import Header, find_header
from webapp.sources.sheet.open import open_sheet
from webapp.sources.sheet.rows import read_tab
from webapp.store import projects, spreadsheets, status
from webapp.store.db import Database, open_database
from webapp.store.migrate import HEAD_REVISION
from webapp.store.projects import Project
from webapp.store.storage import durability
from webapp.store.tables import leases
from webapp.sync.discovery import assign

Level = Literal["ok", "warn", "FAIL"]

SHEET_S = 30.0  # what one spreadsheet may take
CLOCK_S = 10.0
SKEW_WARN_S = 30.0
SKEW_FAIL_S = 300.0  # from here on Google refuses what we sign
FREE_BYTES = 100 * 2**20
SHORT_LEASE_S = 5.0
OPEN_TO_OTHERS = 0o077


@dataclass(frozen=True)
class Finding:
    """One part and how it is. `fix`: what to do about it; None where nothing has to be done."""

    level: Level
    what: str
    words: str
    fix: str | None = None


def examine(environ: Mapping[str, str] | None = None, clock: Clock | None = None) -> Iterator[Finding]:
    """The findings, as they are made. Asks the network only for the spreadsheets that are configured.

    environ: the variables to go by; by default those a start would go by, the `.env` file included.
    """
    if environ is None:
        try:
            environ = environment()
        except ConfigError as error:
            yield _failure("settings", error)
            environ = environment(None)
    yield from _Examination(environ, clock or Clock()).findings()


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether two connections that write at the same instant may, rarely, damage the database.

    https://www.sqlite.org/wal.html: 3.7.0 to 3.51.2, mended in 3.44.6 and 3.50.7 as well.
    """
    if version[:2] == (3, 44):
        return version < (3, 44, 6)
    if version[:2] == (3, 50):
        return version < (3, 50, 7)
    return (3, 7, 0) <= version < (3, 51, 3)


def _failure(what: str, error: SmartSyncError) -> Finding:
    return Finding("FAIL", what, error.message, error.hint)


class _Examination:
    """One look at everything, in the order in which one thing rests on another.

    db: None when its address is of no use. current: whether it has the tables of this version.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        self.environ = environ
        self.clock = clock
        self.settings, self.wrong = Settings.read(environ)
        self.db: Database | None = None
        self.current = False
        self.credentials: Credentials | None = None
        self.sheets: list[SheetSource] = []

    def findings(self) -> Iterator[Finding]:
        steps: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
            ("version", self._version),
            ("settings", self._settings),
            ("database", self._database),
            ("disk", self._disk),
            ("token", self._token),
            ("credentials", self._credentials),
            ("sheet", self._open_sheets),
            ("clock", self._clock),
            ("sheet", self._read_sheets),
            ("syncs", self._syncs),
        )
        try:
            for what, step in steps:
                yield from self._guarded(what, step)
        finally:
            if self.db is not None:
                self.db.close()

    @staticmethod
    def _guarded(what: str, step: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        """What is wrong with one part must not hide how the others are."""
        try:
            yield from step()
        except SmartSyncError as error:
            yield _failure(what, error)
        except OSError as error:
            yield Finding(
                "FAIL", what, f"{error.filename or what}: {error.strerror}", "check that it is there and may be used"
            )

    # What runs

    def _version(self) -> Iterator[Finding]:
        python = ".".join(map(str, sys.version_info[:3]))
        yield Finding("ok", "version", f"Smart Sync {__version__}, Python {python}")

    def _settings(self) -> Iterator[Finding]:
        meanings = {setting.name: setting.meaning for setting in SETTINGS}
        for text in self.wrong:
            name, _, words = text.partition(": ")
            meaning = f": {meanings[name]}" if name in meanings else "; docs/settings.md lists all settings"
            yield Finding("FAIL", f"setting {name}", words, f"correct or remove {name}{meaning}")
        if not self.wrong:
            known = {setting.name for setting in SETTINGS}
            given = sorted(name for name in self.environ if name.removesuffix("_FILE") in known)
            yield Finding("ok", "settings", f"{', '.join(given) or 'none'} set, the others by default")
        yield from self._odd_settings()

    def _odd_settings(self) -> Iterator[Finding]:
        settings = self.settings
        if settings.stale_after < settings.interval_minutes:
            yield Finding(
                "warn",
                "setting SMART_SYNC_STALE_AFTER",
                f"{settings.stale_after} minutes are over before the next sync after {settings.interval_minutes} minutes",
                "make it longer than SMART_SYNC_INTERVAL_MINUTES, or leave it out",
            )
        if settings.lease_s < SHORT_LEASE_S:
            yield Finding(
                "warn",
                "setting SMART_SYNC_LEASE_SECONDS",
                f"a run that pauses for {settings.lease_s:g} s is taken for dead",
                "leave it out, or use 30 or more",
            )
        if settings.google_credentials and settings.google_api_key:
            yield Finding(
                "warn",
                "setting GOOGLE_API_KEY",
                "is not used, because GOOGLE_CREDENTIALS is set",
                "remove one of the two",
            )
        if settings.sheets_api:
            yield Finding(
                "warn",
                "setting SMART_SYNC_SHEETS_API",
                f"{settings.sheets_api} stands in for Google",
                "remove it, unless this is a test or a proxy of yours",
            )

    # Where the data is

    def _database(self) -> Iterator[Finding]:
        self.db = open_database(self.settings.database)
        place = self.db.storage()
        try:
            revision = _revision(self.db)
        except StoreError as error:
            yield self._no_tables(error)
            return
        if revision is not None and revision > HEAD_REVISION:
            yield Finding(
                "FAIL",
                "database",
                f"{place} has schema {revision}, made by a later version; this one knows {HEAD_REVISION}",
                "run that version again, or restore the backup from before its upgrade",
            )
        elif revision != HEAD_REVISION:
            words = f"{place} has schema {revision or 'none'}; this version has {HEAD_REVISION}"
            yield Finding("warn", "database", words, "smart-sync db upgrade, or the next start, brings it up to date")
        else:
            self.current = True
            _write_something(self.db)
            yield Finding("ok", "database", f"{place} can be read and written, schema {revision} is current")

    def _no_tables(self, error: StoreError) -> Finding:
        """Nothing is there yet, which is as it should be before the first start, or nothing is there any more."""
        assert self.db is not None  # noqa: S101  narrows the type
        fix = "smart-sync db upgrade, or the first start, makes it; if there was data before, restore a backup instead"
        if error.code == "database_missing":
            path = Path(self.db.storage())
            folder = _nearest_folder(path)
            if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
                return Finding("warn", "database", f"{path} is not there yet; {folder} can be written", fix)
            words = f"{path} is not there, and this user can not make it in {folder}"
            return Finding("FAIL", "database", words, "name a folder in SMART_SYNC_DATA_DIR that this user can write")
        if error.code == "schema_missing" and not error.message.endswith("is empty"):
            return Finding("warn", "database", error.message, fix)
        return _failure("database", error)

    def _disk(self) -> Iterator[Finding]:
        if self.db is None or self.db.dialect != "sqlite":
            return
        path = Path(self.db.storage())
        folder = _nearest_folder(path)
        yield _lasting(path)
        free = shutil.disk_usage(folder).free
        if free < FREE_BYTES:
            words = f"{free // 2**20} MB are free on the disk of {folder}"
            yield Finding("warn", "disk", words, "free space or grow the disk; a full one stops all syncs")
        version = sqlite3.sqlite_version
        if has_wal_reset_bug(sqlite3.sqlite_version_info):
            yield Finding(
                "warn",
                "sqlite",
                f"SQLite {version} can, very rarely, damage a database that two processes write at the same instant",
                "use a Python with SQLite 3.51.3 or later, or PostgreSQL; keep backups",
            )
        else:
            yield Finding("ok", "sqlite", f"SQLite {version}")

    # Who may come in

    def _token(self) -> Iterator[Finding]:
        settings = self.settings
        if settings.admin_tokens:
            name = "SMART_SYNC_ADMIN_TOKEN"
            name = name if self.environ.get(name, "").strip() else f"{name}_FILE"
            count = len(settings.admin_tokens)
            yield Finding("ok", "token", f"{count} set by {name}" if count > 1 else f"set by {name}")
            return
        path = token_file(settings)
        if path.is_file():
            mode = path.stat().st_mode & 0o777
            if mode & OPEN_TO_OTHERS:
                yield Finding("warn", "token", f"{path} can be read by others (mode {mode:o})", f"chmod 600 {path}")
            else:
                yield Finding("ok", "token", f"made by Smart Sync and kept in {path}")
        elif settings.data_dir_set:
            yield Finding("ok", "token", f"none yet; the first start makes one and keeps it in {path}")
        else:
            yield Finding(
                "warn",
                "token",
                "none set; only `smart-sync serve` on this machine makes one itself",
                "set SMART_SYNC_ADMIN_TOKEN to what `smart-sync token new` prints",
            )

    def _credentials(self) -> Iterator[Finding]:
        self.credentials = credentials_of(self.settings)
        if isinstance(self.credentials, ServiceAccount):
            yield Finding("ok", "credentials", f"service account {self.credentials.client_email}")
        elif self.credentials is not None:
            yield Finding("ok", "credentials", "an API key, which reads sheets that are open to anyone with the link")

    # What Google and the files say

    def _open_sheets(self) -> Iterator[Finding]:
        settings = self.settings
        if not settings.sheets:
            fix = "set SMART_SYNC_SHEET to the address of a spreadsheet"
            yield Finding("warn", "sheet", "none configured; only readings are merged", fix)
        for text in settings.sheets:
            try:
                sheet = open_sheet(
                    text, credentials=self.credentials, api_base=settings.sheets_api or None, clock=self.clock
                )
            except ConfigError as error:
                yield _failure("sheet", error)
                continue
            if any(sheet.key == other.key for other in self.sheets):
                yield Finding("FAIL", "sheet", f"{sheet.key} is named twice", "name it once in SMART_SYNC_SHEET")
            else:
                self.sheets.append(sheet)

    def _clock(self) -> Iterator[Finding]:
        if not any(isinstance(sheet, GoogleSheet) for sheet in self.sheets):
            return
        http = Http("Google", self.clock, limits=replace(LIMITS, attempts=1))
        base = self.settings.sheets_api or API
        try:
            said = http.request(
                f"{base}/", budget=Budget(CLOCK_S, self.clock), read=lambda answer: answer.headers.get("Date", "")
            )
            theirs = parsedate_to_datetime(said).astimezone(UTC)
        except (SourceError, ValueError) as error:
            words = error.message if isinstance(error, SourceError) else "Google did not tell its time"
            yield Finding(
                "warn",
                "clock",
                f"could not be compared: {words}",
                "compare it by hand: date -u; a wrong clock is refused at sign-in",
            )
            return
        yield _compared((self.clock.now() - theirs).total_seconds())

    def _read_sheets(self) -> Iterator[Finding]:
        unsigned = self.credentials is None and bool(self.settings.google_credentials)  # which has been said already
        for number, sheet in enumerate(self.sheets):
            if unsigned and isinstance(sheet, GoogleSheet):
                continue
            budget = Budget(SHEET_S, self.clock)
            try:
                book = sheet.book(budget)
            except SourceError as error:
                yield _failure(f"sheet {sheet.key}", error)
                continue
            locale = f", locale {book.locale}" if book.locale else ""
            yield Finding("ok", f"sheet {book.title or sheet.key}", f"can be read: {len(book.tabs)} tabs{locale}")
            yield from self._tabs(sheet, book, budget, key=sheet.key if number else None)

    def _tabs(self, sheet: SheetSource, book: Book, budget: Budget, *, key: str | None) -> Iterator[Finding]:
        taken: Mapping[str, Project] = {}
        unbound: Sequence[Project] = ()
        ignored: set[str] = set()
        if self.db is not None and self.current:
            with self.db.read() as tx:
                taken, unbound = projects.bound_tabs(tx, key), projects.unbound(tx, key)
                ignored = spreadsheets.ignored(tx, key)
        tabs = assign(book, (), taken, unbound, ignored)
        roles = {id_: f"project {p.name!r}" for id_, p in taken.items() if p.removed_at is None and id_ not in ignored}
        names = {project.id: project.name for project in unbound}
        roles |= {tab.id: f"project {names[id_]!r}" for id_, tab in tabs.taken_by_name.items()}
        looked_at = [tab for tab in book.tabs if tab.grid and (tab.id in roles or tab in tabs.candidates)]
        yield from self._looked_at(sheet, looked_at, roles, book.locale, budget)
        for words in tabs.left_out:
            yield Finding("ok", "tab", words)
        yield from _left_alone(book, taken, ignored)
        yield from _gone(book, taken)

    def _looked_at(
        self, sheet: SheetSource, tabs: Sequence[Tab], roles: Mapping[str, str], locale: str | None, budget: Budget
    ) -> Iterator[Finding]:
        if not tabs:
            return
        try:
            for tab, cells in zip(tabs, sheet.read(tabs, [None] * len(tabs), budget), strict=True):
                yield self._tab(tab, cells, roles.get(tab.id), locale)
        except SourceError as error:
            yield _failure(f"sheet {sheet.key}", error)

    def _tab(self, tab: Tab, cells: Cells, role: str | None, locale: str | None) -> Finding:
        what = f"tab {tab.title}"
        aliases = self.settings.columns
        try:
            if cells.error is not None:
                raise cells.error
            rows = cells.rows()
            header = find_header(rows, aliases, tab.title)
            reading = read_tab(rows, tab.title, locale, aliases)
        except SourceError as error:
            if role is None:
                return Finding("warn", what, f"is left out: {error.message}", error.hint)
            return Finding("FAIL", what, f"{role}: {error.message}", error.hint)
        if role is None:
            role = "becomes a project" if self.settings.discover else "no project, and SMART_SYNC_DISCOVER is off"
        words = f"{role}, {len(reading.rows)} accounts; {_columns(header)}"
        if not reading.problems:
            return Finding("ok", what, words)
        more = f" (and {len(reading.problems) - 1} more)" if len(reading.problems) > 1 else ""
        return Finding("warn", what, words, f"look at {reading.problems[0].message}{more}")

    # Whether it is used

    def _syncs(self) -> Iterator[Finding]:
        if self.db is None or not self.current:
            return
        now = self.clock.now()
        with self.db.read() as tx:
            totals = status.totals(tx, now, self.settings.stale_after)
        if not totals.total:
            yield Finding("warn", "syncs", "there are no projects yet", "smart-sync sync")
        elif totals.stale:
            names = ", ".join(str(project["name"]) for project in totals.stale[:5])
            yield Finding(
                "warn",
                "syncs",
                f"{len(totals.stale)} of {totals.active} projects are stale: {names}",
                "see that the cron still calls, and what it is answered: smart-sync runs",
            )
        else:
            yield Finding(
                "ok", "syncs", f"{totals.active} projects are fresh, last success {iso(totals.last_success_at)}"
            )


def _revision(db: Database) -> str | None:
    with db.read() as tx:
        return tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _write_something(db: Database) -> None:
    """A commit that reaches the disk and leaves no row."""
    with db.write() as tx:
        tx.execute(leases.delete().where(leases.c.name == "doctor"))
        tx.execute(leases.insert().values(name="doctor"))
        tx.execute(leases.delete().where(leases.c.name == "doctor"))


def _nearest_folder(path: Path) -> Path:
    """The folder that is there, on the way to a path that may not be."""
    return next((parent for parent in path.parents if parent.exists()), path)


def _lasting(path: Path) -> Finding:
    fix = "mount a disk and set SMART_SYNC_DATA_DIR to a folder on it, or set DATABASE_URL to PostgreSQL"
    match durability(path):
        case "durable":
            return Finding("ok", "disk", f"{path.parent} survives a restart")
        case "ephemeral":
            return Finding("warn", "disk", f"{path.parent} is thrown away with its container or at a restart", fix)
        case "network":
            return Finding("warn", "disk", f"{path.parent} is a network share, on which SQLite is not safe", fix)
        case _:
            return Finding("warn", "disk", f"whether {path.parent} survives a restart can not be told", fix)


def _compared(ahead_s: float) -> Finding:
    """The clock against Google's, which tells whole seconds."""
    off = abs(ahead_s)
    words = f"{off:.0f} s {'ahead of' if ahead_s > 0 else 'behind'} Google's"
    fix = "set the clock, with NTP for instance; Google refuses to sign in who is five minutes off"
    if off >= SKEW_FAIL_S:
        return Finding("FAIL", "clock", words, fix)
    if off >= SKEW_WARN_S:
        return Finding("warn", "clock", words, fix)
    return Finding("ok", "clock", "agrees with Google's")


def _columns(header: Header) -> str:
    found = ", ".join(
        f"{meaning} {column_letters(column)}" for meaning, column in sorted(header.columns.items(), key=lambda c: c[1])
    )
    missing = [metric for metric in METRICS if metric not in header.columns]
    words = f"header in row {header.row}: {found}"
    return f"{words}; no column for {', '.join(missing)}" if missing else words


def _left_alone(book: Book, taken: Mapping[str, Project], ignored: set[str]) -> Iterator[Finding]:
    for tab in book.tabs:
        if not tab.grid:
            yield Finding("ok", f"tab {tab.title}", "is a chart or a connected sheet and is left out")
        elif tab.id in ignored:
            yield Finding("ok", f"tab {tab.title}", "is ignored; `smart-sync projects restore` takes it back")
        elif tab.id in taken and taken[tab.id].removed_at is not None:
            yield Finding("ok", f"tab {tab.title}", "its project was removed")


def _gone(book: Book, taken: Mapping[str, Project]) -> Iterator[Finding]:
    there = {tab.id for tab in book.tabs}
    for id_, project in taken.items():
        if id_ not in there and project.removed_at is None and project.status == "active":
            yield Finding(
                "FAIL",
                f"project {project.name}",
                f"its tab {project.worksheet_title!r} has gone from the spreadsheet",
                f"restore the tab, or smart-sync projects ignore {project.id}",
            )
