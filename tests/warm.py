"""What a process works out once, although every test has a database and an app of its own: SQL and addresses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlalchemy import Engine, event
from werkzeug.routing import Rule

from webapp.store.backends.postgres import Postgres
from webapp.store.backends.sqlite import Sqlite


def keep_warm() -> None:
    """From now on, engines of one dialect share the statements they have compiled, and apps the builders of addresses."""
    for backend in (Sqlite, Postgres):
        backend.engine = _sharing(backend.engine)  # type: ignore[method-assign]
    Rule._compile_builder = _remembered(Rule._compile_builder)  # type: ignore[method-assign]


def _sharing(engine_of: Callable[..., Engine]) -> Callable[..., Engine]:
    known: list[Engine] = []

    @wraps(engine_of)
    def engine(*arguments: Any) -> Engine:
        made = engine_of(*arguments)
        if known:
            made.dialect, made._compiled_cache = known[0].dialect, known[0]._compiled_cache
        else:
            # A dialect asks the first connection what it can do; before that it is not fit to be shared.
            event.listen(made, "first_connect", lambda *_: known.append(made), once=True)
        return made

    return engine


def _remembered(build: Callable[[Rule, bool], Any]) -> Callable[..., Any]:
    known: dict[Any, Any] = {}

    @wraps(build)
    def compile_builder(rule: Rule, append_unknown: bool = True) -> Any:
        assert not rule.defaults
        key = (tuple(rule._trace), append_unknown)
        if key not in known:
            known[key] = build(rule, append_unknown)
        return known[key]

    return compile_builder
