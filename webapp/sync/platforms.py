"""The platforms in one run: each is read by a thread of its own, beside the sheets, within a share of the budget.

Nothing here fails or delays a sheet. What was read is kept as it comes, and the run waits for it before it merges, as
long as the platforms show that they go on; what comes later is merged by the next run.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from webapp.clock import Stop
from webapp.errors import OutOfTime, SourceError, StoreError, TransientSourceError
from webapp.model import NOTHING
from webapp.rules.due import TOLERANCE
from webapp.rules.quotas import day_ends, pause_minutes, quota_day, units_by
from webapp.rules.wording import unexpected
from webapp.sources.platforms import ProfileReading, Quota, QuotaUsedUp, ReadBudget, Reader, Source, Wanted
from webapp.sources.platforms.doubt import doubt_gone
from webapp.sources.urls import BadProfile, profile_of
from webapp.store import account_reads, leases, platforms, readings
from webapp.store.account_reads import AccountRead, ReadTurn
from webapp.store.db import Database
from webapp.store.platforms import UnitsOfDay
from webapp.store.readings import Reading
from webapp.sync.live import LiveRun

log = logging.getLogger("smart_sync")

T = TypeVar("T")

READ_SHARE = 0.6  # of the budget, for reading platforms
WAIT_SHARE = 0.4  # of the budget, that the sheets may wait for it
READ_S, WAIT_S = 120.0, 30.0  # at most
GRACE_S = 2.0  # for a reader to see that its time is over
SILENCE_S = 3.0  # a platform that says nothing for so long is not waited for
MOST = 20_000  # accounts of one platform in one run; the others come next time
FULL = 1_000  # readings that are written together
FLUSH_S = 2.0
TRIES = 5  # while a large project is written, which may take longer than a writer waits
LATER = timedelta(hours=6)  # until a profile is asked for again that the platform does not show
SOON = timedelta(minutes=5)  # one that it could not answer about
LEASE = "platform:"


class PlatformReads:
    """What is read of platforms in one pass of a run."""

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.stop = _EitherStop(run.clock.monotonic, run.budget.stop)
        self.threads: list[PlatformThread] = []
        self.began = time.monotonic()
        self.seconds = 0.0

    def begin(self, project_ids: Sequence[str]) -> None:
        run = self.run
        turns = {} if run.budget.used_up else _turns(run, project_ids)
        if not turns:
            return
        sources = [source for source in run.sources if turns.get(source.name)]
        with run.writing() as tx:
            taken = leases.take(tx, [LEASE + source.name for source in sources], run.id, run.options.lease_ms)
            sources = [source for source in sources if LEASE + source.name in taken]
            platforms.forget_others(tx, [source.name for source in run.sources])
            for source in sources:
                platforms.enlist(tx, source.name, source.platform)
        self.seconds = seconds = min(READ_S, run.budget.left() * READ_SHARE)
        for source in sources:
            thread = PlatformThread(run, source, turns[source.name], ReadBudget(seconds, run.clock, self.stop))
            thread.start()
            self.threads.append(thread)

    def wait(self) -> None:
        """Before numbers are merged: for those that show that they go on."""
        most = min(WAIT_S, self.run.budget.left() * WAIT_SHARE)
        self._join(lambda thread: thread.silent_s < SILENCE_S and time.monotonic() - self.began < most)

    def finish(self) -> None:
        """At the end of the pass: for all of them, until their time is over."""
        self._join(lambda _: not self.run.cut_short and time.monotonic() - self.began < self.seconds + GRACE_S)

    def cancel(self) -> None:
        """Whatever happened to the run: leave nobody behind."""
        self.stop.request()
        until = time.monotonic() + GRACE_S
        self._join(lambda _: time.monotonic() < until)

    def _join(self, patient: Callable[[PlatformThread], bool]) -> None:
        while waiting := [thread for thread in self.threads if thread.is_alive() and patient(thread)]:
            self.run.budget.note_life()
            waiting[0].join(0.05)


class _EitherStop(Stop):
    """Requested by the run that it is made for, or by a shutdown."""

    def __init__(self, monotonic: Callable[[], float], outer: Stop | None) -> None:
        super().__init__(monotonic)
        self._outer = outer

    @property
    def requested(self) -> bool:
        return super().requested or (self._outer is not None and self._outer.requested)

    def left(self) -> float:
        return min(super().left(), math.inf if self._outer is None else self._outer.left())


def _turns(run: LiveRun, project_ids: Sequence[str]) -> dict[str, list[ReadTurn]]:
    """{source: the accounts whose turn it is to be read by it}, each account by one source alone."""
    now = run.now()
    by_platform = {source.platform: source.name for source in reversed(run.sources)}
    before = now if run.trigger.force else now + TOLERANCE - timedelta(minutes=run.options.read_every)
    found: dict[str, list[ReadTurn]] = {}
    with run.db.read() as tx:
        for turn in account_reads.turns(tx, project_ids, by_platform, before, now):
            mine = found.setdefault(by_platform[turn.platform], [])
            if len(mine) < MOST:
                mine.append(turn)
        resting = platforms.resting(tx, now) if found else set()
    return {name: turns for name, turns in found.items() if name not in resting}


@dataclass
class _Tally:
    """What came of reading. keys: profiles that nothing is known of yet. answered: about any of them. read: accounts.
    away: why it could not answer about one of them."""

    keys: set[str]
    answered: bool = False
    read: int = 0
    away: SourceError | None = None


class PlatformThread(threading.Thread):
    """Reads one platform and keeps what it says."""

    def __init__(self, run: LiveRun, source: Source, turns: Iterable[ReadTurn], budget: ReadBudget) -> None:
        super().__init__(name=f"read-{source.name}", daemon=True)
        self.run_of = run
        self.source = source
        self.budget = budget
        self.by_key: dict[str, list[ReadTurn]] = {}
        for turn in turns:
            mine = self.by_key.setdefault(turn.url_key, [])
            if not mine or turn.platform_id == mine[0].platform_id:
                mine.append(turn)  # another by now may mean somebody else by the same name: its turn comes next time
        self.tally = _Tally(set(self.by_key))
        self.quota: Quota | None = None
        self.kept: list[tuple[ProfileReading, datetime]] = []
        self.heard_at = self.flushed_at = time.monotonic()
        self._extra = {"run_id": run.id, "platform": source.name}

    @property
    def silent_s(self) -> float:
        return time.monotonic() - self.heard_at

    def run(self) -> None:
        """Read to the end, or to the first error; it is told either way."""
        try:
            self._report(self._read())
        except StoreError as error:  # which the run meets itself
            log.warning("[SmartSync] readings were not written: %s", error, extra=self._extra)

    def _read(self) -> SourceError | None:
        """Why it was not read to its end."""
        try:
            with closing(self.source.open(self.run_of.clock)) as reader:
                self._read_all(reader)
        except SourceError as error:
            return self._out_of_time() if self._is_ours(error) else error
        except StoreError:
            raise
        except Exception as error:
            log.exception("[SmartSync] reading a platform failed", extra=self._extra)
            return SourceError(f"{self.source.name}: {unexpected(error)}", code="internal_error")
        return None

    def _read_all(self, reader: Reader) -> None:
        wanted = [_wanted(turns) for turns in self.by_key.values()]
        self.quota = reader.quota
        units = Units(self.run_of, self.source.name, reader.quota, -(-len(wanted) // reader.per_call))
        self.budget.spend, self.budget.afford = units.spend, units.afford
        try:
            for part in doubt_gone(wanted, reader.read(wanted, self.budget), self.source.name):
                self._take(part)
                if self.budget.used_up:
                    raise self._out_of_time()
        finally:
            try:
                self._flush()
            finally:
                units.close()

    def _out_of_time(self) -> OutOfTime:
        return OutOfTime(f"{self.source.name}: there was no time left to ask for more", code="timeout")

    def _is_ours(self, error: SourceError) -> bool:
        """Whether our time was over, which says nothing about a platform that had answered until then."""
        return error.code == "timeout" and self.budget.used_up and (self.tally.answered or self.budget.stopped)

    def _take(self, part: Sequence[ProfileReading]) -> None:
        now = self.run_of.now()
        self.heard_at = time.monotonic()
        self.kept += ((one, now) for one in part if one.key in self.tally.keys)
        self.tally.keys.difference_update(one.key for one in part)
        self.tally.answered |= any(not isinstance(one.unread, TransientSourceError) for one in part)
        if len(self.kept) >= FULL or self.heard_at - self.flushed_at >= FLUSH_S:
            self._flush()

    def _flush(self) -> None:
        """Keep what was read so far."""
        kept, self.kept = self.kept, []
        self.flushed_at = time.monotonic()
        found = [(one, turn, at) for one, at in kept for turn in self.by_key[one.key]]
        if not found:
            return
        said = [(one, turn, at) for one, turn, at in found if one.unread is None and one.counts != NOTHING]
        self.tally.read += len(said)
        self.tally.away = next(
            (o.unread for o, *_ in found if isinstance(o.unread, TransientSourceError)), self.tally.away
        )
        new = [Reading(turn.account_id, one.counts, at, self.source.name) for one, turn, at in said]
        reads = [read for one in found if (read := self._read_of(*one)) is not None]
        names = _names(found)

        def write(tx: sa.Connection) -> None:
            readings.put(tx, new)
            account_reads.put(tx, reads)
            account_reads.add_aliases(tx, names, self.run_of.now())

        _persist(self.run_of.db, write)

    def _read_of(self, one: ProfileReading, turn: ReadTurn, at: datetime) -> AccountRead | None:
        """What has to be kept of an account beside its counts; None where that is what stands there."""
        id_, handle = one.platform_id or turn.platform_id, one.handle or turn.handle
        error = one.unread or (_nothing(self.source.name) if one.counts == NOTHING else None)
        if error is None:
            same = (id_, handle, None) == (turn.platform_id, turn.handle, turn.code)
            return None if same else AccountRead(turn.account_id, self.source.name, id_, handle)
        again_at = at + (max(SOON, _asked_for(error)) if isinstance(error, TransientSourceError) else LATER)
        return AccountRead(turn.account_id, self.source.name, id_, handle, error.code, str(error), at, again_at)

    def _report(self, error: SourceError | None) -> None:
        """Keep how it went, as the state of the platform. One that answers about nobody is away, whatever it says."""
        if not self.tally.read and (error is None or isinstance(error, OutOfTime)):
            error = self.tally.away or error
        run, now = self.run_of, self.run_of.now()
        left = len(self.tally.keys)
        values: dict[str, Any] = {"accounts": len(self.by_key), "unread": left, "code": None, "message": None}
        values |= {"again_at": None, "failures": 0}
        state: platforms.PlatformHealth = "ok"
        if self.tally.read:
            values["read_at"] = now
        if error is not None and not isinstance(error, OutOfTime):
            state = "degraded" if isinstance(error, TransientSourceError | QuotaUsedUp) else "failed"
            values |= {"code": error.code, "message": str(error)}
            run.warn(f"platform {self.source.name}: {error}")
        _persist(run.db, lambda tx: self._put_state(tx, state, now, values, error))
        level = logging.INFO if state == "ok" else logging.WARNING
        fields = self._extra | {"accounts": len(self.by_key), "waiting": left}
        words = "completed" if error is None else str(error)
        log.log(level, "[SmartSync] read %s: %s", self.source.name, words, extra=fields)

    def _put_state(
        self,
        tx: sa.Connection,
        state: platforms.PlatformHealth,
        now: datetime,
        values: dict[str, Any],
        error: SourceError | None,
    ) -> None:
        known = {one.name: one for one in platforms.listed(tx)}.get(self.source.name)
        failures = (known.failures if known else 0) + 1
        if isinstance(error, TransientSourceError) and not isinstance(error, OutOfTime):
            values |= {"failures": failures, "again_at": now + _pause(error, failures)}
        if isinstance(error, QuotaUsedUp) and error.until_tomorrow and self.quota is not None:
            values["again_at"] = day_ends(quota_day(now, self.quota.zone), self.quota.zone)
        platforms.put(tx, self.source.name, state, now, values)
        leases.release(tx, LEASE + self.source.name, self.run_of.id)


def _persist(db: Database, write: Callable[[sa.Connection], T]) -> T:
    """What `write` gives. Raises: StoreError, for a busy database only when it stays so."""
    for _ in range(TRIES - 1):
        try:
            with db.write() as tx:
                return write(tx)
        except StoreError as error:
            if error.code != "database_busy":
                raise
    with db.write() as tx:
        return write(tx)


def _wanted(turns: Sequence[ReadTurn]) -> Wanted:
    """The profile of accounts that are the same in several projects."""
    return Wanted(turns[0].url_key, turns[0].username, turns[0].platform_id, turns[0].code)


def _nothing(name: str) -> SourceError:
    return SourceError(f"{name} shows none of its counts", code="hidden")


def _names(found: Iterable[tuple[ProfileReading, ReadTurn, datetime]]) -> dict[tuple[str, str], int]:
    """Other keys of profiles whose id or handle was not known so: {(project id, url_key): account id}."""
    names: dict[tuple[str, str], int] = {}
    for one, turn, _ in found:
        if (one.platform_id, one.handle) != (turn.platform_id, turn.handle):
            for url in one.urls:
                key = _key(url)
                if key is not None and key != turn.url_key:
                    names[turn.project_id, key] = turn.account_id
    return names


def _key(url: str) -> str | None:
    try:
        return profile_of(url).url_key
    except BadProfile:
        return None


def _pause(error: SourceError, failures: int) -> timedelta:
    """How long it is left alone; as long as it asks for, if it does, up to a day."""
    return max(timedelta(minutes=pause_minutes(failures)), _asked_for(error))


def _asked_for(error: SourceError) -> timedelta:
    """What it asks to be left alone for, up to a day."""
    return timedelta(seconds=min(getattr(error, "wait_s", None) or 0.0, 86_400.0))


@dataclass
class Units:
    """Units of a quota: counted in the database before they are used, so that nobody who dies takes the count along.

    Taken some at a time, as many as reading may cost, then twice as many as before; what is left is given back.
    """

    run: LiveRun
    name: str
    quota: Quota | None
    expected: int
    left: int = 0
    day: date | None = None  # that they were taken of

    def spend(self, units: int) -> None:
        """Raises: QuotaUsedUp."""
        if self.quota is None:
            return
        self.afford(units)
        if self.left < units:
            raise self._used_up(self.quota)
        self.left -= units

    def afford(self, units: int) -> int:
        """How many of so many units there are now, but one at least."""
        if self.quota is None:
            return units
        now = self.run.now()
        if quota_day(now, self.quota.zone) != self.day:
            self.close()  # what was taken of yesterday's is not used today
        if self.left < units:
            self._reserve(self.quota, units, now)
        return max(1, min(units, self.left))

    def _reserve(self, quota: Quota, units: int, now: datetime) -> None:
        day, until = quota_day(now, quota.zone), units_by(now, quota.units, quota.zone)
        grant, wanted = UnitsOfDay(day, day_ends(day, quota.zone), until, quota.units), max(units, self.expected)
        granted = _persist(self.run.db, lambda tx: platforms.reserve(tx, self.name, wanted, grant))
        self.day = day
        self.left += granted
        self.expected *= 2

    def _used_up(self, quota: Quota) -> QuotaUsedUp:
        now = self.run.now()
        until, ends = units_by(now, quota.units, quota.zone), day_ends(quota_day(now, quota.zone), quota.zone)
        more = "as the day goes on" if until < quota.units else f"at {ends:%H:%M} UTC"
        return QuotaUsedUp(f"{self.name}: {until} of {quota.units} units a day are used up; there are more {more}")

    def close(self) -> None:
        """Give back what was not used, to the day that it was taken of."""
        rest, day = self.left, self.day
        if rest and day is not None:
            _persist(self.run.db, lambda tx: platforms.give_back(tx, self.name, day, rest))
        self.left = 0
