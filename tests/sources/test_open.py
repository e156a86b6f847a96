"""What people put into SMART_SYNC_SHEET, and what it means."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from webapp.clock import Budget, Clock
from webapp.errors import ConfigError, SourceError
from webapp.sources.sheet import SheetSource
from webapp.sources.sheet.csv import CsvFolder
from webapp.sources.sheet.google import GoogleSheet
from webapp.sources.sheet.open import open_sheet
from webapp.sources.sheet.published import PublishedCsv
from webapp.sources.sheet.xlsx import XlsxFile

ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-abcde"
PUBLISHED = "https://docs.google.com/spreadsheets/d/e/2PACX-1vAbC_d-e/pub"


def opened(setting: str) -> SheetSource:
    return open_sheet(setting, credentials=None, api_base=None, clock=Clock())


@pytest.mark.parametrize(
    "setting",
    [
        ID,
        f"  '{ID}' ",
        f"https://docs.google.com/spreadsheets/d/{ID}",
        f"https://docs.google.com/spreadsheets/d/{ID}/",
        f"https://docs.google.com/spreadsheets/d/{ID}/edit#gid=17",
        f"https://docs.google.com/spreadsheets/d/{ID}/edit?gid=17#gid=17&range=A1",
        f"https://docs.google.com/spreadsheets/d/{ID}/edit?usp=sharing",
        f"https://docs.google.com/spreadsheets/u/1/d/{ID}/edit",
        f"https://docs.google.com/a/example.com/spreadsheets/d/{ID}/view",
        f"http://docs.google.com/spreadsheets/d/{ID}/htmlview",
        f"https://docs.google.com/spreadsheets/d/{ID}/export?format=xlsx",
        f"https://drive.google.com/open?id={ID}",
        f"https://drive.google.com/file/d/{ID}/view?usp=drive_link",
    ],
)
def test_a_google_spreadsheet_is_known_in_every_form(setting: str) -> None:
    source = opened(setting)

    assert (type(source), source.key) == (GoogleSheet, ID)


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        (f"{PUBLISHED}?output=csv", f"{PUBLISHED}?output=csv"),
        (f"{PUBLISHED}?gid=17&single=true&output=csv", f"{PUBLISHED}?gid=17&single=true&output=csv"),
        (f"{PUBLISHED}html?gid=17&single=true", f"{PUBLISHED}?gid=17&single=true&output=csv"),
        (f"{PUBLISHED}html", f"{PUBLISHED}?output=csv"),
        ("2PACX-1vAbC_d-eAbC_d-e", PUBLISHED.replace("AbC_d-e", "AbC_d-eAbC_d-e") + "?output=csv"),
        (
            f"https://docs.google.com/spreadsheets/d/{ID}/export?format=csv&gid=3",
            f"https://docs.google.com/spreadsheets/d/{ID}/export?format=csv&gid=3",
        ),
        (
            f"https://docs.google.com/spreadsheets/d/{ID}/gviz/tq?tqx=out:csv",
            f"https://docs.google.com/spreadsheets/d/{ID}/gviz/tq?tqx=out:csv",
        ),
        ("https://example.com/accounts.csv", "https://example.com/accounts.csv"),
        ("HTTP://example.com:8080/a.csv", "http://example.com:8080/a.csv"),
    ],
)
def test_the_address_of_a_csv_is_known(setting: str, key: str) -> None:
    source = opened(setting)

    assert (type(source), source.key) == (PublishedCsv, key)


def test_folders_and_workbooks_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "book.XLSX").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    for setting in ("folder", "./folder", str(tmp_path / "folder"), "~/folder"):
        assert (type(opened(setting)), opened(setting).key) == (CsvFolder, str(tmp_path / "folder"))
    assert (type(opened("book.XLSX")), opened("book.XLSX").key) == (XlsxFile, str(tmp_path / "book.XLSX"))


def test_a_folder_whose_name_looks_like_an_id_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ID).mkdir()
    monkeypatch.chdir(tmp_path)

    assert type(opened(ID)) is CsvFolder


def test_a_folder_that_is_missing_is_told_when_it_is_read() -> None:
    with pytest.raises(SourceError) as error:
        opened("/no/such/folder").book(Budget())

    assert error.value.code == "spreadsheet_missing"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("", "is empty"),
        (" '' ", "is empty"),
        ("sheet", "neither a spreadsheet's id nor a folder"),
        ("accounts.csv", "is one CSV file"),
        ("data/accounts.csv", "the folder it is in"),
        ("old.xls", "saved as .xlsx"),
        ("book.ods", "saved as .xlsx"),
        ("ftp://example.com/a.csv", "ftp://"),
        ("file:///etc/passwd", "file://"),
        ("https:///x", "https://"),
        ("http://[bad/x", "cannot be understood"),
        ("http://example.com:port/x", "cannot be understood"),
        ("https://me:s3cret@example.com/a.csv", "with a password in it"),
        (f"https://docs.google.com/document/d/{ID}/edit", "is no spreadsheet"),
        (f"https://drive.google.com/drive/folders/{ID}", "is no spreadsheet"),
        ("https://docs.google.com/spreadsheets/u/0/", "is no spreadsheet"),
    ],
)
def test_anything_else_is_refused_with_what_to_give_instead(setting: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        opened(setting)

    assert words in str(error.value)
    assert error.value.message.startswith("SMART_SYNC_SHEET")
    assert error.value.hint
    assert "s3cret" not in str(error.value)


@pytest.mark.usefixtures("processes")
def test_opening_imports_nothing_heavy() -> None:
    code = (
        "import sys; from webapp.clock import Clock; from webapp.sources.sheet.open import open_sheet\n"
        f"for setting in ('{ID}', 'https://example.com/a.csv', '/tmp', '/tmp/a.xlsx'):\n"
        "    open_sheet(setting, credentials=None, api_base=None, clock=Clock())\n"
        "heavy = {'gspread', 'google.auth', 'requests', 'urllib3', 'tenacity', 'openpyxl', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)

    assert (done.stdout, done.stderr) == ("[]\n", "")
