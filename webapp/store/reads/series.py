"""History: what many accounts, or one, amounted to on each day. Pure.

An account belongs to the days from its first snapshot to the day before it was removed. On a day without a snapshot
its last one stands, and the day says so: it is carried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from webapp.store.reads.accounts import Account
from webapp.store.reads.ask import as_day
from webapp.store.reads.growth import UNKNOWN, difference, total, total_difference
from webapp.store.reads.standing import Five, Standing

ONE = timedelta(days=1)


def days_between(start: date, end: date) -> Iterator[date]:
    """Every day, both ends included."""
    return (start + timedelta(days=n) for n in range((end - start).days + 1))


class Members(NamedTuple):
    """What the accounts themselves say of their days.

    left: account id -> its first day outside. unwatched: ids that get no snapshots now, so that none is missing.
    """

    left: Mapping[int, date] = {}
    unwatched: frozenset[int] = frozenset()

    def there(self, account_id: int, day: date) -> bool:
        """Whether the account has not been removed by that day."""
        left = self.left.get(account_id)
        return left is None or day < left


def members_of(accounts: Iterable[Account]) -> Members:
    """Who left when, and who gets no snapshots."""
    left: dict[int, date] = {}
    unwatched = set()
    for account in accounts:
        first_outside = account.left
        if first_outside is not None:
            left[account.id] = first_outside
        if account.mode == "off":
            unwatched.add(account.id)
    return Members(left, frozenset(unwatched))


class ProjectDay(NamedTuple):
    """One day of many accounts.

    counts: sums over the members of what is known. delta: difference to those of the day `since`. growth: the same of
    the accounts that were members before as well, so that who joins or leaves neither gains nor loses. Both are
    unknown on a day without any snapshot, and `since` then is None.
    carried: members whose last snapshot is of an earlier day.
    """

    day: date
    counts: Five
    delta: Five
    growth: Five
    since: date | None
    accounts: int
    carried: int


class History(NamedTuple):
    """growth: from the first day to the last, of the accounts that were members on both."""

    days: list[ProjectDay]
    growth: Five


class AccountDay(NamedTuple):
    """One day of one account. start: where it stood before, on the day `since`; unknown on its first day."""

    day: date
    start: Five
    end: Five
    growth: Five
    since: date | None
    carried: bool


class DayGap(NamedTuple):
    """A day on which `missing` of so many accounts have no snapshot."""

    day: date
    accounts: int
    missing: set[int]


def history(start: date, end: date, before: Standing, cells: Iterable[tuple[Any, ...]], members: Members) -> History:
    """The days from the first one with a member.

    before: where the accounts stood on the day before `start`. cells: the snapshots from `start` to `end`, by day.
    """
    steps = _Steps(start, before, members)
    days = [steps.next(day, found) for day, found in _each_day(start, end, cells)]
    return History([day for day in days if day is not None], steps.growth())


class _Steps:
    """From day to day: where every member stands."""

    def __init__(self, start: date, before: Standing, members: Members) -> None:
        there = {i: stood for i, stood in before.items() if members.there(i, start - ONE)}
        self.members = members
        self.standing: dict[int, Five] = {i: counts for i, (_, counts) in there.items()}
        self.total = total(self.standing.values())  # of the last day with a snapshot
        self.seen = max((day for day, _ in there.values()), default=None)
        self.first: dict[int, Five] = {}

    def next(self, day: date, found: Mapping[int, Five]) -> ProjectDay | None:
        """The day; None as long as there has been no member."""
        was, fresh = self.standing, found
        if self.members.left:
            was = {i: counts for i, counts in was.items() if self.members.there(i, day)}
            fresh = {i: counts for i, counts in found.items() if self.members.there(i, day)}
        now = {**was, **fresh}
        if not now and self.seen is None:
            return None
        counts, delta, growth, since = total(now.values()), UNKNOWN, UNKNOWN, None
        if fresh:
            since, delta = self.seen, difference(counts, self.total)
            both = fresh.keys() if fresh.keys() <= was.keys() else fresh.keys() & was.keys()
            growth = total_difference([fresh[i] for i in both], [was[i] for i in both])
            self.seen, self.total = day, counts
        self.standing = now
        self.first = self.first or now
        carried = len(now.keys() - fresh.keys() - self.members.unwatched)
        return ProjectDay(day, counts, delta, growth, since, len(now), carried)

    def growth(self) -> Five:
        both = self.first.keys() & self.standing.keys()
        return total_difference([self.standing[i] for i in both], [self.first[i] for i in both])


def days_of(
    start: date, end: date, before: Standing, cells: Iterable[tuple[Any, ...]], members: Members
) -> list[AccountDay]:
    """The days of one account, from its first snapshot on."""
    found = {as_day(cell[0]): cell[2:7] for cell in cells}
    (since, stood) = next(iter(before.values()), (None, UNKNOWN))
    last_day = min([end, *(day - ONE for day in members.left.values())])
    days: list[AccountDay] = []
    for day in days_between(start, last_day):
        counts = found.get(day)
        if counts is not None:
            days.append(AccountDay(day, stood, counts, difference(counts, stood), since, carried=False))
            since, stood = day, counts
        elif since is not None:
            days.append(AccountDay(day, stood, stood, UNKNOWN, None, carried=True))
    return days


def gaps(start: date, end: date, before: Standing, cells: Iterable[tuple[Any, ...]], members: Members) -> list[DayGap]:
    """The days on which an account has no snapshot although it had one before."""
    known = set(before) - members.unwatched
    found = []
    for day, rows in _each_day(start, end, cells):
        seen = rows.keys()
        known |= seen - members.unwatched
        known = {i for i in known if members.there(i, day)} if members.left else known
        missing = known - seen
        if missing:
            found.append(DayGap(day, len(known), missing))
    return found


def _each_day(start: date, end: date, cells: Iterable[tuple[Any, ...]]) -> Iterator[tuple[date, Mapping[int, Five]]]:
    """Every day with its snapshots; only one day is in memory at a time."""
    groups = _by_day(cells)
    upcoming = next(groups, None)
    for day in days_between(start, end):
        if upcoming is not None and upcoming[0] == day:
            yield upcoming
            upcoming = next(groups, None)
        else:
            yield day, {}


def _by_day(cells: Iterable[tuple[Any, ...]]) -> Iterator[tuple[date, dict[int, Five]]]:
    for day, rows in groupby(cells, key=itemgetter(0)):
        yield as_day(day), {row[1]: row[2:7] for row in rows}
