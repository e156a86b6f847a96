"""Bluesky: profiles by the public AppView, `app.bsky.actor.getProfiles`, 25 a call, without a key.

A handle is a domain name and may change; the DID behind it stays. One name that is no handle makes it refuse a whole
call. Likes, comments and views of a profile are not given, and its posts are not videos.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from webapp.clock import Clock
from webapp.model import Counts
from webapp.setting import Setting, base_url
from webapp.sources.http import Http
from webapp.sources.platforms import Platform, ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    ask_json,
    at,
    count_at,
    in_parts,
    items_of,
    text_at,
    with_missing,
)

TITLE = "Bluesky"
API = "https://public.api.bsky.app"
NO_HANDLE = "handle.invalid"  # what it calls one whose domain does not point back


class Bluesky:
    per_call = 25
    quota = None

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.http = Http(TITLE, clock, limits=CALL)
        self.base = values.get("SMART_SYNC_BLUESKY_API", API)

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        return in_parts(accounts, self.per_call, partial(self.read_part, budget), TITLE, budget)

    def read_part(self, budget: ReadBudget, part: Sequence[Wanted]) -> Sequence[ProfileReading]:
        profiles = self.ask(budget, [_actor(account) for account in part])
        read = {a.key: _reading(a, profiles[actor]) for a in part if (actor := _actor(a).lower()) in profiles}
        return with_missing(part, read, TITLE)

    def ask(self, budget: ReadBudget, actors: Sequence[str]) -> dict[str, Any]:
        """{DID or handle in lower case: what is said of it}"""
        query = urlencode([("actors", actor) for actor in dict.fromkeys(actors)], safe=":")
        answer = ask_json(self.http, f"{self.base}/xrpc/app.bsky.actor.getProfiles?{query}", budget)
        profiles = items_of(TITLE, at(answer, "profiles"))
        return {
            name.lower(): profile
            for profile in profiles
            for name in (text_at(profile, "did"), text_at(profile, "handle"))
            if name
        }

    def check(self, budget: ReadBudget) -> str:
        self.ask(budget, ["bsky.app"])
        return "it answers"

    def close(self) -> None:
        self.http.close()


def _actor(account: Wanted) -> str:
    return account.platform_id or account.key.removeprefix("bluesky:")


def _reading(account: Wanted, profile: Any) -> ProfileReading:
    did, handle = text_at(profile, "did"), text_at(profile, "handle")
    names = [name for name in (did, handle) if name and name != NO_HANDLE]
    counts = Counts(followers=count_at(profile, "followersCount"))
    urls = tuple(f"https://bsky.app/profile/{name}" for name in names)
    return ProfileReading(account.key, counts, did, handle, urls)


PLATFORM = Platform(
    name="bluesky",
    title=TITLE,
    settings=(
        Setting("SMART_SYNC_BLUESKY_API", "", base_url, "stands in for the origin of Bluesky's public API", API),
    ),
    gives=("followers",),
    open=Bluesky,
)
