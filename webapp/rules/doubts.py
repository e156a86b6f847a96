"""Doubts: whether what a person typed is believed by history. Pure.

The value itself is taken for the current counts at once, because a person typed it. But a slip of the hand shall leave
no trace in history, and a real jump shall not be lost: an implausible value waits until something confirms it, and the
days on which it waited then get what was seen; or until it is corrected, and these days keep nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

IMPLAUSIBLE_FACTOR = 5
IMPLAUSIBLE_DISTANCE = 1_000
NOT_TO_ZERO = 10  # who has so many does not have none
AGREE_FACTOR = 2

HISTORY = timedelta(days=3)  # of a metric, before which nothing is doubted
PATIENCE = timedelta(hours=48)  # that confirms by itself
REGRET = timedelta(days=14)  # in which a value that only time confirmed may still turn out to be a slip


class Doubt(NamedTuple):
    """typed: what the sheet says. credible: what it said before. since: when the doubt began (aware UTC)."""

    typed: int
    credible: int
    since: datetime


class Timed(NamedTuple):
    """A doubt that nothing but time has ended. credible: what the sheet said before it. at: when it ended."""

    credible: int
    at: datetime


class Judgement(NamedTuple):
    """What becomes of a typed value.

    believed: it may stand in history. outcome: of an open doubt, or of a value that time alone had confirmed.
    doubt: the one that is open now. back_to: of `withdrawn`, the doubt that was right; those after it are over too.
    """

    believed: bool
    outcome: Literal["confirmed", "timed", "corrected", "restarted", "withdrawn"] | None = None
    doubt: Doubt | None = None
    back_to: Timed | None = None


BELIEVED = Judgement(believed=True)


def implausible(credible: int | None, value: int | None) -> bool:
    """Whether a value is too far from the last credible one of the same source to be taken at its word."""
    if credible is None or value is None:
        return False
    if value == 0 and credible >= NOT_TO_ZERO:
        return True
    if abs(value - credible) <= IMPLAUSIBLE_DISTANCE:
        return False
    return value >= credible * IMPLAUSIBLE_FACTOR or value * IMPLAUSIBLE_FACTOR <= credible


def agrees(a: int | None, b: int | None) -> bool:
    """Whether two values say the same thing: neither is more than twice the other."""
    return a is not None and b is not None and a <= AGREE_FACTOR * b and b <= AGREE_FACTOR * a


def judge(
    typed: int | None,
    before: int | None,
    *,
    doubt: Doubt | None,
    timed: Sequence[Timed],
    reading: int | None,
    now: datetime,
    seen: bool = True,
) -> Judgement:
    """What becomes of what the sheet says of a metric that has HISTORY.

    typed: what it says now; None: nothing. before: what it said at the last look. doubt: the one that is open.
    timed: those that ended by time, the oldest first. reading: what the platform says, believed or not. seen: the value
    was read just now, of an account that counts; else time confirms nothing.
    """
    plain = before if doubt is None else doubt.credible
    if typed is None or plain is None or not implausible(plain, typed):
        return BELIEVED if doubt is None else Judgement(believed=True, outcome="corrected")
    for one in timed:
        if now - one.at < REGRET and not implausible(one.credible, typed):
            return Judgement(believed=True, outcome="withdrawn", back_to=one)
    if doubt is not None:
        return _judge_again(typed, doubt, reading, now, seen=seen)
    if agrees(typed, reading):
        return BELIEVED
    return Judgement(believed=False, doubt=Doubt(typed, plain, now))


def _judge_again(typed: int, doubt: Doubt, reading: int | None, now: datetime, *, seen: bool) -> Judgement:
    if agrees(typed, reading):
        return Judgement(believed=True, outcome="confirmed")
    if implausible(doubt.typed, typed):  # another slip; what was seen of the first one is forgotten
        return Judgement(believed=False, outcome="restarted", doubt=Doubt(typed, doubt.credible, now))
    if seen and now - doubt.since >= PATIENCE:
        return Judgement(believed=True, outcome="timed")
    return Judgement(believed=False, doubt=doubt._replace(typed=typed))
