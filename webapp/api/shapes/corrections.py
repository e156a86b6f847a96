"""What a person decides about single numbers: held readings, pinned values, wrong snapshots, mistaken profiles."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Struct, UnsetType

from webapp.api.shapes.counts import CountsOut
from webapp.api.shapes.editing import AccountRecord
from webapp.api.shapes.fields import Count, DryRun, Note, Number, Time, says, zero_or_more
from webapp.api.shapes.metrics import MetricStruct, PerMetric, each
from webapp.api.shapes.rows import from_row
from webapp.clock import iso
from webapp.model import LONGEST_NOTE, Metric
from webapp.rules.held import HeldState

if TYPE_CHECKING:
    from webapp.store.doubts import ListedDoubt
    from webapp.store.held import Held, ListedHeld
    from webapp.store.pins import ListedPin, Pin

# Held readings


class HeldDecision(Struct):
    """An implausible reading that was kept aside, as it stands after the decision."""

    id: int
    account_id: int
    metric: Metric
    value: Number
    last_good: Annotated[int | None, says("what the platform said before")]
    observed_at: Time | None
    origin: str | None
    held_at: Time | None
    agreeing: Annotated[int, zero_or_more("later readings that agreed with it")]
    state: HeldState
    decided_at: Time | None


class HeldReading(HeldDecision, kw_only=True):
    """An implausible reading that was kept aside, with its account and project."""

    profile_url: str
    platform: str
    username: str | None
    project_id: str
    project_name: str


class HeldList(Struct):
    held: list[HeldReading]


class HeldAnswer(Struct):
    success: bool
    held: HeldDecision


# Doubts


class DoubtedValue(Struct):
    """A value of the Sheet that is far off the one before. It is shown, and history waits."""

    account_id: int
    profile_url: str
    platform: str
    username: str | None
    project_id: str
    metric: Metric
    value: Annotated[int, says("what the Sheet says")]
    last_credible: Annotated[int, says("what it said before")]
    since: Time


class DoubtList(Struct):
    doubts: list[DoubtedValue]


def doubted_value(row: ListedDoubt) -> DoubtedValue:
    return DoubtedValue(*row[:-1], since=iso(row.since))


# Pins


class PinnedValue(Struct):
    """A metric of an account that a person fixed."""

    account_id: int
    metric: Metric
    value: Number
    until: Annotated[Time | None, says("null: for good")]
    note: str | None


class PinOut(PinnedValue, kw_only=True):
    """A pinned value with its account and project."""

    pinned_at: Time | None
    profile_url: str
    project_id: str
    project_name: str


class PinList(Struct):
    pins: list[PinOut]


class PinUpdate(Struct, forbid_unknown_fields=True):
    """What a metric shall show."""

    value: Annotated[Count, says("what the metric shows from now on")]
    until: Annotated[datetime, msgspec.Meta(tz=True, description="the end of it; for good when left out")] | None = None
    note: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE, description="why, in your words")] | None = None


class PinAnswer(Struct):
    success: bool
    pin: PinnedValue


class Done(Struct):
    success: bool


# Snapshots


class SnapshotUpdate(MetricStruct, forbid_unknown_fields=True):
    """What the day's counts should be. A metric left out stays; null: it was not observed."""

    counts: PerMetric[Count | UnsetType | None] = each(UNSET)
    note: Note | None = None


class SnapshotAnswer(Struct):
    """One day's counts before and after; `after` null: the day has no snapshot any more."""

    success: bool
    dry_run: bool
    account_id: int
    day: date
    before: CountsOut
    after: CountsOut | None


# Profiles


class UrlCorrection(Struct, forbid_unknown_fields=True):
    """The profile URL that the account should have had."""

    profile_url: str
    dry_run: DryRun = False
    note: Note | None = None


class UrlAnswer(Struct):
    """The account before and after; its `aliases` are the names it goes on to be known by."""

    success: bool
    dry_run: bool
    before: AccountRecord
    account: AccountRecord


class AccountMerge(Struct, forbid_unknown_fields=True):
    """Which account goes on."""

    into: Annotated[int, msgspec.Meta(ge=1, description="id of another account of the project")]
    dry_run: DryRun = False
    note: Note | None = None


class MergedDay(Struct):
    """A day that both have a snapshot of: what stays, and what goes to the audit log."""

    day: date
    kept: CountsOut
    left_out: CountsOut


class MergeAnswer(Struct):
    """source: the account as it was, which is no more. account: the one that goes on, as it is now.

    days_taken: days that only the source had a snapshot of. observations_taken, pins_taken: what only it had.
    aliases_taken: url_keys that mean the account from now on.
    """

    success: bool
    dry_run: bool
    source: AccountRecord
    account: AccountRecord
    days_taken: list[date]
    days_kept: list[MergedDay]
    observations_taken: list[str]
    pins_taken: list[str]
    aliases_taken: list[str]


def held_reading(row: ListedHeld) -> HeldReading:
    return from_row(HeldReading, row)


def held_decision(row: Held) -> HeldDecision:
    return from_row(HeldDecision, row)


def pinned_value(pin: Pin) -> PinnedValue:
    return from_row(PinnedValue, pin)


def pin_out(row: ListedPin) -> PinOut:
    return from_row(PinOut, row)
