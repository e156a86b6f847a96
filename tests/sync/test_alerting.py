"""What somebody is told of syncs: kept with what it tells of, once at its beginning and once at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.alerts import Mail, Recipient
from webapp.errors import NotFound, SourceError, StoreError, TransientSourceError
from webapp.rules.alerts import Key, Mute
from webapp.rules.quiet import Quiet
from webapp.store import alerts, outbox, runs, thresholds

HOOK = Recipient("webhook:1", "webhook", "https://hook.example/…")
PHONE = Recipient("notify:1", "notify", "twilio://…")
ROWS: list[list[str | int | float | bool | None]] = [[f"x.com/a{n}", 1000 + n] for n in range(12)]
AWAY = TransientSourceError("the Sheets API answered 503", code="upstream_error")
REFUSED = SourceError("the sheet is not shared", code="not_shared")


class Watched:
    """A service, and what is kept of its alerts."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.sheet = service.sheet
        service.options(mail=Mail((PHONE,), "https://sync.example"))

    def sync(self, times: int = 1, *, every: float = 30, **how: Any) -> Any:
        """So many syncs, so many minutes apart."""
        for _ in range(times):
            answer = self.service.trigger(**how).json
            self.service.time.forward(minutes=every)
        return answer

    @property
    def open(self) -> list[str]:
        """Rules of the alerts that are open."""
        return [row["rule"] for row in self.service.rows("SELECT rule FROM alerts WHERE state = 'open' ORDER BY id")]

    @property
    def told(self) -> list[str]:
        """What was put into the outbox for people, by its event and title."""
        rows = self.service.rows("SELECT event, body FROM alert_deliveries WHERE recipient = 'notify:1' ORDER BY id")
        return [f"{row['event'].removeprefix('alert.')} {json.loads(row['body'])['title']}" for row in rows]

    def events(self) -> list[tuple[str, Any]]:
        """What programs are told."""
        rows = self.service.rows("SELECT body FROM alert_deliveries WHERE recipient = 'webhook:1' ORDER BY id")
        bodies = [json.loads(row["body"]) for row in rows]
        return [(body["type"], body["data"]) for body in bodies]


@pytest.fixture
def watched(service: Service) -> Watched:
    service.sheet.rows("Project A", *ROWS)
    found = Watched(service)
    found.sync()
    return found


def counts(tx: sa.Connection) -> dict[str, int]:
    """{recipient: messages that wait}."""
    return {name: one.waiting for name, one in outbox.standing(tx).items()}


@contextmanager
def statements() -> Iterator[list[str]]:
    said: list[str] = []

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)


# One beginning and one end


def test_a_sync_that_changes_nothing_pays_one_statement_and_writes_nothing(watched: Watched) -> None:
    with statements() as said:
        watched.sync()

    about = [one for one in said if "alert" in one and not one.startswith("DELETE")]
    assert len(about) == 1
    assert about[0].startswith("SELECT")


def test_an_outage_is_told_after_an_hour_and_its_end_after_a_calm_while(watched: Watched) -> None:
    watched.sheet.offline(AWAY)
    watched.sync(2)
    assert (watched.open, watched.told) == ([], [])

    watched.sync(100)
    assert watched.open == ["spreadsheet"]
    watched.sheet.online()
    watched.sync()
    assert watched.open == ["spreadsheet"]
    watched.sync()

    assert watched.open == []
    assert watched.told == [
        "opened The sheet: a spreadsheet cannot be read",
        "closed Over: The sheet: a spreadsheet cannot be read",
    ]


def test_what_is_not_due_yet_when_a_spreadsheet_is_back_is_not_told_as_old(service: Service) -> None:
    service.sheet.rows("Project A", *ROWS)
    service.sheet.rows("Project B", ["x.com/b", 5])
    watched = Watched(service)
    watched.sync()
    watched.sheet.offline(REFUSED)
    watched.sync(48, every=30, due=True)
    watched.sheet.online()

    watched.sync(project_id=service.project("Project B")["id"], every=1)
    watched.sync(4, due=True)

    assert watched.told == [
        "opened The sheet: a spreadsheet cannot be read",
        "closed Over: The sheet: a spreadsheet cannot be read",
    ]


def test_a_clock_that_was_ahead_for_a_while_keeps_no_alert_open(watched: Watched) -> None:
    watched.sheet.rows("Project A")
    watched.sync()
    watched.sheet.rows("Project A", *ROWS)
    watched.service.time.forward(days=5)
    watched.sync()
    watched.service.time.forward(days=-5)

    watched.sync(3)

    assert watched.open == []
    assert [one.split()[0] for one in watched.told] == ["opened", "closed"]


def test_two_spreadsheets_of_one_title_are_two_alerts(database_url: str) -> None:
    first, second = FakeSheet(), FakeSheet(key="the-other-sheet")
    service = Service(database_url, sheets=[first, second])
    watched = Watched(service)
    first.rows("Project A", ["x.com/ann", 1000])
    second.rows("Project B", ["x.com/bob", 500])
    watched.sync()
    for sheet in (first, second):
        sheet.offline(REFUSED)

    watched.sync(4)
    told = watched.told
    service.close()

    assert told == [
        "opened The sheet the-other-sheet: a spreadsheet cannot be read",
        "opened The sheet the-sheet: a spreadsheet cannot be read",
    ]


def test_a_source_that_flaps_is_told_of_once(watched: Watched) -> None:
    watched.sheet.offline(REFUSED)
    watched.sync(3, every=1)
    for _ in range(20):
        watched.sheet.online()
        watched.sync(every=5)
        watched.sheet.offline(REFUSED)
        watched.sync(3, every=5)

    assert [one.split()[0] for one in watched.told] == ["opened"]


def test_a_short_outage_is_nobodys_business(watched: Watched) -> None:
    for _ in range(10):
        watched.sheet.offline(AWAY)
        watched.sync(every=20)
        watched.sheet.online()
        watched.sync(every=20)

    assert watched.told == []


def test_a_tab_that_fails_alone_is_told_by_its_project_and_says_what_it_cost(watched: Watched) -> None:
    watched.sheet.rows("Project A", ["x", "y"], header=["what", "ever"])
    watched.sync(5, every=5)

    assert watched.open == ["failing"]
    watched.sheet.rows("Project A", *ROWS)
    watched.sync(3)

    assert [one.split()[0] for one in watched.told] == ["opened", "closed"]
    body = watched.service.one("SELECT body FROM alert_deliveries WHERE event = 'alert.closed'")
    assert "5 syncs did not succeed" in json.loads(body)["text"]


def test_each_alert_has_a_line_in_the_log_at_its_beginning_and_its_end(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.sheet.rows("Project A")
    with caplog.at_level("INFO", logger="smart_sync"):
        watched.sync()
        watched.sync(3, force=True)

    found = [(one.levelname, one.getMessage(), one.rule) for one in caplog.records if "alert" in one.getMessage()]  # type: ignore[attr-defined]
    (began, ended) = found
    assert began[0] == "WARNING"
    assert began[1].startswith("[SmartSync] an alert began: Project A: a tab lost too much at once: Project A: 12 of")
    assert ended[:2] == ("INFO", began[1].replace("an alert began", "an alert is over"))
    assert {began[2], ended[2]} == {"guard"}


def test_a_guard_is_told_at_once_with_the_page_to_look_at(watched: Watched) -> None:
    watched.sheet.rows("Project A")
    watched.sync()

    assert watched.open == ["guard"]
    words = json.loads(watched.service.one("SELECT body FROM alert_deliveries"))
    assert f"https://sync.example/projects/{watched.service.project()['id']}" in words["text"]
    watched.sync(10)
    watched.sync(force=True)
    watched.sync(2)
    assert watched.open == []
    assert [one.split()[0] for one in watched.told] == ["opened", "closed"]


def test_a_tab_that_has_gone_is_told_at_once(watched: Watched) -> None:
    watched.sheet.rows("Project B", ["x.com/b", 5])
    watched.sync()
    watched.sheet.delete("Project A")

    watched.sync()

    assert watched.open == ["gone"]


def test_a_project_that_is_removed_has_nothing_wrong(watched: Watched) -> None:
    watched.sheet.rows("Project B", ["x.com/b", 5])
    watched.sheet.rows("Project A")
    watched.sync()
    watched.service.write("UPDATE projects SET removed_at = '2026-03-02 10:00:00' WHERE name = 'Project A'")

    watched.sync(3)

    assert watched.open == []


def test_values_that_wait_are_told_once_however_many(watched: Watched) -> None:
    watched.sync(4, every=24 * 60)
    watched.sheet.put("Project A!B2", 10_000_000)
    watched.sync()
    watched.sheet.put("Project A!B3", 10_000_000)
    watched.sync(3)

    assert watched.open == ["waiting"]
    watched.sheet.put("Project A!B2", 1001)
    watched.sheet.put("Project A!B3", 1002)
    watched.sync(3)

    assert watched.open == []
    assert [one.split()[0] for one in watched.told] == ["opened", "closed"]


def test_a_held_reading_waits_for_a_person(watched: Watched) -> None:
    for _ in range(4):
        watched.service.reading("x.com/a1", followers=1000)
        watched.sync(every=24 * 60)
    watched.service.reading("x.com/a1", followers=9_000_000)

    watched.sync()

    assert watched.open == ["waiting"]


# Numbers that somebody watches


def watch(service: Service, kind: Any, value: int, account: str | None = None) -> None:
    account_id = service.account(account)["id"] if account else None
    with service.db.write() as tx:
        thresholds.add(tx, service.project()["id"], account_id, "followers", kind, value, service.time.now)


def test_a_total_that_crosses_its_line_is_told_once_until_it_is_well_back(watched: Watched) -> None:
    watch(watched.service, "above", 12_100)
    watched.sync()
    assert watched.open == []

    for value in (1200, 1150, 1200, 1150):
        watched.sheet.put("Project A!B2", value)
        watched.sync()
    assert watched.open == ["threshold"]
    watched.sheet.put("Project A!B2", 700)
    watched.sync(2)

    assert watched.open == []
    assert [one.split()[0] for one in watched.told] == ["opened", "closed"]


def test_a_line_that_is_crossed_already_is_told_by_the_next_sync(watched: Watched) -> None:
    watch(watched.service, "below", 1001, "x.com/a1")

    watched.sync()

    assert watched.open == ["threshold"]
    assert "a1: followers fell to 1,001" in watched.service.one("SELECT what FROM alerts")


def test_an_account_that_has_gone_crosses_no_line(watched: Watched) -> None:
    watch(watched.service, "below", 5, "x.com/a1")
    watched.service.write("UPDATE accounts SET mode = 'off' WHERE url_key LIKE '%a1'")

    watched.sync()

    assert watched.open == []


def test_a_project_without_numbers_crosses_no_line(watched: Watched) -> None:
    watch(watched.service, "below", 5)
    watched.service.write("UPDATE accounts SET followers = NULL")
    watched.service.write("UPDATE accounts SET mode = 'off'")

    watched.sync()

    assert watched.open == []


def test_a_target_is_told_when_it_is_reached(watched: Watched) -> None:
    watched.service.write("UPDATE projects SET target_views = 1000")
    watched.sync()
    watched.sheet.put("Project A!F2", 1000)

    watched.sync(3)

    assert watched.open == ["target"]


def test_the_next_target_is_told_too_however_soon_it_is_reached(watched: Watched) -> None:
    watched.service.write("UPDATE projects SET target_views = 1000")
    watched.sheet.put("Project A!F2", 1500)
    watched.sync()
    watched.service.write("UPDATE projects SET target_views = 2000")
    watched.sync(3)
    watched.sheet.put("Project A!F2", 2500)

    watched.sync(3)

    assert watched.told == ["opened Project A: the target is reached"] * 2


def test_a_total_that_falls_in_a_day_is_told_within_the_hour(watched: Watched) -> None:
    watched.sync(3, every=24 * 60)
    for row in range(2, 12):
        watched.sheet.put(f"Project A!B{row}", 600)
    watched.sync(4)

    assert watched.open == ["moved"]
    assert "followers fell by 3" in watched.service.one("SELECT what FROM alerts")


def test_how_much_is_too_much_can_be_said_of_a_project(watched: Watched) -> None:
    watch(watched.service, "fallen", 60)
    watched.sync(3, every=24 * 60)
    for row in range(2, 12):
        watched.sheet.put(f"Project A!B{row}", 600)
    watched.sync(4)

    assert watched.open == []


def test_there_is_nothing_to_look_at_without_projects(service: Service) -> None:
    watched = Watched(service)
    watched.sync(3, every=61)

    assert watched.open == []


# Programs and platforms


def test_a_program_that_falls_silent_is_told_and_its_return(watched: Watched) -> None:
    watched.service.reading("x.com/a1", followers=1000, origin="my-reader")
    watched.sync(3 * 24, every=60)
    assert watched.told == ["opened my-reader: a program that reads is silent"]

    for _ in range(5):
        watched.service.reading("x.com/a1", followers=1000, origin="my-reader")
        watched.sync(every=60)

    assert watched.told[1:] == ["closed Over: my-reader: a program that reads is silent"]


def test_a_platform_that_cannot_be_read_and_one_whose_units_run_out(watched: Watched) -> None:
    watched.service.write(
        "INSERT INTO platform_states (name, state, since, message) VALUES ('twitch', 'failed', '2020-01-01', 'no key')"
    )
    watched.service.write("INSERT INTO platform_states (name, quota_used, quota_limit) VALUES ('youtube', 9500, 10000)")

    watched.sync()

    assert watched.told == ["opened twitch: a platform cannot be read", "opened youtube: units run out"]


# Nobody calls


def test_a_pause_of_the_cron_is_told_once_when_it_is_over(watched: Watched) -> None:
    watched.sync(2, due=True)
    watched.service.time.forward(hours=60)

    watched.sync(5, every=1, due=True)

    assert watched.told == ["closed Smart Sync: nobody called"]
    (row,) = watched.service.rows("SELECT state, what FROM alerts")
    assert row["state"] == "closed"
    assert "121 turns were missed" in row["what"]


def test_a_cron_that_calls_less_often_than_projects_want_is_no_pause(watched: Watched) -> None:
    watched.sync(48, every=120, due=True)

    assert watched.told == []


def test_a_pause_is_not_told_where_it_is_muted(watched: Watched) -> None:
    with watched.service.db.write() as tx:
        alerts.mute(tx, Mute("silence"), watched.service.time.now)
    watched.sync(2, due=True)
    watched.service.time.forward(hours=60)

    watched.sync(due=True)

    assert watched.told == []
    assert watched.service.one("SELECT announced FROM alerts") in (0, False)


def test_a_project_that_nobody_syncs_is_told_by_a_run_of_another(watched: Watched) -> None:
    watched.sheet.rows("Project B", ["x.com/b", 5])
    watched.sync()
    other = watched.service.project("Project B")["id"]

    watched.sync(4, project_id=other)
    assert watched.told == ["opened Project A: the numbers are old"]
    watched.sync(3)

    assert watched.told[1:] == ["closed Over: Project A: the numbers are old"]


def test_a_tick_that_joins_a_run_that_hangs_finds_what_is_overdue(watched: Watched) -> None:
    started: list[Any] = []

    def meanwhile(_: Any) -> None:
        if not started:
            started.append(1)
            watched.service.time.forward(hours=5)
            started.append(watched.service.sync(status=202, due=True))

    watched.sheet.on_read = meanwhile
    watched.service.time.forward(minutes=5)

    watched.sync(due=True)

    assert started[1]["coalesced"]
    assert "opened Project A: the numbers are old" in watched.told


def test_a_tick_that_joins_a_run_tells_nothing_that_comes_of_its_spreadsheet(watched: Watched) -> None:
    started: list[Any] = []

    def meanwhile(_: Any) -> None:
        if not started:
            watched.service.time.forward(hours=5)
            watched.service.write("UPDATE spreadsheets SET state = 'failed'")
            started.append(watched.service.sync(status=202, due=True))

    watched.sheet.on_read = meanwhile
    watched.service.time.forward(minutes=5)

    watched.sync(due=True)

    assert started[0]["coalesced"]
    assert watched.told == ["opened The sheet: a spreadsheet cannot be read"]


def test_a_tick_with_nothing_to_do_ends_what_is_over(watched: Watched) -> None:
    watched.sheet.rows("Project A")
    watched.sync(every=1)
    watched.sync(force=True, every=1)
    watched.service.write("UPDATE projects SET interval_minutes = 5, next_sync_at = '2100-01-01 00:00:00.000000'")

    watched.service.options(interval_minutes=60)

    watched.service.time.forward(minutes=20)
    watched.sync(every=11, due=True)
    assert watched.open == ["guard"]
    watched.sync(due=True)

    assert watched.open == []
    assert [one.split()[0] for one in watched.told] == ["opened", "closed"]


# Mutes, quiet hours, acknowledging


def test_what_is_muted_is_kept_and_told_once_somebody_listens_again(watched: Watched) -> None:
    project_id = watched.service.project()["id"]
    with watched.service.db.write() as tx:
        alerts.mute(tx, Mute("", project_id), watched.service.time.now)
    watched.sheet.rows("Project A")
    watched.sync()
    assert (watched.open, watched.told) == (["guard"], [])

    with watched.service.db.write() as tx:
        assert alerts.unmute(tx, "", project_id)
        assert not alerts.unmute(tx, "", project_id)
    watched.sync(2)

    assert watched.told == ["opened Project A: a tab lost too much at once"]


def test_the_end_of_what_nobody_heard_of_is_not_told(watched: Watched) -> None:
    with watched.service.db.write() as tx:
        alerts.mute(tx, Mute("guard"), watched.service.time.now)
    watched.sheet.rows("Project A")
    watched.sync()
    watched.sync(3, force=True)

    assert (watched.open, watched.told) == ([], [])


def test_what_begins_and_ends_at_night_wakes_nobody(watched: Watched) -> None:
    watched.service.options(mail=Mail((PHONE, HOOK), "", Quiet(time(0), time(23, 59))))
    watched.sheet.rows("Project A")
    watched.sync()
    watched.sync(3, force=True)

    states = watched.service.rows("SELECT event, state FROM alert_deliveries WHERE recipient = 'notify:1'")
    assert states == [{"event": "alert.opened", "state": "dropped"}]


def test_an_alert_that_was_acknowledged_is_told_of_only_at_its_end(watched: Watched) -> None:
    watched.sheet.rows("Project A")
    watched.sync()
    with watched.service.db.write() as tx:
        (alert,) = alerts.open_alerts(tx)
        assert alerts.acknowledge(tx, alert.id, "ann", watched.service.time.now)
        assert not alerts.acknowledge(tx, alert.id, "bob", watched.service.time.now)
        assert alerts.count_open(tx) == 0
    watched.sync(5)
    watched.sync(3, force=True)

    assert [one.split()[0] for one in watched.told] == ["opened", "closed"]


# Two at once


def test_two_runs_that_find_the_same_tell_it_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.sheet.rows("Project A")
    watched.sync()
    monkeypatch.setattr(alerts, "open_alerts", lambda _: [])  # as the other run saw it

    watched.sync()

    assert watched.open == ["guard"]
    assert len(watched.told) == 1


@pytest.mark.parametrize("lost", ["end", "announce"])
def test_what_another_run_has_told_is_not_told_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    with watched.service.db.write() as tx:
        alerts.mute(tx, Mute("guard", "", watched.service.time.now + timedelta(minutes=10)), watched.service.time.now)
    watched.sheet.rows("Project A")
    watched.sync()
    monkeypatch.setattr(alerts, lost, lambda *_: False)

    watched.sync(1, force=lost == "end")
    watched.sync(2)

    assert watched.told == []


# What programs are told besides


def test_programs_hear_of_runs_and_of_projects_that_changed(watched: Watched) -> None:
    watched.service.options(mail=Mail((HOOK,)))
    watched.sync()
    watched.sheet.put("Project A!B2", 1500)
    watched.sync(every=1)
    watched.sync(every=1, due=True)
    watched.sheet.offline(REFUSED)
    watched.sync()

    kinds = [kind for kind, _ in watched.events()]
    assert kinds == ["run.finished", "project.changed", "run.finished", "run.failed"]
    changed = watched.events()[1][1]
    assert (changed["project_name"], changed["updated_count"]) == ("Project A", 1)
    assert watched.events()[3][1]["error_code"] == "not_shared"


def test_programs_hear_of_a_run_that_broke_off(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.service.options(mail=Mail((HOOK,)))

    def break_off(*_: Any, **__: Any) -> None:
        raise StoreError("no space left", code="disk_full")

    monkeypatch.setattr(runs, "put_results", break_off)
    watched.sync()

    assert [kind for kind, _ in watched.events()] == ["run.failed"]


def test_nobody_hears_of_a_dry_run(watched: Watched) -> None:
    watched.service.options(mail=Mail((HOOK, PHONE)))
    watched.sheet.rows("Project A")
    watched.sync(dry_run=True)

    assert watched.service.rows("SELECT * FROM alert_deliveries") == []


def test_an_alert_tells_programs_what_it_tells_people(watched: Watched) -> None:
    watched.service.options(mail=Mail((HOOK, PHONE), "https://sync.example"))
    watched.sheet.rows("Project A")
    watched.sync()

    ((kind, data),) = [one for one in watched.events() if one[0] == "alert.opened"]
    assert (kind, data["rule"], data["state"], data["project_name"]) == ("alert.opened", "guard", "opened", "Project A")
    assert data["page_url"].startswith("https://sync.example/projects/")
    ids = {
        row["message_id"] for row in watched.service.rows("SELECT message_id FROM alert_deliveries WHERE alert_id > 0")
    }
    assert len(ids) == 1


# The outbox


@pytest.fixture
def box(watched: Watched) -> Watched:
    """With a message for two recipients."""
    watched.service.options(mail=Mail((HOOK, PHONE)))
    watched.sheet.rows("Project A")
    watched.sync()
    return watched


def claim(box: Watched, recipient: str = "notify:1", minutes: int = 5) -> outbox.Delivery | None:
    now = box.service.time.now
    with box.service.db.write() as tx:
        return outbox.claim(tx, recipient, now, now + timedelta(minutes=minutes))


def test_a_message_is_claimed_by_one_alone_until_its_time_is_over(box: Watched) -> None:
    first = claim(box)
    assert first is not None
    assert claim(box) is None
    box.service.time.forward(minutes=6)
    again = claim(box)

    assert again is not None
    assert (again.message_id, again.body, again.attempts) == (first.message_id, first.body, 2)


def test_an_end_never_overtakes_its_beginning(box: Watched) -> None:
    first = claim(box, minutes=500)
    assert first is not None
    box.sync(3, force=True)
    assert claim(box) is None  # the end waits while the beginning is under way
    with box.service.db.write() as tx:
        outbox.end(tx, first.id, "sent", box.service.time.now)

    second = claim(box)
    assert second is not None
    assert (first.event, second.event) == ("alert.opened", "alert.closed")


def test_a_message_that_did_not_get_there_is_put_off(box: Watched) -> None:
    first = claim(box)
    assert first is not None
    now = box.service.time.now
    with box.service.db.write() as tx:
        outbox.put_off(tx, first.id, now + timedelta(hours=1), "it answered 500")
        assert outbox.due(tx, now, ["notify:1", "webhook:1"]) == {"webhook:1"}
        assert counts(tx) == {"notify:1": 1, "webhook:1": 2}


def test_a_time_of_a_clock_that_was_ahead_is_not_waited_for(box: Watched) -> None:
    first = claim(box)
    assert first is not None
    now = box.service.time.now
    with box.service.db.write() as tx:
        outbox.put_off(tx, first.id, now + timedelta(days=30), "it answered 500")
        assert "notify:1" in outbox.due(tx, now, ["notify:1"])

    again = claim(box)
    assert again is not None
    assert again.id == first.id


def test_who_asked_to_be_left_alone_gets_nothing_more_until_taken_back(box: Watched) -> None:
    now = box.service.time.now
    with box.service.db.write() as tx:
        outbox.refuse(tx, "notify:1", "it answered 410", now)
        assert counts(tx) == {"webhook:1": 2}
        assert outbox.refusals(tx) == {"notify:1": "it answered 410"}
    box.sync(3, force=True)
    with box.service.db.write() as tx:
        assert "notify:1" not in counts(tx)
        assert outbox.take_back(tx, "notify:1")
        assert not outbox.take_back(tx, "notify:1")


def test_what_is_over_for_long_is_forgotten(box: Watched) -> None:
    box.sync(3, force=True)
    later = box.service.time.now + timedelta(days=400)
    with box.service.db.write() as tx:
        assert alerts.listed(tx, state="closed", rule="guard", limit=5)
        assert outbox.forget(tx, later, 100) > 0
        assert alerts.forget(tx, later, 100) == 1
        assert alerts.listed(tx, state=None, project_id=box.service.project()["id"], limit=5) == []


@pytest.mark.parametrize("number", [999, 2**70])
def test_an_alert_that_is_not_there(watched: Watched, number: int) -> None:
    with watched.service.db.read() as tx, pytest.raises(NotFound):
        alerts.by_id(tx, number)


def test_thresholds_are_kept_by_their_id(watched: Watched) -> None:
    watch(watched.service, "above", 5)
    with watched.service.db.write() as tx:
        (one,) = thresholds.listed(tx, watched.service.project()["id"])
        assert thresholds.by_id(tx, one.id) == one
        assert thresholds.by_id(tx, 2**70) is None
        assert thresholds.remove(tx, one.id)
        assert not thresholds.remove(tx, one.id)


def test_the_key_of_an_alert_tells_apart_what_is_not_the_same() -> None:
    keys = [Key("guard", "p"), Key("guard"), Key("quota", None, "youtube"), Key("moved", "p", "views")]

    assert len({alerts.key_text(key) for key in keys}) == len(keys)


def test_where_everybody_asked_to_be_left_alone_nothing_is_kept(watched: Watched) -> None:
    with watched.service.db.write() as tx:
        outbox.refuse(tx, "notify:1", "it answered 410", watched.service.time.now)
    watched.sheet.rows("Project A")
    watched.sync()

    assert watched.service.rows("SELECT * FROM alert_deliveries") == []
