"""What a cell, a reading and a day mean for the numbers that readers see."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, TIMES, Service
from tests.fakes.sheet import FakeSheet
from webapp.errors import SourceError, TransientSourceError

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"


@pytest.mark.parametrize(("parsed", "merged"), [(950, 1000), (1050, 1050), (1000, 1000), (0, 1000)])
def test_the_larger_of_sheet_and_reading_is_taken(service: Service, sheet: FakeSheet, parsed: int, merged: int) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()

    service.reading(ANN, followers=parsed)
    result = service.sync()["results"][0]

    assert service.followers(ANN) == merged
    assert result["updated_count"] == (merged != 1000)


def test_a_typo_heals_when_its_cell_is_corrected_and_so_does_the_day(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 10_000_000])
    service.sync()
    assert service.history(ANN) == [("2026-03-02", 10_000_000)]

    sheet.put("Project A!B2", 1000)
    service.sync()

    assert service.followers(ANN) == 1000
    assert service.history(ANN) == [("2026-03-02", 1000)]


def test_a_correction_leaves_the_days_before_as_they_were(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 5000])
    service.sync()
    time.forward(days=1)
    service.sync()

    sheet.put("Project A!B2", 1000)
    service.sync()

    assert service.history(ANN) == [("2026-03-02", 5000), ("2026-03-03", 1000)]


def test_a_blank_cell_clears_what_was_typed_before(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000, 50])
    service.sync()

    sheet.put("Project A!B2", "")
    service.sync()
    assert (service.followers(ANN), service.account(ANN)["likes"]) == (None, 50)

    service.reading(ANN, followers=7)
    service.sync()
    assert service.followers(ANN) == 7


def test_an_unreadable_cell_keeps_the_last_good_value_and_says_where(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()

    sheet.put("Project A!B2", "#REF!")
    result = service.sync()["results"][0]

    assert service.followers(ANN) == 1000
    assert [(p["code"], p["cell"]) for p in result["problems"]] == [("invalid_number", "Project A!B2")]
    assert "'#REF!' is not a count" in result["problems"][0]["message"]
    assert result["skips"] == {"invalid_number": 1}


@pytest.mark.parametrize("cell", ["#REF!", "12 or 13", True, -4, 1.5, "n/a?", "1e400", 2**63], ids=repr)
def test_an_unreadable_first_value_is_no_observation(sqlite_service: Service, cell: str | float | bool) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, cell, 3])

    sqlite_service.sync()

    assert sqlite_service.followers(ANN) is None


def test_a_real_zero_is_a_zero(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 0])

    result = service.sync()["results"][0]

    assert service.followers(ANN) == 0
    assert (result["updated_count"], result["snapshot_count"]) == (1, 1)


def test_a_reading_of_zero_does_not_lower_the_sheet(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 400])
    service.sync()

    service.reading(ANN, followers=0, likes=0)
    service.sync()

    assert (service.followers(ANN), service.account(ANN)["likes"]) == (400, 0)


def test_counts_of_64_bits_are_kept_exactly(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 2**63 - 1])

    service.sync()

    assert service.followers(ANN) == 2**63 - 1
    assert service.history(ANN) == [("2026-03-02", 2**63 - 1)]


def test_rows_of_one_account_give_its_largest_value_and_name_both_cells(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000, 9], [BEN, 1], ["http://www.x.com/Ann/?s=20", 2000, 3])

    result = service.sync()["results"][0]

    assert (service.followers(ANN), service.account(ANN)["likes"]) == (2000, 9)
    assert result["total_accounts"] == 2
    (problem,) = result["problems"]
    assert problem["cell"] == "Project A!A4"
    assert "Project A!A2" in problem["message"]


def test_sorting_the_rows_changes_no_number(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2], ["https://x.com/cid", 3])
    service.sync()
    before = service.tables(without=(*TIMES, "observations", "tab_rows"))

    sheet.sort("Project A")
    result = service.sync()["results"][0]

    assert result["updated_count"] == 0
    assert service.tables(without=(*TIMES, "observations", "tab_rows")) == before
    assert service.one("SELECT origin FROM observations WHERE account_id = :id", id=service.account(ANN)["id"]) == (
        "Project A!4"
    )


def test_a_number_and_its_text_are_the_same_value(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1234567])
    service.sync()

    sheet.put("Project A!B2", "1,234,567")
    result = service.sync()["results"][0]

    assert (service.followers(ANN), result["updated_count"]) == (1_234_567, 0)


# Who counts


def test_an_account_counted_by_hand_follows_the_sheet_downwards(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 900, None, None, None, None, "OLD"])
    service.sync()

    service.reading(ANN, followers=1000)
    service.sync()

    assert service.followers(ANN) == 900
    assert service.account(ANN)["mode"] == "manual"


def test_an_account_that_is_off_is_shown_but_not_snapshotted(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 900, None, None, None, None, "BAN"], [BEN, 5])

    result = service.sync()["results"][0]

    assert service.followers(ANN) == 900
    assert service.history(ANN) == []
    assert (result["total_accounts"], result["snapshot_count"], result["skips"]) == (2, 1, {"off": 1})


def test_the_mode_follows_the_status_column_until_somebody_sets_it(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1, None, None, None, None, "ban"])
    service.sync()
    sheet.put("Project A!G2", "active")
    service.sync()
    assert service.account(ANN)["mode"] == "auto"

    service.write("UPDATE accounts SET mode = 'off', mode_set = true")
    sheet.put("Project A!G2", "OLD")
    service.sync()

    assert (service.account(ANN)["mode"], service.account(ANN)["status"]) == ("off", "OLD")


@pytest.mark.parametrize(("policy", "merged"), [("max", 1000), ("sheet", 900), ("parsed", 1000)])
def test_a_projects_policy_decides_which_side_wins(
    service: Service, sheet: FakeSheet, policy: str, merged: int
) -> None:
    sheet.rows("Project A", [ANN, 900])
    service.sync()
    service.write("UPDATE projects SET merge_policy = :policy, settled = false", policy=policy)

    service.reading(ANN, followers=1000)
    service.sync()

    assert service.followers(ANN) == merged


# Days


def test_a_day_has_one_snapshot_and_its_first_value_stays(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 100])
    service.sync()
    time.forward(hours=2)

    sheet.put("Project A!B2", 150)
    result = service.sync()["results"][0]

    assert (result["updated_count"], result["snapshot_count"]) == (1, 0)
    assert service.followers(ANN) == 150
    assert service.history(ANN) == [("2026-03-02", 100)]


def test_with_latest_each_sync_of_the_day_updates_its_snapshot(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    service.options(latest_snapshot=True)
    sheet.rows("Project A", [ANN, 100])
    service.sync()
    time.forward(hours=2)

    sheet.put("Project A!B2", 150)
    result = service.sync()["results"][0]

    assert service.history(ANN) == [("2026-03-02", 150)]
    assert result["snapshot_count"] == 0


def test_a_new_day_makes_snapshots_of_an_unchanged_tab(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 100], [BEN, None])
    service.sync()
    time.forward(days=1)

    result = service.sync()["results"][0]

    assert (result["updated_count"], result["snapshot_count"]) == (0, 1)
    assert service.history(ANN) == [("2026-03-02", 100), ("2026-03-03", 100)]
    assert service.history(BEN) == []


def test_a_run_across_midnight_belongs_to_the_day_it_began(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    time.now = datetime(2026, 3, 2, 23, 59, 58, tzinfo=UTC)
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    sheet.on_read = lambda tab: time.forward(seconds=2)

    service.sync()

    assert [service.history(ANN), service.history(BEN)] == [[("2026-03-02", 1)], [("2026-03-02", 2)]]
    assert service.rows("SELECT DISTINCT snapshot_time FROM account_snapshots") != []
    service.sync()
    assert service.history(ANN)[-1] == ("2026-03-03", 1)


def test_the_guides_snapshot_query_works_as_it_is_printed(
    sqlite_service: Service,
) -> None:
    service = sqlite_service
    for day in range(3):
        service.sheet.rows("Project A", [ANN, 100 + day, None, None, None, 1000 + day])
        service.sync()
        service.time.forward(days=1)

    with service.db.read() as tx:
        rows = tx.exec_driver_sql(
            "SELECT DATE(snapshot_time) AS date, followers, views FROM account_snapshots WHERE account_id = ?"
            " ORDER BY snapshot_time DESC LIMIT 30",
            (service.account(ANN)["id"],),
        ).all()

    assert [tuple(row) for row in rows] == [
        ("2026-03-04", 102, 1002),
        ("2026-03-03", 101, 1001),
        ("2026-03-02", 100, 1000),
    ]


# Readings


def test_readings_are_merged_although_the_tab_is_unchanged(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 100], [BEN, 5])
    service.sync()

    service.reading(ANN, followers=120, views=7)
    result = service.sync()["results"][0]

    assert (service.followers(ANN), service.account(ANN)["views"]) == (120, 7)
    assert result["updated_count"] == 1


def test_a_metric_that_a_reading_does_not_name_keeps_its_last_one(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN])
    service.sync()
    service.reading(ANN, followers=120, views=7)
    service.sync()

    service.reading(ANN, followers=130)
    service.sync()

    assert (service.followers(ANN), service.account(ANN)["views"]) == (130, 7)


def test_what_another_program_writes_as_parsed_is_merged(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 100])
    service.sync()

    service.write(
        "INSERT INTO observations (account_id, source, followers, observed_at) VALUES (:id, 'parsed', 300, :at)",
        id=service.account(ANN)["id"],
        at="2026-03-02 10:00:00.000000+00:00" if service.db.dialect == "postgresql" else "2026-03-02 10:00:00",
    )
    service.sync()
    assert service.followers(ANN) == 300

    service.write("DELETE FROM observations WHERE source = 'parsed'")
    service.sync()
    assert service.followers(ANN) == 100


def test_a_reading_that_falls_is_followed_when_the_sheet_says_nothing(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN])
    service.sync()
    service.reading(ANN, followers=500)
    service.sync()

    service.reading(ANN, followers=450)
    service.sync()

    assert service.followers(ANN) == 450


# Failures do not make numbers


@pytest.mark.parametrize(
    "error",
    [TransientSourceError("no answer", code="upstream_error"), SourceError("forbidden", code="forbidden")],
    ids=["for now", "for good"],
)
def test_an_outage_changes_no_number_and_makes_no_snapshot(
    service: Service, sheet: FakeSheet, time: FakeClock, error: SourceError
) -> None:
    sheet.rows("Project A", [ANN, 1000], [BEN, 5])
    service.sync()
    service.reading(BEN, followers=9)
    service.sync()
    before = service.tables(without=TIMES)
    time.forward(days=1)

    sheet.offline(error)
    service.client.post("/api/admin/smart_sync", headers=ADMIN)

    assert service.tables(without=TIMES) == before


def test_an_outage_still_takes_the_readings_of_the_day(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1000], [BEN, 5])
    service.sync()
    time.forward(days=1)
    sheet.offline(TransientSourceError("no answer", code="upstream_error"))

    service.reading(ANN, followers=1100)
    result = service.sync()["results"][0]

    assert (result["success"], result["degraded"], result["updated_count"], result["snapshot_count"]) == (
        True, True, 1, 1,
    )  # fmt: skip
    assert service.history(ANN)[-1] == ("2026-03-03", 1100)
    assert service.history(BEN) == [("2026-03-02", 5)]


def test_growth_of_long_ago_is_none_of_the_last_day(service: Service, time: FakeClock) -> None:
    """The program that reads an account stopped; syncs go on, and find nothing new."""
    service.post("/api/admin/projects", {"name": "By programs"})
    project = service.project("By programs")["id"]
    service.post(f"/api/admin/projects/{project}/accounts", {"profile_url": ANN})
    for views in (1_000, 1_500):
        service.reading(ANN, views=views)
        service.sync()
        time.forward(days=1)

    def known() -> tuple[str, int]:
        answer = service.get(f"/api/projects/{project}/analytics")
        return answer["as_of"][:10], answer["growth_24h"]["views"]

    assert known() == ("2026-03-03", 500)
    service.sync()
    assert known() == ("2026-03-04", 0)

    revision = service.one("SELECT revision FROM projects")
    time.forward(hours=1)
    service.sync()
    assert service.one("SELECT revision FROM projects") == revision
