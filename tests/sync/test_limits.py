"""Tabs that take too much, and what becomes of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.service import Service
from webapp.clock import Clock
from webapp.sources.sheet import table
from webapp.sources.sheet.csv import CsvFolder
from webapp.sources.sheet.limits import check_time, in_time


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("a", "b", "c", "d"):
        (folder / f"{name}.csv").write_text(f"Link,Followers\nhttps://www.tiktok.com/@{name}_one,12\n")
    return folder


@pytest.fixture
def service(database_url: str, folder: Path) -> Iterator[Service]:
    made = Service(database_url, sheets=[CsvFolder(folder, clock=Clock(sleep=lambda _: None))])
    yield made
    made.close()


def make_slow(monkeypatch: pytest.MonkeyPatch, service: Service, name: str, *, stop: bool = False) -> None:
    """From now on the tab takes a hundred seconds to be parsed, or is parsed while the service is stopped."""

    def slowly(items: Any, title: str, budget: Any) -> Iterator[Any]:
        if title == name and stop:
            service.parts.background.stop.request(0)
        elif title == name:
            service.time.forward(seconds=100)
        if title == name:
            check_time(title, budget)
        return in_time(items, title, budget)

    monkeypatch.setattr(table, "in_time", slowly)


def synced(service: Service) -> set[str]:
    return {row["name"] for row in service.rows("SELECT name FROM projects WHERE synced_at IS NOT NULL")}


def test_a_table_that_is_no_file_is_named_and_takes_nothing_from_the_others(service: Service, folder: Path) -> None:
    (folder / "b.csv").unlink()
    os.mkfifo(folder / "b.csv")

    run = service.sync()

    assert (run["success"], run["state"], run["success_count"]) == (False, "partial", 3)
    assert run["error_code"] == "bad_file"
    assert f"{folder / 'b.csv'} is a pipe, not a file (put a file in its place)" in run["error"]
    assert synced(service) == {"a", "c", "d"}


def test_a_known_tab_that_has_grown_too_large_keeps_what_was_there(service: Service, folder: Path) -> None:
    service.sync()
    with (folder / "b.csv").open("a") as opened:
        opened.write("\n" * 2**20)

    run = service.sync()

    (failed,) = (result for result in run["results"] if not result["success"])
    assert (failed["project_name"], failed["error_code"], run["success_count"]) == ("b", "too_large", 3)
    assert failed["error"] == "b: more than 1,048,576 rows (split the tab, or delete its blank rows)"
    assert service.followers("https://www.tiktok.com/@b_one") == 12


def test_a_tab_that_takes_longer_than_the_budget_is_named_and_starves_nobody(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    make_slow(monkeypatch, service, "b")

    first, second = service.sync(budget=50, force=True), service.sync(budget=50, force=True)

    (named,) = (result for result in first["results"] if result["error"])
    assert (named["project_name"], named["degraded"], named["error_code"]) == ("b", True, "timeout")
    assert "b: the budget was used up while the tab was read (split the tab" in named["error"]
    assert (first["complete"], first["degraded"], first["remaining"]) == (False, True, 2)
    assert [result["project_name"] for result in second["results"] if not result["error"]] == ["c", "d", "a"]


def test_a_tab_that_takes_too_long_for_too_long_is_no_success(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    make_slow(monkeypatch, service, "b")
    service.sync(budget=50, force=True)
    service.time.forward(hours=3)

    run = service.sync(budget=50, force=True)

    assert (run["success"], run["state"], run["error_code"]) == (False, "partial", "timeout")
    assert run["error"].startswith("b: the budget was used up while the tab was read")


def test_a_shutdown_while_a_tab_is_parsed_says_nothing_about_the_tab(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    make_slow(monkeypatch, service, "b", stop=True)

    run = service.sync(503, force=True)

    assert (run["state"], run["success_count"], run["error_count"], run["remaining"]) == ("cancelled", 1, 0, 3)
    assert service.rows("SELECT name FROM projects WHERE degraded_since IS NOT NULL") == []


def test_a_shutdown_while_a_new_tab_is_looked_at_says_nothing_about_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_slow(monkeypatch, service, "b", stop=True)

    run = service.sync(503)

    assert (run["state"], run["error_code"], run["remaining"]) == ("cancelled", "shutting_down", 3)
