"""What is said beside a database of the copy that is kept elsewhere."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from webapp.store import replicas
from webapp.store.replicas import Replica, shown_address

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
URL = "sftp://ann:secret@host:22/path?key=secret"
TO = "sftp://host/path"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "smart_sync.db"


def test_what_was_said_lately_is_so(database: Path) -> None:
    assert replicas.read(database, "", NOW) is None
    for state, message in (("ok", None), ("failing", "no such bucket")):
        replicas.write(database, state, NOW, message, NOW)  # type: ignore[arg-type]
        assert replicas.read(database, URL, NOW + timedelta(seconds=89)) == Replica(TO, state, NOW, message)  # type: ignore[arg-type]
    assert replicas.read(database, "", NOW) is None
    assert [path.name for path in database.parent.iterdir()] == ["smart_sync.db.replica"]


def test_who_says_nothing_any_more_has_stopped(database: Path) -> None:
    replicas.write(database, "ok", NOW, None, NOW)
    late = replicas.read(database, URL, NOW + timedelta(seconds=91))

    assert late == Replica(TO, "stopped", NOW, replicas.STOPPED)


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "nonsense", '{"at": 5}'])
def test_what_can_not_be_read_says_that_nobody_is_at_it(database: Path, text: str | None) -> None:
    if text is not None:
        database.with_name("smart_sync.db.replica").write_text(text)

    assert replicas.read(database, URL, NOW) == Replica(TO, "stopped", None, replicas.STOPPED)


def test_the_address_is_shown_without_secrets() -> None:
    assert shown_address("s3://bucket/path?endpoint=x") == "s3://bucket/path"
    assert shown_address("file:///srv/copy") == "file:///srv/copy"


def test_the_program_is_that_of_this_environment_or_of_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = tmp_path / "own" / "litestream", tmp_path / "path" / "litestream"
    for program in (own, other):
        program.parent.mkdir()
        program.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(own.with_name("python")))
    monkeypatch.setenv("PATH", str(other.parent))

    assert replicas.litestream_path() == str(own)
    own.unlink()
    assert replicas.litestream_path() == str(other)
    other.unlink()
    assert replicas.litestream_path() is None
