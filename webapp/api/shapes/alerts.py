"""Alerts, who is told of them, what nobody is told of, and the numbers that somebody watches."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Struct

from webapp.alerts import Channel
from webapp.api.shapes.fields import Count, Identifier, Number, Time, says, zero_or_more
from webapp.api.shapes.rows import from_row
from webapp.clock import iso
from webapp.model import Metric
from webapp.rules.alert_kinds import Kind, Level, Rule, State

if TYPE_CHECKING:
    from webapp.rules.alert_words import Links
    from webapp.rules.alerts import Mute
    from webapp.store.alerts import Alert
    from webapp.store.thresholds import Threshold


class AlertOut(Struct):
    """Something that somebody has to know, from its beginning to its end."""

    id: int
    rule: Rule
    level: Annotated[Level, says("`problem`: something has to be mended; `risk`: a number to look at; `news`: none")]
    state: State
    title: str
    what: Annotated[str, says("what is so, in one line")]
    advice: Annotated[str, says("what to do")]
    project_id: Annotated[str | None, says("null: it is about the whole service")]
    project_name: str | None
    subject: Annotated[str, says("of what: a spreadsheet, platform, program, metric; empty where there is but one")]
    cell: Annotated[str | None, says("its place in the Sheet")]
    page_url: Annotated[str | None, says("null: nobody set SMART_SYNC_URL")]
    cell_url: str | None
    since: Annotated[Time | None, says("when it began, as far as is known")]
    opened_at: Time
    closed_at: Time | None
    calm_since: Annotated[Time | None, says("since when it is not so any more, of one that is still open")]
    acknowledged_at: Time | None
    acknowledged_by: str | None
    muted: Annotated[bool, says("nobody is told of it")]


class MuteOut(Struct):
    """What nobody is told of."""

    rule: Annotated[Rule | None, says("null: every rule")]
    project_id: Annotated[str | None, says("null: every project")]
    until: Annotated[Time | None, says("null: until it is taken back")]


class RecipientOut(Struct):
    """Whom messages go to. Nothing of it is secret."""

    label: str
    channel: Channel
    waiting: Annotated[int, zero_or_more("messages that are still to be sent")]
    error: Annotated[str | None, says("why the last attempt that failed did, while messages wait")]
    refused: Annotated[str | None, says("why it is left alone; a test that arrives ends that")]


class AlertList(Struct):
    """Alerts, newest first, and how they are told. unacknowledged: open ones that nobody knows of, of all there are."""

    alerts: list[AlertOut]
    unacknowledged: Number
    mutes: list[MuteOut]
    recipients: list[RecipientOut]


class AlertAnswer(Struct):
    success: bool
    alert: AlertOut


class MuteUpdate(Struct, forbid_unknown_fields=True):
    """What nobody is to be told of: a rule, a project or both; neither: nothing at all."""

    rule: Annotated[Rule | None, says("null: every rule")] = None
    project_id: Annotated[Identifier | None, says("null: every project")] = None
    until: (
        Annotated[datetime, msgspec.Meta(tz=True, description="the end of it; until taken back when left out")] | None
    ) = None


class MuteAnswer(Struct):
    success: bool
    mute: MuteOut


class Trial(Struct):
    """What became of one test message. error null: it arrived."""

    label: str
    error: str | None


class TrialAnswer(Struct):
    """success: it arrived everywhere."""

    success: bool
    recipients: list[Trial]


class ThresholdOut(Struct):
    """A number that somebody watches."""

    id: int
    project_id: str
    account_id: Annotated[int | None, says("null: the project's total")]
    metric: Metric
    kind: Annotated[Kind, says("`above`, `below` a count; `fallen`, `risen` by so many percent in 24 hours")]
    value: Number
    created_at: Time | None


class ThresholdList(Struct):
    thresholds: list[ThresholdOut]


class NewThreshold(Struct, forbid_unknown_fields=True):
    """A number of the project to watch from now on."""

    metric: Metric
    kind: Annotated[Kind, says("`above`, `below` a count; `fallen`, `risen` by so many percent in 24 hours")]
    value: Count
    account_id: Annotated[int, msgspec.Meta(ge=1, description="null: the project's total")] | None = None


class ThresholdAnswer(Struct):
    success: bool
    threshold: ThresholdOut


def alert_out(alert: Alert, links: Links, *, muted: bool) -> AlertOut:
    from webapp.rules.alert_words import title_of  # noqa: PLC0415  few ask for alerts, and every start would pay

    return from_row(AlertOut, alert, title=title_of(alert), page_url=links.page, cell_url=links.cell, muted=muted)


def mute_out(mute: Mute) -> MuteOut:
    return msgspec.convert(
        {"rule": mute.rule or None, "project_id": mute.project_id or None, "until": iso(mute.until)}, MuteOut
    )


def threshold_out(threshold: Threshold) -> ThresholdOut:
    return from_row(ThresholdOut, threshold)
