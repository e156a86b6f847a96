"""What people change, by forms that work without scripts: each calls an action and shows a page."""

from __future__ import annotations

from flask import Response, request
from werkzeug.exceptions import NotFound as NoAddress

from webapp import web
from webapp.actions import Trigger
from webapp.actions.doubts import accept_doubt
from webapp.actions.held import accept_held, reject_held
from webapp.actions.schedule import set_schedule
from webapp.actions.storage import acknowledge_lost_history
from webapp.actions.trigger import sync_in_background
from webapp.dashboard.desk import desk
from webapp.dashboard.entrance import FORM_LIMIT
from webapp.dashboard.project import BY_CRON
from webapp.dashboard.rendering import redirect_to
from webapp.errors import Invalid
from webapp.model import METRICS
from webapp.store import accounts
from webapp.store.db import Database

LONGEST_NUMBER = 9
DECISIONS = {"accept": accept_held, "reject": reject_held}


def sync() -> Response:
    """Start a sync of one project, or of all: by hand, so whoever is not synced by itself is synced too."""
    project_id = request.args.get("project_id")  # an empty one is nobody, never all
    trigger = Trigger(caller="background", project_id=project_id, all=project_id is None)
    return redirect_to(f"/runs/{sync_in_background(desk(), trigger).run.id}")


def decide(held_id: int, decision: str) -> Response:
    """Accept or reject a reading that was kept aside."""
    if decision not in DECISIONS:
        raise NoAddress
    decided = DECISIONS[decision](desk(), held_id)
    with web.get(Database).read() as tx:
        project_id = accounts.owner_of(tx, decided.account_id)
    on_account = request.args.get("from") == "account"
    return redirect_to(
        f"/accounts/{decided.account_id}#{decided.metric}" if on_account else f"/projects/{project_id}#held"
    )


def acknowledge_loss() -> Response:
    """Take note of the history that was lost."""
    acknowledge_lost_history(desk())
    return redirect_to("/")


def accept(account_id: int, metric: str) -> Response:
    """Believe a value of the Sheet that is in doubt."""
    if metric not in METRICS:
        raise NoAddress
    accept_doubt(desk(), account_id, metric)
    return redirect_to(f"/accounts/{account_id}#{metric}")


def auto_sync(project_id: str) -> Response:
    """Sync a project by itself or not, and how often."""
    request.max_content_length = FORM_LIMIT
    values = {"enabled": "enabled" in request.form} | _interval(request.form.get("interval_minutes", BY_CRON))
    return redirect_to(f"/projects/{set_schedule(desk(), project_id, values).id}#schedule")


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
