"""What a sync does not do again: and that leaving it out changes no answer."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from tests.fakes.service import TIMES, Service
from tests.fakes.sheet import FakeSheet
from webapp.model import METRICS
from webapp.sources.sheet.rows import read_tab

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Titles of the tabs that were understood, in order."""
    titles: list[str] = []

    def counting(rows: Any, title: str, *more: Any, **rest: Any) -> Any:
        titles.append(title)
        return read_tab(rows, title, *more, **rest)

    monkeypatch.setattr("webapp.sync.side.read_tab", counting)
    return titles


def test_a_second_sync_of_the_day_writes_nothing_but_times(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", *((f"https://x.com/user{n}", n) for n in range(50)))
    sheet.rows("Project B", [ANN, 1], [BEN, "#REF!"])
    service.sync()
    service.reading(ANN, followers=5)
    service.sync()
    before, project_before = service.tables(without=TIMES), service.project("Project B")
    time.forward(minutes=30)

    results = service.sync()["results"]

    assert [(r["updated_count"], r["snapshot_count"]) for r in results] == [(0, 0), (0, 0)]
    assert service.tables(without=TIMES) == before
    changed = {name for name, value in service.project("Project B").items() if value != project_before[name]}
    assert changed <= {"checked_at", "synced_at", "next_sync_at"}


def test_an_unchanged_tab_is_not_understood_again(sqlite_service: Service, parsed: list[str]) -> None:
    sheet = sqlite_service.sheet
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    sqlite_service.sync()
    del parsed[:]

    sheet.put("Project B!B2", 2)
    results = sqlite_service.sync()["results"]

    assert parsed == ["Project B"]
    assert [r["skips"] for r in results] == [{"unchanged": 1}, {}]


def test_force_understands_every_tab_again(sqlite_service: Service, parsed: list[str]) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 1])
    sqlite_service.sync()

    sqlite_service.sync(force=True)

    assert parsed == ["Project A", "Project A"]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: setattr(s.sheet, "locale", "de_DE"),
        lambda s: s.options(aliases={"views": ("Seen",)}),
        lambda s: s.options(discover=False),
        lambda s: s.sheet.rename("Project A", "Project Z"),
    ],
    ids=["locale", "aliases", "discovery", "title"],
)
def test_the_same_cells_are_understood_again_when_they_may_mean_something_else(
    sqlite_service: Service, parsed: list[str], change: Any
) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, "1.234"])
    sqlite_service.sync()

    change(sqlite_service)
    sqlite_service.sync()

    assert len(parsed) == 2


def test_every_tab_is_understood_again_where_there_is_another_metric(
    sqlite_service: Service, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 1000])
    sqlite_service.sync()

    monkeypatch.setattr("webapp.sync.side.METRICS", (*METRICS, "shares"))
    sqlite_service.sync()

    assert len(parsed) == 2


def test_a_locale_that_is_corrected_mends_the_numbers(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, "1.234"])
    service.sync()
    assert service.followers(ANN) is None

    sheet.locale = "de_DE"
    service.sync()

    assert service.followers(ANN) == 1234


def test_an_unchanged_tab_repeats_its_problems_skips_and_totals(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, "#REF!"], [BEN, 2], ["https://x.com/ben", 1], ["TOTAL"], [None, 5])
    first = service.sync()["results"][0]
    assert (first["problem_count"], first["total_accounts"]) == (3, 2)
    assert first["skips"] == {"invalid_number": 1, "duplicate_row": 1, "no_url": 2}

    quiet = service.sync()["results"][0]
    service.reading(BEN, followers=9)
    busy = service.sync()["results"][0]

    for again in (quiet, busy):
        assert again["problems"] == first["problems"]
        assert again["total_accounts"] == 2
        assert {name: n for name, n in again["skips"].items() if name != "unchanged"} == first["skips"]


def test_problems_are_gone_once_their_cells_are_mended(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, "#REF!"])
    service.sync()

    sheet.put("Project A!B2", 3)
    result = service.sync()["results"][0]

    assert (result["problems"], result["skips"], service.followers(ANN)) == ([], {}, 3)


def test_more_problems_than_an_answer_lists_stand_behind_the_run(sqlite_service: Service) -> None:
    sqlite_service.sheet.rows("Project A", *((f"https://x.com/user{n}", "#REF!") for n in range(30)))

    answer = sqlite_service.sync()
    result = answer["results"][0]
    run = sqlite_service.get(f"/api/admin/runs/{answer['run_id']}")

    assert (len(result["problems"]), result["problem_count"]) == (20, 30)
    assert len(run["results"][0]["problems"]) == 30


def test_statements_of_a_sync_do_not_grow_with_accounts(service: Service) -> None:
    counts = []
    for size in (5, 200):
        service.sheet.rows("Project A", *((f"https://x.com/user{n}", n) for n in range(size)))
        counts.append(len(statements(service)))

    assert counts[1] <= counts[0]


def statements(service: Service) -> list[str]:
    """SQL that one sync runs."""
    told: list[str] = []

    def tell(*args: Any) -> None:
        told.append(args[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", tell)
    try:
        service.sync()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", tell)
    return told


cells = st.none() | st.integers(0, 3)
edits = st.lists(st.tuples(st.integers(0, 4), cells), max_size=6)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(before=st.lists(cells, min_size=5, max_size=5), edits=edits)
def test_the_updated_count_is_the_number_of_accounts_whose_numbers_changed(
    sqlite_service: Service, before: list[int | None], edits: list[tuple[int, int | None]]
) -> None:
    service, after = sqlite_service, list(before)
    for place, value in edits:
        after[place] = value
    service.sheet.rows("Project A", *((f"https://x.com/user{n}", value) for n, value in enumerate(before)))
    service.sync(force=True)

    service.sheet.rows("Project A", *((f"https://x.com/user{n}", value) for n, value in enumerate(after)))
    result = service.sync(force=True)["results"][0]

    assert result["updated_count"] == sum(a != b for a, b in zip(before, after, strict=True))
    assert service.rows("SELECT followers FROM accounts ORDER BY url_key") == [{"followers": value} for value in after]
