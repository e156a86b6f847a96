"""The bench measures what it says: a past that is sound, a server's work counted, PostgreSQL beside SQLite everywhere."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench import beside, growth, large, memory, read, start, sync
from bench.__main__ import main
from bench.bars import STEPS
from bench.databases import KINDS, SQLITE, Kind
from bench.google import Size
from bench.side import Side, Taken
from bench.sync import Figures
from tests.postgres_server import Server
from webapp.store import days
from webapp.store.db import open_database
from webapp.store.tables import account_snapshots

SECTIONS = ("sync", "read", "start", "memory", "beside", "growth")


@pytest.fixture
def postgres_kind(postgres: Server) -> Kind:
    return Kind("PostgreSQL", postgres)


def test_a_past_laid_out_in_bulk_is_what_its_snapshots_amount_to(new_database_url: str) -> None:
    large.lay_out(new_database_url, projects=2, size=3, days=4)

    db = open_database(new_database_url)
    with db.write() as tx:
        rebuilt = [days.rebuild(tx, project) for project in ("project-0", "project-1")]
        snapshots = tx.execute(sa.select(sa.func.count()).select_from(account_snapshots)).scalar()
    db.close()

    assert rebuilt == [days.Rebuilt(5, mended=False)] * 2
    assert snapshots == 2 * 3 * 5


def test_a_past_laid_out_in_bulk_has_its_index(new_postgres_url: str) -> None:
    large.lay_out(new_postgres_url, projects=1, size=1, days=1)

    db = open_database(new_postgres_url)
    with db.read() as tx:
        found = {index["name"] for index in sa.inspect(tx).get_indexes("account_snapshots")}
    db.close()

    assert found == {"ix_account_snapshots_account_day"}


def test_work_of_the_server_is_counted_but_for_one_connection(postgres_kind: Kind, tmp_path: Path) -> None:
    url = postgres_kind.empty(tmp_path, "bench_work")

    with postgres_kind.connected(url) as other:
        all_before, others_before = postgres_kind.cpu_s(), postgres_kind.cpu_s(besides=other.pid)
        other.driver.execute("SELECT sum(i) FROM generate_series(1, 500000) i")
        of_all, of_others = postgres_kind.cpu_s() - all_before, postgres_kind.cpu_s(besides=other.pid) - others_before

    assert of_all > 0.01
    assert of_others < of_all / 2


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_database_of_the_same_name_is_empty_again(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    used = SQLITE if kind == "sqlite" else request.getfixturevalue("postgres_kind")
    for _ in range(2):
        with used.connected(used.empty(tmp_path, "bench_again")) as other:
            other.driver.execute("CREATE TABLE there (id INTEGER)")


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(("asked", "measured"), [([], KINDS), (["--database", "postgres"], ("postgres",))])
def test_each_section_is_measured_on_both_databases_unless_one_is_named(
    monkeypatch: pytest.MonkeyPatch, section: str, asked: list[str], measured: tuple[str, ...]
) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(importlib.import_module(f"bench.{section}"), "measure", lambda *given: calls.append(given))
    monkeypatch.setattr(sys, "argv", ["bench", section, *asked])

    main()

    ((*_, last),) = calls
    assert (last.databases if section == "sync" else last) == measured


def test_large_pasts_are_measured_on_both_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(large, "measure", lambda *given: calls.append(given))
    monkeypatch.setattr(sys, "argv", ["bench", "read", "--large", "--days", "7"])

    main()

    assert calls == [(100_000, 200, 7, KINDS)]


def _measured_before(size: Size, _: int, __: int, sides: Sequence[Side]) -> Figures:
    return {(step, side.name): [Taken(size.accounts, 1, 1, 1)] for step in STEPS for side in sides}


SMALL: dict[str, Callable[[], None]] = {
    "sync": lambda: sync.measure(sync.Asked((Size(10, 100),), (0,), 1, naive=False)),
    "read": lambda: read.measure(1, 5, 1),
    "start": lambda: start.measure(1),
    "memory": lambda: memory.measure(sizes=[Size(1, 10)]),
    "beside": lambda: beside.measure(1),
    "growth": lambda: growth.measure(1),
    "large": lambda: large.measure(3, 2, 2),
}


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("section", [*SECTIONS, "large"])
def test_postgresql_stands_beside_sqlite_without_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres: Server, section: str
) -> None:
    monkeypatch.setattr("tests.postgres_server.postgres_server", lambda *_: nullcontext(postgres))
    monkeypatch.setattr(beside, "SIZE", Size(1, 10))
    monkeypatch.setattr(beside, "SECONDS", 0.1)
    monkeypatch.setattr(growth, "measure_size", _measured_before)  # by `sync` too
    monkeypatch.setattr(growth, "BY_DAYS", (2, 4))
    monkeypatch.setattr(growth, "DAYS_SIZE", Size(1, 10))
    monkeypatch.setattr(growth, "REPEATS", 1)
    monkeypatch.setattr(read, "CASES", [case for case in read.CASES if case.path == read.LIST])
    monkeypatch.setattr(read, "ASKED", 8)
    monkeypatch.setattr(start, "throttled", nullcontext)
    SMALL[section]()

    shown = capsys.readouterr().out.splitlines()
    followed = [(line, after) for line, after in pairwise(shown) if line.startswith("  SQLite ")]
    assert followed
    assert all(after.startswith("  PostgreSQL ") and "bar" not in after for _, after in followed)
    assert any(re.search("bar .* (met|MISSED)$", line) for line in shown)
