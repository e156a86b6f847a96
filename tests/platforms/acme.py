"""Acme: channels by name, 50 a call, with a key."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from webapp.clock import Clock
from webapp.model import Counts
from webapp.setting import Setting, base_url, key_text
from webapp.sources.http import Http
from webapp.sources.platforms import Platform, ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    another,
    ask_json,
    at,
    count_at,
    id_at,
    in_parts,
    items_of,
    text_at,
    with_missing,
)


class Acme:
    per_call = 50
    quota = None

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.http = Http("Acme", clock, limits=CALL)
        self.base = values.get("SMART_SYNC_ACME_API", "https://api.acme.example")
        self.headers = {"Authorization": f"Bearer {values['ACME_KEY']}"}

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        return in_parts(accounts, self.per_call, lambda part: self.look_up(part, budget), "Acme", budget)

    def look_up(self, part: Sequence[Wanted], budget: ReadBudget) -> Sequence[ProfileReading]:
        query = urlencode([("name", _name(account)) for account in part])
        said = ask_json(self.http, f"{self.base}/channels?{query}", budget, headers=self.headers)
        items = {(text_at(item, "name") or "").lower(): item for item in items_of("Acme", at(said, "data"))}
        found = {a.key: _reading(a, items[_name(a)]) for a in part if _name(a) in items}
        return with_missing(part, found, "Acme")

    def check(self, budget: ReadBudget) -> str:
        self.look_up([Wanted("acme:acme", "acme")], budget)
        return "the key works"

    def close(self) -> None:
        self.http.close()


def _name(account: Wanted) -> str:
    return account.key.removeprefix("acme:")


def _reading(account: Wanted, item: Any) -> ProfileReading:
    id_ = id_at(item, "id")
    if account.platform_id and id_ and id_ != account.platform_id:
        return another(account, "Acme")  # asked for by name, which somebody else has taken
    return ProfileReading(account.key, Counts(followers=count_at(item, "followers")), id_)


SETTINGS = (
    Setting("ACME_KEY", "", key_text, "key of Acme's API; with it channels are read", secret=True),
    Setting("SMART_SYNC_ACME_API", "", base_url, "stands in for the origin of Acme"),
)
PLATFORM = Platform("acme", "Acme", SETTINGS, gives=("followers",), open=Acme, needs=("ACME_KEY",))
