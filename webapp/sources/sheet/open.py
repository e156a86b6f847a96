"""From what people put into SMART_SYNC_SHEET to the source that reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, urlsplit

from webapp.clock import Clock
from webapp.errors import ConfigError
from webapp.setting import file_path
from webapp.sources.sheet import SheetSource
from webapp.sources.sheet.credentials import Credentials
from webapp.sources.sheet.google import GoogleSheet
from webapp.sources.sheet.published import DOCS, PublishedCsv

if TYPE_CHECKING:
    from webapp.sources.sheet.pace import Pace
    from webapp.sources.sheet.vocabulary import Aliases

_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
_PUBLISHED_ID = "2PACX-"
_DRIVE = "drive.google.com"
_SPREADSHEET = re.compile(r"/(?:a/[^/]+/)?spreadsheets/(?:u/\d+/)?d/([A-Za-z0-9_-]{20,})(?:/(.*))?$")
_PUBLISHED = re.compile(r"/(?:a/[^/]+/)?spreadsheets/(?:u/\d+/)?d/e/([A-Za-z0-9_-]+)(?:/.*)?$")
_DRIVE_FILE = re.compile(r"/file/(?:u/\d+/)?d/([A-Za-z0-9_-]{20,})(?:/.*)?$")
_OTHER_BOOKS = {".xls", ".xlsb", ".ods", ".numbers", ".gsheet"}
_FORMS = "a spreadsheet's address or id, the address of a published CSV, a folder of CSV files, or an .xlsx file"


def open_sheet(
    setting: str,
    *,
    credentials: Credentials | None,
    api_base: str | None,
    clock: Clock,
    aliases: Aliases | None = None,
    pace: Pace | None = None,
) -> SheetSource:
    """The source that a setting means; nothing is read yet.

    setting: the address of a Google spreadsheet in any form or its bare id, the address of a CSV, a folder of CSV
    files, or the path of an .xlsx file. api_base: stands in for the origin of Google's APIs and allows private addresses.
    aliases: more column names by meaning, which tell the delimiter of a CSV. pace: as `GoogleSheet` has it.

    Raises: ConfigError that says what it is and what to give instead.
    """
    text = setting.strip().strip("\"'").strip()
    if not text:
        raise _wrong("is empty", _FORMS)
    if "://" in text:
        return _web(text, credentials, api_base, clock, aliases, pace)
    path = file_path(text)
    if _ID.fullmatch(text) and not path.exists():
        if text.startswith(_PUBLISHED_ID):
            return PublishedCsv(_published_url(text, ""), api_base=api_base, clock=clock, aliases=aliases)
        return GoogleSheet(text, credentials=credentials, api_base=api_base, clock=clock, pace=pace)
    return _disk(text, path.absolute(), clock, aliases)


def _wrong(what: str, fix: str) -> ConfigError:
    return ConfigError(f"SMART_SYNC_SHEET: {what}", hint=f"give {fix}")


def _web(
    text: str,
    credentials: Credentials | None,
    api_base: str | None,
    clock: Clock,
    aliases: Aliases | None,
    pace: Pace | None,
) -> SheetSource:
    parts = _split(text)
    published = _published_address(text, parts)
    if published:
        return PublishedCsv(published, api_base=api_base, clock=clock, aliases=aliases)
    key = _google_id(parts)
    if key:
        return GoogleSheet(key, credentials=credentials, api_base=api_base, clock=clock, pace=pace)
    raise _wrong(f"{parts.hostname}{parts.path} is no spreadsheet", _FORMS)


def _split(text: str) -> SplitResult:
    """Raises: ConfigError for an address that nobody should ask; it is not quoted, for it may hold a password."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _wrong("is an address that cannot be understood", _FORMS) from None
    if parts.scheme.lower() not in {"http", "https"} or not host:
        raise _wrong(f"is an address with {parts.scheme}://, which is not read", "one that starts with https://")
    if parts.username or parts.password:
        raise _wrong(f"is an address of {host} with a password in it", "one that needs none")
    return parts


def _published_address(text: str, parts: SplitResult) -> str | None:
    """The address of the CSV, for everything that is one and not a spreadsheet to be read through the API."""
    if parts.hostname == _DRIVE:
        return None
    if parts.hostname != DOCS:
        return text
    published = _PUBLISHED.match(parts.path)
    if published:
        return _published_url(published[1], parts.query)
    found = _SPREADSHEET.match(parts.path)
    wants_csv = found is not None and (found[2] or "").split("/")[0] in {"export", "gviz"} and "csv" in parts.query
    return text if wants_csv else None


def _published_url(key: str, query: str) -> str:
    """As CSV also when the address that was copied is that of the page for people (`/pubhtml`)."""
    gid = parse_qs(query).get("gid", [""])[0]
    tab = f"gid={gid}&single=true&" if gid.isdigit() else ""
    return f"https://{DOCS}/spreadsheets/d/e/{key}/pub?{tab}output=csv"


def _google_id(parts: SplitResult) -> str | None:
    found = _SPREADSHEET.match(parts.path) if parts.hostname == DOCS else _DRIVE_FILE.match(parts.path)
    if found:
        return found[1]
    key = parse_qs(parts.query).get("id", [""])[0]
    return key if parts.path == "/open" and _ID.fullmatch(key) else None


def _disk(text: str, path: Path, clock: Clock, aliases: Aliases | None) -> SheetSource:
    from webapp.sources.sheet.csv import CsvFolder  # noqa: PLC0415  with XML and ZIP, which Google's sheets need not
    from webapp.sources.sheet.xlsx import XlsxFile  # noqa: PLC0415

    suffix = path.suffix.lower()
    if suffix in {".xlsx", ".xlsm"} and not path.is_dir():
        return XlsxFile(path)
    if suffix == ".csv" and not path.is_dir():
        raise _wrong(f"{text} is one CSV file", "the folder it is in; each CSV file there is a tab")
    if suffix in _OTHER_BOOKS and not path.is_dir():
        raise _wrong(f"{text} is a {suffix} file, which is not read", "the same saved as .xlsx")
    if path.is_dir() or re.search(r"[/\\]|^[.~]", text):
        return CsvFolder(path, clock=clock, aliases=aliases)
    raise _wrong(f"{text} is neither a spreadsheet's id nor a folder here", _FORMS)
