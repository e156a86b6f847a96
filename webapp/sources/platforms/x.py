"""X: profiles by API v2, `users/by` and `users`, 100 a call, with the bearer token of an application.

Its prices count profiles, not calls, so the units of the day are profiles here. A profile's posts are not videos, and
likes are those that it gave, so neither is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from webapp.clock import Clock
from webapp.model import Counts
from webapp.setting import Setting, base_url, key_text, whole
from webapp.sources.http import Http
from webapp.sources.platforms import Platform, ProfileReading, Quota, ReadBudget, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    ask_json,
    at,
    count_at,
    in_parts,
    items_of,
    text_at,
    unread,
    with_missing,
)

TITLE = "X"
API = "https://api.x.com"
DAY = 1_000
MOST = 100  # profiles a call
BY_ID = "x:i/user/"


class X:
    per_call = 1  # as far as units are concerned

    def __init__(self, values: Mapping[str, Any], clock: Clock) -> None:
        self.quota = Quota(values.get("SMART_SYNC_X_QUOTA", DAY))
        self.http = Http(TITLE, clock, limits=CALL)
        self.base = values.get("SMART_SYNC_X_API", API)
        self.headers = {"Authorization": f"Bearer {values['X_BEARER_TOKEN']}"}

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        by_id = [account for account in accounts if _id_of(account)]
        by_name = [account for account in accounts if not _id_of(account)]
        for which, path, some in (("ids", "/2/users", by_id), ("usernames", "/2/users/by", by_name)):
            read = partial(self.read_part, which, path, budget)
            yield from in_parts(some, MOST, read, TITLE, budget, dear=True)

    def read_part(self, which: str, path: str, budget: ReadBudget, part: Sequence[Wanted]) -> Sequence[ProfileReading]:
        query = urlencode({which: ",".join(map(_name, part)), "user.fields": "public_metrics"}, safe=",")
        said = ask_json(self.http, f"{self.base}{path}?{query}", budget, headers=self.headers, cost=len(part))
        users, errors = (at(said, name) for name in ("data", "errors"))
        # One of them is left out where it would be empty.
        users = items_of(TITLE, [] if users is None and errors else users)
        names = {n.lower(): u for u in users for n in (text_at(u, "id"), text_at(u, "username")) if n}
        refused = {str(at(one, "value")).lower(): one for one in items_of(TITLE, errors or [])}
        found: dict[str, ProfileReading] = {}
        for account in part:
            name = _name(account).lower()
            if name in names:
                found[account.key] = _reading(account, names[name])
            elif name in refused and text_at(refused[name], "title") == "Forbidden":
                found[account.key] = unread(account, "suspended", f"{TITLE} has suspended it")
        return with_missing(part, found, TITLE)

    def check(self, budget: ReadBudget) -> str:
        self.read_part("usernames", "/2/users/by", budget, [Wanted("x:x", "x")])
        return "the bearer token works"

    def close(self) -> None:
        self.http.close()


def _id_of(account: Wanted) -> str | None:
    known = account.key.removeprefix(BY_ID) if account.key.startswith(BY_ID) else None
    return account.platform_id or known


def _name(account: Wanted) -> str:
    return _id_of(account) or account.key.removeprefix("x:")


def _reading(account: Wanted, user: Any) -> ProfileReading:
    id_, name = text_at(user, "id"), text_at(user, "username")
    urls = [f"https://x.com/i/user/{id_}"] if id_ else []
    urls += [f"https://x.com/{name}"] if name else []
    counts = Counts(followers=count_at(user, "public_metrics", "followers_count"))
    return ProfileReading(account.key, counts, id_, name, tuple(urls))


PLATFORM = Platform(
    name="x",
    title=TITLE,
    settings=(
        Setting(
            "X_BEARER_TOKEN",
            "",
            key_text,
            "bearer token of an application of X; with it profiles are read",
            secret=True,
        ),
        Setting("SMART_SYNC_X_API", "", base_url, "stands in for the origin of X's API", API),
        Setting("SMART_SYNC_X_QUOTA", "", whole(1, 10**9), "profiles that may be read of X a day", str(DAY)),
    ),
    needs=("X_BEARER_TOKEN",),
    gives=("followers",),
    open=X,
)
