"""Column types that mean the same in Python on SQLite (STRICT tables) and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NewType

import msgspec
from sqlalchemy import BigInteger, Boolean, Connection, Date, DateTime, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from webapp.clock import as_utc, iso
from webapp.errors import StoreError


class UnreadableValue(StoreError, ValueError):
    """What is stored cannot have been written so: it is damaged, or was written by somebody else."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"The database has a text in it that should be {kind} and is none",
            code="database_corrupt",
            hint="smart-sync doctor looks whether the file is damaged; if it is, restore a backup",
        )


def _parse_moment(text: str) -> datetime:
    try:
        return as_utc(datetime.fromisoformat(text))
    except ValueError:
        raise UnreadableValue("a time") from None


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnreadableValue("a day") from None


def is_sqlite(dialect: Dialect) -> bool:
    return dialect.name == "sqlite"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, UTC when read. SQLite: TEXT `YYYY-MM-DD HH:MM:SS.ffffff`; PostgreSQL: TIMESTAMPTZ.

    Text that others wrote may lack the fraction and may have `T` and `Z` or another offset; without one it is UTC.

    Raises: TypeError when given something else than an aware datetime.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if is_sqlite(dialect) else DateTime(timezone=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"not an aware datetime: {value!r}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None).isoformat(" ", "microseconds") if is_sqlite(dialect) else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return as_moment(value)


class Day(TypeDecorator[date]):
    """A calendar day. SQLite: TEXT `YYYY-MM-DD`; PostgreSQL: DATE.

    Raises: TypeError when given something else than a date; a datetime is something else.
    """

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if is_sqlite(dialect) else Date())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise TypeError(f"not a day: {value!r}")
        return value.isoformat() if is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return _parse_day(value) if isinstance(value, str) else value


class Count(TypeDecorator[int]):
    """A 64-bit integer. STRICT tables of SQLite know INTEGER only, which has 64 bits there."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if is_sqlite(dialect) else BigInteger())


class Key(Count):
    """A 64-bit primary key that the database counts up: the rowid on SQLite, BIGSERIAL on PostgreSQL."""

    cache_ok = True


class Flag(TypeDecorator[bool]):
    """True or False. SQLite: INTEGER 1 or 0; PostgreSQL: BOOLEAN.

    Raises: TypeError when given something else than a bool.
    """

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if is_sqlite(dialect) else Boolean())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"not a bool: {value!r}")
        return int(value) if value is not None and is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """JSON values of Python, kept as compact TEXT on both. None is SQL NULL, not JSON null."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        try:
            return None if value is None else msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise UnreadableValue("JSON") from None


# Ready to use: to a new one the dialect has to be fitted again, which takes longer than any use of it.
WHEN, DAY, JSON = UtcDateTime(), Day(), Json()

# Driver values: what the bare driver gives and takes, without the column types above

Stamp = NewType("Stamp", object)  # a moment: text on SQLite, a datetime on PostgreSQL
DriverDay = NewType("DriverDay", object)  # a day: text on SQLite, a date on PostgreSQL
WHOLE = len("2026-03-02 10:00:00.000000")


def native(tx: Connection, type_: TypeEngine[Any], value: Any) -> Any:
    """The value as the driver wants it in a column of that type."""
    process = type_.dialect_impl(tx.dialect).bind_processor(tx.dialect)
    return value if process is None else process(value)


def bind_day(tx: Connection, day: date) -> DriverDay:
    """A day as a value of a statement."""
    return DriverDay(native(tx, DAY, day))


def as_day(value: Any) -> date:
    """A driver's day as a date."""
    return _parse_day(value) if isinstance(value, str) else value


def as_moment(value: Any) -> datetime | None:
    """A driver's moment, aware UTC; None stays None."""
    if value is None:
        return None
    return _parse(value) if isinstance(value, str) else as_utc(value)


@lru_cache(maxsize=4_096)
def _parse(text: str) -> datetime:
    """All snapshots of a run have the same time."""
    return _parse_moment(text)


def as_text(value: Any) -> str | None:
    """A driver's moment as RFC 3339 text; None stays None."""
    if isinstance(value, str) and len(value) == WHOLE and value[10] == " ":
        return f"{value[:10]}T{value[11:]}Z"
    return iso(as_moment(value))
