"""How the syncs go: whether they come, what they could not do, and whether programs still read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webapp.clock import iso
from webapp.doctor.case import Case, Diagnosis, Level
from webapp.rules.freshness import is_project_stale, stale_readings
from webapp.rules.outcomes import run_label, succeeded, withheld
from webapp.store import runs, status
from webapp.store.projects import Project
from webapp.store.reading_ages import reading_ages
from webapp.store.runs import Run
from webapp.store.status import StatusTotals

NAMED = 5


def examine_syncs(case: Case) -> Iterator[Diagnosis]:
    if case.db is None or not case.current:
        return
    settings, now = case.settings, case.clock.now()
    with case.db.read() as tx:
        totals = status.totals(tx, now, settings.stale_after)
        last = runs.latest(tx, limit=1, idle=False)
        ages = reading_ages(tx, now, settings.readings_stale_after)
    yield from _totals(totals)
    for project in totals.failing:
        yield _failing(case, project)
    yield from _last_run([run for run in last if not run.live])
    for words in stale_readings(ages, settings.readings_stale_after, now):
        fix = "see that the program still runs and is not refused; SMART_SYNC_READINGS_STALE_AFTER is the limit"
        yield Diagnosis("warn", "readings", words, fix)


def _totals(totals: StatusTotals) -> Iterator[Diagnosis]:
    if not totals.total:
        yield Diagnosis("warn", "syncs", "there are no projects yet", "smart-sync sync")
    elif totals.stale:
        names = ", ".join(project.name for project in totals.stale[:NAMED])
        words = f"{len(totals.stale)} of {totals.active} projects are stale: {names}"
        yield Diagnosis(
            "warn", "syncs", words, "see that the cron still calls, and what it is answered: smart-sync runs"
        )
    else:
        several = "1 project, not stale" if totals.active == 1 else f"{totals.active} projects, none of them stale"
        words = f"{several}, last success {iso(totals.last_success_at)}"
        yield Diagnosis("ok", "syncs", words)


def _failing(case: Case, project: Project) -> Diagnosis:
    """A project that was not whole at its last sync: a warning while that can be put up with."""
    words = project.last_error or "its last sync was not whole"
    if project.degraded_since is None:
        return Diagnosis("FAIL", f"project {project.name}", f"failed: {words}", "smart-sync runs show")
    stale = is_project_stale(project, case.settings.stale_after, case.clock.now())
    level: Level = "FAIL" if stale or withheld(project.problems) else "warn"
    said = f"degraded since {iso(project.degraded_since)}: {words}"
    return Diagnosis(level, f"project {project.name}", said, "smart-sync runs show, then smart-sync sync")


def _last_run(found: Sequence[Run]) -> Iterator[Diagnosis]:
    for run in found:
        what = f"{run_label(run)} at {iso(run.finished_at)}"
        words = f"{what}: {run.error}" if run.error else what
        if not succeeded(run):
            yield Diagnosis("FAIL", "last run", words, f"smart-sync runs show {run.id}")
        elif run.degraded:
            yield Diagnosis("warn", "last run", words, "nothing, if the source answers again; smart-sync sync tries it")
        else:
            yield Diagnosis("ok", "last run", words)
