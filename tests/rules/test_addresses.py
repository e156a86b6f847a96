"""Where in a spreadsheet something stands."""

from __future__ import annotations

import pytest

from webapp.rules.addresses import address, cell_of, cells_of, column_letters, row_numbers, rows_address, title_of


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_lettered_as_spreadsheets_do(index: int, letters: str) -> None:
    assert column_letters(index) == letters


def test_a_cell_is_named_with_its_tab_where_there_is_one() -> None:
    assert (address("Project A", 3, 17), address("", 3, 17)) == ("Project A!D17", "D17")


def test_the_rows_of_an_account_and_its_cells() -> None:
    assert rows_address("Project A", 17) == "Project A!17"
    assert rows_address("Project A", 17, [31]) == "Project A!17,31"
    assert cells_of("Project A!17,31", "E") == ["Project A!E17", "Project A!E31"]
    assert cells_of("What! A tab!17", "E") == ["What! A tab!E17"]


def test_the_cell_of_an_account() -> None:
    assert cell_of("Project A!17", "E") == "Project A!E17"
    assert cell_of("Project A!17,31", "E") == "Project A!E17,E31"
    assert cell_of("Project A!17,31", "E", 31) == "Project A!E31"
    assert cell_of("What! A tab!17", "E") == "What! A tab!E17"
    assert cell_of("Project A!17", "") == "Project A!17"
    assert cell_of("!17", "E") == "E17"
    assert cell_of("youtube", "E") == cell_of("youtube", "E", 3) == "youtube"
    assert (title_of("What! A tab!17,31"), title_of("youtube")) == ("What! A tab", None)
    assert [row_numbers(one) for one in ("What! A tab!17,31", "A!3", "A!B7", "17", "")] == [[17, 31], [3], [], [], []]


@pytest.mark.parametrize(
    ("origin", "column"), [("youtube", "E"), ("Project A!17", None), ("Project A!17", ""), (None, "E")]
)
def test_what_is_no_place_in_a_sheet_has_no_cells(origin: str | None, column: str | None) -> None:
    assert cells_of(origin, column) == []
