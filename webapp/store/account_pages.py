"""The accounts of a project, page by page, in the order of a number or of their ids."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from webapp.model import Metric
from webapp.store.accounts import ACCOUNT_COLUMNS, Account
from webapp.store.standing import in_scope
from webapp.store.statement import Query, in_order
from webapp.store.tables import ACCOUNT_THERE, accounts
from webapp.store.types import Count, UtcDateTime


def page(
    tx: sa.Connection,
    project_id: str,
    *,
    limit: int,
    metric: Metric | None = None,
    descending: bool = False,
    platform: str | None = None,
    after: tuple[int | None, int] | None = None,
) -> list[Account]:
    """Accounts of a project by a metric, those without it last, and by id among equals; by id alone without a metric.

    after: metric and id of the account that the page follows; without a metric only the id counts.
    """
    behind, values = _page_values(project_id, limit, platform, after, metric)
    asked = _page(metric, descending, platform is not None, behind)
    return [Account.of(row) for row in asked.rows(tx, **values)]


def _page_values(
    project_id: str, limit: int, platform: str | None, after: tuple[int | None, int] | None, metric: Metric | None
) -> tuple[str | None, dict[str, Any]]:
    """Which kind of place the page follows, and the values of its question."""
    values: dict[str, Any] = {"scope": project_id, "limit": limit}
    if platform is not None:
        values["platform"] = platform
    if after is None:
        return None, values
    values["after_id"] = after[1]
    if after[0] is None:
        return "null", values
    return "number", values | ({"after": after[0]} if metric else {})


@cache
def _page(metric: Metric | None, descending: bool, by_platform: bool, behind: str | None) -> Query:
    statement = _page_select(ACCOUNT_COLUMNS, metric, descending, by_platform, behind)
    return Query(lambda _: statement)


def _page_select(
    columns: Sequence[sa.ColumnElement[Any]],
    metric: Metric | None,
    descending: bool,
    by_platform: bool,
    behind: str | None,
) -> sa.Select[Any]:
    statement = sa.select(*columns).where(in_scope("project"), ACCOUNT_THERE)
    if by_platform:
        statement = statement.where(accounts.c.platform == sa.bindparam("platform", type_=sa.Text()))
    if behind is not None:
        statement = statement.where(_behind(metric, descending, behind))
    if metric is not None:
        column = accounts.c[metric]
        statement = statement.order_by(column.is_(None), column.desc() if descending else column)
    return statement.order_by(accounts.c.id).limit(sa.bindparam("limit", type_=Count()))


def count(tx: sa.Connection, project_id: str, *, platform: str | None = None) -> int:
    """How many accounts are there."""
    values = {"scope": project_id} if platform is None else {"scope": project_id, "platform": platform}
    row = _count(platform is not None).first(tx, **values)
    return int(row[0]) if row else 0


@cache
def _count(by_platform: bool) -> Query:
    statement = sa.select(sa.func.count()).select_from(accounts).where(in_scope("project"), ACCOUNT_THERE)
    if by_platform:
        statement = statement.where(accounts.c.platform == sa.bindparam("platform", type_=sa.Text()))
    return Query(lambda _: statement)


def json_lines(
    tx: sa.Connection,
    project_id: str,
    names: tuple[str, ...],
    *,
    limit: int,
    metric: Metric | None = None,
    descending: bool = False,
    platform: str | None = None,
    after: tuple[int | None, int] | None = None,
) -> str:
    """As `page`, each account a line: a JSON object that SQLite has written. `names` are its members, times in RFC 3339.

    One row instead of a hundred: the driver lets another thread in at every row, and waits for its turn again. One text,
    because what takes lines apart and joins them costs a tenth of what SQLite does.
    """
    behind, values = _page_values(project_id, limit, platform, after, metric)
    row = _json_lines(names, metric, descending, platform is not None, behind).first(tx, **values)
    return str(row[0]) if row and row[0] else ""


@cache
def _json_lines(
    names: tuple[str, ...], metric: Metric | None, descending: bool, by_platform: bool, behind: str | None
) -> Query:
    # The ids first: SQLite would copy every other column once more, in a third of the time of the whole.
    found = _page_select([accounts.c.id], metric, descending, by_platform, behind).subquery("page")
    shown = accounts.alias("shown")
    members = [part for name in names for part in (_literal(name), _json_value(shown.c[name]))]
    # JSON has no line break in it but an escaped one.
    lines = sa.func.group_concat(sa.func.json_object(*members), _literal("\n"))
    return Query(lambda _: sa.select(lines).select_from(in_order(found, shown, shown.c.id == found.c.id)))


def _literal(text: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{text}'")


def _json_value(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Times are kept as `2026-03-02 10:00:00.000000`."""
    if not isinstance(column.type, UtcDateTime):
        return column
    text = sa.type_coerce(column, sa.Text())
    return sa.func.replace(text, _literal(" "), _literal("T")).op("||")(_literal("Z"))


def _behind(metric: Metric | None, descending: bool, behind: str) -> sa.ColumnElement[bool]:
    later = accounts.c.id > sa.bindparam("after_id", type_=Count())
    if metric is None:
        return later
    column = accounts.c[metric]
    if behind == "null":
        return column.is_(None) & later
    value = sa.bindparam("after", type_=Count())
    further = column < value if descending else column > value
    return further | ((column == value) & later) | column.is_(None)
