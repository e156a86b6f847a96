"""Why an account's counts are what they are."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from webapp.api.shapes.fields import Time, says
from webapp.api.shapes.metrics import MetricStruct, PerMetric
from webapp.rules.held import HeldState


class ExplainedObservation(Struct):
    """What one source says of a metric."""

    source: Literal["sheet", "parsed"]
    value: int | None
    believed: Annotated[int | None, says("what the last merge took; differs while a reading is held or new")]
    origin: Annotated[str | None, says("rows of the Sheet, or the platform")]
    cells: Annotated[list[str], says("where it stands, such as `Project A!E17`")]
    observed_at: Annotated[Time | None, says("since when the source has said so")]
    note: Annotated[str | None, says("`lowered`: the last edit made it smaller")]


class ExplainedPin(Struct):
    """A value that a person fixed."""

    value: int
    in_force: Annotated[bool, says("false: its time is over")]
    until: Annotated[Time | None, says("null: for good")]
    pinned_at: Time | None
    note: str | None


class ExplainedReading(Struct):
    """An implausible reading that was kept aside, and what became of it."""

    id: int
    value: int
    last_good: int | None
    origin: str | None
    observed_at: Time | None
    held_at: Time | None
    agreeing: int
    state: HeldState
    decided_at: Time | None


class ExplainedDoubt(Struct):
    """A value of the Sheet that is far off the one before."""

    value: Annotated[int, says("what the Sheet says")]
    last_credible: Annotated[int, says("what it said before")]
    since: Time


class ExplainedMetric(Struct):
    """One metric."""

    value: Annotated[int | None, says("the current count")]
    winner: Annotated[Literal["sheet", "parsed", "pin"] | None, says("whose value wins by now")]
    next_value: Annotated[int | None, says("what the next sync makes of it, if nothing changes; mostly the same")]
    manual: Annotated[bool, says("a value typed or pinned by a person stands against another reading")]
    manual_since: Time | None
    manual_days: Annotated[int | None, says("whole days that it has stood")]
    observations: list[ExplainedObservation]
    pin: ExplainedPin | None
    held: Annotated[list[ExplainedReading], says("newest first; of the last 50 of the account")]
    doubt: Annotated[ExplainedDoubt | None, says("the Sheet's value is shown, and history waits")]


class ExplainedRefusal(Struct):
    """Why a platform could not be read for the account; what it said last stands."""

    source: str | None
    code: str
    message: str | None
    since: Annotated[Time | None, says("the last attempt")]


class Explanation(MetricStruct):
    """An account's counts with everything that decides them."""

    account_id: int
    project_id: str
    project_name: str
    profile_url: str
    mode: Literal["auto", "manual", "off"]
    policy: Annotated[Literal["max", "sheet", "parsed"], says("in force here; mode manual follows the Sheet")]
    synced_at: Time | None
    unread: Annotated[ExplainedRefusal | None, says("null: nothing is wrong with reading it")]
    metrics: PerMetric[ExplainedMetric]
