"""The page of alerts: what somebody has to know, what is watched, who is told, and what nobody is told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import Response, request

from webapp import web
from webapp.actions import alerts as doing
from webapp.alerts import Mail, Recipient
from webapp.alerts.messages import Tried
from webapp.clock import Clock
from webapp.dashboard.desk import desk
from webapp.dashboard.entrance import FORM_LIMIT
from webapp.dashboard.fields import count_of, metric_of
from webapp.dashboard.questions import links, page_in_query
from webapp.dashboard.rendering import count_alerts, page, redirect_to
from webapp.errors import Invalid
from webapp.rules.alert_kinds import KINDS, Kind
from webapp.rules.alert_words import Links, title_of
from webapp.rules.alerts import Mute, is_muted
from webapp.store import alerts, outbox, projects, thresholds
from webapp.store.alerts import Alert
from webapp.store.db import Database
from webapp.store.outbox import Standing
from webapp.store.thresholds import Threshold

CLOSED = 40
PER_PAGE = 30  # of those that are open
WATCHED = 40
MUTES = {"12": "12 hours", "72": "3 days", "336": "2 weeks", "": "until taken back"}


@dataclass(frozen=True)
class AlertLine:
    """An alert and where to look at it."""

    alert: Alert
    title: str
    links: Links
    muted: bool


@dataclass(frozen=True)
class WatchedLine:
    """A number that somebody watches, and whose it is."""

    threshold: Threshold
    project: str


@dataclass(frozen=True)
class RecipientLine:
    """Whom messages go to, and how they stand. refused: why it is left alone; None: it is not."""

    recipient: Recipient
    standing: Standing
    refused: str | None


def alert_list() -> Response:
    """What somebody has to know."""
    return _show()


def _show(status: int = 200, tried: Sequence[Tried] = ()) -> Response:
    mine, now = desk(), web.get(Clock).now()
    with web.get(Database).read() as tx:
        mutes = alerts.mutes(tx)
        names = projects.names(tx)
        found = alerts.open_alerts(tx)[::-1]
        ended = alerts.listed(tx, state="closed", limit=CLOSED)
        count_alerts(tx)
        watched, told = thresholds.listed(tx), _told(tx, mine.engine.options.mail)

    def line(alert: Alert) -> AlertLine:
        return AlertLine(alert, title_of(alert), doing.alert_links(mine, alert), is_muted(alert.key, mutes, now))

    pages = max(1, -(-len(found) // PER_PAGE))
    at = min(page_in_query(), pages)
    return page(
        "alerts.html",
        status,
        found=[line(alert) for alert in found[(at - 1) * PER_PAGE : at * PER_PAGE]],
        count=len(found),
        at=at,
        pages=pages,
        ended=[line(alert) for alert in ended],
        watched=[WatchedLine(one, names.get(one.project_id, one.project_id)) for one in watched[:WATCHED]],
        watched_count=len(watched),
        mutes=[(one, _mute_words(one, names)) for one in mutes if one.until is None or now < one.until],
        told=told,
        tried=tried,
        projects=sorted(names.items(), key=lambda pair: pair[1]),
        lengths=MUTES,
        kinds=KINDS,
        **links(),
    )


def _told(tx: sa.Connection, mail: Mail) -> list[RecipientLine]:
    standing, refusals = outbox.standing(tx), outbox.refusals(tx)
    return [RecipientLine(one, standing.get(one.name, Standing()), refusals.get(one.name)) for one in mail.recipients]


def _mute_words(mute: Mute, names: Mapping[str, str]) -> str:
    rule = mute.rule or "Every rule"
    return f"{rule} of {names.get(mute.project_id, mute.project_id) if mute.project_id else 'every project'}"


# What people do


def acknowledge(alert_id: int) -> Response:
    """Somebody knows of an alert."""
    alert = doing.acknowledge_alert(desk(), alert_id)
    return redirect_to(_back(alert))


def _back(alert: Alert) -> str:
    """The page that the form stood on."""
    on_project = request.args.get("from") == "project" and alert.project_id is not None
    return f"/projects/{alert.project_id}" if on_project else "/alerts"


def mute() -> Response:
    """Tell nobody, for a while or until it is taken back."""
    request.max_content_length = FORM_LIMIT
    hours = request.form.get("hours", "")
    if hours not in MUTES:
        raise Invalid(f"hours: {hours[:20]!r} is not offered", field="hours", code="invalid_parameter")
    until = web.get(Clock).now() + timedelta(hours=int(hours)) if hours else None
    doing.mute_alerts(desk(), request.form.get("rule") or None, request.form.get("project_id") or None, until)
    return redirect_to("/alerts#muted")


def unmute() -> Response:
    """Tell people again."""
    request.max_content_length = FORM_LIMIT
    doing.unmute_alerts(desk(), request.form.get("rule") or None, request.form.get("project_id") or None)
    return redirect_to("/alerts#muted")


def try_out() -> Response:
    """Send everybody a message, and show where it arrived."""
    return _show(tried=doing.send_trial(desk()))


def watch() -> Response:
    """Watch a number of a project."""
    request.max_content_length = FORM_LIMIT
    said = request.form
    metric, kind, value = said.get("metric", ""), said.get("kind", ""), said.get("value", "")
    doing.watch_number(desk(), said.get("project_id", ""), None, metric_of(metric), _kind(kind), count_of(value))
    return redirect_to("/alerts#watched")


def unwatch(threshold_id: int) -> Response:
    """Watch a number no more."""
    doing.unwatch_number(desk(), threshold_id)
    return redirect_to("/alerts#watched")


def _kind(text: str) -> Kind:
    found = next((kind for kind in KINDS if kind == text), None)
    if found is None:
        raise Invalid(f"{text[:20]!r} is no way to watch a number", field="kind", code="invalid_parameter")
    return found
