"""Spreadsheets as they last answered, and the tabs of theirs that nobody wants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from webapp.rules.due import TOLERANCE
from webapp.store.backends.dialect import counted, insert_for, insert_into
from webapp.store.statement import Ready, bind_ids, texts_in, values_of
from webapp.store.tables import ignored_tabs, spreadsheets


@dataclass(frozen=True)
class Spreadsheet:
    """What a spreadsheet last said. `since`: when it came into this state; `checked_at`: when it was last asked."""

    key: str
    title: str | None
    locale: str | None
    state: Literal["ok", "degraded", "failed"]
    since: datetime | None
    code: str | None
    message: str | None
    checked_at: datetime | None


def listed(tx: sa.Connection) -> list[Spreadsheet]:
    columns = [spreadsheets.c[name] for name in Spreadsheet.__dataclass_fields__]
    return [Spreadsheet(*row) for row in tx.execute(sa.select(*columns).order_by(spreadsheets.c.key))]


def put(tx: sa.Connection, seen: Spreadsheet) -> None:
    """Keep what a spreadsheet said; `since` stays while its state does, title and locale while it says none."""
    _put.run(tx, **vars(seen))


def _build_put(dialect: str) -> Any:
    statement = insert_into(dialect, spreadsheets).values(values_of(spreadsheets, Spreadsheet.__dataclass_fields__))
    new = statement.excluded
    kept = sa.case((spreadsheets.c.state == new.state, spreadsheets.c.since), else_=new.since)
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "title": sa.func.coalesce(new.title, spreadsheets.c.title),
            "locale": sa.func.coalesce(new.locale, spreadsheets.c.locale),
            "state": new.state,
            "since": kept,
            "code": new.code,
            "message": new.message,
            "checked_at": new.checked_at,
        },
    )


_put = Ready(_build_put)


def forget_others(tx: sa.Connection, keys: Sequence[str]) -> None:
    """Keep what these spreadsheets said, and nothing of those that are not configured any more."""
    _forget_others.run(tx, keys=bind_ids(tx, keys))


_forget_others = Ready(
    lambda _: spreadsheets.delete().where(spreadsheets.c.key.op("NOT IN")(texts_in(sa.bindparam("keys"))))
)


def away_since(tx: sa.Connection, key: str) -> datetime | None:
    """Since when a spreadsheet does not answer; None where it does, or nobody has asked yet."""
    where = (spreadsheets.c.key == key, spreadsheets.c.state == "degraded")
    return tx.execute(sa.select(spreadsheets.c.since).where(*where)).scalar()


def asked_lately(now: datetime, interval_minutes: int, sheets: Collection[str]) -> sa.Select[tuple[str]]:
    """Keys of those of the spreadsheets that were asked within the interval, and need not be asked by a tick now."""
    until = now + TOLERANCE
    since = until - timedelta(minutes=interval_minutes)
    lately = (spreadsheets.c.checked_at > since) & (spreadsheets.c.checked_at <= until)
    return sa.select(spreadsheets.c.key).where(spreadsheets.c.key.in_(sheets), lately)


def due(tx: sa.Connection, now: datetime, interval_minutes: int, sheets: Collection[str]) -> set[str]:
    """Keys of the spreadsheets to look through for new tabs: those not asked for so long, or in a wrong future."""
    return set(sheets) - set(tx.execute(asked_lately(now, interval_minutes, sheets)).scalars())


def ignored(tx: sa.Connection, spreadsheet: str | None) -> set[str]:
    """Worksheet ids of the tabs that are not to become projects."""
    return set(_ignored.column(tx, of=spreadsheet or ""))


_ignored = Ready(
    lambda _: sa.select(ignored_tabs.c.worksheet_id).where(ignored_tabs.c.spreadsheet == sa.bindparam("of"))
)


def ignored_list(tx: sa.Connection) -> list[Mapping[str, Any]]:
    """The ignored tabs with their titles."""
    return [dict(row) for row in tx.execute(sa.select(ignored_tabs).order_by(ignored_tabs.c.title)).mappings()]


def ignore(tx: sa.Connection, spreadsheet: str | None, gid: str, title: str | None, now: datetime) -> None:
    """Leave a tab alone from now on: it does not become a project. spreadsheet None: the default one."""
    row = {"spreadsheet": spreadsheet or "", "worksheet_id": gid, "title": title, "ignored_at": now}
    tx.execute(insert_for(tx, ignored_tabs).values(row).on_conflict_do_nothing())


def stop_ignoring(tx: sa.Connection, gid: str, spreadsheet: str | None, *, anywhere: bool = False) -> bool:
    """Take a tab back; whether it was ignored. anywhere: in whatever spreadsheet it is."""
    same = ignored_tabs.c.worksheet_id == gid
    if not anywhere:
        same &= ignored_tabs.c.spreadsheet == (spreadsheet or "")
    return counted(tx, ignored_tabs.delete().where(same)) > 0
