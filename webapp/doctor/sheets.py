"""What Google and the files say: sign-in, clock, spreadsheets and their tabs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from webapp.bootstrap import credentials_of
from webapp.clock import Budget
from webapp.config import Settings
from webapp.doctor.case import Case, Diagnosis, failure
from webapp.errors import ConfigError, SourceError
from webapp.model import METRICS
from webapp.rules.addresses import column_letters
from webapp.sources.http import LIMITS, Http
from webapp.sources.http.exchange import date_of
from webapp.sources.sheet import Book, Cells, SheetSource, Tab
from webapp.sources.sheet.credentials import ServiceAccount
from webapp.sources.sheet.google import API, GoogleSheet
from webapp.sources.sheet.headers import Header, find_header
from webapp.sources.sheet.names import checked
from webapp.sources.sheet.open import open_sheet
from webapp.sources.sheet.rows import read_tab
from webapp.store import projects, spreadsheets
from webapp.store.projects import Project
from webapp.sync.tabs import assign

# Why a tab is no project, and no fault either.
NO_PROJECT = ("header_missing", "header_unsure", "tab_empty")

SHEET_S = 30.0  # what one spreadsheet may take
CLOCK_S = 10.0
SKEW_WARN_S = 30.0
SKEW_FAIL_S = 300.0  # from here on Google refuses what we sign


def examine_credentials(case: Case) -> Iterator[Diagnosis]:
    case.credentials = credentials_of(case.settings)
    if isinstance(case.credentials, ServiceAccount):
        yield Diagnosis("ok", "credentials", f"service account {case.credentials.client_email}")
    elif case.credentials is not None:
        yield Diagnosis("ok", "credentials", "an API key, which reads sheets that are open to anyone with the link")


def open_sheets(case: Case) -> Iterator[Diagnosis]:
    settings = case.settings
    if not settings.sheets:
        fix = "set SMART_SYNC_SHEET to the address of a spreadsheet"
        yield Diagnosis("warn", "sheet", "none configured; only readings are merged", fix)
    for text in settings.sheets:
        try:
            sheet = open_sheet(
                text,
                credentials=case.credentials,
                api_base=settings.sheets_api or None,
                clock=case.clock,
                aliases=settings.columns,
            )
        except ConfigError as error:
            yield failure("sheet", error)
            continue
        if any(sheet.key == other.key for other in case.sheets):
            yield Diagnosis("FAIL", "sheet", f"{sheet.key} is named twice", "name it once in SMART_SYNC_SHEET")
        else:
            case.sheets.append(sheet)


def examine_clock(case: Case) -> Iterator[Diagnosis]:
    if not any(isinstance(sheet, GoogleSheet) for sheet in case.sheets):
        return
    http = Http("Google", case.clock, limits=replace(LIMITS, attempts=1))
    base = case.settings.sheets_api or API
    theirs, words = None, "Google did not tell its time"
    try:
        said = http.request(
            f"{base}/", budget=Budget(CLOCK_S, case.clock), read=lambda answer: answer.headers.get("Date", "")
        )
        theirs = date_of(said)
    except SourceError as error:
        words = error.message
    if theirs is None:
        fix = "compare it by hand: date -u; a wrong clock is refused at sign-in"
        yield Diagnosis("warn", "clock", f"could not be compared: {words}", fix)
        return
    yield _skew((case.clock.now() - theirs).total_seconds())


def _skew(ahead_s: float) -> Diagnosis:
    """The clock against Google's, which tells whole seconds."""
    off = abs(ahead_s)
    words = f"{off:.0f} s {'ahead of' if ahead_s > 0 else 'behind'} Google's"
    fix = "set the clock, with NTP for instance; Google refuses to sign in who is five minutes off"
    if off >= SKEW_FAIL_S:
        return Diagnosis("FAIL", "clock", words, fix)
    if off >= SKEW_WARN_S:
        return Diagnosis("warn", "clock", words, fix)
    return Diagnosis("ok", "clock", "agrees with Google's")


def examine_sheets(case: Case) -> Iterator[Diagnosis]:
    unsigned = case.credentials is None and bool(case.settings.google_credentials)  # which has been said already
    for number, sheet in enumerate(case.sheets):
        if unsigned and isinstance(sheet, GoogleSheet):
            continue
        budget = Budget(SHEET_S, case.clock)
        try:
            book, unknown = checked(sheet.book(budget))
        except SourceError as error:
            yield failure(f"sheet {sheet.key}", error)
            continue
        tabs = "1 tab" if len(book.tabs) == 1 else f"{len(book.tabs)} tabs"
        locale = f", locale {book.locale}" if book.locale else ""
        yield Diagnosis("ok", f"sheet {book.title or sheet.key}", f"can be read: {tabs}{locale}")
        for words in book.notes:
            yield Diagnosis("warn", f"sheet {book.title or sheet.key}", words)
        for fault in unknown:
            yield failure(f"sheet {book.title or sheet.key}", fault)
        yield from _tabs(case, sheet, book, budget, key=sheet.key if number else None)


def _tabs(case: Case, sheet: SheetSource, book: Book, budget: Budget, *, key: str | None) -> Iterator[Diagnosis]:
    taken: Mapping[str, Project] = {}
    unbound: Sequence[Project] = ()
    ignored: set[str] = set()
    if case.db is not None and case.current:
        with case.db.read() as tx:
            taken, unbound = projects.bound_tabs(tx, key), projects.unbound(tx, key)
            ignored = spreadsheets.ignored(tx, key)
    tabs = assign(book, (), taken, unbound, ignored)
    roles = {id_: f"project {p.name!r}" for id_, p in taken.items() if p.removed_at is None and id_ not in ignored}
    names = {project.id: project.name for project in unbound}
    roles |= {tab.id: f"project {names[id_]!r}" for id_, tab in tabs.taken_by_name.items()}
    gone = {project.id: project for project in taken.values()}
    roles |= {tab.id: f"goes on as project {gone[id_].name!r}" for id_, tab in tabs.heirs.items()}
    wanted = [tab for tab in book.tabs if tab.id in roles or tab in (*tabs.candidates, *tabs.faulty)]
    yield from (failure(f"tab {tab.title}", tab.fault) for tab in wanted if tab.fault)
    looked_at = [tab for tab in wanted if tab.grid and not tab.fault]
    yield from _read_tabs(case.settings, sheet, looked_at, roles, book.locale, budget)
    for words in tabs.left_out:
        yield Diagnosis("ok", "tab", words)
    yield from _ignored_tabs(book, taken, ignored)
    yield from _missing_tabs(book, taken, tabs.heirs)


def _read_tabs(
    settings: Settings,
    sheet: SheetSource,
    tabs: Sequence[Tab],
    roles: Mapping[str, str],
    locale: str | None,
    budget: Budget,
) -> Iterator[Diagnosis]:
    if not tabs:
        return
    try:
        for tab, cells in zip(tabs, sheet.read(tabs, [None] * len(tabs), budget), strict=True):
            yield _finding_of(settings, tab, cells, roles.get(tab.id), locale, budget)
    except SourceError as error:
        yield failure(f"sheet {sheet.key}", error)


def _finding_of(
    settings: Settings, tab: Tab, cells: Cells, role: str | None, locale: str | None, budget: Budget
) -> Diagnosis:
    what = f"tab {tab.title}"
    try:
        if cells.error is not None:
            raise cells.error
        rows = cells.rows(budget)
        header = find_header(rows, settings.columns, tab.title)
        reading = read_tab(rows, tab.title, locale, settings.columns, budget)
    except SourceError as error:
        if role is None and error.code in NO_PROJECT:
            return Diagnosis("warn", what, f"is left out: {error.message}", error.hint)
        if role is None:
            return failure(what, error)
        return Diagnosis("FAIL", what, f"{role}: {error.message}", error.hint)
    if role is None:
        role = "becomes a project" if settings.discover else "no project, and SMART_SYNC_DISCOVER is off"
    words = f"{role}, {len(reading.rows)} accounts; {_columns(header)}"
    if not reading.problems:
        return Diagnosis("ok", what, words)
    more = f" (and {len(reading.problems) - 1} more)" if len(reading.problems) > 1 else ""
    return Diagnosis("warn", what, words, f"look at {reading.problems[0].message}{more}")


def _columns(header: Header) -> str:
    found = ", ".join(
        f"{meaning} {column_letters(column)}" for meaning, column in sorted(header.columns.items(), key=lambda c: c[1])
    )
    missing = [metric for metric in METRICS if metric not in header.columns]
    words = f"header in row {header.row}: {found}"
    return f"{words}; no column for {', '.join(missing)}" if missing else words


def _ignored_tabs(book: Book, taken: Mapping[str, Project], ignored: set[str]) -> Iterator[Diagnosis]:
    for tab in book.tabs:
        if not tab.grid:
            yield Diagnosis("ok", f"tab {tab.title}", "is a chart or a connected sheet and is left out")
        elif tab.id in ignored:
            yield Diagnosis("ok", f"tab {tab.title}", "is ignored; `smart-sync projects restore` takes it back")
        elif tab.id in taken and taken[tab.id].removed_at is not None:
            yield Diagnosis("ok", f"tab {tab.title}", "its project was removed")


def _missing_tabs(book: Book, taken: Mapping[str, Project], heirs: Collection[str]) -> Iterator[Diagnosis]:
    """heirs: ids of projects with which another tab goes on."""
    there = {tab.id for tab in book.tabs}
    for id_, project in taken.items():
        is_wanted = project.removed_at is None and project.status == "active"
        if id_ in there or not is_wanted or project.id in heirs:
            continue
        if why := book.why_unseen(id_):
            yield failure(f"project {project.name}", why)
        else:
            words = f"its tab {project.worksheet_title!r} has gone from the spreadsheet"
            fix = f"restore the tab, or smart-sync projects ignore {project.id}"
            yield Diagnosis("FAIL", f"project {project.name}", words, fix)
