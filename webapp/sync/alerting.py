"""What a run, or a tick, left behind that somebody has to know: judged within its transaction.

A run that changes nothing pays one statement, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.model import METRICS
from webapp.rules.alert_kinds import Kind, Rule
from webapp.rules.alerts import (
    LOOK,
    Finding,
    Judged,
    Key,
    find_crossed,
    find_failing,
    find_moved,
    find_quota,
    find_silence,
    find_silent,
    find_source,
    find_stale,
    find_target,
    find_waiting,
    target_key,
)
from webapp.store import alert_facts, alerts, platforms, spreadsheets, thresholds
from webapp.store.alerts import Alert
from webapp.store.projects import Project
from webapp.store.reading_ages import reading_ages
from webapp.store.runs import ProjectResult
from webapp.store.spreadsheets import Spreadsheet
from webapp.sync.telling import Teller

OF_RESULTS: tuple[Rule, ...] = ("failing", "guard", "gone")
OF_TOTALS: tuple[Rule, ...] = ("threshold", "target")
VIEWS = METRICS.index("views")


def judge(teller: Teller, results: Mapping[str, ProjectResult]) -> None:
    """Judge everything by what is stored now, and by the results of a run that ends."""
    scene = Scene(teller, results)
    if scene.signs.looked_at is None or scene.looks:
        alerts.put_look(teller.tx, teller.now)
    if scene.is_worth_it:
        scene.judge()


def close_calm(teller: Teller) -> None:
    """End the alerts whose time has come, where nothing else is judged."""
    if alerts.any_calm(teller.tx):
        teller.follow(alerts.open_alerts(teller.tx), [], Judged(), alert_facts.live_projects(teller.tx))


def judge_overdue(teller: Teller) -> None:
    """Judge what nobody has synced for too long, while a run that should do so is at work, or hangs."""
    live = alert_facts.live_projects(teller.tx)
    standing = alerts.open_alerts(teller.tx)
    covered = {project.id for _, mine in unread_sheets(teller, live) for project in mine}
    found = find_overdue(teller, live, standing)
    teller.follow(standing, without_covered(found, standing, covered), Judged(), live)


def find_overdue(teller: Teller, live: Iterable[Project], standing: Iterable[Alert]) -> list[Finding]:
    stands, minutes = {one.key for one in standing}, teller.options.stale_after
    return [
        one
        for project in live
        for one in find_stale(project, minutes, teller.now, standing=Key("stale", project.id) in stands)
    ]


def unread_sheets(teller: Teller, live: Iterable[Project]) -> list[tuple[Spreadsheet, list[Project]]]:
    """The spreadsheets that cannot be read, with their projects, of which nothing else is told."""
    return [
        (sheet, [project for project in live if (project.spreadsheet or teller.sheet) == sheet.key])
        for sheet in spreadsheets.listed(teller.tx)
        if sheet.state != "ok"
    ]


def tell_silence(teller: Teller, seen_at: datetime) -> None:
    """Nobody asked for what is due until just now: told once, since it is over."""
    teller.tell_past(find_silence(seen_at, teller.now, teller.options.interval_minutes))


class Scene:
    """What is judged, and what is found."""

    def __init__(self, teller: Teller, results: Mapping[str, ProjectResult]) -> None:
        self.teller = teller
        self.tx: sa.Connection = teller.tx
        self.now, self.options, self.results = teller.now, teller.options, results
        self.signs = alert_facts.signs(self.tx, self.now, self.options.stale_after)
        self.touched = {
            one.project_id
            for one in results.values()
            if one.updated_count or one.snapshot_count or one.added_count or one.removed_count
        }
        since = self.signs.looked_at  # the very first run has nothing to compare with
        self.looks = since is not None and not since <= self.now < since + LOOK
        self.thresholds = self.signs.newest_threshold is not None

    @property
    def is_worth_it(self) -> bool:
        """Whether there may be anything to find, or to end."""
        signs = self.signs
        wrong = any(not result.success or result.degraded for result in self.results.values())
        counted = bool((self.thresholds or signs.targets) and self.touched) or self.is_new(signs.newest_threshold)
        return self.looks or wrong or counted or signs.alerts or signs.waiting or signs.sick or signs.troubled

    def judge(self) -> None:
        live = alert_facts.live_projects(self.tx)
        standing = alerts.open_alerts(self.tx) if self.signs.alerts else []
        synced = {one for one, result in self.results.items() if result.skipped is None}
        waiting = alert_facts.waiting(self.tx) if self.signs.waiting else {}
        ids = [project.id for project in live]
        clear = [project for project in live if project.id not in waiting]  # whose numbers can be believed
        counted, found_counted = self.find_counted(clear, standing)
        looked, found_looked = self.find_looked(clear)
        covered, found = self.find_sources(live)
        found += found_counted + found_looked + find_overdue(self.teller, live, standing)
        for project in live:
            if project.id in synced:
                found += find_failing(project, self.results[project.id], self.now)
            found += find_waiting(project.id, *waiting.get(project.id, (0, 0)))
        of_projects: dict[Rule, Any] = {
            **dict.fromkeys(OF_RESULTS, synced),
            **dict.fromkeys(OF_TOTALS, counted),
            "stale": ids,
            "waiting": ids,
            "moved": looked,
        }
        rules: list[Rule] = ["spreadsheet", "platform", "quota"]
        gone = {one.project_id for one in standing if one.project_id is not None} - set(ids)
        judged = Judged([*rules, "reader"] if self.looks else rules, of_projects, gone)
        self.teller.follow(standing, without_covered(found, standing, covered), judged, live)

    def find_sources(self, live: Sequence[Project]) -> tuple[set[str], list[Finding]]:
        """The projects whose spreadsheet cannot be read; and spreadsheets and platforms that cannot."""
        covered: set[str] = set()
        found: list[Finding] = []
        if not self.signs.sick:
            return covered, found
        titles = [sheet.title for sheet in spreadsheets.listed(self.tx)]
        for sheet, mine in unread_sheets(self.teller, live):
            alone = sheet.title and titles.count(sheet.title) == 1
            name = sheet.title if alone else f"{sheet.title or ''} {sheet.key}"
            worst = max((project.failures for project in mine), default=0)
            found += find_source((name or "").strip(), "spreadsheet", sheet, worst, self.now)
            covered |= {project.id for project in mine}
        for platform in platforms.listed(self.tx):
            found += find_source(platform.name, "platform", platform, platform.failures, self.now)
            found += find_quota(platform, self.now)
        return covered, found

    def find_counted(self, clear: Sequence[Project], standing: Sequence[Alert]) -> tuple[set[str], list[Finding]]:
        """The projects whose numbers were looked at, because they changed or somebody has just begun to watch them."""
        watched = thresholds.listed(self.tx) if self.thresholds else []
        fresh = {one.project_id for one in watched if self.is_new(one.created_at)}
        mine = [one for one in clear if self.looks or one.id in self.touched or one.id in fresh]
        counted = {project.id for project in mine}
        watched = [one for one in watched if one.project_id in counted]
        summed = {one.project_id for one in watched if one.account_id is None}
        ids = [project.id for project in mine if project.target_views or project.id in summed]
        totals = alert_facts.totals(self.tx, ids) if ids else {}
        of_accounts = thresholds.account_values(self.tx) if any(one.account_id for one in watched) else {}
        stands = {one.key for one in standing}
        found: list[Finding] = []
        for project in mine:
            views = totals[project.id][VIEWS] if project.id in totals else None
            found += find_target(project, views, standing=target_key(project) in stands)
        for one in watched:
            if one.account_id is not None:
                value, whose = of_accounts.get((one.account_id, one.metric), (None, ""))
            else:
                total, whose = totals.get(one.project_id), ""
                value = total[METRICS.index(one.metric)] if total else None
            crossed = Key("threshold", one.project_id, str(one.id)) in stands
            found += find_crossed(one, value, standing=crossed, whose=whose)
        return counted, found

    def is_new(self, created_at: datetime | None) -> bool:
        """Whether a threshold may not have been looked at yet. None: there is none."""
        looked = self.signs.looked_at
        return created_at is not None and (looked is None or created_at >= looked)

    def find_looked(self, clear: Sequence[Project]) -> tuple[list[str], list[Finding]]:
        """What is looked for by the hour: projects whose totals moved; and programs that are silent."""
        if not self.looks:
            return [], []
        minutes, ids = self.options.readings_stale_after, [project.id for project in clear]
        found = [one for age in reading_ages(self.tx, self.now, minutes) for one in find_silent(age, minutes, self.now)]
        limits = self.limits()
        moved = alert_facts.movements(self.tx, ids) if ids else {}
        for project_id, movement in moved.items():
            found += find_moved(project_id, movement, limits.get(project_id, {}))
        return ids, found

    def limits(self) -> dict[str, dict[tuple[Any, Kind], int]]:
        """{project: percent in 24 hours that somebody has set for its totals}."""
        found: dict[str, dict[tuple[Any, Kind], int]] = {}
        for one in thresholds.listed(self.tx) if self.thresholds else []:
            if one.kind in ("fallen", "risen") and one.account_id is None:
                found.setdefault(one.project_id, {})[one.metric, one.kind] = one.value
        return found


def without_covered(found: Sequence[Finding], standing: Iterable[Alert], covered: set[str]) -> list[Finding]:
    """Without new findings that follow from another: told once, by what they come of.

    covered: projects whose spreadsheet cannot be read.
    """
    stands = {one.key for one in standing}
    worse = {key.project_id for key in (*stands, *(one.key for one in found)) if key.rule in OF_RESULTS} | covered

    def follows(key: Key) -> bool:
        if key in stands:
            return False
        by_sheet = key.rule == "failing" and key.project_id in covered
        return by_sheet or (key.rule == "stale" and key.project_id in worse)

    return [one for one in found if not follows(one.key)]
