"""Instagram: business and creator accounts by business discovery of the Graph API, one a call.

It takes an Instagram business account of one's own, linked to a page, and a token of it. Private and personal accounts
are not shown. Media of an account are not only videos, and its likes and views are not given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from webapp.clock import Clock
from webapp.errors import SourceError
from webapp.model import Counts
from webapp.setting import Setting, base_url, key_text, whole
from webapp.sources.http import Fetched, Http
from webapp.sources.http.exchange import too_many
from webapp.sources.platforms import Platform, ProfileReading, Quota, ReadBudget, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    another,
    ask_json,
    at,
    count_at,
    each,
    garbled,
    json_of,
    key_refused,
    text_at,
    unread,
)

TITLE = "Instagram"
API = "https://graph.facebook.com"
VERSION = "v23.0"
DAY = 4_000  # of 200 calls an hour that an application has for each of its users
NOT_SHOWN = 110
TOO_FAST = {4, 17, 32, 613}
TOKEN = {102, 190}
PERSONAL = "it is no business or creator account, or there is none of this name"


class Instagram:
    per_call = 1

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.quota = Quota(values.get("SMART_SYNC_INSTAGRAM_QUOTA", DAY))
        self.http = Http(TITLE, clock, limits=CALL)
        self.base = values.get("SMART_SYNC_INSTAGRAM_API", API)
        self.user = values["INSTAGRAM_USER_ID"]
        self.headers = {"Authorization": f"Bearer {values['INSTAGRAM_ACCESS_TOKEN']}"}

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        return each(accounts, lambda account: self.look_up(account, budget), TITLE, budget)

    def look_up(self, account: Wanted, budget: ReadBudget) -> ProfileReading:
        try:
            return _reading(account, self.ask(account.key.removeprefix("instagram:"), budget))
        except SourceError as error:
            if error.code != "not_shown":
                raise
            return unread(account, "not_shown", PERSONAL)

    def ask(self, name: str, budget: ReadBudget) -> Any:
        fields = f"business_discovery.username({name}){{id,username,followers_count,media_count}}"
        url = f"{self.base}/{VERSION}/{self.user}?{urlencode({'fields': fields}, safe='(){},.')}"
        said = ask_json(self.http, url, budget, headers=self.headers, refuse=_refusal)
        found = at(said, "business_discovery")
        if not isinstance(found, dict):
            raise garbled(TITLE, "an answer about nobody")
        return found

    def check(self, budget: ReadBudget) -> str:
        self.ask("instagram", budget)
        return "the token works"

    def close(self) -> None:
        self.http.close()


def _reading(account: Wanted, said: Any) -> ProfileReading:
    id_ = text_at(said, "id")
    if account.platform_id and id_ and id_ != account.platform_id:
        return another(account, TITLE)
    counts = Counts(followers=count_at(said, "followers_count"))
    return ProfileReading(account.key, counts, id_, text_at(said, "username"))


def _refusal(answer: Fetched) -> SourceError | None:
    """Its reasons are numbers in the body, whatever the status."""
    try:
        code = at(json_of(TITLE, answer), "error", "code")
    except SourceError:
        return None
    if code == NOT_SHOWN:
        return SourceError(PERSONAL, code="not_shown")
    if code in TOO_FAST:
        return too_many(TITLE)
    return key_refused(TITLE, "the token is not valid, or has expired") if code in TOKEN else None


PLATFORM = Platform(
    name="instagram",
    title=TITLE,
    settings=(
        Setting(
            "INSTAGRAM_USER_ID", "", key_text, "id of an Instagram business account of yours, which asks about others"
        ),
        Setting(
            "INSTAGRAM_ACCESS_TOKEN", "", key_text, "its token; with both, business accounts are read", secret=True
        ),
        Setting("SMART_SYNC_INSTAGRAM_API", "", base_url, "stands in for the origin of the Graph API", API),
        Setting(
            "SMART_SYNC_INSTAGRAM_QUOTA",
            "",
            whole(1, 10**9),
            "calls of Instagram's API that may be made a day",
            str(DAY),
        ),
    ),
    needs=("INSTAGRAM_USER_ID", "INSTAGRAM_ACCESS_TOKEN"),
    gives=("followers",),
    open=Instagram,
)
