"""The problems of a tab by kind: what each is called, and what somebody can do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from webapp.rules.sorting import group_by

WAITING = ("held", "implausible_value")  # listed by themselves, with what somebody may decide


class ProblemKind(NamedTuple):
    """title: of several. advice: a sentence."""

    title: str
    advice: str


SHRUNK = "Restore what has gone, or sync with force if it is meant."
CUT = "Save the file to its end, with a line end behind the last line."
KINDS: Mapping[str, ProblemKind] = {
    "sheet_shrank": ProblemKind("Rows that have gone at once", SHRUNK),
    "column_shrank": ProblemKind("Values that have gone at once", SHRUNK),
    "column_gone": ProblemKind("A column has gone", "Give the column its name back, or name it in SMART_SYNC_COLUMNS."),
    "cut_file": ProblemKind("A file that is not whole", CUT),
    "cut_cell": ProblemKind("A file that is not whole", CUT),
    "malformed_row": ProblemKind("Rows that do not fit their header", "Give each row as many cells as the header has."),
    "other_table": ProblemKind("A tab of two tables", "Give each table a tab of its own, or both the same columns."),
    "invalid_number": ProblemKind(
        "Cells that are no count", "Type one whole number; until then the last good value stays."
    ),
    "bad_url": ProblemKind("Addresses that are no profile", "Paste the address of the profile page."),
    "no_url": ProblemKind("Rows without an address", "Paste the address of the profile page."),
    "unknown_platform": ProblemKind("Names on no known platform", "Paste the address of the profile page."),
    "duplicate_row": ProblemKind(
        "Accounts that stand twice", "Keep one row of each; until then the larger count is taken."
    ),
    "lower_edit_ignored": ProblemKind(
        "Smaller values that were typed", "Pin the value on the account's page if it is right and the platform is not."
    ),
    "invalid_text": ProblemKind("Texts that cannot be read", "Type the text; until then the last one stays."),
    "invalid_date": ProblemKind("Dates that cannot be read", "Type the date as 2026-03-02."),
    "header_duplicate": ProblemKind("Columns with one meaning", "Rename all but one of them."),
    "missing_column": ProblemKind(
        "Columns that may be misspelt", "Give the column its name, or name it in SMART_SYNC_COLUMNS."
    ),
    "too_long": ProblemKind("Texts that are too long", "Shorten them; until then they are cut."),
    "unmatched": ProblemKind("Rows that are no account", "Add the account, or take the row out."),
    "log_layout": ProblemKind(
        "A tab that is a log", "Nothing has to be done: the latest date of each account is taken."
    ),
    "held": ProblemKind("Readings that wait", "Accept or reject them on the project's page."),
    "implausible_value": ProblemKind("Values in doubt", "Check the cells, or accept the values on the project's page."),
}
OTHERS = ProblemKind("Others", "Mend what the words say.")


def kinds_of(problems: Iterable[Mapping[str, Any]]) -> list[tuple[ProblemKind, list[Mapping[str, Any]]]]:
    """The problems by kind, in the order of KINDS; of one kind as they came."""
    found = group_by(problems, lambda problem: KINDS.get(str(problem["code"]), OTHERS))
    order = [*dict.fromkeys(KINDS.values()), OTHERS]
    return [(kind, found[kind]) for kind in order if kind in found]
