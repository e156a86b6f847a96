"""How pages are made: templates that escape everything, and headers that let a page load our own files alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from flask import Response, g, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from webapp import __version__, store, web
from webapp.clock import Clock, iso
from webapp.dashboard.assets import address_of
from webapp.errors import StoreError
from webapp.model import METRICS
from webapp.rules import words
from webapp.rules.addresses import short_name
from webapp.rules.due import cron_words
from webapp.rules.outcomes import result_state, run_label, run_words, succeeded
from webapp.store.db import Database
from webapp.store.types import as_moment

INDENTS = re.compile(r"\s*\n\s*")  # of the templates: a tenth of a page, and nobody sees them
TEMPLATES = Path(__file__).with_name("templates")
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "private, no-store",
    "Vary": "Cookie",
    # Not `no-referrer`: with that, browsers leave the origin out of our own forms as well.
    "Referrer-Policy": "same-origin",
}


class Part(Protocol):
    """One part and how it is: `ok`, `warn` or `FAIL`. fix: what to do about it."""

    @property
    def level(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def words(self) -> str: ...
    @property
    def fix(self) -> str | None: ...


@dataclass(frozen=True)
class Doctor:
    """examine: looks at every part of this service once, also over the network."""

    examine: Callable[[], Iterable[Part]]


@dataclass(frozen=True)
class SetUp:
    """configured: there is a spreadsheet to read. reader: the address to share one with; None: no service account.

    keep: whether to keep what pages say until it changes. sheet: the key of the default spreadsheet.
    """

    configured: bool
    reader: str | None
    keep: bool = True
    sheet: str | None = None


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of ours."""
    role = g.get("role")
    given = {"role": role, "admin": role == "admin", "signed_in": g.get("signed_in", False), "here": request.path}
    given["alert_count"] = _alert_count() if role == "admin" else 0
    drawn = _environment().get_template(template).render(now=web.get(Clock).now(), **given, **values)
    body = INDENTS.sub("\n", drawn)
    return Response(body, status, headers=HEADERS, content_type="text/html; charset=utf-8")


def count_alerts(tx: sa.Connection) -> None:
    """Count for the head of the page, in the transaction that the rest of it is read in."""
    if g.get("role") == "admin":
        g.alert_count = store.alerts.count_open(tx)


def _alert_count() -> int:
    """Open alerts that nobody has acknowledged, for the head of each page; 0 also where they cannot be read."""
    if "alert_count" in g:
        return int(g.alert_count)
    try:
        with web.get(Database).read() as tx:
            return store.alerts.count_open(tx)
    except StoreError:
        return 0


def plain_error(status: int, title: str, detail: str, hint: str | None = None) -> Response:
    return page("error.html", status, title=title, detail=detail, hint=hint)


def redirect_to(address: str) -> Response:
    """To another page of ours, which is then asked for with GET."""
    return Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "grouped": words.grouped,
        "exact": words.exact,
        "signed": words.signed,
        "compact": words.compact,
        "seconds": words.seconds_words,
        "day": words.day_words,
        "every": words.every,
        "times": cron_words,
        "when": when,
        "until": until,
        "moment": words.utc,
        "link": _link,
        "called": short_name,
    }
    environment.globals |= {"asset": address_of, "version": __version__, "METRICS": METRICS}
    environment.globals |= {"run_label": run_label, "result_state": result_state, "succeeded": succeeded}
    environment.globals |= {"run_words": run_words}
    return environment


def when(moment: Any, now: datetime) -> Markup:
    """`2 min ago`, with the moment for scripts and on hover."""
    known = as_moment(moment)
    return Markup("never") if known is None else _time(known, "ago", words.ago(known, now))


def until(moment: Any, now: datetime, *, spelled: bool = False) -> Markup:
    """`in 28 min`, likewise; `in 28 minutes` spelled out."""
    known = as_moment(moment)
    if known is None:
        return Markup("not planned")
    return _time(known, "spelled" if spelled else "ahead", words.ahead(known, now, spelled=spelled))


def _time(moment: datetime, kind: str, text: str) -> Markup:
    marked = Markup('<time datetime="{}" title="{}" data-{}>{}</time>')
    return marked.format(iso(moment.replace(microsecond=0)), words.utc(moment), kind, text)


def _link(url: str) -> str:
    """The address, where it is one of the web; nothing a browser would run."""
    return url if url.startswith(("https://", "http://")) else ""
