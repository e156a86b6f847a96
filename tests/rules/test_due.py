"""When a project is due: slots, tolerance, daylight saving time, failures, wrong clocks. No database, no engine."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import Invalid
from webapp.rules.due import (
    TOLERANCE,
    Schedule,
    check_cron,
    check_interval,
    check_zone,
    cron_words,
    is_long_overdue,
    is_unusual,
    longest_pause,
    next_turn,
    overdue,
    pace_after,
    reschedule,
    schedule_of,
    simulate,
    slot_after,
)
from webapp.rules.freshness import freshness
from webapp.store.projects import Project

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)
DEFAULT = 30

moments = st.integers(0, 15 * 365 * 86_400_000).map(lambda ms: datetime(2020, 1, 1, tzinfo=UTC) + ms * MILLISECOND)
intervals = st.integers(1, 525_600)


def project(name: str = "Project A", **values: object) -> Project:
    blank = dict.fromkeys(Project.__dataclass_fields__)
    fixed = {"id": name, "name": name, "status": "active", "auto_sync": True, "min_interval_minutes": 0, "failures": 0}
    return Project(**{**blank, **fixed, **values})  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# Intervals


@given(intervals, moments, moments)
def test_the_next_slot_is_on_the_grid_and_the_first_that_is_not_served(
    minutes: int, anchor: datetime, now: datetime
) -> None:
    interval = timedelta(minutes=minutes)

    slot = slot_after(Schedule(minutes), anchor, now)

    assert (slot - anchor) % interval == timedelta()
    assert now + TOLERANCE < slot <= now + TOLERANCE + interval


@given(intervals, moments, moments, st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_later_sync_never_has_an_earlier_next_slot(
    minutes: int, anchor: datetime, now: datetime, later: timedelta
) -> None:
    schedule = Schedule(minutes)

    assert slot_after(schedule, anchor, now + later) >= slot_after(schedule, anchor, now)


@pytest.mark.parametrize(
    ("synced", "expected"),
    [
        ("10:00:00", "10:30:00"),
        ("10:29:29", "10:30:00"),
        ("10:29:30", "11:00:00"),
        ("10:29:58", "11:00:00"),
        ("10:37:00", "11:00:00"),
        ("10:59:31", "11:30:00"),
        ("15:10:00", "15:30:00"),
    ],
    ids=["on time", "by hand before", "just early enough", "early", "late", "so late it is the next", "hours late"],
)
def test_a_sync_serves_the_slots_up_to_its_time_and_half_a_minute(synced: str, expected: str) -> None:
    turn = next_turn(project(anchor_at=NOW), DEFAULT, NOW, at(f"2026-03-02T{synced}+00:00"), None)["next_sync_at"]

    assert turn == at(f"2026-03-02T{expected}+00:00")


def test_the_first_slot_is_the_minute_of_the_trigger_not_of_the_write() -> None:
    started, written = NOW + timedelta(seconds=50), NOW + timedelta(minutes=7)

    turn = next_turn(project(), DEFAULT, started, written, None)

    assert (turn["anchor_at"], turn["next_sync_at"]) == (NOW, NOW + 30 * MINUTE)


def test_a_row_from_before_there_were_anchors_goes_on_where_it_was() -> None:
    turn = next_turn(project(next_sync_at=NOW + 3 * MINUTE), DEFAULT, NOW, NOW + 5 * MINUTE, None)

    assert turn["next_sync_at"] == NOW + 33 * MINUTE


@given(intervals, moments, moments)
def test_no_clock_however_wrong_makes_anybody_sleep_longer_than_the_interval(
    minutes: int, wrong: datetime, now: datetime
) -> None:
    row = project(interval_minutes=minutes, anchor_at=wrong, next_sync_at=wrong)

    turn = next_turn(row, DEFAULT, wrong, now, None)["next_sync_at"]

    assert now < turn <= now + timedelta(minutes=minutes) + TOLERANCE


# Cron expressions


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("30 2 * * *", "UTC", "2026-03-02T10:00+00:00", "2026-03-03T02:30+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-02T10:00+00:00", "2026-03-03T02:30+01:00"),
        ("0 9 * * 1-5", "America/New_York", "2026-03-06T15:00+00:00", "2026-03-09T09:00-04:00"),
        ("*/15 * * * *", "Asia/Kathmandu", "2026-03-02T10:01+00:00", "2026-03-02T10:15+00:00"),
        ("0 0 29 2 *", "UTC", "2026-03-01T00:00+00:00", "2028-02-29T00:00+00:00"),
        ("0 0 L * *", "UTC", "2026-02-03T00:00+00:00", "2026-02-28T00:00+00:00"),
        ("59 23 31 12 *", "Pacific/Kiritimati", "2026-03-01T00:00+00:00", "2026-12-31T09:59+00:00"),
    ],
)
def test_a_cron_expression_goes_by_the_clock_of_its_zone(cron: str, zone: str, after: str, expected: str) -> None:
    assert slot_after(Schedule(DEFAULT, cron, zone), NOW, at(after)) == at(expected)


DST_NIGHTS = {
    "missing in Berlin": ("Europe/Berlin", "30 2 * * *", date(2026, 3, 29), "2026-03-29T03:00+02:00"),
    "twice in Berlin": ("Europe/Berlin", "30 2 * * *", date(2026, 10, 25), "2026-10-25T02:30+02:00"),
    "missing in New York": ("America/New_York", "15 2 * * *", date(2026, 3, 8), "2026-03-08T03:00-04:00"),
    "twice in New York": ("America/New_York", "15 1 * * *", date(2026, 11, 1), "2026-11-01T01:15-04:00"),
    "half an hour on Lord Howe": ("Australia/Lord_Howe", "45 1 * * *", date(2026, 4, 5), "2026-04-05T01:45+11:00"),
    "no midnight in Cairo": ("Africa/Cairo", "0 0 * * *", date(2026, 4, 24), "2026-04-24T01:00+03:00"),
}


@pytest.mark.parametrize(("zone", "cron", "day", "expected"), DST_NIGHTS.values(), ids=DST_NIGHTS)
def test_a_time_of_day_comes_once_in_a_night_that_has_it_twice_or_not(
    zone: str, cron: str, day: date, expected: str
) -> None:
    there = ZoneInfo(zone)
    start = datetime.combine(day, time(), tzinfo=there).astimezone(UTC) - timedelta(hours=3)

    slots = set()
    for minutes in range(30 * 60):
        slots.add(slot_after(Schedule(DEFAULT, cron, zone), NOW, start + minutes * MINUTE))

    assert [slot for slot in slots if slot.astimezone(there).date() == day] == [at(expected)]


@pytest.mark.parametrize(("cron", "minutes"), [("*/30 * * * *", 30), ("0 * * * *", 60)])
@pytest.mark.parametrize("night", ["2026-03-28T23:00+00:00", "2026-10-24T22:00+00:00"], ids=["spring", "autumn"])
def test_what_goes_by_elapsed_time_stands_still_in_no_night(cron: str, minutes: int, night: str) -> None:
    now, slots = at(night), []
    while now < at(night) + timedelta(hours=8):
        now = slot_after(Schedule(DEFAULT, cron, "Europe/Berlin"), NOW, now)
        slots.append(now)

    assert {later - earlier for earlier, later in pairwise(slots)} == {minutes * MINUTE}


minutes_of_cron = st.sampled_from(["*", "*/7", "0", "30", "5,35", "10-20"])
hours_of_cron = st.sampled_from(["*", "*/3", "0", "2", "23", "1,13", "9-17"])
days_of_cron = st.sampled_from(["*", "1", "15", "31", "*/10", "L"])
weekdays_of_cron = st.sampled_from(["*", "1", "1-5", "SUN", "5#2"])
crons = st.builds("{} {} {} * {}".format, minutes_of_cron, hours_of_cron, days_of_cron, weekdays_of_cron)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


@given(crons, zones, moments)
def test_slots_of_an_expression_only_go_forward_and_none_lies_between(cron: str, zone: str, now: datetime) -> None:
    schedule = Schedule(DEFAULT, cron, zone)

    slot = slot_after(schedule, NOW, now)
    between = now + (slot - now) / 2

    assert slot > now + TOLERANCE
    assert slot_after(schedule, NOW, between) in (slot, slot_after(schedule, NOW, slot - TOLERANCE))
    assert slot_after(schedule, NOW, slot - TOLERANCE - timedelta(seconds=1)) == slot


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "not five fields"),
        ("0 0 * *", "not five fields"),
        ("0 0 0 * * *", "not five fields"),
        ("@daily", "not five fields"),
        ("61 * * * *", "wrong minute"),
        ("* 24 * * *", "wrong hour"),
        ("0 0 31 2 *", "wrong day-of-month"),
        ("0 0 30 FEB *", "wrong day-of-month"),
        ("* * * 13 *", "wrong month"),
        ("* * * * 8", "wrong day-of-week"),
        ("*/0 * * * *", "wrong minute"),
        ("5-1 * * * *", "wrong minute"),
        ("a b c d e", "wrong"),
        (f"{','.join(['1'] * 60)} * * * *", "not five fields"),
    ],
)
def test_an_expression_that_is_none_or_never_comes_is_refused_from_now(expression: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        check_cron(expression, NOW)

    assert (caught.value.field, caught.value.code) == ("cron", "invalid_parameter")


@pytest.mark.parametrize(("minutes", "fits"), [(0, False), (1, True), (365 * 1440, True), (365 * 1440 + 1, False)])
def test_an_interval_is_a_minute_to_a_year(minutes: int, fits: bool) -> None:
    if fits:
        assert check_interval(minutes) == minutes
        return
    with pytest.raises(Invalid) as caught:
        check_interval(minutes)
    assert (caught.value.field, caught.value.code) == ("interval_minutes", "invalid_parameter")


def test_an_expression_is_kept_in_single_spaces() -> None:
    assert check_cron("  30\t2  * *  MON ", NOW) == "30 2 * * MON"


def test_an_expression_has_a_hundred_characters_at_most() -> None:
    longest = f"{'1,' * 45}11 * * * *"
    assert (len(longest), check_cron(longest, NOW)) == (100, longest)

    with pytest.raises(Invalid, match="is not five fields"):
        check_cron(f"{'1,' * 44}11,11 * * * *", NOW)


def test_a_refused_expression_is_shown_to_its_hundredth_character() -> None:
    with pytest.raises(Invalid) as caught:
        check_cron("x" * 101, NOW)

    assert str(caught.value).startswith(f"'{'x' * 100}' is not five fields")
    assert caught.value.hint == "such as `30 2 * * *`, every day at 02:30"


def test_an_expression_that_never_comes_is_refused() -> None:
    with pytest.raises(Invalid, match="never comes"):
        check_cron("0 0 */15 4 1#5", NOW)  # a fifth Monday of April is never its first or sixteenth day


@given(st.text("0123456789*/,-#L WMONTUEJAN²\x00", max_size=40))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    try:
        cron = check_cron(text, NOW)
    except Invalid:
        return
    assert slot_after(Schedule(DEFAULT, cron), NOW, NOW) > NOW


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Europe/Berlyn", "did you mean Europe/Berlin?"),
        ("utc", "did you mean UTC?"),
        ("Europe", "did you mean"),
        ("", "Europe/Berlin"),
        ("../../etc/passwd", "Europe/Berlin"),
        ("/etc/localtime", " "),
        ("UTC\x00", "did you mean UTC?"),
        ("x" * 5000, "Europe/Berlin"),
    ],
)
def test_a_zone_that_is_none_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(Invalid, match="is no time zone") as caught:
        check_zone(name)

    assert (caught.value.field, hint in (caught.value.hint or "")) == ("timezone", True)


def test_a_zone_that_is_none_is_shown_to_its_sixtieth_letter() -> None:
    with pytest.raises(Invalid, match=f"^'{'x' * 60}' is no time zone") as caught:
        check_zone("x" * 61)

    assert caught.value.code == "invalid_parameter"


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_a_zone_is_kept_as_it_is_called(name: str) -> None:
    assert check_zone(name) == name


@pytest.mark.parametrize(
    "broken", [{"cron": "61 * * * *"}, {"cron": "0 0 31 2 *"}, {"cron": "0 2 * * *", "timezone": "Mars/Base"}]
)
def test_a_schedule_that_makes_no_sense_any_more_falls_back_to_the_default(broken: dict[str, str]) -> None:
    turn = next_turn(project(anchor_at=NOW, **broken), DEFAULT, NOW, NOW, None)

    assert turn["next_sync_at"] == NOW + DEFAULT * MINUTE


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [
        ("* * * * *", 1),
        ("*/30 * * * *", 30),
        ("30 2 * * *", 24 * 60),
        ("0 9-17 * * 1-5", 64 * 60),
        ("* 9-17 * * 1-5", 63 * 60 + 1),
        ("0 0 1 * *", 31 * 24 * 60),
        ("0 0 1 1 *", 365 * 24 * 60),
        ("0 0 */15 4 1#5", 1),  # never
    ],
)
def test_the_longest_pause_of_an_expression_tells_how_old_its_numbers_get(cron: str, minutes: int) -> None:
    assert longest_pause(cron) == minutes


# Failures


def test_failures_are_tried_again_at_once_then_ever_later_and_at_the_next_slot() -> None:
    row, now, waits = project(interval_minutes=60, anchor_at=NOW), NOW, []
    for _ in range(7):
        turn = next_turn(row, DEFAULT, NOW, now, "it is away")
        row = replace(row, **turn)
        waits.append((turn["next_sync_at"] - now) // MINUTE)
        now = turn["next_sync_at"]

    assert waits == [0, 2, 4, 8, 16, 30, 60]  # 10:30 + 32 minutes would pass over the slot at 11:00
    assert (row.failures, row.last_error) == (7, "it is away")


def test_a_success_forgets_the_failures_and_returns_to_the_slots() -> None:
    row = project(anchor_at=NOW, failures=5, last_error="it is away", next_sync_at=NOW + 17 * MINUTE)

    turn = next_turn(row, DEFAULT, NOW, NOW + 17 * MINUTE, None)

    assert turn == {"next_sync_at": NOW + 30 * MINUTE, "anchor_at": NOW, "failures": 0, "last_error": None}


@given(intervals, st.integers(0, 10_000), moments)
def test_however_often_it_failed_the_next_try_is_within_the_interval(
    minutes: int, failures: int, now: datetime
) -> None:
    row = project(interval_minutes=minutes, anchor_at=NOW, failures=failures)

    turn = next_turn(row, DEFAULT, NOW, now, "no")["next_sync_at"]

    assert now <= turn <= now + timedelta(minutes=minutes) + TOLERANCE


def test_what_runs_once_a_day_is_tried_again_the_same_night() -> None:
    row = project(cron="30 2 * * *", interval_minutes=1440, anchor_at=NOW, failures=12)
    night = at("2026-03-03T02:30+00:00")

    assert next_turn(row, DEFAULT, NOW, night, "no")["next_sync_at"] == night + DEFAULT * MINUTE


def test_a_very_long_error_is_cut() -> None:
    assert len(next_turn(project(), DEFAULT, NOW, NOW, "x" * 10_000)["last_error"]) == 500


# Changing the schedule


@pytest.mark.parametrize(
    ("schedule", "synced", "expected"),
    [
        (Schedule(60), NOW - 10 * MINUTE, NOW + 50 * MINUTE),
        (Schedule(60), NOW - 300 * MINUTE, NOW),
        (Schedule(60), None, None),
        (Schedule(60), NOW + timedelta(days=300), None),
        (Schedule(30, "30 12 * * *"), NOW - 10 * MINUTE, at("2026-03-02T12:30+00:00")),
        (Schedule(30, "0 10 * * *"), NOW - 10 * MINUTE, at("2026-03-03T10:00+00:00")),
        (Schedule(30, "30 12 * * *"), None, None),
    ],
    ids=["from the last success", "over", "never synced", "synced by a wrong clock", "cron", "cron now", "cron, never"],
)
def test_a_new_schedule_counts_from_the_last_success(
    schedule: Schedule, synced: datetime | None, expected: datetime | None
) -> None:
    assert reschedule(schedule, synced, NOW)["next_sync_at"] == expected


def test_a_new_schedule_begins_in_the_minute_of_the_last_success() -> None:
    synced = NOW - 10 * MINUTE + timedelta(seconds=20)

    assert reschedule(Schedule(60), None, NOW) == {"next_sync_at": None, "anchor_at": None}
    assert reschedule(Schedule(60), synced, NOW)["anchor_at"] == NOW - 10 * MINUTE
    assert reschedule(Schedule(60), NOW, NOW) == {"next_sync_at": NOW + 60 * MINUTE, "anchor_at": NOW}


def test_a_new_expression_passes_over_no_slot_that_is_still_to_come() -> None:
    soon = reschedule(Schedule(30, "30 12 * * *"), NOW, at("2026-03-02T12:29:45+00:00"))

    assert soon["next_sync_at"] == at("2026-03-02T12:30+00:00")


def test_an_expression_without_a_zone_is_on_the_clock_of_utc() -> None:
    assert schedule_of(project(cron="0 2 * * *"), DEFAULT) == Schedule(DEFAULT, "0 2 * * *", "UTC")


def test_a_zone_alone_is_no_other_schedule_for_an_interval() -> None:
    assert schedule_of(project(timezone="Europe/Berlin"), DEFAULT) == schedule_of(project(), DEFAULT)
    assert schedule_of(project(interval_minutes=DEFAULT), DEFAULT) == schedule_of(project(), DEFAULT)


# Freshness


@pytest.mark.parametrize(
    ("least", "synced", "expected"),
    [
        (0, NOW, None),
        (60, None, None),
        (60, NOW, "fresh (0 of 60 min)"),
        (60, NOW - 12 * MINUTE - timedelta(seconds=59), "fresh (12 of 60 min)"),
        (60, NOW - 60 * MINUTE, None),
        (60, NOW + MINUTE, None),
    ],
    ids=["off", "never synced", "just now", "in between", "over", "in the future"],
)
def test_a_project_is_fresh_for_as_long_as_it_asks_for(
    least: int, synced: datetime | None, expected: str | None
) -> None:
    assert freshness(synced, least, NOW) == expected


# Words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(1), "every minute"),
        (Schedule(45), "every 45 minutes"),
        (Schedule(60), "every hour"),
        (Schedule(90), "every 90 minutes"),
        (Schedule(1440), "every day"),
        (Schedule(10080), "every 7 days"),
        (Schedule(30, "0 2 * * *", "Europe/Berlin"), "at 0 2 * * * (Europe/Berlin)"),
    ],
)
def test_a_schedule_from_now(schedule: Schedule, words: str) -> None:
    assert schedule.words == words


def test_a_project_is_long_overdue_after_the_limit() -> None:
    assert not is_long_overdue(90 * 60, 90)
    assert is_long_overdue(90 * 60 + 1, 90)


def test_overdue_is_counted_from_the_turn() -> None:
    assert [overdue(turn, NOW) for turn in (None, NOW + MINUTE, NOW, NOW - MINUTE)] == [0, 0, 0, 60]


# A month


BERLIN = ZoneInfo("Europe/Berlin")
START, END = at("2026-03-15T00:00+00:00"), at("2026-04-15T00:00+00:00")
DOWN, UP = at("2026-03-21T07:11+00:00"), at("2026-03-22T07:11+00:00")


def ticks(seed: int) -> list[datetime]:
    """A caller a minute, as callers are: some seconds off, sometimes twice, sometimes minutes late and then with all
    the calls that were held up at once; for a day not at all."""
    random = Random(seed)
    found, late = [], START
    for number in range((END - START) // MINUTE):
        minute = START + number * MINUTE
        tick = max(late, minute + timedelta(seconds=random.uniform(-2, 20)))
        if random.random() < 0.01:
            late = minute + random.uniform(2, 50) * MINUTE
        if not DOWN <= tick < UP:
            found += [tick, tick + timedelta(seconds=random.uniform(0, 0.5))][: 1 + (random.random() < 0.05)]
    return sorted(found)


def every(minutes: int) -> Callable[[datetime], list[datetime]]:
    def slots(first: datetime) -> list[datetime]:
        step = timedelta(minutes=minutes)
        return [first + number * step for number in range((END - first) // step + 2)]

    return slots


def daily(hour: int, minute: int, weekdays: range = range(7)) -> Callable[[datetime], list[datetime]]:
    """Once a local day in Berlin, made without any cron library; 02:30 is 03:00 in the night that has none."""

    def slots(first: datetime) -> list[datetime]:
        found = []
        for number in range(-1, 33):
            day = first.astimezone(BERLIN).date() + timedelta(days=number)
            if day.weekday() in weekdays:
                missing = day == date(2026, 3, 29) and hour == 2
                local = time(3, 0) if missing else time(hour, minute)
                found.append(datetime.combine(day, local, tzinfo=BERLIN).astimezone(UTC))
        return found

    return slots


@dataclass
class Played:
    """A project in a month that is played through, and when it was synced."""

    project: Project
    slots: Callable[[datetime], list[datetime]]
    synced: list[datetime] = field(default_factory=list)

    def tick(self, now: datetime) -> None:
        turn = self.project.next_sync_at
        if turn is None or turn <= now + TOLERANCE:
            self.synced.append(now)
            self.project = replace(self.project, **next_turn(self.project, DEFAULT, now, now, None))


def month() -> list[Played]:
    return [
        Played(project("default"), every(30)),
        Played(project("each minute", interval_minutes=1), every(1)),
        Played(project("seven", interval_minutes=7), every(7)),
        Played(project("day", interval_minutes=1440), every(1440)),
        Played(project("night", cron="30 2 * * *", timezone="Europe/Berlin"), daily(2, 30)),
        Played(project("office", cron="0 9 * * 1-5", timezone="Europe/Berlin"), daily(9, 0, range(5))),
        Played(project("hourly", cron="0 * * * *", timezone="Europe/Berlin"), lambda _: every(60)(START)),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_in_a_month_of_ticks_each_project_is_synced_once_for_every_slot(seed: int) -> None:
    calls = ticks(seed)
    played = month()

    for now in calls:
        for one in played:
            one.tick(now)

    for one in played:
        first = one.synced[0]
        slots = one.slots(first.replace(second=0, microsecond=0))
        assert one.synced == expected(calls, slots), one.project.name


def expected(calls: list[datetime], slots: list[datetime]) -> list[datetime]:
    """The first call of all, then for every slot, or several together, the first call that may serve it."""
    synced = [calls[0]]
    for slot in slots:
        if slot > synced[-1] + TOLERANCE:
            serving = max(bisect_left(calls, slot - TOLERANCE), bisect_right(calls, synced[-1]))
            synced += calls[serving : serving + 1]
    return synced


def test_a_day_of_downtime_is_made_up_for_once() -> None:
    played = month()
    calls = ticks(1)

    for now in calls:
        for one in played:
            one.tick(now)

    back = next(call for call in calls if call >= UP)
    for one in played:
        assert not [moment for moment in one.synced if DOWN <= moment < UP]
        after = [moment for moment in one.synced if back <= moment < back + timedelta(seconds=1)]
        assert len(after) <= 1
    assert all(back in one.synced for one in played if one.project.name != "office")


def test_a_simulation_says_what_ticks_would_do() -> None:
    daily_one = project("B", cron="0 12 * * *", next_sync_at=at("2026-03-02T12:00+00:00"), anchor_at=NOW)
    half_hourly = project("A", next_sync_at=NOW + 30 * MINUTE, anchor_at=NOW)

    found = simulate([half_hourly, daily_one, project("C", interval_minutes=120)], 60, NOW, ticks=150, every=MINUTE)

    assert [(f"{moment:%H:%M}", "".join(one.name for one in who)) for moment, who in found] == [
        ("10:00", "C"),
        ("10:30", "A"),
        ("11:00", "A"),
        ("12:00", "ABC"),
    ]


def test_in_a_simulation_a_tick_serves_what_is_due_half_a_minute_later() -> None:
    early, late = (project(name, next_sync_at=NOW + wait) for name, wait in (("A", TOLERANCE), ("B", MINUTE)))

    found = simulate([early, late], DEFAULT, NOW, ticks=2, every=MINUTE)

    assert [(moment, [one.name for one in who]) for moment, who in found] == [(NOW, ["A"]), (NOW + MINUTE, ["B"])]


# Between two calls

HOURLY = timedelta(hours=1)


def test_a_cron_that_calls_by_the_hour_is_no_outage_by_the_hour() -> None:
    pace = pace_after(None, HOURLY)

    assert not is_unusual(None, HOURLY)
    assert not is_unusual(pace, HOURLY)
    assert not is_unusual(pace, 2 * HOURLY)
    assert is_unusual(pace, 3 * HOURLY)


def test_a_pace_hardly_follows_an_outage_and_soon_those_who_call_more_often() -> None:
    after_outage = pace_after(3600.0, 12 * HOURLY)

    assert after_outage == 7200.0
    assert pace_after(after_outage, HOURLY) == 3600.0
    assert pace_after(3600.0, timedelta(minutes=1)) == 60.0
    assert pace_after(60.0, -HOURLY) == 0.0


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 9 * * 1-5", "at 09:30 on Monday through Friday"),
        ("*/15 8-18 * * *", "every 15th minute from 08:00 through 18:59"),
        ("0 9 1 * *", "at 09:00 on the first day of every month"),
        ("once in a while", "once in a while"),
    ],
)
def test_an_expression_is_said_in_words(cron: str, words: str) -> None:
    assert cron_words(cron) == words
