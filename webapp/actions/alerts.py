"""Alerts: a person knows of one, wants to hear of none for a while, or watches a number; and a message to try it out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from webapp.actions.desk import Desk
from webapp.actions.texts import clean_line
from webapp.alerts.messages import Tried, letters, links_of, page_link
from webapp.errors import Invalid, NotFound
from webapp.model import METRICS, Metric
from webapp.rules.alert_kinds import KINDS, RULES, Kind
from webapp.rules.alert_words import Links, trial
from webapp.rules.alerts import Mute
from webapp.store import accounts, alerts, outbox, projects, thresholds
from webapp.store.alerts import Alert
from webapp.store.projects import present_project
from webapp.store.thresholds import PER_PROJECT, Threshold

LONGEST_NAME = 100
LONGEST_MUTE = timedelta(days=366)


def acknowledge_alert(desk: Desk, alert_id: int, by: str | None = None) -> Alert:
    """Somebody knows of an alert: it stays open, and is marked no more. by: who; None: as the door is called.

    Raises: NotFound; Invalid for a name that is no line of text.
    """
    who = desk.door if by is None else clean_line("by", by, LONGEST_NAME)
    with desk.edit() as edit:
        alert = alerts.by_id(edit.tx, alert_id)
        if alerts.acknowledge(edit.tx, alert_id, who, edit.now):
            edit.audit("alert.acknowledge", f"alert:{alert_id}", None, {"by": who, "rule": alert.rule})
        return alerts.by_id(edit.tx, alert_id)


def alert_links(desk: Desk, alert: Alert) -> Links:
    """Where to look at an alert."""
    sheets = desk.engine.sheets
    return links_of(desk.engine.options.mail.base_url, alert, sheets[0].key if sheets else None)


def mute_alerts(desk: Desk, rule: str | None, project_id: str | None, until: datetime | None) -> Mute:
    """Tell nobody of new alerts of a rule, of a project or of both, until a time or until it is taken back.

    They are kept and shown as ever; of those that are still open by then, people are told then. rule None: every one;
    project_id None: every project.

    Raises: NotFound; Invalid for an unknown rule, or a time that is over or more than a year away.
    """
    with desk.edit() as edit:
        if until is not None and not edit.now < until <= edit.now + LONGEST_MUTE:
            raise Invalid("until has to lie ahead, by a year at most", field="until", code="invalid_parameter")
        mute = Mute(_known_rule(rule), project_id or "", until)
        if project_id is not None:
            present_project(projects.get(edit.tx, project_id))
        alerts.mute(edit.tx, mute, edit.now)
        edit.audit("alert.mute", _target(mute), None, {"rule": mute.rule, "until": until and until.isoformat()})
        return mute


def unmute_alerts(desk: Desk, rule: str | None, project_id: str | None) -> bool:
    """Tell people again; whether just that was muted.

    Raises: Invalid for an unknown rule.
    """
    with desk.edit() as edit:
        mute = Mute(_known_rule(rule), project_id or "")
        muted = alerts.unmute(edit.tx, mute.rule, mute.project_id)
        if muted:
            edit.audit("alert.unmute", _target(mute), {"rule": mute.rule}, None)
        return muted


def _known_rule(rule: str | None) -> str:
    if rule is not None and rule not in RULES:
        raise Invalid(
            f"{rule[:40]!r} is no rule of alerts; there are {', '.join(RULES)}", field="rule", code="invalid_parameter"
        )
    return rule or ""


def _target(mute: Mute) -> str:
    return f"project:{mute.project_id}" if mute.project_id else "service"


def watch_number(
    desk: Desk, project_id: str, account_id: int | None, metric: Metric, kind: Kind, value: int
) -> Threshold:
    """Watch a number from now on. account_id None: the project's total. value: a count, or percent in 24 hours.

    Raises: NotFound; Invalid for what cannot be watched, or when the project has as many as it may have.
    """
    if metric not in METRICS or kind not in KINDS:
        raise Invalid(f"{metric} {kind} cannot be watched", field="kind", code="invalid_parameter")
    if account_id is not None and kind in ("fallen", "risen"):
        words = "how much has fallen or risen is watched of a project's totals, not of one account"
        raise Invalid(words, field="account_id", code="invalid_parameter")
    with desk.edit() as edit:
        project = present_project(projects.lock(edit.tx, project_id))
        if account_id is not None and accounts.get(edit.tx, account_id).project_id != project.id:
            raise NotFound(f"the project has no account {account_id}", code="account_not_found")
        if len(thresholds.listed(edit.tx, project.id)) >= PER_PROJECT:
            words = f"{PER_PROJECT} numbers of the project are watched already"
            raise Invalid(words, code="too_many_thresholds", hint="remove some")
        added = thresholds.add(edit.tx, project.id, account_id, metric, kind, value, edit.now)
        edit.audit("threshold.add", f"project:{project.id}", None, _values(added))
        return added


def unwatch_number(desk: Desk, threshold_id: int) -> Threshold:
    """Watch a number no more; its alert ends with the next sync.

    Raises: NotFound.
    """
    with desk.edit() as edit:
        found = thresholds.by_id(edit.tx, threshold_id)
        if found is None or not thresholds.remove(edit.tx, threshold_id):
            raise NotFound(f"there is no threshold {threshold_id}", code="threshold_not_found")
        edit.audit("threshold.remove", f"project:{found.project_id}", _values(found), None)
        return found


def _values(threshold: Threshold) -> dict[str, Any]:
    names = ("id", "account_id", "metric", "kind", "value")
    return {name: getattr(threshold, name) for name in names}


def send_trial(desk: Desk) -> list[Tried]:
    """Send everybody a message now, and see whether it arrives. Who had asked to be left alone and takes it hears again.

    Raises: Invalid where nobody is told of anything.
    """
    if desk.postman is None:
        raise Invalid(
            "nobody is told of alerts",
            code="no_recipients",
            hint="set SMART_SYNC_NOTIFY or SMART_SYNC_WEBHOOK_URL; the demo tells nobody",
        )
    mail, now = desk.engine.options.mail, desk.clock.now()
    links = Links(page_link(mail.base_url, None))
    sent = letters(mail, "test", {"message": "This is a test."}, now, trial(links))
    tried = desk.postman.try_out(sent)
    with desk.db.write() as tx:
        for one in tried:
            if one.error is None:
                outbox.take_back(tx, one.recipient)
    return tried
