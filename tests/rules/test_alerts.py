"""When somebody is told: what is wrong by which facts, and that whoever is told is told of its end, once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.rules.alert_kinds import KINDS, RULES
from webapp.rules.alert_words import SHORT, TITLES, Links, closing, opening, title_of
from webapp.rules.alerts import (
    CALM,
    Finding,
    Judged,
    Key,
    Moved,
    Mute,
    Standing,
    calm_of,
    changes,
    find_crossed,
    find_failing,
    find_moved,
    find_quota,
    find_silence,
    find_silent,
    find_source,
    find_stale,
    find_target,
    find_waiting,
    is_muted,
)
from webapp.rules.due import TOLERANCE
from webapp.rules.quiet import Quiet
from webapp.store.alerts import Alert
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult
from webapp.store.thresholds import Threshold

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FINE = Project("p", "Project A", synced_at=NOW, created_at=NOW - 30 * 24 * HOUR)
WHOLE = ProjectResult("p", "Project A")
GUARD = ({"code": "sheet_shrank", "message": "10 rows", "cell": "Project A"},)


@dataclass
class Source:
    """A spreadsheet or a platform."""

    state: str = "ok"
    since: datetime | None = NOW - 2 * HOUR
    message: str | None = "it answered 503"
    name: str = "youtube"
    quota_limit: int | None = None
    quota_used: int = 0
    quota_ends: datetime | None = None


@dataclass
class Age:
    """The readings of a program."""

    origin: str | None = "my-reader"
    accounts: int = 10
    frozen: int = 0
    newest: datetime = NOW


def rules(found: Any) -> list[str]:
    return [one.key.rule for one in found]


# What is wrong


@pytest.mark.parametrize(
    ("project", "result", "told"),
    [
        ({}, {}, []),
        ({"failures": 9}, {}, []),
        ({"failures": 2}, {"success": False, "error_code": "header_missing"}, []),
        ({"failures": 3}, {"success": False, "error_code": "header_missing"}, ["failing"]),
        ({"failures": 9, "degraded_since": NOW - 59 * MINUTE}, {"degraded": True}, []),
        ({"failures": 1, "degraded_since": NOW - HOUR}, {"degraded": True}, ["failing"]),
        (
            {"failures": 1},
            {"success": False, "degraded": True, "error_code": "sheet_shrank", "problems": GUARD},
            ["guard"],
        ),
        ({"failures": 9}, {"success": False, "degraded": True, "error_code": "column_gone"}, ["gone"]),
        ({"failures": 1}, {"success": False, "error_code": "tab_missing"}, ["gone"]),
    ],
)
def test_a_sync_that_does_not_succeed(project: dict[str, Any], result: dict[str, Any], told: list[str]) -> None:
    assert rules(find_failing(replace(FINE, **project), replace(WHOLE, **result), NOW)) == told


def test_a_guard_names_its_cell() -> None:
    result = replace(WHOLE, success=False, degraded=True, error_code="sheet_shrank", error="10 rows", problems=GUARD)

    (found,) = find_failing(FINE, result, NOW)

    assert (found.what, found.cell) == ("10 rows", "Project A")


@pytest.mark.parametrize(
    ("project", "told"),
    [
        ({"synced_at": NOW - 60 * MINUTE}, []),
        ({"synced_at": NOW - 61 * MINUTE}, ["stale"]),
        ({"synced_at": NOW - 61 * MINUTE, "interval_minutes": 31}, []),
        ({"synced_at": NOW - 61 * MINUTE, "auto_sync": False}, []),
        ({"synced_at": NOW - 61 * MINUTE, "status": "paused"}, []),
        ({"synced_at": None, "created_at": NOW - 10 * MINUTE}, []),
        ({"synced_at": None}, ["stale"]),
    ],
)
def test_numbers_are_old_after_two_intervals(project: dict[str, Any], told: list[str]) -> None:
    assert rules(find_stale(replace(FINE, **project), 60, NOW, standing=False)) == told


def test_a_project_that_was_tried_meanwhile_is_nobodys_omission() -> None:
    tried = replace(FINE, synced_at=NOW - 5 * HOUR, checked_at=NOW - HOUR)

    assert rules(find_stale(tried, 60, NOW, standing=False)) == []
    assert rules(find_stale(tried, 60, NOW + MINUTE, standing=False)) == ["stale"]
    assert rules(find_stale(tried, 60, NOW, standing=True)) == ["stale"]


def test_missed_turns_are_counted() -> None:
    (found,) = find_stale(replace(FINE, synced_at=NOW - 5 * HOUR), 60, NOW, standing=False)
    silence = find_silence(NOW - 5 * HOUR, NOW, 30)

    assert "10 turns were missed" in found.what
    assert "10 turns were missed" in silence.what
    assert silence.since == NOW - 5 * HOUR


@pytest.mark.parametrize(
    ("held", "doubted", "words"),
    [
        (0, 0, []),
        (1, 0, ["1 reading too far off the last credible one to be believed"]),
        (2, 1, ["2 readings and 1 typed value too far off the last credible ones to be believed"]),
    ],
)
def test_values_that_wait_for_a_person(held: int, doubted: int, words: list[str]) -> None:
    assert [one.what for one in find_waiting("p", held, doubted)] == words


@pytest.mark.parametrize(
    ("source", "worst", "told"),
    [
        (Source(), 9, 0),
        (Source("degraded"), 0, 1),
        (Source("degraded", NOW - 59 * MINUTE), 9, 0),
        (Source("failed", NOW), 2, 0),
        (Source("failed", NOW), 3, 1),
        (Source("failed", None, None), 3, 1),
    ],
)
def test_a_source_that_cannot_be_read_is_told_after_an_hour_or_three_refusals(
    source: Source, worst: int, told: int
) -> None:
    assert len([*find_source("the-sheet", "spreadsheet", source, worst, NOW)]) == told


@pytest.mark.parametrize(
    ("limit", "used", "ends", "told"),
    [(None, 999, None, 0), (1000, 899, None, 0), (1000, 900, None, 1), (1000, 999, NOW, 0), (1000, 999, NOW + HOUR, 1)],
)
def test_units_that_run_out(limit: int | None, used: int, ends: datetime | None, told: int) -> None:
    platform = Source(quota_limit=limit, quota_used=used, quota_ends=ends)

    assert len([*find_quota(platform, NOW)]) == told


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (Age(), ""),
        (Age(newest=NOW - 49 * HOUR), "the newest reading of its 10 accounts came"),
        (Age(frozen=8), "8 of 10 accounts say the same for 7 days"),
        (Age(origin=None, newest=NOW - 49 * HOUR), "the newest reading"),
    ],
)
def test_a_program_that_is_silent_or_frozen(age: Age, told: str) -> None:
    found = [*find_silent(age, 2880, NOW)]

    assert [told in one.what for one in found] == ([True] if told else [])


def moved(followers: tuple[int | None, int | None], likes: tuple[int, int] = (0, 5_000)) -> Moved:
    nothing = (None, None)
    pairs = (followers, likes, nothing, nothing, nothing)
    return Moved(tuple(one[0] for one in pairs), tuple(one[1] for one in pairs))


@pytest.mark.parametrize(
    ("movement", "limits", "told"),
    [
        (moved((-199, 1000)), {}, []),
        (moved((-200, 1000)), {}, ["followers fell by 20 % in 24 hours (−200)"]),
        (moved((1000, 1000)), {}, ["followers rose by 100 % in 24 hours (+1,000)"]),
        (moved((-999, 999)), {}, []),
        (moved((None, None)), {}, []),
        (moved((-100, 1000)), {("followers", "fallen"): 10}, ["followers fell by 10 % in 24 hours (−100)"]),
        (moved((0, 1000), (-4_000, 5_000)), {}, []),
        (moved((0, 1000), (-4_000, 5_000)), {("likes", "fallen"): 50}, ["likes fell by 80 % in 24 hours (−4,000)"]),
        (moved((0, 1000), (500, 5_000)), {("likes", "risen"): 10}, ["likes rose by 10 % in 24 hours (+500)"]),
    ],
)
def test_a_total_that_moved_by_much(movement: Moved, limits: Any, told: list[str]) -> None:
    assert [one.what for one in find_moved("p", movement, limits)] == told


@pytest.mark.parametrize(
    ("kind", "value", "standing", "told"),
    [
        ("above", None, False, 0),
        ("above", 999, False, 0),
        ("above", 1000, False, 1),
        ("above", 981, True, 1),
        ("above", 979, True, 0),
        ("below", 1001, False, 0),
        ("below", 1000, False, 1),
        ("below", 1019, True, 1),
        ("below", 1021, True, 0),
        ("fallen", 0, False, 0),
    ],
)
def test_a_line_is_free_again_only_at_some_distance(kind: Any, value: int | None, standing: bool, told: int) -> None:
    line = Threshold(7, "p", None, "views", kind, 1000, NOW)

    assert len([*find_crossed(line, value, standing=standing)]) == told


def test_a_crossed_line_names_whose_it_is() -> None:
    line = Threshold(7, "p", 3, "views", "below", 1000, NOW)

    (found,) = find_crossed(line, 900, standing=False, whose="ann")

    assert found.what == "ann: views fell to 900 (limit 1,000)"
    assert found.key == Key("threshold", "p", "7")
    assert found.details == {"metric": "views", "account_id": 3, "limit": 1000}


@pytest.mark.parametrize(
    ("target", "views", "standing", "told"),
    [
        (None, 5, False, 0),
        (100, None, False, 0),
        (100, 99, False, 0),
        (100, 100, False, 1),
        (100, 98, True, 1),
        (100, 97, True, 0),
    ],
)
def test_a_target_that_is_reached(target: int | None, views: int | None, standing: bool, told: int) -> None:
    project = replace(FINE, target_views=target)

    assert len([*find_target(project, views, standing=standing)]) == told


# What becomes of alerts

KEY = Key("guard", "p")
FOUND = Finding(KEY, NOW, "10 rows", "mend the tab")
LOOKED = Judged((), {"guard": ["p"]})
UNSEEN = Judged()


def acts(standing: Sequence[Standing], found: Sequence[Finding], judged: Judged = LOOKED, **how: Any) -> list[str]:
    return [one.act for one in changes(standing, found, judged, NOW, **how)]


@pytest.mark.parametrize(
    ("standing", "found", "judged", "told"),
    [
        (None, [], LOOKED, []),
        (None, [FOUND], LOOKED, ["open"]),
        (Standing(1, KEY), [FOUND], LOOKED, []),
        (Standing(1, KEY), [], LOOKED, ["calm"]),
        (Standing(1, KEY), [], UNSEEN, []),
        (Standing(1, KEY, NOW - CALM + MINUTE), [], LOOKED, []),
        (Standing(1, KEY, NOW - CALM), [], LOOKED, ["close"]),
        (Standing(1, KEY, NOW - CALM), [], UNSEEN, ["close"]),
        (Standing(1, KEY, NOW - CALM), [FOUND], LOOKED, ["excite"]),
        (Standing(1, KEY, None, announced=False), [FOUND], LOOKED, ["announce"]),
        (Standing(1, KEY, None, announced=False, acknowledged=True), [FOUND], LOOKED, []),
    ],
)
def test_only_what_changes_is_told(
    standing: Standing | None, found: list[Finding], judged: Judged, told: list[str]
) -> None:
    assert acts([standing] if standing else [], found, judged) == told


def test_what_is_muted_is_announced_when_it_is_not_any_more() -> None:
    untold = Standing(1, KEY, None, announced=False)

    assert acts([untold], [FOUND], mutes=[Mute("guard", "p")]) == []
    assert acts([untold], [FOUND], mutes=[Mute("guard", "p", NOW)]) == ["announce"]


@pytest.mark.parametrize(
    ("mute", "muted"),
    [
        (Mute(), True),
        (Mute("guard"), True),
        (Mute("", "p"), True),
        (Mute("guard", "p", NOW + HOUR), True),
        (Mute("guard", "p", NOW), False),
        (Mute("stale"), False),
        (Mute("", "q"), False),
    ],
)
def test_a_mute_is_of_a_rule_a_project_or_both(mute: Mute, muted: bool) -> None:
    assert is_muted(KEY, [mute], NOW) == muted


def test_what_is_of_the_whole_service_is_muted_by_its_rule() -> None:
    assert is_muted(Key("quota"), [Mute("quota")], NOW)
    assert not is_muted(Key("quota"), [Mute("", "p")], NOW)


def test_a_project_that_is_not_there_any_more_has_nothing_wrong() -> None:
    assert Judged(gone=["p"]).covers(KEY)
    assert Judged(["quota"]).covers(Key("quota"))
    assert not Judged(["quota"]).covers(KEY)


def test_a_clock_that_was_ahead_keeps_no_alert_open() -> None:
    key = Key("guard", "p")

    (again,) = changes([Standing(1, key, calm_since=NOW + 24 * HOUR)], [], Judged(), NOW)
    over = changes([Standing(1, key, calm_since=NOW)], [], Judged(), NOW + CALM)

    assert again.act == "calm"
    assert [one.act for one in over] == ["close"]


def test_a_project_is_calm_no_sooner_than_after_its_own_interval() -> None:
    assert calm_of(KEY, {}) == CALM
    assert calm_of(KEY, {"p": 240}) == 4 * HOUR
    assert calm_of(Key("quota"), {}) > 24 * HOUR


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 90)), min_size=1, max_size=60))
def test_whatever_flaps_is_told_in_turns_and_ends_only_after_a_calm_while(steps: list[tuple[bool, int]]) -> None:
    """A simulation: messages alternate between beginning and end, and an end follows no finding within the calm time."""
    told: list[str] = []
    standing: list[Standing] = []
    now, last_seen = NOW, NOW
    for wrong, minutes in steps:
        now += minutes * MINUTE
        if wrong:
            last_seen = now
        for one in changes(standing, [FOUND] if wrong else [], LOOKED, now):
            if one.act == "open":
                standing = [Standing(1, KEY)]
                told.append("open")
            elif one.act == "close":
                assert now - last_seen + TOLERANCE >= CALM
                standing = []
                told.append("close")
            else:
                standing = [standing[0]._replace(calm_since=now if one.act == "calm" else None)]
    assert all(a != b for a, b in pairwise(told))
    assert told[:1] in ([], ["open"])


# Quiet hours


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (Quiet(time(22), time(7)), (2, 21, 59), (2, 21, 59)),
        (Quiet(time(22), time(7)), (2, 22, 0), (3, 7, 0)),
        (Quiet(time(22), time(7)), (3, 6, 59), (3, 7, 0)),
        (Quiet(time(22), time(7)), (3, 7, 0), (3, 7, 0)),
        (Quiet(time(12), time(14)), (2, 13, 0), (2, 14, 0)),
        (Quiet(time(22), time(7), "Europe/Berlin"), (2, 21, 30), (3, 6, 0)),
    ],
)
def test_nobody_is_woken(quiet: Quiet, now: tuple[int, int, int], until: tuple[int, int, int]) -> None:
    def at(day: int, hour: int, minute: int) -> datetime:
        return datetime(2026, 3, day, hour, minute, tzinfo=UTC)

    assert quiet.until(at(*now)) == at(*until)


# Words

ALERT = Alert(
    id=1,
    rule="guard",
    project_id="p",
    subject="",
    level="problem",
    state="open",
    since=NOW - 2 * HOUR,
    opened_at=NOW,
    calm_since=None,
    closed_at=None,
    acknowledged_at=None,
    acknowledged_by=None,
    announced=True,
    what="10 of 12 accounts have lost their rows",
    advice="mend the tab",
    cell="Project A!D17",
    details=None,
    project_name="Project A",
)
LINKS = Links("https://sync.example/projects/p", "https://docs.google.com/x#gid=1")


def test_a_message_says_what_since_when_how_bad_what_to_do_and_where() -> None:
    words = opening(ALERT, LINKS, NOW)

    assert words.title == "Project A: a tab lost too much at once"
    assert words.text.splitlines() == [
        "PROBLEM: 10 of 12 accounts have lost their rows",
        "Since 2 Mar 2026, 08:00 UTC (2 h ago).",
        "Cell: Project A!D17",
        "To do: mend the tab.",
        "https://sync.example/projects/p",
        "https://docs.google.com/x#gid=1",
    ]


def test_the_end_says_how_long_it_lasted_and_how_many_syncs_it_cost() -> None:
    words = closing(ALERT, Links(), NOW + HOUR, 4)

    assert words.title == "Over: Project A: a tab lost too much at once"
    assert words.text.splitlines() == [
        "OVER: 10 of 12 accounts have lost their rows",
        "It lasted 3 h, since 2 Mar 2026, 08:00 UTC; 4 syncs did not succeed.",
    ]


@given(st.text(max_size=2000), st.text(max_size=100), st.sampled_from([None, LINKS.page, "https://x/" + "y" * 300]))
def test_the_short_form_fits_into_three_text_messages_of_one_line(what: str, name: str, page: str | None) -> None:
    alert = replace(ALERT, what=what, project_name=name or None)

    for words in (opening(alert, Links(page), NOW), closing(alert, Links(page), NOW)):
        assert len(words.short) <= SHORT
        assert "\n" not in words.short


def test_what_has_no_name_is_told_by_what_it_is_of() -> None:
    assert title_of(replace(ALERT, project_name=None, rule="silence")) == "Smart Sync: nobody called"
    assert title_of(replace(ALERT, project_name=None, subject="youtube", rule="quota")) == "youtube: units run out"


def test_every_rule_has_its_title() -> None:
    assert set(TITLES) == set(RULES)
    assert len(KINDS) == 4
