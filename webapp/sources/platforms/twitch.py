"""Twitch: channels by Helix. `users`, 100 a call, gives ids; `channels/followers` gives the followers of one.

An app access token, got with client id and secret, is enough: without a moderator's consent the list of followers is
empty and its total is there. Views of a channel are not given any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from webapp.clock import Clock
from webapp.errors import SourceError
from webapp.model import Counts
from webapp.setting import Setting, base_url, key_text
from webapp.sources.http import Fetched, Http
from webapp.sources.platforms import Platform, ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    ask_json,
    at,
    check,
    count_at,
    each,
    garbled,
    in_parts,
    items_of,
    json_of,
    key_refused,
    text_at,
    with_missing,
)

TITLE = "Twitch"
API, SIGN_IN = "https://api.twitch.tv", "https://id.twitch.tv"


class Twitch:
    per_call = 1
    quota = None

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        base: str | None = values.get("SMART_SYNC_TWITCH_API")
        self.base, self.sign_in_at = base or API, base or SIGN_IN
        self.http = Http(TITLE, clock, limits=CALL)
        self.client_id, self.secret = values["TWITCH_CLIENT_ID"], values["TWITCH_CLIENT_SECRET"]
        self.token: str | None = None

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        for found in in_parts(accounts, 100, partial(self.identify, budget), TITLE, budget):
            yield [one for one in found if one.unread]
            known = {one.key: one for one in found if one.unread is None}
            theirs = [account for account in accounts if account.key in known]
            yield from each(theirs, partial(self.count, known, budget), TITLE, budget)

    def identify(self, budget: ReadBudget, part: Sequence[Wanted]) -> Sequence[ProfileReading]:
        """Who they are, without counts."""
        users = self.users(part, budget)
        found = {a.key: _identity(a, users[name]) for a in part if (name := _name(a).lower()) in users}
        return with_missing(part, found, TITLE)

    def users(self, part: Sequence[Wanted], budget: ReadBudget) -> dict[str, Any]:
        """{id, and login in lower case: user}"""
        query = [("id", a.platform_id) if a.platform_id else ("login", _name(a)) for a in part]
        said = self.ask(f"/helix/users?{urlencode(query)}", budget)
        return {
            name.lower(): user
            for user in items_of(TITLE, at(said, "data"))
            for name in (text_at(user, "id"), text_at(user, "login"))
            if name
        }

    def count(self, known: Mapping[str, ProfileReading], budget: ReadBudget, account: Wanted) -> ProfileReading:
        one = known[account.key]
        query = urlencode({"broadcaster_id": one.platform_id, "first": 1})
        said = self.ask(f"/helix/channels/followers?{query}", budget)
        return one._replace(counts=Counts(followers=count_at(said, "total")))

    def ask(self, path: str, budget: ReadBudget) -> Any:
        headers = {"Client-Id": self.client_id, "Authorization": f"Bearer {self.sign_in(budget)}"}
        return ask_json(self.http, self.base + path, budget, headers=headers)

    def sign_in(self, budget: ReadBudget) -> str:
        if self.token is None:
            form = {"client_id": self.client_id, "client_secret": self.secret, "grant_type": "client_credentials"}
            url = f"{self.sign_in_at}/oauth2/token"
            self.token = self.http.request(url, budget=budget, read=_token, form=urlencode(form).encode())
        return self.token

    def check(self, budget: ReadBudget) -> str:
        self.sign_in(budget)
        return "the client id and secret work"

    def close(self) -> None:
        self.http.close()


def _token(answer: Fetched) -> str:
    check(TITLE, answer, _refusal)
    token = text_at(json_of(TITLE, answer), "access_token")
    if token is None:
        raise garbled(TITLE, "no token")
    return token


def _refusal(answer: Fetched) -> SourceError | None:
    """A wrong client id is a 400 there, and a wrong secret a 403."""
    return key_refused(TITLE, "the client id or secret is not valid") if answer.status == 400 else None  # noqa: PLR2004


def _identity(account: Wanted, user: Any) -> ProfileReading:
    login = text_at(user, "login")
    urls = (f"https://www.twitch.tv/{login}",) if login else ()
    return ProfileReading(account.key, platform_id=text_at(user, "id"), handle=login, urls=urls)


def _name(account: Wanted) -> str:
    return account.platform_id or account.key.removeprefix("twitch:")


PLATFORM = Platform(
    name="twitch",
    title=TITLE,
    settings=(
        Setting("TWITCH_CLIENT_ID", "", key_text, "client id of an application of Twitch; with it channels are read"),
        Setting("TWITCH_CLIENT_SECRET", "", key_text, "the client secret of the same application", secret=True),
        Setting("SMART_SYNC_TWITCH_API", "", base_url, "stands in for the origins of Twitch's API and sign-in", API),
    ),
    needs=("TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET"),
    gives=("followers",),
    open=Twitch,
)
