"""Databases for the tests: real ones, migrated once and then copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.postgres_server import Server, postgres_server
from webapp.store.db import Database, open_database
from webapp.store.migrate import migrate

DIALECTS = ("sqlite", "postgresql")
TEMPLATE = "template_migrated"
numbers = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this run. Without one the tests fail and say what to install."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    postgres.execute(f"CREATE DATABASE {TEMPLATE}")
    _migrate(postgres.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite file of this test's own, migrated."""
    path = tmp_path / "smart-sync.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: Server, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database of this test's own, migrated."""
    yield from _postgres_database(postgres, postgres_template)


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/smart-sync.db"


@pytest.fixture
def new_postgres_url(postgres: Server) -> Iterator[str]:
    yield from _postgres_database(postgres, "template0")


@pytest.fixture(params=DIALECTS)
def new_database_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind before its first migration: no file yet, or no tables."""
    return str(request.getfixturevalue("new_sqlite_url" if request.param == "sqlite" else "new_postgres_url"))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    yield from _opened(database_url)


@pytest.fixture
def sqlite_db(sqlite_url: str) -> Iterator[Database]:
    yield from _opened(sqlite_url)


@pytest.fixture
def postgres_db(postgres_url: str) -> Iterator[Database]:
    yield from _opened(postgres_url)


def _migrate(url: str) -> None:
    db = open_database(url)
    migrate(db)
    db.close()


def _opened(url: str) -> Iterator[Database]:
    db = open_database(url)
    yield db
    db.close()


def _postgres_database(server: Server, template: str) -> Iterator[str]:
    name = f"test_{next(numbers)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


KINDS = ("sqlite", "sqlite-without-shortcuts", "postgresql")


@pytest.fixture(params=KINDS)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """The service on each database, and once with everything done that a sync may otherwise leave out."""
    url = str(request.getfixturevalue("postgres_url" if request.param == "postgresql" else "sqlite_url"))
    yield from _served(Service(url, shortcuts=not request.param.endswith("without-shortcuts")))


@pytest.fixture
def sqlite_service(sqlite_url: str) -> Iterator[Service]:
    """The service on SQLite, for what does not depend on the database."""
    yield from _served(Service(sqlite_url))


@pytest.fixture
def sheet(service: Service) -> FakeSheet:
    return service.sheet


@pytest.fixture
def time(service: Service) -> FakeClock:
    return service.time


def _served(service: Service) -> Iterator[Service]:
    yield service
    service.close()
