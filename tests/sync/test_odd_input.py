"""One bad thing fails alone: names, titles and cells that no database can keep, and what breaks where nobody expects it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.service import Service
from tests.fakes.sheet import HEADER, FakeSheet
from webapp.clock import Clock
from webapp.sources.sheet.csv import CsvFolder

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"

UNKEPT = {"NUL": "Od\0d", "half a sign": "Od\ud83dd", "bytes": "Od\udcffd", "very long": "Odd" * 2_000}
STRANGE = {
    "controls": "Od\x1b[31md\b\r",
    "right to left": "Od\u202ed",
    "line ends": "Od\nd\u2028",
    "a quote": "Od'd\"",
    "letters": "Odd" * 60,
    "a sign of two halves": "Od\U0001f600d",
}


def whole(run: Any) -> tuple[bool, str, int]:
    return run["success"], run["state"], run["success_count"]


@pytest.mark.parametrize("case", UNKEPT, ids=str)
def test_a_new_tab_of_a_name_that_cannot_be_kept_is_named_and_left_out(
    service: Service, sheet: FakeSheet, case: str
) -> None:
    sheet.rows(UNKEPT[case], [BEN, 2])
    sheet.rows("Project A", [ANN, 1])

    run = service.sync()

    assert (whole(run), run["error_code"]) == ((False, "partial", 1), "bad_title")
    assert run["error"].startswith("the tab 'Od")
    assert service.followers(ANN) == 1
    assert [row["name"] for row in service.rows("SELECT name FROM projects")] == ["Project A"]
    assert service.get("/api/admin/sync_status")["last_run"]["state"] == "partial"


@pytest.mark.parametrize("case", UNKEPT, ids=str)
def test_a_project_whose_tab_gets_a_name_that_cannot_be_kept_fails_alone(
    service: Service, sheet: FakeSheet, case: str
) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    sheet.rename("Project B", UNKEPT[case])
    sheet.put("Project A!B2", 3)

    run = service.sync()

    (failed,) = (result for result in run["results"] if not result["success"])
    assert (whole(run), failed["project_name"], failed["error_code"]) == (
        (False, "partial", 1),
        "Project B",
        "bad_title",
    )
    assert (service.followers(ANN), service.followers(BEN)) == (3, 2)


def test_a_name_that_cannot_be_kept_is_only_a_warning_where_no_new_tab_is_taken(
    service: Service, sheet: FakeSheet
) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.options(discover=False)
    sheet.rows("Od\0d", [BEN, 2])

    run = service.sync()

    assert run["success"]
    assert "Od\\x00d" in run["warnings"][0]


def test_the_name_of_a_spreadsheet_may_be_anything(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.title, sheet.locale = "Od\0d", "\ud83d"

    assert whole(service.sync()) == (True, "succeeded", 1)
    assert service.get("/api/admin/sync_status")["sheet"]["state"] == "ok"


@pytest.mark.parametrize("case", STRANGE, ids=str)
def test_a_strange_name_is_a_name(service: Service, sheet: FakeSheet, case: str) -> None:
    sheet.rows(STRANGE[case], [BEN, 2])
    sheet.rows("Project A", [ANN, 1])

    assert whole(service.sync()) == (True, "succeeded", 2)
    assert whole(service.sync()) == (True, "succeeded", 2)


@pytest.mark.parametrize("odd", ["\0", "\ud83d", "\x1b[2J", "\u202e"], ids=ascii)
@pytest.mark.parametrize("column", range(-1, len(HEADER)))
def test_an_odd_sign_in_any_cell_takes_nothing_from_the_other_rows(
    service: Service, sheet: FakeSheet, column: int, odd: str
) -> None:
    row: list[Any] = [BEN, "5", "5", "5", "5", "5", "OLD"]
    header = list(HEADER)
    if column < 0:
        header.append(f"No{odd}te")
    else:
        row[column] = f"{str(row[column])[:3]}{odd}{str(row[column])[3:]}"
    sheet.rows("Project A", row, [ANN, 1], header=header)

    run = service.sync()

    assert run["error_code"] != "internal_error"
    assert (run["error_count"], service.followers(ANN)) == (0, 1)
    assert service.get("/api/projects")["projects"][0]["name"] == "Project A"


@pytest.mark.parametrize("odd", ["\0", "\ud83d"], ids=ascii)
@pytest.mark.parametrize("column", range(len(HEADER)))
def test_an_odd_sign_in_the_header_is_no_more_than_a_name_that_is_not_known(
    service: Service, sheet: FakeSheet, column: int, odd: str
) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    header = [f"{name}{odd}" if place == column else name for place, name in enumerate(HEADER)]
    sheet.rows("Project B", [BEN, 3], header=header)

    run = service.sync()

    assert run["error_code"] != "internal_error"
    assert [result["project_name"] for result in run["results"] if result["success"]][:1] == ["Project A"]


# What breaks where nobody expects it


def test_a_tab_at_which_discovery_breaks_is_named_and_left_out(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet.rows("Odd", [BEN, 2])
    sheet.rows("Project A", [ANN, 1])

    def breaks(rows: Any, *_: Any) -> None:
        if rows[1][0] == BEN:
            raise ZeroDivisionError("a bug")

    monkeypatch.setattr("webapp.sync.discovery.find_header", breaks)

    run = service.sync()

    assert whole(run) == (False, "partial", 1)
    assert "tab 'Odd'" in run["error"]
    assert "ZeroDivisionError" in run["error"]
    assert service.followers(ANN) == 1


def test_a_spreadsheet_at_which_discovery_breaks_takes_nothing_from_the_others(database_url: str) -> None:
    odd, good = FakeSheet("odd"), FakeSheet("good")
    odd.rows("Project B", [BEN, 2])
    good.rows("Project A", [ANN, 1])
    service = Service(database_url, sheets=[odd, good])
    service.sync()
    good.put("Project A!B2", 3)
    odd.on_book = breaks

    run = service.sync()

    (failed,) = (result for result in run["results"] if not result["success"])
    assert (whole(run), failed["project_name"]) == ((False, "partial", 1), "Project B")
    assert (service.followers(ANN), service.followers(BEN)) == (3, 2)
    assert service.rows("SELECT name FROM leases WHERE holder IS NOT NULL") == []
    service.close()


def test_a_new_spreadsheet_at_which_discovery_breaks_is_named(database_url: str) -> None:
    odd, good = FakeSheet("odd"), FakeSheet("good")
    good.rows("Project A", [ANN, 1])
    odd.on_book = breaks
    service = Service(database_url, sheets=[odd, good])

    run = service.sync()

    assert whole(run) == (False, "partial", 1)
    assert run["error"].startswith("spreadsheet 'odd': ")
    service.close()


def breaks() -> None:
    raise ZeroDivisionError("a bug")


# Files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "Project A.csv").write_text(f"Link,Followers\n{ANN},1\n")
    return folder


@pytest.fixture
def tables(database_url: str, folder: Path) -> Iterator[Service]:
    made = Service(database_url, sheets=[CsvFolder(folder, clock=Clock(sleep=lambda _: None))])
    yield made
    made.close()


@pytest.mark.parametrize("name", [b"Od\xffd.csv", b"Od\xffd.xlsx", b"\xff.tsv"])
def test_a_file_whose_name_is_no_text_is_named_and_left_out(tables: Service, folder: Path, name: bytes) -> None:
    with open(os.fsencode(folder) + b"/" + name, "wb") as opened:  # noqa: PTH123 - a Path would hide what is tested
        opened.write(f"Link,Followers\n{BEN},2\n".encode())

    run = tables.sync()

    assert (whole(run), run["error_code"]) == ((False, "partial", 1), "bad_title")
    assert run["error"].isascii()
    assert "\\xff" in run["error"]
    assert tables.followers(ANN) == 1


def test_a_file_that_is_not_read_and_has_no_name_is_only_a_warning(tables: Service, folder: Path) -> None:
    with open(os.fsencode(folder) + b"/\xff.ods", "wb"):  # noqa: PTH123 - as above
        run = tables.sync()

    assert run["success"]
    assert "the file '\\udcff.ods' is not read" in run["warnings"][0]


@pytest.mark.parametrize("names", [("a", "A"), ("caf\u00e9", "cafe\u0301"), ("a", "a ")], ids=ascii)
def test_names_that_look_alike_are_two_projects(tables: Service, folder: Path, names: tuple[str, str]) -> None:
    for number, name in enumerate(names):
        (folder / f"{name}.csv").write_text(f"Link,Followers\nhttps://x.com/ben{number},{number}\n")

    assert [whole(tables.sync()) for _ in range(2)] == [(True, "succeeded", 3)] * 2
    for number in range(2):
        assert tables.followers(f"https://x.com/ben{number}") == number
