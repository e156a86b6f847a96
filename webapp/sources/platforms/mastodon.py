"""Mastodon: profiles by `accounts/lookup` of their own instance, one call each, without a key.

Only the instances that the table of addresses knows are asked, and only where they are public addresses. Several are
asked side by side; one that is down takes nothing from the others. A profile's posts are not videos.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any
from urllib.parse import urlencode

from webapp.clock import Clock
from webapp.errors import SourceError
from webapp.model import Counts
from webapp.rules.sorting import group_by
from webapp.setting import Setting, base_url
from webapp.sources.http import Http
from webapp.sources.platforms import Platform, ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    another,
    ask_json,
    at,
    beside,
    count_at,
    each,
    garbled,
    text_at,
    unread,
)

WORKERS = 6
CLOSED = "its instance answers to its own members only"


class Mastodon:
    per_call = 1
    quota = None

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.clock = clock
        self.base: str | None = values.get("SMART_SYNC_MASTODON_API")

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        by_host = group_by(accounts, lambda account: _place(account)[0])
        jobs = [partial(self.read_instance, host, mine, budget) for host, mine in by_host.items()]
        return beside(jobs, WORKERS)

    def read_instance(
        self, host: str, accounts: Sequence[Wanted], budget: ReadBudget
    ) -> Iterator[Sequence[ProfileReading]]:
        """One after another; where the instance does not answer, the rest of them wait for another time."""
        with closing(self.http(host)) as http:
            look_up = partial(self.look_up, http, host, budget)
            yield from each(accounts, look_up, host, budget, raises=False)

    def http(self, host: str) -> Http:
        return Http(host, self.clock, limits=CALL, public_only=self.base is None)

    def look_up(self, http: Http, host: str, budget: ReadBudget, account: Wanted) -> ProfileReading:
        base = self.base.replace("{instance}", host) if self.base else f"https://{host}"
        url = f"{base}/api/v1/accounts/lookup?{urlencode({'acct': _place(account)[1]})}"
        try:
            return _reading(account, ask_json(http, url, budget), host)
        except SourceError as error:
            if error.code != "key_refused":
                raise
            return unread(account, "closed", CLOSED)

    def check(self, budget: ReadBudget) -> str:
        with closing(self.http("mastodon.social")) as http:
            self.look_up(http, "mastodon.social", budget, Wanted("mastodon:mastodon.social/@Mastodon", None))
        return "an instance answers"

    def close(self) -> None:
        """Nothing is kept open between instances."""


def _place(account: Wanted) -> tuple[str, str]:
    """(instance, name) of `mastodon:instance/@name`."""
    host, _, name = account.key.removeprefix("mastodon:").partition("/@")
    return host, name


def _reading(account: Wanted, said: Any, host: str) -> ProfileReading:
    id_ = text_at(said, "id")
    if id_ is None:
        raise garbled(host, "an answer about nobody")
    if account.platform_id and id_ != account.platform_id:
        return another(account, host)
    if at(said, "suspended") is True:
        return unread(account, "suspended", f"{host} has suspended it")
    return ProfileReading(account.key, Counts(followers=count_at(said, "followers_count")), id_)


PLATFORM = Platform(
    name="mastodon",
    title="Mastodon",
    settings=(
        Setting(
            "SMART_SYNC_MASTODON_API",
            "",
            base_url,
            "stands in for the origin of every instance; `{instance}` in it is the instance's host",
            "each account's own instance",
        ),
    ),
    gives=("followers",),
    open=Mastodon,
)
