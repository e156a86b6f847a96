"""What has an age is forgotten in small steps, and what is still of use stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from webapp.errors import StoreError
from webapp.model import METRICS, NOTHING
from webapp.rules.merge import WINNERS
from webapp.store import audit, changes, held, pruning, runs, share_links, tables
from webapp.store.db import Database
from webapp.store.pruning import prune
from webapp.store.runs import NewRun, ProjectResult

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def account_id(db: Database) -> int:
    """An account of the project `p`."""
    with db.write() as tx:
        tx.execute(tables.projects.insert().values(id="p", name="Project A"))
        row = {"project_id": "p", "profile_url": "https://x.com/ann", "url_key": "x:ann"}
        return int(tx.execute(tables.accounts.insert().values(row).returning(tables.accounts.c.id)).scalar_one())


def size(db: Database, table: sa.Table) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def change(db: Database, account_id: int, at: datetime, times: int = 1) -> None:
    with db.write() as tx:
        for number in range(times):
            old, new = NOTHING._replace(views=number), NOTHING._replace(views=number + 1)
            by_parsed = WINNERS.index("parsed") << 2 * METRICS.index("views")
            changed = changes.Changed(account_id, old, new, by_parsed, None)
            changes.add(tx, "run", {"p": changes.ChangeBatch(("",) * len(METRICS), [changed])}, at)


def test_changes_go_at_the_age_that_was_set(db: Database, account_id: int) -> None:
    for age in (29, 31, 89, 91):
        change(db, account_id, NOW - age * DAY)

    prune(db, NOW, 90 * DAY)
    assert size(db, tables.count_changes) == 3
    prune(db, NOW + DAY, 30 * DAY)
    assert (size(db, tables.count_changes), size(db, tables.change_batches)) == (1, 1)


def test_a_call_makes_small_steps_until_all_is_gone_or_it_is_enough(
    db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "CHANGES_AT_ONCE", 10)
    change(db, account_id, NOW - 100 * DAY, times=20)
    asked = iter([False, False, True])

    assert prune(db, NOW, 90 * DAY, lambda: next(asked)) == 20  # each a row, and one for its sync
    assert size(db, tables.count_changes) == 10
    assert prune(db, NOW, 90 * DAY) == 20
    assert size(db, tables.change_batches) == 0


def test_nothing_is_looked_for_where_all_has_just_gone(db: Database, account_id: int) -> None:
    minute = timedelta(minutes=1)
    assert prune(db, NOW, 90 * DAY) == 0
    change(db, account_id, NOW - 100 * DAY)

    assert prune(db, NOW + 9 * minute, 90 * DAY) == 0
    assert prune(db, NOW + 10 * minute, 90 * DAY) == 2

    change(db, account_id, NOW - 100 * DAY)
    assert prune(db, NOW, 90 * DAY) == 2  # the clock was ahead


def test_more_than_an_answer_shows_of_problems_goes_after_two_days(db: Database, account_id: int) -> None:
    problems = [{"code": "invalid_number", "message": f"number {n}", "cell": f"A!B{n}"} for n in range(30)]
    for age in (1, 3):
        run = NewRun(f"of {age}", "cli", str(age), {}, date(2026, 6, 1), NOW - age * DAY)
        with db.write() as tx:
            runs.add(tx, run)
            runs.put_results(tx, run.id, [ProjectResult("p", "Project A", problems=problems, problem_count=30)])
            runs.put_results(tx, run.id, [ProjectResult("q", "Project B", problems=problems[:20], problem_count=20)])

    assert prune(db, NOW, 90 * DAY) == 1
    assert prune(db, NOW, 90 * DAY) == 0

    with db.read() as tx:
        kept = {run: runs.results_of(tx, run) for run in ("of 1", "of 3")}
    assert [(len(one.problems), one.problem_count) for one in kept["of 1"]] == [(30, 30), (20, 20)]
    assert [(len(one.problems), one.problem_count) for one in kept["of 3"]] == [(20, 30), (20, 20)]


def hold(db: Database, account_id: int, state: str, age: int, metric: str = "views") -> None:
    row: dict[str, Any] = {"account_id": account_id, "metric": metric, "value": 9, "state": state}
    with db.write() as tx:
        tx.execute(
            tables.held_observations.insert().values(**row, decided_at=None if state == "held" else NOW - age * DAY)
        )


def test_held_readings_that_are_over_go_and_the_last_word_of_a_person_stays(db: Database, account_id: int) -> None:
    hold(db, account_id, "confirmed", 91)
    hold(db, account_id, "withdrawn", 91)
    hold(db, account_id, "withdrawn", 89)
    hold(db, account_id, "rejected", 95)
    hold(db, account_id, "accepted", 91)
    hold(db, account_id, "rejected", 400, "likes")
    hold(db, account_id, "held", 400, "followers")

    prune(db, NOW, 90 * DAY)

    with db.read() as tx:
        left = {(one.metric, one.state) for one in held.of_account(tx, account_id)}
    assert left == {("views", "withdrawn"), ("views", "accepted"), ("likes", "rejected"), ("followers", "held")}


def test_links_that_were_closed_long_ago_go(db: Database, account_id: int) -> None:
    with db.write() as tx:
        made = [share_links.add(tx, "p", label, NOW - 200 * DAY) for label in ("open", "closed lately", "closed")]
        ids = [one[0].id for one in made if one is not None]
        share_links.revoke(tx, ids[1], NOW - 89 * DAY)
        share_links.revoke(tx, ids[2], NOW - 91 * DAY)

    prune(db, NOW, 90 * DAY)

    with db.read() as tx:
        assert [link.label for link in share_links.of_project(tx, "p")] == ["open", "closed lately"]


def test_corrections_are_kept_for_two_years(db: Database) -> None:
    with db.write() as tx:
        for age in (800, 731, 729, 1):
            audit.add(tx, "project.edit", f"project:{age}", None, None, now=NOW - age * DAY, door="http")

    prune(db, NOW, 90 * DAY)

    with db.read() as tx:
        assert [entry.target for entry in audit.latest(tx, limit=9)] == ["project:1", "project:729"]


def test_a_database_that_cannot_be_written_fails_nothing(
    db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> Any:
        raise StoreError("The database has no space left", code="disk_full")

    monkeypatch.setattr(db, "write", refuse)

    assert prune(db, NOW, 90 * DAY) == 0
    assert "old rows were not removed: The database has no space left" in caplog.text


def test_runs_of_long_ago_go_some_at_a_time_as_new_ones_come(db: Database) -> None:
    def run(name: str, at: datetime) -> NewRun:
        return NewRun(name, "cli", name, {}, date(2026, 6, 1), at)

    rows = [vars(run(f"old {n}", NOW - 91 * DAY)) | {"state": "failed"} for n in range(runs.AT_ONCE + 5)]
    with db.write() as tx:
        tx.execute(tables.sync_runs.insert(), rows)
        assert runs.add(tx, run("one", NOW))
    assert size(db, tables.sync_runs) == 6

    with db.write() as tx:
        assert runs.add(tx, run("another", NOW))
    assert size(db, tables.sync_runs) == 2
