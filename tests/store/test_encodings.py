"""PostgreSQL databases that are not in UTF-8, and sessions that would not be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.fakes.service import Service
from tests.fakes.shell import Shell
from tests.fakes.told import until
from tests.postgres_server import Server
from webapp.errors import StoreError
from webapp.store.db import open_database
from webapp.store.migrate import migrate

pytestmark = pytest.mark.postgres


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def odd_url(request: pytest.FixtureRequest, postgres: Server) -> Iterator[str]:
    """A database in another encoding."""
    name = f"in_{request.param.lower()}"
    postgres.execute(f"CREATE DATABASE {name} ENCODING '{request.param}' TEMPLATE template0")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_in_another_encoding_is_refused_with_the_one_to_make(odd_url: str, postgres: Server) -> None:
    db = open_database(odd_url)
    with pytest.raises(StoreError) as migrating:
        migrate(db)
    with pytest.raises(StoreError) as reading, db.read():
        pass
    with pytest.raises(StoreError) as writing, db.write():
        pass
    sessions = "SELECT 1 FROM pg_stat_activity WHERE datname LIKE 'in_%%' AND state = 'idle'"
    with postgres.connect() as left:
        until(lambda: not left.execute(sessions).fetchall())  # the server takes a moment to see that one has ended
    db.close()

    for caught in (migrating, reading, writing):
        assert caught.value.code == "database_encoding"
        assert "has the encoding " in caught.value.message
        assert "ENCODING 'UTF8' TEMPLATE template0" in (caught.value.hint or "")


def test_doctor_and_every_command_say_so(odd_url: str, shell: Shell) -> None:
    doctor = shell.run("doctor", DATABASE_URL=odd_url)
    upgrade = shell.run("db", "upgrade", DATABASE_URL=odd_url)

    assert (doctor.exit_code, upgrade.exit_code) == (1, 1)
    assert "FAIL  database: The database " in doctor.output
    for words in (doctor.output, upgrade.output):
        assert "has the encoding" in words
        assert "CREATE DATABASE smart_sync ENCODING 'UTF8' TEMPLATE template0" in words


@pytest.mark.own_database
@pytest.mark.parametrize("by", ["the role", "the environment", "the address"])
def test_every_name_is_kept_whatever_a_session_would_be_in(
    postgres: Server, postgres_url: str, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    url = postgres_url
    if by == "the role":
        name = postgres_url.partition("?")[0].rpartition("/")[2]
        postgres.execute(f"ALTER DATABASE {name} SET client_encoding = 'LATIN1'")
    elif by == "the environment":
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    else:
        url += "&client_encoding=LATIN1"
    service = Service(url)
    service.sheet.rows("Проект Ä 🎥", ["https://x.com/ann", 12])

    service.sync()

    with service.db.read() as tx:
        assert tx.execute(sa.text("SELECT name FROM projects")).scalar() == "Проект Ä 🎥"
    service.close()
