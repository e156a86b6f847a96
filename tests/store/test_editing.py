from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webapp.errors import NotFound
from webapp.model import Profile
from webapp.store import accounts, merging, projects, tables
from webapp.store.db import Database, open_database
from webapp.store.tables import account_aliases, account_snapshots

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
NAMES = st.sampled_from(["ann", "bob", "cat", "dan"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), NAMES),
        st.tuples(st.just("remove"), NAMES),
        st.tuples(st.just("snapshot"), NAMES),
        st.tuples(st.just("correct"), NAMES, NAMES),
        st.tuples(st.just("merge"), NAMES, NAMES),
    ),
    max_size=25,
)


def profile(name: str) -> Profile:
    return Profile("x", f"x:{name}", name, f"https://x.com/{name}")


class Editor:
    """One project, edited step by step as the views do it."""

    def __init__(self, tx: sa.Connection) -> None:
        self.tx = tx
        self.days = 0
        project = projects.add(tx, {"name": "A"}, NOW)
        assert project is not None
        self.project = project

    def known(self, name: str) -> accounts.Account | None:
        return accounts.claimant(self.tx, self.project.id, f"x:{name}")

    def add(self, name: str) -> None:
        known = self.known(name)
        if known is None:
            accounts.add(self.tx, self.project.id, profile(name), {}, NOW)
        elif known.removed_at is not None:
            accounts.bring_back(self.tx, known, {})

    def remove(self, name: str) -> None:
        known = self.known(name)
        if known is not None:
            accounts.remove(self.tx, known, NOW)

    def snapshot(self, name: str) -> None:
        known = self.known(name)
        if known is not None:
            self.days += 1
            day = date(2026, 3, 1) + timedelta(days=self.days // 2)  # some days more than one account has
            row = {"account_id": known.id, "day": day, "snapshot_time": NOW, "views": self.days}
            if day not in days_of(self.tx, known.id):
                self.tx.execute(account_snapshots.insert().values(**row))

    def correct(self, name: str, new: str) -> None:
        known, other = self.known(name), self.known(new)
        if known is not None and known.removed_at is None and (other is None or other.id == known.id):
            accounts.correct_url(self.tx, known, profile(new), NOW)

    def merge(self, name: str, into: str) -> None:
        source, target = self.known(name), self.known(into)
        if source and target and source.id != target.id and target.removed_at is None:
            merging.merge(self.tx, source, target, NOW)


def days_of(tx: sa.Connection, account_id: int) -> set[date]:
    statement = sa.select(account_snapshots.c.day).where(account_snapshots.c.account_id == account_id)
    return set(tx.execute(statement).scalars())


def all_days(tx: sa.Connection) -> set[date]:
    return set(tx.execute(sa.select(account_snapshots.c.day)).scalars())


def names_of(tx: sa.Connection) -> list[str]:
    """Every url_key that means an account, whether it has it or had it."""
    had = tx.execute(sa.select(account_aliases.c.url_key)).scalars().all()
    return sorted([*tx.execute(sa.select(tables.accounts.c.url_key)).scalars(), *had])


@contextmanager
def copied(template: Path) -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(template, Path(folder) / "db")
        db = open_database(f"sqlite:///{folder}/db")
        yield db
        db.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_edited_no_day_is_lost_and_every_name_means_one_account(
    sqlite_template: Path, steps: list[tuple[Any, ...]]
) -> None:
    with copied(sqlite_template) as db, db.write() as tx:
        editor = Editor(tx)
        for verb, *names in steps:
            survivor = editor.known(names[-1])
            days, known, everything = days_of(tx, survivor.id) if survivor else set(), names_of(tx), all_days(tx)

            getattr(editor, verb)(*names)

            assert survivor is None or verb == "merge" or days <= days_of(tx, survivor.id)
            assert (
                survivor is None
                or verb != "merge"
                or editor.known(names[0]) is None
                or days <= days_of(tx, survivor.id)
            )
            assert everything <= all_days(tx)
            now = names_of(tx)
            assert len(now) == len(set(now))
            assert set(known) <= set(now)


def test_a_merged_account_takes_nothing_along(db: Database) -> None:
    with db.write() as tx:
        editor = Editor(tx)
        editor.add("ann")
        editor.add("bob")
        editor.snapshot("ann")
        editor.snapshot("bob")
        gone = editor.known("bob")
        assert gone is not None
        editor.merge("bob", "ann")

        with pytest.raises(NotFound):
            accounts.get(tx, gone.id)
        ann = editor.known("bob")
        assert ann is not None
        assert (ann.url_key, accounts.aliases(tx, ann.id)) == ("x:ann", ["x:bob"])
        assert days_of(tx, gone.id) == set()


def test_a_change_tells_the_next_sync_to_look_again(db: Database) -> None:
    with db.write() as tx:
        editor = Editor(tx)
        tx.execute(tables.projects.update().values(settled=True, sheet_seen="a hash"))
        editor.add("ann")

        row = tx.execute(
            sa.select(tables.projects.c.settled, tables.projects.c.sheet_seen, tables.projects.c.revision)
        ).one()
        assert tuple(row) == (False, None, editor.project.revision + 1)


def test_a_tab_taken_by_somebody_else_meanwhile_makes_no_second_project(db: Database) -> None:
    with db.write() as tx:
        projects.add(tx, {"name": "A", "worksheet_id": "7"}, NOW)

        assert projects.add(tx, {"name": "B", "worksheet_id": "7"}, NOW) is None
        assert projects.add(tx, {"name": "C", "worksheet_id": "7", "spreadsheet": "other"}, NOW) is not None
