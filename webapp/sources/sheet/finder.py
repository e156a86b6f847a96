"""Whose row it is: the account that the cells of a row name, or why they name none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from webapp.model import METRICS, Profile
from webapp.sources.counts import COMPUTE, NOT_COMPUTED, NotACount, count_of
from webapp.sources.dates import ORDERS, is_written_date, moment_of
from webapp.sources.sheet import Cell, Grid
from webapp.sources.sheet.headers import Header, identity, is_total
from webapp.sources.sheet.notes import Notes
from webapp.sources.sheet.quotes import quote_cell
from webapp.sources.sheet.reading import SheetRow
from webapp.sources.sheet.texts import UNREADABLE, clean
from webapp.sources.urls import PLATFORMS, BadProfile, is_host, platform_slug, profile_of


def names_account(header: Header, row: Sequence[Cell]) -> bool:
    """Whether the cells of a row, by themselves, name an account."""
    columns = header.columns
    column, platform = columns[identity(columns)[-1]], columns.get("platform", len(row))
    place = row[platform] if platform < len(row) else None
    try:
        profile_of(row[column] if column < len(row) else None, place if isinstance(place, str) else header.platform)
    except BadProfile:
        return False
    return True


def number_of_counts(header: Header, row: Sequence[Cell]) -> int | None:
    """In how many metrics' cells a count is; None where something else is in one."""
    cells = [row[header.columns[metric]] for metric in METRICS if header.columns.get(metric, len(row)) < len(row)]
    try:
        return sum(count_of(cell) is not None for cell in cells)
    except NotACount:
        return None


class _Claim(NamedTuple):
    """Whose a row is by its own words: what names the account, the platform by its slug if it is known, the handle."""

    named: Cell
    place: str | None
    handle: str | None


class AccountFinder:
    """torn: some row could not be told whose it is, so that nobody knows who has no row.

    nameless: rows with a count above 0 and nothing that names an account.
    """

    def __init__(self, header: Header, notes: Notes) -> None:
        self.torn = False
        self.nameless = 0
        self.column = header.columns[identity(header.columns)[-1]]  # names the account
        self._header = header
        self._notes = notes
        self._used = [column for meaning, column in header.columns.items() if meaning != "date"]
        self._metrics = [header.columns[metric] for metric in METRICS if metric in header.columns]

    def second_look(
        self, number: int, row: Sequence[Cell], handle: Cell, place: str | None, why: BadProfile
    ) -> Profile | None:
        """The account of a row whose link names none, by platform and handle; None when they do not, which is noted."""
        column = self.column
        named = row[column] if column < len(row) else None
        if NOT_COMPUTED in (named, handle, place):
            self._refuse_uncomputed(number, row)
            return None
        self.torn |= isinstance(named, str) and named in UNREADABLE
        code = "no_url" if isinstance(named, bool) else why.code
        if (why.leads_on or is_host(named)) and place and (own := _profile_of_handle(handle, place)):
            return own
        if code == "no_url" and place and "url" in self._header.columns and clean(handle):
            try:
                return profile_of(handle, place)
            except BadProfile as again:
                code, why, named, column = again.code, again, handle, self._header.columns["username"]
        if self._is_blank(row):
            return None
        self._notes.skip("no_url" if self._is_furniture(row, named) else code)
        if self._is_furniture(row, named):
            return None
        if code == "no_url":
            if self._has_counts(row):
                self.nameless += self._counts_something(row)
                self._notes.add_at("no_url", number, self.column, "a row with counts, but without a profile URL")
        else:
            self._notes.add_at(code, number, column, f"{quote_cell(named)} {why.message}")
        return None

    def rows_of_one(self, rows: Sequence[SheetRow], grid: Grid) -> list[SheetRow]:
        """Of rows with one account those that do not say beside the link that they are somebody else's, which is noted."""
        if not {"platform", "username"} & self._header.columns.keys():
            return [*rows]
        faults = _faults([self._claim(grid[row.row - 1]) for row in rows], rows[0].profile.platform)
        for row, words in zip(rows, faults, strict=True):
            if words:
                self._notes.skip("bad_url")
                self._notes.add_at("bad_url", row.row, self.column, f"{words}; paste the link of the profile page")
        return [row for row, words in zip(rows, faults, strict=True) if not words]

    def _claim(self, row: Sequence[Cell]) -> _Claim:
        columns = self._header.columns
        platform, handle, named = (
            row[i] if i < len(row) else None
            for i in (columns.get("platform", len(row)), columns.get("username", len(row)), self.column)
        )
        place = clean(platform) or self._header.platform
        text = (clean(handle) or "").removeprefix("@").casefold()
        return _Claim(
            named,
            place and (platform_slug(place) or place.casefold()),
            text if any(map(str.isalnum, text)) else None,
        )

    def _refuse_uncomputed(self, number: int, row: Sequence[Cell]) -> None:
        self.torn = True
        self._notes.skip("bad_url")
        column = next(i for i in self._used if i < len(row) and row[i] == NOT_COMPUTED)
        words = f"the account is a formula whose result is not in the file ({COMPUTE})"
        self._notes.add_at("bad_url", number, column, words)

    def _cells_in_use(self, row: Sequence[Cell]) -> list[Cell]:
        return [row[i] for i in self._used if i < len(row)]

    def _is_blank(self, row: Sequence[Cell]) -> bool:
        """Whether no column that is read says anything; what stands beside the table does not matter."""
        return not any(clean(cell) for cell in self._cells_in_use(row)) and not self._has_counts(row)

    def _has_counts(self, row: Sequence[Cell]) -> bool:
        """Whether a metric's cell has something in it, readable or not."""
        return any(_is_filled(row[i]) for i in self._metrics if i < len(row))

    def _counts_something(self, row: Sequence[Cell]) -> bool:
        """The same, without the zeros that formulas fill rows with which nobody uses yet."""
        return any(_is_filled(row[i]) and row[i] not in (0, "0") for i in self._metrics if i < len(row))

    def _is_furniture(self, row: Sequence[Cell], named: Cell) -> bool:
        """Whether the row is of no account at all: a header again, a total, a title."""
        return self._header.repeats(row) or any(map(is_total, row)) or self._is_title(row, named)

    def _is_title(self, row: Sequence[Cell], named: Cell) -> bool:
        """Whether the row is nothing but a date, or a text that does not even try to be a link."""
        if not clean(named) or not _may_be_title(named):
            return False
        return sum(clean(cell) is not None for cell in self._cells_in_use(row)) == 1


def _faults(claims: Sequence[_Claim], platform: str) -> list[str]:
    """Why each of the rows with one address is not of its account; nothing where it may be.

    platform: the address's. A page of a platform is not of rows that name others, unless all name the same; what they
    call its account is up to them. A page of none, and a site, is of the first row that says whose it is.
    """
    place = _first(claim.place for claim in claims)
    handle = _first(claim.handle for claim in claims if claim.place in {None, place})
    kinds = {(claim.place, claim.place != platform and claim.handle) for claim in claims if claim.place in PLATFORMS}
    return [
        _rivalry(claim, place, handle)
        if platform == "other" or is_host(claim.named)
        else _strangeness(claim, platform)
        if len(kinds) > 1
        else ""
        for claim in claims
    ]


def _rivalry(claim: _Claim, place: str | None, handle: str | None) -> str:
    rival = ""
    if claim.place and place and claim.place != place:
        rival = place
    elif claim.handle and handle and claim.handle != handle:
        rival = handle
    return rival and f"{quote_cell(claim.named)} stands in a row of {rival} too and is not the page of both"


def _strangeness(claim: _Claim, platform: str) -> str:
    if claim.place not in PLATFORMS or claim.place == platform:
        return ""
    return f"{quote_cell(claim.named)} is a page of {platform}, not of {claim.place}"


def _first(texts: Iterable[str | None]) -> str | None:
    return next(filter(None, texts), None)


def by_columns(profile: Profile, handle: Cell, place: str) -> Profile:
    """The account of a row whose link is of no platform, such as a page of links, or a site alone.

    Platform and handle name it, where they do, else the link.
    """
    return (_profile_of_handle(handle, place) if platform_slug(place) else None) or profile


def _profile_of_handle(handle: Cell, place: str) -> Profile | None:
    if not clean(handle):
        return None
    try:
        profile = profile_of(handle, place)
    except BadProfile:
        return None
    return None if profile.platform == "other" else profile


def _may_be_title(cell: Cell) -> bool:
    if not isinstance(cell, str):
        return moment_of(cell, ORDERS[0]) is not None
    return not _is_like_link(cell) or is_written_date(cell)


def _is_like_link(text: str) -> bool:
    """Whether it is a path or an address, or one word with a point in it."""
    return "/" in text or "@" in text or ("." in text and len(text.split()) == 1)


def _is_filled(cell: Cell) -> bool:
    try:
        return count_of(cell) is not None
    except NotACount:
        return True
