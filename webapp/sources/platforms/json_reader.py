"""Any service that answers with JSON: an aggregator, a scraper of one's own. What it is asked and where the numbers stand
is described by the setting SMART_SYNC_JSON_READERS.

One description asks for a profile a call (`{username}`), for many by a list of names (`{usernames}`), or for pages of a
list that has them all (`{page}`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from webapp.clock import Clock
from webapp.errors import SourceError
from webapp.model import METRICS, NOTHING, Counts, Metric, Profile
from webapp.rules.sorting import group_by
from webapp.setting import Setting
from webapp.sources.http import Http
from webapp.sources.platforms import Platform, ProfileReading, Quota, ReadBudget, Reader, Source, Wanted
from webapp.sources.platforms.asking import (
    CALL,
    another,
    ask_json,
    at,
    count_at,
    each,
    garbled,
    gone,
    id_at,
    in_parts,
    text_at,
    unread,
    with_missing,
)
from webapp.sources.urls import PLATFORMS, BadProfile, profile_of

ONE, MANY, PAGE = "{username}", "{usernames}", "{page}"
MOST_PAGES = 1_000
AMBIGUOUS = "accounts at several addresses have this name, and the answer does not say which of them it is about"
WHICH = "let `name` lead to the address of a profile"

Slug = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_-]{0,39}$")]
Whole = Annotated[int, msgspec.Meta(ge=1, le=10**9)]


class JsonSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service. Paths are names and places of a list with points between: `data.users`, `stats.0.count`.

    platform: whose accounts it reads. url: with `{username}`, `{usernames}` or `{page}`. per_call: names in one call.
    items: path to the list, or to the profile; empty: the body itself. name: path in an item to the username or the
    address. id: path to the platform's own id. metrics: path of each. first_page: the number of the first page.
    quota: calls a day.
    """

    platform: Slug
    url: str
    metrics: dict[Metric, str]
    source: Slug | None = None
    headers: dict[str, str] = {}
    items: str = ""
    name: str = "username"
    id: str = ""
    per_call: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 50
    first_page: Annotated[int, msgspec.Meta(ge=0, le=1)] = 1
    quota: Whole | None = None


class JsonReaders(NamedTuple):
    """All services that are described."""

    specs: tuple[JsonSpec, ...]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What stands in headers may be a key."""
        return tuple(value for spec in self.specs for value in spec.headers.values())


def json_readers(text: str) -> JsonReaders:
    """Raises: ValueError, which quotes nothing of the text: there are keys in it."""
    try:
        specs = msgspec.json.decode(text, type=tuple[JsonSpec, ...])
    except msgspec.ValidationError as error:
        raise ValueError(f"is no list of readers: {error}") from None
    except msgspec.DecodeError:
        raise ValueError("is no JSON; see docs/readers.md") from None
    for spec in specs:
        _check(spec)
    if len({spec.platform for spec in specs}) < len(specs):
        raise ValueError("has two readers of one platform")
    return JsonReaders(specs)


def _check(spec: JsonSpec) -> None:
    """Raises: ValueError."""
    if spec.platform not in (*PLATFORMS, "other"):
        raise ValueError(f"{spec.platform!r} is no platform; there are {', '.join(PLATFORMS)} and other")
    if sum(mark in spec.url for mark in (ONE, MANY, PAGE)) != 1:
        raise ValueError(f"the url of {spec.platform} needs one of {ONE}, {MANY} and {PAGE}")
    parts_ = urlsplit(spec.url)
    if any(mark in parts_.netloc for mark in (ONE, MANY, PAGE)):
        raise ValueError(f"the url of {spec.platform} leaves it to the sheet which host is asked")
    if parts_.scheme not in ("http", "https") or not parts_.hostname or parts_.username:
        raise ValueError(f"the url of {spec.platform} is no address such as https://api.example.com/users/{ONE}")
    if not spec.metrics:
        raise ValueError(f"{spec.platform} has no metrics")
    if not all(name.isascii() and name.replace("-", "").isalnum() for name in spec.headers):
        raise ValueError(f"{spec.platform} has a header with a name that is none")
    if not all(value.isascii() and value.isprintable() for value in spec.headers.values()):
        raise ValueError(f"{spec.platform} has a header with signs that no header has")


class JsonReader:
    def __init__(self, spec: JsonSpec, clock: Clock) -> None:
        self.spec = spec
        self.title = spec.source or spec.platform
        self.per_call = spec.per_call if MANY in spec.url else 1
        self.quota = Quota(spec.quota) if spec.quota else None
        self.http = Http(self.title, clock, limits=CALL)
        self.shared: set[str] = set()  # names that accounts at several addresses have

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        by_name = group_by(accounts, lambda account: _name(account).lower())
        self.shared = {name for name, same in by_name.items() if len(same) > 1}
        if PAGE in self.spec.url:
            yield from self.read_pages(accounts, budget)
        elif MANY in self.spec.url:
            yield from in_parts(accounts, self.per_call, partial(self.read_part, budget), self.title, budget)
        else:
            yield from each(accounts, lambda account: self.read_one(account, budget), self.title, budget)

    def read_part(self, budget: ReadBudget, part: Sequence[Wanted]) -> Sequence[ProfileReading]:
        names = ",".join(quote(_name(account), safe="") for account in part)
        return with_missing(part, self.match(part, self.ask(MANY, names, budget)), self.title)

    def read_one(self, account: Wanted, budget: ReadBudget) -> ProfileReading:
        items = self.ask(ONE, quote(_name(account), safe=""), budget)
        found = self.match([account], items)
        if not found and len(items) == 1 and text_at(items[0], *_path(self.spec.name)) is None:
            # It does not say whose it is, and nobody else was asked for.
            one = self.ambiguous(account) or self.reading(account, items[0])
            if one.counts == NOTHING and one.unread is None:
                raise garbled(self.title, "an answer without a name and without a count")
            return one
        return found.get(account.key) or gone(account, self.title)

    def read_pages(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        """Page after page, to one that is empty or names nobody new; who is on none of them is gone."""
        left, seen = {account.key: account for account in accounts}, set[str]()
        doubtful: dict[str, ProfileReading] = {}  # a later page may still have them by their id
        for page in range(self.spec.first_page, MOST_PAGES):
            items = self.ask(PAGE, str(page), budget)
            new = {who for item in items if (who := self.who(item))} - seen
            if not new:
                break
            seen |= new
            found = self.match(list(left.values()), items)
            doubtful |= {key: one for key, one in found.items() if one.unread}
            read = [one for one in found.values() if one.unread is None]
            for one in read:
                del left[one.key]
            yield read
            if not left:
                return
        else:
            raise SourceError(f"{self.title} has no last page", code="endless")
        yield [doubtful.get(key) or gone(account, self.title) for key, account in left.items()]

    def ask(self, mark: str, value: str, budget: ReadBudget) -> list[Any]:
        """The items of one answer; a profile alone is one."""
        return self.items(mark, self.fetch(mark, value, budget))

    def fetch(self, mark: str, value: str, budget: ReadBudget) -> Any:
        return ask_json(self.http, self.spec.url.replace(mark, value), budget, headers=self.spec.headers)

    def items(self, mark: str, said: Any) -> list[Any]:
        path = _path(self.spec.items)
        found = at(said, *path)
        if isinstance(found, list):
            if found and mark != ONE and not any(map(self.who, found)):
                raise garbled(self.title, f"a list in which nothing has a name at {self.spec.name or 'its top'}")
            return found
        if isinstance(found, dict) and mark == ONE:
            return [found]
        if found is None and path and _leads(said, path):
            return []
        what = "a profile" if mark == ONE else "a list"
        raise garbled(self.title, f"an answer without {what} at {self.spec.items or 'its top'}")

    def match(self, accounts: Sequence[Wanted], items: Sequence[Any]) -> dict[str, ProfileReading]:
        """{url_key: reading} of the items that name one of the accounts."""
        by_name = group_by(accounts, lambda account: _name(account).lower())
        by_key = {account.key: account for account in accounts}
        by_id = {account.platform_id: account for account in accounts if account.platform_id}
        found: dict[str, ProfileReading] = {}
        for item in items:
            name = text_at(item, *_path(self.spec.name)) or ""
            profile = _profile(name, self.spec.platform)
            if renamed := by_id.get(self.id_of(item) or ""):  # by its id, whoever has the name now
                found[renamed.key] = self.reading(renamed, item)
            elif account := by_key.get(profile.url_key if profile else ""):
                found.setdefault(account.key, self.reading(account, item))
            else:
                for one in by_name.get(name.removeprefix("@").lower(), []):
                    found.setdefault(one.key, self.ambiguous(one) or self.reading(one, item))
        return found

    def ambiguous(self, account: Wanted) -> ProfileReading | None:
        """What is said of a name that accounts at several addresses have; None for another."""
        return unread(account, "ambiguous", AMBIGUOUS, WHICH) if _name(account).lower() in self.shared else None

    def reading(self, account: Wanted, item: Any) -> ProfileReading:
        id_ = self.id_of(item)
        if account.platform_id and id_ and id_ != account.platform_id:
            return another(account, self.title)
        counts = Counts(**{metric: count_at(item, *_path(path)) for metric, path in self.spec.metrics.items()})
        name = text_at(item, *_path(self.spec.name))
        profile = _profile(name, self.spec.platform) if name and id_ else None
        return ProfileReading(account.key, counts, id_, name if id_ else None, (profile.url,) if profile else ())

    def who(self, item: Any) -> str | None:
        """Whom an item is about, as it says itself."""
        return text_at(item, *_path(self.spec.name)) or self.id_of(item)

    def id_of(self, item: Any) -> str | None:
        """The platform's own id of who an item is about: a text, or a whole number."""
        return id_at(item, *_path(self.spec.id)) if self.spec.id else None

    def check(self, budget: ReadBudget) -> str:
        mark = next(mark for mark in (ONE, MANY, PAGE) if mark in self.spec.url)
        try:
            if mark == PAGE:
                self.ask(mark, str(self.spec.first_page), budget)
            else:  # whether it knows somebody of this name is its own affair
                self.fetch(mark, "instagram", budget)
        except SourceError as error:
            if error.code != "not_found":
                raise
        return "it answers with JSON"

    def close(self) -> None:
        self.http.close()


def _path(text: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in text.split(".") if step]


def _name(account: Wanted) -> str:
    return account.username or account.key.partition(":")[2]


def _leads(value: Any, path: Sequence[str | int]) -> bool:
    """Whether something stands at the end of a path in an object, be it null."""
    before = at(value, *path[:-1])
    return isinstance(before, dict) and path[-1] in before


def _profile(text: str, platform: str) -> Profile | None:
    try:
        return profile_of(text, platform)
    except BadProfile:
        return None


def _sources(values: Mapping[str, Any]) -> list[Source]:
    readers: JsonReaders = values[NAME]
    return [Source(spec.source or spec.platform, spec.platform, partial(JsonReader, spec)) for spec in readers.specs]


def _open(values: Mapping[str, Any], clock: Clock) -> Reader:
    return JsonReader(values[NAME].specs[0], clock)


NAME = "SMART_SYNC_JSON_READERS"
PLATFORM = Platform(
    name="json",
    title="JSON",
    settings=(
        Setting(
            NAME,
            "",
            json_readers,
            "services that answer with JSON, as JSON: what each is asked, and where its numbers stand; docs/readers.md",
            secret=True,
        ),
    ),
    needs=(NAME,),
    gives=METRICS,
    open=_open,
    many=_sources,
)
