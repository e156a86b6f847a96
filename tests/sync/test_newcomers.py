"""Rows that become accounts: of a tab with very many, few are kept beside what is written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import sheet as fake
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.sources.sheet import Cell, rows
from webapp.sources.sheet.reading import SheetRow
from webapp.store import accounts
from webapp.sync import newcomers

pytestmark = pytest.mark.shortcuts

URLS = [f"https://x.com/user{number}" for number in range(6)]


def test_rows_go_as_their_accounts_are_written(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[int] = []
    told: list[int] = []
    add = accounts.add_accounts

    class Row(SheetRow):
        def __del__(self) -> None:
            gone.append(self.row)

    def tell(*given: Any) -> None:
        told.append(len(gone))
        add(*given)

    monkeypatch.setattr(rows, "SheetRow", Row)
    monkeypatch.setattr(accounts, "add_accounts", tell)
    monkeypatch.setattr(newcomers, "AT_ONCE", 2)
    tab: list[list[Cell]] = [[url, 1] for url in URLS]
    sheet.rows("Project A", *tab)

    answer = service.sync()

    assert answer["results"][0]["updated_count"] == len(URLS)
    assert len(told) == 3
    assert told[1:] >= [1, 3]


def test_a_new_tab_is_taken_apart_no_more_than_once(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    apart = fake.FakeCells.apart

    def tell(cells: fake.FakeCells) -> Any:
        taken.append(cells.tab.title)
        return apart(cells)

    monkeypatch.setattr(fake.FakeCells, "apart", tell)
    sheet.rows("Project A", [URLS[0], 1])

    service.sync()

    assert len(taken) <= 1
