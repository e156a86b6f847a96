"""YouTube: channels by the Data API v3, `channels.list`, 50 ids a call, one unit each.

Subscribers are rounded down to three digits from 1,000 on, so an exact number that agrees with them is never less. They
are absent or meaningless where the channel hides them. Likes and comments are not given for channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from webapp.clock import Clock
from webapp.errors import SourceError
from webapp.model import Counts
from webapp.setting import Setting, base_url, key_text, whole
from webapp.sources.http import Fetched, Http
from webapp.sources.http.exchange import too_many
from webapp.sources.platforms import Platform, ProfileReading, Quota, QuotaUsedUp, ReadBudget, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    ask_json,
    at,
    count_at,
    each,
    gone,
    in_parts,
    items_of,
    json_of,
    key_refused,
    text_at,
    unread,
    with_missing,
)

TITLE = "YouTube"
API = "https://www.googleapis.com"
DAY = 10_000
PACIFIC = "America/Los_Angeles"  # where the day of a quota begins
CHANNEL, HANDLE, USER = "youtube:channel/", "youtube:@", "youtube:user/"
FIELDS = {"part": "snippet,statistics", "fields": "kind,items(id,snippet/customUrl,statistics)", "maxResults": "50"}
KIND = "youtube#channelListResponse"
NO_UNITS = {"quotaExceeded", "dailyLimitExceeded"}
TOO_FAST = {"rateLimitExceeded", "userRateLimitExceeded"}
PASTE = "paste the address with its @handle or with /channel/"


class YouTube:
    per_call = 50

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.quota = Quota(values.get("SMART_SYNC_YOUTUBE_QUOTA", DAY), PACIFIC)
        self.http = Http(TITLE, clock, limits=CALL)
        self.base = values.get("SMART_SYNC_YOUTUBE_API", API)
        # In a header, which stands in no log.
        self.headers = {"X-Goog-Api-Key": values["YOUTUBE_API_KEY"]}

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        by_id = [account for account in accounts if _id_of(account)]
        by_name = [account for account in accounts if not _id_of(account)]
        yield from in_parts(by_id, self.per_call, partial(self.read_part, budget), TITLE, budget, by_name=False)
        yield from each(by_name, lambda account: self.look_up(account, budget), TITLE, budget)

    def read_part(self, budget: ReadBudget, part: Sequence[Wanted]) -> Sequence[ProfileReading]:
        found = self.ask(budget, id=",".join(dict.fromkeys(filter(None, map(_id_of, part)))))
        read = {account.key: _reading(account, found[id_]) for account in part if (id_ := _id_of(account)) in found}
        return with_missing(part, read, TITLE)

    def look_up(self, account: Wanted, budget: ReadBudget) -> ProfileReading:
        """By its handle, once: from then on its id is known."""
        for start, name in ((HANDLE, "forHandle"), (USER, "forUsername")):
            if account.key.startswith(start):
                sign = "@" if start == HANDLE else ""
                found = self.ask(budget, **{name: sign + account.key.removeprefix(start)})
                return _reading(account, next(iter(found.values()))) if len(found) == 1 else gone(account, TITLE)
        return unread(account, "no_lookup", f"{TITLE} cannot be asked for this form of address", PASTE)

    def ask(self, budget: ReadBudget, **which: str) -> dict[str, Any]:
        """{channel id: what is said of it}"""
        url = f"{self.base}/youtube/v3/channels?{urlencode(FIELDS | which, safe=',()/@')}"
        answer = ask_json(self.http, url, budget, headers=self.headers, refuse=_refusal)
        items = at(answer, "items")
        if items is None and text_at(answer, "kind") == KIND:
            items = []  # Google leaves out what is empty
        return {id_: item for item in items_of(TITLE, items) if (id_ := text_at(item, "id"))}

    def check(self, budget: ReadBudget) -> str:
        self.ask(budget, forHandle="@youtube")
        return "the key works"

    def close(self) -> None:
        self.http.close()


def _id_of(account: Wanted) -> str | None:
    known = account.key.removeprefix(CHANNEL) if account.key.startswith(CHANNEL) else None
    return account.platform_id or known


def _reading(account: Wanted, item: Any) -> ProfileReading:
    hidden = at(item, "statistics", "hiddenSubscriberCount") is True
    counts = Counts(
        followers=None if hidden else count_at(item, "statistics", "subscriberCount"),
        videos=count_at(item, "statistics", "videoCount"),
        views=count_at(item, "statistics", "viewCount"),
    )
    id_, handle = text_at(item, "id"), text_at(item, "snippet", "customUrl")
    home = "https://www.youtube.com/"
    names = (f"{home}channel/{id_}", f"{home}{handle}" if handle and handle.startswith("@") else "")
    return ProfileReading(account.key, counts, id_, handle, tuple(filter(None, names)))


def _refusal(answer: Fetched) -> SourceError | None:
    """What Google says in the body: 403 may be a quota, 400 a key."""
    try:
        body = json_of(TITLE, answer)
    except SourceError:
        return None
    reason, words = text_at(body, "error", "errors", 0, "reason"), text_at(body, "error", "message") or ""
    if reason in NO_UNITS:
        return QuotaUsedUp("YouTube says that the day's units are used up", until_tomorrow=True)
    if reason in TOO_FAST:
        return too_many(TITLE)
    if reason == "accessNotConfigured":
        hint = "enable the YouTube Data API v3 for the key's project in the Google Cloud console"
        return SourceError(f"{TITLE}: the API is not enabled for this key", code="key_refused", hint=hint)
    return key_refused(TITLE, "the key is not valid, or has expired") if "API key" in words else None


PLATFORM = Platform(
    name="youtube",
    title=TITLE,
    settings=(
        Setting(
            "YOUTUBE_API_KEY", "", key_text, "key of the YouTube Data API v3; with it channels are read", secret=True
        ),
        Setting("SMART_SYNC_YOUTUBE_API", "", base_url, "stands in for the origin of the YouTube API", API),
        Setting(
            "SMART_SYNC_YOUTUBE_QUOTA", "", whole(1, 10**9), "units of the YouTube API that may be used a day", str(DAY)
        ),
    ),
    needs=("YOUTUBE_API_KEY",),
    gives=("followers", "videos", "views"),
    open=YouTube,
)
