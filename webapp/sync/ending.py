"""How a run ends: with exactly one terminal state, whatever happened."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from webapp.errors import LostLease, StoreError
from webapp.model import RunState
from webapp.rules.outcomes import count_states, log_level, reasons, state_of, worst_first
from webapp.rules.wording import unexpected
from webapp.store import leases, lost_history, runs, spreadsheets, thinning
from webapp.store.pruning import prune
from webapp.store.runs import Run
from webapp.sync.alerting import judge
from webapp.sync.live import LiveRun
from webapp.sync.telling import Teller

log = logging.getLogger("smart_sync")

STOPPED = {"error_code": "shutting_down", "error": "stopped by a shutdown; the next run goes on with what is left"}


@contextmanager
def ending(run: LiveRun) -> Iterator[None]:
    """The run is closed when this is left, however it is left, as far as the database lets us."""
    try:
        yield
    except LostLease as error:
        log.log(logging.ERROR, "[SmartSync] %s", error, extra={"run_id": run.id})
        close(run, force=True)
    except Exception as error:
        state = run.db.explain(error)
        if state is None:
            log.exception("[SmartSync] sync failed", extra={"run_id": run.id})
            close_failed(run, "internal_error", unexpected(error))
            raise
        close_failed(run, state.code, str(state))
        raise state from (None if state is error else error)
    finally:
        if not run.closed:
            close_failed(run, "cancelled", "the caller went away", state="cancelled")


def close(run: LiveRun, *, force: bool) -> None:
    """Close the run and give back its leases, unless a trigger has asked for one more pass. force: whoever asked."""
    with run.db.write() as tx:
        current = runs.lock(tx, run.id)
        if current is None or not current.live:  # somebody took us for dead and closed it
            leases.release_all(tx, run.id)
            run.closed = True
            return
        if current.again and not force:
            return
        if current.again:
            run.remaining = max(run.remaining, len(run.results))
        state, values = _state(run), _values(run)
        if state == "cancelled":
            values |= STOPPED
        leases.release_all(tx, run.id)
        runs.close(tx, run.id, state, values)
        if not run.dry:
            keys = [sheet.key for sheet in run.sheets]
            spreadsheets.forget_others(tx, keys)
            teller = Teller(tx, run.now(), run.options, keys[0] if keys else None)
            judge(teller, run.results)
            teller.tell_run(run.row, {"state": state, **values})
    run.closed = True
    if not run.dry:
        lost_history.leave_trace(run.db, run.now())
        prune(run.db, run.now(), run.options.keep_changes, lambda: run.budget.used_up)
        thinning.go_on(run.db, run.now(), run.options.weekly_after, lambda: run.budget.used_up)
    _log_end(run.row, state, values)


def close_failed(run: LiveRun, code: str, words: str, state: RunState = "failed") -> None:
    """Close a run that could not go on."""
    run.closed = True
    values = _values(run) | {"error_code": code, "error": words}
    try:
        with run.db.write() as tx:
            leases.release_all(tx, run.id)
            if runs.close(tx, run.id, state, values) and not run.dry:
                Teller(tx, run.now(), run.options).tell_run(run.row, {"state": state, **values})
    except StoreError as error:  # which says all there is to say
        log.error("[SmartSync] the end of a run was not written: %s", error, extra={"run_id": run.id})  # noqa: TRY400
    else:
        _log_end(run.row, state, values)


def _log_end(row: Run, state: RunState, values: Mapping[str, Any]) -> None:
    """Tell how a run ended, as loud as that is."""
    ended = replace(row, state=state, **values)
    why = {"error": ended.error} if ended.error else {}
    fields = {"run_id": ended.id, "state": state, **_numbers(values), **why}
    log.log(log_level(ended), "[SmartSync] sync ended", extra=fields)


def _state(run: LiveRun) -> RunState:
    tried, failed, partly = count_states(run.results.values())
    return state_of(
        tried=tried,
        failed=failed,
        partly=partly,
        remaining=run.remaining,
        unread=bool(run.unread),
        unopened=bool(run.unopened),
        stopped=run.budget.stopped,
    )


def _values(run: LiveRun) -> dict[str, Any]:
    """What the run's row says of it at its end."""
    results = run.results.values()
    errors = sum(not result.success for result in results)
    skipped = sum(result.skipped is not None for result in results)
    return {
        "success_count": len(results) - errors - skipped,
        "error_count": errors,
        "skipped_count": skipped,
        "error_code": _error_code(run),
        "error": reasons(results, [str(error) for error in (*run.unopened, *run.unread)]),
        "finished_at": run.now(),
        "done": len(results),
        "total": len(results) + run.remaining,
        "remaining": run.remaining,
        "added_count": sum(result.added_count for result in results),
        "removed_count": sum(result.removed_count for result in results),
        "degraded": run.degraded or any(result.degraded for result in results),
        "warnings": list(run.warnings),
        "api_calls": run.api_calls,
        "seconds": run.seconds,
    }


def _error_code(run: LiveRun) -> str | None:
    """The code of the worst of it; None where nothing is an error."""
    codes = [result.error_code for result in worst_first(run.results.values()) if not result.success]
    codes += [error.code for error in (*run.unopened, *run.unread)]
    return (codes[0] or "error") if codes else None


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
