"""Messages as they are kept until they are sent: of what happened, for each recipient in its own form."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol
from urllib.parse import quote

import msgspec

from webapp.alerts import Mail, Recipient
from webapp.clock import iso
from webapp.rules.addresses import cell_link
from webapp.rules.alert_words import AlertFacts, Links, Words, title_of

Event = Literal["alert.opened", "alert.closed", "run.finished", "run.failed", "project.changed", "test"]


@dataclass(frozen=True)
class Letter:
    """One message to one recipient. body: to the byte."""

    message_id: str
    recipient: str
    event: Event
    body: str
    not_before: datetime


class Tried(NamedTuple):
    """What became of a message that was sent to see whether it arrives. error: why it did not."""

    recipient: str
    label: str
    error: str | None


def letters(
    mail: Mail,
    event: Event,
    data: Mapping[str, Any],
    now: datetime,
    words: Words | None = None,
    *,
    without: Collection[str] = (),
) -> list[Letter]:
    """One message for each recipient that is told of such an event. words: for people; None: they are not told.

    without: recipients that need not hear of it.
    """
    message_id = f"msg_{uuid.uuid4().hex}"
    told = [one for one in mail.recipients if one.name not in without and (words is not None or not one.people)]
    return [_letter(mail, one, message_id, event, data, now, words) for one in told]


def _letter(
    mail: Mail,
    recipient: Recipient,
    message_id: str,
    event: Event,
    data: Mapping[str, Any],
    now: datetime,
    words: Words | None,
) -> Letter:
    if recipient.people and words is not None:
        quiet_until = mail.quiet.until(now) if mail.quiet and event != "test" else now
        return Letter(message_id, recipient.name, event, _json(words._asdict()), quiet_until)
    body = {"type": event, "timestamp": iso(now), "data": data}
    return Letter(message_id, recipient.name, event, _json(body), now)


def _json(body: Any) -> str:
    return msgspec.json.encode(body).decode()


def alert_data(alert: AlertFacts, alert_id: int, links: Links, *, state: str) -> dict[str, Any]:
    """What programs are told of an alert."""
    return {
        "id": alert_id,
        "rule": alert.rule,
        "title": title_of(alert),
        "level": alert.level,
        "state": state,
        "project_id": alert.project_id,
        "project_name": alert.project_name,
        "subject": alert.subject,
        "since": iso(alert.since),
        "opened_at": iso(alert.opened_at),
        "what": alert.what,
        "advice": alert.advice,
        "cell": alert.cell,
        "page_url": links.page,
        "cell_url": links.cell,
    }


class Placed(AlertFacts, Protocol):
    """An alert, and where its project stands in the Sheet. spreadsheet None: the default one."""

    @property
    def spreadsheet(self) -> str | None: ...
    @property
    def worksheet_id(self) -> str | None: ...


def links_of(base_url: str, alert: Placed, default_sheet: str | None) -> Links:
    """Where to look at an alert. default_sheet: key of the default spreadsheet."""
    page = page_link(base_url, alert.project_id)
    return Links(page, cell_link(alert.spreadsheet or default_sheet, alert.worksheet_id, alert.cell))


def page_link(base_url: str, project_id: str | None) -> str | None:
    """The page to look at: of the project, else that of alerts."""
    if not base_url:
        return None
    return f"{base_url}/projects/{quote(project_id)}" if project_id else f"{base_url}/alerts"
