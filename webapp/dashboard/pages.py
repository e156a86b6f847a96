"""The pages: each reads, draws and is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import NotFound as NoAddress

from webapp import web
from webapp.actions import Trigger
from webapp.actions.desk import Desk
from webapp.actions.held import accept_held, reject_held
from webapp.actions.schedule import set_schedule
from webapp.actions.trigger import sync_in_background
from webapp.clock import Clock, as_utc
from webapp.config import Settings
from webapp.dashboard import entrance, figures
from webapp.dashboard.assets import serve
from webapp.dashboard.charts import bars, line
from webapp.dashboard.entrance import guarded
from webapp.dashboard.figures import SORTS, TEXTS, Kept, Listing
from webapp.dashboard.rendering import SetUp, page, sent_to
from webapp.errors import Invalid, NotFound
from webapp.model import METRICS, Metric
from webapp.store import runs
from webapp.store.db import Database
from webapp.store.heads import head_of, head_of_account
from webapp.store.runs import Run

PERIODS = (7, 30, 90, 365)
INTERVALS = (15, 30, 60, 120, 240, 360, 720, 1440)  # minutes that are offered
BY_CRON = "cron"  # stands for the expression that rules now
LONGEST_NUMBER = 9
DECISIONS = {"accept": accept_held, "reject": reject_held}
RUNS = 50
KEPT = "smart_sync.home"
PUBLIC = ("/sign-in", "/static/<name>", "/sign-out")
LONGEST_WORD = 100
MOST_PAGES = 100_000


def register(app: Flask) -> None:
    """Put the pages on the app."""
    app.extensions[KEPT] = Kept()
    _add(app, "GET", "/static/<name>", serve)
    _add(app, "GET", "/sign-in", entrance.show_sign_in)
    _add(app, "POST", "/sign-in", entrance.sign_in)
    _add(app, "POST", "/sign-out", entrance.leave)
    _add(app, "GET", "/", guarded(home))
    _add(app, "GET", "/projects/<project_id>", guarded(project))
    _add(app, "GET", "/accounts/<int:account_id>", guarded(account))
    _add(app, "GET", "/runs", guarded(run_list, "admin"))
    _add(app, "GET", "/runs/<run_id>", guarded(run, "admin"))
    _add(app, "POST", "/sync", guarded(sync, "admin"))
    _add(app, "POST", "/held/<int:held_id>/<decision>", guarded(decide, "admin"))
    _add(app, "POST", "/projects/<project_id>/auto_sync", guarded(auto_sync, "admin"))


def _add(app: Flask, method: str, path: str, view: Callable[..., Response]) -> None:
    app.add_url_rule(path, f"dashboard.{view.__name__}", view, methods=[method])


def home() -> Response:
    """Every project at a glance; what to do first where there is no spreadsheet yet."""
    settings, database, now = web.get(Settings), web.get(Database), web.get(Clock).now()
    kept: Kept = current_app.extensions[KEPT]
    with database.read() as tx:
        found = figures.home(tx, kept, database.generation, now, settings.stale_after)
        live = _live(tx)
    return page("home.html", home=found, live=live, set_up=web.get(SetUp))


def _live(tx: sa.Connection) -> Run | None:
    """The run that is at work now, the oldest of several."""
    found = runs.live_runs(tx, int(web.get(Settings).lease_s * 1000))
    return found[0] if found else None


def project(project_id: str) -> Response:
    """One project: totals, a chart, its accounts, and what needs a hand."""
    settings, now = web.get(Settings), web.get(Clock).now()
    metric, days, listing = _metric(), _days(), _listing()
    with web.get(Database).read() as tx:
        head = head_of(tx, project_id)
        found = head and figures.project_page(tx, head, metric, days, listing, now, settings.stale_after)
        live = _live(tx)
    if not found:
        raise NotFound(f"there is no project {project_id[:100]!r}")
    if found.state != "running":
        live = None
    return page(
        "project.html",
        it=found,
        live=live,
        metric=metric,
        days=days,
        listing=listing,
        periods=PERIODS,
        chart=line(found.points),
        default_interval=settings.interval_minutes,
        intervals=sorted({*INTERVALS, found.project.interval_minutes or INTERVALS[0]}),
        by_cron=BY_CRON,
        **_links(),
    )


def _metric() -> Metric:
    asked = request.args.get("metric", "views")
    return next((metric for metric in METRICS if metric == asked), "views")


def _days() -> int:
    asked = request.args.get("days", "30")
    return int(asked) if asked in map(str, PERIODS) else 30


def _listing() -> Listing:
    """What is asked for, as far as it makes sense."""
    sort = request.args.get("sort", _metric())
    sort = sort if sort in SORTS else _metric()
    order = request.args.get("order", "asc" if sort in TEXTS else "desc")
    number = request.args.get("page", "1")
    known = number.isascii() and number.isdigit() and len(number) < len(str(MOST_PAGES))
    words = {name: request.args.get(name, "").strip()[:LONGEST_WORD] for name in ("q", "platform", "topic")}
    return Listing(sort, order == "desc", page=max(1, int(number)) if known else 1, **words)


def _links() -> dict[str, Any]:
    """`link(days=7)`: this page, asked for with that changed; the first page of a list unless it says another."""

    def link(**changed: Any) -> str:
        asked = {name: value for name, value in request.args.items() if name != "page"} | changed
        return "?" + urlencode({name: value for name, value in asked.items() if value not in ("", None)})

    return {"link": link}


def account(account_id: int) -> Response:
    """One account: the history of each metric, and why each number is what it is."""
    now, metric, days = web.get(Clock).now(), _metric(), _days()
    with web.get(Database).read() as tx:
        head = head_of_account(tx, account_id)
        if head is None:
            raise NotFound(f"there is no account {account_id}")
        found = figures.account_page(tx, head, account_id, metric, days, now)
    return page(
        "account.html",
        it=found,
        metric=metric,
        days=days,
        periods=PERIODS,
        chart=line(found.points),
        growth_bars=bars(found.points),
        **_links(),
    )


def run_list() -> Response:
    """The log of runs, newest first."""
    before, project_id = request.args.get("before"), request.args.get("project_id") or None
    with web.get(Database).read() as tx:
        found = runs.latest(tx, limit=RUNS + 1, before=_moment(before), project_id=project_id, idle=False)
    shown = found[:RUNS]
    return page("runs.html", runs=shown, more=shown[-1].started_at if len(found) > RUNS else None, **_links())


def _moment(text: str | None) -> datetime | None:
    try:
        return as_utc(datetime.fromisoformat(text)) if text else None
    except (ValueError, OverflowError):
        return None


def run(run_id: str) -> Response:
    """One run: every project's outcome and problems."""
    with web.get(Database).read() as tx:
        found = None if "\x00" in run_id else runs.by_id(tx, run_id)
        results = runs.results_of(tx, run_id) if found else []
    if found is None:
        raise NotFound(f"there is no run {run_id[:100]!r}")
    return page("run.html", run=found, results=results, live=found if found.live else None)


# What people change, by forms that work without scripts


def sync() -> Response:
    """Start a sync of all projects or of one, and show how it goes."""
    trigger = Trigger(caller="background", project_id=request.args.get("project_id") or None)
    return sent_to(f"/runs/{sync_in_background(_desk(), trigger).run.id}")


def decide(held_id: int, decision: str) -> Response:
    """Accept or reject a reading that was kept aside."""
    if decision not in DECISIONS:
        raise NoAddress
    decided = DECISIONS[decision](_desk(), held_id)
    with web.get(Database).read() as tx:
        head = head_of_account(tx, decided.account_id)
    return sent_to(f"/projects/{head.id}#held" if head else "/")


def auto_sync(project_id: str) -> Response:
    """Sync a project by itself or not, and how often."""
    request.max_content_length = entrance.FORM_LIMIT
    values = {"enabled": "enabled" in request.form} | _interval(request.form.get("interval_minutes", BY_CRON))
    return sent_to(f"/projects/{set_schedule(_desk(), project_id, values).id}#schedule")


def _interval(chosen: str) -> dict[str, int | None]:
    """What is chosen of the intervals; nothing where the expression goes on to rule, None for the default.

    Raises: Invalid.
    """
    if chosen == BY_CRON:
        return {}
    if not chosen:
        return {"interval_minutes": None}
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) <= LONGEST_NUMBER):
        words = f"interval_minutes: {chosen[:20]!r} is not a number of minutes"
        raise Invalid(words, field="interval_minutes", code="invalid_parameter")
    return {"interval_minutes": int(chosen)}


def _desk() -> Desk:
    return web.get(Desk).through("page")
