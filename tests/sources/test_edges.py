"""Corners of the readers that no ordinary sheet comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.dates import moment_of
from webapp.sources.sheet import csv
from webapp.sources.sheet.rows import read_tab
from webapp.sources.sheet.shape import _is_no_count
from webapp.sources.sheet.xlsx.cells import _is_zero


def test_a_week_that_no_year_has_is_no_date() -> None:
    assert moment_of("2026-W60", "dmy") is None


def test_what_is_no_number_is_no_count_and_no_zero() -> None:
    assert (_is_no_count("ann"), _is_no_count("12")) == (True, False)
    assert (_is_zero("0.0"), _is_zero("ann")) == (True, False)


def test_a_file_that_is_not_there_has_no_state_and_counts_as_changed(tmp_path: Path) -> None:
    there = tmp_path / "a.csv"
    there.write_bytes(b"x")
    state = csv._state(there)

    assert state is not None
    assert csv._state(tmp_path / "b.csv") is None
    assert csv._is_changed(state, None)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "a.csv"
    there.write_bytes(b"x")
    monkeypatch.setattr(csv, "_is_changed", lambda *_: True)

    with pytest.raises(SourceError):
        csv._bytes(there, 10)


def test_a_note_of_two_lines_in_the_last_column_is_no_row(tmp_path: Path) -> None:
    text = 'Link,Followers,Topic\nhttps://x.com/ann,5,"first\nsecond"\nhttps://x.com/bob,6,c\n'
    (tmp_path / "A.csv").write_text(text, encoding="utf-8")
    source = csv.CsvFolder(tmp_path)
    (cells,) = source.read(source.book(Budget()).tabs, [None], Budget())

    rows = read_tab(cells.rows(), "A").rows.values()
    assert [(row.counts.followers, row.topic) for row in rows] == [(5, "first second"), (6, "c")]
