"""The pages and their addresses: each reads, draws and is done."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response

from webapp.dashboard import entrance, forms, home, runs
from webapp.dashboard.account import account
from webapp.dashboard.assets import serve
from webapp.dashboard.entrance import guard
from webapp.dashboard.project import project

PUBLIC = ("/sign-in", "/static/<name>", "/sign-out")


def register(app: Flask, *, keep: bool = True) -> None:
    """Put the pages on the app. keep: whether to keep what they say until it changes."""
    app.extensions[home.MEMORY] = home.HomeMemory(keep=keep)
    _add(app, "GET", "/static/<name>", serve)
    _add(app, "GET", "/sign-in", entrance.show_sign_in)
    _add(app, "POST", "/sign-in", entrance.sign_in)
    _add(app, "POST", "/sign-out", entrance.leave)
    _add(app, "GET", "/", guard(home.home))
    _add(app, "GET", "/projects/<project_id>", guard(project))
    _add(app, "GET", "/accounts/<int:account_id>", guard(account))
    _add(app, "GET", "/runs", guard(runs.run_list, "admin"))
    _add(app, "GET", "/runs/<run_id>", guard(runs.run, "admin"))
    _add(app, "POST", "/sync", guard(forms.sync, "admin"))
    _add(app, "POST", "/lost_history", guard(forms.acknowledge_loss, "admin"))
    _add(app, "POST", "/held/<int:held_id>/<decision>", guard(forms.decide, "admin"))
    _add(app, "POST", "/accounts/<int:account_id>/doubts/<metric>/accept", guard(forms.accept, "admin"))
    _add(app, "POST", "/projects/<project_id>/auto_sync", guard(forms.auto_sync, "admin"))


def _add(app: Flask, method: str, path: str, view: Callable[..., Response]) -> None:
    app.add_url_rule(path, f"dashboard.{view.__name__}", view, methods=[method])
