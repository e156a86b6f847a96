"""Files that people and programs write, from the disk to the numbers that readers see."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from tests.fakes.service import Service
from webapp.sources.sheet.xlsx import XlsxFile

ONE = "https://www.tiktok.com/@example_one"
TWO = "https://www.tiktok.com/@example_two"


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return tmp_path / "Tracker.xlsx"


@pytest.fixture
def service(sqlite_url: str, workbook: Path) -> Iterator[Service]:
    made = Service(sqlite_url, sheets=[XlsxFile(workbook)])
    yield made
    made.close()


def write(path: Path, *rows: list[Any]) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "A"
    for row in rows:
        sheet.append(row)
    book.save(path)


def rewrite(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, change(data) if name == part else data)


def write_formulas(path: Path, cached: bytes) -> None:
    """What a library saves that writes formulas and does not compute them."""
    header = ["Link", "Followers", "Part 1", "Part 2"]
    write(path, header, [ONE, "=C2+D2", 1000, 500], [TWO, "=C3+D3", 1000, 500])
    rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v />", cached).replace(b"<v></v>", cached))


@pytest.mark.parametrize("cached", [b"<v/>", b"", b"<v>0</v>"], ids=["empty", "none", "zero"])
def test_a_formula_nobody_computed_keeps_the_number_that_was_there(
    service: Service, workbook: Path, cached: bytes
) -> None:
    write(workbook, ["Link", "Followers"], [ONE, 1500], [TWO, 2500])
    service.sync()

    write_formulas(workbook, cached)
    result = service.sync()["results"][0]

    assert (service.followers(ONE), service.followers(TWO)) == (1500, 2500)
    assert service.history(ONE) == [("2026-03-02", 1500)]
    assert [problem["cell"] for problem in result["problems"]] == ["A!B2", "A!B3"]
    assert all("open and save it once in a spreadsheet program" in p["message"] for p in result["problems"])


def test_a_formula_nobody_computed_is_no_first_value(service: Service, workbook: Path) -> None:
    write_formulas(workbook, b"<v>0</v>")

    service.sync()

    assert service.followers(ONE) is None
    assert service.history(ONE) == []


def test_an_account_that_is_a_formula_nobody_computed_is_not_taken_out(service: Service, workbook: Path) -> None:
    write(workbook, ["Link", "Followers", "Status"], [ONE, 1500, "OLD"], [TWO, 2500, None])
    service.sync()

    write(workbook, ["Link", "Followers", "Status"], [f'=HYPERLINK("{ONE}")', 1600, "OLD"], [TWO, 2600, None])
    result = service.sync()["results"][0]

    assert (service.followers(ONE), service.account(ONE)["removed_at"]) == (1500, None)
    assert (service.followers(TWO), result["total_accounts"]) == (2600, 2)


def test_a_status_that_is_a_formula_nobody_computed_changes_no_mode(service: Service, workbook: Path) -> None:
    write(workbook, ["Link", "Followers", "Status", "Owner"], [ONE, 1500, "OLD", "ann"])
    service.sync()

    write(workbook, ["Link", "Followers", "Status", "Owner"], [ONE, 1400, '=IF(B2>0,"OLD","")', "#REF!"])
    service.sync()

    account = service.account(ONE)
    assert (account["mode"], account["status"], account["owner"]) == ("manual", "OLD", "ann")
    assert service.followers(ONE) == 1400
