"""What is said of an alert: on pages, to people and in short. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from webapp.rules.alert_kinds import Level, Rule
from webapp.rules.words import span, utc

SMS = 160  # characters of one text message
SHORT = 3 * 150  # of what is sent as text messages, which are three at most
LONGEST = 500  # of what is so

TITLES: Mapping[Rule, str] = {
    "spreadsheet": "a spreadsheet cannot be read",
    "failing": "syncs do not succeed",
    "stale": "the numbers are old",
    "guard": "a tab lost too much at once",
    "gone": "a tab or column has gone",
    "waiting": "values wait for a person",
    "reader": "a program that reads is silent",
    "platform": "a platform cannot be read",
    "quota": "units run out",
    "moved": "a total moved by much",
    "threshold": "a limit is crossed",
    "target": "the target is reached",
    "silence": "nobody called",
}
LEVELS: Mapping[Level, str] = {"problem": "PROBLEM", "risk": "RISK", "news": "NEWS"}


class AlertFacts(Protocol):
    """An alert as it is kept. Times are aware UTC."""

    @property
    def rule(self) -> Rule: ...
    @property
    def project_id(self) -> str | None: ...
    @property
    def project_name(self) -> str | None: ...
    @property
    def subject(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def opened_at(self) -> datetime: ...
    @property
    def what(self) -> str: ...
    @property
    def advice(self) -> str: ...
    @property
    def cell(self) -> str | None: ...


class Links(NamedTuple):
    """Where to look. page: of ours; cell: in the Sheet. None: that is not known."""

    page: str | None = None
    cell: str | None = None


class Words(NamedTuple):
    """A message for people. title: one line; text: several, plain; short: for text messages, in one line."""

    title: str
    text: str
    short: str


def title_of(alert: AlertFacts) -> str:
    """What an alert is about: `Project A: syncs do not succeed`."""
    whose = alert.project_name or alert.subject or "Smart Sync"
    return f"{whose}: {TITLES[alert.rule]}"


def opening(alert: AlertFacts, links: Links, now: datetime) -> Words:
    """Told when it begins: what, since when, how bad, what to do, where."""
    began = alert.since or alert.opened_at
    lines = [f"{LEVELS[alert.level]}: {_cut(alert.what, LONGEST)}", f"Since {utc(began)}{_ago(now - began)}."]
    if alert.cell and alert.cell not in alert.what:
        lines.append(f"Cell: {alert.cell}")
    lines.append(f"To do: {alert.advice}.")
    lines += [link for link in links if link]
    title = title_of(alert)
    return Words(title, "\n".join(lines), _short(f"{title}: {alert.what}", links))


def closing(alert: AlertFacts, links: Links, now: datetime, failures: int = 0) -> Words:
    """Told when it is over. failures: syncs that did not succeed meanwhile."""
    began = alert.since or alert.opened_at
    missed = f"; {failures} sync{'s' if failures > 1 else ''} did not succeed" if failures else ""
    lasted = f"It lasted {span(now - began)}, since {utc(began)}{missed}."
    lines = [f"OVER: {_cut(alert.what, LONGEST)}", lasted, *(link for link in links if link)]
    title = f"Over: {title_of(alert)}"
    return Words(title, "\n".join(lines), _short(f"{title}. {lasted}", Links(links.page)))


def trial(links: Links) -> Words:
    """To see whether messages arrive."""
    text = "This is a test: alerts of Smart Sync arrive here. Nothing has to be done."
    return Words("Smart Sync: a test", "\n".join([text, *(link for link in links if link)]), _short(text, links))


def _ago(length: timedelta) -> str:
    return f" ({span(length)} ago)" if length >= timedelta(minutes=1) else ""


def _short(text: str, links: Links) -> str:
    """For text messages: one where it fits into one, never more than three; the page's address comes last, whole."""
    if links.page is None or len(links.page) > SHORT // 2:
        return _cut(text, SHORT)
    return f"{_cut(text, SHORT - len(links.page) - 1)} {links.page}"


def _cut(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 3]}..."
