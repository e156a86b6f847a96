"""Which row of a tab is its header, and what each of its columns means."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from webapp.errors import SourceError
from webapp.model import METRICS, Metric
from webapp.rules.addresses import address
from webapp.sources.blanks import BLANKS
from webapp.sources.counts import NotACount, count_of
from webapp.sources.magnitudes import magnitude_of
from webapp.sources.sheet import Cell, Grid
from webapp.sources.sheet.quotes import quote_cell
from webapp.sources.sheet.reading import TEXTS
from webapp.sources.sheet.vocabulary import (
    AMOUNT,
    ARROWS,
    BESIDE_A_UNIT,
    COUNTED,
    DATED,
    DATES,
    DENIES,
    DOWN,
    FILLERS,
    FORBIDS,
    IN_UNITS,
    KNOWN,
    MONEY,
    OF_ELSE,
    OF_PAYMENTS,
    OF_SPAN,
    OF_SPANS,
    OTHERS,
    PARTIAL,
    SPEAKING,
    STATES,
    SUM,
    TOTAL,
    UNITS,
    URL_WORDS,
    VALUE,
    WHOLE,
    YEAR,
    Aliases,
)
from webapp.sources.urls import platform_slug

_SEARCHED = 10  # rows from the top in which a header may stand
_LONGEST_NAME = 200  # characters; anything longer is a note, not a name
_LISTED = 12  # cells of a row that a message repeats
_LOOSE = (*TEXTS, "date")
_ALIKE = 0.8  # difflib's ratio from which a name may be a slip of the pen


@dataclass(frozen=True)
class Header:
    """What the columns of a tab mean.

    row: as the sheet shows it, from 1.
    columns: the column, from 0, of url, platform, username, owner, topic, status, date and the metrics that have one.
    doubled: meanings that more than one column claims, with these columns; none of them is used.
    near: for a metric without a column the one whose name may be meant for it.
    partial: metrics of which a cell above or below the name says that the numbers are no whole counts, with its row, from
    1, and column; none of them is used.
    dates: columns that are called a date, where there are several: `Date`, `Day`. spans: of these the weeks, months and
    quarters.
    dated: columns without a meaning whose name says that they may be of the date of the row: `Last update`.
    undated: columns whose name says that a date there is of something else: `Created`.
    platform: whose bare handles stand in the url column, if its name says so: `TikTok URL`.
    chosen: meanings by the normal form of the names that were added to ours.
    """

    row: int
    columns: Mapping[str, int]
    doubled: Mapping[str, tuple[int, ...]]
    near: Mapping[Metric, int]
    partial: Mapping[Metric, tuple[int, int]] = field(default_factory=dict)
    dates: tuple[int, ...] = ()
    spans: tuple[int, ...] = ()
    dated: tuple[int, ...] = ()
    undated: tuple[int, ...] = ()
    platform: str | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def used(self) -> set[int]:
        """The columns that have a meaning."""
        doubled = (column for columns in self.doubled.values() for column in columns)
        return {*self.columns.values(), *(column for _, column in self.partial.values()), *doubled}

    def repeats(self, row: Sequence[Cell]) -> bool:
        """Whether a row names columns where an account and at least one of its counts should stand."""
        return any(self._names(row, m) for m in METRICS) and all(self._names(row, m) for m in identity(self.columns))

    def names_others(self, row: Sequence[Cell], above: Sequence[Cell]) -> bool:
        """Whether a row has words where counts should stand, another one in each column: the names of other columns.

        above: the row before. One such word is none of a header where rows stand right above it. Neither are those of a
        row that names no account as ours does, but where each of our metrics has one: a title may be so long. Those right
        below our names, once more, are their second line. What says why a count is missing is no name, nor is a handle or
        a word for a total.
        """
        filled = [row[i] for metric in METRICS if _is_filled(row, i := self.columns.get(metric, len(row)))]
        if not filled or len({*map(_normal, filled)}) < len(filled) or not all(map(_is_word, filled)):
            return False
        if any(map(_is_state, filled)):
            return False
        if self.repeats(above):
            return False
        is_apart = sum(map(_is_seen, above)) <= 1
        if all(self._names(row, meaning) for meaning in identity(self.columns)):
            return is_apart or len(filled) > 1
        is_full = 1 < len(filled) == sum(metric in self.columns for metric in METRICS)
        return is_apart and is_full and all(self._may_be_name(row, m) for m in identity(self.columns))

    def _may_be_name(self, row: Sequence[Cell], meaning: str) -> bool:
        column = self.columns[meaning]
        if not _is_filled(row, column):
            return False
        cell = row[column]
        return not is_total(cell) and not (isinstance(cell, str) and cell.lstrip().startswith("@"))

    def foreign_column(self, row: Sequence[Cell]) -> int | None:
        """The first column to which a row that names columns again gives another meaning.

        Where a text stands, which tells no numbers, what is no name of ours may be the title of the rows below.
        """
        names = [_normal(cell) for cell in row]
        meant = [_meaning(name, self.chosen) for name in names]
        ours = sorted((column, meaning) for meaning, column in self.columns.items() if column < len(names))
        others = (i for i, meaning in ours if names[i] and meant[i] != meaning and (meant[i] or meaning not in _LOOSE))
        return next(others, None)

    def platform_below(self, row: Sequence[Cell]) -> str | None:
        """The platform of bare handles below a row that names columns again."""
        url = self.columns.get("url")
        return (None if url is None else _platform(_normal(row[url]))) or self.platform

    def _names(self, row: Sequence[Cell], meaning: str) -> bool:
        column = self.columns.get(meaning)
        cell = row[column] if column is not None and column < len(row) else None
        # A number is no name; to look at it no further keeps files fast, where every cell is text.
        return isinstance(cell, str) and not cell[:1].isdigit() and bool(_meaning(_normal(cell), self.chosen))


def identity(meanings: Container[str]) -> tuple[str, ...]:
    """The meanings that name an account: its URL, or a platform and, last, a username."""
    return ("url",) if "url" in meanings else ("platform", "username")


def find_header(rows: Grid, aliases: Aliases | None = None, title: str = "") -> Header:
    """The header among the first 10 rows: it names a profile URL (or platform and username) and at least one metric.

    aliases: more names by meaning; where one of them stands in the row, the built-in names of its meaning do not count.
    title: the tab's, for the words of an error.

    Raises: SourceError `tab_empty`; `header_missing`; `header_unsure` when two columns may name the account.
    """
    chosen = _meanings_by_name(aliases or {})
    for number, row in enumerate(rows[:_SEARCHED], 1):
        names = [_normal(cell) for cell in row]
        found = _meanings(names, chosen)
        if _is_enough(found):
            _check_identity(found, number, row, title)
            found |= _merged(found, row, rows[number : number + 1])
            partial = _partial(found, number, rows)
            _check_units(rows[: number - 1], partial.values(), title)
            return _header(number, names, found, chosen, partial)
    raise _missing(rows, chosen, title)


def has_foreign_header(rows: Grid, aliases: Aliases | None = None) -> bool:
    """Whether there is a header, and one of the names that make it one is not plain ASCII."""
    chosen = _meanings_by_name(aliases or {})
    for row in rows[:_SEARCHED]:
        names = [_normal(cell) for cell in row]
        if _is_enough(_meanings(names, chosen)):
            return any(not name.isascii() and _meaning(name, chosen) for name in names)
    return False


def fitness(rows: Grid, aliases: Aliases | None = None) -> int:
    """How many columns with a meaning there are in the row that is most like a header; 0 if it is no header at all."""
    chosen = _meanings_by_name(aliases or {})
    found = (_meanings(map(_normal, row), chosen) for row in rows[:_SEARCHED])
    return max((sum(map(len, meanings.values())) for meanings in found if _is_enough(meanings)), default=0)


def _normal(cell: object) -> str:
    """A name as it is compared; nothing for what is no name."""
    return _fold(cell) if isinstance(cell, str) and len(cell) <= _LONGEST_NAME else ""


@lru_cache(maxsize=1024)
def _fold(text: str) -> str:
    """Letters and digits in one case, single spaces, and `@` if it comes first."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(map(_letter, folded))
    name = " ".join(letters.replace("@", " ").split())
    return f"@{name}" if name and letters.lstrip().startswith("@") else name


def _letter(sign: str) -> str:
    """The sign itself, nothing for what is not seen, a space for punctuation and pictures."""
    category = unicodedata.category(sign)
    if category == "Cf" or "\ufe00" <= sign <= "\ufe0f":
        return ""
    return sign if sign in SPEAKING or category[0] in "LN" or category in {"Mn", "Mc", "Sc"} else " "


def _meanings_by_name(aliases: Aliases) -> dict[str, str]:
    return {_normal(name): meaning for meaning, names in aliases.items() for name in names}


_MEANINGS = _meanings_by_name(KNOWN)
_NAMES = {metric: [_normal(name) for name in KNOWN[metric]] for metric in METRICS}
_NEVER = frozenset(map(_normal, OTHERS))
_SPANS = frozenset(map(_normal, OF_SPANS))


def _meanings(names: Iterable[str], chosen: Mapping[str, str]) -> dict[str, list[int]]:
    """The columns that claim each meaning."""
    ours: dict[str, list[int]] = {}
    added: dict[str, list[int]] = {}
    arrows: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        if meaning := _meaning(name, chosen):
            (added if name in chosen else ours).setdefault(meaning, []).append(column)
        bare = _without_arrows(name)
        if bare != name not in chosen and (meaning := _meaning(bare, chosen)):
            arrows.setdefault(meaning, []).append(column)
    found = ours | added
    sole = {m: _sorted(columns, arrows.get(m, ())) if m in METRICS else columns for m, columns in found.items()}
    return {meaning: columns for meaning, columns in sole.items() if columns}


def _sorted(columns: list[int], arrows: Sequence[int]) -> list[int]:
    """Without those that have an arrow in their name, where others have the name too: they are of changes."""
    return columns if columns == [*arrows] and len(columns) == 1 else [i for i in columns if i not in arrows]


def _meaning(name: str, chosen: Mapping[str, str]) -> str | None:
    """A count with an arrow in its name is a change, but for one behind it that points down: a table is sorted by it."""
    meaning = (name and (chosen.get(name) or _MEANINGS.get(name) or (_platform(name) and "url"))) or None
    if meaning or (bare := _without_arrows(name)) == name:
        return meaning
    meaning = _meaning(bare, chosen)
    is_sorted = name.startswith(bare) and not set(DOWN).isdisjoint(name)
    return meaning if meaning not in METRICS or is_sorted else None


def _without_arrows(name: str) -> str:
    return name if name.isascii() else name.strip(ARROWS + " ")


def _platform(name: str) -> str | None:
    """The platform of `tiktok url` or `ссылка на тикток`."""
    words = name.split()
    if URL_WORDS.isdisjoint(words):
        return None
    return platform_slug(" ".join(word for word in words if word not in URL_WORDS and word not in FILLERS))


def _is_enough(found: Mapping[str, object]) -> bool:
    return all(meaning in found for meaning in identity(found)) and any(metric in found for metric in METRICS)


def _merged(found: Mapping[str, Sequence[int]], row: Sequence[Cell], below: Grid) -> dict[str, list[int]]:
    """The metrics whose name is merged over several columns, each of which has a name of its own below it, with these.

    A share or a change among them is none of the counts.
    """
    under = below[0] if below else ()
    if any(_is_filled(under, found[meaning][0]) for meaning in identity(found)) or _is_sum(under):
        return {}
    spans = {metric: _span(found[metric][0], row, under) for metric in METRICS if len(found.get(metric, ())) == 1}
    return {metric: span for metric, span in spans.items() if span != found[metric]}


def _span(column: int, row: Sequence[Cell], under: Sequence[Cell]) -> list[int]:
    """A number that has a text beside it is no name: the row has lost its account, and its note is in nobody's column."""
    end = column + 1
    while _is_filled(under, end - 1) and _is_filled(under, end) and not _is_filled(row, end):
        if _is_number(under[column]) and not (_is_number(under[end]) or is_total(under[end])):
            break
        end += 1
    span = range(column, end)
    return [i for i in span if i < len(under) and SPEAKING.isdisjoint(_normal(under[i]))] or [*span]


def _partial(found: Mapping[str, Sequence[int]], number: int, rows: Grid) -> dict[Metric, tuple[int, int]]:
    """The metrics with a unit above their name, or a unit, a change or a share below it, where no account stands there."""
    columns = {metric: found[metric][0] for metric in METRICS if len(found.get(metric, ())) == 1}
    above = rows[number - 2] if number > 1 else ()
    partial = {m: (number - 1, i) for m, i in columns.items() if _is_filled(above, i) and _is_unit(above[i])}
    under = next(iter(rows[number : number + 1]), ())
    if any(_is_filled(under, i) and not _meaning(_normal(under[i]), {}) for m in identity(found) for i in found[m]):
        return partial
    said = {m: under[i] for m, i in columns.items() if _is_filled(under, i) and not _meaning(_normal(under[i]), {})}
    below = (metric for metric, cell in said.items() if _is_unit(cell) or _is_part(cell))
    return partial | {metric: (number + 1, columns[metric]) for metric in below}


def _is_unit(cell: Cell) -> bool:
    """Whether a text says what numbers are counted in: `(K)`, `in thousands`, `тыс. чел.`."""
    name = _normal(cell)
    if name in UNITS and not (isinstance(cell, str) and cell.strip(BLANKS).isdigit()):
        return True
    words = [word for word in name.split() if word not in BESIDE_A_UNIT]
    return len(words) == 1 and magnitude_of(words[0], None) is not None


def _is_part(cell: Cell) -> bool:
    """Whether a text is of a change, of a share or of a mean: `growth`, `%`, `new this week`."""
    name = _normal(cell)
    words = name.split()
    if not words or _is_count(cell) or _is_value(str(cell)) or (_is_arrows(name) and not set(DOWN).isdisjoint(name)):
        return False
    if not SPEAKING.isdisjoint(SUM.sub(" ", name.lstrip("@"))) or words[0] in PARTIAL:
        return True
    return words[-1] in PARTIAL and DENIES.isdisjoint(words)


def _is_value(text: str) -> bool:
    return VALUE.fullmatch(text) is not None and not YEAR.fullmatch(text)


def _is_arrows(name: str) -> bool:
    return not _without_arrows(name)


def _check_units(above: Grid, known: Container[tuple[int, int]], title: str) -> None:
    """Raises: SourceError where a line above the header says that all numbers are thousands, or millions.

    known: row and column of cells that say so of one metric.
    """
    for number, row in enumerate(above, 1):
        for column, cell in enumerate(row):
            if not isinstance(cell, str) or len(cell) > _LONGEST_NAME or (number, column) in known:
                continue
            if _is_in_units(cell, row[column + 1 :]):
                raise SourceError(
                    f"{address(title, column, number)} {quote_cell(cell)} says that the numbers are no whole counts; "
                    "nothing of the tab is read",
                    code="header_unsure",
                    hint="write all the digits, and take that line out",
                )


def _is_in_units(text: str, behind: Sequence[Cell]) -> bool:
    """Whether a line makes thousands of all numbers, and not of money or of the one that stands behind it."""
    found = IN_UNITS.search(text)
    if found is None or FORBIDS.search(text, 0, found.start()):
        return False
    if MONEY.search(text) and not COUNTED.search(text):
        return False
    beside = next(filter(_is_seen, behind), "")
    return not (found.start() > 0 and _is_amount(beside))


def _is_amount(cell: Cell) -> bool:
    """Whether it is a number, and hardly that of a date."""
    return AMOUNT.fullmatch(cell) is not None if isinstance(cell, str) else not any(cell in dates for dates in DATES)


def _is_count(cell: Cell) -> bool:
    try:
        count_of(cell)
    except NotACount:
        return False
    return True


def _is_word(cell: Cell) -> bool:
    """Whether it is a text without digits that is no link and says nothing about a count, as the name of a column does."""
    if not isinstance(cell, str) or len(cell) > _LONGEST_NAME or "://" in cell or any(map(str.isdigit, cell)):
        return False
    try:
        count_of(cell)
    except NotACount as why:
        return why.code in {"not_a_number", "too_long"}
    return False


def _is_state(cell: Cell) -> bool:
    """Whether it says why a count is missing."""
    text = cell.strip(BLANKS + ".!") if isinstance(cell, str) else ""
    is_name = text[:1].isupper() and text.capitalize() in OF_PAYMENTS
    return text.casefold() in STATES and not is_name


def _is_sum(row: Sequence[Cell]) -> bool:
    """Whether a row has a word for a total in front of numbers and of no other text."""
    label, *others = [*filter(_is_seen, row)] or [None]
    return is_total(label) and all(not isinstance(cell, str) or any(map(str.isdigit, cell)) for cell in others)


def is_total(cell: Cell) -> bool:
    """Whether a text begins with a word for a total."""
    return isinstance(cell, str) and TOTAL.match(cell) is not None


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, str) or cell.strip()[:1].isdigit()


def _is_filled(row: Sequence[Cell], column: int) -> bool:
    return column < len(row) and _is_seen(row[column])


def _check_identity(found: Mapping[str, Sequence[int]], number: int, row: Sequence[Cell], title: str) -> None:
    for meaning in identity(found):
        if len(found[meaning]) > 1:
            cells = " and ".join(f"{address(title, i, number)} {quote_cell(row[i])}" for i in found[meaning][:_LISTED])
            noun = "profile URL" if meaning == "url" else meaning
            raise SourceError(
                f"{cells} may all be the {noun} column; nothing of the tab is read",
                code="header_unsure",
                hint=f"rename all but one, or name it in SMART_SYNC_COLUMNS ({meaning}=...)",
            )


def _header(
    number: int,
    names: Sequence[str],
    found: Mapping[str, Sequence[int]],
    chosen: Mapping[str, str],
    partial: Mapping[Metric, tuple[int, int]],
) -> Header:
    used = {column for columns in found.values() for column in columns}
    others = {name: i for i, name in enumerate(names) if name and i not in used and name not in _NEVER}
    unknown = {name: i for name, i in others.items() if SPEAKING.isdisjoint(name)}
    dated = {name: i for name, i in others.items() if SPEAKING.isdisjoint(_without_arrows(name))}
    columns = {m: columns[0] for m, columns in found.items() if len(columns) == 1 and m not in partial}
    marked = {bare: i for i, name in enumerate(names) if (bare := _bare(name)) != name}
    return Header(
        row=number,
        columns=columns,
        # Two dates say nothing of each row's own, and a tab that is no log does without.
        doubled={m: tuple(columns) for m, columns in found.items() if len(columns) > 1 and m != "date"},
        near={m: i for m in METRICS if m not in found and (i := _near(_NAMES[m], unknown, marked)) is not None},
        partial=partial,
        dates=tuple(found.get("date", ())) if len(found.get("date", ())) > 1 else (),
        spans=tuple(i for i in found.get("date", ()) if names[i] in _SPANS),
        dated=tuple(
            i for name, i in dated.items() if OF_SPAN.match(name) or (DATED.search(name) and not OF_ELSE.search(name))
        ),
        undated=tuple(i for i, name in enumerate(names) if OF_ELSE.search(name) and not OF_SPAN.match(name)),
        platform=_platform(names[columns["url"]]) if "url" in columns else None,
        chosen=chosen,
    )


def _bare(name: str) -> str:
    """The name without a plus behind it, an arrow or a word for all of it."""
    return " ".join(word for word in _without_arrows(name.rstrip("+")).split() if word not in WHOLE)


def _near(wanted: Sequence[str], unknown: Mapping[str, int], marked: Mapping[str, int]) -> int | None:
    """The column of the unknown name that is most like one of the wanted ones, if any is like them at all.

    marked: other names without what stands beside them: `Followers+`, `Followers (total)`.
    """
    name = max(
        (name for word in wanted for name in difflib.get_close_matches(word, unknown, 1, _ALIKE)),
        key=lambda name: max(difflib.SequenceMatcher(None, name, word).ratio() for word in wanted),
        default=None,
    )
    return unknown[name] if name is not None else next((marked[word] for word in wanted if word in marked), None)


def _missing(rows: Grid, chosen: Mapping[str, str], title: str) -> SourceError:
    """Why there is no header: the row that comes nearest to one, or the first that is not empty, against what is due."""
    where = f"{title}: " if title else ""
    full = ((number, row) for number, row in enumerate(rows, 1) if any(map(_is_seen, row)))
    first = next(full, None)
    if first is None:
        return SourceError(f"{where}the tab is empty", code="tab_empty", hint="fill in a header row and the accounts")
    searched = [first, *((number, row) for number, row in full if number <= _SEARCHED)]
    number, row = max(searched, key=lambda r: len(_meanings(map(_normal, r[1]), chosen)))
    cells = [quote_cell(cell) for cell in row if _is_seen(cell)]
    more = f" and {len(cells) - _LISTED} more" if len(cells) > _LISTED else ""
    return SourceError(
        f"{where}no header in the first {_SEARCHED} rows; row {number} has {', '.join(cells[:_LISTED])}{more}; "
        "expected a profile URL column (Link, URL, Account URL, Profile URL, TikTok URL, Ссылка) or Platform and "
        "Username, and at least one of Followers, Likes, Comments, Videos, Views",
        code="header_missing",
        hint="rename the columns, or name them in SMART_SYNC_COLUMNS",
    )


def _is_seen(cell: object) -> bool:
    return bool(cell.strip(BLANKS)) if isinstance(cell, str) else cell is not None
