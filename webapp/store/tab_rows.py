"""What is remembered of the rows of tabs, so that only those are read again that changed. All of it can be thrown away."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from webapp.store.statement import Query, bind_ids, texts_in, upsert
from webapp.store.tables import tab_rows

_of = Query(
    lambda _: sa.select(tab_rows.c.project_id, tab_rows.c.rows).where(
        tab_rows.c.project_id.op("IN")(texts_in(sa.bindparam("of")))
    )
)
_put = upsert(tab_rows, ("project_id",))


def of_projects(tx: sa.Connection, project_ids: Collection[str]) -> dict[str, bytes]:
    """{project id: what is remembered}; projects of which there is nothing are not there."""
    if not project_ids:
        return {}
    return {project_id: bytes(rows) for project_id, rows in _of.rows(tx, of=bind_ids(tx, project_ids))}


def put(tx: sa.Connection, rows: Mapping[str, bytes]) -> None:
    if rows:
        _put.run(tx, list(rows.items()))
