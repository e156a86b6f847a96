"""Rows that become accounts: of a tab with very many, few are kept beside what is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.fakes import sheet as fake
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.sync.test_together import statements
from webapp.sources.sheet import Cell, rows
from webapp.sources.sheet.reading import SheetRow
from webapp.store import accounts, days
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


READ: list[Cell] = [10, 1, 2, 3, 100]
OFF: list[Cell] = [*READ, "banned"]
BLANK: list[Cell] = [""]
BAD: list[Cell] = [10, 1, "??", 3, 100]


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        pytest.param([READ, READ], [(10, 1, 2, 3, 100)] * 2, id="all read"),
        pytest.param([READ, OFF], [(10, 1, 2, 3, 100)], id="one off"),
        pytest.param([OFF], [], id="none that counts"),
        pytest.param([BLANK, READ], [(10, 1, 2, 3, 100)], id="one without counts"),
        pytest.param([BLANK], [], id="none with counts"),
        pytest.param([BAD, READ], [(10, 1, None, 3, 100), (10, 1, 2, 3, 100)], id="a cell that nobody can read"),
        pytest.param([["??"] * 5], [], id="no cell that anybody can read"),
        pytest.param([[*READ[:4], 2**40]], [(10, 1, 2, 3, 2**40)], id="a very large one"),
        pytest.param([[0, 0, 0, 0, 0]], [(0, 0, 0, 0, 0)], id="nothing but zeros"),
    ],
)
def test_the_first_day_of_a_project_is_what_its_rows_say(
    service: Service,
    sheet: FakeSheet,
    monkeypatch: pytest.MonkeyPatch,
    cells: list[list[Cell]],
    shown: list[tuple[int | None, ...]],
) -> None:
    monkeypatch.setattr(newcomers, "AT_ONCE", 1)
    for title in ("Project A", "Project B"):
        sheet.rows(title, *([f"{URLS[number]}{title[-1]}", *row] for number, row in enumerate(cells)))

    answer = service.sync()

    assert [one["snapshot_count"] for one in answer["results"]] == [len(shown)] * 2
    assert snapshots_of(service) == sorted(shown * 2, key=repr)
    assert sums_are_right(service)
    done = {str(row["snapshot_day"]) for row in service.rows("SELECT snapshot_day FROM projects")}
    assert done == {str(service.parts.clock.now().date())}


def test_who_comes_later_that_day_is_added_to_it(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [URLS[0], *READ])
    service.sync()
    service.time.forward(hours=1)
    sheet.rows("Project A", [URLS[0], *READ], [URLS[1], *BAD], [URLS[2], *OFF], [URLS[3], *READ])

    answer = service.sync()

    assert answer["results"][0]["snapshot_count"] == 2
    assert snapshots_of(service) == sorted([(10, 1, 2, 3, 100)] * 2 + [(10, 1, None, 3, 100)], key=repr)
    assert sums_are_right(service)


def test_nothing_stored_is_looked_at_for_the_first_day_of_a_project(service: Service, sheet: FakeSheet) -> None:
    tab: list[list[Cell]] = [[url, *READ] for url in URLS]
    sheet.rows("Project A", *tab)

    told = [sql for sql in statements(service.sync) if "INSERT INTO account_snapshots" in sql or "sum(" in sql]

    is_known = service.engine.options.shortcuts.newcomers_day
    assert [sql for sql in told if "SELECT" in sql] == [] or not is_known


def snapshots_of(service: Service) -> Sequence[tuple[int | None, ...]]:
    sql = "SELECT followers, likes, comments, videos, views FROM account_snapshots"
    return sorted((tuple(row.values()) for row in service.rows(sql)), key=repr)


def sums_are_right(service: Service) -> bool:
    """Whether they are what the plain rule makes of what is stored."""
    ids = [row["id"] for row in service.rows("SELECT id FROM projects")]
    with service.parts.db.write() as tx:
        return not any(days.rebuild(tx, one).mended for one in ids)
