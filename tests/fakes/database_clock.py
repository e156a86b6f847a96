"""The clock of a database, set by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from webapp.store.backends.dialect import now_ms
from webapp.store.statement import positional


@contextmanager
def database_clock(now: Callable[[], int]) -> Iterator[None]:
    """Let every database take what `now` gives, in milliseconds, for the time."""

    def turn(tx: sa.Connection, _: Any, sql: str, parameters: Any, *__: Any) -> tuple[str, Any]:
        clock = str(now_ms().compile(dialect=positional(tx.dialect.name)))
        return sql.replace(clock, f"CAST({now()} AS BIGINT)"), parameters

    sa.event.listen(sa.Engine, "before_cursor_execute", turn, retval=True)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", turn)
