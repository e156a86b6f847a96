"""Share links on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.store import accounts, share_links, tables
from webapp.store.db import Database

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def account_id(db: Database) -> int:
    """An account of the project `p`."""
    with db.write() as tx:
        tx.execute(tables.projects.insert().values(id="p", name="Project A"))
        row = {"project_id": "p", "profile_url": "https://x.com/ann", "url_key": "x:ann", "removed_at": NOW}
        return int(tx.execute(tables.accounts.insert().values(row).returning(tables.accounts.c.id)).scalar_one())


def test_a_token_opens_its_project_until_it_is_revoked(db: Database, account_id: int) -> None:
    with db.write() as tx:
        made = share_links.add(tx, "p", "Client", NOW)
    assert made is not None
    link, token = made

    with db.write() as tx:
        opened = share_links.project_of_token(tx, token, NOW)
        first = share_links.revoke(tx, link.id, NOW)
        second = share_links.revoke(tx, link.id, NOW + timedelta(days=1))
        closed = share_links.project_of_token(tx, token, NOW)

    assert (opened, closed) == ("p", None)
    assert first == second
    assert first is not None
    assert (first.label, first.revoked_at) == ("Client", NOW)


def test_links_are_listed_live_ones_first_then_newest_first(db: Database, account_id: int) -> None:
    with db.write() as tx:
        made = [share_links.add(tx, "p", str(number), NOW + timedelta(hours=number)) for number in range(3)]
        newest = made[2]
        assert newest is not None
        share_links.revoke(tx, newest[0].id, NOW + timedelta(hours=4))

        links = share_links.of_project(tx, "p")

    assert [link.label for link in links] == ["1", "0", "2"]


def test_an_account_belongs_to_its_project_removed_or_not(db: Database, account_id: int) -> None:
    with db.read() as tx:
        found = [accounts.owner_of(tx, id_) for id_ in (account_id, account_id + 1, 2**63)]

    assert found == ["p", None, None]


def test_an_unknown_link_can_not_be_revoked(db: Database) -> None:
    with db.write() as tx:
        assert share_links.revoke(tx, "none", NOW) is None
