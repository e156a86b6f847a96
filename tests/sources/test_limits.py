"""What is too large, endless or no file at all is refused by name, in time, and takes nothing from its neighbours."""

from __future__ import annotations

import json
import os
import socket
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from webapp.clock import Budget, Clock
from webapp.errors import OutOfTime, SourceError
from webapp.rules.addresses import column_letters
from webapp.sources.sheet import Cells, Tab
from webapp.sources.sheet.csv import CsvFolder
from webapp.sources.sheet.google.answers import decode_book
from webapp.sources.sheet.google.ranges import range_of
from webapp.sources.sheet.payload import csv_payload, json_payload
from webapp.sources.sheet.rows import read_tab
from webapp.sources.sheet.xlsx import XlsxFile

if TYPE_CHECKING:
    from tests.sources.conftest import FakeTime, Google

HEADER = b"URL,Followers\nx.com/a,12\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "accounts"
    folder.mkdir()
    (folder / "good.csv").write_bytes(HEADER)
    return folder


def budget_of_looks(looks: int) -> Budget:
    """A budget that is used up once somebody has looked at it so many times."""
    times = iter(range(10**6))
    return Budget(looks, Clock(monotonic=lambda: float(next(times))))


def everything(source: CsvFolder | XlsxFile) -> dict[str, Cells]:
    tabs = source.book(Budget()).tabs
    return {cells.tab.id: cells for cells in source.read(tabs, [None] * len(tabs), Budget())}


def error_of(cells: Cells) -> SourceError:
    """Why the cells cannot be read."""
    with pytest.raises(SourceError) as error:
        cells.rows()
    return error.value


# What is no file


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may have no more than a hundred characters
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)
    os.chdir(here)


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name(".pipe"))
    path.symlink_to(path.with_name(".pipe"))


NO_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a pipe": (make_pipe, "a pipe"),
    "a link to a pipe": (link_to_pipe, "a pipe"),
    "a socket": (make_socket, "a socket"),
    "an endless device": (link_to("/dev/zero"), "a device"),
    "an empty device": (link_to("/dev/null"), "a device"),
}


@pytest.mark.parametrize("name", ["odd.csv", "odd.tsv", "odd.xlsx"])
@pytest.mark.parametrize("case", NO_FILES, ids=str)
def test_what_is_no_file_fails_alone(folder: Path, case: str, name: str) -> None:
    make, kind = NO_FILES[case]
    make(folder / name)

    cells = everything(CsvFolder(folder))

    (odd,) = (each for each in cells.values() if each.tab.id != "good")
    error = error_of(odd)
    assert (error.code, error.message) == ("bad_file", f"{folder / name} is {kind}, not a file")
    assert cells["good"].rows() == [["URL", "Followers"], ["x.com/a", "12"]]


@pytest.mark.parametrize("case", NO_FILES, ids=str)
def test_a_workbook_that_is_no_file_is_not_opened(tmp_path: Path, case: str) -> None:
    make, kind = NO_FILES[case]
    make(tmp_path / "book.xlsx")

    with pytest.raises(SourceError, match=f"book.xlsx is {kind}, not a file"):
        XlsxFile(tmp_path / "book.xlsx").book(Budget())


def test_a_file_that_turns_into_a_pipe_behind_our_back_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.open

    def swap(path: str, *more: int) -> int:
        Path(path).unlink()
        os.mkfifo(path)
        return really(path, *more)

    monkeypatch.setattr(os, "open", swap)

    assert "is a pipe, not a file" in str(error_of(everything(CsvFolder(folder))["good"]))


def test_a_file_without_anything_to_read_yet_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the kernel look like any other and may have nothing to say."""
    with (folder / "good.csv").open("rb") as opened:
        nothing = SimpleNamespace(read=lambda _: None, fileno=opened.fileno)
        monkeypatch.setattr("webapp.sources.sheet.csv.open_file", lambda *_: nullcontext(nothing))

        assert error_of(everything(CsvFolder(folder))["good"]).code == "bad_file"


def test_letters_are_not_looked_for_in_what_is_no_file(folder: Path) -> None:
    (folder / "letters.csv").write_bytes("Профиль,Подписчики\nx.com/a,12\n".encode("cp1251"))
    make_pipe(folder / "pipe.csv")

    assert everything(CsvFolder(folder))["letters"].rows()[1] == ["x.com/a", "12"]


# Workbooks

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(path: Path, rows: str, *, strings: str = "", sheets: int = 1) -> Path:
    """A workbook whose first sheet has these rows; all of its sheets are the same part, as no program writes them."""
    Workbook().save(path)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    book = parts["xl/workbook.xml"].decode()
    one = book[book.index("<sheet ") : book.index("</sheets>")]
    more = "".join(one.replace('name="Sheet"', f'name="Sheet {number}"') for number in range(2, sheets + 1))
    parts["xl/workbook.xml"] = book.replace(one, one + more).encode()
    if strings:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{strings}</sst>'.encode()
        refers = f'<Relationship Id="rIdS" Type="{KINDS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
        kept = parts["xl/_rels/workbook.xml.rels"].decode().replace("</Relationships>", refers)
        parts["xl/_rels/workbook.xml.rels"] = kept.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return path


def cell(row: int, column: str = "A", value: int = 7) -> str:
    return f'<row r="{row}"><c r="{column}{row}"><v>{value}</v></c></row>'


@pytest.mark.parametrize("number", ["1000000000", "1048577", "9" * 30])
def test_a_row_beyond_the_last_is_refused_by_its_number(tmp_path: Path, number: str) -> None:
    path = workbook(tmp_path / "b.xlsx", f'<row r="{number}"><c><v>7</v></c></row>')

    error = error_of(everything(XlsxFile(path))["Sheet"])

    assert error.code == "too_large"
    assert error.message == "Sheet: more than 1,048,576 rows"


def test_the_last_row_is_read(tmp_path: Path) -> None:
    rows = everything(XlsxFile(workbook(tmp_path / "b.xlsx", cell(1_048_576))))["Sheet"].rows()

    assert (len(rows), rows[-1]) == (1_048_576, [7])


def test_columns_beyond_those_that_are_read_cost_nothing(tmp_path: Path) -> None:
    wide = "".join(f'<row r="{n}"><c r="A{n}"><v>7</v></c><c r="XFD{n}"><v>8</v></c></row>' for n in range(1, 1001))

    assert everything(XlsxFile(workbook(tmp_path / "b.xlsx", wide)))["Sheet"].rows() == [[7]] * 1000


def test_a_text_that_very_many_cells_share_is_not_written_out(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 2_001))
    path = workbook(tmp_path / "b.xlsx", rows, strings=f"<si><t>{'x' * 100_000}</t></si>")

    error = error_of(everything(XlsxFile(path))["Sheet"])

    assert (error.code, error.message) == ("too_large", "Sheet: more than 64 MB of text")


def test_a_part_that_very_many_sheets_share_is_not_read_again_and_again(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", cell(1) + " " * 2**20, sheets=6)

    cells = everything(XlsxFile(path, largest_unpacked=4 * 2**20))

    read = [name for name, each in cells.items() if each.error is None]
    refused = [each.error.code for each in cells.values() if each.error is not None]
    assert (read, refused) == (["Sheet", "Sheet 2", "Sheet 3"], ["too_large"] * 3)


def test_a_list_of_contents_without_end_is_not_loaded(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", cell(1))
    with zipfile.ZipFile(path, "a") as more:
        for number in range(30_000):
            more.writestr(f"{number:0100}", "")

    with pytest.raises(SourceError, match="lists more than") as error:
        XlsxFile(path).book(Budget())
    assert error.value.code == "too_large"


def test_a_list_of_sheets_without_end_is_not_loaded(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", cell(1))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}">{" " * 17 * 2**20}</workbook>')

    with pytest.raises(SourceError, match=r"xl/workbook.xml.* than 16 MB") as error:
        XlsxFile(path).book(Budget())
    assert error.value.code == "too_large"


ENDLESS = {
    "elements within elements": "<a>" * 200_000,
    "a tag": f'<row a="{"x" * 2 * 2**20}"/>',
    "attributes": "<row " + " ".join(map("a{}='x'".format, range(200_000))) + "/>",
    "a comment": f"<!--{'x' * 2 * 2**20}-->",
    "names of elements": "".join(f"<e{n}/>" for n in range(30_000)),
    "names of attributes": "".join(f'<e a{n}=""/>' for n in range(30_000)),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_no_program_writes_and_would_fill_the_memory_is_refused(folder: Path, what: str) -> None:
    workbook(folder / "b.xlsx", cell(1) + ENDLESS[what])

    cells = everything(CsvFolder(folder))

    assert error_of(next(found for name, found in cells.items() if name != "good")).code == "bad_file"
    assert cells["good"].error is None


@pytest.mark.parametrize("what", ENDLESS)
def test_the_same_in_the_list_of_sheets(tmp_path: Path, what: str) -> None:
    path = workbook(tmp_path / "b.xlsx", cell(1))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}">{ENDLESS[what]}</workbook>')

    with pytest.raises(SourceError) as error:
        XlsxFile(path).book(Budget())
    assert error.value.code == "bad_file"


def test_elements_without_end_are_not_kept_as_a_tree(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", cell(1))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}">{"<a/>" * 300_000}</workbook>')

    with pytest.raises(SourceError, match=r"b\.xlsx: xl/workbook.xml has more than 250,000 elements") as error:
        XlsxFile(path).book(Budget())
    assert error.value.code == "too_large"


LONG = {
    "as it is": (f'<row r="1"><c t="str"><v>{"x" * 200_000}</v></c></row>', ""),
    "sign by sign": (f'<row r="1"><c t="inlineStr"><is><t>{"&lt;" * 200_000}</t></is></c></row>', ""),
    "in pieces": (f'<row r="1"><c t="inlineStr"><is>{"<r><t>xy</t></r>" * 100_000}</is></c></row>', ""),
    "shared": ('<row r="1"><c t="s"><v>0</v></c></row>', f"<si>{'<r><t>xy</t></r>' * 100_000}</si>"),
}


@pytest.mark.parametrize("how", LONG)
def test_a_text_of_a_workbook_that_is_too_long_for_a_cell_is_refused(tmp_path: Path, how: str) -> None:
    rows, strings = LONG[how]
    path = workbook(tmp_path / "b.xlsx", rows, strings=strings)

    error = error_of(everything(XlsxFile(path))["Sheet"])

    assert error.code == "too_large"
    assert error.message.endswith(": a cell has more than 131,072 characters")


def test_texts_that_are_long_together_are_read(tmp_path: Path) -> None:
    one = "x" * 100_000
    rows = "".join(f'<row r="{n}"><c t="inlineStr"><is><t>{one}</t></is></c></row>' for n in range(1, 4))
    path = workbook(tmp_path / "b.xlsx", rows, strings=f"<si><t>{one}</t></si>" * 3)

    assert everything(XlsxFile(path))["Sheet"].rows() == [[one]] * 3


def test_a_file_of_any_size_that_says_it_is_a_workbook_is_not_looked_through(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", cell(1))
    with path.open("r+b") as opened:
        opened.truncate(2**40)

    with pytest.raises(SourceError, match=r"b\.xlsx is larger than 256 MB") as error:
        XlsxFile(path).book(Budget())
    assert error.value.code == "too_large"


def test_the_time_ends_within_a_sheet_that_takes_too_long(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", "".join(map(cell, range(1, 20_001))), sheets=3)
    source = XlsxFile(path)
    answers = source.read(source.book(Budget()).tabs, [None] * 3, budget_of_looks(12))

    error = error_of(next(answers))
    with pytest.raises(OutOfTime):
        next(answers)

    assert (type(error), error.code) == (OutOfTime, "timeout")
    assert error.message == "Sheet: the budget was used up while the tab was read"
    assert "SMART_SYNC_BUDGET" in str(error)


def test_the_time_ends_within_the_texts_of_a_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", cell(1), strings="<si><t>x</t></si>" * 100_000)
    source = XlsxFile(path)

    cells = next(source.read(source.book(Budget()).tabs, [None], budget_of_looks(15)))

    assert isinstance(error_of(cells), OutOfTime)


def test_the_time_ends_before_the_second_sheet_of_a_workbook_in_a_folder(folder: Path) -> None:
    workbook(folder / "b.xlsx", "".join(map(cell, range(1, 20_001))), sheets=2)
    source = CsvFolder(folder)
    answers = source.read(source.book(Budget()).tabs, [None] * 3, budget_of_looks(30))

    good, odd = next(answers), next(answers)

    assert (good.error, type(odd.error)) == (None, OutOfTime)
    with pytest.raises(OutOfTime):
        next(answers)


def test_formulas_that_fill_the_cells_of_others_are_bounded_where_they_overlap(tmp_path: Path) -> None:
    one = '<c r="{0}1"><f t="array" ref="{0}1:{0}9">1</f><v>1</v></c>'
    across = f'<row r="1">{"".join(one.format(column_letters(n)) for n in range(1_001))}</row>'
    down = "".join(
        f'<row r="{n}"><c r="A{n}"><f t="array" ref="A{n}:B{n}">1</f><v>1</v></c></row>' for n in range(1, 2_001)
    )

    error = error_of(everything(XlsxFile(workbook(tmp_path / "across.xlsx", across)))["Sheet"])
    below = everything(XlsxFile(workbook(tmp_path / "down.xlsx", down)))["Sheet"]

    assert (error.code, error.message) == ("too_large", "Sheet: more than 1,000 formulas that fill cells of one row")
    assert len(below.rows()) == 2_000


# CSV


def test_lines_without_end_are_refused() -> None:
    error = error_of(csv_payload(Tab("a", "A"), HEADER + b"\n" * 2**20))

    assert (error.code, error.message) == ("too_large", "A: more than 1,048,576 rows")
    assert "split" in str(error)


def test_cells_without_end_are_refused() -> None:
    error = error_of(csv_payload(Tab("a", "A"), HEADER + (b"," * 1_000_000 + b"\n") * 11))

    assert (error.code, error.message) == ("too_large", "A: more than 10,000,000 cells")


def test_blank_lines_are_passed_over() -> None:
    table = csv_payload(Tab("a", "A"), HEADER + b"\n" * 300_000 + b"x.com/b,13\n").rows()

    assert [row.row for row in read_tab(table, "A").rows.values()] == [2, 300_003]


def test_a_cell_that_is_too_long_is_named() -> None:
    error = error_of(csv_payload(Tab("a", "A"), HEADER + b"x.com/b," + b"9" * 200_000))

    assert (error.code, error.message) == ("bad_response", "A: line 3 has a cell of more than 131,072 characters")


def test_the_time_ends_within_a_table_that_takes_too_long() -> None:
    cells = csv_payload(Tab("a", "A"), HEADER + b"x.com/a,12\n" * 100_000)

    with pytest.raises(OutOfTime, match="A: the budget was used up"):
        cells.rows(budget_of_looks(5))
    with pytest.raises(OutOfTime, match="A: the budget was used up"):
        read_tab(cells.rows(), "A", None, None, budget_of_looks(5))


def test_a_table_that_is_too_large_is_not_read_to_see_that(folder: Path) -> None:
    with (folder / "huge.csv").open("wb") as opened:
        opened.truncate(2**40)

    cells = everything(CsvFolder(folder))

    assert error_of(cells["huge"]).code == "too_large"
    assert cells["good"].error is None


# Google

SIZES = [-1, -5, -(2**63), 10**9, 2**63, 10**40, 1e300, 0.5, "many", None, [], True]


def book_of(sizes: object, *more: object) -> bytes:
    grids: list[object] = [{"rowCount": sizes, "columnCount": sizes}, *more, {"rowCount": 9, "columnCount": 3}]
    sheets = [
        {"properties": {"title": f"T{number}", "sheetId": number, "gridProperties": grid}}
        for number, grid in enumerate(grids)
    ]
    return json.dumps({"properties": {"title": "A book"}, "sheets": sheets}).encode()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_size_that_is_none_is_unknown(size: object) -> None:
    odd, good = decode_book(book_of(size)).tabs

    assert (odd.rows, odd.columns, range_of(odd)) == (0, 0, "'T0'!A:AZ")
    assert (good.rows, good.columns, range_of(good)) == (9, 3, "'T1'!A1:C9")


@pytest.mark.parametrize("grid", [None, 7, "many", []], ids=str)
def test_sizes_that_are_something_else_take_nothing_from_other_tabs(grid: object) -> None:
    _, odd, good = decode_book(book_of(5, grid)).tabs

    assert (odd.rows, good.rows) == (0, 9)


def test_a_tab_of_a_negative_size_is_read(google: Google, fake_time: FakeTime) -> None:
    google.properties["Project A"] = {"gridProperties": {"rowCount": -5, "columnCount": -7}}
    sheet = google.sheet()

    (cells,) = sheet.read(sheet.book(fake_time.budget()).tabs, [None], fake_time.budget())

    assert cells.rows() == google.tabs["Project A"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[" + b",".join([b"[]"] * (2**20 + 1)) + b"]", "1,048,576 rows"),
        (b"[[" + b",".join([b"0"] * 10_000_001) + b"]]", "10,000,000 cells"),
    ],
    ids=["rows", "cells"],
)
def test_an_answer_without_end_is_not_unfolded(data: bytes, words: str) -> None:
    error = error_of(json_payload(Tab("0", "Project A"), data))

    assert (error.code, error.message) == ("too_large", f"Project A: more than {words}")


# Halves of signs


def test_half_a_sign_in_a_cell_takes_nothing_from_the_other_tabs(google: Google, fake_time: FakeTime) -> None:
    whole = "a\\ud83d \U0001f600"  # a backslash that somebody typed, and a sign of two halves
    google.tabs = {"Odd": [["x\ud83d", "\udc00", whole]], "Project A": [["Followers"], [7]]}
    sheet = google.sheet()

    odd, good = sheet.read(sheet.book(fake_time.budget()).tabs, [None] * 2, fake_time.budget())

    assert odd.rows() == [["x\ufffd", "\ufffd", whole]]
    assert good.rows() == [["Followers"], [7]]


def test_half_a_sign_in_a_title_takes_nothing_from_the_other_tabs(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {"Od\ud83dd": [["x"]], "Project A": [["Followers"], [7]]}

    assert [tab.title for tab in google.sheet().book(fake_time.budget()).tabs] == ["Od\ufffdd", "Project A"]
