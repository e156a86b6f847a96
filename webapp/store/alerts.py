"""Alerts as they are kept: what somebody had to be told of, since when, and whether somebody knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.errors import NotFound
from webapp.model import LARGEST
from webapp.rules.alert_kinds import Level, Rule, State
from webapp.rules.alerts import Finding, Key, Mute, Standing
from webapp.store.backends.dialect import counted, insert_for
from webapp.store.statement import delete_some, upsert
from webapp.store.tables import alert_looks, alert_mutes, alerts, projects
from webapp.store.types import native


@dataclass(frozen=True)
class Alert:
    """One alert. Times are aware UTC. since: when it began, as far as is known; project_id None: of the whole service.

    calm_since: since when it is not so any more, of an open one. project_name: as the project is called now; its
    spreadsheet None: the default one.
    """

    id: int
    rule: Rule
    project_id: str | None
    subject: str
    level: Level
    state: State
    since: datetime | None
    opened_at: datetime
    calm_since: datetime | None
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    announced: bool
    what: str
    advice: str
    cell: str | None
    details: Mapping[str, Any] | None
    project_name: str | None = None
    spreadsheet: str | None = None
    worksheet_id: str | None = None

    @property
    def key(self) -> Key:
        return Key(self.rule, self.project_id, self.subject)

    @property
    def standing(self) -> Standing:
        known = self.acknowledged_at is not None
        return Standing(self.id, self.key, self.calm_since, self.announced, known)


_NAMES = [name for name in Alert.__dataclass_fields__ if name in alerts.c]
_OF_PROJECT = (projects.c.name, projects.c.spreadsheet, projects.c.worksheet_id)
_SELECT = sa.select(*(alerts.c[name] for name in _NAMES), *_OF_PROJECT).outerjoin_from(
    alerts, projects, projects.c.id == alerts.c.project_id
)
_OPEN = alerts.c.state == "open"
_COUNT = sa.select(sa.func.count()).where(_OPEN, alerts.c.acknowledged_at.is_(None))
_CALM = sa.select(sa.exists().where(_OPEN, alerts.c.calm_since.is_not(None)))


def _alert_of(row: Sequence[Any]) -> Alert:
    return Alert(*row)


def open_alerts(tx: sa.Connection, project_id: str | None = None) -> list[Alert]:
    """Those that are open, of one project or of all, in the order they began."""
    return listed(tx, state="open", project_id=project_id, limit=LARGEST)[::-1]


def listed(
    tx: sa.Connection, *, state: State | None, project_id: str | None = None, rule: str | None = None, limit: int
) -> list[Alert]:
    """Alerts, newest first. state None: whatever it is."""
    statement = _SELECT.order_by(alerts.c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(alerts.c.state == state)
    if project_id is not None:
        statement = statement.where(alerts.c.project_id == project_id)
    if rule is not None:
        statement = statement.where(alerts.c.rule == rule)
    return [_alert_of(row) for row in tx.execute(statement)]


def count_open(tx: sa.Connection) -> int:
    """Those that nobody has acknowledged."""
    return int(tx.execute(_COUNT).scalar_one())


def counts_open(tx: sa.Connection) -> dict[str, int]:
    """{project id: its alerts that nobody has acknowledged}."""
    mine = _OPEN & alerts.c.acknowledged_at.is_(None) & alerts.c.project_id.is_not(None)
    statement = sa.select(alerts.c.project_id, sa.func.count()).where(mine).group_by(alerts.c.project_id)
    return {row[0]: row[1] for row in tx.execute(statement)}


def any_calm(tx: sa.Connection) -> bool:
    """Whether any that is open may have come to its end."""
    return bool(tx.execute(_CALM).scalar())


def by_id(tx: sa.Connection, alert_id: int) -> Alert:
    """The alert.

    Raises: NotFound.
    """
    row = tx.execute(_SELECT.where(alerts.c.id == alert_id)).first() if alert_id <= LARGEST else None
    if row is None:
        raise NotFound(f"there is no alert {alert_id}", code="alert_not_found")
    return _alert_of(row)


# Changes


def key_text(key: Key) -> str:
    return f"{key.rule}|{key.project_id or ''}|{key.subject}"


def begin(tx: sa.Connection, finding: Finding, now: datetime, *, announced: bool, over: bool = False) -> int | None:
    """Keep an alert that begins; its id. None: another run has just done so. over: it has ended already."""
    rule, project_id, subject = finding.key
    row = {
        "key": key_text(finding.key),
        "rule": rule,
        "project_id": project_id,
        "subject": subject,
        "level": finding.level,
        "state": "closed" if over else "open",
        "since": finding.since,
        "opened_at": now,
        "closed_at": now if over else None,
        "announced": announced,
        "what": finding.what,
        "advice": finding.advice,
        "cell": finding.cell,
        "details": dict(finding.details),
    }
    statement = insert_for(tx, alerts).values(row).on_conflict_do_nothing().returning(alerts.c.id)
    found = tx.execute(statement).scalar()
    return None if found is None else int(found)


def put_calm(tx: sa.Connection, ids: Collection[int], since: datetime | None) -> None:
    """Say of open alerts since when they are calm; None: they are not."""
    if ids:
        tx.execute(alerts.update().where(alerts.c.id.in_(ids), _OPEN).values(calm_since=since))


def announce(tx: sa.Connection, alert_id: int) -> bool:
    """Somebody is told now; False when somebody was already."""
    waiting = (alerts.c.id == alert_id) & _OPEN & ~alerts.c.announced
    return counted(tx, alerts.update().where(waiting).values(announced=True)) == 1


def end(tx: sa.Connection, alert_id: int, now: datetime) -> bool:
    """Close an alert; False when it was closed already."""
    return counted(tx, alerts.update().where(alerts.c.id == alert_id, _OPEN).values(state="closed", closed_at=now)) == 1


def acknowledge(tx: sa.Connection, alert_id: int, by: str, now: datetime) -> bool:
    """Somebody knows; False when somebody did already."""
    unknown = (alerts.c.id == alert_id) & alerts.c.acknowledged_at.is_(None)
    return counted(tx, alerts.update().where(unknown).values(acknowledged_at=now, acknowledged_by=by)) == 1


_forget = delete_some(alerts, (alerts.c.state == "closed") & (alerts.c.closed_at < sa.bindparam("before")))


def forget(tx: sa.Connection, before: datetime, most: int) -> int:
    """Remove alerts that were over before a moment; how many."""
    return _forget.run(tx, before=before, most=most)


# Mutes


def mutes(tx: sa.Connection) -> list[Mute]:
    """What nobody is to be told of, also where its time has passed."""
    columns = [alert_mutes.c[name] for name in Mute._fields]
    return [Mute(*row) for row in tx.execute(sa.select(*columns).order_by(*columns[:2]))]


def mute(tx: sa.Connection, one: Mute, now: datetime) -> None:
    statement = insert_for(tx, alert_mutes).values(**one._asdict(), muted_at=now)
    changed = {"until": one.until, "muted_at": now}
    tx.execute(statement.on_conflict_do_update(index_elements=["rule", "project_id"], set_=changed))


def unmute(tx: sa.Connection, rule: str, project_id: str) -> bool:
    """Whether that was muted."""
    mine = (alert_mutes.c.rule == rule) & (alert_mutes.c.project_id == project_id)
    return counted(tx, alert_mutes.delete().where(mine)) == 1


# Looks


_put_look = upsert(alert_looks, ["id"])


def put_look(tx: sa.Connection, now: datetime) -> None:
    """It was looked just now for what costs more to find out."""
    _put_look.run(tx, [(1, native(tx, alert_looks.c.looked_at.type, now))])
