"""What a sync amounts to, for every door."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any, get_args

import pytest

from webapp.model import LIVE_STATES, RunState
from webapp.rules.outcomes import (
    ProjectState,
    ProjectVerdict,
    count_states,
    exit_code,
    judge_project,
    log_level,
    project_state,
    reasons,
    result_level,
    result_state,
    run_label,
    run_words,
    stalled,
    standing_words,
    state_of,
    status_of,
    succeeded,
    worst_first,
)
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult

AWAY = ("upstream_error", "the Sheets API answered 503")
SHRANK = {"code": "sheet_shrank", "message": "Project A: 11 of 12 accounts have lost their rows"}
TYPO = {"code": "invalid_number", "message": "Project A!B2: '12 or 13' is not a count"}


@dataclass(frozen=True)
class Numbers:
    state: RunState
    error_count: int = 0
    degraded: bool = False
    error_code: str | None = None


@dataclass(frozen=True)
class Counted(Numbers):
    success_count: int = 0
    skipped_count: int = 0
    remaining: int = 0


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"tried": 2}, "succeeded"),
        ({}, "succeeded"),
        ({"tried": 2, "remaining": 1}, "partial"),
        ({"tried": 2, "failed": 1}, "partial"),
        ({"tried": 2, "partly": 1}, "partial"),
        ({"tried": 2, "partly": 2}, "partial"),
        ({"tried": 2, "failed": 1, "partly": 1}, "partial"),
        ({"tried": 2, "failed": 2}, "failed"),
        ({"tried": 2, "failed": 2, "remaining": 1}, "failed"),
        ({"unopened": True}, "failed"),
        ({"unread": True}, "partial"),
        ({"tried": 2, "unopened": True}, "partial"),
        ({"tried": 2, "unread": True}, "partial"),
        ({"tried": 2, "remaining": 1, "stopped": True}, "cancelled"),
        ({"tried": 2, "failed": 2, "remaining": 1, "stopped": True}, "cancelled"),
        ({"tried": 2, "stopped": True}, "succeeded"),
    ],
    ids=str,
)
def test_what_was_done_and_left_is_a_state(facts: dict[str, Any], state: RunState) -> None:
    nothing: dict[str, Any] = {
        "tried": 0, "failed": 0, "partly": 0, "remaining": 0, "unread": False, "unopened": False, "stopped": False,
    }  # fmt: skip

    assert state_of(**(nothing | facts)) == state


@pytest.mark.parametrize(
    ("run", "success", "status", "strict", "code", "level", "label"),
    [
        (Numbers("running"), True, 202, 202, 0, logging.INFO, "running"),
        (Numbers("succeeded"), True, 200, 200, 0, logging.INFO, "succeeded"),
        (Numbers("partial"), True, 200, 200, 0, logging.INFO, "partial"),
        (Numbers("succeeded", degraded=True), True, 200, 200, 0, logging.WARNING, "degraded"),
        (Numbers("partial", 1, error_code="not_shared"), False, 200, 502, 2, logging.ERROR, "partial"),
        (Numbers("partial", 1, True, "sheet_shrank"), False, 200, 502, 2, logging.ERROR, "partial"),
        (Numbers("partial", 0, False, "bad_encoding"), False, 200, 502, 2, logging.ERROR, "partial"),
        (Numbers("failed", 1, False, "not_shared"), False, 502, 502, 2, logging.ERROR, "failed"),
        (Numbers("cancelled", 0, False, "shutting_down"), False, 503, 503, 2, logging.ERROR, "cancelled"),
        (Numbers("abandoned", 0, False, "abandoned"), False, 503, 503, 2, logging.ERROR, "abandoned"),
    ],
    ids=str,
)
def test_every_door_says_the_same_of_a_run(
    run: Numbers, success: bool, status: int, strict: int, code: int, level: int, label: str
) -> None:
    assert succeeded(run) is success
    assert (status_of(run), status_of(run, strict=True)) == (status, strict)
    assert (exit_code(run), log_level(run), run_label(run)) == (code, level, label)


@pytest.mark.parametrize("state", get_args(RunState))
@pytest.mark.parametrize("errors", [0, 1])
@pytest.mark.parametrize("code", [None, "not_shared"])
def test_success_is_never_true_when_something_failed(state: RunState, errors: int, code: str | None) -> None:
    run = Numbers(state, errors, error_code=code)

    assert not (succeeded(run) and (errors or code))
    assert succeeded(run) is (not errors and not code and state in (*LIVE_STATES, "succeeded", "partial"))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (judge_project(None, ()), ProjectVerdict(True, False)),
        (judge_project(None, [TYPO]), ProjectVerdict(True, False)),
        (judge_project(None, [TYPO, SHRANK]), ProjectVerdict(False, True, "sheet_shrank", SHRANK["message"])),
        *(
            (judge_project(None, [{"code": code, "message": "m"}]), ProjectVerdict(False, True, code, "m"))
            for code in ("column_shrank", "column_gone", "cut_file")
        ),
        (judge_project(AWAY, (), away=True), ProjectVerdict(True, True, *AWAY)),
        (judge_project(AWAY, (), away=True, long=True), ProjectVerdict(False, True, *AWAY)),
        (judge_project(AWAY, ()), ProjectVerdict(False, False, *AWAY)),
    ],
    ids=["whole", "a typo", "guarded", "fewer values", "no column", "cut off", "away", "long away", "not readable"],
)
def test_what_became_of_a_project_is_whole_degraded_or_failed(found: ProjectVerdict, verdict: ProjectVerdict) -> None:
    assert found == verdict
    assert found.whole is (found.success and not found.degraded)


def result(name: str, **what: Any) -> ProjectResult:
    return ProjectResult(name, name, **what)


WHOLE, SKIPPED = result("A"), result("B", skipped="paused")
DEGRADED = result("C", degraded=True, error="no answer")
GUARDED = result("D", success=False, degraded=True, error="shrank")
FAILED = result("E", success=False, error="not shared")


def test_the_worst_comes_first_and_else_the_order_stands() -> None:
    found = worst_first([WHOLE, SKIPPED, DEGRADED, GUARDED, FAILED, WHOLE])

    assert found == [FAILED, GUARDED, DEGRADED, WHOLE, SKIPPED, WHOLE]
    assert [result_state(one) for one in found[:5]] == ["failed", "degraded", "degraded", "synced", "skipped"]


def test_how_many_were_tried_failed_or_were_kept_from_being_whole() -> None:
    assert count_states([WHOLE, SKIPPED, DEGRADED, GUARDED, FAILED, FAILED]) == (5, 2, 1)
    assert count_states([WHOLE, WHOLE, SKIPPED]) == (2, 0, 0)
    assert count_states([GUARDED, GUARDED, FAILED]) == (3, 1, 2)


def test_a_result_is_logged_as_loudly_as_it_is_bad() -> None:
    levels = [result_level(one) for one in (WHOLE, SKIPPED, DEGRADED, GUARDED, FAILED)]

    assert levels == [logging.INFO, logging.INFO, logging.WARNING, logging.ERROR, logging.ERROR]


def test_a_live_run_that_is_silent_for_more_than_a_minute_has_stalled() -> None:
    assert stalled(60.0) is None
    assert stalled(60.5) is not None
    assert (stalled(61.4) or "").startswith("no sign of progress for 61 s;")


def test_a_live_run_that_has_stalled_is_no_success() -> None:
    run = Numbers("running", error_code="stalled")

    assert (status_of(run), status_of(run, strict=True), exit_code(run)) == (202, 502, 2)


def test_a_run_says_in_words_how_much_it_did() -> None:
    run = Counted("partial", 2, success_count=3, skipped_count=4, remaining=1)

    assert run_words(run) == "partial: 3 projects done, 2 failed, 4 skipped, 1 left"
    assert run_words(replace(run, success_count=1)) == "partial: 1 project done, 2 failed, 4 skipped, 1 left"


def test_reasons_name_who_is_not_whole_and_why() -> None:
    assert reasons([WHOLE, SKIPPED]) is None
    assert reasons([WHOLE, DEGRADED, FAILED], ["tab 'x': garbled"]) == "E: not shared; C: no answer; tab 'x': garbled"


def test_a_reason_that_names_its_project_is_not_told_with_the_name_twice() -> None:
    shrank = result("A", success=False, degraded=True, error="A: 9 of 9 accounts have lost their rows")
    column = result("B", success=False, degraded=True, error="B!C: 9 of 9 values have gone")

    assert reasons([shrank, column]) == f"{shrank.error}; {column.error}"


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("A", "A: shrank", "A: shrank"),
        ("A", "A!B2: shrank", "A!B2: shrank"),
        ("A", "AA: shrank", "A: AA: shrank"),
        ("A", "B: shrank", "A: B: shrank"),
    ],
)
def test_only_a_reason_that_begins_with_the_projects_name_goes_without_it(name: str, reason: str, said: str) -> None:
    assert reasons([result(name, success=False, error=reason)]) == said


def test_a_reason_of_several_projects_names_them_though_it_names_one_itself() -> None:
    both = [result(name, success=False, error="A: shrank") for name in "AB"]

    assert reasons(both) == "A, B: A: shrank"


@pytest.mark.parametrize(("many", "who"), [(3, "P0, P1, P2"), (4, "P0, P1, P2 and 1 more")])
def test_three_projects_that_share_a_reason_are_named(many: int, who: str) -> None:
    assert reasons([result(f"P{n}", success=False, error="not shared") for n in range(many)]) == f"{who}: not shared"


@pytest.mark.parametrize(("many", "tail"), [(5, ""), (6, "; and 1 more"), (7, "; and 2 more")])
def test_five_reasons_are_told(many: int, tail: str) -> None:
    said = reasons([result(f"P{n}", success=False, error=f"reason {n}") for n in range(many)])

    assert said == "; ".join(f"P{n}: reason {n}" for n in range(5)) + tail


def test_a_long_name_is_cut_to_sixty_letters_and_a_lone_reason_to_nine_hundred() -> None:
    long, short = result("N" * 61, success=False, error="x" * 900), result("N" * 60, success=False, error="x" * 838)

    assert reasons([short]) == f"{'N' * 60}: {'x' * 838}"
    assert reasons([long]) == f"{'N' * 59}…: {'x' * 837}…"
    assert len(reasons([long]) or "") == 900


def test_a_reason_has_forty_letters_however_long_the_names_are() -> None:
    names = [f"{n}{m}" + "N" * 58 for n in range(5) for m in range(3)]
    many = [result(name, success=False, error=f"{name[0]}" + "x" * 60) for name in names]

    said = reasons(many)

    assert said is not None
    assert f": 0{'x' * 38}…; 10NN" in said


def test_a_project_that_failed_without_words_points_to_the_log() -> None:
    assert reasons([result("A", success=False)]) == "A: see the log"


def test_reasons_put_projects_with_one_reason_together_and_stay_short() -> None:
    many = [result(f"P{n}", success=False, error="not shared" if n % 2 else f"{n} " + "x" * 900) for n in range(40)]

    said = reasons(many)

    assert said is not None
    assert "P1, P3, P5 and 17 more: not shared" in said
    assert said.endswith("; and 16 more")
    assert len(said) < 1000


@pytest.mark.parametrize(
    ("values", "stale", "state"),
    [
        ({"synced_at": 1}, False, "fresh"),
        ({"synced_at": 1}, True, "stale"),
        ({}, True, "new"),
        ({"synced_at": 1, "failures": 2}, True, "failed"),
        ({"synced_at": 1, "failures": 2, "degraded_since": 1}, True, "degraded"),
        ({"status": "paused", "failures": 2}, True, "paused"),
        ({"removed_at": 1, "status": "paused"}, True, "removed"),
    ],
    ids=str,
)
def test_a_project_is_in_one_state_the_worst(values: dict[str, Any], stale: bool, state: str) -> None:
    assert project_state(Project("id", "Project A", **values), stale=stale) == state


def test_a_project_at_work_is_running_whatever_became_of_it_before() -> None:
    project = Project("id", "Project A", status="paused", failures=2)

    assert project_state(project, stale=True, syncing=True) == "running"


@pytest.mark.parametrize(
    ("failed", "hands", "said"),
    [
        (0, 0, None),
        (0, 1, "1 of 6 projects needs a hand"),
        (0, 2, "2 of 6 projects need a hand"),
        (1, 0, "1 of 6 projects failed"),
        (1, 1, "1 of 6 projects failed, 1 needs a hand"),
        (1, 2, "1 of 6 projects failed, 2 need a hand"),
    ],
)
def test_how_all_projects_stand_is_one_line(failed: int, hands: int, said: str | None) -> None:
    states: list[ProjectState] = ["failed" if place < failed else "fresh" for place in range(6)]

    assert standing_words(states, hands) == said
