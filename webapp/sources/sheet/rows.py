"""What the rows of a tab say: one account each, five counts, and the cells that a person has to mend."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property, lru_cache
from operator import itemgetter

from webapp.errors import SourceError
from webapp.model import LARGEST, METRICS, Counts, Metric, Problem, Profile, SkipReason, larger
from webapp.rules.addresses import address, column_letters
from webapp.sources.blanks import MARKS
from webapp.sources.counts import NotACount, count_of
from webapp.sources.sheet import Cell, Grid
from webapp.sources.sheet.headers import Aliases, Header, find_header, identity
from webapp.sources.sheet.quotes import quote_cell
from webapp.sources.sheet.reading import SheetRow, TabReading
from webapp.sources.urls import BadProfile, platform_slug, profile_of

# Stored with the hash of a tab: raise it whenever the same cells come to mean something else, here, in the headers,
# in the counts or in the profile URLs. Tabs that have not changed are then read anew.
PARSER_VERSION = "2"

_LONGEST_TEXT = 255
_LONGEST_CLEAN = 2_048  # what an address may have; to normalise piled accents takes quadratic time
_MOST_PROBLEMS = 1_000

# Inside a text they may hold an emoji together.
_UNSEEN_ENDS = MARKS + "\u202e\xad"
_TOTAL = re.compile(
    r"[\W_]*(?:(?:grand|sub)[\s-]*)?(?:totals?|sum|average|avg|итого|итог|всего|сумма|среднее|разом)(?=[\s:=]|\Z)",
    re.IGNORECASE,
)
_LIKE_LINK = re.compile(r"[/@]|\A\s*\S*\.\S*\s*\Z")


def read_tab(
    rows: Grid,
    title: str,
    locale: str | None = None,
    aliases: Aliases | None = None,
) -> TabReading:
    """The accounts of a tab.

    rows: from row 1, ragged. locale: the spreadsheet's, like `de_DE`. aliases: more column names by meaning.

    Raises: SourceError `tab_empty`, `header_missing`, `header_unsure`.
    """
    return _Reader(rows, title, locale, find_header(rows, aliases, title)).read()


def has_header(rows: Grid, aliases: Aliases | None = None) -> bool:
    """Whether a tab is worth a project: it has a header that can be read."""
    try:
        find_header(rows, aliases)
    except SourceError:
        return False
    return True


class _Reader:
    """One tab being read. A column that the tab has not got reads as one that is blank."""

    def __init__(self, rows: Grid, title: str, locale: str | None, header: Header) -> None:
        self.rows = rows
        self.title = title
        self.locale = locale
        self.header = header
        self.columns = header.columns
        self.identity = header.columns[identity(header.columns)[-1]]  # names the account
        self.untracked = sum(1 << i for i, metric in enumerate(METRICS) if metric not in header.columns)
        self.found: dict[str, SheetRow] = {}
        self.places: dict[str, str] = {}  # what platform the row of an address of no platform names
        self.repeated: dict[str, list[int]] = {}
        self.skips: dict[SkipReason, int] = {}
        self.problems: list[Problem] = []
        self.unsaid = 0  # problems beyond those that are listed

    def read(self) -> TabReading:
        self._note_columns()
        self._read_rows()
        for key, more in self.repeated.items():
            self.found[key] = self.found[key]._replace(more=tuple(more))
        if self.unsaid:
            words = f"{self.title}: {self.unsaid} more problems, of which only the first {_MOST_PROBLEMS} are listed"
            self.problems.append(Problem("more_problems", words))
        letters: dict[Metric, str] = {m: column_letters(self.columns[m]) for m in METRICS if m in self.columns}
        return TabReading(self.title, self.found, letters, tuple(self.problems), self.skips)

    def _read_rows(self) -> None:
        columns, default, found = self.columns, self.header.platform, self.found
        # Every row is made longer than any column that is used, and ends in a blank cell: -1 is a blank column.
        blanks: tuple[Cell, ...] = (None,) * (max(columns.values()) + 2)
        meanings = ("url", "platform", "username", "owner", "topic", "status", *METRICS)
        first = next((columns[metric] for metric in METRICS if metric in columns), -1)
        pick = itemgetter(self.identity, first, *(columns.get(meaning, -1) for meaning in meanings))
        for number, row in enumerate(self.rows[self.header.row :], self.header.row + 1):
            named, probe, typed, platform, handle, owner, topic, status, *cells = pick((*row, *blanks))
            if type(probe) is str and not probe[:1].isdigit() and self.header.repeats(row):
                self._skip("no_url")
                continue
            place = (platform if isinstance(platform, str) else None) or default
            try:
                profile = profile_of(named, place)
            except BadProfile as why:
                second = self._second_look(number, row, handle, place, why)
                if second is None:
                    continue
                profile, typed = second, None
            if profile.platform == "other" and place and (slug := platform_slug(place)):
                own = self._by_columns(place, handle)
                if own is not None:
                    profile, typed = own, None
                elif self.places.setdefault(profile.url_key, slug) != slug:
                    self._refuse_shared(number, profile, named)
                    continue
            if handle is not None and handle != profile.username:
                profile = self._rename(number, profile, handle)
            unread = self._read_counts(number, cells)
            account = SheetRow(
                number,
                profile,
                Counts._make(cells),
                unread,
                _clean(typed) or profile.url,
                self._owner(number, owner),
                self._text(number, "topic", topic),
                self._text(number, "status", status),
            )
            if profile.url_key in found:
                self._repeat(account)
            else:
                found[profile.url_key] = account

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
                self._skip("invalid_number")
                words = f"{quote_cell(cell)} is not a count: it {why.message}"
                self._problem("invalid_number", number, self.columns[METRICS[i]], words)
        return unread

    def _count(self, cell: Cell) -> int | None:
        """Raises: NotACount."""
        if self.locale is None and type(cell) is str and cell[-1:].isalpha():
            return count_of(cell, english=self._is_english)
        return count_of(cell, self.locale)

    @cached_property
    def _is_english(self) -> bool:
        """Whether letters may be English: not beside `327,4B`, which nobody writes in a tab where `12 B` is."""
        columns = [self.columns[metric] for metric in METRICS if metric in self.columns]
        cells = (row[i] for row in self.rows[self.header.row :] for i in columns if i < len(row))
        return not any(type(cell) is str and cell[-1:].isalpha() and _has_foreign_letter(cell) for cell in cells)

    # Rows without a profile URL

    def _second_look(
        self, number: int, row: Sequence[Cell], handle: Cell, platform: str | None, why: BadProfile
    ) -> Profile | None:
        """The account of a row by its platform and handle; None when the row is none, which is noted."""
        column = self.identity
        named = row[column] if column < len(row) else None
        code = "no_url" if isinstance(named, bool) else why.code
        if code == "no_url" and platform and "url" in self.columns and _clean(handle):
            try:
                return profile_of(handle, platform)
            except BadProfile as again:
                code, why, named, column = again.code, again, handle, self.columns["username"]
        if self._is_blank(row):
            return None
        if self.header.repeats(row) or self._is_total(row) or self._is_title(row, named):
            self._skip("no_url")
        elif code == "no_url":
            self._skip("no_url")
            if self._has_counts(row):
                self._problem("no_url", number, self.identity, "a row with counts, but without a profile URL")
        else:
            self._skip(code)
            self._problem(code, number, column, f"{quote_cell(named)} {why.message}")
        return None

    def _cells_in_use(self, row: Sequence[Cell]) -> list[Cell]:
        return [row[i] for i in self.columns.values() if i < len(row)]

    def _is_blank(self, row: Sequence[Cell]) -> bool:
        """Whether no column that is read says anything; what stands beside the table does not matter."""
        return not any(_clean(cell) for cell in self._cells_in_use(row)) and not self._has_counts(row)

    def _has_counts(self, row: Sequence[Cell]) -> bool:
        """Whether a metric's cell has something in it, readable or not."""
        return any(_is_filled(row[i]) for m in METRICS if (i := self.columns.get(m)) is not None and i < len(row))

    def _is_total(self, row: Sequence[Cell]) -> bool:
        return any(isinstance(cell, str) and _TOTAL.match(cell) for cell in row)

    def _is_title(self, row: Sequence[Cell], named: Cell) -> bool:
        """Whether the row is nothing but a text that does not even try to be a link."""
        if not isinstance(named, str) or not _clean(named) or _LIKE_LINK.search(named):
            return False
        return sum(_clean(cell) is not None for cell in self._cells_in_use(row)) == 1

    @staticmethod
    def _by_columns(place: str, handle: Cell) -> Profile | None:
        """The account that platform and username name, where the address names none: a page of links, a shop."""
        if not _clean(handle):
            return None
        try:
            profile = profile_of(handle, place)
        except BadProfile:
            return None
        return None if profile.platform == "other" else profile

    def _refuse_shared(self, number: int, profile: Profile, named: Cell) -> None:
        """One address of no platform in rows of two platforms: these are two accounts, and it names neither."""
        self._skip("bad_url")
        words = f"{quote_cell(named)} stands in a row of {self.places[profile.url_key]} too and is a page of neither"
        self._problem("bad_url", number, self.identity, f"{words}; paste the link of the profile page")

    # Texts

    def _text(self, number: int, meaning: str, cell: Cell) -> str | None:
        text = _clean_again(cell) if type(cell) is str else _clean(cell)
        if text is None or len(text) <= _LONGEST_TEXT:
            return text
        words = f"{quote_cell(text)} is longer than {_LONGEST_TEXT} characters; the rest is left out"
        self._problem("too_long", number, self.columns[meaning], words)
        return text[:_LONGEST_TEXT].rstrip()

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

    def _repeat(self, again: SheetRow) -> None:
        """One account in two rows: the larger of each count, and the first text that is not blank."""
        key = again.profile.url_key
        first = self.found[key]
        counts = Counts._make(map(larger, first.counts, again.counts))
        known = sum(1 << i for i, count in enumerate(counts) if count is not None)
        self.found[key] = first._replace(
            counts=counts,
            unread=(first.unread | again.unread) & ~known,
            owner=first.owner or again.owner,
            topic=first.topic or again.topic,
            status=first.status or again.status,
        )
        self.repeated.setdefault(key, []).append(again.row)
        self._skip("duplicate_row")
        where = address(self.title, self.identity, first.row)
        words = f"the same account as {where}; the larger of each count is taken"
        self._problem("duplicate_row", again.row, self.identity, words)

    def _note_columns(self) -> None:
        row, title = self.header.row, self.title
        for meaning, columns in self.header.doubled.items():
            cells = " and ".join(address(title, column, row) for column in columns)
            words = f"{cells} may all be the {meaning} column; none of them is read until only one is left"
            self._add(Problem("header_duplicate", words, address(title, columns[-1], row)))
        for metric, column in self.header.near.items():
            name = quote_cell(self.rows[row - 1][column]).strip("'\"")
            cell = address("", column, row)
            words = f'{title}: no {metric} column; did you mean "{name}" ({cell})?'
            self._add(Problem("missing_column", words, address(title, column, row)))

    def _skip(self, reason: SkipReason) -> None:
        self.skips[reason] = self.skips.get(reason, 0) + 1

    def _problem(self, code: str, number: int, column: int, words: str) -> None:
        cell = address(self.title, column, number)
        self._add(Problem(code, f"{cell}: {words}", cell))

    def _add(self, problem: Problem) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.unsaid += 1


def _has_foreign_letter(cell: str) -> bool:
    try:
        count_of(cell)
    except NotACount as why:
        return why.code == "magnitude"
    return False


def _is_filled(cell: Cell) -> bool:
    try:
        return count_of(cell) is not None
    except NotACount:
        return True


def _clean(cell: Cell) -> str | None:
    """A cell as text that every database can keep, in single spaces; None for a blank one and for a checkbox."""
    if not isinstance(cell, str):
        return None if cell is None or isinstance(cell, bool) else _clean(_number_text(cell))
    text = " ".join(cell.split())
    if not text.isprintable():
        text = " ".join("".join(map(_storable, text)).split()).strip(_UNSEEN_ENDS)
    if text.isascii():
        return text or None
    return unicodedata.normalize("NFC", text[:_LONGEST_CLEAN]) or None


# Owners, topics and statuses come again and again.
_clean_again = lru_cache(maxsize=4_096)(_clean)


def _number_text(cell: object) -> str:
    """A number as the sheet shows it."""
    return f"{cell:.15g}" if isinstance(cell, float) else quote_cell(cell)


def _storable(sign: str) -> str:
    category = unicodedata.category(sign)
    return "" if category == "Cc" else "\ufffd" if category == "Cs" else sign
