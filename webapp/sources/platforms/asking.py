"""What readers have in common: one call with its deadline and its price, and what can be made of an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from webapp.errors import SourceError, TransientSourceError
from webapp.model import LARGEST
from webapp.sources.http import Fetched, Http, Limits
from webapp.sources.platforms import ProfileReading, ReadBudget, Wanted

T = TypeVar("T")

# A run waits for a sheet, and only a little for a platform.
CALL = Limits(connect_s=3.0, silence_s=5.0, call_s=10.0, body_bytes=8 * 2**20, attempts=3, wait_s=20.0)
FEW = 10  # of fewer accounts than these it may be that the platform knows none
NO_KEYS: Mapping[str, str] = {}

Refuse = Callable[[Fetched], SourceError | None]


def ask(
    http: Http,
    url: str,
    budget: ReadBudget,
    read: Callable[[Fetched], T],
    *,
    headers: Mapping[str, str] = NO_KEYS,
    cost: int = 1,
) -> T:
    """What `read` makes of the answer. Every attempt is paid for before it is made.

    Raises: SourceError; QuotaUsedUp.
    """

    def pay() -> Mapping[str, str]:
        budget.spend(cost)
        return headers

    return http.request(url, budget=budget, read=read, headers=pay)


def ask_json(
    http: Http,
    url: str,
    budget: ReadBudget,
    *,
    headers: Mapping[str, str] = NO_KEYS,
    refuse: Refuse = lambda _: None,
    cost: int = 1,
) -> Any:
    """The JSON of an answer with status 200. refuse: the platform's own reasons, looked at before the common ones.

    Raises: SourceError; its code is `key_refused`, `not_found`, `redirect` or `status_...`.
    """

    def read(answer: Fetched) -> Any:
        check(http.name, answer, refuse)
        return json_of(http.name, answer)

    return ask(http, url, budget, read, headers=headers, cost=cost)


def check(name: str, answer: Fetched, refuse: Refuse = lambda _: None) -> None:
    """Raises: SourceError for what is no answer to the question."""
    if answer.ok:
        return
    if error := refuse(answer):
        raise error
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise key_refused(name, f"status {answer.status}")
    if answer.redirects:
        raise SourceError(f"{name} sends us to another address, which is not followed", code="redirect")
    if answer.status == HTTPStatus.NOT_FOUND:
        raise SourceError(f"{name} knows no such address", code="not_found")
    raise SourceError(f"{name} answered with status {answer.status}", code=f"status_{answer.status}")


def key_refused(name: str, why: str) -> SourceError:
    """The platform does not let us in; nothing is asked in vain until somebody mends it."""
    return SourceError(f"{name} refuses us: {why}", code="key_refused", hint="check its settings, or renew the key")


def garbled(name: str, what: str) -> TransientSourceError:
    return TransientSourceError(f"{name} sent {what}", code="bad_response")


def json_of(name: str, answer: Fetched) -> Any:
    """Raises: TransientSourceError `bad_response`."""
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise garbled(name, "an answer that is no JSON") from None


def at(value: Any, *path: str | int) -> Any:
    """What stands at a path in a JSON value; None where the path leads nowhere."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def items_of(name: str, value: Any) -> list[Any]:
    """A list of an answer; nothing where it is left out.

    Raises: TransientSourceError `bad_response` for what is no list.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise garbled(name, "an answer without a list")
    return value


def count_at(value: Any, *path: str | int) -> int | None:
    """A count as JSON has it: a number, or its digits as text. None for everything else; never 0 instead."""
    found = at(value, *path)
    if isinstance(found, str):
        found = int(found) if found.isascii() and found.isdigit() and len(found) <= len(str(LARGEST)) else None
    elif isinstance(found, float):
        found = int(found) if found.is_integer() else None
    return found if type(found) is int and 0 <= found <= LARGEST else None


def text_at(value: Any, *path: str | int) -> str | None:
    """A text that is not blank, without blanks around it."""
    found = at(value, *path)
    return (found.strip() or None) if isinstance(found, str) else None


def parts(accounts: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (accounts[start : start + size] for start in range(0, len(accounts), size))


def unread(account: Wanted, code: str, words: str, hint: str | None = None) -> ProfileReading:
    """Why there is no reading of this account, while others are read."""
    return ProfileReading(account.key, unread=SourceError(words, code=code, hint=hint))


def gone(account: Wanted, title: str) -> ProfileReading:
    return unread(account, "gone", f"{title} knows no such profile: it was deleted, closed or renamed, or is mistyped")


def with_missing(asked: Sequence[Wanted], found: Mapping[str, ProfileReading], title: str) -> Sequence[ProfileReading]:
    """The readings, and a word for each account that the answer leaves out.

    Raises: TransientSourceError where it leaves out all of many, which says nothing about them.
    """
    if not found and len(asked) >= FEW:
        raise garbled(title, f"nothing about any of {len(asked)} profiles")
    return [found.get(account.key) or gone(account, title) for account in asked]
