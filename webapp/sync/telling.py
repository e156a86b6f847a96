"""What becomes of alerts, and who is told of it: rows and messages, written in the transaction of what they follow.

Nothing is sent here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.alerts.messages import Event, Letter, alert_data, letters, links_of
from webapp.clock import iso
from webapp.rules.alert_words import Links, Words, closing, opening, title_of
from webapp.rules.alerts import Finding, Judged, changes, is_muted
from webapp.rules.outcomes import run_label, succeeded
from webapp.store import alert_facts, alerts, outbox
from webapp.store.alerts import Alert
from webapp.store.outbox import Message
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult, Run
from webapp.sync.options import Options

log = logging.getLogger("smart_sync")

COUNTED = ("failing", "guard", "gone")  # alerts whose end says how many syncs did not succeed


@dataclass(frozen=True)
class Teller:
    """Keeps what becomes of alerts, and the messages that follow. sheet: key of the default spreadsheet."""

    tx: sa.Connection
    now: datetime
    options: Options
    sheet: str | None = None

    # Alerts

    def follow(
        self, standing: Sequence[Alert], found: Sequence[Finding], judged: Judged, live: Sequence[Project]
    ) -> None:
        """Begin, go on with and end alerts, by what was found. live: the projects that are active."""
        tx, now = self.tx, self.now
        mutes = alerts.mutes(tx) if standing or found else []
        projects: dict[str | None, Project] = {project.id: project for project in live}
        intervals = {one.id: one.interval_minutes or self.options.interval_minutes for one in live}
        made = changes([one.standing for one in standing], found, judged, now, mutes=mutes, intervals=intervals)
        for act, since in (("calm", now), ("excite", None)):
            alerts.put_calm(tx, [one.id for one in made if one.act == act and one.id is not None], since)
        known = {one.id: one for one in standing}
        for one in made:
            project = projects.get(one.key.project_id)
            if one.id is None and one.finding is not None:
                self._begin(one.finding, project, muted=is_muted(one.key, mutes, now))
            elif one.id is not None and one.act == "announce" and alerts.announce(tx, one.id):
                self._tell_begun(known[one.id])
            elif one.id is not None and one.act == "close" and alerts.end(tx, one.id, now):
                self._tell_over(known[one.id])

    def tell_past(self, finding: Finding) -> None:
        """Keep, and tell once, what is over by the time that anybody notices."""
        muted = is_muted(finding.key, alerts.mutes(self.tx), self.now)
        alert_id = alerts.begin(self.tx, finding, self.now, announced=not muted, over=True)
        if alert_id is not None and not muted:
            alert = _alert_of(finding, alert_id, self.now, None)
            self._put_alert("alert.closed", alert, opening(alert, self._links(alert), self.now))

    def _begin(self, finding: Finding, project: Project | None, *, muted: bool) -> None:
        alert_id = alerts.begin(self.tx, finding, self.now, announced=not muted)
        if alert_id is None:
            return
        alert = _alert_of(finding, alert_id, self.now, project)
        _log(logging.INFO if alert.level == "news" else logging.WARNING, "an alert began", alert)
        if not muted:
            self._tell_begun(alert)

    def _tell_begun(self, alert: Alert) -> None:
        words = opening(alert, self._links(alert), self.now)
        self._put_alert("alert.opened", alert, words)

    def _tell_over(self, alert: Alert) -> None:
        """Whoever heard of its beginning hears of its end."""
        _log(logging.INFO, "an alert is over", alert)
        untold = outbox.drop_untold(self.tx, alert.id, self.now)
        if not alert.announced:
            return
        words = closing(alert, self._links(alert), self.now, self._failures(alert))
        self._put_alert("alert.closed", alert, words, without=untold)

    def _failures(self, alert: Alert) -> int:
        """Syncs that did not succeed while an alert was open."""
        if alert.rule not in COUNTED or alert.project_id is None:
            return 0
        since = alert.since or alert.opened_at
        return alert_facts.failures_since(self.tx, alert.project_id, since)

    def _put_alert(self, event: Event, alert: Alert, words: Words, without: Iterable[str] = ()) -> None:
        data = alert_data(alert, alert.id, self._links(alert), state=event.removeprefix("alert."))
        sent = letters(self.options.mail, event, data, self.now, words, without=frozenset(without))
        outbox.put(self.tx, [_message(one, alert.id) for one in sent], self.now)

    def _links(self, alert: Alert) -> Links:
        return links_of(self.options.mail.base_url, alert, self.sheet)

    # What programs are told besides

    def tell_run(self, row: Run, values: Mapping[str, Any]) -> None:
        """A run that had something to do has ended. values: what its row says of its end."""
        if not self.options.mail.programs:
            return
        ended = replace(row, **values)
        data = {
            "run_id": ended.id,
            "caller": ended.caller,
            "state": ended.state,
            "label": run_label(ended),
            "started_at": iso(ended.started_at),
            "finished_at": iso(ended.finished_at or self.now),
            "success_count": ended.success_count,
            "error_count": ended.error_count,
            "skipped_count": ended.skipped_count,
            "remaining": ended.remaining,
            "degraded": ended.degraded,
            "error_code": ended.error_code,
            "error": ended.error,
        }
        self._put("run.finished" if succeeded(ended) else "run.failed", [data])

    def tell_projects(self, run_id: str, results: Iterable[ProjectResult]) -> None:
        """Projects whose numbers have changed."""
        if not self.options.mail.programs:
            return
        data = [
            {
                "run_id": run_id,
                "project_id": one.project_id,
                "project_name": one.project_name,
                "total_accounts": one.total_accounts,
                "updated_count": one.updated_count,
                "snapshot_count": one.snapshot_count,
                "added_count": one.added_count,
                "removed_count": one.removed_count,
            }
            for one in results
            if one.updated_count or one.added_count or one.removed_count
        ]
        self._put("project.changed", data)

    def _put(self, event: Event, data: Iterable[Mapping[str, Any]]) -> None:
        sent = [letter for one in data for letter in letters(self.options.mail, event, one, self.now)]
        outbox.put(self.tx, [_message(one) for one in sent], self.now)


def _log(level: int, words: str, alert: Alert) -> None:
    """One line for each that begins or ends, muted or not."""
    about = {"rule": alert.rule, "project": alert.project_name, "project_id": alert.project_id, "alert_id": alert.id}
    log.log(level, "[SmartSync] %s: %s: %s", words, title_of(alert), alert.what, extra=about)


def _message(letter: Letter, alert_id: int | None = None) -> Message:
    return Message(letter.message_id, letter.recipient, letter.event, letter.body, letter.not_before, alert_id)


def _alert_of(finding: Finding, alert_id: int, now: datetime, project: Project | None) -> Alert:
    """An alert that has just begun."""
    rule, project_id, subject = finding.key
    return Alert(
        id=alert_id,
        rule=rule,
        project_id=project_id,
        subject=subject,
        level=finding.level,
        state="open",
        since=finding.since,
        opened_at=now,
        calm_since=None,
        closed_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
        announced=True,
        what=finding.what,
        advice=finding.advice,
        cell=finding.cell,
        details=finding.details,
        project_name=project.name if project else None,
        spreadsheet=project.spreadsheet if project else None,
        worksheet_id=project.worksheet_id if project else None,
    )
