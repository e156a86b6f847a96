"""History: what many accounts, or one, amounted to on each day. Pure.

An account belongs to the days from its first snapshot to the day before it was removed. On a day without a snapshot
its last one stands, and the day says so: it is carried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from webapp.model import UNKNOWN, Mode, Values
from webapp.rules.growth import difference, total, total_difference

ONE = timedelta(days=1)


def days_between(start: date, end: date) -> Iterator[date]:
    """Every day, both ends included."""
    return (start + timedelta(days=n) for n in range((end - start).days + 1))


# account id -> the day of its last snapshot, and its counts
Standing = Mapping[int, tuple[date, Values]]


class Member(Protocol):
    """What an account says of its days. left: its first day outside the project; None while it is in it."""

    @property
    def id(self) -> int: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def left(self) -> date | None: ...


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


def members_of(accounts: Iterable[Member]) -> Members:
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
    counts: Values
    delta: Values
    growth: Values
    since: date | None
    accounts: int
    carried: int


class History(NamedTuple):
    """growth: from the first day to the last, of the accounts that were members on both."""

    days: list[ProjectDay]
    growth: Values


class AccountDay(NamedTuple):
    """One day of one account. start: where it stood before, on the day `since`; unknown on its first day."""

    day: date
    start: Values
    end: Values
    growth: Values
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
        self.standing: dict[int, Values] = {i: counts for i, (_, counts) in there.items()}
        self.total = total(self.standing.values())  # of the last day with a snapshot
        self.seen = max((day for day, _ in there.values()), default=None)
        self.first: dict[int, Values] = {}

    def next(self, day: date, found: Mapping[int, Values]) -> ProjectDay | None:
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

    def growth(self) -> Values:
        both = self.first.keys() & self.standing.keys()
        return total_difference([self.standing[i] for i in both], [self.first[i] for i in both])


def days_of(
    start: date, end: date, before: Standing, cells: Iterable[tuple[Any, ...]], members: Members
) -> list[AccountDay]:
    """The days of one account, from its first snapshot on."""
    found = {cell[0]: cell[2:] for cell in cells}
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


def _each_day(start: date, end: date, cells: Iterable[tuple[Any, ...]]) -> Iterator[tuple[date, Mapping[int, Values]]]:
    """Every day with its snapshots; only one day is in memory at a time."""
    groups = _by_day(cells)
    upcoming = next(groups, None)
    for day in days_between(start, end):
        if upcoming is not None and upcoming[0] == day:
            yield upcoming
            upcoming = next(groups, None)
        else:
            yield day, {}


def _by_day(cells: Iterable[tuple[Any, ...]]) -> Iterator[tuple[date, dict[int, Values]]]:
    for day, rows in groupby(cells, key=itemgetter(0)):
        yield day, {row[1]: row[2:] for row in rows}


def daily_sums(
    days: tuple[date, date],
    before: Standing,
    cells: Iterable[Sequence[Any]],
    owner: Mapping[int, str],
    left: Mapping[int, date],
    place: int,
) -> dict[str, list[int | None]]:
    """{project id: the sum of one metric on each day, both ends included}; None before its first snapshot.

    One pass over the snapshots of all projects, in which only the sums and each account's last value are kept.

    before: where accounts stood on the day before. owner: account id -> project id. left: their first day outside.
    place: of the metric in the counts.
    """
    sums = _Sums(owner, place)
    for account_id, (day, counts) in before.items():
        if account_id not in left or left[account_id] > day:
            sums.put(account_id, counts[place])
    leaving = sorted(left.items(), key=itemgetter(1))
    by_day = groupby(cells, key=itemgetter(0))
    upcoming = next(by_day, None)
    found: dict[str, list[int | None]] = {project_id: [] for project_id in set(owner.values())}
    for day in days_between(*days):
        if upcoming is not None and upcoming[0] == day:
            for row in upcoming[1]:
                sums.put(row[1], row[2 + place])
            upcoming = next(by_day, None)
        while leaving and leaving[0][1] <= day:
            sums.drop(leaving.pop(0)[0])
        for project_id, values in found.items():
            values.append(sums.of.get(project_id))
    return found


class _Sums:
    """The sum of each project, kept up with every account that moves."""

    def __init__(self, owner: Mapping[int, str], place: int) -> None:
        self.owner = owner
        self.place = place
        self.of: dict[str, int] = {}
        self._last: dict[int, int] = {}

    def put(self, account_id: int, value: int | None) -> None:
        project_id = self.owner.get(account_id)
        if value is None or project_id is None:
            return
        self.of[project_id] = self.of.get(project_id, 0) + value - self._last.get(account_id, 0)
        self._last[account_id] = value

    def drop(self, account_id: int) -> None:
        value = self._last.pop(account_id, None)
        if value is not None:
            self.of[self.owner[account_id]] -= value
