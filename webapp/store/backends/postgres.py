"""PostgreSQL through psycopg: every wait has an end, every session is in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.array import ListDumper
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from webapp.errors import ConfigError, StoreError
from webapp.store.revision import revision_of
from webapp.store.tables import metadata

CONNECT_TIMEOUT_S = 5
ENCODING = "UTF8"
# A server that has gone without a word, as in a failover, is noticed after a minute.
ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
DEFAULTS = {"connect_timeout": CONNECT_TIMEOUT_S, **ALIVE, "application_name": "smart-sync"}
LOCK_TIMEOUT_MS = 5_000
SETTINGS = {
    "timezone": "UTC",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": "60000",
    "idle_in_transaction_session_timeout": "60000",
    # Compiling statements of hundreds of expressions takes seconds, running them a tenth of one.
    "jit": "off",
    # As on disks that do not turn: by default an index of a year of snapshots is passed over for reading all of them.
    "random_page_cost": "1.1",
}
_SETTING = re.compile(r"(?<!\S)(?:-c\s*|--)([\w.-]+)=((?:\\.|\S)*)")  # of what stands in `?options=`
_KNOWN = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
_SECRET = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults() if option.dispchar == b"*"}
_REFUSED = ("unsupported startup parameter", "unrecognized configuration parameter")  # by PgBouncer and its like
# How libpq and the server name what they cannot take.
_WRONG = re.compile(
    r'(?:for connection option "|parameter "|bad value for |argument for server process: |invalid "?(?=\w+"? value: ))([\w.]+)'
)
_NO_TLS = "server does not support SSL"
MIGRATION_LOCK = 7_630_291_846  # any number that no other program takes for its advisory lock
MIGRATION_WAIT_MS = 120_000

# By SQLSTATE, or its first two characters. What is missing here is a bug.
CODES = {
    "08": "database_unreachable",
    "25006": "read_only",  # a standby server
    "25P03": "database_busy",  # idle too long within a transaction
    "3F000": "database_option",  # search_path
    "40001": "database_busy",
    "40P01": "database_busy",
    "42501": "read_only",  # the role lacks a right
    "42P01": "schema_missing",
    "53100": "disk_full",
    "53300": "connections_used_up",
    "55P03": "database_busy",  # lock_timeout
    "57014": "database_busy",  # statement_timeout
    "57P": "database_unreachable",  # shutting down, starting up, terminated
    "58030": "database_unavailable",  # the server cannot read its own disk
    "58P01": "database_unavailable",  # a file of the server is gone
    "XX001": "database_corrupt",
    "XX002": "database_corrupt",
}


# The tables name the conditions of their partial indexes for SQLite alone: to name them for PostgreSQL loads its
# dialect, which would be 24 ms of CPU and 2 MB at each start of a service that never uses it.
for _table in metadata.tables.values():
    for _index in _table.indexes:
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]


class Lists(ListDumper):
    """Lists of whole numbers or of texts, a None in either, written at once: psycopg looks at each item for what to quote."""

    def dump(self, obj: list[Any]) -> Any:
        kinds = set(map(type, obj)) - {type(None)}
        if kinds == {int}:
            return f"{{{repr(obj)[1:-1]}}}".replace("None", "NULL").encode()
        if kinds == {str}:
            written = f"{{{','.join(map(_quoted, obj))}}}"
            if "\0" not in written:  # psycopg has words for what no text of PostgreSQL can hold
                return written.encode()
        return super().dump(obj)


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _no_option(names: Sequence[str], *, hidden: bool) -> ConfigError:
    """hidden: a password is an option too, and an & in it would make a name of what is behind."""
    if hidden:
        return ConfigError(
            "DATABASE_URL: there is an option that PostgreSQL does not have", hint="in a password write & as %26"
        )
    return ConfigError(
        f"DATABASE_URL: PostgreSQL has no option {', '.join(map(repr, names))}",
        hint="leave out what is meant for another program; a pooler is noticed without being told, and a schema is named "
        "by ?options=-csearch_path=NAME",
    )


class Postgres:
    """A database on a server. Nothing connects before an engine does."""

    name = "postgresql"
    # now() is when the transaction began; leases need the time it is.

    def __init__(self, url: URL) -> None:
        if strange := sorted(set(url.query) - _KNOWN):
            raise _no_option(strange, hidden=not _SECRET.isdisjoint(url.query))
        options = _joined(url.query.get("options", ""), " ")
        own = dict(_SETTING.findall(options))
        self._others = _SETTING.sub("", options).split()  # such as what names a project to a proxy before many servers
        self.url = url.difference_update_query(["options"])
        self._settings = SETTINGS | own
        self._pooled = False  # a pooler stands between that passes no settings on when a session begins

    @property
    def place(self) -> str:
        port = self._said("port", self.url.port)
        host = self._said("host", self.url.host) or "the local socket"
        return f"{host}{port and f':{port}'}/{self._said('dbname', self.url.database)}"

    @property
    def user(self) -> str:
        return f"the role {self._said('user', self.url.username) or 'by default'}"

    def _said(self, option: str, before: object) -> str:
        """An option, which goes before what stands in its own place of the address."""
        return _joined(self.url.query.get(option, ""), ",") or str(before or "")

    def engine(self, pool_size: int, pool_timeout_s: float) -> Engine:
        try:
            engine = create_engine(
                self.url,
                connect_args={
                    **{name: value for name, value in DEFAULTS.items() if name not in self.url.query},
                    "client_encoding": "UTF8",  # whatever PGCLIENTENCODING, the role or the server would have it be
                    "prepare_threshold": None,  # statements prepared by name do not survive a transaction pooler
                },
                hide_parameters=True,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=pool_timeout_s,
                pool_use_lifo=True,
                pool_pre_ping=True,
            )
        except (ArgumentError, ValueError):  # whose words repeat what stands there
            raise ConfigError(
                "DATABASE_URL: its hosts and ports do not go together",
                hint="write ?host=one:5432&host=two:5432, or ?host=one,two&port=5432,5432",
            ) from None
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "begin", self._begin)
        return engine

    def _connect(self, _: object, __: object, arguments: list[Any], parameters: dict[str, Any]) -> Any:
        """Settings go with the connection, which costs nothing, unless a pooler refuses them.

        Raises: StoreError for a database that cannot hold every name, or an option it cannot take;
        psycopg.OperationalError.
        """
        connection = self._open(arguments, parameters)
        connection.adapters.register_dumper(list, Lists)
        encoding = connection.info.parameter_status("server_encoding")  # said when a session begins; a pooler may not
        if encoding not in {None, ENCODING}:
            connection.close()
            raise StoreError(
                f"The database {self.place} has the encoding {encoding}, in which not every name of a Sheet can be kept",
                code="database_encoding",
                hint="make one by CREATE DATABASE smart_sync ENCODING 'UTF8' TEMPLATE template0, and put it into DATABASE_URL",
            )
        return connection

    def _open(self, arguments: list[Any], parameters: dict[str, Any]) -> psycopg.Connection:
        if not self._pooled:
            settings = (f"-c {name}={value}" for name, value in self._settings.items())
            try:
                return psycopg.connect(*arguments, **parameters, options=" ".join([*self._others, *settings]))
            except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
                if not any(words in str(error) for words in _REFUSED):
                    self._blame_option(str(error))
                    raise
        others = {"options": " ".join(self._others)} if self._others else {}
        connection = psycopg.connect(*arguments, **(parameters | others))
        self._pooled = True
        return connection

    def _begin(self, tx: Connection) -> None:
        """Behind a pooler each transaction may be in another session, so each brings the settings along."""
        if self._pooled:
            values = [item for pair in self._settings.items() for item in pair]
            calls = ", ".join(["set_config(%s, %s, true)"] * len(self._settings))
            try:
                tx.exec_driver_sql(f"SELECT {calls}", tuple(values))
            except DBAPIError as error:
                self._blame_option(str(error.orig))
                raise

    def _blame_option(self, words: str) -> None:
        """Raises: StoreError where the words are about an option of the address."""
        if _NO_TLS in words:
            what = "speaks no TLS, which sslmode asks for"
        elif found := _WRONG.search(words):
            what = f"does not accept the option {found[1]} as it is set"
        else:
            return
        raise StoreError(
            f"The database {self.place} {what}",
            code="database_option",
            hint="mend it in DATABASE_URL, or leave it out there",
        )

    def reader(self, engine: Engine) -> Engine:
        """Repeatable: two selects of one answer see the same moment."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def writer(self, engine: Engine) -> Engine:
        return engine

    def damage(self, *, quick: bool = False) -> None:
        """A server looks after its files by itself."""

    def version(self) -> None:
        """Nobody writes to its files but the server."""

    def check(self, tx: Connection) -> None:
        """Nothing to compare: a server does not lose its files unnoticed."""

    def check_unwritten(self, tx: Connection) -> None:
        """The server refuses to write in a reading transaction."""

    def revision(self, tx: Connection) -> str | None:
        """The name of the last script that ran."""
        return revision_of(tx)

    @contextmanager
    def migrating(self, *, create: bool) -> Iterator[Connection]:  # noqa: ARG002  the database itself is the operator's to make
        """One transaction that other migrators wait for."""
        engine = self.engine(1, 0)
        try:
            with engine.begin() as tx:
                tx.execute(text(f"SET LOCAL lock_timeout = {MIGRATION_WAIT_MS}"))
                tx.execute(text("SET LOCAL statement_timeout = 0"))
                tx.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                # Waiting longer for a table would make everybody queue behind the migration.
                tx.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
                yield tx
        finally:
            engine.dispose()

    def code_of(self, error: BaseException | None, *, writing: bool) -> str | None:
        """The code of a driver's error that is a state of the database; None when it is a bug."""
        if not isinstance(error, psycopg.Error):
            return None
        state = error.sqlstate
        if state is None:  # no connection, or none any more; psycopg then gives words only
            return _code_of_words(str(error)) if isinstance(error, psycopg.OperationalError) else None
        if state == "25006" and not writing:
            return None  # a statement that writes in a reading transaction
        return CODES.get(state) or CODES.get(state[:3]) or CODES.get(state[:2])


# Of a server, of a role or database with a limit of its own, and of PgBouncer.
NOT_LET_IN = ("authentication failed", "no password supplied", "no pg_hba.conf entry", "not permitted to log in")
_ABSENT = re.compile(r'database "[^"]*" does not exist|no such database')
_NO_ROLE = re.compile(r'role "[^"]*" does not exist|no such user')
USED_UP = ("too many clients", "remaining connection slots", "too many connections for", "no more connections allowed")


def _code_of_words(words: str) -> str:
    if any(one in words for one in USED_UP):
        return "connections_used_up"
    if _ABSENT.search(words):
        return "database_absent"
    if any(one in words for one in NOT_LET_IN) or _NO_ROLE.search(words):
        return "database_login"
    return "database_unreachable"


def _joined(value: str | Sequence[str], between: str) -> str:
    """What an option says, also where it stands there several times."""
    return value if isinstance(value, str) else between.join(value)
