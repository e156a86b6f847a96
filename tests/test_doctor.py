"""What `doctor` finds, part by part, in environments that are right, odd or broken."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_httpserver import HTTPServer
from werkzeug.serving import WSGIRequestHandler

from webapp import cli
from webapp.bootstrap import DEMO_FOLDER
from webapp.clock import Clock
from webapp.doctor.case import Diagnosis
from webapp.doctor.examination import examine
from webapp.doctor.storage import has_wal_reset_bug
from webapp.model import Counts
from webapp.store import projects, readings, replicas, tables
from webapp.store.db import open_database
from webapp.store.projects import NewProject
from webapp.store.readings import Reading

BOOK_ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-doctor"
EMAIL = "reader@project.iam.gserviceaccount.com"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ROWS = [["Link", "Followers"], ["https://www.tiktok.com/@mira.glow", 128400], ["https://x.com/lee", "12 or 13"]]


@pytest.fixture
def environ(sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    """Everything as it should be, over a folder of CSV files of this test's own."""
    shutil.copytree(DEMO_FOLDER, tmp_path / "sheet")
    return {
        "DATABASE_URL": sqlite_url,
        "SMART_SYNC_DATA_DIR": str(tmp_path),
        "SMART_SYNC_SHEET": str(tmp_path / "sheet"),
        "SMART_SYNC_ADMIN_TOKEN": "a-token-of-some-length",
        "SMART_SYNC_PLATFORMS": "none",
    }


def findings(environ: Mapping[str, str], clock: Clock | None = None) -> dict[str, Diagnosis]:
    """{what: finding}; where a part has several, the worst."""
    order = ("ok", "warn", "FAIL")
    found: dict[str, Diagnosis] = {}
    for finding in examine(environ, clock):
        last = found.get(finding.what)
        if last is None or order.index(finding.level) > order.index(last.level):
            found[finding.what] = finding
    return found


def failed(environ: Mapping[str, str]) -> list[str]:
    return [finding.what for finding in examine(environ) if finding.level == "FAIL"]


def test_nothing_fails_where_nothing_is_wrong(environ: dict[str, str]) -> None:
    found = findings(environ)

    assert failed(environ) == []
    assert found["database"].words.endswith(" is current")
    assert found["sheet sheet"].words == "can be read: 3 tabs"


def test_an_empty_environment_warns_and_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    found = findings({})

    assert [finding.what for finding in found.values() if finding.level == "FAIL"] == []
    assert found["database"].words == f"{tmp_path}/data/smart_sync.db is not there yet; {tmp_path} can be written"
    assert {what for what, finding in found.items() if finding.level == "warn"} >= {"database", "token", "sheet"}
    assert list(tmp_path.iterdir()) == []


def test_everything_but_ok_comes_with_its_fix(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    broken = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/file/x.db",
        "GOOGLE_CREDENTIALS": "garbage",
        "PORT": "many",
        "SMART_SYNC_SHEET": f"/nowhere/at/all, My numbers, {BOOK_ID}",
        "SMART_SYNC_SHET": "x",
        "SMART_SYNC_ADMIN_TOKEN": "short",
    }

    found = list(examine(environ | broken))

    assert [finding.what for finding in found if finding.level == "FAIL"] == [
        "setting SMART_SYNC_SHET",
        "setting PORT",
        "setting SMART_SYNC_ADMIN_TOKEN",
        "database",
        "credentials",
        "sheet",
        "sheet /nowhere/at/all",
    ]
    assert all(finding.fix for finding in found if finding.level != "ok")


# Settings


def test_every_wrong_setting_fails_by_its_name(environ: dict[str, str]) -> None:
    found = findings(environ | {"PORT": "many", "SMART_SYNC_SHET": "x"})

    assert found["setting PORT"].fix == "correct or remove PORT: port to serve on"
    assert found["setting SMART_SYNC_SHET"].words == "is no setting; did you mean SMART_SYNC_SHEET?"
    assert "settings" not in found


def test_an_unreadable_settings_file_fails_and_the_rest_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe")

    found = list(examine())

    assert (found[0].level, found[0].what) == ("FAIL", "settings")
    assert found[-1].what != "settings"


ODD = {
    "stale too soon": ({"SMART_SYNC_STALE_AFTER": "10"}, "setting SMART_SYNC_STALE_AFTER"),
    "short lease": ({"SMART_SYNC_LEASE_SECONDS": "1"}, "setting SMART_SYNC_LEASE_SECONDS"),
    "key beside credentials": ({"GOOGLE_API_KEY": "k", "GOOGLE_CREDENTIALS": "{}"}, "setting GOOGLE_API_KEY"),
    "another Google": ({"SMART_SYNC_SHEETS_API": "http://127.0.0.1:9"}, "setting SMART_SYNC_SHEETS_API"),
}


@pytest.mark.parametrize("case", ODD, ids=str)
def test_odd_settings_warn(environ: dict[str, str], case: str) -> None:
    more, what = ODD[case]

    assert findings(environ | more)[what].level == "warn"


# Database, disk, SQLite


def test_a_database_that_is_older_warns_and_one_that_is_newer_fails(environ: dict[str, str]) -> None:
    levels = {}
    for revision in ("0000", "9999"):
        set_revision(environ["DATABASE_URL"], revision)
        levels[revision] = findings(environ)["database"].level

    assert levels == {"0000": "warn", "9999": "FAIL"}


def set_revision(url: str, revision: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


BAD_FILES = {
    "empty": (b"", "is empty"),
    "no database": (b"SQLite format 2, if at all" * 500, "is damaged, or is no database"),
}


@pytest.mark.parametrize("case", BAD_FILES, ids=str)
def test_a_file_that_is_no_database_fails(environ: dict[str, str], tmp_path: Path, case: str) -> None:
    data, words = BAD_FILES[case]
    (tmp_path / "bad.db").write_bytes(data)

    found = findings(environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/bad.db"})["database"]

    assert found.level == "FAIL"
    assert found.words.endswith(words)


def test_a_database_without_our_tables_warns(environ: dict[str, str], tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE other (id INTEGER)")
    connection.close()

    found = findings(environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/other.db"})["database"]

    assert (found.level, found.words.endswith("has no tables of Smart Sync")) == ("warn", True)


def test_a_database_that_can_not_be_written_fails(environ: dict[str, str]) -> None:
    with sqlite3.connect(environ["DATABASE_URL"].removeprefix("sqlite:///")) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON leases BEGIN SELECT RAISE(ABORT, 'no'); END")
    connection.close()

    with pytest.raises(sa.exc.IntegrityError):  # the write is a real one
        list(examine(environ))


def test_a_server_that_does_not_answer_fails_without_its_password(environ: dict[str, str]) -> None:
    found = findings(environ | {"DATABASE_URL": "postgresql://ann:hunter2@127.0.0.1:9/numbers"})

    assert found["database"].level == "FAIL"
    assert "hunter2" not in repr(found)
    assert "disk" not in found


def test_a_disk_that_forgets_is_well_where_its_copy_is_kept(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[has_wal_reset_bug.__module__], "durability", lambda _: "ephemeral")

    alone, copied = (findings(environ | more)["disk"] for more in ({}, {"LITESTREAM_REPLICA_URL": "s3://bucket/copy"}))

    assert (alone.level, copied.level) == ("warn", "ok")
    assert copied.words.endswith(
        "which is thrown away with its container or at a restart, and is restored from its copy then"
    )


@pytest.mark.parametrize(
    ("said", "level", "words"),
    [
        (None, "warn", "nobody replicates"),
        (("ok", None), "ok", "s3://bucket/copy: copied all the time"),
        (("failing", "no such bucket"), "FAIL", "s3://bucket/copy: no such bucket"),
    ],
)
def test_it_is_told_how_the_copying_goes(
    environ: dict[str, str],
    said: tuple[Any, str | None] | None,
    level: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environ |= {"LITESTREAM_REPLICA_URL": "s3://bucket/copy?endpoint=x"}
    now = datetime.now(UTC)
    if said is not None:
        replicas.write(Path(environ["DATABASE_URL"].removeprefix("sqlite:///")), said[0], now, said[1], now)

    found = findings(environ)["replica"]
    monkeypatch.setattr(replicas, "litestream_path", lambda: None)
    without = findings(environ)["replica"]

    assert (found.level, words in found.words) == (level, True)
    assert (without.level, without.words) == ("FAIL", "s3://bucket/copy: Litestream is not installed")


def test_postgresql_is_looked_at_as_well(environ: dict[str, str], postgres_url: str) -> None:
    found = findings(environ | {"DATABASE_URL": postgres_url})

    assert (found["database"].level, found["disk"].level) == ("ok", "ok")
    assert "the data is on the server " in found["disk"].words
    copied = findings(environ | {"DATABASE_URL": postgres_url, "LITESTREAM_REPLICA_URL": "s3://bucket/copy"})
    assert copied["replica"].words.endswith("nothing is copied")
    assert "sqlite" not in found


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
    ids=str,
)
def test_the_versions_with_the_wal_reset_bug_are_known(version: tuple[int, ...], affected: bool) -> None:
    assert has_wal_reset_bug(version) is affected


# Token and credentials


def test_where_the_token_comes_from_is_told_and_never_the_token(environ: dict[str, str], tmp_path: Path) -> None:
    token = environ.pop("SMART_SYNC_ADMIN_TOKEN")
    (tmp_path / "token").write_text(token, encoding="ascii")

    told = {
        "set": findings(environ | {"SMART_SYNC_ADMIN_TOKEN": token})["token"],
        "file": findings(environ | {"SMART_SYNC_ADMIN_TOKEN_FILE": str(tmp_path / "token")})["token"],
        "two": findings(environ | {"SMART_SYNC_ADMIN_TOKEN": f"{token},{token}2"})["token"],
        "none yet": findings(environ)["token"],
    }

    assert {case: finding.words for case, finding in told.items()} == {
        "set": "set by SMART_SYNC_ADMIN_TOKEN",
        "file": "set by SMART_SYNC_ADMIN_TOKEN_FILE",
        "two": "2 set by SMART_SYNC_ADMIN_TOKEN",
        "none yet": f"none yet; the first start makes one and keeps it in {tmp_path}/admin_token",
    }
    assert token not in repr(told)


@pytest.mark.parametrize(("mode", "level"), [(0o600, "ok"), (0o644, "warn")], ids=["private", "open"])
def test_a_kept_token_is_for_its_owner_only(environ: dict[str, str], tmp_path: Path, mode: int, level: str) -> None:
    del environ["SMART_SYNC_ADMIN_TOKEN"]
    (tmp_path / "admin_token").write_text("kept-token-kept-token", encoding="ascii")
    (tmp_path / "admin_token").chmod(mode)

    found = findings(environ)["token"]

    assert found.level == level
    assert "kept-token" not in repr(found)


def test_a_kept_token_that_is_none_is_told_without_being_shown(environ: dict[str, str], tmp_path: Path) -> None:
    del environ["SMART_SYNC_ADMIN_TOKEN"]
    (tmp_path / "admin_token").write_text("short", encoding="ascii")

    found = findings(environ)["token"]

    assert (found.level, found.words.partition(": ")[0]) == ("FAIL", f"{tmp_path}/admin_token holds no token")
    assert "short" not in repr(found)


@pytest.fixture(scope="session")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def google(environ: dict[str, str], httpserver: HTTPServer, private_key: str) -> dict[str, str]:
    """The environment of a Google spreadsheet with one good tab and one without a header."""
    key = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": private_key,
        "token_uri": httpserver.url_for("/token"),
    }
    serve_book(httpserver, {"Project A": ROWS, "Notes": [["remember the milk"]]})
    return environ | {
        "GOOGLE_CREDENTIALS": json.dumps(key),
        "SMART_SYNC_SHEETS_API": httpserver.url_for(""),
        "SMART_SYNC_SHEET": f"https://docs.google.com/spreadsheets/d/{BOOK_ID}/edit#gid=0",
    }


def serve_book(server: HTTPServer, tabs: Mapping[str, Any]) -> None:
    sheets = [
        {"properties": {"sheetId": gid, "title": title, "gridProperties": {"rowCount": 9, "columnCount": 2}}}
        for gid, title in enumerate(tabs)
    ]
    book = {"properties": {"title": "Accounts", "locale": "en_US"}, "sheets": sheets}
    cells = {"valueRanges": [{"range": title, "values": rows} for title, rows in tabs.items()]}
    token = {"access_token": "ya29.secret", "expires_in": 3600, "token_type": "Bearer"}
    server.expect_request("/").respond_with_data(status=404)  # its Date header is the server's own
    server.expect_request("/token").respond_with_json(token)
    server.expect_request(f"/v4/spreadsheets/{BOOK_ID}").respond_with_json(book)
    server.expect_request(f"/v4/spreadsheets/{BOOK_ID}/values:batchGet").respond_with_json(cells)


def test_a_google_sheet_is_read_tab_by_tab_and_the_key_never_shown(google: dict[str, str], private_key: str) -> None:
    found = findings(google)

    assert found["credentials"] == Diagnosis("ok", "credentials", f"service account {EMAIL}")
    assert found["sheet Accounts"].words == "can be read: 2 tabs, locale en_US"
    assert found["clock"].level == "ok"
    assert found["tab Notes"].level == "warn"
    assert found["tab Notes"].words.startswith("is left out: Notes: no header in the first 10 rows")
    body = private_key.splitlines()[1]
    assert body not in repr(found)
    assert "ya29.secret" not in repr(found)


def test_a_tab_is_told_with_its_columns_and_the_first_cell_to_look_at(google: dict[str, str]) -> None:
    tab = findings(google)["tab Project A"]

    assert tab.words == (
        "becomes a project, 2 accounts; header in row 1: url A, followers B; no column for likes, comments, videos, views"
    )
    assert tab.fix == "look at Project A!B3: '12 or 13' is not a count: it has more than one number"


@pytest.mark.parametrize("said", ["soon", "Mon, 01 Jan 99999999999 00:00:00 GMT"])
def test_a_date_of_googles_that_is_none_is_compared_with_nothing(
    google: dict[str, str], monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(WSGIRequestHandler, "date_time_string", lambda *_: said)

    found = findings(google)["clock"]

    assert (found.level, found.words) == ("warn", "could not be compared: Google did not tell its time")


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (timedelta(), "ok", "agrees with Google's"),
        (timedelta(seconds=90), "warn", r"(89|90|91) s ahead of Google's"),
        (timedelta(seconds=-90), "warn", r"(89|90|91) s behind Google's"),
        (timedelta(hours=1), "FAIL", r"(3599|3600|3601) s ahead of Google's"),
    ],
    ids=["right", "a little fast", "a little slow", "an hour fast"],
)
def test_the_clock_is_compared_with_googles(google: dict[str, str], ahead: timedelta, level: str, words: str) -> None:
    found = findings(google, Clock(now=lambda: datetime.now(UTC) + ahead))["clock"]

    assert found.level == level
    assert re.fullmatch(words, found.words)


def test_a_sheet_that_is_not_shared_names_whom_to_share_it_with(google: dict[str, str], httpserver: HTTPServer) -> None:
    httpserver.clear()
    httpserver.expect_request("/token").respond_with_json({"access_token": "t", "expires_in": 3600})
    httpserver.expect_request(f"/v4/spreadsheets/{BOOK_ID}").respond_with_json({"error": {"message": "no"}}, status=403)
    found = findings(google)[f"sheet {BOOK_ID}"]

    assert found.level == "FAIL"
    assert found.fix is not None
    assert EMAIL in found.fix


BAD_KEYS = {
    "garbage": "hunter2",
    "cut short": '{"type": "service_account", "private_key": "hunter2',
    "no key in it": '{"type": "service_account", "client_email": "hunter2"}',
    "of a person": '{"type": "authorized_user", "refresh_token": "hunter2"}',
}


@pytest.mark.parametrize("case", BAD_KEYS, ids=str)
def test_credentials_that_can_not_be_used_fail_once_and_are_never_shown(google: dict[str, str], case: str) -> None:
    found = list(examine(google | {"GOOGLE_CREDENTIALS": BAD_KEYS[case]}))

    assert [finding.what for finding in found if finding.level == "FAIL"] == ["credentials"]
    assert "hunter2" not in repr(found)


def test_google_without_credentials_fails(google: dict[str, str]) -> None:
    del google["GOOGLE_CREDENTIALS"]

    assert failed(google) == [f"sheet {BOOK_ID}"]


def test_an_api_key_is_named_as_one(google: dict[str, str]) -> None:
    del google["GOOGLE_CREDENTIALS"]
    found = findings(google | {"GOOGLE_API_KEY": "AIza-secret"})

    assert found["credentials"].words.startswith("an API key")
    assert found["sheet Accounts"].level == "ok"
    assert "AIza" not in repr(found)


# Tabs and projects


@pytest.fixture
def bound(environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment after a sync has made projects of two tabs, one of them ignored since."""
    db = open_database(environ["DATABASE_URL"])
    with db.write() as tx:
        tabs = [NewProject(title, title, title) for title in ("Street Food", "Игры")]
        projects.create(tx, tabs, NOW, spreadsheet=None)
        games = projects.find(tx, "Игры")
        assert games is not None
        projects.remove(tx, games, NOW)
    yield environ
    db.close()


def test_tabs_are_told_apart_by_what_becomes_of_them(bound: dict[str, str]) -> None:
    (Path(bound["SMART_SYNC_SHEET"]) / "Copy of Street Food.csv").write_text("Link,Views\n", encoding="utf-8")

    found = findings(bound)

    assert found["tab Street Food"].words.startswith("project 'Street Food', 8 accounts; header in row 1: url A")
    assert found["tab Beauty Lab"].words.startswith("becomes a project, 8 accounts")
    assert found["tab Игры"].words == "is ignored; `smart-sync projects restore` takes it back"
    assert found["tab"].words == "tab 'Copy of Street Food' looks like a copy and was left out"


def test_a_project_whose_tab_has_gone_fails(bound: dict[str, str]) -> None:
    (Path(bound["SMART_SYNC_SHEET"]) / "Street Food.csv").unlink()

    assert failed(bound) == ["project Street Food"]


def test_a_project_whose_workbook_cannot_be_read_has_not_lost_its_tab(environ: dict[str, str]) -> None:
    db = open_database(environ["DATABASE_URL"])
    with db.write() as tx:
        projects.create(tx, [NewProject("Team", "Team.xlsx/A", "Team")], NOW, spreadsheet=None)
    db.close()
    (Path(environ["SMART_SYNC_SHEET"]) / "Team.xlsx").write_bytes(b"PK")

    finding = findings(environ)["project Team"]

    assert (finding.level, finding.words.endswith("Team.xlsx cannot be read")) == ("FAIL", True)


def test_a_file_that_cannot_be_read_fails_and_others_are_named(environ: dict[str, str]) -> None:
    folder = Path(environ["SMART_SYNC_SHEET"])
    (folder / "New.csv").write_text('Link,Followers\n"https://x.com/ann,5\n', encoding="utf-8")
    (folder / "Old.ods").write_bytes(b"...")

    found = findings(environ)

    assert (found["tab New"].level, "line 2" in found["tab New"].words) == ("FAIL", True)
    notes = [finding for name, finding in found.items() if name.startswith("sheet ")]
    assert any("Old.ods" in finding.words and finding.level == "warn" for finding in notes)


def test_a_tab_that_goes_on_for_one_that_has_gone_is_no_fault(bound: dict[str, str]) -> None:
    folder = Path(bound["SMART_SYNC_SHEET"])
    (folder / "Street Food.csv").rename(folder / "street food.csv")

    found = findings(bound)

    assert found["tab street food"].words.startswith("goes on as project 'Street Food', 8 accounts")
    assert "project Street Food" not in found


def test_a_project_whose_header_is_not_understood_any_more_fails(bound: dict[str, str]) -> None:
    (Path(bound["SMART_SYNC_SHEET"]) / "Street Food.csv").write_text("a,b\n1,2\n", encoding="utf-8")

    assert failed(bound) == ["tab Street Food"]


def test_the_same_sheet_named_twice_fails(environ: dict[str, str]) -> None:
    sheet = environ["SMART_SYNC_SHEET"]

    assert failed(environ | {"SMART_SYNC_SHEET": f"{sheet},{sheet}/"}) == ["sheet"]


def test_one_tab_and_one_project_are_said_as_one(bound: dict[str, str]) -> None:
    for file in Path(bound["SMART_SYNC_SHEET"]).glob("*.csv"):
        if file.stem != "Street Food":
            file.unlink()
    with closing(sqlite3.connect(bound["DATABASE_URL"].removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE projects SET synced_at = datetime('now')")

    found = findings(bound)

    assert found["sheet sheet"].words == "can be read: 1 tab"
    assert found["syncs"].words.startswith("1 project, not stale, last success ")


def test_projects_that_were_not_synced_for_long_warn(bound: dict[str, str]) -> None:
    found = findings(bound)["syncs"]

    assert (found.level, found.words) == ("warn", "1 of 1 projects are stale: Street Food")


@pytest.mark.parametrize(("name", "level"), [("sync.log", "ok"), ("none/sync.log", "FAIL"), (".", "FAIL")])
def test_a_log_file_is_tried_without_making_it(environ: dict[str, str], tmp_path: Path, name: str, level: str) -> None:
    environ["SMART_SYNC_LOG_FILE"] = str(tmp_path / name)

    found = findings(environ)

    assert found["setting SMART_SYNC_LOG_FILE"].level == level
    assert "SMART_SYNC_LOG_FILE" in found["settings"].words
    assert not (tmp_path / "sync.log").exists()


# Syncs


@pytest.fixture
def synced(environ: dict[str, str]) -> dict[str, str]:
    """After a first sync."""
    assert CliRunner().invoke(cli.main, ["sync"], env=environ).exit_code == 0
    return environ


def test_a_sync_that_went_well_is_told(synced: dict[str, str]) -> None:
    found = findings(synced)

    assert found["last run"].level == "ok"
    assert found["last run"].words.startswith("succeeded at 20")


def test_a_tab_that_shrank_fails_with_the_reason(synced: dict[str, str]) -> None:
    tab = Path(synced["SMART_SYNC_SHEET"]) / "Street Food.csv"
    tab.write_text(tab.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    CliRunner().invoke(cli.main, ["sync"], env=synced)

    found = findings(synced)

    assert failed(synced) == ["project Street Food", "last run"]
    assert "8 of 8 accounts have lost their rows at once" in found["project Street Food"].words
    assert found["last run"].words.startswith("partial at 20")


def test_a_short_outage_warns_and_a_long_one_fails(synced: dict[str, str]) -> None:
    db = open_database(synced["DATABASE_URL"])
    now = datetime.now(UTC)
    levels = []
    for hours in (0, 5):
        with db.write() as tx:
            values = {"degraded_since": now, "failures": 1, "last_error": "no answer"}
            tx.execute(tables.projects.update().values(**values, synced_at=now - timedelta(hours=hours)))
        finding = findings(synced)["project Street Food"]
        levels.append(finding.level)
        assert finding.words.endswith(": no answer")
    db.close()

    assert levels == ["warn", "FAIL"]


def test_readings_of_a_program_that_has_stopped_warn(synced: dict[str, str]) -> None:
    db, late = open_database(synced["DATABASE_URL"]), datetime.now(UTC) - timedelta(days=16)
    with db.write() as tx:
        account = tx.execute(sa.select(sa.func.min(tables.accounts.c.id)).where(tables.accounts.c.mode == "auto"))
        readings.put(tx, [Reading(account.scalar_one(), Counts(1), late, "tok")])
    db.close()

    found = findings(synced)["readings"]

    assert found.level == "warn"
    assert found.words == "readings of tok are stale: the newest of 1 accounts came 16 d ago"


# Platforms


def test_each_platform_is_asked_one_cheap_question(environ: dict[str, str], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/youtube/v3/channels").respond_with_json({"items": []})
    youtube = {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": httpserver.url_for("").rstrip("/")}

    found = findings(environ | youtube | {"SMART_SYNC_PLATFORMS": "youtube"})

    assert (found["platform youtube"].level, found["platform youtube"].words) == ("ok", "the key works")
    assert len(httpserver.log) == 1


def test_a_platform_that_refuses_fails_with_the_fix(environ: dict[str, str], httpserver: HTTPServer) -> None:
    error = {"error": {"message": "API key expired. Please renew the API key.", "errors": [{"reason": "badRequest"}]}}
    httpserver.expect_request("/youtube/v3/channels").respond_with_json(error, status=400)
    youtube = {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": httpserver.url_for("").rstrip("/")}

    found = findings(environ | youtube | {"SMART_SYNC_PLATFORMS": "youtube"})["platform youtube"]

    assert (found.level, found.fix) == ("FAIL", "check its settings, or renew the key")
    assert found.words == "YouTube refuses us: the key is not valid, or has expired"


def test_units_that_are_used_up_are_no_failure(synced: dict[str, str], httpserver: HTTPServer) -> None:
    error = {"error": {"message": "No quota", "errors": [{"reason": "quotaExceeded"}]}}
    httpserver.expect_request("/youtube/v3/channels").respond_with_json(error, status=403)
    youtube = {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": httpserver.url_for("").rstrip("/")}

    found = findings(synced | youtube | {"SMART_SYNC_PLATFORMS": "youtube"})["platform youtube"]

    assert (found.level, found.words) == ("warn", "YouTube says that the day's units are used up")


def test_what_is_left_of_a_quota_is_told(synced: dict[str, str], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/youtube/v3/channels").respond_with_json({"items": []})
    youtube = {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": httpserver.url_for("").rstrip("/")}
    db, now = open_database(synced["DATABASE_URL"]), datetime.now(UTC)
    row = {"name": "youtube", "quota_used": 40, "quota_limit": 100, "quota_ends": now + timedelta(hours=1)}
    with db.write() as tx:
        tx.execute(tables.platform_states.insert().values(**row))
    db.close()

    found = findings(synced | youtube | {"SMART_SYNC_PLATFORMS": "youtube"})["platform youtube"]

    assert found.words == "the key works; 60 of 100 units a day left"


def test_a_platform_that_is_half_set_warns(environ: dict[str, str]) -> None:
    found = findings(environ | {"TWITCH_CLIENT_ID": "an-id", "SMART_SYNC_PLATFORMS": "twitch"})["platform twitch"]

    assert (found.level, found.words) == ("warn", "is not read: TWITCH_CLIENT_SECRET is not set")


def test_what_needs_no_key_is_asked_where_it_has_accounts(synced: dict[str, str], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/s/telegram").respond_with_data("<p class='tgme_x'></p>", content_type="text/html")
    own = {"SMART_SYNC_TELEGRAM_API": httpserver.url_for("").rstrip("/"), "SMART_SYNC_PLATFORMS": "telegram, bluesky"}

    found = findings(synced | own)

    assert found["platform telegram"].words == "it answers"
    assert "platform bluesky" not in found  # there are no accounts of it
