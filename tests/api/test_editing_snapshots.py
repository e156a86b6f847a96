from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.calls import account_id, call, code_of
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet

pytestmark = pytest.mark.shortcuts

NOTHING = dict.fromkeys(("followers", "likes", "comments", "videos", "views"))


def path(service: Service, day: str, url: str = "x.com/ann") -> str:
    return f"/api/admin/accounts/{account_id(service, url)}/snapshots/{day}"


@pytest.fixture(autouse=True)
def synced(service: Service, sheet: FakeSheet) -> None:
    """Ann, with two days of history: 2 and 3 March."""
    sheet.rows("Project A", ["x.com/ann", 1000, 10])
    service.sync()
    service.time.forward(days=1)
    service.sync()


def test_one_wrong_day_is_corrected(service: Service) -> None:
    answer = call(service, "PUT", path(service, "2026-03-02"), {"followers": 900, "views": 0})

    assert answer["before"] == NOTHING | {"followers": 1000, "likes": 10}
    assert answer["after"] == NOTHING | {"followers": 900, "likes": 10, "views": 0}
    assert service.history("x.com/ann") == [("2026-03-02", 900), ("2026-03-03", 1000)]


def test_a_count_that_was_never_seen_is_taken_away(service: Service) -> None:
    answer = call(service, "PUT", path(service, "2026-03-02"), {"likes": None})

    assert answer["after"] == NOTHING | {"followers": 1000}


def test_a_corrected_day_of_the_past_stays_corrected(service: Service) -> None:
    call(service, "PUT", path(service, "2026-03-02"), {"followers": 900})

    service.sync(force=True)

    assert service.history("x.com/ann")[0] == ("2026-03-02", 900)


def test_one_wrong_day_is_forgotten_and_stays_so(service: Service) -> None:
    answer = call(service, "DELETE", path(service, "2026-03-02"))
    service.sync(force=True)

    assert answer["before"] == NOTHING | {"followers": 1000, "likes": 10}
    assert answer["after"] is None
    assert service.history("x.com/ann") == [("2026-03-03", 1000)]


def test_todays_forgotten_snapshot_is_made_again_by_the_next_sync(service: Service) -> None:
    call(service, "DELETE", path(service, "2026-03-03"))
    gone = service.history("x.com/ann")

    (result,) = service.sync()["results"]

    assert gone == [("2026-03-02", 1000)]
    assert result["snapshot_count"] == 1
    assert service.history("x.com/ann") == [("2026-03-02", 1000), ("2026-03-03", 1000)]


def test_what_was_taken_away_of_today_is_there_again_with_the_next_sync(service: Service) -> None:
    call(service, "PUT", path(service, "2026-03-03"), {"likes": None})

    service.sync()

    assert call(service, "PUT", path(service, "2026-03-03"), {"views": 1})["before"] == NOTHING | {
        "followers": 1000,
        "likes": 10,
    }


@pytest.mark.parametrize(("method", "body"), [("PUT", {"followers": 900}), ("DELETE", None)])
def test_a_tried_correction_changes_nothing(service: Service, method: str, body: Any) -> None:
    before = service.tables()

    tried = call(service, method, path(service, "2026-03-02"), body, dry_run="true")
    untouched = service.tables()
    done = call(service, method, path(service, "2026-03-02"), body)

    assert untouched == before
    assert tried["dry_run"] is True
    assert tried | {"dry_run": False} == done


@pytest.mark.parametrize(("method", "body"), [("PUT", {"followers": 900, "note": "a typo"}), ("DELETE", None)])
def test_a_correction_counts_the_revision_up_and_leaves_what_stood_before(
    service: Service, method: str, body: Any
) -> None:
    before = service.project()["revision"]

    call(service, method, path(service, "2026-03-02"), body)

    (entry,) = service.get("/api/admin/audit", target=f"account:{account_id(service, 'x.com/ann')}")["audit"]
    assert service.project()["revision"] == before + 1
    assert entry["before"] == NOTHING | {"day": "2026-03-02", "followers": 1000, "likes": 10}
    assert entry["note"] == (body and body["note"])


def test_a_correction_to_what_is_so_already_leaves_no_trace(service: Service) -> None:
    before = service.tables()

    call(service, "PUT", path(service, "2026-03-02"), {"followers": 1000})

    assert service.tables() == before


def test_a_day_without_a_snapshot_is_not_found(service: Service) -> None:
    assert code_of(service, "PUT", path(service, "2026-02-28"), {"views": 1})[:2] == (404, "snapshot_not_found")
    assert code_of(service, "DELETE", path(service, "2026-02-28"))[:2] == (404, "snapshot_not_found")


def test_the_largest_count_fits(service: Service) -> None:
    answer = call(service, "PUT", path(service, "2026-03-02"), {"views": 2**63 - 1})

    assert answer["after"]["views"] == 2**63 - 1


def test_there_is_no_way_to_forget_many_at_once(service: Service) -> None:
    number = account_id(service, "x.com/ann")

    answer = service.client.delete(f"/api/admin/accounts/{number}/snapshots")

    assert answer.status_code in {401, 404, 405}
    assert len(service.history("x.com/ann")) == 2
