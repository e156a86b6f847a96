"""What the rows of a tab say: one account each, five counts, and the cells that a person has to mend."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from operator import itemgetter

from webapp.clock import Budget
from webapp.model import LARGEST, METRICS, Counts, Metric, Problem, Profile, SkipReason
from webapp.rules.addresses import address, column_letters
from webapp.sources.counts import COMPUTE, NOT_COMPUTED, NotACount, count_of, has_letter
from webapp.sources.sheet import UNLIMITED, Cell, Grid
from webapp.sources.sheet.finder import AccountFinder, by_columns, names_account
from webapp.sources.sheet.headers import Header, find_header
from webapp.sources.sheet.limits import in_time
from webapp.sources.sheet.notes import Notes
from webapp.sources.sheet.quotes import quote_cell
from webapp.sources.sheet.reading import TEXTS, SheetRow, TabReading
from webapp.sources.sheet.repeats import Repeats
from webapp.sources.sheet.shape import Ruler
from webapp.sources.sheet.table import Table
from webapp.sources.sheet.texts import UNREADABLE, clean, clean_again
from webapp.sources.sheet.vocabulary import Aliases
from webapp.sources.urls import BadProfile, is_host, profile_of

# Stored with the hash of a tab: raise it whenever the same cells come to mean something else, here, in the headers,
# in the counts or in the profile URLs. Tabs that have not changed are then read anew.
PARSER_VERSION = "6"

_LONGEST_TEXT = 255
# What nobody writes who means English letters: one behind a decimal comma, and words of languages where M or B is other.
_FOREIGN = re.compile(
    r"\d[,，]\d{1,2}\s*(?:[kmbw]|[mb]n|billions?)\b|\d\s*(?:bin|milyon|milyar|jt|juta|rb|ribu|miliar)\b", re.IGNORECASE
)
REFUSED: tuple[SkipReason, ...] = ("bad_url", "unknown_platform")  # why a row names no account that is understood


def read_tab(
    rows: Grid,
    title: str,
    locale: str | None = None,
    aliases: Aliases | None = None,
    budget: Budget = UNLIMITED,
    *,
    header: Header | None = None,
    only: Sequence[int] | None = None,
) -> TabReading:
    """The accounts of a tab.

    rows: from row 1, ragged. locale: the spreadsheet's, like `de_DE`. aliases: more column names by meaning. header:
    where it is known already. only: the numbers of the rows to read, rising, where the others are known to be of an
    account each, and not odd.

    Raises: SourceError `tab_empty`, `header_missing`, `header_unsure`; OutOfTime.
    """
    return _Reader(rows, title, locale, header or find_header(rows, aliases, title), only).read(budget)


class _Reader:
    """One tab being read. A column that the tab has not got reads as one that is blank."""

    def __init__(self, rows: Grid, title: str, locale: str | None, header: Header, only: Sequence[int] | None) -> None:
        self.rows = rows
        self.only = only
        self.locale = locale
        self.header = header
        self.columns = header.columns
        self.notes = Notes(title)
        self.finder = AccountFinder(header, self.notes)
        self.repeats = Repeats(rows, header, self.finder, locale, self.notes)
        self.found: dict[str, SheetRow] = {}
        self.untracked = sum(1 << i for i, metric in enumerate(METRICS) if metric not in header.columns)
        self.malformed = 0
        self.stops = False
        self.unread_texts = 0  # bits of the row that is read
        self.odd: set[str] = set()
        self.noted = 0  # how much was noted before the row that is read
        self.is_odd = False  # whether the row that is read means what it means because of other rows
        self.platform = header.platform  # whose bare handles stand in it
        self.is_foreign = False  # whether it stands below the header of another table
        self.divided = False

    def read(self, budget: Budget) -> TabReading:
        self._note_columns()
        self._read_rows(budget)
        for key, row in in_time(self.repeats.resolve(budget.clock.now()), self.notes.title, budget):
            if row is None:
                del self.found[key]
            else:
                self.found[key] = row
        notes, columns = self.notes, self.columns
        letters: dict[Metric, str] = {m: column_letters(columns[m]) for m in METRICS if m in columns}
        ended = self.rows.ended if isinstance(self.rows, Table) else True
        texts = [clean(cell) or "" for cell in self.rows[self.header.row - 1]]
        return TabReading(
            notes.title,
            self.found,
            letters,
            notes.problems(),
            notes.skips,
            torn=self.finder.torn,
            unusable=self.finder.nameless + self.malformed + sum(notes.skips.get(code, 0) for code in REFUSED),
            ended=ended,
            loose=None if ended else self._loose(),
            stub=None if ended else self._stub(),
            stops=self.stops,
            waits=self.repeats.waits,
            divided=self.divided,
            headers=tuple(filter(None, texts)),
            names={m: texts[columns[m]] for m in letters},
            others={column_letters(i): text for i, text in enumerate(texts) if text and i not in self.header.used},
            named_in=column_letters(self.finder.column),
            odd=self.odd,
            unread=0 if self.only is None else len(self.rows) - self.header.row - len(self._numbers(self.only)),
        )

    def _loose(self) -> tuple[str, str] | None:
        """Whose last cell is the last one of all, and what it means."""
        last = len(self.rows[-1]) - 1
        meaning = next((meaning for meaning in (*METRICS, *TEXTS) if self.columns.get(meaning) == last), None)
        key = next((key for key, row in self.found.items() if len(self.rows) in {row.row, *row.more}), None)
        return (key, meaning) if key is not None and meaning is not None else None

    def _stub(self) -> str | None:
        """What stands in the last cell of all, where that is the name of an account."""
        last = self.rows[-1]
        return clean(last[-1]) or "" if len(last) - 1 == self.finder.column else None

    def _read_rows(self, budget: Budget) -> None:
        columns = self.columns
        # Every row is made longer than any column that is used, and ends in a blank cell: -1 is a blank column.
        blanks: tuple[Cell, ...] = (None,) * (max(columns.values()) + 2)
        meanings = ("url", "platform", "username", "owner", "topic", "status", *METRICS)
        first = next((columns[metric] for metric in METRICS if metric in columns), -1)
        pick = itemgetter(self.finder.column, first, *(columns.get(meaning, -1) for meaning in meanings))
        for number, row in self._whole_rows(budget):
            self.is_odd, self.noted = self.platform != self.header.platform, self.notes.count
            named, probe, typed, platform, handle, owner, topic, status, *cells = pick((*row, *blanks))
            if type(probe) is str and not probe[:1].isdigit() and self.header.repeats(row):
                self.notes.skip("no_url")
                self._begin_table(number, row)
                continue
            if self.is_foreign:
                is_account = names_account(self.header, row)
                self.malformed += is_account
                self.finder.torn |= is_account
                continue
            place = (platform if isinstance(platform, str) else None) or self.platform
            try:
                profile: Profile | None = profile_of(named, place)
            except BadProfile as why:
                profile, typed = self.finder.second_look(number, row, handle, place, why), None
                self.is_odd = True
            if profile is None:
                if self.header.repeats(row) or self._names_others(number, row):
                    self._begin_table(number, row)
                continue
            if place and (profile.platform == "other" or (self.platform is None and is_host(named))):
                known = by_columns(profile, handle, place)
                profile, typed = known, typed if known.url_key == profile.url_key else None
                self.is_odd = True
            if handle is not None and handle != profile.username:
                profile = self._rename(number, profile, handle)
            unread = self._read_counts(number, cells)
            account = SheetRow(
                number,
                profile,
                Counts._make(cells),
                unread,
                profile.url if typed == profile.url else clean(typed) or profile.url,
                None if owner is None else self._owner(number, owner),
                None if topic is None else self._text(number, "topic", topic),
                None if status is None else self._text(number, "status", status),
            )
            if self.unread_texts:
                account = account._replace(unread=unread | self.unread_texts)
                self.unread_texts = 0
            self._add(account)

    def _names_others(self, number: int, row: Sequence[Cell]) -> bool:
        """Whether the row is the header of numbers of other things, below accounts; some of them may be left unread."""
        is_below = bool(self.found) or self._has_unread_above(number)
        return is_below and self.header.names_others(row, self.rows[number - 2])

    def _has_unread_above(self, number: int) -> bool:
        if self.only is None:
            return False
        read = bisect_left(self.only, number) - bisect_right(self.only, self.header.row)
        return read < number - self.header.row - 1

    def _begin_table(self, number: int, row: Sequence[Cell]) -> None:
        """A header again. What stands below one with other columns is not what our header says."""
        column = (
            None if number == self.header.row + 1 else self.header.foreign_column(row)
        )  # its second line may differ
        self.is_foreign = column is not None
        self.platform = self.header.platform_below(row)
        self.divided |= self.is_foreign or self.platform != self.header.platform
        if column is not None:
            ours = address("", column, self.header.row)
            words = f"{quote_cell(row[column])} begins another table, since it is not what {ours} says; nothing below it is read"
            self.notes.add_at("other_table", number, column, f"{words} until that table has a tab of its own")

    def _add(self, account: SheetRow) -> None:
        key = account.profile.url_key
        if self.is_odd or self.notes.count != self.noted:
            self.odd.add(key)
        if key in self.found:
            self.odd.add(key)
            self.repeats.add(self.found[key], self._without_end(account))
        else:
            self.found[key] = account

    def _without_end(self, account: SheetRow) -> SheetRow:
        """The row with the count unread that a file ends before: what an older row says would be taken for it."""
        if not isinstance(self.rows, Table) or self.rows.ended or account.row < len(self.rows):
            return account
        last = len(self.rows[-1]) - 1
        bits = sum(1 << i for i, m in enumerate(METRICS) if self.columns.get(m) == last and account.counts[i] is None)
        return account._replace(unread=account.unread | bits)

    def _whole_rows(self, budget: Budget) -> Iterable[tuple[int, Sequence[Cell]]]:
        """The rows below the header with their numbers, without blank ones and without those whose cells have shifted, which is noted."""
        if self.only is not None:
            numbers = in_time(self._numbers(self.only), self.notes.title, budget)
            return ((number, row) for number in numbers if (row := self.rows[number - 1]))
        timed = in_time(islice(self.rows, self.header.row, None), self.notes.title, budget)
        numbered = ((number, row) for number, row in enumerate(timed, self.header.row + 1) if row)
        return self._ruled(self.rows, numbered) if isinstance(self.rows, Table) else numbered

    def _numbers(self, only: Sequence[int]) -> Sequence[int]:
        """Those below the header."""
        return only[bisect_right(only, self.header.row) :]

    def _ruled(self, table: Table, rows: Iterable[tuple[int, Sequence[Cell]]]) -> Iterator[tuple[int, Sequence[Cell]]]:
        ruler = Ruler(table, self.header)
        for number, row in rows:
            words = ruler.fault(number, table[number - 1])
            if words is None:
                yield number, row
            else:
                self.finder.torn = True
                self.malformed += 1
                self.notes.add_at("malformed_row", number, 0, f"{words}; the row is not read")
        self.stops = ruler.stops

    # Counts

    def _read_counts(self, number: int, cells: list[Cell]) -> int:
        """Turns the metrics' cells into counts, in place; answers the bits of those that are unread."""
        unread = self.untracked
        for i, cell in enumerate(cells):
            if (type(cell) is int and 0 <= cell <= LARGEST) or cell is None:
                continue
            try:
                cells[i] = self._count(cell)
            except NotACount as why:
                cells[i] = None
                unread |= 1 << i
                self.notes.skip("invalid_number")
                words = f"{quote_cell(cell)} is not a count: it {why.message}"
                self.notes.add_at("invalid_number", number, self.columns[METRICS[i]], words)
        return unread

    def _count(self, cell: Cell) -> int | None:
        """Raises: NotACount."""
        if self.locale is None and type(cell) is str and has_letter(cell):
            self.is_odd = True
            return count_of(cell, english=self._is_english)
        return count_of(cell, self.locale)

    @cached_property
    def _is_english(self) -> bool:
        """Whether letters may be English: not beside `327,4B` or `5 bin`, which nobody writes in a tab where `12 B` is."""
        columns = [self.columns[metric] for metric in METRICS if metric in self.columns]
        cells = (row[i] for row in self.rows[self.header.row :] for i in columns if i < len(row))
        return not any(type(cell) is str and _FOREIGN.search(cell) for cell in cells)

    # Texts

    def _text(self, number: int, meaning: str, cell: Cell) -> str | None:
        text = clean_again(cell) if type(cell) is str else clean(cell)
        if text is None or (len(text) <= _LONGEST_TEXT and text not in UNREADABLE):
            return text
        if text in UNREADABLE:
            self._note_unread(number, meaning, text)
            return None
        words = f"{quote_cell(text)} is longer than {_LONGEST_TEXT} characters; the rest is left out"
        self.notes.add_at("too_long", number, self.columns[meaning], words)
        return text[:_LONGEST_TEXT].rstrip()

    def _note_unread(self, number: int, meaning: str, text: str) -> None:
        if meaning in TEXTS:
            self.unread_texts |= 1 << (len(METRICS) + TEXTS.index(meaning))
        fix = f" ({COMPUTE})" if text == NOT_COMPUTED else ""
        words = f"{text!r} is no {meaning}: it is a formula without a result{fix}; the last one stays"
        self.notes.add_at("invalid_text", number, self.columns[meaning], words)

    def _owner(self, number: int, cell: Cell) -> str | None:
        """One person is one text, with or without the @."""
        text = self._text(number, "owner", cell)
        return (text.removeprefix("@").lstrip() or None) if text else None

    def _rename(self, number: int, profile: Profile, cell: Cell) -> Profile:
        """The profile by the name that people gave it; a link in its place gives none."""
        text = self._text(number, "username", cell)
        name = text.removeprefix("@").lstrip() if text else None
        if not name or name == profile.username or "/" in name:
            return profile
        return profile._replace(username=name)

    # What is noted

    def _note_columns(self) -> None:
        row, title = self.header.row, self.notes.title
        for meaning, columns in self.header.doubled.items():
            cells = " and ".join(address(title, column, row) for column in columns)
            words = f"{cells} may all be the {meaning} column; none of them is read until only one is left"
            self.notes.add(Problem("header_duplicate", words, address(title, columns[-1], row)))
        for metric, (line, column) in self.header.partial.items():
            cell, said = address(title, column, line), quote_cell(self.rows[line - 1][column])
            words = f"{cell}: {said} says that the {metric} in this column are no whole counts; they are not read"
            self.notes.add(Problem("missing_column", f"{words} until it is gone", cell))
        for metric, column in self.header.near.items():
            name = quote_cell(self.rows[row - 1][column]).strip("'\"")
            cell = address("", column, row)
            words = f'{title}: no {metric} column; did you mean "{name}" ({cell})?'
            self.notes.add(Problem("missing_column", words, address(title, column, row)))
