"""Which run answers for a trigger: a new one, one that is at work already, or the one that a repeated key got."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from webapp.clock import Clock, utc_day
from webapp.errors import Invalid, StoreError
from webapp.rules.doubts import REGRET
from webapp.store import doubts, leases, projects, runs, schedule, ticks
from webapp.store.db import Database
from webapp.store.projects import present_project
from webapp.store.runs import NewRun, Run
from webapp.sync.alerting import close_calm, judge_overdue, tell_silence
from webapp.sync.options import Options
from webapp.sync.telling import Teller
from webapp.sync.trigger import Started, Trigger

log = logging.getLogger("smart_sync")

TRIES = 5  # each of them has to meet another run at its very end, so two are as good as always enough
NO_SHEETS = "Sheets not configured: set SMART_SYNC_SHEET; only stored readings were merged"


class Admission:
    """Records runs for triggers. sheets: keys of the configured spreadsheets. queued: new runs wait for a worker."""

    def __init__(
        self, db: Database, sheets: Sequence[str], options: Options, clock: Clock, *, queued: bool = False
    ) -> None:
        self.queued = queued
        self.db = db
        self.sheets = sheets
        self.options = options
        self.clock = clock

    def start(self, trigger: Trigger) -> Started:
        """Record a run for the trigger, or find the one that answers for it.

        A tick that finds nothing due is recorded as a run that has ended; there is nothing to work off then.

        Raises: NotFound for an unknown or a removed project; Invalid for a key that stands for another trigger; StoreError.
        """
        for _ in range(TRIES):
            started = self._try(trigger)
            if started is not None:
                _warn_of_silence(started)
                return started
        raise StoreError("this trigger met others at every try and was not recorded", code="database_busy")

    def _try(self, trigger: Trigger) -> Started | None:
        """None when the run that kept this trigger from being recorded has ended before it could be joined.

        The other run is committed, or ends, between two statements of ours: PostgreSQL shows each statement what is
        so by then. Whoever looks again finds it ended, and has the place to himself.
        """
        now = self.clock.now()
        with self.db.read() as tx:
            self._check_project(tx, trigger)
            idle = trigger.is_tick and not self._anything_due(tx, now)
            started = self._replay_early(tx, trigger, now) or self._join_early(tx, trigger, idle=idle)
        if started is None:
            with self.db.write() as tx:
                return self._record(tx, trigger, now, idle=idle)
        if trigger.is_tick:
            with self.db.write() as tx:
                self._note_tick(tx, trigger, now)
                judge_overdue(self._teller(tx, now))
        return started

    def _teller(self, tx: sa.Connection, now: datetime) -> Teller:
        return Teller(tx, now, self.options, self.sheets[0] if self.sheets else None)

    def _check_project(self, tx: sa.Connection, trigger: Trigger) -> None:
        if trigger.project_id is not None:
            present_project(projects.get(tx, trigger.project_id))

    def _anything_due(self, tx: sa.Connection, now: datetime) -> bool:
        return schedule.anything_due(tx, now, self.options.interval_minutes, self.sheets)

    @staticmethod
    def _replay(tx: sa.Connection, trigger: Trigger, now: datetime) -> Started | None:
        """The run that the trigger's Idempotency-Key stands for."""
        found = runs.by_key(tx, trigger.idempotency_key, now)
        if found is None:
            return None
        run, params = found
        if dict(params) != trigger.params:
            raise Invalid(
                "this Idempotency-Key was used for another trigger in the last 24 hours",
                field="Idempotency-Key",
                code="idempotency_key_reused",
                hint="use a new key for each schedule",
            )
        return Started(run, "coalesced" if run.live else "replayed")

    def _replay_early(self, tx: sa.Connection, trigger: Trigger, now: datetime) -> Started | None:
        """The same, unless nobody works at that run any more: it has to be closed before anybody is told of it."""
        started = self._replay(tx, trigger, now)
        if started is None or not started.run.live:
            return started
        return started if runs.live_like(tx, started.run.identity, self.options.lease_ms) else None

    def _join_early(self, tx: sa.Connection, trigger: Trigger, *, idle: bool) -> Started | None:
        """A live run like this that will read everything anew anyway, so that nothing has to be written to join it.

        A trigger with a key writes the key, so it goes the long way.
        """
        if idle or trigger.idempotency_key is not None:
            return None
        live = runs.live_like(tx, trigger.identity, self.options.lease_ms)
        if live is None or not (live.read_at is None or live.again) or self._may_take(live):
            return None
        return Started(live, "coalesced")

    def _record(self, tx: sa.Connection, trigger: Trigger, now: datetime, *, idle: bool) -> Started | None:
        self._close_dead(tx, now)
        replayed = self._replay(tx, trigger, now)
        if trigger.is_tick:
            self._note_tick(tx, trigger, now)
        return replayed or self._add(tx, trigger, now, idle=idle) or self._join(tx, trigger, now)

    def _close_dead(self, tx: sa.Connection, now: datetime) -> None:
        for dead in runs.close_dead(tx, now, self.options.lease_ms):
            leases.release_all(tx, dead)  # should it wake up, it finds that it has no right to anything
            log.error("[SmartSync] closed an abandoned run", extra={"run_id": dead})

    def _note_tick(self, tx: sa.Connection, trigger: Trigger, now: datetime) -> None:
        longest = timedelta(minutes=2 * self.options.interval_minutes)
        silence = ticks.put(tx, now, trigger.caller, longest)
        if silence is not None and silence.unusual:
            tell_silence(self._teller(tx, now), now - silence.length)
        if silence is not None:
            minutes = silence.length // timedelta(minutes=1)
            log.warning("[SmartSync] no tick came for %d minutes; what was missed is made up for once", minutes)

    def _add(self, tx: sa.Connection, trigger: Trigger, now: datetime, *, idle: bool) -> Started | None:
        """A run of its own; None when a live one with the same identity, or one with the same key, is there."""
        new = _new_run(trigger, now)
        missing = [] if self.sheets else [NO_SHEETS]
        key = trigger.idempotency_key
        if not (runs.add_idle(tx, new, key, missing) if idle else runs.add(tx, new, key, queued=self.queued)):
            return None
        doubts.forget(tx, now - REGRET)
        if idle:
            close_calm(self._teller(tx, now))
        run = runs.by_id(tx, new.id)
        assert run is not None  # noqa: S101  it was added in this transaction
        return Started(run, "fresh")

    def _join(self, tx: sa.Connection, trigger: Trigger, now: datetime) -> Started | None:
        """The live run like this, which then makes one more pass, or is taken; None when it has just ended.

        The trigger's key stands for that run from now on.
        """
        live = runs.live_like(tx, trigger.identity, self.options.lease_ms)
        if live is None or not runs.ask_again(tx, live.id):
            return None
        if not runs.put_key(tx, trigger.idempotency_key, live.id, trigger.params, now):
            return None
        if trigger.is_tick:  # that run may hang
            judge_overdue(self._teller(tx, now))
        if self._may_take(live) and runs.claim(tx, live.id):
            return Started(runs.get(tx, live.id), "fresh")
        return Started(live, "coalesced")

    def _may_take(self, live: Run) -> bool:
        """Whether a run that waits for a worker is worked off by whoever is asked now: there may be no workers any more."""
        return live.state == "queued" and not self.queued


def _warn_of_silence(started: Started) -> None:
    if started.run.live and started.run.error:
        extra = {"run_id": started.run.id, "error": started.run.error}
        log.error("[SmartSync] a trigger joined a run that hangs", extra=extra)


def _new_run(trigger: Trigger, now: datetime) -> NewRun:
    run_id = str(uuid.uuid4())
    return NewRun(
        id=run_id,
        caller=trigger.caller,
        identity=run_id if trigger.dry_run else trigger.identity,
        params=trigger.params,
        day=utc_day(now),
        started_at=now,
        dry_run=trigger.dry_run,
    )
