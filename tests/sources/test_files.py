"""A folder of CSV files and an .xlsx workbook read like any other spreadsheet."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart

from webapp.clock import Budget, Clock
from webapp.errors import OutOfTime, SourceError
from webapp.sources.counts import NOT_COMPUTED
from webapp.sources.sheet import Cells, Tab
from webapp.sources.sheet.csv import CsvFolder
from webapp.sources.sheet.payload import csv_payload
from webapp.sources.sheet.xlsx import XlsxFile

NOON = dt.datetime(2025, 1, 2, 12)  # noqa: DTZ001 - cells have no zone


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "accounts"
    folder.mkdir()
    return folder


def everything(source: CsvFolder | XlsxFile) -> dict[str, Cells]:
    tabs = source.book(Budget()).tabs
    return {cells.tab.id: cells for cells in source.read(tabs, [None] * len(tabs), Budget())}


def rows_of(data: bytes) -> list[list[object]]:
    return [list(row) for row in csv_payload(Tab("a", "A"), data).rows()]


def rows_or_code(data: bytes) -> list[list[object]] | str:
    try:
        return rows_of(data)
    except SourceError as error:
        return error.code


def code_of(cells: Cells) -> str | None:
    return cells.error.code if cells.error else None


def test_each_csv_file_is_a_tab(folder: Path) -> None:
    for name in ("b.csv", "Project A.csv", "C.CSV", ".hidden.csv", "._b.csv", "notes.txt", "b.csv.bak"):
        (folder / name).write_text("URL,Followers\nx.com/a,12\n")
    (folder / "sub.csv").mkdir()
    source = CsvFolder(folder)

    book = source.book(Budget())

    assert [(tab.id, tab.title) for tab in book.tabs] == [("C", "C"), ("Project A", "Project A"), ("b", "b")]
    assert (book.title, book.locale, source.calls, source.key) == ("accounts", None, 0, str(folder))


def test_cells_of_a_csv_stay_text(folder: Path) -> None:
    (folder / "a.csv").write_text('URL,Followers\n"x.com/a","1,234"\n\nx.com/b\n')

    cells = everything(CsvFolder(folder))["a"]

    assert cells.rows() == [["URL", "Followers"], ["x.com/a", "1,234"], [], ["x.com/b"]]
    assert cells.size == len((folder / "a.csv").read_bytes())


def test_the_digest_of_a_csv_follows_its_bytes(folder: Path) -> None:
    for name, text in {"a": "x,1", "b": "x,1", "c": "x,2"}.items():
        (folder / f"{name}.csv").write_text(text)

    digests = {name: cells.digest for name, cells in everything(CsvFolder(folder)).items()}

    assert digests["a"] == digests["b"] != digests["c"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_whatever_its_delimiter_and_encoding(encoding: str, delimiter: str) -> None:
    rows = [["Профиль", "Подписчики"], ["x.com/a", "12"], ['a "b"', "3"]]
    text = "\r\n".join(delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows)

    assert rows_of(text.encode(encoding)) == rows


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("URL;Followers;Likes\nx.com/a;1,5;2,5\nx.com/b;3,5;4,5\n", ["x.com/a", "1,5", "2,5"]),
        ("URL\tNote\nx.com/a\ta, b; c\n", ["x.com/a", "a, b; c"]),
        ("URL,Note\nx.com/a,a; b; c; d\nx.com/b,a\n", ["x.com/a", "a; b; c; d"]),
        ("one\ntwo\n", ["two"]),
        ('URL,Note\n"x.com/a","two\nlines"\n', ["x.com/a", "two\nlines"]),
    ],
    ids=["decimal commas", "tabs", "semicolons in a note", "one column", "two lines in a cell"],
)
def test_the_delimiter_is_the_one_that_explains_the_rows(text: str, row: list[object]) -> None:
    assert rows_of(text.encode())[1] == row


def test_an_empty_csv_has_no_rows() -> None:
    assert (rows_of(b""), rows_of(b"\xef\xbb\xbf")) == ([], [])


@given(st.binary(max_size=300))
@example(b"a\0b")
@example(b'"')
@example(b"a\rb\nc")
def test_bytes_are_rows_or_an_error(data: bytes) -> None:
    rows = rows_or_code(data)

    if isinstance(rows, str):
        assert rows in {"bad_encoding", "malformed_csv"}
    else:
        assert all(isinstance(cell, str) for row in rows for cell in row)


def test_a_csv_in_another_encoding_fails_alone_and_says_the_fix(folder: Path) -> None:
    (folder / "bad.csv").write_bytes("Подписчики".encode("cp1251"))
    (folder / "torn.csv").write_bytes("a".encode("utf-16")[:-1])
    (folder / "good.csv").write_text("x")

    cells = everything(CsvFolder(folder))

    assert {name: code_of(each) for name, each in cells.items()} == {
        "bad": "bad_encoding",
        "torn": "bad_encoding",
        "good": None,
    }
    assert "CSV UTF-8" in str(cells["bad"].error)


def test_a_field_of_any_size_does_not_break_the_reader(folder: Path) -> None:
    (folder / "a.csv").write_text("x," + "y" * 200_000)

    with pytest.raises(SourceError) as error:
        everything(CsvFolder(folder))["a"].rows()

    assert error.value.code == "bad_response"


@pytest.mark.parametrize(
    ("encoding", "text", "others"),
    [
        ("cp1251", "Link,Owner,Followers\nx.com/a,Анна Чжоу,5\n", "Ссылка,Владелец,Подписчики\nx.com/b,Жанна,7\n"),
        ("cp1251", "Ссылка;Подписчики\nx.com/a;5\n", ""),
        ("cp1251", "Ссылка;Владелец;Подписчики\nx.com/a;Анна;5\n", "Link,Owner,Followers\nx.com/b,José,7\n"),
        ("cp1252", "Link,Owner,Followers\nx.com/a,José Müller,5\n", "Link,Owner\nx.com/b,Núñez é ü\n"),
        ("cp1250", "Link,Owner,Followers\nx.com/a,Łukasz Świątek,5\n", "Link,Owner\nx.com/b,Wałęsa śłą ż\n"),
        ("cp1252", "Link,Owner,Followers\nx.com/a,Müller,5\n", "Link,Owner\nx.com/b,Jürgen\n"),
        ("cp1252", "Link;Follower\nx.com/a;1\u00a0234\n", "Ссылка;Подписчики\n"),
        ("cp1251", "Link;Note;Follower\nx.com/a;“yes” – she’s…;5\n", ""),
        ("cp1252", "Link,Besitzer,Follower\nx.com/a,Müller,5\n", ""),
        ("cp1252", "Link,Owner,Followers\nx.com/a,ÉCOLE José,5\n", "Link,Owner\nx.com/b,ann\n"),
    ],
    ids=[
        "letters",
        "header alone",
        "header against others",
        "western",
        "central",
        "same in both",
        "spaces alone",
        "quotes alone",
        "among ASCII",
        "capitals among ASCII",
    ],
)
def test_a_csv_of_windows_is_read_where_something_tells_its_encoding(
    folder: Path, encoding: str, text: str, others: str
) -> None:
    (folder / "a.csv").write_bytes(text.encode(encoding))
    (folder / "b.csv").write_text(others)

    rows = everything(CsvFolder(folder))["a"].rows()

    assert rows == [line.split(";" if ";" in text else ",") for line in text.splitlines()]


@pytest.mark.parametrize(
    ("data", "others"),
    [
        ("Link,Owner,Followers\nx.com/a,Анна,5\n".encode("cp1251"), "Link,Owner,Followers\nx.com/b,ann,7\n"),
        ("Link,Owner,Followers\nx.com/a,Анна,5\n".encode("cp1251"), "Link,Owner\nx.com/b,Jürgen é\n"),
        ("Link,Owner,Followers\nx.com/a,Müller,5\n".encode("cp1252"), "Link,Owner\nx.com/b,Анна\n"),
        ("Link,Owner,Followers\nx.com/a,ПРИВЕТ Анна,5\n".encode("koi8-r"), "Link,Owner\nx.com/b,Анна Привет\n"),
        ("Link,Owner,Followers\nx.com/a,Привет Анна,5\n".encode("koi8-r"), "Link,Owner\nx.com/b,Анна Привет\n"),
        ("Link,Owner,Followers\nx.com/a,Привет,5\n".encode("cp866"), "Link,Owner\nx.com/b,Анна Привет\n"),
        ("Link,Owner,Followers\nx.com/a,Łukasz,5\n".encode("cp1250"), "Link,Owner\nx.com/b,José Müller\n"),
        ("リンク,フォロワー\n".encode("shift-jis"), "Ссылка\n"),
        ("Link,Owner,Followers\nx.com/a,José Müller,5\n".encode("mac-roman"), ""),
        ("Link,Owner,Followers\nx.com/a,José,5\n".encode("mac-roman"), "Link,Owner\nx.com/b,ann\n"),
        ("Link,Owner,Followers\nx.com/a,Müller,5\n".encode("cp850"), ""),
        (
            "Link,Owner,Followers\nx.com/a,Анна Привет,5\n".encode() + b"x.com/b,\xe9,6\n",
            "Link,Owner\nx.com/b,Анна Привет\n",
        ),
    ],
    ids=[
        "nothing tells",
        "other letters",
        "other script",
        "capitals",
        "another",
        "DOS",
        "central",
        "Japanese",
        "Mac",
        "Mac, one word",
        "DOS, western",
        "damaged",
    ],
)
def test_a_csv_whose_encoding_nothing_tells_is_refused(folder: Path, data: bytes, others: str) -> None:
    (folder / "a.csv").write_bytes(data)
    (folder / "b.csv").write_text(others)

    assert code_of(everything(CsvFolder(folder))["a"]) == "bad_encoding"


def test_a_workbook_that_is_called_csv_says_so(workbook: Workbook, folder: Path) -> None:
    saved(workbook, folder).rename(folder / "a.csv")

    cells = everything(CsvFolder(folder))["a"]

    assert code_of(cells) == "bad_file"
    assert "name it .xlsx" in str(cells.error)


def test_tables_with_tabs_and_workbooks_are_tabs_too(workbook: Workbook, folder: Path) -> None:
    workbook["Project A"].append(["x.com/a", 12])
    workbook.create_sheet("Hidden").sheet_state = "hidden"
    saved(workbook, folder)
    one = Workbook()
    one.save(folder / "One.XLSX")
    for name in ("A.csv", "A.tsv", "B.TSV", "~$Tracker.xlsx", "A.CSV"):
        (folder / name).write_text("URL\tFollowers\nx.com/a\t12\n")
    source = CsvFolder(folder)

    tabs = source.book(Budget()).tabs

    assert [(tab.id, tab.title, tab.hidden) for tab in tabs] == [
        ("A", "A", False),
        ("A.csv", "A.csv", False),
        ("A.tsv", "A.tsv", False),
        ("B", "B", False),
        ("One.XLSX/Sheet", "One", False),
        ("Tracker.xlsx/Project A", "Tracker: Project A", False),
        ("Tracker.xlsx/Hidden", "Tracker: Hidden", True),
    ]
    cells = everything(source)
    assert cells["B"].rows() == [["URL", "Followers"], ["x.com/a", "12"]]
    assert cells["Tracker.xlsx/Project A"].rows() == [["x.com/a", 12]]
    assert [each.tab.title for each in cells.values()] == [tab.title for tab in tabs]


def test_a_workbook_that_cannot_be_read_fails_alone(workbook: Workbook, folder: Path) -> None:
    saved(workbook, folder)
    (folder / "Broken.xlsx").write_bytes(b"PK")
    (folder / "A.csv").write_text("x")
    source = CsvFolder(folder)

    cells = everything(source)

    assert {name: code_of(each) for name, each in cells.items()} == {
        "A": None,
        "Broken.xlsx": "bad_file",
        "Tracker.xlsx/Project A": None,
    }


def test_a_workbook_that_breaks_meanwhile_fails_with_all_its_tabs(workbook: Workbook, folder: Path) -> None:
    workbook.create_sheet("B")
    path = saved(workbook, folder)
    source = CsvFolder(folder)
    tabs = source.book(Budget()).tabs
    answers = source.read(tabs, [None, None], Budget())
    first = next(answers)
    path.write_bytes(b"PK")

    assert code_of(first) is None
    assert [code_of(each) for each in source.read(tabs, [None, None], Budget())] == ["bad_file", "bad_file"]


def test_a_folder_tells_of_which_tabs_it_cannot_know_whether_they_are_there(workbook: Workbook, folder: Path) -> None:
    (folder / "Broken.xlsx").write_bytes(b"PK")
    saved(workbook, folder)
    source = CsvFolder(folder)

    book = source.book(Budget())
    lost, gone = source.read([Tab("Broken.xlsx/A", "A"), Tab("Tracker.xlsx/Gone", "Gone")], [None] * 2, Budget())

    why = book.why_unseen("Broken.xlsx/A")
    assert why is not None
    assert why.code == "bad_file"
    assert [book.why_unseen(id_) for id_ in ("Broken.xlsx", "Tracker.xlsx/Gone", "A")] == [None] * 3
    assert (code_of(lost), code_of(gone)) == ("bad_file", "tab_missing")


def test_a_folder_for_which_no_time_is_left_has_no_broken_workbooks(workbook: Workbook, folder: Path) -> None:
    saved(workbook, folder)

    with pytest.raises(OutOfTime):
        CsvFolder(folder).book(Budget(0))


def test_other_files_are_named_with_what_to_do(folder: Path) -> None:
    for name in ("a.ods", "b.XLS", "c.numbers", "d.txt", "e.csv.gz", "README.md", "f.csv.bak", ".g.ods", "h.csv.part"):
        (folder / name).write_text("x")

    notes = CsvFolder(folder).book(Budget()).notes

    assert notes == (
        "the file 'a.ods' is not read: save it as .xlsx or .csv",
        "the file 'b.XLS' is not read: save it as .xlsx or .csv",
        "the file 'c.numbers' is not read: save it as .xlsx or .csv",
        "the file 'd.txt' is not read: name it .csv or .tsv if it is a table",
        "the file 'e.csv.gz' is not read: unpack it",
    )


def test_a_file_that_grows_while_it_is_looked_at_fails_alone(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text("x,1\n")

    def grow(_: float) -> None:
        with (folder / "a.csv").open("a") as opened:
            opened.write("y,2\n")

    source = CsvFolder(folder, clock=Clock(sleep=grow))
    cells = everything(source)

    assert {name: code_of(each) for name, each in cells.items()} == {"a": "being_written", "b": None}
    assert "the next run looks again" in str(cells["a"].error)


def test_a_file_that_rests_is_not_waited_for(folder: Path) -> None:
    (folder / "a.csv").write_text("x")
    os.utime(folder / "a.csv", (1e9, 1e9))

    def refuse(_: float) -> None:
        raise AssertionError

    assert everything(CsvFolder(folder, clock=Clock(sleep=refuse)))["a"].error is None


def test_a_csv_that_is_too_large_fails_alone(folder: Path) -> None:
    (folder / "large.csv").write_bytes(b"x" * 101)
    (folder / "small.csv").write_bytes(b"x" * 100)

    cells = everything(CsvFolder(folder, largest=100))

    assert (code_of(cells["large"]), code_of(cells["small"])) == ("too_large", None)


def test_a_csv_that_goes_meanwhile_fails_alone(folder: Path) -> None:
    (folder / "a.csv").write_text("x")
    (folder / "b.csv").write_text("y")
    source = CsvFolder(folder)
    tabs = source.book(Budget()).tabs
    (folder / "a.csv").unlink()

    gone, there = source.read(tabs, [None, None], Budget())

    assert (code_of(gone), there.rows()) == ("tab_missing", [["y"]])


def test_a_tab_never_leads_out_of_the_folder(folder: Path) -> None:
    (folder.parent / "secret.csv").write_text("x")

    (cells,) = CsvFolder(folder).read([Tab("../secret", "../secret")], [None], Budget())

    assert code_of(cells) == "tab_missing"


def test_a_csv_that_may_not_be_read_fails_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.csv").write_text("x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)

    assert code_of(everything(CsvFolder(folder))["a"]) == "unreadable"


@pytest.mark.parametrize("source", [CsvFolder, XlsxFile])
def test_what_is_not_there_is_said_to_be_missing(
    tmp_path: Path, source: Callable[[Path], CsvFolder | XlsxFile]
) -> None:
    with pytest.raises(SourceError, match="nowhere") as error:
        source(tmp_path / "nowhere").book(Budget())

    assert (error.value.code, error.value.hint) == ("spreadsheet_missing", "check SMART_SYNC_SHEET")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(SourceError) as error:
        CsvFolder(file).book(Budget())

    assert error.value.code == "spreadsheet_missing"


@pytest.fixture
def workbook() -> Workbook:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Project A"
    return book


def saved(workbook: Workbook, folder: Path) -> Path:
    path = folder / "Tracker.xlsx"
    workbook.save(path)
    return path


def test_each_worksheet_is_a_tab(workbook: Workbook, folder: Path) -> None:
    workbook.create_sheet("Hidden").sheet_state = "hidden"
    workbook.create_chartsheet("Chart").add_chart(BarChart())
    source = XlsxFile(saved(workbook, folder))

    book = source.book(Budget())

    assert [(tab.id, tab.title, tab.hidden) for tab in book.tabs] == [
        ("Project A", "Project A", False),
        ("Hidden", "Hidden", True),
    ]
    assert (book.title, book.locale, source.calls) == ("Tracker", None, 0)


def test_cells_of_a_workbook_keep_their_types_but_dates_become_text(workbook: Workbook, folder: Path) -> None:
    sheet = workbook["Project A"]
    sheet.append(["x.com/a", 12, 2.5, True, None, "1,234", None, None])
    sheet.append([])
    sheet.append([NOON, dt.date(2025, 1, 2), dt.time(3, 4), dt.timedelta(hours=30), "#REF!"])
    sheet.append([None, None])

    rows = everything(XlsxFile(saved(workbook, folder)))["Project A"].rows()

    assert rows == [
        ["x.com/a", 12, 2.5, True, None, "1,234"],
        [],
        ["2025-01-02T12:00:00", "2025-01-02T00:00:00", "03:04:00", "1 day, 6:00:00", "#REF!"],
    ]
    assert [type(cell) for cell in rows[0][1:4]] == [int, float, bool]


def test_the_digest_of_a_worksheet_follows_its_cells(workbook: Workbook, folder: Path) -> None:
    for title, value in {"b": 1, "c": 1, "d": 2}.items():
        workbook.create_sheet(title).append(["x", value])

    cells = everything(XlsxFile(saved(workbook, folder)))

    assert cells["b"].digest == cells["c"].digest != cells["d"].digest
    assert cells["Project A"].rows() == []


def test_a_formula_without_a_saved_value_is_not_computed(workbook: Workbook, folder: Path) -> None:
    workbook["Project A"].append(["x.com/a", "=1+1", 7])

    assert everything(XlsxFile(saved(workbook, folder)))["Project A"].rows() == [["x.com/a", NOT_COMPUTED, 7]]


def test_a_stray_cell_far_down_or_right_costs_nothing(workbook: Workbook, folder: Path) -> None:
    sheet = workbook["Project A"]
    sheet["A1"] = "Followers"
    sheet["XFD1"] = "stray"
    sheet["A300000"] = None
    sheet["A200000"].number_format = "0.00"

    assert everything(XlsxFile(saved(workbook, folder)))["Project A"].rows() == [["Followers"]]


def test_wrong_dimensions_hide_no_rows(workbook: Workbook, folder: Path) -> None:
    workbook["Project A"].append(["Followers"])
    workbook["Project A"].append([7])
    path = saved(workbook, folder)
    rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'ref="A1:A2"', b'ref="A1"'))
    assert load_workbook(path, read_only=True)["Project A"].max_row == 1

    assert everything(XlsxFile(path))["Project A"].rows() == [["Followers"], [7]]


def rewrite(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, change(data) if name == part else data)


def test_a_worksheet_that_goes_meanwhile_fails_alone(workbook: Workbook, folder: Path) -> None:
    workbook.create_sheet("B").append([1])
    source = XlsxFile(saved(workbook, folder))
    tabs = source.book(Budget()).tabs
    del workbook["Project A"]
    saved(workbook, folder)

    gone, there = source.read(tabs, [None, None], Budget())

    assert (code_of(gone), there.rows()) == ("tab_missing", [[1]])


def test_a_broken_worksheet_fails_alone(workbook: Workbook, folder: Path) -> None:
    workbook["Project A"].append([1])
    workbook.create_sheet("B").append([2])
    path = saved(workbook, folder)
    rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2])

    cells = everything(XlsxFile(path))

    assert (code_of(cells["Project A"]), cells["B"].rows()) == ("bad_file", [[2]])


@pytest.mark.parametrize(
    "damage",
    ["no zip", "cut", "another zip", "empty", "no workbook", "a folder"],
)
def test_a_broken_workbook_is_refused(workbook: Workbook, folder: Path, damage: str) -> None:
    path = saved(workbook, folder)
    if damage == "another zip":
        with zipfile.ZipFile(path, "w") as other:
            other.writestr("a.txt", "hello")
    elif damage == "no workbook":
        rewrite(path, "xl/workbook.xml", lambda _: b"<oops")
    elif damage == "a folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"no zip": b"hello", "cut": path.read_bytes()[:500], "empty": b""}[damage])

    with pytest.raises(SourceError, match="save it again") as error:
        XlsxFile(path).book(Budget())

    assert error.value.code == "bad_file"


def test_a_zip_bomb_is_not_unpacked(workbook: Workbook, folder: Path) -> None:
    path = saved(workbook, folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/bomb.xml", bytes(2**20))

    with pytest.raises(SourceError, match="more than 1 MB") as error:
        XlsxFile(path, largest_unpacked=2**20).book(Budget())

    assert error.value.code == "too_large"
