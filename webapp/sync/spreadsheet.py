"""One spreadsheet: the leases of its projects first, then one look at its tabs, then their cells, whole tabs at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from webapp.errors import OutOfTime, SmartSyncError, SourceError, TransientSourceError
from webapp.rules.freshness import is_outage_long
from webapp.rules.wording import unexpected
from webapp.sources.sheet import Book, Cells, Grid, SheetSource, Tab
from webapp.sources.sheet.names import checked
from webapp.store import projects, spreadsheets
from webapp.store.projects import Project
from webapp.store.spreadsheets import Spreadsheet
from webapp.sync.batch import Batch, sync_all
from webapp.sync.discovery import create, find_grid
from webapp.sync.heirs import add_heirs
from webapp.sync.live import LiveRun, Outcome
from webapp.sync.side import SheetSide
from webapp.sync.tabs import Tabs, assign, same_title
from webapp.sync.turns import Turn, take_turns

log = logging.getLogger("smart_sync")

READ_SHARE = 0.8  # of the budget, so that time is left to merge what is stored when the sheet does not answer


@dataclass(frozen=True)
class TabTurn:
    """A tab to be read. turn: of its project; None: nobody has the tab yet, and it may become a project."""

    tab: Tab
    turn: Turn | None

    @property
    def size(self) -> int | None:
        """Bytes of the tab when it was last read."""
        return self.turn.project.sheet_bytes if self.turn else None


def sync_spreadsheet(run: LiveRun, source: SheetSource | None, group: Sequence[Project]) -> Iterator[Outcome]:
    """Sync the projects of one spreadsheet, and those that its new tabs become. source None: it is not configured."""
    turns = yield from take_turns(run, group)
    if not turns and (group or run.trigger.project_id):
        return
    if source is None:
        yield from _sync_without_sheet(run, turns)
    else:
        yield from _sync_alone(SpreadsheetSync(run, source), turns)


def _sync_alone(sync: SpreadsheetSync, turns: Sequence[Turn]) -> Iterator[Outcome]:
    """What nobody expects of one spreadsheet takes nothing from the others; what it said before stands."""
    done: set[str] = set()
    try:
        for outcome in sync.sync(turns):
            done.add(outcome.result.project_id)
            yield outcome
    except SmartSyncError:
        raise
    except Exception as error:
        sync.run.db.blame(error)
        log.exception("[SmartSync] a spreadsheet failed", extra={"run_id": sync.run.id, "sheet": sync.source.key})
        wrong = SourceError(f"spreadsheet {sync.source.key!r}: {unexpected(error)}", code="internal_error")
        sync.note(None, wrong)
        left = [turn for turn in turns if turn.project.id not in done]
        if not left:
            sync.run.unopened.append(wrong)
        yield from _sync_without_answer(sync.run, left, wrong)


# Without the sheet


def _sync_without_sheet(run: LiveRun, turns: Sequence[Turn]) -> Iterator[Outcome]:
    """Projects of no sheet we know: their readings are merged with what is stored."""
    run.begin_reading()
    yield from sync_all(run, ((turn, SheetSide(error=_not_configured(turn.project))) for turn in turns))


def _not_configured(project: Project) -> SourceError | None:
    if project.spreadsheet is None:
        return None
    return SourceError(
        f"the spreadsheet {project.spreadsheet!r} of this project is not configured",
        code="sheet_not_configured",
        hint="add it to SMART_SYNC_SHEET",
    )


def _sync_without_answer(run: LiveRun, turns: Sequence[Turn], error: SourceError) -> Iterator[Outcome]:
    """The spreadsheet did not answer: what it said before stands, and is merged with the readings."""
    transient = isinstance(error, TransientSourceError)
    run.degraded |= transient
    run.warn(f"Sheets: {error}; the stored sheet values were used")
    yield from sync_all(run, ((turn, SheetSide(error=error, degraded=transient)) for turn in turns))


class SpreadsheetSync:
    """A configured spreadsheet in one pass of a run."""

    def __init__(self, run: LiveRun, source: SheetSource) -> None:
        self.run = run
        self.source = source
        # What projects of this spreadsheet store: null for the default one.
        self.key = None if source is run.sheets[0] else source.key

    def sync(self, turns: Sequence[Turn]) -> Iterator[Outcome]:
        try:
            book, unknown = self.open()
        except SourceError as error:
            yield from self.sync_unopened(turns, error)
            return
        if self.run.trigger.project_id is None:
            for words in book.notes:
                self.run.warn(words)
            for fault in unknown:
                self.run.leave_unread(fault)
        tabs = self.match(book, turns)
        readable: list[TabTurn] = []
        without: list[tuple[Turn, SheetSide]] = []
        for turn in turns:
            tab, why_not = _tab_of(turn.project, tabs, book)
            if tab is None:
                without.append((turn, SheetSide(error=why_not)))
            else:
                readable.append(TabTurn(tab, turn))
        yield from sync_all(self.run, without)
        yield from self.read(book, readable + self.candidates(tabs))

    # Its tabs

    def open(self) -> tuple[Book, list[SourceError]]:
        """What the spreadsheet says of itself, noted as its state, and why some tabs are not among it.

        Raises: SourceError, noted too.
        """
        self.run.begin_reading()
        self.run.enter("read")
        try:
            book, unknown = checked(self.source.book(self.run.budget.part(READ_SHARE)))
        except SourceError as error:
            if not self.run.is_cut_short_by(error):
                self.note(None, error)
            raise
        self.note(book, None)
        return book, unknown

    def note(self, book: Book | None, error: SourceError | None) -> None:
        """Keep how the spreadsheet stands."""
        if self.run.dry:
            return
        now = self.run.now()
        transient = isinstance(error, TransientSourceError)
        state = Spreadsheet(
            key=self.source.key,
            title=book.title if book else None,
            locale=book.locale if book else None,
            state="ok" if error is None else ("degraded" if transient else "failed"),
            since=now,
            code=error.code if error else None,
            message=str(error) if error else None,
            checked_at=now,
        )
        with self.run.writing() as tx:
            spreadsheets.put(tx, state)

    def match(self, book: Book, turns: Sequence[Turn]) -> Tabs:
        """The tabs, matched with the projects; a project without a tab that fits one is bound to it."""
        with self.run.db.read() as tx:
            owners = projects.bound_tabs(tx, self.key)
            unbound = projects.unbound(tx, self.key)
            mine = [turn.project for turn in turns]
            tabs = assign(book, mine, owners, unbound, spreadsheets.ignored(tx, self.key))
        tabs = add_heirs(self.run, self.source, book, tabs, READ_SHARE)
        for turn in turns:
            if heir := tabs.heirs.get(turn.project.id):
                self.run.warn(_note_heir(turn.project, heir))
        found = {**tabs.taken_by_name, **tabs.heirs}
        self.bind({turn.project.id: tab for turn in turns if (tab := found.get(turn.project.id))})
        return tabs

    def bind(self, tabs: Mapping[str, Tab]) -> None:
        if not tabs or self.run.dry:
            return
        with self.run.writing() as tx:
            for project_id, tab in tabs.items():
                projects.bind(tx, project_id, tab.id, tab.title, self.run.now())

    def candidates(self, tabs: Tabs) -> list[TabTurn]:
        """The tabs that may become projects; the others are warned of."""
        if self.run.trigger.project_id is not None:
            return []
        for words in tabs.left_out:
            self.run.warn(words)
        faults = [tab.fault for tab in tabs.faulty if tab.fault]
        if self.run.options.discover:
            for fault in faults:
                self.run.leave_unread(fault)
            return [TabTurn(tab, None) for tab in tabs.candidates]
        for fault in faults:
            self.run.warn(str(fault))
        for tab in tabs.candidates:
            self.run.warn(f"tab {tab.title!r} is no project, and new ones are not made (SMART_SYNC_DISCOVER=false)")
        return []

    # Their cells

    def read(self, book: Book, turns: Sequence[TabTurn]) -> Iterator[Outcome]:
        """Sync the projects as the cells of their tabs come in; nothing that is there waits for another call."""
        coming = [turn.turn.project for turn in turns if turn.turn]
        batch, budget = Batch(self.run, self.create, coming), self.run.budget
        tabs, sizes = [turn.tab for turn in turns], [turn.size for turn in turns]
        answers = self.source.read(tabs, sizes, budget.part(READ_SHARE)) if turns else iter(())
        ends = set(accumulate(self.source.plan(tabs, sizes)))
        for place, turn in enumerate(turns):
            if budget.used_up:
                yield from batch.write()
                self.run.remaining += len(turns) - place
                return
            try:
                self.add(batch, book, turn, next(answers))
            except OutOfTime:  # of a tab that was not begun, or by a shutdown: the next run begins with it
                yield from batch.write()
                self.run.remaining += len(turns) - place
                return
            except SourceError as error:
                yield from batch.write()
                yield from self.sync_unread(book, turns[place:], error)
                return
            if batch.is_full or (place + 1 in ends and batch.has_work):
                yield from batch.write()
        yield from batch.write()

    def add(self, batch: Batch, book: Book, turn: TabTurn, cells: Cells) -> None:
        side = SheetSide(tab=turn.tab, cells=cells, size=cells.size, locale=book.locale)
        if turn.turn is not None:
            batch.add(turn.turn, side)
        elif (grid := self.look(turn.tab, cells)) is not None:
            batch.add(None, replace(side, grid=grid))

    def look(self, tab: Tab, cells: Cells) -> Grid | None:
        """The cells of a tab that is to become a project."""
        try:
            return find_grid(self.run, tab, cells)
        except SmartSyncError:
            raise
        except Exception as error:  # noqa: BLE001  what nobody expects of one tab
            self.leave(tab, error)
            return None

    def create(self, tabs: Sequence[Tab]) -> Mapping[str, Turn]:
        """Make projects of tabs, all in one go; where that fails, each alone: one takes nothing from the others."""
        if not tabs:
            return {}
        try:
            return create(self.run, self.key, tabs)
        except SmartSyncError:
            raise
        except Exception as error:  # noqa: BLE001  as above
            if len(tabs) == 1:
                self.leave(tabs[0], error)
                return {}
            self.run.db.blame(error)
        return {id_: turn for tab in tabs for id_, turn in self.create([tab]).items()}

    def leave(self, tab: Tab, error: Exception) -> None:
        """What nobody expects of one new tab is said of it.

        Raises: StoreError where it is a state of the database.
        """
        self.run.db.blame(error)
        log.error("[SmartSync] a tab failed", exc_info=error, extra={"run_id": self.run.id, "tab": tab.title})
        words = f"tab {tab.title!r}: {unexpected(error)}"
        self.run.leave_unread(SourceError(words, code="internal_error"))

    # When it does not answer

    def sync_unopened(self, turns: Sequence[Turn], error: SourceError) -> Iterator[Outcome]:
        if self.run.is_cut_short_by(error):
            self.run.remaining += len(turns) or 1
            return
        if not turns and not self.can_wait(error):
            self.run.unopened.append(error)
        yield from _sync_without_answer(self.run, turns, error)

    def can_wait(self, error: SourceError) -> bool:
        """Whether a run that only looked for new tabs may put up with a spreadsheet that is away for the moment."""
        if not isinstance(error, TransientSourceError):
            return False
        with self.run.db.read() as tx:
            since = spreadsheets.away_since(tx, self.source.key)
            somebody = bool(projects.active(tx))
        return somebody and not is_outage_long(since, None, self.run.options.stale_after, None, self.run.now())

    def sync_unread(self, book: Book, turns: Sequence[TabTurn], error: SourceError) -> Iterator[Outcome]:
        if self.run.is_cut_short_by(error):
            self.run.remaining += len(turns)
            return
        self.note(book, error)
        mine = [turn.turn for turn in turns if turn.turn]
        if not mine and not self.can_wait(error):
            self.run.unopened.append(error)
        yield from _sync_without_answer(self.run, mine, error)


def _tab_of(project: Project, tabs: Tabs, book: Book) -> tuple[Tab | None, SourceError | None]:
    """The project's tab, or why it has none that can be read; neither where it has not been given one yet."""
    if project in tabs.missing:
        return None, book.why_unseen(project.worksheet_id or "") or _missing(project, book)
    tab = tabs.bound.get(project.id) or tabs.taken_by_name.get(project.id) or tabs.heirs.get(project.id)
    if tab is not None and tab.fault is not None:
        return None, tab.fault
    if tab is None or tab.grid:
        return tab, None
    return None, SourceError(f"the tab {tab.title!r} has no cells: it is a chart", code="tab_without_cells")


def _missing(project: Project, book: Book) -> SourceError:
    titles = ", ".join(repr(tab.title) for tab in book.tabs[:20]) or "none"
    return SourceError(
        f"the tab {project.tab_title!r} has gone from the spreadsheet {book.title!r}",
        code="tab_missing",
        hint=f"the tabs there are: {titles}; restore it, or give the project one of them with PATCH /api/admin/projects/"
        f"{project.id} and worksheet_title, or leave it alone with smart-sync projects ignore {project.id}",
    )


def _note_heir(project: Project, tab: Tab) -> str:
    title = project.tab_title
    why = "made again under its name" if same_title(title) == same_title(tab.title) else "which has its accounts"
    return f"the tab {title!r} has gone; its project goes on with the tab {tab.title!r}, {why}"
