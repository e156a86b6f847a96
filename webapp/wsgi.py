"""The entry of gunicorn: `gunicorn -c python:webapp.server webapp.wsgi:app`."""

from __future__ import annotations

from webapp import logs
from webapp.app import create_app
from webapp.bootstrap import bootstrap
from webapp.config import Settings

__all__ = ["app"]

settings = Settings.from_env()
logs.set_up(settings.log_level)
app = create_app(bootstrap(settings))
