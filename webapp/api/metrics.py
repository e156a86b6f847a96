"""The service in figures, as Prometheus asks for them: loaded when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from webapp import __version__
from webapp.api.shapes.status import status_of_service
from webapp.clock import utc_day
from webapp.config import Settings
from webapp.model import RunState
from webapp.rules.alert_kinds import Level
from webapp.rules.freshness import is_project_stale
from webapp.rules.outcomes import project_state
from webapp.store.db import Database
from webapp.store.figures import Figures, figures_of
from webapp.store.heads import all_heads
from webapp.store.projects import Project
from webapp.store.status import ServiceStatus

PREFIX = "smart_sync_"


class Figure(NamedTuple):
    """One figure. labels: in the order of its metric's names. value None: not known, so it is left out."""

    value: float | None
    labels: Sequence[str] = ()


class Metric(NamedTuple):
    """What is measured, in Prometheus' words. Moments are seconds since 1970."""

    name: str
    words: str
    lines: Sequence[Figure]
    labels: Sequence[str] = ()


def metrics_text(db: Database, settings: Settings, now: datetime) -> bytes:
    """All figures in the text format of Prometheus. Raises: StoreError."""
    status = status_of_service(db, settings, now)
    with db.read() as tx:
        projects, figures = all_heads(tx), figures_of(tx, utc_day(now))
    return _text([*_of_service(status, figures, now), *_of_projects(projects, figures, settings, now)])


def _text(metrics: Sequence[Metric]) -> bytes:
    class Once(Collector):
        def collect(self) -> Iterator[Any]:
            for metric in metrics:
                family = GaugeMetricFamily(PREFIX + metric.name, metric.words, labels=list(metric.labels))
                for line in metric.lines:
                    if line.value is not None:
                        family.add_metric(list(line.labels), line.value)
                yield family

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    text: bytes = generate_latest(registry)
    return text


def _of_service(status: ServiceStatus, figures: Figures, now: datetime) -> Iterator[Metric]:
    totals, last = status.totals, status.last_run
    yield Metric("info", "The version that answers.", [Figure(1, [__version__])], ["version"])
    yield Metric("projects", "Projects that are not removed.", [Figure(totals.total)])
    yield Metric("projects_stale", "Active projects whose numbers are too old to trust.", [Figure(len(totals.stale))])
    yield Metric("projects_failing", "Active projects whose last sync was not whole.", [Figure(len(totals.failing))])
    yield Metric("held_readings", "Readings that are kept aside until somebody decides.", [Figure(totals.held)])
    yield from _of_alerts(figures)
    yield Metric("snapshots_today", "Snapshots of this UTC day.", [Figure(figures.snapshots)])
    states = [Figure(figures.runs.get(state, 0), [state]) for state in get_args(RunState)]
    yield Metric("runs", "Runs on record by their state; old ones are forgotten.", states, ["state"])
    yield Metric("runs_live", "Runs that are at work.", [Figure(len(status.running))])
    yield Metric(
        "last_success_timestamp_seconds", "The last success of any project.", [_moment(totals.last_success_at)]
    )
    yield Metric(
        "last_tick_timestamp_seconds",
        "When a caller last came.",
        [_moment(status.tick.seen_at if status.tick else None)],
    )
    late = None if status.next_turn is None else max(0.0, (now - status.next_turn).total_seconds())
    yield Metric("overdue_seconds", "For how long the first turn of all projects has waited.", [Figure(late)])
    if last is not None:
        yield Metric(
            "last_run_google_calls",
            "Calls to Google of the last run that had something to do.",
            [Figure(last.api_calls)],
        )
        yield Metric("last_run_seconds", "What it took.", [Figure(last.seconds)])
    sheets = [Figure(sheet.state == "ok", [sheet.key]) for sheet in status.spreadsheets]
    yield Metric("spreadsheet_up", "1 where a spreadsheet answered when it was last asked.", sheets, ["spreadsheet"])
    yield from _of_platforms(status)


def _of_alerts(figures: Figures) -> Iterator[Metric]:
    levels = [Figure(figures.alerts.get(level, 0), [level]) for level in get_args(Level)]
    yield Metric("alerts_open", "Alerts that are open, by how bad they are.", levels, ["level"])
    yield Metric("alerts_unacknowledged", "Open ones that nobody knows of.", [Figure(figures.unacknowledged)])
    yield Metric("messages_waiting", "Messages that are still to be sent.", [Figure(figures.messages)])
    oldest = "When the oldest of them was written."
    yield Metric("messages_oldest_timestamp_seconds", oldest, [_moment(figures.messages_since)])


def _of_platforms(status: ServiceStatus) -> Iterator[Metric]:
    known = status.platforms
    figures: Mapping[str, tuple[str, list[float | None]]] = {
        "up": ("1 where a platform answered when it was last asked.", [one.state == "ok" for one in known]),
        "read_timestamp_seconds": (
            "When it last said anything of an account.",
            [_moment(one.read_at).value for one in known],
        ),
        "unread_accounts": ("Accounts that were not come to when it was last read.", [one.unread for one in known]),
        "quota_used": (
            "Units of its quota that were used in its day.",
            [one.quota_used if one.quota_limit else None for one in known],
        ),
        "quota_limit": ("Units that it has for a day.", [one.quota_limit for one in known]),
    }
    for name, (words, values) in figures.items():
        lines = [Figure(value, [one.name]) for value, one in zip(values, known, strict=True)]
        yield Metric(f"platform_{name}", words, lines, ["platform"])


def _of_projects(projects: Sequence[Project], figures: Figures, settings: Settings, now: datetime) -> Iterator[Metric]:
    labels = ["project_id", "project"]

    def each(name: str, words: str, values: Sequence[float | None]) -> Metric:
        lines = [Figure(value, [one.id, one.name]) for value, one in zip(values, projects, strict=True)]
        return Metric(f"project_{name}", words, lines, labels)

    yield each("accounts", "Accounts that are there.", [figures.accounts.get(one.id, 0) for one in projects])
    yield each("problems", "What the last sync found to mend.", [len(one.problems) for one in projects])
    yield each("failures", "Attempts since the last success.", [one.failures for one in projects])
    yield each("success_timestamp_seconds", "The last success.", [_moment(one.synced_at).value for one in projects])
    states = [
        Figure(1, [one.id, one.name, project_state(one, stale=is_project_stale(one, settings.stale_after, now))])
        for one in projects
    ]
    yield Metric("project_state", "1 for the worst thing that is so of a project.", states, [*labels, "state"])


def _moment(moment: datetime | None) -> Figure:
    return Figure(None if moment is None else moment.timestamp())
