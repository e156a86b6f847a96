"""Messages on their way: written with what they tell of, sent after the commit, by whoever claims them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.store.backends.dialect import counted, insert_for
from webapp.store.statement import delete_some
from webapp.store.tables import alert_deliveries, alert_refusals
from webapp.store.types import UtcDateTime

Ending = Literal["sent", "failed", "dropped"]


class Message(NamedTuple):
    """What is to be sent, to whom. body: to the byte. not_before: when the recipient may be told."""

    message_id: str
    recipient: str
    event: str
    body: str
    not_before: datetime
    alert_id: int | None = None


class Delivery(NamedTuple):
    """A message that somebody has claimed. attempts: with this one."""

    id: int
    message_id: str
    recipient: str
    event: str
    body: str
    attempts: int
    created_at: datetime


LONGEST_WAIT = timedelta(hours=27)  # for the next attempt, or the end of quiet hours

_WAITING = alert_deliveries.c.state == "waiting"
_EARLIER = alert_deliveries.alias()
_OVERTAKING = sa.exists().where(  # one about the same alert waits before it
    _EARLIER.c.recipient == alert_deliveries.c.recipient,
    _EARLIER.c.alert_id == alert_deliveries.c.alert_id,
    _EARLIER.c.state == "waiting",
    _EARLIER.c.id < alert_deliveries.c.id,
)
_COLUMNS = [alert_deliveries.c[name] for name in Delivery._fields]


def put(tx: sa.Connection, messages: Sequence[Message], now: datetime) -> None:
    """Keep messages for whoever sends them, but those of recipients that asked to be left alone."""
    if not messages:
        return
    refused = refusals(tx)
    rows = [
        {
            "message_id": one.message_id,
            "recipient": one.recipient,
            "alert_id": one.alert_id,
            "event": one.event,
            "body": one.body,
            "created_at": now,
            "next_try_at": max(now, one.not_before),
        }
        for one in messages
        if one.recipient not in refused
    ]
    if rows:
        tx.execute(insert_for(tx, alert_deliveries).on_conflict_do_nothing(), rows)


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    """A time that no attempt is put off to was made by a clock that was ahead, and is not waited for."""
    then = alert_deliveries.c.next_try_at
    return (then <= now) | (then > now + LONGEST_WAIT)


def claim(tx: sa.Connection, recipient: str, now: datetime, until: datetime) -> Delivery | None:
    """Take the next message of a recipient that is due, in one statement. Nobody else takes it before `until`.

    Messages about one alert go in their order: the end of one never overtakes its beginning.
    """
    due = (_WAITING, alert_deliveries.c.recipient == recipient, _is_due(now))
    first = sa.select(sa.func.min(alert_deliveries.c.id)).where(*due, ~_OVERTAKING).scalar_subquery()
    statement = (
        alert_deliveries.update()
        .where(alert_deliveries.c.id == first, *due)
        .values(next_try_at=until, attempts=alert_deliveries.c.attempts + 1)
        .returning(*_COLUMNS)
    )
    row = tx.execute(statement).first()
    return None if row is None else Delivery(*row)


def end(tx: sa.Connection, delivery_id: int, state: Ending, now: datetime, error: str | None = None) -> None:
    """It was sent, or nobody tries any more."""
    values = {"state": state, "ended_at": now, "error": error}
    tx.execute(alert_deliveries.update().where(alert_deliveries.c.id == delivery_id, _WAITING).values(values))


def put_off(tx: sa.Connection, delivery_id: int, until: datetime, error: str) -> None:
    """It did not get there; when to try again."""
    mine = (alert_deliveries.c.id == delivery_id) & _WAITING
    tx.execute(alert_deliveries.update().where(mine).values(next_try_at=until, error=error))


def drop_untold(tx: sa.Connection, alert_id: int, now: datetime) -> set[str]:
    """Drop what waits for the end of quiet hours, of an alert that is over; who need not hear of its end either."""
    unsent = _WAITING & (alert_deliveries.c.attempts == 0) & (alert_deliveries.c.next_try_at > now)
    untold = (alert_deliveries.c.alert_id == alert_id) & unsent
    dropped = alert_deliveries.update().where(untold).values(state="dropped", ended_at=now)
    return set(tx.execute(dropped.returning(alert_deliveries.c.recipient)).scalars())


def due(tx: sa.Connection, now: datetime, recipients: Collection[str]) -> set[str]:
    """Those of the recipients for whom something is to be sent now."""
    statement = sa.select(alert_deliveries.c.recipient).where(
        _WAITING, alert_deliveries.c.recipient.in_(recipients), _is_due(now)
    )
    return set(tx.execute(statement.distinct()).scalars())


def next_try_at(tx: sa.Connection, recipient: str) -> datetime | None:
    """When the next of a recipient's messages may be sent; None: none waits."""
    mine = (_WAITING, alert_deliveries.c.recipient == recipient, ~_OVERTAKING)
    return tx.execute(sa.select(sa.func.min(alert_deliveries.c.next_try_at, type_=UtcDateTime())).where(*mine)).scalar()


class Standing(NamedTuple):
    """How a recipient's messages stand. waiting: to be sent; error: why the last that waits did not arrive yet."""

    waiting: int = 0
    error: str | None = None


def standing(tx: sa.Connection) -> dict[str, Standing]:
    """{recipient: how its messages stand}, of those for whom any wait."""
    last = sa.func.max(alert_deliveries.c.error)
    grouped = sa.select(alert_deliveries.c.recipient, sa.func.count(), last).where(_WAITING)
    return {row[0]: Standing(row[1], row[2]) for row in tx.execute(grouped.group_by(alert_deliveries.c.recipient))}


# Recipients that asked to be left alone


def refusals(tx: sa.Connection) -> Mapping[str, str]:
    """{recipient: why}."""
    found = tx.execute(sa.select(alert_refusals.c.recipient, alert_refusals.c.words))
    return {row[0]: row[1] or "" for row in found}


def refuse(tx: sa.Connection, recipient: str, words: str, now: datetime) -> None:
    """Send the recipient nothing more, also not what waits."""
    row: dict[str, Any] = {"recipient": recipient, "refused_at": now, "words": words}
    tx.execute(insert_for(tx, alert_refusals).values(row).on_conflict_do_nothing())
    mine = (alert_deliveries.c.recipient == recipient) & _WAITING
    tx.execute(alert_deliveries.update().where(mine).values(state="dropped", ended_at=now, error=words))


def take_back(tx: sa.Connection, recipient: str) -> bool:
    """Send the recipient again what comes from now on; whether it had refused."""
    return counted(tx, alert_refusals.delete().where(alert_refusals.c.recipient == recipient)) == 1


_forget = delete_some(alert_deliveries, alert_deliveries.c.created_at < sa.bindparam("before"))


def forget(tx: sa.Connection, before: datetime, most: int) -> int:
    """Remove messages from before a moment, sent or not; how many."""
    return _forget.run(tx, before=before, most=most)
