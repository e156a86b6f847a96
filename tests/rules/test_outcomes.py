"""What a run amounts to, for every door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import pytest

from webapp.model import LIVE_STATES, RunState
from webapp.rules.outcomes import exit_code, state_of, status_of, succeeded


@dataclass(frozen=True)
class Numbers:
    state: RunState
    error_count: int = 0
    remaining: int = 0


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"results": 2}, "succeeded"),
        ({}, "succeeded"),
        ({"results": 2, "remaining": 1}, "partial"),
        ({"results": 2, "errors": 1}, "partial"),
        ({"results": 2, "errors": 2}, "failed"),
        ({"results": 2, "errors": 2, "remaining": 1}, "failed"),
        ({"unread": True}, "failed"),
        ({"results": 2, "unread": True}, "succeeded"),
        ({"results": 2, "remaining": 1, "stopped": True}, "cancelled"),
        ({"results": 2, "errors": 2, "remaining": 1, "stopped": True}, "cancelled"),
        ({"results": 2, "stopped": True}, "succeeded"),
    ],
    ids=str,
)
def test_what_was_done_and_left_is_a_state(facts: dict[str, int], state: RunState) -> None:
    nothing = {"results": 0, "errors": 0, "remaining": 0, "unread": False, "stopped": False}

    assert state_of(**(nothing | facts)) == state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("run", "success", "status", "strict", "code"),
    [
        (Numbers("running"), True, 202, 202, 0),
        (Numbers("succeeded"), True, 200, 200, 0),
        (Numbers("partial", remaining=1), True, 200, 200, 2),
        (Numbers("partial", error_count=1), False, 200, 502, 2),
        (Numbers("failed"), False, 502, 502, 1),
        (Numbers("cancelled", remaining=1), False, 503, 503, 2),
        (Numbers("abandoned"), False, 503, 503, 2),
    ],
    ids=str,
)
def test_every_door_says_the_same_of_a_run(run: Numbers, success: bool, status: int, strict: int, code: int) -> None:
    assert succeeded(run) is success
    assert (status_of(run), status_of(run, strict=True)) == (status, strict)
    assert exit_code(run) == code


@pytest.mark.parametrize("state", get_args(RunState))
@pytest.mark.parametrize("errors", [0, 1])
def test_success_is_never_true_when_something_failed(state: RunState, errors: int) -> None:
    run = Numbers(state, error_count=errors)

    assert not (succeeded(run) and errors)
    assert succeeded(run) is (errors == 0 and state in (*LIVE_STATES, "succeeded", "partial"))
