"""The pages and their addresses: each reads, draws and is done."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, cast

from flask import Flask, Response

from webapp.access import Role

PUBLIC = ("/sign-in", "/static/<name>", "/sign-out", "/share/<token>", "/shared/<project_id>")

# Method, address, the view's module and name, and who may see it; None: everybody.
PAGES: tuple[tuple[str, str, str, Role | None], ...] = (
    ("GET", "/static/<name>", "assets.serve", None),
    ("GET", "/sign-in", "entrance.show_sign_in", None),
    ("POST", "/sign-in", "entrance.sign_in", None),
    ("POST", "/sign-out", "entrance.leave", None),
    ("GET", "/share/<token>", "shared.arrive", None),
    ("GET", "/shared/<project_id>", "shared.shared_project", None),
    ("GET", "/", "home.home", "read"),
    ("GET", "/projects/<project_id>", "project.project", "read"),
    ("GET", "/accounts/<int:account_id>", "account.account", "read"),
    ("GET", "/set-up", "set_up.set_up", "admin"),
    ("POST", "/set-up", "set_up.examine", "admin"),
    ("GET", "/pulse", "pulse.pulse", "read"),
    ("GET", "/runs", "runs.run_list", "admin"),
    ("GET", "/runs/<run_id>", "runs.run", "admin"),
    ("GET", "/alerts", "alerts.alert_list", "admin"),
    ("POST", "/alerts/<int:alert_id>/acknowledge", "alerts.acknowledge", "admin"),
    ("POST", "/alerts/mute", "alerts.mute", "admin"),
    ("POST", "/alerts/unmute", "alerts.unmute", "admin"),
    ("POST", "/alerts/test", "alerts.try_out", "admin"),
    ("POST", "/thresholds", "alerts.watch", "admin"),
    ("POST", "/thresholds/<int:threshold_id>/remove", "alerts.unwatch", "admin"),
    ("POST", "/sync", "forms.sync", "admin"),
    ("POST", "/lost_history", "forms.acknowledge_loss", "admin"),
    ("POST", "/held/<int:held_id>/<decision>", "forms.decide", "admin"),
    ("POST", "/accounts/<int:account_id>/doubts/<metric>/accept", "forms.accept", "admin"),
    ("POST", "/accounts/<int:account_id>/pins/<metric>", "account_forms.pin", "admin"),
    ("POST", "/accounts/<int:account_id>/pins/<metric>/remove", "account_forms.unpin", "admin"),
    ("POST", "/accounts/<int:account_id>/change", "account_forms.change", "admin"),
    ("POST", "/accounts/<int:account_id>/correct_url", "account_forms.correct", "admin"),
    ("POST", "/accounts/<int:account_id>/merge", "account_forms.merge", "admin"),
    ("POST", "/accounts/<int:account_id>/days", "account_forms.correct_day", "admin"),
    ("POST", "/accounts/<int:account_id>/remove", "account_forms.remove", "admin"),
    ("POST", "/accounts/<int:account_id>/return", "account_forms.bring_back", "admin"),
    ("POST", "/accounts/<int:account_id>/addresses/remove", "account_forms.forget_address", "admin"),
    ("GET", "/projects/<project_id>/settings", "project_settings.project_settings", "admin"),
    ("POST", "/projects/<project_id>/change", "project_settings.change_settings", "admin"),
    ("POST", "/projects/<project_id>/schedule", "project_settings.change_schedule", "admin"),
    ("POST", "/projects/<project_id>/remove", "project_settings.remove_one", "admin"),
    ("GET", "/projects/<project_id>/share", "sharing.links_of", "admin"),
    ("POST", "/projects/<project_id>/share", "sharing.share", "admin"),
    ("POST", "/share_links/<link_id>/revoke", "sharing.revoke", "admin"),
    ("POST", "/projects/<project_id>/auto_sync", "forms.auto_sync", "admin"),
)


def register(app: Flask) -> None:
    """Put the pages on the app."""
    for method, path, view, role in PAGES:
        app.add_url_rule(path, f"dashboard.{view.partition('.')[2]}", _later(view, role), methods=[method])


def _later(view: str, role: Role | None) -> Callable[..., Response]:
    """A page that is loaded when somebody comes: programs and crons never do, and every start would pay for it."""

    @cache
    def load() -> Callable[..., Response]:
        module, _, name = view.partition(".")
        found = cast("Callable[..., Response]", getattr(import_module(f"webapp.dashboard.{module}"), name))
        if role is None:
            return found
        from webapp.dashboard.entrance import guard  # noqa: PLC0415  see above

        return guard(found, role)

    def show(**values: Any) -> Response:
        return load()(**values)

    return show
