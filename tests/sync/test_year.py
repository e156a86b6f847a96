"""A year of sixty accounts with everything that people do to a sheet: history is the truth wherever it was observed."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import date, timedelta
from typing import Any

import pytest

from tests.dashboard.conftest import OURS
from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, TOKEN, Service
from tests.fakes.sheet import FakeSheet

PEOPLE, DAYS, SETTLED = 60, 365, 5  # days before an account may slip, or its status change
SIDES = ("growth", "joined", "left")


class Person:
    """One row, as it ought to be; `typed` is what it says. expected: {day: the snapshot's views}."""

    def __init__(self, name: str, dice: random.Random, day: int) -> None:
        self.name, self.dice = name, dice
        self.views = dice.randrange(2_000, 3_000_000)
        self.since = day
        self.there, self.off = True, False
        self.slip: int | None = None
        self.expected: dict[date, int | None] = {}

    @property
    def typed(self) -> int:
        return self.views if self.slip is None else self.slip

    def live(self) -> None:
        """A day goes by; now and then somebody loses a few."""
        self.views += self.dice.randrange(-self.views // 200, self.views // 20)
        self.views = max(self.views, 2_000)

    def row(self) -> list[Any]:
        return [f"x.com/{self.name}", None, None, None, None, self.typed, "BAN" if self.off else None]


class Year:
    """The sheet and what history has to say of it."""

    def __init__(self, service: Service, sheet: FakeSheet, time: FakeClock, seed: int) -> None:
        self.service, self.sheet, self.time = service, sheet, time
        self.dice = random.Random(seed)
        self.people = [Person(f"p{n}", self.dice, 0) for n in range(PEOPLE // 2)]

    def live(self) -> None:
        for number in range(DAYS):
            for person in self.people:
                person.live()
            self.change(number)
            if self.dice.random() < 0.9:  # else nobody calls that day
                for _ in range(self.dice.choice([1, 1, 2])):
                    self.sync()
                    self.slip(number)
            self.time.now = self.time.now.replace(hour=8, minute=0) + timedelta(days=1)

    def change(self, number: int) -> None:
        """Rows come, go and return; accounts are switched off and on; slips of yesterday are corrected."""
        for person in self.people:
            person.slip = None
            if number - person.since > SETTLED and self.dice.random() < 0.01:
                person.there, person.since = not person.there, number  # who is back is not known well
            if number - person.since > SETTLED and self.dice.random() < 0.01:
                person.off, person.since = not person.off, number
        if len(self.people) < PEOPLE and self.dice.random() < 0.2:
            self.people.append(Person(f"p{len(self.people)}", self.dice, number))
        for person in self.people:
            self.mistype(person, number, 0.02)

    def slip(self, number: int) -> None:
        """Between the syncs of a day: corrections, and new slips."""
        for person in self.people:
            person.slip = None
            self.mistype(person, number, 0.02)

    def mistype(self, person: Person, number: int, chance: float) -> None:
        if number - person.since > SETTLED and person.there and not person.off and self.dice.random() < chance:
            person.slip = self.dice.choice([0, person.views // 100, person.views * 100, person.views * 10 + 7])

    def sync(self) -> None:
        self.sheet.rows("Project A", *(person.row() for person in self.people if person.there))
        self.service.sync()
        today = self.time.now.date()
        for person in self.people:
            if person.there and not person.off and person.slip is None:
                person.expected.setdefault(today, person.views)
        self.time.forward(hours=2)

    def snapshots(self) -> dict[str, dict[date, int]]:
        sql = (
            "SELECT username, day, s.views FROM account_snapshots s JOIN accounts ON id = account_id WHERE s.views > -1"
        )
        found: dict[str, dict[date, int]] = {person.name: {} for person in self.people}
        for row in self.service.rows(sql):
            found[row["username"]][date.fromisoformat(str(row["day"]))] = row["views"]
        return found


def adds_up(before: int | None, part: Any, after: int | None) -> None:
    moved = sum(part[side]["views"] or 0 for side in SIDES)
    assert (after or 0) == (before or 0) + moved


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_history_is_the_truth_and_everything_adds_up(
    service: Service, sheet: FakeSheet, time: FakeClock, seed: int
) -> None:
    year = Year(service, sheet, time, seed)
    year.live()

    found = year.snapshots()
    for person in year.people:
        assert found[person.name] == person.expected, person.name

    project = service.project()["id"]
    asked = {"start_date": "2026-03-01", "end_date": "2027-03-05"}
    body = service.get(f"/api/projects/{project}/analytics", **asked)
    days = body["history"]
    for before, after in zip([None, *days], days, strict=False):
        adds_up(before["views"] if before else None, after, after["views"])
        assert after["delta"] == sum(after[side]["views"] or 0 for side in SIDES)
    adds_up(days[-1]["views"], body["now"], body["now"]["views"])
    assert body["now"]["views"] == body["total_views"]
    adds_up(
        days[0]["views"],
        {side: body["growth"] if side == "growth" else body["growth"][side] for side in SIDES},
        days[-1]["views"],
    )
    for groups in ("platform_stats", "topic_stats", "users_stats"):
        assert sum(group["views"] or 0 for group in body[groups].values()) == body["total_views"]

    table = service.client.get(f"/api/projects/{project}/analytics.csv", query_string=asked, headers=ADMIN)
    lines = list(csv.DictReader(io.StringIO(table.data.decode("utf-8-sig"))))
    assert [(line["date"], line["views"], line["delta"]) for line in lines] == [
        (day["date"], str(day["views"]), str(day["delta"])) for day in days
    ]
    total = service.get("/api/totals", start_date=days[0]["date"], end_date=days[-1]["date"])
    growth = total["growth"]
    adds_up(days[0]["views"], {side: growth if side == "growth" else growth[side] for side in SIDES}, days[-1]["views"])
    assert total["total"]["views"] == days[-1]["views"]

    browser = service.client
    browser.post("/sign-in", data={"token": TOKEN}, headers=OURS)
    page = browser.get(f"/projects/{project}?days=90").text
    shown = dict(re.findall(r'<th scope="row">(\d{4}-\d\d-\d\d)</th><td>([\d,]+)', page))
    mine = {day["date"]: day["views"] for day in days}
    assert len(shown) > 80
    assert {day: int(text.replace(",", "")) for day, text in shown.items()} == {day: mine[day] for day in shown}
