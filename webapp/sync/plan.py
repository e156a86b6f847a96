"""A plan: the rows that have to change in one project, and what people should know about it.

A dry run shows a plan; a real run writes the same plan.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, TypeAlias

from webapp.model import METRICS, Metric, Mode, Policy, Problem, SkipReason, Values
from webapp.rules.addresses import rows_address
from webapp.rules.held import Holding
from webapp.rules.shrink import Losses
from webapp.sources.sheet.reading import SheetRow, TabReading
from webapp.store.changes import Changed
from webapp.store.doubts import DoubtedDay
from webapp.store.held import Held
from webapp.store.types import Stamp

ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Inputs:
    """Everything besides accounts and rows that decides a plan. Times are aware UTC. day: of the run.

    reading: the tab as read and to be applied; None: the stored sheet observations stand.
    columns: the letters of the metrics' columns when the tab was last understood.
    pins: {account id: {metric: value}}, those in force. held: {(account id, place of the metric): the reading there}.
    was_ended: the file ended its last line when the tab was last understood.
    doubts: {(account id, place of the metric): its days, rising}. latest: snapshots follow the day. has_history: whether
    a metric (account id, place) has counted long enough for its last value to say what can follow. counts_since: since
    when it has counted without a break; now, where it does not. last_known: what history says last of it. stands: without a reading, the tab says what it said before; it is not out of reach.
    quiet: how many more accounts there are, of which nothing has changed and nothing is open. same: accounts whose
    rows were not read because they say what they said.
    """

    now: datetime
    policy: Policy = "max"
    reading: TabReading | None = None
    discover: bool = True
    columns: Mapping[Metric, str] = field(default_factory=dict)
    pins: Mapping[int, Mapping[Metric, int]] = field(default_factory=dict)
    held: Mapping[tuple[int, int], Held] = field(default_factory=dict)
    was_ended: bool = False
    doubts: Mapping[tuple[int, int], Sequence[DoubtedDay]] = field(default_factory=dict)
    day: date = date.min
    latest: bool = False
    stands: bool = True
    quiet: int = 0
    same: Container[int] = ()
    has_history: Callable[[int, int], bool] = lambda _account_id, _place: False
    counts_since: Callable[[int, int], datetime] = lambda _account_id, _place: ALWAYS
    last_known: Callable[[int, int], int | None] = lambda _account_id, _place: None


class Newcomer(NamedTuple):
    """A row that becomes an account. It has no readings yet, so its counts are the sheet's.

    title: of the tab. quiet: as in plans.
    """

    row: SheetRow
    mode: Mode
    title: str
    quiet: bool = False

    @property
    def origin(self) -> str:
        return rows_address(self.title, self.row.row, self.row.more)


Taken: TypeAlias = tuple[Mode, int, SheetRow]  # the mode, whether it is quiet, and the row of a newcomer


class Newcomers:
    """The newcomers of a plan, in columns: there may be a million. Its length is how many came, also once they are taken.

    title: of their tab.
    """

    def __init__(self) -> None:
        self.title = ""
        self._rows: list[SheetRow] = []
        self._modes: list[Mode] = []
        self._quiet = bytearray()

    def __len__(self) -> int:
        return len(self._quiet)

    def __iter__(self) -> Iterator[Newcomer]:
        """Those that are not taken yet."""
        left = zip(self._rows, self._modes, self._quiet, strict=False)
        return (Newcomer(row, mode, self.title, bool(quiet)) for row, mode, quiet in left)

    def add(self, row: SheetRow, mode: Mode, *, quiet: bool) -> None:
        self._rows.append(row)
        self._modes.append(mode)
        self._quiet.append(quiet)

    def take(self) -> Iterator[Taken]:
        """Each in its turn, and gone from here."""
        rows, self._rows = self._rows[::-1], []
        return zip(self._modes, self._quiet, iter(rows.pop, None), strict=False)


class SheetChange(NamedTuple):
    """What the sheet says of an account from now on. since: None as of now.

    unread, doubted: bits of the metrics whose cells could not be read, and of those whose values are in doubt.
    """

    account_id: int
    counts: Values
    since: Stamp | None
    origin: str
    note: str | None
    unread: int = 0
    doubted: int = 0


class DayValue(NamedTuple):
    """What the snapshot of a day shows of a metric. at: the time of the snapshot, should there be none yet."""

    account_id: int
    day: date
    metric: Metric
    value: int | None
    at: datetime


class Withdrawal(NamedTuple):
    """From a day on the snapshots lose what they say of a metric, as far as it cannot follow the last credible value."""

    account_id: int
    metric: Metric
    since: date
    credible: int


class HeldChange(NamedTuple):
    """What happens to a held reading. id None: a new one is opened."""

    id: int | None
    account_id: int
    metric: Metric
    last_good: int | None
    origin: str | None
    holding: Holding


class PlannedChange(NamedTuple):
    """One line of a preview. `cell` is where the winning or offending value stands."""

    kind: Literal["add", "change", "remove", "return", "held", "skip"]
    profile_url: str
    metric: str | None = None
    old: int | None = None
    new: int | None = None
    winner: str | None = None
    reason: str | None = None
    cell: str | None = None


@dataclass
class Plan:
    """What to write of which account, by its id, and what to report.

    newcomers: taken out as they are written.
    described: the row as it describes the account now. silent: the sheet says nothing of these any more.
    accepted: the readings that are believed, and bits of those that are held; forgotten: there are none any more.
    counts: the merged ones that changed, what they were, and who won. letters: of the metrics' columns; empty where there
    is none. counted: accounts of which other metrics are known than before.
    replaced: metrics of today's snapshot that take another value, because too little is known to doubt either.
    doubted: what is kept aside of today. undoubted, timed: doubts that are over, the latter by nothing but time: (account
    id, place of the metric). restored: what the days of a doubt get. withdrawn: what was a slip after all. late: what days get
    where they have nothing, by readings that come in late.
    first: the project had no account before.
    settled: nothing depends on time, so while no input changes the next plan is empty.
    quiet: the accounts of which nothing is open or has to be said as long as they and their rows are as they are: (id,
    number of the row, 0 where it was not read).
    withheld: rows and cells that are not taken, for what is stored; `problems` has them too.
    read_rows: accounts in the tab as read. lost_rows: accounts that have no row any more. lost_values: per metric,
    in rows that are still there. stubbed: accounts without a row whose name the file may end within. cut: it may
    end within the cell of an account. earlier: accounts whose last row stands above the one that it was, in a file that
    does not end its last line; fewer: those of them that had several.
    """

    newcomers: Newcomers = field(default_factory=Newcomers)
    first: bool = False
    described: list[tuple[int, SheetRow, Mode]] = field(default_factory=list)
    sheet: list[SheetChange] = field(default_factory=list)
    silent: list[int] = field(default_factory=list)
    accepted: list[tuple[int, Values, int]] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    counts: list[Changed] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    letters: Sequence[str] = ()
    replaced: list[tuple[int, Metric, int | None]] = field(default_factory=list)
    doubted: list[DoubtedDay] = field(default_factory=list)
    undoubted: list[tuple[int, int]] = field(default_factory=list)
    timed: list[tuple[int, int]] = field(default_factory=list)
    restored: list[DayValue] = field(default_factory=list)
    withdrawn: list[Withdrawal] = field(default_factory=list)
    late: list[DayValue] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    held: list[HeldChange] = field(default_factory=list)
    total: int = 0
    settled: bool = True
    quiet: list[tuple[int, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skips: dict[SkipReason, int] = field(default_factory=dict)
    preview: list[PlannedChange] = field(default_factory=list)
    withheld: list[Problem] = field(default_factory=list)
    read_rows: int = 0
    lost_rows: int = 0
    lost_values: list[int] = field(default_factory=lambda: [0] * len(METRICS))
    stubbed: int = 0
    cut: bool = False
    earlier: int = 0
    fewer: int = 0

    def skip(self, reason: SkipReason) -> None:
        self.skips[reason] = self.skips.get(reason, 0) + 1

    @property
    def losses(self) -> Losses:
        return Losses(self.read_rows, self.lost_rows, self.lost_values)

    @property
    def added(self) -> int:
        """Accounts that come in, for the first time or again."""
        return len(self.newcomers) + len(self.returned)

    @property
    def changes_what_readers_see(self) -> bool:
        numbers = self.newcomers or self.described or self.counts or self.removed or self.returned
        days = (
            self.replaced
            or self.doubted
            or self.undoubted
            or self.timed
            or self.restored
            or self.withdrawn
            or self.late
        )
        reasons = self.sheet or self.silent or self.accepted or self.forgotten or self.held
        return bool(numbers or days or reasons)
