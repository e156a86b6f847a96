"""A column that was read and has gone, and a tab that says nothing usable, are no success."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet

ANN = "x.com/ann"
pytestmark = pytest.mark.shortcuts


def result(service: Service, **asked: Any) -> Any:
    answer: Any = service.trigger(**asked).json
    return answer["results"][0]


def views(service: Service) -> list[tuple[str, int | None]]:
    rows = service.rows("SELECT day, views AS value FROM account_snapshots ORDER BY day")
    return [(str(row["day"])[5:], row["value"]) for row in rows]


def test_a_renamed_header_freezes_no_metric_in_silence(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 10, None, None, None, 500])
    service.sync()
    sheet.put("Project A!F1", "Reach 2026")
    for day in (3, 4):
        time.forward(days=1)
        sheet.put("Project A!B2", 10 + day)
        found = result(service)

        assert (found["success"], found["degraded"], found["problems"][0]["code"]) == (False, True, "column_gone")
        assert "'Views' (F)" in found["problems"][0]["message"]
        assert "Reach 2026" in found["problems"][0]["message"]
        account = service.account(ANN)
        assert (account["views"], account["followers"], views(service)[-1]) == (500, 10 + day, (f"03-0{day}", None))
    assert service.project()["degraded_since"] is not None

    sheet.put("Project A!F1", "Views")
    sheet.put("Project A!F2", 560)
    found = result(service)

    assert (found["degraded"], found["problems"], views(service)[-1]) == (False, [], ("03-04", 560))


def test_a_column_that_gets_its_name_back_makes_history_again(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    """Also where every cell is what it was before."""
    sheet.rows("Project A", [ANN, 10, None, None, None, 500])
    service.sync()
    time.forward(days=1)
    sheet.put("Project A!F1", "Reach 2026")
    assert result(service)["problems"][0]["code"] == "column_gone"

    sheet.put("Project A!F1", "Views")
    assert result(service)["problems"] == []
    time.forward(days=1)
    service.sync()

    assert views(service) == [("03-02", 500), ("03-03", 500), ("03-04", 500)]


def test_a_column_that_was_still_blank_gets_another_name_no_more_in_silence_than_any_other(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 10, None, None, None, None])
    service.sync()
    sheet.put("Project A!F1", "Reach 2026")
    for day in (3, 4):
        time.forward(days=1)
        sheet.put("Project A!F2", 500 + day)
        found = result(service)

        assert (found["success"], found["degraded"], found["problems"][0]["code"]) == (False, True, "column_gone")
        assert "'Views' (F)" in found["problems"][0]["message"]

    assert result(service, force=True)["success"]
    assert result(service)["problems"] == []


@pytest.mark.parametrize(
    "header",
    [
        ("Link", "Followers", "Likes", "Comments", "Videos", None, "Status", "Notes"),
        ("Link", "Followers", "Likes", "Comments", "Videos", "Status", "Notes"),
        ("Link", "Followers", "Likes", "Comments", "Videos", "Notes", "Status"),
    ],
    ids=["emptied", "deleted", "put in the place of another"],
)
def test_a_blank_column_that_is_taken_away_is_no_loss(
    service: Service, sheet: FakeSheet, header: tuple[str | None, ...]
) -> None:
    row: list[Any] = [ANN, 10, None, None, None, None, None, None]
    sheet.rows(
        "Project A", row, header=("Link", "Followers", "Likes", "Comments", "Videos", "Views", "Status", "Notes")
    )
    service.sync()
    sheet.rows("Project A", row, header=header)

    assert (result(service)["success"], result(service)["problems"]) == (True, [])


def test_a_column_that_is_meant_to_be_gone_is_forgotten_by_force(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 10, None, None, None, 500])
    service.sync()
    sheet.put("Project A!F1", "Reach 2026")
    assert result(service)["degraded"]

    assert not result(service, force=True)["degraded"]
    assert (result(service)["degraded"], service.account(ANN)["views"]) == (False, 500)


def test_a_tab_of_which_no_row_is_usable_fails(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", ["https://www.instagram.com/p/abc/", 1], ["https://www.instagram.com/reel/x/", 2])

    found = result(service)

    assert (found["success"], found["error_code"]) == (False, "no_usable_rows")
    assert "none of its 2 rows" in found["error"]
    assert "Project A!A2" in found["error"]


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([[None, 1], ["", None, None, None, None, 7]], 2),  # the links stand in a column that nobody knows
        ([["nope", 1], ["ask Ann", 2], ["later", 3]], 3),
        ([["n/a", "12 or 13"]], 1),
    ],
)
def test_a_tab_whose_rows_count_and_name_nobody_fails(
    sqlite_service: Service, rows: list[list[Any]], count: int
) -> None:
    sqlite_service.sheet.rows("Project A", *rows)

    found = result(sqlite_service)

    assert (found["success"], found["error_code"]) == (False, "no_usable_rows")
    assert f"none of its {count} rows" in found["error"]


@pytest.mark.parametrize("rows", [[], [["Total", 9]], [[None, 0, 0], [None, 0]], [["Our accounts"]], [[None, None]]])
def test_a_tab_that_waits_for_its_first_account_is_a_success(sqlite_service: Service, rows: list[list[Any]]) -> None:
    sqlite_service.sheet.rows("Project A", *rows)

    assert result(sqlite_service)["success"]
