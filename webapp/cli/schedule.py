"""`smart-sync schedule`: when projects are synced by themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import click

from webapp.cli.lines import print_overdue
from webapp.cli.root import open_parts, print_json
from webapp.cli.terminal import say
from webapp.cli.work import work
from webapp.clock import iso
from webapp.rules.due import overdue, schedule_of, simulate
from webapp.rules.words import ago, ahead
from webapp.store import schedule as planning
from webapp.store import ticks
from webapp.store.projects import Project

CALLS_A_READ = 2  # to the Sheets API: the tabs there are, and their cells
CALLS_A_MINUTE = 60  # that Google allows one user


@click.group()
def schedule() -> None:
    """When projects are synced by themselves."""


schedule.add_command(work)


@schedule.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_schedule(*, as_json: bool) -> None:
    """Who is synced when, what is next, and how it went last."""
    with open_parts() as parts:
        now, minutes = parts.clock.now(), parts.settings.interval_minutes
        with parts.db.read() as tx:
            seen, turn = ticks.last(tx), planning.earliest_turn(tx)
            planned = planning.scheduled(tx)
            due = {project.id for project in planning.due(tx, now, minutes)}
    if as_json:
        body = {"last_tick_at": iso(seen.seen_at) if seen else None, "overdue_by_seconds": overdue(turn, now)}
        print_json(body | {"projects": [_json_of(project, minutes, due, now) for project in planned]})
        return
    say(f"last tick: {ago(seen.seen_at, now)}" if seen else "last tick: none yet; let a cron run `tick`")
    print_overdue(turn, now, parts.settings.stale_after)
    width = max((len(project.name) for project in planned), default=0)
    for project in planned:
        words = schedule_of(project, minutes).words
        say(f"{project.name:{width}}  {words}, next {_next(project, now, due)}; {_last(project, now)}")


def _json_of(project: Project, minutes: int, due: Collection[str], now: datetime) -> dict[str, Any]:
    return {
        "project_id": project.id,
        "project_name": project.name,
        "status": project.status,
        "enabled": project.auto_sync,
        "schedule": schedule_of(project, minutes).words,
        "next_sync_at": iso(project.turn(now)),
        "due": project.id in due,
        "last_sync_at": iso(project.synced_at),
        "failures": project.failures,
        "last_error": project.last_error,
    }


def _next(project: Project, now: datetime, due: Collection[str]) -> str:
    if project.status != "active":
        return f"never ({project.status})"
    if not project.auto_sync:
        return "never (off)"
    if project.id in due or (turn := project.turn(now)) is None:
        return "at the next tick"
    return ahead(turn, now, spelled=True)


def _last(project: Project, now: datetime) -> str:
    """How the last sync of a project went."""
    done = f"last success {ago(project.synced_at, now)}" if project.synced_at else "never synced"
    if not project.failures:
        return done
    failures = "1 failure" if project.failures == 1 else f"{project.failures} failures"
    return f"{done}, {failures} since: {project.last_error}"


@schedule.command(name="test")
@click.option("--hours", type=click.IntRange(1, 168), default=24, show_default=True, help="How far to look ahead.")
@click.option("--every", type=click.IntRange(1, 1440), default=1, show_default=True, help="Minutes between two ticks.")
def test_schedule(*, hours: int, every: int) -> None:
    """Show which project would be synced when. Nothing is read or written."""
    with open_parts() as parts:
        start, minutes = parts.clock.now().replace(second=0, microsecond=0), parts.settings.interval_minutes
        with parts.db.read() as tx:
            planned = [project for project in planning.scheduled(tx) if project.auto_sync]
        active = [project for project in planned if project.status == "active"]
    step = timedelta(minutes=every)
    reads: list[int] = []
    for moment, synced in simulate(active, minutes, start, ticks=hours * 60 // every, every=step):
        say(f"{moment:%Y-%m-%d %H:%M} UTC  {', '.join(project.name for project in synced)}")
        reads.append(len({project.spreadsheet for project in synced}))
    most = CALLS_A_READ * max(reads, default=0)
    say(f"{len(reads)} runs in {hours} hours, about {CALLS_A_READ * sum(reads)} Sheets calls, at most {most} in one")
    if most > CALLS_A_MINUTE:
        say(f"warning: Google allows {CALLS_A_MINUTE} calls a minute; spread the projects' schedules")
