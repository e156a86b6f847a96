"""What a workbook says by its XML: formulas nobody has computed, Office's escapes, Strict files, what libraries write."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.model import Counts
from webapp.sources.counts import NOT_COMPUTED
from webapp.sources.sheet import Cells
from webapp.sources.sheet.csv import CsvFolder
from webapp.sources.sheet.rows import read_tab
from webapp.sources.sheet.xlsx import XlsxFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_KINDS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
PROPERTIES = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"

ONE = "https://www.tiktok.com/@example_one"
TWO = "https://www.tiktok.com/@example_two"


def text(cell: str, value: str) -> str:
    return f'<c r="{cell}" t="inlineStr"><is><t>{value}</t></is></c>'


HEADER = f'<row r="1">{text("A1", "Link")}{text("B1", "Followers")}</row>'


class Book:
    """The parts of a workbook of one sheet, to be changed before it is saved."""

    def __init__(self, folder: Path, rows: str = "", *, kinds: str = KINDS, main: str = MAIN) -> None:
        self.path = folder / "Tracker.xlsx"
        self.main, self.kinds = main, kinds
        self.rows = rows
        self.calc = '<calcPr calcId="191029"/>'
        self.sheets = '<sheet name="A" sheetId="1" r:id="rId1"/>'
        self.application: str | None = None
        self.strings = self.styles = ""
        self.more: dict[str, str] = {}
        self.chain = False
        self.target = "worksheets/sheet1.xml"
        self.part = "xl/worksheets/sheet1.xml"
        self.prefix = ""

    def read(self) -> Cells:
        self.save()
        source = XlsxFile(self.path)
        (cells,) = source.read(source.book(Budget()).tabs[:1], [None], Budget())
        return cells

    def grid(self) -> list[list[object]]:
        return [list(row) for row in self.read().rows()]

    def followers(self) -> list[int | None]:
        reading = read_tab(self.read().rows(), "A")
        return [row.counts.followers for row in reading.rows.values()]

    def save(self) -> None:
        kinds = {
            "rId1": ("worksheet", self.target),
            "rId2": ("styles", "styles.xml"),
            "rId3": ("sharedStrings", "s.xml"),
        }
        if self.chain:
            kinds["rId4"] = ("calcChain", "calcChain.xml")
        root = {"rId1": ("officeDocument", "xl/workbook.xml")}
        if self.application is not None:
            root["rId2"] = ("extended-properties", "docProps/app.xml")
        p = f"{self.prefix}:" if self.prefix else ""
        name = f"xmlns:{self.prefix}" if self.prefix else "xmlns"
        parts = {
            "_rels/.rels": self._relations(root),
            "xl/_rels/workbook.xml.rels": self._relations(kinds),
            "xl/workbook.xml": f'<workbook xmlns="{self.main}" xmlns:r="{self.kinds}"><sheets>{self.sheets}</sheets>'
            f"{self.calc}</workbook>",
            self.part: f'<{p}worksheet {name}="{self.main}"><{p}sheetData>{self.rows}</{p}sheetData></{p}worksheet>',
            "xl/styles.xml": f'<styleSheet xmlns="{self.main}">{self.styles}</styleSheet>',
            "xl/s.xml": f'<sst xmlns="{self.main}">{self.strings}</sst>',
            "docProps/app.xml": f'<Properties xmlns="{PROPERTIES}"><Application>{self.application}</Application>'
            "</Properties>",
        }
        with zipfile.ZipFile(self.path, "w") as archive:
            for part, xml in (parts | self.more).items():
                archive.writestr(part, xml)

    def _relations(self, found: dict[str, tuple[str, str]]) -> str:
        inner = "".join(
            f'<Relationship Id="{key}" Type="{self.kinds}/{kind}" Target="{target}"/>'
            for key, (kind, target) in found.items()
        )
        return f'<Relationships xmlns="{PACKAGE}">{inner}</Relationships>'


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def formula(value: str, attributes: str = "", inside: str = "<f>C2+D2</f>") -> str:
    """A header and one account whose followers are a formula with what was saved of it."""
    cells = (
        f'{text("A2", ONE)}<c r="B2"{attributes}>{inside}{value}</c><c r="C2"><v>1000</v></c><c r="D2"><v>500</v></c>'
    )
    return f'{HEADER}<row r="2">{cells}</row>'


# Formulas


@pytest.mark.parametrize(
    "value",
    ["", "<v/>", "<v></v>", "<v> </v>"],
    ids=["no value", "empty element", "empty", "blank"],
)
def test_a_formula_without_a_saved_value_is_unread(book: Book, value: str) -> None:
    book.rows = formula(value)

    reading = read_tab(book.read().rows(), "A")

    (row,) = reading.rows.values()
    assert (row.counts, row.unread) == (Counts(), 0b11111)
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == ("invalid_number", "A!B2")
    assert "open and save it once in a spreadsheet program" in problem.message


@pytest.mark.parametrize(
    ("calc", "application", "chain"),
    [
        ('<calcPr calcId="124519" fullCalcOnLoad="1"/>', "Microsoft Excel", False),
        ('<calcPr calcId="124519" fullCalcOnLoad="true"/>', None, True),
        ('<calcPr calcId="191029" calcCompleted="0"/>', None, True),
        ('<calcPr calcId="0"/>', "Microsoft Excel", False),
        ("", "Microsoft Excel", False),
        ("", "Apache POI", False),
        ("", "EPPlus", True),
        ("", "Go Excelize", False),
    ],
)
@pytest.mark.parametrize("zero", ["<v>0</v>", "<v>0.0</v>", "<v>-0</v>", "<v>0E0</v>"])
def test_a_zero_beside_a_formula_that_was_never_computed_is_unread(
    book: Book, calc: str, application: str | None, chain: bool, zero: str
) -> None:
    book.rows, book.calc, book.application, book.chain = formula(zero), calc, application, chain

    assert book.grid()[1][1] == NOT_COMPUTED
    assert book.followers() == [None]


@pytest.mark.parametrize(
    ("application", "chain"),
    [
        ("Microsoft Excel", True),
        ("Microsoft Macintosh Excel", True),
        ("LibreOffice/7.4", False),
        (None, False),
        ("ONLYOFFICE/8.0", False),
        ("WPS Spreadsheets", False),
    ],
)
def test_a_zero_that_a_spreadsheet_program_computed_is_a_zero(book: Book, application: str | None, chain: bool) -> None:
    book.rows, book.application, book.chain = formula("<v>0</v>"), application, chain

    assert book.followers() == [0]


def test_a_computed_value_is_read_also_where_the_file_asks_to_be_recalculated(book: Book) -> None:
    book.rows = formula("<v>1500</v>")
    book.calc = '<calcPr calcId="124519" fullCalcOnLoad="1"/>'

    assert book.followers() == [1500]


@pytest.mark.parametrize(
    ("inside", "value"),
    [
        ('<f t="shared" ref="B2:B3" si="0">C2+D2</f>', ""),
        ('<f t="shared" si="0"/>', "<v/>"),
        ('<f t="array" ref="B2">SUM(C2:D2)</f>', ""),
        ("<f/>", ""),
        ('<f ca="1">NOW()</f>', ""),
    ],
)
def test_every_kind_of_formula_is_known_as_one(book: Book, inside: str, value: str) -> None:
    book.rows = formula(value, inside=inside)

    assert book.followers() == [None]
    assert book.grid()[1][1] == NOT_COMPUTED


def test_the_cells_that_an_array_formula_fills_are_formulas_too(book: Book) -> None:
    first = f'{text("A2", ONE)}<c r="B2"><f t="array" ref="B2:B3">C2:C3*2</f></c>'
    second = f'{text("A3", TWO)}<c r="B3"/>'
    third = f'{text("A4", TWO + "3")}<c r="B4"/>'
    book.rows = f'{HEADER}<row r="2">{first}</row><row r="3">{second}</row><row r="4">{third}</row>'

    assert [row[1:] for row in book.grid()] == [["Followers"], [NOT_COMPUTED], [NOT_COMPUTED], []]


def test_the_cells_of_an_array_formula_nobody_computed_need_not_be_in_the_file(book: Book) -> None:
    first = f'{text("A2", ONE)}<c r="B2"><f t="array" ref="B2:C4">E2:F4*2</f><v/></c>{text("D2", "ann")}'
    second = f"{text('A3', TWO)}{text('D3', 'bob')}"
    third = f'{text("A4", TWO + "3")}<c r="C4"><v>7</v></c>'
    rows = enumerate((first, second, third, "", text("A6", TWO + "6")), 2)
    book.rows = HEADER + "".join(f'<row r="{number}">{cells}</row>' for number, cells in rows)

    assert [row[1:] for row in book.grid()] == [
        ["Followers"],
        [NOT_COMPUTED, NOT_COMPUTED, "ann"],
        [NOT_COMPUTED, NOT_COMPUTED, "bob"],
        [NOT_COMPUTED, 7],
        [],
        [],
    ]


def test_cells_that_an_array_formula_fills_with_nothing_are_blank(book: Book) -> None:
    first = f'{text("A2", ONE)}<c r="B2"><f t="array" ref="B2:B3">C2:C3*2</f><v>7</v></c>'
    book.rows = f'{HEADER}<row r="2">{first}</row><row r="3">{text("A3", TWO)}</row>'

    assert [row[1:] for row in book.grid()] == [["Followers"], [7], []]


def test_a_formula_whose_text_is_empty_is_blank(book: Book) -> None:
    book.rows = formula("<v></v>", ' t="str"')

    assert book.grid()[1][1:] == [None, 1000, 500]


@pytest.mark.parametrize(
    ("value", "attributes", "cell"),
    [
        ("<v>#REF!</v>", ' t="e"', "#REF!"),
        ("<v>#N/A</v>", ' t="e"', "#N/A"),
        ("<v>1</v>", ' t="b"', True),
        ("<v>1,500</v>", ' t="str"', "1,500"),
        ("<v>1500</v>", ' t="n"', 1500),
        ("<v>1.5E3</v>", "", 1500.0),
    ],
)
def test_a_computed_formula_is_what_was_saved(book: Book, value: str, attributes: str, cell: object) -> None:
    book.rows = formula(value, attributes)

    assert book.grid()[1][1] == cell


def test_an_account_that_is_a_formula_without_a_result_is_told_and_nobody_is_missed(book: Book) -> None:
    link = '<c r="A2"><f>HYPERLINK("https://x.com/ann")</f></c>'
    book.rows = (
        f'{HEADER}<row r="2">{link}<c r="B2"><v>5</v></c></row><row r="3">{text("A3", TWO)}<c r="B3"><v>7</v></c></row>'
    )

    reading = read_tab(book.read().rows(), "A")

    assert [row.counts.followers for row in reading.rows.values()] == [7]
    assert reading.torn
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == ("bad_url", "A!A2")
    assert "open and save it once" in problem.message


def test_a_status_that_is_a_formula_without_a_result_stays_what_it_was(book: Book) -> None:
    header = (
        f'<row r="1">{text("A1", "Link")}{text("B1", "Followers")}{text("C1", "Status")}{text("D1", "Owner")}</row>'
    )
    cells = f'{text("A2", ONE)}<c r="B2"><v>5</v></c><c r="C2"><f>D9</f></c><c r="D2" t="e"><f>X1</f><v>#REF!</v></c>'
    book.rows = f'{header}<row r="2">{cells}</row>'

    reading = read_tab(book.read().rows(), "A")

    (row,) = reading.rows.values()
    assert (row.counts.followers, row.status, row.owner) == (5, None, None)
    assert row.unread == 0b101_11110
    assert sorted((p.code, p.cell) for p in reading.problems) == [("invalid_text", "A!C2"), ("invalid_text", "A!D2")]


# Texts


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Link_x000D_\n", "Link\r\n"),
        ("a_x0009_b", "a\tb"),
        ("a_x000a_b_x000D_", "a\nb\r"),
        ("_x005F_x000D_", "_x000D_"),
        ("a_x0041_", "aA"),
        ("_xD83D__xDE00_", "\U0001f600"),
        ("_xD83D_", "\ufffd"),
        ("_x00D_ and _xZZZZ_", "_x00D_ and _xZZZZ_"),
        ("snake_x_case", "snake_x_case"),
        ("x_y", "x_y"),
    ],
)
@pytest.mark.parametrize("kind", ["inline", "shared", "formula"])
def test_the_escapes_of_office_are_the_signs_they_stand_for(book: Book, kind: str, written: str, read: str) -> None:
    book.strings = f"<si><t>{written}</t></si>"
    cell = {
        "inline": f'<c r="A1" t="inlineStr"><is><t xml:space="preserve">{written}</t></is></c>',
        "shared": '<c r="A1" t="s"><v>0</v></c>',
        "formula": f'<c r="A1" t="str"><f>B1</f><v>{written}</v></c>',
    }[kind]
    book.rows = f'<row r="1">{cell}</row>'

    assert book.grid() == [[read]]


def test_a_table_with_escapes_everywhere_is_understood(book: Book) -> None:
    header = text("A1", "Link_x000D_") + text("B1", "Followers_x000D_\n")
    row = text("A2", ONE + "_x000D_\n") + text("B2", "1200_x000D_")
    book.rows = f'<row r="1">{header}</row><row r="2">{row}</row>'

    reading = read_tab(book.read().rows(), "A")

    assert {key: row.counts.followers for key, row in reading.rows.items()} == {"tiktok:@example_one": 1200}
    assert reading.problems == ()


def test_formats_within_a_text_and_its_pronunciation_do_not_matter(book: Book) -> None:
    runs = "<r><rPr><b/></rPr><t>Foll</t></r><r><t>owers</t></r><rPh sb='0' eb='1'><t>フォ</t></rPh>"
    book.strings = f"<si>{runs}</si><si><t>b</t></si><si/>"
    cells = '<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c>'
    book.rows = f'<row r="1">{cells}<c r="D1" t="inlineStr"><is>{runs}</is></c></row>'

    assert book.grid() == [["Followers", "b", None, "Followers"]]


# Numbers and dates


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("12", 12),
        ("12.0", 12.0),
        ("2.5", 2.5),
        ("1E3", 1000.0),
        ("-3", -3),
        ("9007199254740993", 9007199254740993),
        ("1.2300000000000001E2", 123.00000000000001),
        ("", None),
        (" 7 ", 7),
        ("1" * 25, 1.1111111111111111e24),
        ("NaN", "NaN"),
        ("INF", "INF"),
        ("-inf", "-inf"),
        ("1e999", "1e999"),
    ],
)
def test_numbers_are_what_they_are(book: Book, value: str, cell: object) -> None:
    book.rows = f'<row r="1"><c r="A1"><v>{value}</v></c><c r="B1"><v>1</v></c></row>'

    assert book.grid() == [[cell, 1]]


def shown_by(book: Book, code: str, value: str) -> list[list[object]]:
    """A number of this format, and a 7 of none."""
    escaped = code.replace('"', "&quot;").replace(">", "&gt;")
    book.styles = (
        f'<numFmts><numFmt numFmtId="164" formatCode="{escaped}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs>'
    )
    book.rows = f'<row r="1"><c r="A1" s="1"><v>{value}</v></c><c r="B1" s="0"><v>7</v></c></row>'
    return book.grid()


@pytest.mark.parametrize(
    ("code", "value", "cell"),
    [
        ("yyyy\\-mm\\-dd", "45659.5", "2025-01-02T12:00:00"),
        ("[$-409]d\\-mmm;@", "45659", "2025-01-02T00:00:00"),
        ("hh:mm", "0.5", "12:00:00"),
        ("[h]:mm", "1.25", "1 day, 6:00:00"),
        ("dd.mm.yyyy", "1", "1900-01-01T00:00:00"),
        ("dd.mm.yyyy", "99999999", "#VALUE!"),
        ("0%", "1", "100%"),
        ("0.0%;[Red]-0.0%", "0.125", "12.5%"),
        ("0\\%", "12", 12),
        ('0"%"', "12", 12),
        ("#,##0", "1234", 1234),
        ('0.0,,"M"', "1234567", 1234567),
        ("#,##0\\ \\s\\u\\b\\s", "1234", 1234),
        ('#,##0 "subscribers, daily"', "1234", 1234),
        ("[Red]#,##0;[Magenta]-#,##0", "1234", 1234),
        ("[$€-407]#,##0.00", "1234", 1234),
        ("0.00E+00", "1234", 1234),
        ("General", "1234", 1234),
        ("_-* #,##0_-;@", "1234", 1234),
    ],
)
def test_a_number_is_a_date_where_its_format_shows_one(book: Book, code: str, value: str, cell: object) -> None:
    assert shown_by(book, code, value) == [[cell, 7]]


@pytest.mark.parametrize(
    ("code", "value", "cell"),
    [
        ('0.0"K"', "12.3", "12.3 K"),
        ("0.0\\K", "12.3", "12.3 K"),
        ('#,##0" тыс."', "12", "12 тыс."),
        ('0"万"', "12", "12 万"),
        ('#,##0.0 "M";-#,##0.0 "M"', "1.25", "1.25 M"),
        ('0.0,"K"', "12300", 12300),
        ('[>=1000000]0.0,,"M";[>=1000]0.0,"K";0', "1234567", 1234567),
        ('0" followers"', "12", 12),
        ('0"x"', "12", 12),
    ],
)
def test_a_unit_that_a_format_writes_is_part_of_the_number(book: Book, code: str, value: str, cell: object) -> None:
    assert shown_by(book, code, value) == [[cell, 7]]


def test_shares_are_no_counts(book: Book) -> None:
    book.styles = '<cellXfs><xf numFmtId="9"/><xf numFmtId="10"/></cellXfs>'
    book.rows = '<row r="1"><c r="A1" s="0"><v>1</v></c><c r="B1" s="1"><v>2.5</v></c></row>'

    assert book.grid() == [["100%", "250%"]]


def test_built_in_dates_and_days_since_1904_are_known(book: Book) -> None:
    book.styles = '<cellXfs><xf numFmtId="14"/><xf numFmtId="3"/></cellXfs>'
    book.calc = '<workbookPr date1904="1"/>'
    book.rows = '<row r="1"><c r="A1" s="0"><v>44197</v></c><c r="B1" s="1"><v>44197</v></c></row>'

    assert book.grid() == [["2025-01-02T00:00:00", 44197]]


def test_a_date_that_is_written_as_text_stays_one(book: Book) -> None:
    book.rows = '<row r="1"><c r="A1" t="d"><v>2025-01-02T00:00:00</v></c></row>'

    assert book.grid() == [["2025-01-02T00:00:00"]]


# What programs write


def test_a_strict_workbook_is_read_like_any_other(tmp_path: Path) -> None:
    book = Book(tmp_path, formula("<v>1500</v>"), kinds=STRICT_KINDS, main=STRICT_MAIN)
    book.calc = '<calcPr fullCalcOnLoad="1"/>'

    assert book.followers() == [1500]

    book.rows = formula("<v>0</v>")
    assert book.followers() == [None]


def test_prefixes_backslashes_cases_and_absolute_targets_do_not_matter(book: Book) -> None:
    book.prefix = "x"
    book.target, book.part = "/xl/Worksheets/Sheet1.xml", "XL\\worksheets\\sheet1.xml"
    cell = '<x:c r="{0}" t="inlineStr"><x:is><x:t>{1}</x:t></x:is></x:c>'
    header = cell.format("A1", "Link") + cell.format("B1", "Followers")
    row = cell.format("A2", ONE) + '<x:c r="B2"><x:v>1500</x:v></x:c>'
    book.rows = f'<x:row r="1">{header}</x:row><x:row r="2">{row}</x:row>'

    assert book.followers() == [1500]


def test_cells_and_rows_without_addresses_follow_each_other(book: Book) -> None:
    book.rows = '<row><c><v>1</v></c><c/><c><v>3</v></c></row><row/><row><c r="B3"><v>4</v></c><c><v>5</v></c></row>'

    assert book.grid() == [[1, None, 3], [], [None, 4, 5]]


def test_rows_that_are_left_out_are_blank(book: Book) -> None:
    book.rows = '<row r="2"><c r="C2"><v>1</v></c></row><row r="5"><c r="A5"><v>2</v></c></row>'

    assert book.grid() == [[], [None, None, 1], [], [], [2]]


def test_charts_have_no_cells_and_hidden_sheets_are_said_to_be(book: Book) -> None:
    book.sheets += (
        '<sheet name="Chart" sheetId="2" r:id="rId7"/><sheet name="B" sheetId="3" state="veryHidden" r:id="rId1"/>'
    )
    book.save()

    tabs = XlsxFile(book.path).book(Budget()).tabs

    assert [(tab.title, tab.hidden) for tab in tabs] == [("A", False), ("B", True)]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>one</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>9</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="1"><c r="oops"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v>',
    ],
    ids=["rows back", "cells back", "no number", "no such text", "text below", "no address", "cut"],
)
def test_a_sheet_that_makes_no_sense_fails_alone(book: Book, rows: str) -> None:
    book.rows = rows

    cells = book.read()

    assert cells.error is not None
    assert cells.error.code == "bad_file"


def test_entities_are_refused(book: Book) -> None:
    book.rows = "<row/>"
    book.more["xl/worksheets/sheet1.xml"] = (
        '<!DOCTYPE a [<!ENTITY b "1"><!ENTITY c "&b;&b;&b;">]>'
        f'<worksheet xmlns="{MAIN}"><sheetData><row><c><v>&c;</v></c></row></sheetData></worksheet>'
    )

    cells = book.read()

    assert cells.error is not None
    book.more["xl/workbook.xml"] = f'<!DOCTYPE a [<!ENTITY b "1">]><workbook xmlns="{MAIN}"/>'
    with pytest.raises(SourceError, match="cannot be read"):
        book.read()


@pytest.mark.parametrize("encoding", ["UTFv8", "hex", "undefined", "utf-7"])
def test_a_part_in_an_encoding_nobody_knows_is_a_broken_file(book: Book, encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    book.more["xl/worksheets/sheet1.xml"] = f'{declared}<worksheet xmlns="{MAIN}"/>'

    cells = book.read()

    assert cells.error is not None
    assert cells.error.code == "bad_file"
    book.more["xl/workbook.xml"] = f'{declared}<workbook xmlns="{MAIN}"/>'
    with pytest.raises(SourceError, match="cannot be read"):
        book.read()


def test_a_protected_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))

    with pytest.raises(SourceError, match="password") as error:
        XlsxFile(path).book(Budget())

    assert (error.value.code, error.value.hint) == ("bad_file", "save it as .xlsx without a password")


def test_a_workbook_without_styles_has_numbers(tmp_path: Path) -> None:
    book = Book(tmp_path, HEADER + f'<row r="2">{text("A2", ONE)}<c r="B2"><v>12</v></c></row>')
    book.more = {
        "xl/_rels/workbook.xml.rels": book._relations({"rId1": ("worksheet", book.target)}),
    }

    assert book.followers() == [12]


def test_a_workbook_in_a_folder_that_cannot_be_read_any_more_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Book(tmp_path, HEADER).save()
    source = CsvFolder(tmp_path)
    tabs = source.book(Budget()).tabs

    def give_out(_: int) -> Cells:
        raise SourceError("it is gone")

    monkeypatch.setattr(XlsxFile, "read", lambda *_: map(give_out, [1]))
    (cells,) = source.read(tabs, [None] * len(tabs), Budget())

    assert str(cells.error) == "it is gone"


def test_a_format_without_end_is_not_looked_through(book: Book) -> None:
    """Its brackets would be tried one by one to the end, in which time no other thread runs."""
    book.rows = '<row r="1"><c r="A1"><v>7</v></c></row>'
    book.styles = f'<numFmts><numFmt numFmtId="170" formatCode="{"[" * 200_000}"/></numFmts>'
    book.styles += '<cellXfs><xf numFmtId="170"/></cellXfs>'
    started = time.process_time()

    assert book.grid() == [[7]]
    assert time.process_time() - started < 2
