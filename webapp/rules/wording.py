"""The problems that a sync finds, and what ends it, in words. Pure."""

from __future__ import annotations

from webapp.model import Metric, Problem


def unexpected(error: Exception) -> str:
    """What is said of a bug; its traceback is in the log."""
    return f"unexpected {type(error).__name__}; see the log"


def sheet_shrank(title: str, lost: int, known: int) -> Problem:
    return Problem(
        "sheet_shrank",
        f"{title}: {lost} of {known} accounts have lost their rows at once; nothing of the sheet was applied. "
        "Restore the rows, or sync with force=true if this is meant",
        title,
    )


def column_shrank(column: str, metric: Metric, lost: int, known: int) -> Problem:
    """column: its address, such as `Project A!D`."""
    return Problem(
        "column_shrank",
        f"{column}: {lost} of {known} values of {metric} have gone at once; nothing of the sheet was applied. "
        "Restore the column, or sync with force=true if this is meant",
        column,
    )


def column_gone(title: str, metric: Metric, name: str | None, letter: str, headers: str) -> Problem:
    """name, letter: of its column when it was last read. headers: those that are there."""
    called = f"{name!r} ({letter})" if name else letter
    return Problem(
        "column_gone",
        f"{title}: the column of {metric}, {called}, has gone; its last values stay and make no history. The headers "
        f"are now: {headers}. Give the column its name back, name it in SMART_SYNC_COLUMNS, or sync with force=true "
        "if it is meant to be gone",
        title,
    )


def duplicate_row(cell: str, first: str) -> Problem:
    """cell, first: of the account's names."""
    return Problem("duplicate_row", f"{cell}: the same account as {first}; the larger of each count is taken", cell)


def implausible_value(cell: str, value: int, before: int | None) -> Problem:
    return Problem(
        "implausible_value",
        f"{cell}: {value} is far off the {before} before; it is shown, but history waits until a reading agrees, it has "
        "stood for 48 hours or somebody accepts it; please check the cell",
        cell,
    )


def lower_edit_ignored(cell: str, value: int, current: int) -> Problem:
    return Problem(
        "lower_edit_ignored",
        f"{cell}: {value} was typed, but the platform says {current} and the larger value wins; "
        "pin the value or set the project's policy to `sheet` to keep it",
        cell,
    )


def held_reading(profile_url: str, metric: Metric, value: int, origin: str | None, good: int | None) -> Problem:
    return Problem(
        "held",
        f"{profile_url}: {metric} {value} ({origin or 'reading'}) is far off the last good {good}; it is held until "
        "it is accepted, confirmed by two later readings or a day old",
    )


def cut_cell(cell: str, value: object) -> Problem:
    return Problem(
        "cut_cell",
        f"{cell}: the file ends with {'a blank' if value is None else repr(value)}, which may be the beginning of more; the last good value stays. End the "
        "file with a line end, or sync with force=true if this is meant",
        cell,
    )


def cut_first(cell: str, value: object) -> Problem:
    return Problem(
        "cut_cell",
        f"{cell}: the file ends with {value!r} and not with a line end, as it did: it may be the beginning of more, and is "
        "not read. End the file with a line end, or sync with force=true if this is meant",
        cell,
    )


def cut_name(title: str, lost: int) -> Problem:
    return Problem(
        "cut_file",
        f"{title}: {lost} accounts have no row any more, and the file ends within what may be the beginning of their "
        "names; nothing of it was applied. End it with a line end, or sync with force=true if this is meant",
        title,
    )


_UNFINISHED = (
    "the file does not end its last line: it may not be written to its end yet; nothing of it was applied. End it with "
    "a line end, or sync with force=true if it is"
)


def cut_file(title: str, lost: int) -> Problem:
    return Problem(
        "cut_file",
        f"{title}: {lost} accounts have no row any more, and {_UNFINISHED}",
        title,
    )


def cut_log(title: str, earlier: int) -> Problem:
    return Problem(
        "cut_file",
        f"{title}: the latest rows of {earlier} accounts have gone, and {_UNFINISHED}",
        title,
    )


def unmatched_row(origin: str, typed: str) -> Problem:
    return Problem(
        "unmatched",
        f"{origin}: {typed} is no account of the project, and new rows are not taken (SMART_SYNC_DISCOVER=false)",
        origin,
    )
