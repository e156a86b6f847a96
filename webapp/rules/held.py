"""Held readings: an implausible one is kept aside, and the last good one stays until it is confirmed. Pure.

A person accepts or rejects it; two later readings that agree with it, hours apart, or a day, confirm it; a plausible
one withdraws it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from webapp.rules.doubts import agrees, implausible

PATIENCE = timedelta(hours=24)
AGREEING = 2
APART = timedelta(hours=6)  # two that agree, so that one slip of a platform is not its own witness

HeldState = Literal["held", "accepted", "rejected", "confirmed", "withdrawn"]


class HeldFacts(Protocol):
    """What is known of a reading that was kept aside. agreeing: later readings that agreed with it."""

    @property
    def value(self) -> int: ...
    @property
    def observed_at(self) -> datetime | None: ...
    @property
    def held_at(self) -> datetime | None: ...
    @property
    def agreeing(self) -> int: ...
    @property
    def state(self) -> HeldState: ...


class Holding(NamedTuple):
    """A reading kept aside, as it is from now on. observed_at: of the latest reading that decided about it."""

    value: int
    observed_at: datetime | None
    held_at: datetime
    agreeing: int
    state: HeldState


class Belief(NamedTuple):
    """What is believed of one metric of the platform.

    holding: the reading to be kept aside, or to be let go; None: there is none. anew: it is another one than was
    kept so far. timeless: the same will be believed as long as no input changes.
    """

    value: int | None
    holding: Holding | None = None
    anew: bool = False
    timeless: bool = True


def believe(
    reading: int | None,
    good: int | None,
    held: HeldFacts | None,
    *,
    seen_at: datetime | None,
    history: bool,
    now: datetime,
) -> Belief:
    """Whether a reading is believed.

    good: the last one that was. held: what was kept aside of this metric, or decided and is still what the platform
    says. seen_at: when the reading was made. history: the account has enough of it to judge by.
    """
    if reading is None:
        return Belief(good)
    if not (history and implausible(good, reading)):
        return Belief(reading, _withdraw(held, seen_at, now))
    if held is not None and agrees(reading, held.value):
        if held.state == "accepted":
            return Belief(reading)
        if held.state == "held":
            return _hold_on(reading, good, held, seen_at, now)
        # The platform repeats what was rejected: once it does not, that is over.
        return Belief(good, timeless=False)
    anew = held is None or held.state != "held"
    return Belief(good, Holding(reading, seen_at, now, 0, "held"), anew=anew, timeless=False)


def _withdraw(held: HeldFacts | None, seen_at: datetime | None, now: datetime) -> Holding | None:
    if held is None or held.state not in ("held", "rejected"):
        return None
    return Holding(held.value, seen_at, held.held_at or now, 0, "withdrawn")


def _hold_on(reading: int, good: int | None, held: HeldFacts, seen_at: datetime | None, now: datetime) -> Belief:
    later = _is_later(seen_at, held)
    agreeing = held.agreeing + later
    decided_by = seen_at if later else held.observed_at
    held_at = held.held_at or now
    if agreeing >= AGREEING or now - held_at >= PATIENCE:
        return Belief(reading, Holding(reading, decided_by, held_at, agreeing, "confirmed"))
    return Belief(good, Holding(reading, decided_by, held_at, agreeing, "held"), timeless=False)


def _is_later(seen_at: datetime | None, held: HeldFacts) -> bool:
    """Whether a reading bears witness of its own."""
    if seen_at is None or held.observed_at is None:
        return False
    return seen_at > held.observed_at if held.agreeing == 0 else seen_at - held.observed_at >= APART
