"""Lanes, and databases for the tests: real ones, migrated once, then copied or emptied."""

from __future__ import annotations

import gc
import logging
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests import lanes, warm
from tests.fakes.clock import FakeClock
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.fakes.shell import Shell
from tests.postgres_server import Server, postgres_server, roomy_folder
from tests.programs import need, summary
from tests.shared_database import SharedDatabase
from webapp.app import create_app
from webapp.store import movements
from webapp.store.db import Database, open_database
from webapp.store.migrate import migrate

KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
WITHOUT_SHORTCUTS = pytest.param("sqlite-without-shortcuts", marks=pytest.mark.without_shortcuts)
TEMPLATE = "template_migrated"
numbers = count()
starts = lanes.Starts()
warm.keep_warm()

settings.register_profile("quick", max_examples=20)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="Only the fast lane, with fewer examples of properties.")
    parser.addoption(
        "--operations",
        type=int,
        default=250,
        help="So many random operations of each past, on which kept sums equal the plain rule.",
    )


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(roomy_folder()))
    if config.getoption("quick"):
        settings.load_profile("quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        lanes.mark(item)
        if not lanes.is_measured(item):
            item.add_marker("no_cover")
    items[:] = [item for item in items if not (item.get_closest_marker("answers_anew") and _goes_the_long_way(item))]
    if config.getoption("quick"):
        config.hook.pytest_deselected(items=[item for item in items if lanes.is_left_out(item)])
        items[:] = [item for item in items if not lanes.is_left_out(item)]


def _goes_the_long_way(item: pytest.Item) -> bool:
    """Whether answers are made anew in it even where they are kept."""
    return bool({"postgres", "without_shortcuts", "processes"} & {mark.name for mark in item.iter_markers()})


def pytest_collection_finish() -> None:
    """Spare the cycle collector modules and tests, which stay until the end, and call it seldom: a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = list(summary(terminalreporter.stats.get("skipped", [])))
    if left_out:
        terminalreporter.section("left out", yellow=True)
        terminalreporter.write_line("\n".join(left_out))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "service_kind" in metafunc.fixturenames:
        more = [WITHOUT_SHORTCUTS] if metafunc.definition.get_closest_marker("shortcuts") else []
        metafunc.parametrize("service_kind", [*KINDS, *more])


@pytest.fixture(autouse=True)
def lane(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold every test to its lane."""
    with starts.hear() as heard:
        yield
    assert lanes.is_slow(request.node) or not heard, f"a test that starts {heard} asks for `processes`"


@pytest.fixture(scope="session")
def processes() -> None:
    """Leave to start processes, and with it a place in the slow lane."""


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    """Where pytest-httpserver listens; not every machine knows the name it takes by default."""
    return "127.0.0.1", 0


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this process."""
    with postgres_server(Path(need("postgres"))) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    postgres.execute(f"CREATE DATABASE {TEMPLATE}")
    _migrate(postgres.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def shared_database(postgres: Server, postgres_template: str) -> Iterator[SharedDatabase]:
    shared = SharedDatabase(postgres, postgres_template)
    yield shared
    shared.close()


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
def postgres_url(
    request: pytest.FixtureRequest, postgres: Server, postgres_template: str, shared_database: SharedDatabase
) -> Iterator[str]:
    """A migrated PostgreSQL database that is empty; of this test's own where it is marked `own_database`."""
    if request.node.get_closest_marker("own_database"):
        yield from _own_postgres_database(postgres, postgres_template)
    else:
        with shared_database.lend() as url:
            yield url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/smart-sync.db"


@pytest.fixture
def new_postgres_url(postgres: Server) -> Iterator[str]:
    yield from _own_postgres_database(postgres, "template0")


@pytest.fixture(params=KINDS)
def new_database_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind before its first migration: no file yet, or no tables."""
    return str(request.getfixturevalue(f"new_{request.param}_url"))


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


def _own_postgres_database(server: Server, template: str) -> Iterator[str]:
    name = f"own_{next(numbers)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def service(request: pytest.FixtureRequest, service_kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service on each kind of database; where marked `shortcuts` also with everything done that a sync may leave out.

    Accounts are then looked at one by one as well, where the database would add them up.
    """
    url = str(request.getfixturevalue("postgres_url" if service_kind == "postgres" else "sqlite_url"))
    shortcuts = not service_kind.endswith("without-shortcuts")
    if not shortcuts:
        monkeypatch.setattr(movements, "LARGE", 0)
    yield from _served(Service(url, shortcuts=shortcuts))


@pytest.fixture
def sqlite_service(sqlite_url: str) -> Iterator[Service]:
    """The service on SQLite, for what does not depend on the database."""
    yield from _served(Service(sqlite_url))


@pytest.fixture(params=["kept", pytest.param("anew", marks=pytest.mark.answers_anew)])
def answers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps that keep answers, as ever, and apps that make each anew: readers see no difference."""
    if request.param == "anew":
        assert create_app.__kwdefaults__ is not None
        monkeypatch.setitem(create_app.__kwdefaults__, "keep_answers", False)


@pytest.fixture
def sheet(service: Service) -> FakeSheet:
    return service.sheet


@pytest.fixture
def time(service: Service) -> FakeClock:
    return service.time


def _served(service: Service) -> Iterator[Service]:
    yield service
    service.close()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell, after which signals and logging are as they were."""
    monkeypatch.chdir(tmp_path)
    log = logging.getLogger("smart_sync")
    before = log.handlers[:], log.level, log.propagate
    yield Shell(tmp_path)
    log.handlers[:], log.level, log.propagate = before
