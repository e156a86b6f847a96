"""Several rows of one account: a slip, or a log that has a row for every day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from datetime import datetime, time, timedelta
from itertools import islice

from webapp.model import METRICS, Counts, Problem
from webapp.rules import wording
from webapp.rules.addresses import address
from webapp.rules.growth import mask_of
from webapp.sources.dates import ORDERS, Order, hour_of, is_part_of_date, is_written_date, likely_orders, moment_of
from webapp.sources.sheet import Cell, Grid
from webapp.sources.sheet.finder import AccountFinder
from webapp.sources.sheet.headers import Header
from webapp.sources.sheet.notes import Notes
from webapp.sources.sheet.quotes import quote_cell
from webapp.sources.sheet.reading import SheetRow
from webapp.sources.sheet.texts import clean

NO_DATE, TWO_DATES = "is no date that can be read", "can be read as more than one date"
UNTITLED = "is not above all rows of the account; write a date above the first ones too"
FUTURE, WRITE = "is a date of the future", "; write it as 2026-03-04"
MIDNIGHT = time()
DAY = timedelta(days=1)
_ALL = (1 << len(METRICS)) - 1


class Repeats:
    """Makes one row of several. finder: what found them."""

    def __init__(self, rows: Grid, header: Header, finder: AccountFinder, locale: str | None, notes: Notes) -> None:
        self._rows = rows
        self._header = header
        self._finder = finder
        self._dates: int | None = None  # the column of the date of a row
        self._above: dict[int, Cell] = {}  # dates that stand above their rows, by the number of the row
        self._is_titled = False  # whether they stand there alone
        self._times: int | None = None  # the column of its hour, where that is another one
        self._end: datetime | None = None  # from when on dates are slips
        self.waits = False  # counts are left out whose day may come
        self._locale = locale
        self._notes = notes
        self._found: dict[str, list[SheetRow]] = {}

    def add(self, first: SheetRow, again: SheetRow) -> None:
        """first: of the account, as it was found."""
        self._found.setdefault(first.profile.url_key, [first]).append(again)

    def resolve(self, now: datetime) -> Iterator[tuple[str, SheetRow | None]]:
        """The key and the one row of each account that has several, in the order in which they came; None: none is its."""
        self._found = {key: self._finder.rows_of_one(rows, self._rows) for key, rows in self._found.items()}
        self._dates = self._find_dates()
        self._above = self._find_above()
        if self._dates is None:
            self._dates, self._above = self._find_titles()
            self._is_titled = self._dates is not None
        self._times = self._find_times()
        self._end = self._find_end(now)
        orders = self._orders()
        logged = 0
        for key, rows in self._found.items():
            if len(rows) <= 1:
                yield key, next(iter(rows), None)
                continue
            is_log = self._dates is not None and any(map(self._is_dated, rows))
            is_untitled = is_log and any(self._above.get(row.row, "") is None for row in rows)
            logged += is_log and not is_untitled
            if is_untitled:
                yield key, self._refuse(rows, UNTITLED)
            elif is_log:
                yield key, self._newest(rows, orders)
            else:
                yield key, self._refuse(rows, f"{NO_DATE}{WRITE}") if self._are_days(rows) else self._largest(rows)
        if logged:
            self._note_log(logged)

    def _find_dates(self) -> int | None:
        """The column called so, of several the one with the most moments; or the only other one that may be meant.

        None where it tells no rows of an account apart. Days go before weeks and months that tell no more rows apart, and
        so does another date before a column that tells fewer and is of weeks or months, or of no moments: `46`. Of several
        others any will do by which the rows of each account come in one order.
        """
        found = [column for column in self._header.dated if self._steps(column)]
        if "date" in self._header.columns:
            column = self._header.columns["date"]
            steps = self._steps(column)
            is_rough = not steps or column in self._header.spans
            return found[0] if is_rough and len(found) == 1 and self._steps(found[0]) > steps else column
        if dates := self._header.dates:
            counts = [self._steps(column) for column in dates]
            most = [column for column, count in zip(dates, counts, strict=True) if count == max(counts)]
            days = [column for column in most if column not in self._header.spans] or most
            return days[0] if not any(counts) or self._agree(days) else None
        found = found or [i for i in self._others() if self._holds_dates(i) and self._steps(i)]
        return found[0] if found and self._agree(found) else None

    def _agree(self, columns: Sequence[int]) -> bool:
        """Whether the rows of each account come in one order by all of these columns, however their dates are read."""
        if len(columns) == 1:
            return True
        cells = {column: [self._cell(row, column) for row in self._repeated()] for column in columns}
        ways = [(column, order) for column in columns for order in likely_orders(cells[column], self._locale)]
        found = ({self._in_order(rows, *way) for way in ways} for rows in self._found.values())
        return all(len(orders) == 1 and None not in orders for orders in found)

    def _in_order(self, rows: Sequence[SheetRow], column: int, order: Order) -> tuple[int, ...] | None:
        """The rows by their dates; None where one has none."""
        dated = [(moment_of(self._cell(row, column), order), row.row) for row in rows]
        known = [(moment, number) for moment, number in dated if moment is not None]
        return tuple(number for _, number in sorted(known)) if len(known) == len(dated) else None

    def _others(self) -> list[int]:
        """The columns without a meaning, those without a name too; not those whose name is of other dates."""
        taken = {*self._header.used, *self._header.undated, *self._header.dated}
        width = max((len(self._rows[row.row - 1]) for row in self._repeated()), default=0)
        return [i for i in range(width) if i not in taken]

    def _holds_dates(self, column: int) -> bool:
        """Whether there are dates in it, as texts, and nothing else: a number may be anything."""
        cells = [cell for row in self._repeated() if clean(cell := self._cell(row, column))]
        return all(isinstance(cell, str) and is_written_date(cell) for cell in cells)

    def _find_above(self) -> dict[int, Cell]:
        """For rows whose date is blank the one above, as where cells are merged; once for each account."""
        column = self._dates
        if column is None or column in self._header.dated or all(clean(self._date(row)) for row in self._repeated()):
            return {}
        below = enumerate(islice(self._rows, self._header.row, None), self._header.row + 1)
        dated = [0, *(number for number, row in below if column < len(row) and clean(row[column]))]
        found: dict[int, Cell] = {}
        for rows in self._found.values():
            begun = {0}
            for row in rows:
                begin = dated[bisect_right(dated, row.row) - 1]
                if begin not in begun:
                    found[row.row] = self._rows[begin - 1][column]
                begun.add(begin)
        return found

    def _find_titles(self) -> tuple[int | None, dict[int, Cell]]:
        """The column of dates that stand alone above their rows, also above the header or beside its names, and these by
        the number of the row.

        Nothing where no account has rows below several. A row below none has no date.
        """
        end = max((row.row for row in self._repeated()), default=0)
        counted = self._counted()
        above = enumerate(islice(self._rows, end), 1)
        titles = {n: title for n, row in above if (title := _lone_date(row, counted) or self._date_beside(row))}
        numbers = [0, *titles]
        found = {row.row: numbers[bisect_right(numbers, row.row) - 1] for row in self._repeated()}
        if all(len({found[row.row] for row in rows}) <= 1 for rows in self._found.values()):
            return None, {}
        column = next(column for column, _ in titles.values())
        return column, {row: titles[number][1] if number else None for row, number in found.items()}

    def _date_beside(self, row: Sequence[Cell]) -> tuple[int, Cell] | None:
        """Where it stands, and the only date, among the names of a header."""
        if not self._header.repeats(row):
            return None
        found = [(i, cell) for i, cell in enumerate(row) if isinstance(cell, str) and _is_title(cell)]
        return found[0] if len(found) == 1 else None

    def _counted(self) -> set[int]:
        """The columns of metrics, and those in which accounts have numbers: alone in a row a number there is a sum.

        In a file they are texts.
        """
        metrics = {column for metric in METRICS if (column := self._header.columns.get(metric)) is not None}
        rows = (self._rows[row.row - 1] for row in self._repeated())
        return metrics | {
            i for row in rows for i, cell in enumerate(row) if isinstance(cell, (int, float)) or _is_number(cell)
        }

    def _repeated(self) -> Iterator[SheetRow]:
        return (row for rows in self._found.values() for row in rows)

    def _find_times(self) -> int | None:
        """The only column beside the dates in which each repeated row has an hour."""
        repeated = [*self._repeated()]
        others = (i for i in self._header.dated if i != self._dates)
        found = [i for i in others if all(hour_of(self._cell(row, i)) is not None for row in repeated)]
        return found[0] if len(found) == 1 else None

    def _find_end(self, now: datetime) -> datetime | None:
        """The day after tomorrow; None where no date is before it: not all of them are slips, rather our clock is wrong."""
        end = datetime.combine(now.date(), MIDNIGHT) + 2 * DAY
        rows = self._repeated() if self._dates is not None else ()
        moments = (self._when(row, order) for row in rows for order in ORDERS)
        return end if any(moment is not None and moment < end for moment in moments) else None

    def _is_dated(self, row: SheetRow) -> bool:
        return any(self._when(row, order) is not None for order in ORDERS)

    def _steps(self, column: int) -> int:
        """How many moments it names beyond one for each account."""
        cells = [[self._cell(row, column) for row in rows] for rows in self._found.values()]
        moments = (max(len({moment_of(cell, order) for cell in one} - {None}) for order in ORDERS) for one in cells)
        return sum(max(count - 1, 0) for count in moments)

    def _are_days(self, rows: Sequence[SheetRow]) -> bool:
        """Whether what is called a date, or stands above rows, says something else of some, though nothing that is a
        date: `24.11.`, `46`, `Week 46`. Of the same counts it does not matter which is the newest."""
        if len({row.counts for row in rows}) == 1:
            return False
        if not self._is_titled and self._dates not in {self._header.columns.get("date", -1), *self._header.dates}:
            return False
        said = {clean(self._date(row)) for row in rows}
        return len(said) > 1 and (self._is_titled or None not in said)

    def _orders(self) -> Sequence[Order]:
        if self._dates is None:
            return ()
        orders = likely_orders((self._date(row) for row in self._repeated()), self._locale)
        # 12/11 in November is a day of November, and none of December to come.
        slips = {order: sum(self._is_future(self._when(row, order)) for row in self._repeated()) for order in orders}
        return tuple(order for order in orders if slips[order] == min(slips.values()))

    def _date(self, row: SheetRow) -> Cell:
        assert self._dates is not None  # noqa: S101  asked where there is a column
        return self._above[row.row] if row.row in self._above else self._cell(row, self._dates)

    def _cell(self, row: SheetRow, column: int) -> Cell:
        cells = self._rows[row.row - 1]
        return cells[column] if column < len(cells) else None

    def _moment(self, row: SheetRow, order: Order) -> datetime | None:
        """When the row is of; None for what is no date, and for one of the future."""
        moment = self._when(row, order)
        return None if self._is_future(moment) else moment

    def _is_future(self, moment: datetime | None) -> bool:
        return moment is not None and self._end is not None and moment >= self._end

    def _when(self, row: SheetRow, order: Order) -> datetime | None:
        moment = moment_of(self._date(row), order)
        if moment is None or self._times is None or moment.time() != MIDNIGHT:
            return moment
        return moment + (hour_of(self._cell(row, self._times)) or timedelta())

    # A slip

    def _largest(self, rows: Sequence[SheetRow], *, note: bool = True) -> SheetRow:
        """The larger of each count, the first text that is not blank. note: a problem for each row after the first."""
        result, *others = rows
        for again in others:
            result = result.with_repeat(again)
            if note:
                self._note_duplicate(again, rows[0])
        return result

    def _note_duplicate(self, row: SheetRow, first: SheetRow) -> None:
        self._notes.skip("duplicate_row")
        cells = (address(self._notes.title, self._finder.column, one.row) for one in (row, first))
        self._notes.add(wording.duplicate_row(*cells))

    # A log

    def _newest(self, rows: Sequence[SheetRow], orders: Sequence[Order]) -> SheetRow:
        """The row of the latest date; what it leaves blank is what it was on the latest day that says it."""
        results = [self._newest_by(rows, order) for order in orders]
        if not results or any(result != results[0] for result in results):
            return self._refuse(rows, f"{TWO_DATES}{WRITE}")
        if results[0] is None:
            self.waits = True
            return self._refuse(rows, FUTURE)
        self._note_days(rows, orders[0])
        return results[0]

    def _newest_by(self, rows: Sequence[SheetRow], order: Order) -> SheetRow | None:
        days: dict[datetime, list[SheetRow]] = {}
        for row in rows:
            moment = self._moment(row, order)
            if moment is not None:
                days.setdefault(moment, []).append(row)
        if not days:
            return None
        newest, *older = (self._largest(days[moment], note=False) for moment in sorted(days, reverse=True))
        for row in older:
            newest = _lay_over(newest, row)
        return newest

    def _refuse(self, rows: Sequence[SheetRow], why: str) -> SheetRow:
        """Nobody can tell which row is the newest: the account is there, and its counts stay as they were."""
        for row in rows:
            cell = self._date(row)
            words = "the date is missing" if cell is None else f"{quote_cell(cell)} {why}"
            self._notes.add_at("invalid_date", row.row, self._dates or 0, words)
        last = rows[-1]
        return last._replace(counts=Counts(), unread=last.unread | _ALL)

    def _note_days(self, rows: Sequence[SheetRow], order: Order) -> None:
        """Rows without a date, and rows of one date."""
        days: dict[datetime, SheetRow] = {}
        for row in rows:
            moment = self._moment(row, order)
            if moment is None:
                self._note_undated(row, order)
            elif moment in days:
                self._note_duplicate(row, days[moment])
            else:
                days[moment] = row

    def _note_undated(self, row: SheetRow, order: Order) -> None:
        """Nothing of a day that is only planned."""
        cell = self._date(row)
        words = f"{quote_cell(cell)} {NO_DATE}" if clean(cell) else "the date is missing"
        if self._is_future(self._when(row, order)):
            self.waits |= row.counts != Counts()
            words = f"{quote_cell(cell)} {FUTURE}" if row.counts != Counts() else ""
        if words:
            self._notes.add_at("invalid_date", row.row, self._dates or 0, f"{words}; the row is left out")

    def _note_log(self, accounts: int) -> None:
        noun = "account has" if accounts == 1 else "accounts have"
        words = f"{self._notes.title}: {accounts} {noun} a row for each date; the row of the latest date is taken"
        self._notes.add(Problem("log_layout", words, None))


def _lone_date(row: Sequence[Cell], counted: Container[int]) -> tuple[int, Cell] | None:
    """Where it stands, and the date or as much of it as is written, where a row has nothing else. counted: columns in which a number is a sum."""
    filled = [(column, cell) for column, cell in enumerate(row) if cell not in {None, ""}]
    column, cell = filled[0] if len(filled) == 1 else (0, None)
    if isinstance(cell, str):
        is_sum = column in counted and not any(map(str.isalpha, cell)) and not is_written_date(cell)
        return (column, cell) if _is_title(cell) and not is_sum else None
    return (column, cell) if column not in counted and moment_of(cell, ORDERS[0]) else None


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.strip().replace(".", "", 1).isdecimal()


def _is_title(text: str) -> bool:
    return is_written_date(text) or is_part_of_date(text)


def _lay_over(newer: SheetRow, older: SheetRow) -> SheetRow:
    """What the newer row says, and the older one where the newer is blank; a cell that is unread is not blank."""
    counts = Counts._make(
        old if new is None and not newer.unread >> i & 1 else new
        for i, (new, old) in enumerate(zip(newer.counts, older.counts, strict=True))
    )
    blank = _ALL & ~newer.unread & ~mask_of(newer.counts)
    theirs = [new != old for new, old in zip(counts, newer.counts, strict=True)]
    places, unread = newer.places_beside(older, theirs), newer.unread | (older.unread & blank)
    more = (*newer.more, older.row, *older.more) if any(theirs) or unread != newer.unread else newer.more
    return newer.with_texts(older)._replace(counts=counts, unread=unread, more=more, places=places)
