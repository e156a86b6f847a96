"""What readers have in common: one call with its deadline and its price, and what can be made of an answer."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from webapp.errors import OutOfTime, SourceError, TransientSourceError
from webapp.model import LARGEST
from webapp.sources.http import Fetched, Http, Limits
from webapp.sources.platforms import ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.doubt import for_now

LONGEST_TEXT = 2_000
T = TypeVar("T")

# A run waits for a sheet, and only a little for a platform.
CALL = Limits(connect_s=3.0, silence_s=5.0, call_s=10.0, body_bytes=8 * 2**20, attempts=3, wait_s=20.0, split=None)
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
    """A list of an answer.

    Raises: TransientSourceError `bad_response` for what is no list, or is not there: it says nothing about anybody.
    """
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
    """A text that is not blank, without blanks around it; none where no database can keep it, or nobody read it."""
    found = at(value, *path)
    text = found.strip() if isinstance(found, str) else ""
    return text if text and text.isprintable() and len(text) <= LONGEST_TEXT else None


def id_at(value: Any, *path: str | int) -> str | None:
    """An id: a text, or a whole number as its digits."""
    found = at(value, *path)
    return str(found) if type(found) is int else text_at(value, *path)


def beside(jobs: Sequence[Callable[[], Iterator[T]]], workers: int) -> Iterator[T]:
    """What the jobs yield, so many at work at a time, in the order it comes. The first error of any ends them all, and is
    raised once what the others were asking for is there."""
    waiting, found = iter(jobs), queue.SimpleQueue[Callable[[], T] | None]()
    lock, ended = threading.Lock(), threading.Event()

    def work() -> None:
        try:
            while not ended.is_set() and (job := _next(waiting, lock)) is not None:
                for value in job():
                    found.put(lambda value=value: value)  # type: ignore[misc]
                    if ended.is_set():
                        return
        except Exception as error:  # noqa: BLE001  raised again by whoever waits for it
            found.put(lambda error=error: _raise(error))  # type: ignore[misc]
        finally:
            found.put(None)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(jobs)))]
    for thread in threads:
        thread.start()
    try:
        yield from _heard_of(found, len(threads), ended)
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _heard_of(found: queue.SimpleQueue[Callable[[], T] | None], at_work: int, ended: threading.Event) -> Iterator[T]:
    """Until nobody is at work any more. Raises: the first error of any, at the end."""
    failure: Exception | None = None
    while at_work:
        one = found.get()
        if one is None:
            at_work -= 1
            continue
        try:
            value = one()
        except Exception as error:  # noqa: BLE001  raised below
            failure = failure or error
            ended.set()
        else:
            yield value
    if failure is not None:
        raise failure


def _next(waiting: Iterator[T], lock: threading.Lock) -> T | None:
    with lock:
        return next(waiting, None)


def _raise(error: Exception) -> Any:
    raise error


def unread(account: Wanted, code: str, words: str, hint: str | None = None) -> ProfileReading:
    """Why there is no reading of this account, while others are read."""
    return ProfileReading(account.key, unread=SourceError(words, code=code, hint=hint))


def gone(account: Wanted, title: str) -> ProfileReading:
    return unread(account, "gone", f"{title} knows no such profile: it was deleted, closed or renamed, or is mistyped")


def each(
    accounts: Iterable[Wanted],
    read: Callable[[Wanted], ProfileReading],
    title: str,
    budget: ReadBudget,
    *,
    raises: bool = True,
) -> Iterator[Sequence[ProfileReading]]:
    """One call for each, one after another, while there is time; one that the platform does not know is gone.

    What befalls one account or two is their own, and the others are read; three in a row are the platform's fault.
    raises: else that is said of all accounts that are left.

    Raises: SourceError for what is no account's fault.
    """
    left = deque(accounts)
    failed: list[tuple[Wanted, SourceError]] = []
    answered = False
    while left and not budget.used_up:
        account = left.popleft()
        try:
            one = read(account)
        except SourceError as error:
            if error.code == "not_found":
                one = gone(account, title)
            else:
                if _is_theirs(error, budget, answered=answered, alone=not raises):
                    failed.append((account, error))
                if _is_platforms(error, budget, len(failed), answered=answered):
                    # Those that were tried are told last, so that they come last when there are all to be asked again.
                    if not raises and not budget.used_up:
                        yield [ProfileReading(other.key, unread=for_now(error)) for other in left]
                    yield [ProfileReading(other.key, unread=for_now(why)) for other, why in failed]
                    if raises:
                        raise
                    return
                continue
        answered = True
        yield [*(ProfileReading(other.key, unread=why) for other, why in failed), one]
        failed.clear()
    if failed:
        yield [ProfileReading(other.key, unread=why if answered else for_now(why)) for other, why in failed]


IN_A_ROW = 3
NOBODYS = ("rate_limited", "quota_used_up")


def _is_theirs(error: SourceError, budget: ReadBudget, *, answered: bool, alone: bool) -> bool:
    """Whether it is said of this account, which may be why. That our time ended is not, unless nobody was asked before.

    alone: nobody else tells it.
    """
    if isinstance(error, OutOfTime) or (budget.used_up and (answered or budget.stopped)):
        return False
    return alone or error.code not in NOBODYS


def _is_platforms(error: SourceError, budget: ReadBudget, failed: int, *, answered: bool) -> bool:
    """Whether nobody else needs to be asked for."""
    refused = error.code == "key_refused" and not answered
    return refused or error.code in NOBODYS or budget.used_up or failed >= IN_A_ROW


def in_parts(
    accounts: Sequence[Wanted],
    most: int,
    read: Callable[[Sequence[Wanted]], Sequence[ProfileReading]],
    title: str,
    budget: ReadBudget,
    *,
    dear: bool = False,
    by_name: bool = True,
) -> Iterator[Sequence[ProfileReading]]:
    """So many a call. One that is refused, or fails while others do not, is made again as two halves, down to the one
    account that it fails about.

    dear: each account costs a unit, so a call asks for no more than there are units. by_name: a platform that is asked
    by names refuses a call for one that is none.

    Raises: SourceError where it is hardly about accounts; those that were asked for come last the next time.
    """
    left, failed, answered = deque([accounts] if accounts else []), 0, False
    while left:
        some = left.popleft()
        size = budget.afford(min(len(some), most)) if dear else most
        part, rest = some[:size], some[size:]
        if rest:
            left.appendleft(rest)
        try:
            found = read(part)
        except SourceError as error:
            failed += 1
            if failed >= HALVES_IN_A_ROW or not _may_be_one(error, by_name=by_name, answered=answered):
                if error.code != "key_refused" and _is_theirs(error, budget, answered=answered, alone=False):
                    yield [ProfileReading(account.key, unread=for_now(error)) for account in part]
                raise
            half = len(part) // 2
            if half:
                left.extendleft([part[half:], part[:half]])
            else:
                yield [_refused(part[0], error, title)]
            continue
        failed, answered = 0, True
        yield found


HALVES_IN_A_ROW = 9  # of a hundred, down to the first of them, and some to spare


def _may_be_one(error: SourceError, *, by_name: bool, answered: bool) -> bool:
    """Whether a call may have failed because of one of its accounts."""
    if error.code in ("status_400", "status_413", "status_414", "status_431"):  # the others: too long an address
        return by_name or answered
    return answered and error.code in ("upstream_error", "bad_response")


def _refused(account: Wanted, error: SourceError, title: str) -> ProfileReading:
    """Not for now alone: to find it again costs a dozen calls."""
    if error.code != "status_400":
        return unread(account, error.code, error.message, error.hint)
    return unread(account, "refused", f"{title} takes this for no name of a profile")


def another(account: Wanted, title: str) -> ProfileReading:
    """The name is somebody else's now, who inherits no history."""
    words = f"{title} gives this name to another profile than before"
    return unread(
        account, "another_profile", words, "add the new profile under another project, or correct the address"
    )


def with_missing(asked: Sequence[Wanted], found: Mapping[str, ProfileReading], title: str) -> Sequence[ProfileReading]:
    """The readings, and a word for each account that the answer leaves out."""
    return [found.get(account.key) or gone(account, title) for account in asked]
