"""The entry of gunicorn: `gunicorn -c python:webapp.server webapp.wsgi:app`."""

from __future__ import annotations

from flask import Flask

from webapp import logs
from webapp.app import create_app
from webapp.bootstrap import bootstrap
from webapp.config import Settings
from webapp.errors import ConfigError


def _app() -> Flask:
    """Raises: RuntimeError, which gunicorn shows as one line where it would print another error with its traceback."""
    try:
        settings = Settings.from_env()
        logs.set_up(settings.log_level, file=settings.log_file, secrets=settings.secrets)
        return create_app(bootstrap(settings))
    except ConfigError as error:
        raise RuntimeError(str(error)) from None


app = _app()
