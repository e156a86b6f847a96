"""Alerts: what somebody has to know, who is told of it, and which numbers are watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from flask import Response

from webapp import actions, store, web
from webapp.alerts import Mail
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.shapes.alerts import (
    AlertAnswer,
    AlertList,
    AlertOut,
    MuteAnswer,
    MuteUpdate,
    NewThreshold,
    RecipientOut,
    ThresholdAnswer,
    ThresholdList,
    Trial,
    TrialAnswer,
    alert_out,
    mute_out,
    threshold_out,
)
from webapp.api.shapes.corrections import Done
from webapp.api.shapes.fields import Identifier, says
from webapp.clock import Clock
from webapp.rules.alert_kinds import Rule, State
from webapp.store.db import Database

if TYPE_CHECKING:
    from webapp.rules.alerts import Mute
    from webapp.store.alerts import Alert

NO_STORE = {"Cache-Control": "no-store"}


class AlertsQuery(msgspec.Struct):
    state: Annotated[State | Literal["all"], says("`open`: it is so now")] = "open"
    project_id: Annotated[Identifier | None, says("only of this project")] = None
    rule: Annotated[Rule | None, says("only of this rule")] = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000, description="alerts at most")] = 100


class AcknowledgeQuery(msgspec.Struct):
    by: Annotated[str, msgspec.Meta(max_length=100, description="who knows of it")] | None = None


class UnmuteQuery(msgspec.Struct):
    rule: Annotated[Rule | None, says("of the mute; left out: of every rule")] = None
    project_id: Annotated[Identifier | None, says("of the mute; left out: of every project")] = None


class ThresholdsQuery(msgspec.Struct):
    project_id: Annotated[Identifier | None, says("only of this project")] = None


def list_alerts(asked: AlertsQuery) -> Response:
    """What somebody has to know, newest first, and how it is told."""
    state = None if asked.state == "all" else asked.state
    with web.get(Database).read() as tx:
        found = store.alerts.listed(tx, state=state, project_id=asked.project_id, rule=asked.rule, limit=asked.limit)
        unacknowledged, mutes = store.alerts.count_open(tx), store.alerts.mutes(tx)
        standing, refusals = store.outbox.standing(tx), store.outbox.refusals(tx)
    now = web.get(Clock).now()
    recipients = [
        RecipientOut(one.label, one.channel, *standing.get(one.name, store.outbox.Standing()), refusals.get(one.name))
        for one in _mail().recipients
    ]
    live = [mute_out(mute) for mute in mutes if mute.until is None or now < mute.until]
    body = AlertList([_out(alert, mutes) for alert in found], unacknowledged, live, recipients)
    return json_answer(body, headers=NO_STORE)


def acknowledge_alert(asked: AcknowledgeQuery, alert_id: int) -> Response:
    """Somebody knows of an alert: it stays open until it is over, and is marked no more. Again changes nothing."""
    alert = actions.alerts.acknowledge_alert(desk(), alert_id, asked.by)
    with web.get(Database).read() as tx:
        mutes = store.alerts.mutes(tx)
    return json_answer(AlertAnswer(success=True, alert=_out(alert, mutes)))


def put_mute(_: NoQuery, asked: MuteUpdate) -> Response:
    """Tell nobody of new alerts of a rule, of a project or of both. They are kept and shown as ever.

    Of those that are still open when the mute ends, people are told then.
    """
    mute = actions.alerts.mute_alerts(desk(), asked.rule, asked.project_id, asked.until)
    return json_answer(MuteAnswer(success=True, mute=mute_out(mute)))


def delete_mute(asked: UnmuteQuery) -> Response:
    """Tell people again. Where nothing was muted by just these words, nothing changes."""
    actions.alerts.unmute_alerts(desk(), asked.rule, asked.project_id)
    return json_answer(Done(success=True))


def try_alerts(_: NoQuery) -> Response:
    """Send everybody a message now, and say where it arrives. It takes as long as the slowest, 30 seconds at most."""
    tried = actions.alerts.send_trial(desk())
    success = all(one.error is None for one in tried)
    body = TrialAnswer(success, [Trial(one.label, one.error) for one in tried])
    return json_answer(body, status=200 if success else 502)


def list_thresholds(asked: ThresholdsQuery) -> Response:
    """The numbers that somebody watches."""
    with web.get(Database).read() as tx:
        found = store.thresholds.listed(tx, asked.project_id)
    return json_answer(ThresholdList([threshold_out(one) for one in found]), headers=NO_STORE)


def add_threshold(_: NoQuery, asked: NewThreshold, project_id: str) -> Response:
    """Watch a number: there is an alert when it crosses its line, and an end to it when it is back by 2 %.

    It is looked at after each sync that changes the project, and after the next one in any case. `fallen` and `risen`
    stand in for the percentages that are watched of every project.
    """
    added = actions.alerts.watch_number(desk(), project_id, asked.account_id, asked.metric, asked.kind, asked.value)
    return json_answer(ThresholdAnswer(success=True, threshold=threshold_out(added)), status=201)


def delete_threshold(_: NoQuery, threshold_id: int) -> Response:
    """Watch a number no more; its alert ends with one of the next syncs."""
    removed = actions.alerts.unwatch_number(desk(), threshold_id)
    return json_answer(ThresholdAnswer(success=True, threshold=threshold_out(removed)))


def _mail() -> Mail:
    return desk().engine.options.mail


def _out(alert: Alert, mutes: list[Mute]) -> AlertOut:
    from webapp.rules.alerts import is_muted  # noqa: PLC0415  few ask for alerts, and every start would pay

    muted = is_muted(alert.key, mutes, web.get(Clock).now())
    return alert_out(alert, actions.alerts.alert_links(desk(), alert), muted=muted)


ROUTES = (
    Route(
        "list_alerts",
        "alerts",
        "GET",
        "/api/admin/alerts",
        list_alerts,
        "admin",
        query=AlertsQuery,
        answers={200: AlertList},
    ),
    Route(
        "acknowledge_alert",
        "alerts",
        "POST",
        "/api/admin/alerts/<int:alert_id>/acknowledge",
        acknowledge_alert,
        "admin",
        query=AcknowledgeQuery,
        answers={200: AlertAnswer},
        problems=["alert_not_found"],
    ),
    Route(
        "put_mute",
        "alerts",
        "PUT",
        "/api/admin/alerts/mutes",
        put_mute,
        "admin",
        body=MuteUpdate,
        answers={200: MuteAnswer},
        problems=["project_not_found"],
    ),
    Route(
        "delete_mute",
        "alerts",
        "DELETE",
        "/api/admin/alerts/mutes",
        delete_mute,
        "admin",
        query=UnmuteQuery,
        answers={200: Done},
    ),
    Route(
        "test_alerts",
        "alerts",
        "POST",
        "/api/admin/alerts/test",
        try_alerts,
        "admin",
        answers={200: TrialAnswer, 502: Answer(TrialAnswer, "it did not arrive everywhere")},
        problems=["no_recipients"],
    ),
    Route(
        "list_thresholds",
        "alerts",
        "GET",
        "/api/admin/thresholds",
        list_thresholds,
        "admin",
        query=ThresholdsQuery,
        answers={200: ThresholdList},
    ),
    Route(
        "add_threshold",
        "alerts",
        "POST",
        "/api/admin/projects/<project_id>/thresholds",
        add_threshold,
        "admin",
        body=NewThreshold,
        answers={201: ThresholdAnswer},
        problems=["project_not_found", "account_not_found", "too_many_thresholds"],
    ),
    Route(
        "delete_threshold",
        "alerts",
        "DELETE",
        "/api/admin/thresholds/<int:threshold_id>",
        delete_threshold,
        "admin",
        answers={200: ThresholdAnswer},
        problems=["threshold_not_found"],
    ),
)
