from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.service import ADMIN, Service
from tests.read.world import World

ANN = "https://x.com/ann"


@pytest.fixture
def ann(service: Service) -> list[Any]:
    """An account that the Sheet and a platform know; its row."""
    row = [ANN, None, None, None, None, 1_000, None]
    service.sheet.rows("Project A", row)
    service.sync()
    service.reading(ANN, views=950, origin="x")
    service.sync()
    return row


def explained(service: Service, world: World) -> Any:
    return world.json(f"/api/accounts/{service.account(ANN)['id']}/explain")


def test_every_observation_has_its_value_cell_and_time(service: Service, world: World, ann: list[Any]) -> None:
    views = explained(service, world)["views"]

    assert (views["value"], views["winner"], views["next_value"]) == (1_000, "sheet", 1_000)
    sheet, parsed = sorted(views["observations"], key=lambda one: one["source"], reverse=True)
    assert (sheet["value"], sheet["cells"], sheet["origin"]) == (1_000, ["Project A!F2"], "Project A!2")
    assert (parsed["value"], parsed["believed"], parsed["origin"], parsed["cells"]) == (950, 950, "x", [])
    assert sheet["observed_at"][:13] == parsed["observed_at"][:13] == "2026-03-02T10"


def test_rows_of_the_same_account_are_all_named(service: Service, world: World) -> None:
    service.sheet.rows("It's! me", [ANN, None, None, None, None, 7], ["x.com/bob"], [ANN, None, None, None, None, 9])
    service.sync()

    (sheet,) = explained(service, world)["views"]["observations"]

    assert (sheet["value"], sheet["cells"]) == (9, ["It's! me!F2", "It's! me!F4"])


def test_a_day_of_a_log_that_another_fills_is_named_with_it(service: Service, world: World) -> None:
    header = ["Date", "Link", "Followers", "Views"]
    service.sheet.rows("Log", ["2026-03-01", ANN, 7, 70], ["2026-03-02", ANN, None, 80], header=header)
    service.sync()

    (sheet,) = explained(service, world)["followers"]["observations"]

    assert (sheet["value"], sheet["cells"]) == (7, ["Log!C3", "Log!C2"])


def test_a_manual_value_that_wins_says_for_how_long(service: Service, world: World, ann: list[Any]) -> None:
    service.time.forward(days=12, hours=5)

    views = explained(service, world)["views"]

    assert (views["manual"], views["manual_days"], views["manual_since"][:10]) == (True, 12, "2026-03-02")


def test_a_later_edit_of_another_cell_does_not_make_a_manual_value_younger(
    service: Service, world: World, ann: list[Any]
) -> None:
    service.time.forward(days=3)
    ann[5] = 1_100
    service.sheet.rows("Project A", ann)
    service.sync()
    service.time.forward(days=4)
    ann[1] = 60
    service.sheet.rows("Project A", ann)
    service.sync()

    body = explained(service, world)

    assert (body["views"]["manual_days"], body["views"]["manual_since"][:10]) == (4, "2026-03-05")
    assert (body["followers"]["manual"], body["followers"]["manual_since"]) == (False, None)


def test_a_reading_that_wins_is_no_manual_value(service: Service, world: World, ann: list[Any]) -> None:
    service.reading(ANN, views=1_050, origin="x")
    service.sync()

    views = explained(service, world)["views"]

    assert (views["value"], views["winner"], views["manual"]) == (1_050, "parsed", False)


def test_what_nobody_observed_has_no_winner(service: Service, world: World, ann: list[Any]) -> None:
    likes = explained(service, world)["likes"]

    assert (likes["value"], likes["winner"], likes["next_value"]) == (None, None, None)


def test_an_account_counted_by_hand_follows_the_sheet(service: Service, world: World, ann: list[Any]) -> None:
    ann[5:] = [10, "OLD"]
    service.sheet.rows("Project A", ann)
    service.sync()

    body = explained(service, world)

    assert (body["mode"], body["policy"], body["views"]["value"], body["views"]["winner"]) == (
        "manual",
        "sheet",
        10,
        "sheet",
    )


def test_a_pin_wins_and_shows_before_the_next_sync_what_it_will_do(
    service: Service, world: World, ann: list[Any]
) -> None:
    path = f"/api/admin/accounts/{service.account(ANN)['id']}/pins/views"
    body = {"value": 5, "note": "agreed", "until": "2026-03-03T00:00:00Z"}
    assert service.client.put(path, json=body, headers=ADMIN).status_code == 200

    before = explained(service, world)["views"]
    service.sync()
    after = explained(service, world)["views"]
    service.time.forward(days=2)
    later = explained(service, world)["views"]

    assert (before["value"], before["winner"], before["next_value"]) == (1_000, "pin", 5)
    assert (after["value"], after["pin"]["value"], after["pin"]["note"], after["manual"]) == (5, 5, "agreed", True)
    assert (later["value"], later["next_value"], later["pin"]["in_force"]) == (5, 1_000, False)


def test_a_held_reading_is_listed_and_not_believed(service: Service, world: World, ann: list[Any]) -> None:
    service.time.forward(days=4)
    service.reading(ANN, views=10_000_000, origin="x")
    service.sync()

    views = explained(service, world)["views"]

    parsed = next(one for one in views["observations"] if one["source"] == "parsed")
    assert (parsed["value"], parsed["believed"], views["value"]) == (10_000_000, 950, 1_000)
    assert [(one["value"], one["last_good"], one["state"]) for one in views["held"]] == [(10_000_000, 950, "held")]
    assert views["held"][0]["held_at"][:10] == "2026-03-06"


def test_a_new_reading_shows_before_the_next_sync_what_it_will_do(
    service: Service, world: World, ann: list[Any]
) -> None:
    foretold = []
    for hours, reading in ((0, 10_000_000), (96, 1_100), (1, 9_000_000), (7, 9_000_100), (7, 9_000_200), (1, 5)):
        service.time.forward(hours=hours)
        service.reading(ANN, views=reading, origin="x")
        before = explained(service, world)["views"]
        service.sync()
        after = explained(service, world)["views"]
        assert before["next_value"] == after["value"] == after["next_value"], reading
        foretold.append(after["value"])

    assert foretold == [10_000_000, 10_000_000, 9_000_000, 9_000_100, 9_000_200, 9_000_200]


@pytest.mark.parametrize(("decision", "value"), [("accept", 10_000_000), ("reject", 1_000)])
def test_what_was_decided_on_a_held_reading_shows_before_the_next_sync(
    service: Service, world: World, ann: list[Any], decision: str, value: int
) -> None:
    service.time.forward(days=4)
    service.reading(ANN, views=10_000_000, origin="x")
    service.sync()
    (held,) = explained(service, world)["views"]["held"]
    assert service.client.post(f"/api/admin/held/{held['id']}/{decision}", headers=ADMIN).status_code == 200

    before = explained(service, world)["views"]
    service.sync()

    assert (before["value"], before["next_value"]) == (1_000, value)
    assert explained(service, world)["views"]["value"] == value


def test_an_explanation_takes_a_constant_number_of_statements_and_changes_nothing(
    service: Service, world: World, ann: list[Any]
) -> None:
    before = service.tables()

    with world.counted() as statements:
        explained(service, world)

    assert (
        len([text for text in statements if "FROM accounts" in text or "observations" in text or "pins" in text]) <= 7
    )
    assert service.tables() == before
