"""Bluesky in a sync, over HTTP."""

from __future__ import annotations

import pytest

from tests.fakes.platforms import FakeBluesky
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.platforms.conftest import Reads, unread


def page(handle: str) -> str:
    return f"https://bsky.app/profile/{handle}"


@pytest.fixture
def syncing(service: Service, sheet: FakeSheet, bluesky: FakeBluesky, reads: Reads) -> Service:
    reads(bluesky)
    return service


@pytest.mark.parametrize(("profiles", "calls"), [(25, 1), (26, 2), (100, 4)])
def test_twenty_five_profiles_are_one_call(
    syncing: Service, sheet: FakeSheet, bluesky: FakeBluesky, profiles: int, calls: int
) -> None:
    for number in range(profiles):
        bluesky.profile(f"ada{number}.bsky.social", followersCount=number)
    sheet.rows("Project A", *([page(f"ada{number}.bsky.social")] for number in range(profiles)))
    syncing.sync()

    syncing.sync()

    assert len(bluesky.calls) == calls
    assert syncing.followers(page(f"ada{profiles - 1}.bsky.social")) == profiles - 1


def test_a_profile_is_followed_by_its_did_when_its_handle_changes(
    syncing: Service, sheet: FakeSheet, bluesky: FakeBluesky
) -> None:
    did = bluesky.profile("ada.bsky.social", followersCount=5)
    sheet.rows("Project A", [page("ada.bsky.social")])
    syncing.sync()
    syncing.sync()
    bluesky.profiles[did]["handle"] = "ada.example.com"
    bluesky.profile("ada.bsky.social", "did:plc:somebody", followersCount=1)
    syncing.time.forward(minutes=31)
    syncing.sync()

    sheet.rows("Project A", [page("ada.example.com")])
    syncing.sync()

    assert bluesky.calls[-1].args.getlist("actors") == [did]
    (account,) = syncing.rows("SELECT followers, removed_at FROM accounts")
    assert account == {"followers": 5, "removed_at": None}


def test_one_name_that_is_refused_takes_nothing_from_the_others(
    syncing: Service, sheet: FakeSheet, bluesky: FakeBluesky
) -> None:
    names = [f"ada{number}.bsky.social" for number in range(7)]
    for name in names:
        bluesky.profile(name, followersCount=3)
    sheet.rows("Project A", *([page(name)] for name in names))
    syncing.sync()
    syncing.write("UPDATE accounts SET url_key = 'bluesky:nodomain' WHERE url_key = 'bluesky:ada4.bsky.social'")

    syncing.sync()

    assert syncing.one("SELECT count(*) FROM observations WHERE source = 'parsed'") == 6
    (state,) = syncing.rows("SELECT code, message FROM account_reads WHERE code IS NOT NULL")
    assert state == {"code": "refused", "message": "Bluesky takes this for no name of a profile"}


@pytest.mark.parametrize("did", ["did:plc:a\0b", "did:plc:" + "x" * 5_000], ids=["NUL", "long"])
def test_an_id_that_nobody_can_keep_takes_nothing_from_the_others(
    syncing: Service, sheet: FakeSheet, bluesky: FakeBluesky, did: str
) -> None:
    bluesky.profile("ada.bsky.social", did, followersCount=5)
    bluesky.profile("bob.bsky.social", followersCount=6)
    sheet.rows("Project A", [page("ada.bsky.social")], [page("bob.bsky.social")])
    syncing.sync()
    syncing.sync()

    read = "SELECT followers FROM observations WHERE source = 'parsed' ORDER BY account_id"
    assert [row["followers"] for row in syncing.rows(read)] == [5, 6]


def test_a_handle_without_a_domain_behind_it_is_no_other_name(
    syncing: Service, sheet: FakeSheet, bluesky: FakeBluesky
) -> None:
    did = bluesky.profile("handle.invalid", "did:plc:lost")
    sheet.rows("Project A", [page(did)])
    syncing.sync()

    syncing.sync()

    assert syncing.followers(page(did)) == 10
    assert not syncing.rows("SELECT * FROM account_aliases")


def test_what_it_does_not_know_is_gone(syncing: Service, sheet: FakeSheet, bluesky: FakeBluesky) -> None:
    sheet.rows("Project A", [page("nobody.bsky.social"), 3])
    syncing.sync()

    syncing.sync()

    assert (syncing.followers(page("nobody.bsky.social")), unread(syncing, page("nobody.bsky.social"))) == (3, "gone")
