"""Single projects, found by whatever people call them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.errors import Invalid, NotFound
from webapp.store import projects, spreadsheets, tables
from webapp.store.db import Database

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def put(db: Database, *ids: str, name: str = "Project A", removed: bool = False) -> None:
    with db.write() as tx:
        rows = [{"id": one, "name": name, "removed_at": NOW if removed else None} for one in ids]
        tx.execute(tables.projects.insert(), rows)


def found(db: Database, which: str, *, removed: bool = False) -> str | None:
    with db.read() as tx:
        project = projects.find(tx, which, removed=removed)
    return project.id if project else None


def test_an_id_that_no_database_could_hold_is_not_found(db: Database) -> None:
    with db.write() as tx:
        assert projects.by_id(tx, "a\x00b") is None
        with pytest.raises(NotFound):
            projects.lock(tx, "a\x00b")


def test_a_project_is_found_by_its_id_before_its_name(db: Database) -> None:
    put(db, "first", name="second")
    put(db, "second", name="Project B")

    assert found(db, "second") == "second"
    assert found(db, "Project B") == "second"
    assert found(db, "Project C") is None


def test_of_two_projects_of_one_name_the_removed_one_is_found_only_when_it_is_meant(db: Database) -> None:
    put(db, "here")
    put(db, "gone", removed=True)

    assert (found(db, "Project A"), found(db, "Project A", removed=True)) == ("here", "gone")


def test_a_name_that_several_have_says_to_take_the_id(db: Database) -> None:
    put(db, "one", "two")

    with pytest.raises(Invalid, match="2 projects are called 'Project A'") as caught:
        found(db, "Project A")

    assert caught.value.hint == "name it by its id"
    assert found(db, "two") == "two"


def test_a_project_that_never_had_a_tab_is_removed_and_comes_back(db: Database) -> None:
    put(db, "a")

    with db.write() as tx:
        project = projects.by_id(tx, "a")
        assert project is not None
        removed = projects.remove(tx, project, NOW)
        again = projects.remove(tx, removed, NOW.replace(year=2027))
        tabs = spreadsheets.ignored_list(tx)
        back = projects.restore(tx, removed, NOW)

    assert (removed.removed_at, again.removed_at, back.removed_at) == (NOW, NOW, None)
    assert tabs == []
