"""Files that people and programs write, from the disk to the numbers that readers see."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from tests.fakes.service import Service
from webapp.clock import Clock
from webapp.sources.sheet.csv import CsvFolder
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


def test_an_array_formula_nobody_computed_keeps_the_numbers_of_all_cells_it_fills(
    service: Service, workbook: Path
) -> None:
    write(workbook, ["Link", "Followers"], [ONE, 1500], [TWO, 2500])
    service.sync()

    write(workbook, ["Link", "Followers", "Raw"], [ONE, ArrayFormula("B2:B3", "=C2:C3*2"), 750], [TWO, None, 1250])
    result = service.sync()["results"][0]

    assert (service.followers(ONE), service.followers(TWO)) == (1500, 2500)
    assert [problem["cell"] for problem in result["problems"]] == ["A!B2", "A!B3"]


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


# Folders of tables


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    return folder


@pytest.fixture
def tables(sqlite_url: str, folder: Path) -> Iterator[Service]:
    made = Service(sqlite_url, sheets=[CsvFolder(folder, clock=Clock(sleep=lambda _: None))])
    yield made
    made.close()


TABLE = f"Link,Followers\n{ONE},1500\n{TWO},3000\n"


def test_a_file_that_is_cut_changes_nothing_until_it_is_whole(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(TABLE)
    tables.sync()

    (folder / "A.csv").write_text(TABLE[: -len("000\n")])
    cut = tables.sync()["results"][0]
    assert (tables.followers(TWO), tables.history(TWO)) == (3000, [("2026-03-02", 3000)])
    assert [(p["code"], p["cell"]) for p in cut["problems"]] == [("cut_cell", "A!3")]

    (folder / "A.csv").write_text(TABLE.replace("3000", "3100"))
    tables.sync()
    assert tables.followers(TWO) == 3100


@pytest.mark.parametrize("end", [*range(len(TABLE) - 2, len(TABLE) - 9, -1), *range(len(TABLE) - 9, 20, -7)])
def test_a_file_cut_anywhere_changes_nothing(tables: Service, folder: Path, end: int) -> None:
    (folder / "A.csv").write_text(TABLE)
    tables.sync()

    (folder / "A.csv").write_text(TABLE[:end])
    tables.trigger()

    if not TABLE[:end].endswith("\n"):  # at the end of a line nobody can tell it from a row that was deleted
        assert (tables.followers(ONE), tables.followers(TWO)) == (1500, 3000)
        assert tables.account(TWO)["removed_at"] is None


def test_rows_that_are_missing_at_the_end_of_a_cut_file_are_waited_for(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(TABLE)
    tables.sync()

    (folder / "A.csv").write_text(f"Link,Followers\n{ONE},1600")
    result = tables.sync()["results"][0]

    assert (tables.followers(ONE), tables.followers(TWO)) == (1500, 3000)
    assert (result["degraded"], [p["code"] for p in result["problems"]]) == (True, ["cut_file"])
    assert result["total_accounts"] == 2


@pytest.mark.parametrize("followers", ["3000", "3100", "30000"])
def test_a_whole_file_may_do_without_the_last_line_end(tables: Service, folder: Path, followers: str) -> None:
    (folder / "A.csv").write_text(TABLE)
    tables.sync()

    (folder / "A.csv").write_text(TABLE.replace("3000\n", followers))
    result = tables.sync()["results"][0]

    assert (tables.followers(TWO), result["problems"]) == (int(followers), [])


def test_whoever_asks_by_force_knows_that_the_file_is_whole(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(TABLE)
    tables.sync()
    (folder / "A.csv").write_text(TABLE[: -len("000\n")])

    tables.sync(force=True)
    assert tables.followers(TWO) == 3

    (folder / "A.csv").write_text(TABLE.removesuffix("\n"))
    tables.sync()
    assert tables.followers(TWO) == 3000


def test_a_file_that_never_ends_its_last_line_is_read(tables: Service, folder: Path) -> None:
    for followers in ("3000", "3100", "2900", "30000"):
        (folder / "A.csv").write_text(TABLE.replace("3000\n", followers))

        result = tables.sync()["results"][0]

        assert (tables.followers(TWO), result["problems"]) == (int(followers), [])


@pytest.mark.parametrize("rest", ["3", "30", "300", "29", "1"])
def test_the_last_number_of_such_a_file_may_be_cut(tables: Service, folder: Path, rest: str) -> None:
    (folder / "A.csv").write_text(TABLE.removesuffix("\n"))
    tables.sync()

    (folder / "A.csv").write_text(TABLE.replace("3000\n", rest))
    for _ in range(2):
        result = tables.sync()["results"][0]

        assert tables.followers(TWO) == 3000
        assert [(p["code"], p["cell"]) for p in result["problems"]] == [("cut_cell", "A!3")]

    tables.sync(force=True)
    assert tables.followers(TWO) == int(rest)


def test_the_last_text_of_such_a_file_may_be_cut(tables: Service, folder: Path) -> None:
    text = f"Link,Followers,Status\n{ONE},1500,NEW\n{TWO},3000,OLD"
    (folder / "A.csv").write_text(text)
    tables.sync()

    (folder / "A.csv").write_text(text[:-1])
    tables.sync()

    assert (tables.account(TWO)["status"], tables.account(TWO)["mode"]) == ("OLD", "manual")


def test_a_text_that_a_file_ends_before_stays(tables: Service, folder: Path) -> None:
    text = f"Link,Followers,Status\n{ONE},1500,NEW\n{TWO},3000,OLD\n"
    (folder / "A.csv").write_text(text)
    tables.sync()

    (folder / "A.csv").write_text(text.removesuffix("OLD\n"))
    result = tables.sync()["results"][0]

    assert (tables.account(TWO)["status"], tables.account(TWO)["mode"]) == ("OLD", "manual")
    assert [(p["code"], p["cell"]) for p in result["problems"]] == [("cut_cell", "A!3")]

    tables.sync(force=True)
    assert (tables.account(TWO)["status"], tables.account(TWO)["mode"]) == (None, "auto")


@pytest.mark.parametrize("rest", ["15", "1500,O", "1500,"])
def test_accounts_behind_a_cell_that_may_be_cut_stay(tables: Service, folder: Path, rest: str) -> None:
    header = "Link,Followers,Status" if "," in rest else "Link,Followers"
    end = ",OLD" if "," in rest else ""
    (folder / "A.csv").write_text(f"{header}\n{ONE},1500{end}\n{TWO},3000{end}")
    tables.sync()

    (folder / "A.csv").write_text(f"{header}\n{ONE},{rest}")
    result = tables.sync()["results"][0]

    assert (tables.followers(ONE), tables.followers(TWO)) == (1500, 3000)
    assert tables.account(TWO)["removed_at"] is None
    assert (result["degraded"], [p["code"] for p in result["problems"]]) == (True, ["cut_file"])

    tables.sync(force=True)
    assert tables.account(TWO)["removed_at"] is not None


LOG = "Date,Link,Followers\n" + "\n".join(
    f"2026-03-0{day},{link},{count - 100 * day}" for day in (1, 2) for link, count in ((ONE, 1700), (TWO, 3200))
)


# At the end of a row nobody can tell it from a log that has a row less.
CUTS = [end for end in range(LOG.index("2026-03-02") + 1, len(LOG), 3) if "\n" not in LOG[end - 1 : end + 1]]


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("end", CUTS)
def test_a_log_that_is_cut_goes_back_to_no_earlier_day(tables: Service, folder: Path, end: int, ended: bool) -> None:
    (folder / "A.csv").write_text(LOG + "\n" * ended)
    tables.sync()
    assert (tables.followers(ONE), tables.followers(TWO)) == (1500, 3000)

    (folder / "A.csv").write_text(LOG[:end])
    result = tables.sync()["results"][0]

    assert (tables.followers(ONE), tables.followers(TWO)) == (1500, 3000)
    assert {p["code"] for p in result["problems"]} & {"cut_file", "cut_cell"}


REPEATED = f"Link,Followers\n{ONE},100\n{TWO},2000\n{ONE},3000"


@pytest.mark.parametrize("end", range(REPEATED.rindex(ONE) + 1, len(REPEATED)))
def test_repeated_rows_that_are_cut_leave_the_number_of_the_last_one(tables: Service, folder: Path, end: int) -> None:
    (folder / "A.csv").write_text(REPEATED + "\n")
    tables.sync()

    (folder / "A.csv").write_text(REPEATED[:end])
    tables.sync()

    assert (tables.followers(ONE), tables.followers(TWO)) == (3000, 2000)


def test_a_log_that_ends_before_a_count_keeps_the_last_one(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(LOG + "\n")
    tables.sync()

    (folder / "A.csv").write_text(LOG.removesuffix("3000"))
    result = tables.sync()["results"][0]

    assert (tables.followers(ONE), tables.followers(TWO)) == (1500, 3000)
    assert [p["code"] for p in result["problems"]] == ["log_layout", "cut_cell"]


def test_a_log_may_grow_and_lose_old_days_whole(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(LOG)
    tables.sync()

    header, *rows = LOG.split("\n")
    (folder / "A.csv").write_text("\n".join([header, *rows[2:], f"2026-03-03,{ONE},1400"]))
    result = tables.sync()["results"][0]

    assert (tables.followers(ONE), tables.followers(TWO)) == (1400, 3000)
    assert [p["code"] for p in result["problems"]] == ["log_layout"]


def test_a_row_may_go_from_a_file_that_never_ends_its_last_line(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(TABLE.removesuffix("\n"))
    tables.sync()

    (folder / "A.csv").write_text(f"Link,Followers\n{TWO},3100")
    tables.sync()

    assert (tables.followers(TWO), tables.account(ONE)["removed_at"] is None) == (3100, False)


@pytest.mark.parametrize("ended", [True, False])
def test_a_first_number_may_be_cut_where_the_file_used_to_end_its_last_line(
    tables: Service, folder: Path, ended: bool
) -> None:
    (folder / "A.csv").write_text(f"Link,Followers,Likes\n{ONE},1500,7" + "\n" * ended)
    tables.sync()

    (folder / "A.csv").write_text(f"Link,Followers,Likes\n{ONE},1500,7\n{TWO},3000,12")
    result = tables.sync()["results"][0]

    assert (tables.followers(TWO), tables.account(TWO)["likes"]) == (3000, None if ended else 12)
    assert [(p["code"], p["cell"]) for p in result["problems"]] == [("cut_cell", "A!3")] * ended

    (folder / "A.csv").write_text(f"Link,Followers,Likes\n{ONE},1500,7\n{TWO},3000,1200\n")
    tables.sync()
    assert tables.account(TWO)["likes"] == 1200


def test_a_first_number_of_a_known_account_may_be_cut_likewise(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(f"Link,Followers,Likes\n{ONE},1500,5 or 6\n")
    tables.sync()

    (folder / "A.csv").write_text(f"Link,Followers,Likes\n{ONE},1500,5")
    result = tables.sync()["results"][0]

    assert (tables.account(ONE)["followers"], tables.account(ONE)["likes"]) == (1500, None)
    assert [p["code"] for p in result["problems"]] == ["cut_cell"]


def test_a_blank_that_a_cut_file_ends_with_is_nothing_to_doubt(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(f"Link,Followers,Likes\n{ONE},1500,7\n")
    tables.sync()

    (folder / "A.csv").write_text(f"Link,Followers,Likes\n{ONE},1500,7\n{TWO},3000,")
    result = tables.sync()["results"][0]

    assert (tables.followers(TWO), tables.account(TWO)["likes"], result["problems"]) == (3000, None, [])


NAMES_LAST = f"Followers,Link\n1500,{ONE}\n3000,{TWO}"


@pytest.mark.parametrize("end", range(len(NAMES_LAST) - 1, len(NAMES_LAST) - len(TWO) - 1, -1))
def test_a_file_that_never_ends_its_last_line_may_be_cut_within_a_name(tables: Service, folder: Path, end: int) -> None:
    (folder / "A.csv").write_text(NAMES_LAST)
    tables.sync()

    (folder / "A.csv").write_text(NAMES_LAST[:end])
    result = tables.sync()["results"][0]

    assert (tables.followers(ONE), tables.followers(TWO)) == (1500, 3000)
    assert tables.account(TWO)["removed_at"] is None
    assert tables.one("SELECT count(*) AS n FROM accounts") == 2
    if end == len(NAMES_LAST) - 1:
        assert result["problems"][0]["code"] == "cut_file"
        tables.sync(force=True)
        assert tables.account(TWO)["removed_at"] is not None


def test_a_handle_may_be_cut_likewise(tables: Service, folder: Path) -> None:
    text = "Platform,Followers,Username\nTikTok,1500,@example_one\nTikTok,3000,@example_two"
    (folder / "A.csv").write_text(text)
    tables.sync()

    (folder / "A.csv").write_text(text[:-1])
    tables.sync()

    assert tables.one("SELECT count(*) AS n FROM accounts WHERE removed_at IS NULL") == 2
    assert tables.followers(TWO) == 3000


def test_a_name_that_is_cut_may_be_that_of_another_account(tables: Service, folder: Path) -> None:
    text = f"Followers,Link\n9,https://x.com/ann\n5,{ONE}\n3000,https://x.com/anna"
    (folder / "A.csv").write_text(text)
    tables.sync()

    (folder / "A.csv").write_text(text[:-1])
    tables.sync()

    assert (tables.followers("https://x.com/ann"), tables.followers("https://x.com/anna")) == (9, 3000)


def test_rows_that_shifted_leave_every_account_as_it_was(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(f"Link,Owner,Followers,Likes\n{ONE},ann,1234,5678\n{TWO},ben,987,65\n")
    tables.sync()

    (folder / "A.csv").write_text(f"Link,Owner,Followers,Likes\n{ONE},ann,1,240,5,680\n{TWO},ben,990,66\n")
    result = tables.sync()["results"][0]

    assert (tables.followers(ONE), tables.account(ONE)["likes"], tables.account(ONE)["owner"]) == (1234, 5678, "ann")
    assert (tables.followers(TWO), result["total_accounts"]) == (990, 2)
    assert [(p["code"], p["cell"]) for p in result["problems"]] == [("malformed_row", "A!A2")]


def test_a_row_that_shifted_makes_no_snapshot_of_a_new_day(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(TABLE)
    tables.sync()

    tables.time.forward(days=1)
    (folder / "A.csv").write_text(TABLE.replace("1500", "1,500").replace("3000", "3100"))
    tables.sync()
    tables.sync()

    assert tables.history(ONE) == [("2026-03-02", 1500)]
    assert tables.history(TWO) == [("2026-03-02", 3000), ("2026-03-03", 3100)]

    (folder / "A.csv").write_text(TABLE)
    tables.sync()

    assert tables.history(ONE) == [("2026-03-02", 1500), ("2026-03-03", 1500)]


def test_a_stray_quote_leaves_the_whole_tab_as_it_was(tables: Service, folder: Path) -> None:
    rows = [f"https://www.tiktok.com/@example_{n:02},ann,{n}000" for n in range(1, 13)]
    (folder / "A.csv").write_text("\n".join(["Link,Owner,Followers", *rows, ""]))
    (folder / "B.csv").write_text(TABLE)
    tables.sync()

    rows[8] = rows[8].replace("ann,9000", '"Nick,9500')
    (folder / "A.csv").write_text("\n".join(["Link,Owner,Followers", *rows, ""]))
    result = tables.sync()

    counts = [tables.followers(f"https://www.tiktok.com/@example_{n:02}") for n in range(1, 13)]
    assert counts == [n * 1000 for n in range(1, 13)]
    assert not result["success"]
    failed = next(each for each in result["results"] if not each["success"])
    assert (failed["project_name"], failed["error_code"]) == ("A", "malformed_csv")
    assert "line 10" in failed["error"]


# What else is in a folder


def test_tables_of_other_kinds_are_projects_too_and_other_files_are_named(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(TABLE)
    (folder / "B.tsv").write_text(TABLE.replace(",", "\t"))
    write(folder / "C.xlsx", ["Link", "Followers"], [ONE, 1500])
    (folder / "D.ods").write_bytes(b"...")
    (folder / "README.md").write_text("what these are")

    result = tables.sync()

    assert {each["project_name"]: each["total_accounts"] for each in result["results"]} == {"A": 2, "B": 2, "C": 1}
    assert result["warnings"] == ["the file 'D.ods' is not read: save it as .xlsx or .csv"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("B.csv", "Ссылка,Имя,Подписчики\n".encode("koi8-r"), "not in UTF-8"),
        ("B.csv", b'Link,Followers\n"https://x.com/ann,5\n', "line 2"),
        ("B.csv", b"Link,Followers\nhttps://x.com/ann,5\0\n", "line 2"),
        ("B.xlsx", b"PK\3\4 and no more", "cannot be read"),
    ],
    ids=["encoding", "quote", "NUL", "workbook"],
)
def test_a_file_that_cannot_be_read_is_no_success_also_when_it_was_never_a_project(
    tables: Service, folder: Path, name: str, data: bytes, words: str
) -> None:
    (folder / "A.csv").write_text(TABLE)
    (folder / name).write_bytes(data)

    result = tables.sync()

    assert (result["success"], result["state"]) == (False, "partial")
    assert [(each["project_name"], each["success"]) for each in result["results"]] == [("A", True)]
    assert words in str(result["warnings"])
    assert tables.trigger(strict=True).status_code == 502


def test_a_workbook_that_is_cut_has_not_lost_its_tabs(tables: Service, folder: Path) -> None:
    (folder / "A.csv").write_text(TABLE)
    write(folder / "B.xlsx", ["Link", "Followers"], ["https://x.com/ann", 1500])
    tables.sync()
    whole = (folder / "B.xlsx").read_bytes()

    (folder / "B.xlsx").write_bytes(whole[: len(whole) // 2])
    results = {each["project_name"]: each for each in tables.sync()["results"]}

    assert (results["A"]["success"], results["B"]["success"]) == (True, False)
    assert results["B"]["error_code"] == "bad_file"
    assert "B.xlsx cannot be read (open it and save it again)" in results["B"]["error"]
    assert tables.followers("https://x.com/ann") == 1500
    (folder / "B.xlsx").write_bytes(whole)
    assert tables.sync()["success"]
