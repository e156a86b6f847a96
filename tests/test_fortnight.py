"""Two weeks of a service over its real endpoint, and every message that left it, as a local server counted them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from tests.fakes.receiver import Receiver
from tests.fakes.service import Service
from tests.fakes.told import SECRET, Told
from webapp.errors import TransientSourceError
from webapp.store import thresholds

AWAY = TransientSourceError("the Sheets API answered 503", code="upstream_error")
Cells = list[list[str | int | float | bool | None]]
A: Cells = [[f"x.com/a{n}", 1000 + n] for n in range(12)]
B: Cells = [[f"x.com/b{n}", 500] for n in range(5)]


@pytest.fixture
def threaded() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


class Fortnight:
    """Hour by hour: what happens in the world, then the cron's call. program: reads every hour, until it does not."""

    def __init__(self, told: Told, phone: Receiver) -> None:
        self.told, self.service, self.sheet, self.phone = told, told.service, told.service.sheet, phone
        self.program = True
        self.sheet.rows("Project A", *A)
        self.sheet.rows("Project B", *B)
        told.sync()
        self.began = self.service.time.now

    @property
    def titles(self) -> list[str]:
        """What people were told so far."""
        return [one.json["title"] for one in self.phone.got]

    def pass_time(self, hours: int, *, every: int = 120) -> None:
        """every: minutes between two calls."""
        for _ in range(hours * 60 // every):
            self.service.time.forward(minutes=every)
            if self.program:
                days = (self.service.time.now - self.began) // timedelta(days=1)
                self.service.reading("x.com/a1", followers=1000 + days, origin="my-reader")
            self.told.sync(due="true")
            self.told.send()

    # What happens

    def nothing(self) -> None:
        self.pass_time(48)

    def the_sheet_is_away_now_and_then(self) -> None:
        for _ in range(12):
            self.sheet.offline(AWAY)
            self.pass_time(1, every=60)
            self.sheet.online()
            self.pass_time(1, every=60)

    def the_sheet_is_away_for_a_weekend(self) -> None:
        self.sheet.offline(AWAY)
        self.pass_time(60)
        self.sheet.online()
        self.pass_time(12)

    def somebody_slips_and_mends_it(self) -> None:
        self.sheet.put("Project A!B2", 100_000_000)
        self.pass_time(6)
        self.sheet.put("Project A!B2", 1200)
        self.pass_time(18)

    def a_number_dances_upon_its_line(self) -> None:
        with self.service.db.write() as tx:
            project, now = self.service.project("Project B")["id"], self.service.time.now
            thresholds.add(tx, project, None, "followers", "above", 2_600, now)
        for value in (610, 605, 610, 600, 605, 612):
            self.sheet.put("Project B!B2", value)
            self.pass_time(2)
        self.sheet.put("Project B!B2", 520)
        self.pass_time(12)

    def a_program_is_silent_for_three_days(self) -> None:
        self.program = False
        self.pass_time(72)
        self.program = True
        self.pass_time(24)

    def a_tab_is_emptied_and_restored_the_next_day(self) -> None:
        self.sheet.rows("Project B")
        self.pass_time(20)
        self.sheet.rows("Project B", *B)
        self.pass_time(12)

    def nobody_calls_for_half_a_day(self) -> None:
        self.service.time.forward(hours=12)
        self.pass_time(12)


STORY = (
    (Fortnight.nothing, None),
    (Fortnight.the_sheet_is_away_now_and_then, None),
    (Fortnight.the_sheet_is_away_for_a_weekend, "The sheet: a spreadsheet cannot be read"),
    (Fortnight.somebody_slips_and_mends_it, "Project A: values wait for a person"),
    (Fortnight.a_number_dances_upon_its_line, "Project B: a limit is crossed"),
    (Fortnight.a_program_is_silent_for_three_days, "my-reader: a program that reads is silent"),
    (Fortnight.a_tab_is_emptied_and_restored_the_next_day, "Project B: a tab lost too much at once"),
)


@pytest.mark.long
def test_a_fortnight_has_exactly_the_messages_that_the_rules_promise(
    sqlite_service: Service, threaded: HTTPServer
) -> None:
    phone, hook = Receiver(threaded, "/phone"), Receiver(threaded)
    address = phone.url.replace("http://", "json://")
    told = Told(sqlite_service, notify=(address,), webhook_urls=(hook.url,), webhook_secrets=(SECRET,))
    world = Fortnight(told, phone)

    for happens, title in STORY:
        before = len(phone.got)
        happens(world)
        assert world.titles[before:] == ([] if title is None else [title, f"Over: {title}"]), happens.__name__
    world.nobody_calls_for_half_a_day()

    assert world.titles[10:] == ["Smart Sync: nobody called"]
    assert sqlite_service.time.now - world.began > timedelta(days=14)
    # Programs heard of the same, and everybody of each thing once.
    alerts = [(one.event, one.json["data"]["title"]) for one in hook.got if one.event.startswith("alert.")]
    assert [event for event, _ in alerts] == ["alert.opened", "alert.closed"] * 5 + ["alert.closed"]
    assert len({one.id for one in hook.got}) == len(hook.got)
    assert told.waiting == {}
