"""The earlier app's database taken over by the command line."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
import sqlalchemy as sa

from tests.fakes.shell import Shell
from tests.postgres_server import Server
from webapp.actions.earlier import open_earlier, take_over
from webapp.actions.storage import rebuild_all_days
from webapp.bootstrap import Parts, bootstrap
from webapp.cli import earlier
from webapp.config import Settings
from webapp.store import days, projects
from webapp.store.db import open_database

TABLES = """
CREATE TABLE projects (id {text}, name {text}, is_active INTEGER, target_views INTEGER, start_date {text}, end_date {text});
CREATE TABLE project_social_accounts (
  id INTEGER PRIMARY KEY, project_id {text}, platform {text}, username {text}, profile_link {text}, status {text},
  topic {text}, followers INTEGER DEFAULT 0, likes INTEGER DEFAULT 0, comments INTEGER DEFAULT 0,
  videos INTEGER DEFAULT 0, views BIGINT DEFAULT 0, is_active INTEGER DEFAULT 1);
CREATE TABLE account_snapshots (
  id INTEGER, account_id INTEGER, followers INTEGER, likes INTEGER, comments INTEGER, videos INTEGER, views BIGINT,
  snapshot_time {time});
INSERT INTO projects VALUES
  ('p-1', 'Beauty Lab', 1, 100000, '2025-01-01', '2025-12-31'), ('p-2', 'Old one', 0, 0, NULL, NULL);
INSERT INTO project_social_accounts VALUES
  (11, 'p-1', 'tiktok', 'mira.glow', 'https://www.tiktok.com/@mira.glow', 'NEW', 'beauty', 1300, 10, 0, 5, 5000, 1),
  (12, 'p-1', 'TikTok', 'mira.glow', 'http://tiktok.com/@Mira.Glow/', 'NEW', 'beauty', 1200, 10, 0, 5, 4000, 1),
  (13, 'p-1', 'instagram', 'ann', NULL, 'BAN', 'x', 0, 0, 0, 0, 0, 1),
  (14, 'p-1', 'instagram', 'bad', 'https://instagram.com/p/abc', '', '', 0, 0, 0, 0, 0, 1),
  (15, 'p-2', 'youtube', '', 'https://youtube.com/@zed', '', '', 50, 0, 0, 0, 700, 1),
  (16, 'p-9', 'youtube', '', 'https://youtube.com/@nobody', '', '', 50, 0, 0, 0, 700, 1),
  (17, 'p-2', 'youtube', '', 'https://youtube.com/@gone', '', '', 9, 0, 0, 0, 9, 0);
INSERT INTO account_snapshots VALUES
  (1, 11, 1000, 10, 0, 4, 4000, '2025-03-01 10:00:00'),
  (2, 11, 1010, 9, 0, 4, 4100, '2025-03-01 22:00:00.5'),
  (3, 11, 0, 0, 0, 0, 0, '2025-03-02 10:00:00'),
  (4, 11, 1200, 10, 0, 5, 4500, '2025-03-03 10:00:00'),
  (5, 11, 1300, 10, 0, 5, 0, '2025-03-04 10:00:00'),
  (6, 12, 1100, 10, 0, 5, 4600, '2025-03-03 10:00:00'),
  (7, 13, 5, 0, 0, 1, 10, '2025-03-03 10:00:00'),
  (8, 15, 50, NULL, NULL, NULL, 600, '2025-03-03 10:00:00'),
  (9, 15, -1, NULL, NULL, NULL, 700, '2025-03-04 10:00:00'),
  (10, 15, 1, 1, 1, 1, 1, '2099-01-01 00:00:00'),
  (11, 16, 1, 1, 1, 1, 1, '2025-03-04 10:00:00');
"""
REPORT = """\
Beauty Lab: https://www.tiktok.com/@mira.glow: snapshots 6, days 3; of a day that had one (the larger counts are taken) \
2, zeros after more (left out) 6, days of nothing but zeros (left out) 1
Old one: https://www.youtube.com/@zed: snapshots 3, days 2; without a time in the past (left out) 1, values that count \
nothing (left out) 1
left out: https://instagram.com/p/abc: is a post, not a profile; paste the link of the profile page
left out: https://youtube.com/@nobody: its project p-9 is not there
left out: 1 snapshots of project p-9, which is not there
"""
MIRA = "tiktok:@mira.glow"


@pytest.fixture
def sqlite_app(tmp_path: Path) -> str:
    path = tmp_path / "earlier.db"
    with closing(sqlite3.connect(path)) as hand:
        hand.executescript(TABLES.format(text="TEXT", time="TIMESTAMP"))
    return str(path)


@pytest.fixture
def postgres_app(new_postgres_url: str) -> str:
    with psycopg.connect(new_postgres_url) as hand:
        hand.execute(TABLES.format(text="TEXT", time="TIMESTAMP").encode())
    return new_postgres_url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def app(request: pytest.FixtureRequest) -> str:
    """The earlier app's database of either kind."""
    return str(request.getfixturevalue(f"{request.param}_app"))


@pytest.fixture
def parts(shell: Shell) -> Iterator[Parts]:
    """The parts over the shell's database, for a look at it."""
    parts = bootstrap(Settings(database_url=shell.url, admin_tokens=("the-admin-token-of-the-tests",)))
    yield parts
    parts.db.close()


def ask(parts: Parts, sql: str) -> list[tuple[Any, ...]]:
    with parts.db.read() as tx:
        return [tuple(row) for row in tx.execute(sa.text(sql))]


def history(parts: Parts, url_key: str) -> list[tuple[Any, ...]]:
    return ask(
        parts,
        "SELECT day, s.followers, s.likes, s.comments, s.videos, s.views FROM account_snapshots AS s "
        f"JOIN accounts ON accounts.id = account_id WHERE url_key = '{url_key}' ORDER BY day",
    )


def test_projects_accounts_and_days_are_taken_over_with_a_report(shell: Shell, app: str, parts: Parts) -> None:
    done = shell.run("import", "--earlier", "--drop-zeros", app)

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert sorted(lines[:-1]) == sorted(REPORT.splitlines())
    assert lines[-1] == (
        "taken over: 2 of 2 projects, 4 of 4 accounts, 6 of 6 days from 10 snapshots; the rest was here already"
    )
    assert ask(parts, "SELECT id, name, status, target_views, start_date FROM projects ORDER BY id") == [
        ("p-1", "Beauty Lab", "active", 100000, "2025-01-01"),
        ("p-2", "Old one", "paused", 0, None),
    ]
    assert ask(parts, "SELECT id, url_key, mode, removed_by, followers, views FROM accounts ORDER BY id") == [
        (11, MIRA, "auto", None, 1300, 5000),
        (13, "instagram:ann", "off", None, 5, 10),
        (15, "youtube:@zed", "auto", None, 50, 700),
        (17, "youtube:@gone", "auto", "sheet", 9, 9),
    ]
    assert history(parts, MIRA) == [
        ("2025-03-01", 1010, 10, 0, 4, 4100),
        ("2025-03-03", 1200, 10, 0, 5, 4600),
        ("2025-03-04", 1300, 10, 0, 5, None),
    ]
    assert ask(parts, "SELECT action, door FROM audit_log") == [("project.take_over", "cli")] * 2


def test_growth_is_that_of_the_days(shell: Shell, sqlite_app: str, parts: Parts) -> None:
    shell.run("import", "--earlier", "--drop-zeros", sqlite_app)

    with parts.db.read() as tx:
        project = projects.get(tx, "p-1")
        assert project.as_of is not None
        found = days.of_project(tx, "p-1", project.as_of.date().replace(day=1), project.as_of.date())
    assert [(one.day.day, one.accounts, one.total[0], one.movement.growth[0]) for one in found] == [
        (1, 1, 1010, None),
        (2, 1, 1010, 0),
        (3, 2, 1205, 190),
        (4, 2, 1305, 100),
    ]
    assert found[2].movement.joined == (5, 0, 0, 1, 10)
    before = ask(parts, "SELECT * FROM project_days ORDER BY project_id, day")
    assert [*rebuild_all_days(parts.desk)]
    assert ask(parts, "SELECT * FROM project_days ORDER BY project_id, day") == before


def test_zeros_can_be_kept(shell: Shell, sqlite_app: str, parts: Parts) -> None:
    done = shell.run("import", "--earlier", "--keep-zeros", sqlite_app)

    assert "zeros after more (kept) 6, days of nothing but zeros (kept) 1" in done.stdout
    assert history(parts, MIRA)[1:] == [
        ("2025-03-02", 0, 0, 0, 0, 0),
        ("2025-03-03", 1200, 10, 0, 5, 4600),
        ("2025-03-04", 1300, 10, 0, 5, 0),
    ]


def test_a_second_time_brings_what_has_come_since(shell: Shell, sqlite_app: str, parts: Parts) -> None:
    shell.run("import", "--earlier", "--drop-zeros", sqlite_app)
    before = [ask(parts, f"SELECT * FROM {table}") for table in ("projects", "accounts", "account_spans", "audit_log")]

    again = shell.run("import", "--earlier", "--drop-zeros", sqlite_app)

    assert "taken over: 0 of 2 projects, 0 of 4 accounts, 0 of 6 days" in again.stdout
    assert before == [
        ask(parts, f"SELECT * FROM {table}") for table in ("projects", "accounts", "account_spans", "audit_log")
    ]
    with closing(sqlite3.connect(sqlite_app)) as hand:
        hand.execute("INSERT INTO account_snapshots VALUES (12, 11, 1400, 11, 0, 5, 5100, '2025-03-05 10:00:00')")
        hand.commit()
    assert "0 of 4 accounts, 1 of 7 days" in shell.run("import", "--earlier", "--drop-zeros", sqlite_app).stdout
    assert history(parts, MIRA)[-1] == ("2025-03-05", 1400, 11, 0, 5, 5100)


def test_what_is_here_already_stays_and_gets_its_past(shell: Shell, sqlite_app: str, parts: Parts) -> None:
    shell.run("sync")
    before = history(parts, MIRA)
    (row,) = ask(parts, f"SELECT id, followers, views FROM accounts WHERE url_key = '{MIRA}'")

    done = shell.run("import", "--earlier", "--drop-zeros", sqlite_app)

    assert "taken over: 1 of 2 projects, 3 of 4 accounts, 6 of 6 days" in done.stdout, done.output
    assert ask(parts, f"SELECT id, followers, views FROM accounts WHERE url_key = '{MIRA}'") == [row]
    assert history(parts, MIRA)[3:] == before
    assert ask(parts, f"SELECT min(since), max(until) FROM account_spans WHERE account_id = {row[0]}") == [
        ("2025-03-01 10:00:00.000000", None)
    ]
    assert "ok    Beauty Lab: " in shell.run("sync").stdout


def test_the_sheet_goes_on_with_what_was_taken_over(shell: Shell, sqlite_app: str, parts: Parts) -> None:
    shell.run("import", "--earlier", "--drop-zeros", sqlite_app)

    done = shell.run("sync")

    assert "ok    Beauty Lab: " in done.stdout
    assert ask(parts, "SELECT id FROM projects WHERE name = 'Beauty Lab'") == [("p-1",)]
    assert ask(parts, f"SELECT id, followers FROM accounts WHERE url_key = '{MIRA}'") == [(11, 128400)]
    assert len(history(parts, MIRA)) == 4


def test_what_was_removed_here_does_not_come_back(shell: Shell, sqlite_app: str, parts: Parts) -> None:
    shell.run("import", "--earlier", "--drop-zeros", sqlite_app)
    shell.run("projects", "ignore", "Old one")

    done = shell.run("import", "--earlier", "--drop-zeros", sqlite_app)

    assert "left out: Old one: it was removed here" in done.stdout


def test_a_dry_run_reports_and_writes_nothing(shell: Shell, sqlite_app: str, parts: Parts) -> None:
    done = shell.run("import", "--earlier", "--dry-run", sqlite_app)

    assert done.exit_code == 0
    assert "would take over: 2 of 2 projects, 4 of 4 accounts, 6 of 6 days" in done.stdout
    assert ask(parts, "SELECT count(*) FROM projects") == [(0,)]


def test_somebody_is_asked_about_zeros(
    shell: Shell, sqlite_app: str, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = shell.run("import", "--earlier", sqlite_app)

    assert refused.exit_code == 2
    assert "6 values are 0 after more" in refused.stderr
    assert "say --drop-zeros to leave them out, or --keep-zeros" in refused.stderr
    assert ask(parts, "SELECT count(*) FROM projects") == [(0,)]
    with open_earlier(sqlite_app) as app:
        report = take_over(parts.desk, app, drop_zeros=False, dry_run=True)
    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr(click, "confirm", lambda words, **_: words == "Leave them out?")
    assert earlier._ask(report, dry_run=False)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("none.db", "there is no file "),
        ("sqlite:////nowhere/none.db", "there is no file /nowhere/none.db"),
        ("sheet/Beauty Lab.csv", "the earlier database cannot be read: file is not a database"),
        ("mysql://host/name", "Error: the address of the earlier database: neither SQLite nor PostgreSQL"),
        ("data/smart_sync.db", "there is no table project_social_accounts"),
    ],
)
def test_what_is_no_earlier_database_is_refused_in_words(shell: Shell, where: str, words: str) -> None:
    shell.run("db", "upgrade")

    refused = shell.run("import", "--earlier", "--drop-zeros", where)

    assert refused.exit_code == 1
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_it_is_taken_over_into_postgresql(shell: Shell, sqlite_app: str, postgres_url: str, postgres: Server) -> None:
    done = shell.run("import", "--earlier", "--drop-zeros", sqlite_app, DATABASE_URL=postgres_url)

    assert done.exit_code == 0, done.output
    db = open_database(postgres_url)
    with db.write() as tx:
        row = "INSERT INTO accounts (project_id, profile_url, url_key) VALUES ('p-1', 'u', 'u') RETURNING id"
        assert tx.execute(sa.text(row)).scalar_one() == 18
        assert tx.execute(sa.text("SELECT count(*) FROM account_snapshots")).scalar_one() == 6
    db.close()


@pytest.mark.postgres
@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_names_in_an_earlier_database_of_another_encoding_are_read(
    shell: Shell, postgres: Server, parts: Parts, encoding: str
) -> None:
    name = f"earlier_{encoding.lower()}"
    postgres.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
    try:
        with psycopg.connect(postgres.url(name), client_encoding="UTF8") as hand:
            hand.execute(TABLES.format(text="TEXT", time="TIMESTAMP").replace("Beauty Lab", "Beauté Labö").encode())

        done = shell.run("import", "--earlier", "--drop-zeros", postgres.url(name))
    finally:
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")

    assert done.exit_code == 0, done.output
    assert ask(parts, "SELECT name FROM projects WHERE id = 'p-1'") == [("Beauté Labö",)]


def test_ids_that_are_taken_get_others(shell: Shell, sqlite_app: str, postgres_url: str) -> None:
    with closing(sqlite3.connect(sqlite_app)) as hand:  # in PostgreSQL's own counting 2 and 3 would come next
        hand.execute("UPDATE project_social_accounts SET id = 3 WHERE id = 15")
        hand.execute("UPDATE project_social_accounts SET id = 1 WHERE id = 17")
        hand.commit()
    db = open_database(postgres_url)
    with db.write() as tx:
        tx.execute(sa.text("INSERT INTO projects (id, name) VALUES ('x', 'X')"))
        tx.execute(sa.text("INSERT INTO accounts (project_id, profile_url, url_key) VALUES ('x', 'u', 'u')"))

    done = shell.run("import", "--earlier", "--drop-zeros", sqlite_app, DATABASE_URL=postgres_url)

    assert done.exit_code == 0, done.output
    with db.read() as tx:
        found: dict[str, int] = {key: one for key, one in tx.execute(sa.text("SELECT url_key, id FROM accounts"))}  # noqa: C416  rows
    db.close()
    assert found[MIRA] == 11
    assert found["youtube:@zed"] == 3
    assert len({*found.values()}) == 5


def test_options_of_the_one_do_not_go_with_the_other(shell: Shell) -> None:
    for option in ("--dry-run", "--drop-zeros", "--keep-zeros"):
        refused = shell.run("import", option, "all.gz")
        assert (refused.exit_code, "go with --earlier" in refused.stderr) == (2, True)
