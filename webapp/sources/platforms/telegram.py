"""Telegram: public channels by their preview page, `t.me/s/name`, one page each, without a key.

The page shows subscribers and posts by kind, in three digits from 1,000 on (`12.3K`). Groups, bots, people and channels
without a preview lead to another page of their name, which is not followed. It tells no id: a name that somebody else
has now cannot be told from the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from webapp.clock import Clock
from webapp.model import Counts
from webapp.setting import Setting, base_url
from webapp.sources.counts import NotACount, count_of
from webapp.sources.http import Fetched, Http
from webapp.sources.platforms import Platform, ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import CALL, ask, beside, check, each, garbled, unread

TITLE = "Telegram"
API = "https://t.me"
WORKERS = 3
ENGLISH = {"Accept-Language": "en"}  # the names of the counters
COUNTER = re.compile(
    r'class="counter_value">([^<]{1,40})</span>\s*<span class="counter_type">([^<]{1,40})</span>', re.ASCII
)
POSTS = ("photo", "photos", "video", "videos", "file", "files", "link", "links")
MARK = "tgme_"  # in the names of classes on every page of theirs
NO_PREVIEW = "it is no public channel, or shows no preview"


class Telegram:
    per_call = 1
    quota = None

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.clock = clock
        self.base = values.get("SMART_SYNC_TELEGRAM_API", API)

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        shares = [accounts[start::WORKERS] for start in range(min(WORKERS, len(accounts)))]
        return beside([partial(self.read_share, share, budget) for share in shares], WORKERS)

    def read_share(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        with closing(Http(TITLE, self.clock, limits=CALL)) as http:
            yield from each(accounts, lambda account: self.look_at(http, account, budget), TITLE, budget)

    def look_at(self, http: Http, account: Wanted, budget: ReadBudget) -> ProfileReading:
        url = f"{self.base}/s/{account.key.removeprefix('telegram:')}"
        return ask(http, url, budget, partial(_reading, account), headers=ENGLISH)

    def check(self, budget: ReadBudget) -> str:
        with closing(Http(TITLE, self.clock, limits=CALL)) as http:
            self.look_at(http, Wanted("telegram:telegram", "telegram"), budget)
        return "it answers"

    def close(self) -> None:
        """Nothing is kept open."""


def _reading(account: Wanted, answer: Fetched) -> ProfileReading:
    if answer.redirects and _is_own_page(account, answer.headers.get("Location", "")):
        return unread(account, "no_preview", NO_PREVIEW)
    check(TITLE, answer)
    page = answer.body.decode("utf-8", "replace")
    if MARK not in page:
        raise garbled(TITLE, "a page that is none of its own")
    counters = [(_count(value), kind.strip().lower()) for value, kind in COUNTER.findall(page)]
    if not counters:
        return unread(account, "no_preview", NO_PREVIEW)
    videos = next((count for count, kind in counters if kind in ("video", "videos")), None)
    # The first one is the subscribers, whatever the language of the page calls them; where they are not left out.
    first, kind = counters[0]
    return ProfileReading(account.key, Counts(followers=None if kind in POSTS else first, videos=videos))


def _is_own_page(account: Wanted, location: str) -> bool:
    """Whether an address is the page of the same name, where what shows no preview is sent to; not a captcha."""
    try:
        path = urlsplit(location).path
    except ValueError:
        return False
    return path.strip("/").lower() == account.key.removeprefix("telegram:")


def _count(text: str) -> int | None:
    try:
        return count_of(unescape(text).strip(), "en_US")
    except NotACount:
        return None


PLATFORM = Platform(
    name="telegram",
    title=TITLE,
    settings=(
        Setting("SMART_SYNC_TELEGRAM_API", "", base_url, "stands in for the origin of Telegram's preview pages", API),
    ),
    gives=("followers", "videos"),
    open=Telegram,
)
