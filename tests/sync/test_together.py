"""Projects that share a transaction: as few statements as possible, and whatever befalls one of them is its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet
from webapp.errors import StoreError, TransientSourceError
from webapp.store import accounts, projects
from webapp.store.projects import NewProject
from webapp.sync import batch, draft, side

pytestmark = pytest.mark.shortcuts

NAMES = ("A", "B", "C")


def url(name: str, number: int = 0) -> str:
    return f"https://x.com/{name.lower()}{number}"


@pytest.fixture
def three(sheet: FakeSheet) -> FakeSheet:
    for name in NAMES:
        sheet.rows(name, [url(name), 1])
    return sheet


def states(answer: Any) -> dict[str, Any]:
    return {result["project_name"]: result["error_code"] for result in answer["results"]}


def statements(work: Callable[[], object]) -> list[str]:
    told: list[str] = []

    def tell(*args: Any) -> None:
        told.append(args[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", tell)
    try:
        work()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", tell)
    return told


def fails_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever is written of a project of this name breaks, alone or with others."""
    update_all = projects.update_all

    def break_off(tx: sa.Connection, changed: Any) -> None:
        found = projects.lock_all(tx, list(changed)).values()
        if any(one.name == name and "synced_at" in changed[one.id] for one in found):
            raise ZeroDivisionError
        update_all(tx, changed)

    monkeypatch.setattr(projects, "update_all", break_off)


def test_as_many_statements_do_for_many_projects_as_for_few(service: Service, sheet: FakeSheet) -> None:
    counts: dict[str, list[int]] = {"nothing": [], "other": []}
    for many in (13, 33):  # rows that are no whole number of tens either way
        titles = [f"Tab {number}" for number in range(many)]
        for number, title in enumerate(titles):
            sheet.rows(title, [url(f"p{number}n"), many])
        service.sync()
        counts["nothing"].append(len(statements(service.sync)))
        for title in titles:
            sheet.put(f"{title}!B2", many + 1)
        counts["other"].append(len(statements(service.sync)))

    together = service.engine.options.shortcuts.together
    assert {step: many <= few for step, (few, many) in counts.items()} == dict.fromkeys(counts, together)


def test_one_that_fails_is_undone_alone(service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch) -> None:
    service.sync()
    for name in NAMES:
        three.put(f"{name}!B2", 9)
    fails_for(monkeypatch, "B")

    answer = service.sync()

    assert states(answer) == {"A": None, "B": "internal_error", "C": None}
    assert [service.followers(url(name)) for name in NAMES] == [9, 1, 9]
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []
    assert service.project("B")["failures"] == 1


def test_what_cannot_be_parsed_is_one_projects_own(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    for name in NAMES:
        three.put(f"{name}!B2", 9)
    parse = side.parse_side

    def break_off(one: Any, *args: Any, **options: Any) -> Any:
        if one.tab.title == "B":
            raise ZeroDivisionError
        return parse(one, *args, **options)

    monkeypatch.setattr(batch, "parse_side", break_off)

    tried = service.sync(dry_run=True)
    answer = service.sync()

    assert states(tried) == states(answer) == {"A": None, "B": "internal_error", "C": None}
    assert [service.followers(url(name)) for name in NAMES] == [9, 1, 9]


def test_a_preview_that_fails_is_one_projects_own(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    make = draft.make_drafts

    def break_off(tx: Any, run: Any, asked: Sequence[Any], now: Any) -> Any:
        if asked[0][0].name == "B":
            raise ZeroDivisionError
        return make(tx, run, asked, now)

    monkeypatch.setattr(batch, "make_drafts", break_off)

    assert states(service.sync(dry_run=True)) == {"A": None, "B": "internal_error", "C": None}


def test_a_lease_that_was_lost_keeps_one_project_from_being_written(service: Service, three: FakeSheet) -> None:
    service.sync()
    for name in NAMES:
        three.put(f"{name}!B2", 9)
    lease = f"project:{service.project('B')['id']}"
    three.on_read = lambda _: service.write("UPDATE leases SET fence = fence + 1 WHERE name = :name", name=lease)

    answer = service.sync()

    assert states(answer) == {"A": None, "B": "lost_lease", "C": None}
    assert [service.followers(url(name)) for name in NAMES] == [9, 1, 9]


def test_counts_are_those_that_the_database_changed(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    for name in NAMES:
        three.put(f"{name}!B2", 9)
    gone = service.account(url("B"))["id"]
    write = accounts.write_counts

    def leave_out(tx: Any, rows: Any, now: Any) -> int:
        return write(tx, [row for row in rows if row[0] != gone], now)

    monkeypatch.setattr(accounts, "write_counts", leave_out)

    answer = service.sync()

    assert {r["project_name"]: r["updated_count"] for r in answer["results"]} == {"A": 1, "B": 0, "C": 1}


def test_of_new_tabs_one_that_cannot_be_made_is_left_out_alone(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = projects.create

    def break_off(tx: Any, tabs: Sequence[NewProject], now: Any, **of: Any) -> Any:
        if any(tab.title == "B" for tab in tabs):
            raise ZeroDivisionError
        return create(tx, tabs, now, **of)

    monkeypatch.setattr(projects, "create", break_off)

    answer = service.sync()

    assert states(answer) == {"A": None, "C": None}
    assert any("'B'" in words for words in answer["warnings"])


def test_a_tab_that_another_run_has_just_taken_is_left_to_it(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = projects.create
    monkeypatch.setattr(projects, "create", lambda tx, tabs, now, **of: create(tx, tabs[:-1], now, **of))

    assert states(service.sync()).keys() < set(NAMES)


def test_a_plan_is_made_from_all_rows_again_where_the_first_was_undone(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_for(monkeypatch, "B")

    service.sync()

    assert service.rows("SELECT url_key FROM accounts ORDER BY url_key") == [
        {"url_key": service.account(url(name))["url_key"]} for name in ("A", "C")
    ]


def test_a_database_that_is_full_when_a_project_is_made_is_told(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_full(*_: Any, **__: Any) -> None:
        raise StoreError("no space left", code="disk_full")

    monkeypatch.setattr(projects, "create", be_full)

    assert service.sync(status=503)["error_code"] == "disk_full"


def test_many_accounts_are_written_in_parts_whatever_the_sheet_does(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    monkeypatch.setattr(batch, "ACCOUNTS", 1)
    three.offline(TransientSourceError("the Sheets API answered 503"))

    answer = service.sync()

    assert [result["degraded"] for result in answer["results"]] == [True] * 3


def commits(work: Callable[[], object]) -> int:
    """In how many transactions results are written."""
    return sum("INSERT INTO sync_run_projects" in sql for sql in statements(work))


def test_tabs_that_say_what_they_said_share_a_transaction_however_many_accounts_they_have(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    monkeypatch.setattr(batch, "ACCOUNTS", 1)
    shortcuts = service.engine.options.shortcuts

    assert commits(service.sync) == (1 if shortcuts.together and shortcuts.unchanged_tab else 3)


def test_no_more_projects_share_a_transaction_than_may(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    monkeypatch.setattr(batch, "PROJECTS", 2)

    assert commits(service.sync) == (2 if service.engine.options.shortcuts.together else 3)


def test_cells_are_not_held_for_longer_than_they_have_to_be(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        three.rows(name, [url(name), 1], [url(name, 1), 1])
    service.sync()
    for name in NAMES:
        three.put(f"{name}!B2", 5)
    monkeypatch.setattr(batch, "HELD_BYTES", 1)
    shortcuts = service.engine.options.shortcuts

    assert commits(service.sync) == (1 if shortcuts.together and not shortcuts.changed_rows else len(NAMES))


@pytest.mark.parametrize("tab_changes", [False, True])
@pytest.mark.parametrize("knows_rows", [False, True])
def test_many_readings_that_changed_are_merged_in_parts(
    service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch, tab_changes: bool, knows_rows: bool
) -> None:
    for name in NAMES:
        three.rows(name, [url(name), 1], [url(name, 1), 1])
    service.sync()
    for name in "AC":
        service.reading(url(name), followers=9)
    if not knows_rows:
        service.write("UPDATE projects SET rows_seen = NULL")
    if tab_changes:
        three.put("B!B2", 5)
    monkeypatch.setattr(batch, "ACCOUNTS", 1 if knows_rows else 3)

    parts = commits(service.sync)

    assert [service.followers(url(name)) for name in NAMES] == [9, 5 if tab_changes else 1, 9]
    assert parts == 3 if not service.engine.options.shortcuts.together else parts >= 2


# A day that is done


def test_a_snapshot_that_somebody_removed_is_taken_again(service: Service, three: FakeSheet) -> None:
    service.sync()
    service.sync()
    account = service.account(url("A"))["id"]
    day = service.history(url("A"))[0][0]

    removed = service.client.delete(f"/api/admin/accounts/{account}/snapshots/{day}", headers=ADMIN)
    assert removed.status_code == 200, removed.text
    assert service.history(url("A")) == []
    service.sync()

    assert service.history(url("A")) == [(day, 1)]


def test_an_account_that_comes_late_gets_its_snapshot_of_a_day_that_was_done(
    service: Service, three: FakeSheet
) -> None:
    service.sync()
    service.sync()
    three.rows("A", [url("A"), 1], [url("A", 1), 7])
    service.sync()

    assert [count for _, count in service.history(url("A", 1))] == [7]


def test_nothing_of_an_account_is_looked_at_on_a_day_that_is_done(service: Service, three: FakeSheet) -> None:
    service.sync()
    told = statements(service.sync)

    is_done = service.engine.options.shortcuts.done_day
    assert any("INSERT INTO account_snapshots" in sql for sql in told) is not is_done


def test_a_number_that_rises_is_no_reason_to_look_at_spans_or_at_a_day_that_is_done(
    service: Service, three: FakeSheet
) -> None:
    service.sync()
    service.sync()
    three.put("A!B2", 5)
    told = statements(service.sync)

    shortcuts = service.engine.options.shortcuts
    assert service.followers(url("A")) == 5
    assert not any("account_spans" in sql for sql in told)
    assert any("INSERT INTO account_snapshots" in sql for sql in told) is not shortcuts.done_day


def test_a_metric_that_is_new_counts_from_then_on_and_gets_its_snapshot(service: Service, three: FakeSheet) -> None:
    three.rows("A", [url("A"), 1, ""], header=("Link", "Followers", "Likes"))
    service.sync()
    service.sync()
    three.rows("A", [url("A"), 1, 8], header=("Link", "Followers", "Likes"))
    service.sync()

    account = service.account(url("A"))["id"]
    metrics = service.one(f"SELECT metrics FROM account_spans WHERE account_id = {account} AND until IS NULL")
    likes = service.one(f"SELECT likes FROM account_snapshots WHERE account_id = {account}")
    assert (metrics, likes) == (3, 8)


def test_leases_are_taken_as_reading_begins(service: Service, three: FakeSheet) -> None:
    service.sync()

    asked = [
        sql for sql in statements(service.sync) if "INTO leases" in sql or "read_at=" in sql or sql.startswith("BEGIN")
    ]

    begun = [place for place, sql in enumerate(asked) if "read_at=" in sql]
    assert len(begun) == 1
    assert "INTO leases" in asked[begun[0] - 1]
