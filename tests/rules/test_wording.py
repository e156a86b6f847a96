"""What a problem says, and where it points to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from webapp.model import Problem
from webapp.rules import wording

HEADERS = "A Name, B Views"


@pytest.mark.parametrize(
    ("tell", "facts", "code", "words", "cell"),
    [
        (wording.sheet_shrank, ("P", 11, 12), "sheet_shrank", "P: 11 of 12 accounts have lost", "P"),
        (wording.column_shrank, ("P!D", "likes", 9, 12), "column_shrank", "P!D: 9 of 12 values of likes have", "P!D"),
        (wording.column_gone, ("P", "likes", "Hi", "D", HEADERS), "column_gone", "of likes, 'Hi' (D), has gone", "P"),
        (wording.column_gone, ("P", "likes", None, "D", HEADERS), "column_gone", "of likes, D, has gone", "P"),
        (wording.column_gone, ("P", "likes", None, "D", HEADERS), "column_gone", f"now: {HEADERS}. Give", "P"),
        (
            wording.duplicate_row,
            ("P!A3", "P!A2"),
            "duplicate_row",
            "P!A3: the same account as P!A2; the larger",
            "P!A3",
        ),
        (wording.implausible_value, ("P!D2", 9, 900), "implausible_value", "P!D2: 9 is far off the 900 before", "P!D2"),
        (wording.lower_edit_ignored, ("P!D2", 8, 9), "lower_edit_ignored", "P!D2: 8 was typed, but", "P!D2"),
        (wording.lower_edit_ignored, ("P!D2", 8, 9), "lower_edit_ignored", "the platform says 9 and", "P!D2"),
        (
            wording.held_reading,
            ("u", "views", 9, "bot", 900),
            "held",
            "u: views 9 (bot) is far off the last good 900; it",
            None,
        ),
        (wording.held_reading, ("u", "views", 9, None, 900), "held", "u: views 9 (reading) is far off", None),
        (wording.cut_cell, ("P!D2", 12), "cut_cell", "P!D2: the file ends with 12, which may be", "P!D2"),
        (wording.cut_cell, ("P!D2", None), "cut_cell", "P!D2: the file ends with a blank, which may be", "P!D2"),
        (wording.cut_first, ("P!D2", "12"), "cut_cell", "P!D2: the file ends with '12' and not with", "P!D2"),
        (wording.cut_name, ("P", 2), "cut_file", "P: 2 accounts have no row any more, and the file ends within", "P"),
        (wording.cut_file, ("P", 2), "cut_file", "P: 2 accounts have no row any more, and the file does not", "P"),
        (wording.cut_log, ("P", 2), "cut_file", "P: the latest rows of 2 accounts have gone, and the file", "P"),
        (wording.unmatched_row, ("P!A9", "@who"), "unmatched", "P!A9: @who is no account of the project", "P!A9"),
    ],
)
def test_a_problem_names_its_place_and_what_is_wrong(
    tell: Callable[..., Problem], facts: tuple[Any, ...], code: str, words: str, cell: str | None
) -> None:
    problem = tell(*facts)

    assert (problem.code, problem.cell) == (code, cell)
    assert words in problem.message


def test_a_bug_is_told_by_its_kind_alone() -> None:
    assert wording.unexpected(KeyError("secret")) == "unexpected KeyError; see the log"
