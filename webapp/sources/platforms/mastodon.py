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
from webapp.errors import OutOfTime, SourceError, TransientSourceError
from webapp.model import Counts
from webapp.rules.sorting import group_by
from webapp.setting import Setting, base_url
from webapp.sources.http import Http
from webapp.sources.platforms import Platform, ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import CALL, another, ask_json, at, beside, count_at, gone, text_at, unread

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
            for place, account in enumerate(accounts):
                if budget.used_up:
                    return
                try:
                    yield [self.look_up(http, host, account, budget)]
                except TransientSourceError as error:
                    if not isinstance(error, OutOfTime) and not budget.used_up:
                        yield [ProfileReading(one.key, unread=error) for one in accounts[place:]]
                    return

    def http(self, host: str) -> Http:
        return Http(host, self.clock, limits=CALL, public_only=self.base is None)

    def look_up(self, http: Http, host: str, account: Wanted, budget: ReadBudget) -> ProfileReading:
        base = self.base.replace("{instance}", host) if self.base else f"https://{host}"
        url = f"{base}/api/v1/accounts/lookup?{urlencode({'acct': _place(account)[1]})}"
        try:
            return _reading(account, ask_json(http, url, budget), host)
        except TransientSourceError:
            raise
        except SourceError as error:
            if error.code == "not_found":
                return gone(account, host)
            if error.code == "key_refused":
                return unread(account, "closed", CLOSED)
            return ProfileReading(account.key, unread=error)

    def check(self, budget: ReadBudget) -> str:
        with closing(self.http("mastodon.social")) as http:
            self.look_up(http, "mastodon.social", Wanted("mastodon:mastodon.social/@Mastodon", None), budget)
        return "an instance answers"

    def close(self) -> None:
        """Nothing is kept open between instances."""


def _place(account: Wanted) -> tuple[str, str]:
    """(instance, name) of `mastodon:instance/@name`."""
    host, _, name = account.key.removeprefix("mastodon:").partition("/@")
    return host, name


def _reading(account: Wanted, said: Any, host: str) -> ProfileReading:
    id_ = text_at(said, "id")
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
