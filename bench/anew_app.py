"""The service without answers that are kept: each is made anew."""

from __future__ import annotations

from webapp.app import create_app
from webapp.bootstrap import bootstrap
from webapp.config import Settings

__all__ = ["app"]

app = create_app(bootstrap(Settings.from_env()), keep_answers=False)
