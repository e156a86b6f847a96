"""Reddit: what follows a user, by `about.json`, one call each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from webapp.clock import Clock
from webapp.model import Counts
from webapp.setting import Setting, base_url
from webapp.sources.http import Http
from webapp.sources.platforms import Platform, ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import CALL, ask_json, count_at, each, garbled, text_at


class Reddit:
    per_call = 1  # profiles that one call asks for
    quota = None  # or Quota(units a day): then nothing is asked for beyond it

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.http = Http("Reddit", clock, limits=CALL)
        self.base = values.get("SMART_SYNC_REDDIT_API", "https://www.reddit.com")

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        return each(accounts, lambda account: self.look_up(account, budget), "Reddit", budget)

    def look_up(self, account: Wanted, budget: ReadBudget) -> ProfileReading:
        said = ask_json(self.http, f"{self.base}/{account.key.removeprefix('reddit:')}/about.json", budget)
        if (id_ := text_at(said, "data", "id")) is None:
            raise garbled("Reddit", "an answer about nobody")  # such as an error that calls itself a success
        return ProfileReading(account.key, Counts(followers=count_at(said, "data", "subreddit", "subscribers")), id_)

    def check(self, budget: ReadBudget) -> str:
        self.look_up(Wanted("reddit:user/reddit", "reddit"), budget)
        return "it answers"

    def close(self) -> None:
        self.http.close()


SETTINGS = (Setting("SMART_SYNC_REDDIT_API", "", base_url, "stands in for the origin of Reddit"),)
PLATFORM = Platform("reddit", "Reddit", SETTINGS, gives=("followers",), open=Reddit)
