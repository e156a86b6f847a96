"""The set-up page: what an examination finds, who can call the service, which platforms are read, and where the rest stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask import Response, request

from webapp import web
from webapp.config import Settings
from webapp.cron.callers import CALLERS, snippet
from webapp.cron.curl import CURL_FILE
from webapp.dashboard.questions import links
from webapp.dashboard.rendering import Doctor, Part, page
from webapp.errors import Invalid
from webapp.platforms import PLATFORMS
from webapp.store import platforms
from webapp.store.db import Database

WORST = ("FAIL", "warn", "ok")


class PlatformSetting(NamedTuple):
    """A platform and what it takes to read it. missing: settings that are not set; read: whether it is read."""

    name: str
    read: bool
    missing: Sequence[str]
    state: str


def set_up() -> Response:
    """What is still missing, and what to paste where."""
    return _show()


def examine() -> Response:
    """The same with what an examination finds, the worst first; it asks the Sheet and the platforms, which takes a while."""
    found = sorted(web.get(Doctor).examine(), key=lambda one: WORST.index(one.level))
    return _show(found)


def _show(found: Sequence[Part] | None = None) -> Response:
    settings = web.get(Settings)
    name = request.args.get("caller", "crontab")
    name = name if name in CALLERS else "crontab"
    url = request.args.get("url", "").strip() or settings.base_url or request.host_url
    try:
        config = str(settings.data_dir.resolve() / CURL_FILE)
        notes, text = snippet(name, url.rstrip("/"), config=config, interval=settings.interval_minutes)
        wrong = None
    except Invalid as error:
        notes, text, wrong = "", "", str(error)
    with web.get(Database).read() as tx:
        states = {one.name: one.state for one in platforms.listed(tx)}
    return page(
        "set_up.html",
        found=found,
        caller=name,
        callers=list(CALLERS),
        url=url,
        notes=notes,
        snippet=text,
        wrong=wrong,
        platforms=_platforms(settings, states),
        **links(),
    )


def _platforms(settings: Settings, states: Mapping[str, str]) -> list[PlatformSetting]:
    found = []
    for listed in PLATFORMS:
        missing = listed.load().missing(settings.platforms)
        read = settings.reads(listed) and (listed.keyless or not missing)
        found.append(PlatformSetting(listed.name, read, missing, states.get(listed.name, "")))
    return found
