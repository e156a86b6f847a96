"""What people change of an account, by forms that work without scripts: each calls an action and shows a page."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.exceptions import NotFound as NoAddress

from webapp import web
from webapp.actions import accounts as doing
from webapp.actions.identity import correct_url, drop_alias, merge_account
from webapp.actions.pins import delete_pin, put_pin
from webapp.actions.snapshots import correct_snapshot
from webapp.actions.texts import parse_profile
from webapp.dashboard.desk import desk
from webapp.dashboard.fields import count_of, day_in, end_of_day_in, metric_of, text_in
from webapp.dashboard.rendering import redirect_to
from webapp.errors import Invalid
from webapp.model import METRICS, Metric, Mode
from webapp.store import accounts
from webapp.store.accounts import Account
from webapp.store.db import Database

BY_SHEET = "sheet"  # stands for the mode that the Status column says
MODES: tuple[Mode, ...] = ("auto", "manual", "off")


def pin(account_id: int, metric: str) -> Response:
    """Fix a metric to a value."""
    value, note = count_of(text_in("value") or ""), text_in("note")
    put_pin(desk(), account_id, _metric(metric), value, until=end_of_day_in("until"), note=note)
    return _back(account_id, metric)


def unpin(account_id: int, metric: str) -> Response:
    """Let the merge decide again."""
    delete_pin(desk(), account_id, _metric(metric))
    return _back(account_id, metric)


def _metric(text: str) -> Metric:
    found = next((metric for metric in METRICS if metric == text), None)
    if found is None:
        raise NoAddress
    return found


def change(account_id: int) -> Response:
    """Change how an account is counted, and whose it is."""
    texts: dict[str, Any] = {name: text_in(name) for name in ("owner", "topic") if name in request.form}
    doing.change_account(desk(), account_id, texts | _mode(text_in("mode")))
    return _back(account_id, "change")


def _mode(asked: str | None) -> dict[str, Mode | None]:
    if asked is None:
        return {}
    if asked == BY_SHEET:
        return {"mode": None}
    found = next((mode for mode in MODES if mode == asked), None)
    if found is None:
        raise Invalid(f"{asked[:20]!r} is no mode", field="mode", code="invalid_parameter")
    return {"mode": found}


def correct(account_id: int) -> Response:
    """Give an account the address it should have had."""
    correct_url(desk(), account_id, text_in("profile_url") or "", note=text_in("note"))
    return _back(account_id)


def merge(account_id: int) -> Response:
    """Merge an account into another of its project, and show that one."""
    _confirm()
    into = text_in("into") or ""
    other = (
        int(into) if into.isascii() and into.isdigit() and len(into) < LONGEST_ID else _claimant(account_id, into).id
    )
    merged = merge_account(desk(), account_id, other, note=text_in("note"))
    return _back(merged.target.account.id)


LONGEST_ID = 19


def _claimant(account_id: int, profile_url: str) -> Account:
    """The account of the same project with this address."""
    profile = parse_profile("into", profile_url)
    with web.get(Database).read() as tx:
        mine = accounts.get(tx, account_id)
        found = accounts.claimant(tx, mine.project_id, profile.url_key)
    if found is None:
        raise Invalid(f"into: {profile.url} is no account of the project", field="into", code="invalid_parameter")
    return found


def correct_day(account_id: int) -> Response:
    """Correct one metric of one day in the account's history; blank: it was not observed."""
    day, value = day_in("day"), text_in("value")
    if day is None:
        raise Invalid("say which day", field="day", code="invalid_parameter")
    values: dict[str, int | None] = {metric_of(text_in("metric") or ""): None if value is None else count_of(value)}
    correct_snapshot(desk(), account_id, day, values, note=text_in("note"))
    return _back(account_id, "chart")


def remove(account_id: int) -> Response:
    """Take an account out of its project."""
    _confirm()
    doing.remove_account(desk(), account_id)
    return _back(account_id)


def bring_back(account_id: int) -> Response:
    """Put an account that was removed into its project again, with its history."""
    with web.get(Database).read() as tx:
        account = accounts.get(tx, account_id)
    doing.create_account(desk(), account.project_id, profile_url=account.profile_url)
    return _back(account_id)


def forget_address(account_id: int) -> Response:
    """Let a former address mean nobody."""
    drop_alias(desk(), account_id, text_in("url_key") or "")
    return _back(account_id, "change")


def _confirm() -> None:
    if text_in("sure") is None:
        raise Invalid("tick that you mean it", field="sure", code="invalid_parameter", hint="go back to the page")


def _back(account_id: int, part: str = "") -> Response:
    return redirect_to(f"/accounts/{account_id}{'#' if part else ''}{part}")
