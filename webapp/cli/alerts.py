"""`smart-sync alerts`: what somebody has to know, who is told of it, and which numbers are watched."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from typing import cast

import click

from webapp.actions import alerts as doing
from webapp.cli.root import open_parts, project_id_of
from webapp.cli.terminal import say
from webapp.clock import iso
from webapp.model import LARGEST, METRICS, Metric
from webapp.rules.alert_kinds import KINDS, RULES, Kind, State
from webapp.rules.alert_words import title_of
from webapp.rules.alerts import Mute, is_muted
from webapp.store import alerts as alert_rows
from webapp.store import outbox, thresholds
from webapp.store.alerts import Alert

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
STATES = {"open": "open", "closed": "closed", "all": None}


class Length(click.ParamType[timedelta]):
    """A length of time, such as 90m, 12h, 3d, 2w."""

    name = "length"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        found = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", str(value))
        if found is None:
            self.fail(f"{value!r} is not such as 90m, 12h, 3d or 2w", param, ctx)
        return timedelta(**{UNITS[found[2]]: int(found[1])})


@click.group()
def alerts() -> None:
    """What somebody has to know, who is told of it, and which numbers are watched."""


@alerts.command(name="list")
@click.option("--state", type=click.Choice(list(STATES)), default="open", show_default=True, help="Which of them.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Alerts at most.")
def list_alerts(*, state: str, limit: int) -> None:
    """Alerts, newest first, with the id that `ack` takes in front; then who is told."""
    with open_parts() as parts, parts.db.read() as tx:
        found = alert_rows.listed(tx, state=cast("State | None", STATES[state]), limit=limit)
        mutes, standing, refusals = alert_rows.mutes(tx), outbox.standing(tx), outbox.refusals(tx)
        now, recipients = parts.clock.now(), parts.engine.options.mail.recipients
    for alert in found:
        say(*_lines(alert, muted=is_muted(alert.key, mutes, now)))
    if not found:
        say("there is no alert" if state == "all" else f"no alert is {state}")
    for mute in mutes:
        if mute.until is None or now < mute.until:
            say(f"muted: {_mute_words(mute)}")
    for one in recipients:
        waits = standing.get(one.name, outbox.Standing())
        words = f"left alone: {refusals[one.name]}" if one.name in refusals else f"{waits.waiting} messages wait"
        say(f"told: {one.label}, {words}{f': {waits.error}' if waits.error else ''}")
    if not recipients:
        say("nobody is told: set SMART_SYNC_NOTIFY or SMART_SYNC_WEBHOOK_URL")


def _lines(alert: Alert, *, muted: bool) -> list[str]:
    marks = [alert.state, *(["muted"] if muted and alert.state == "open" else [])]
    if alert.acknowledged_at is not None:
        marks.append(f"acknowledged by {alert.acknowledged_by}")
    began = iso(alert.since or alert.opened_at)
    ended = f" until {iso(alert.closed_at)}" if alert.closed_at else ""
    return [
        f"{alert.id} {alert.level} {title_of(alert)} ({', '.join(marks)}), since {began}{ended}",
        f"    {alert.what}",
        f"    to do: {alert.advice}",
    ]


@alerts.command()
@click.argument("alert_id", type=click.IntRange(1, LARGEST))
@click.option("--by", default=lambda: os.environ.get("USER") or None, help="Who knows of it; by default $USER.")
def ack(*, alert_id: int, by: str | None) -> None:
    """Say that somebody knows of an alert: it stays open until it is over, and is marked no more."""
    with open_parts() as parts:
        alert = doing.acknowledge_alert(parts.desk.through("cli"), alert_id, by)
    say(f"{title_of(alert)}: acknowledged by {alert.acknowledged_by}")


def _mute_words(mute: Mute) -> str:
    rule = mute.rule or "every rule"
    project = f"project {mute.project_id}" if mute.project_id else "every project"
    return f"{rule} of {project}, {f'until {iso(mute.until)}' if mute.until else 'until it is taken back'}"


_rule = click.option("--rule", type=click.Choice(RULES), help="Only this rule.")
_project = click.option("--project", "which", metavar="WHICH", help="Only this project, by its id or name.")


@alerts.command()
@_rule
@_project
@click.option("--for", "length", type=Length(), help="How long, such as 90m, 12h, 3d, 2w; else until `unmute`.")
def mute(*, rule: str | None, which: str | None, length: timedelta | None) -> None:
    """Tell nobody of new alerts, for a while or until `unmute`. They are kept and shown as ever."""
    with open_parts() as parts:
        project_id = None if which is None else project_id_of(parts.db, which)
        until: datetime | None = None if length is None else parts.clock.now() + length
        muted = doing.mute_alerts(parts.desk.through("cli"), rule, project_id, until)
    say(f"muted: {_mute_words(muted)}")


@alerts.command()
@_rule
@_project
def unmute(*, rule: str | None, which: str | None) -> None:
    """Tell people again, of what was muted with the same options."""
    with open_parts() as parts:
        project_id = None if which is None else project_id_of(parts.db, which)
        was = doing.unmute_alerts(parts.desk.through("cli"), rule, project_id)
    if not was:
        raise click.ClickException("just that is not muted; `smart-sync alerts list` shows what is")
    say("people are told again")


@alerts.command()
def test() -> None:
    """Send everybody a message now, and say where it arrives. Exits with 2 when it does not everywhere."""
    with open_parts() as parts:
        tried = doing.send_trial(parts.desk.through("cli"))
    for one in tried:
        say(f"{one.label}: {one.error or 'it arrived'}")
    if any(one.error for one in tried):
        raise click.exceptions.Exit(2)


@alerts.command()
@click.argument("which")
@click.argument("metric", type=click.Choice(METRICS))
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("value", type=click.IntRange(0, LARGEST))
@click.option("--account", "account_id", type=click.IntRange(1, LARGEST), help="Of this account, not the total.")
def watch(*, which: str, metric: str, kind: str, value: int, account_id: int | None) -> None:
    """Watch a number of a project, WHICH is its id or name: `watch "Project A" followers below 100000`.

    `above` and `below` take a count; `fallen` and `risen` percent in 24 hours.
    """
    with open_parts() as parts:
        desk, project_id = parts.desk.through("cli"), project_id_of(parts.db, which)
        added = doing.watch_number(desk, project_id, account_id, cast("Metric", metric), cast("Kind", kind), value)
    say(f"watched from now on, as {added.id}")


@alerts.command()
@click.argument("threshold_id", type=click.IntRange(1, LARGEST))
def unwatch(*, threshold_id: int) -> None:
    """Watch a number no more; `watched` shows its id."""
    with open_parts() as parts:
        doing.unwatch_number(parts.desk.through("cli"), threshold_id)
    say("watched no more")


@alerts.command()
def watched() -> None:
    """The numbers that somebody watches, with the id that `unwatch` takes in front."""
    with open_parts() as parts, parts.db.read() as tx:
        found = thresholds.listed(tx)
    for one in found:
        whose = f"account {one.account_id}" if one.account_id is not None else "the total"
        say(f"{one.id} project {one.project_id}: {one.metric} of {whose} {one.kind} {one.value}")
    if not found:
        say("no number is watched")
