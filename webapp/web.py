"""What a request may use: the parts of the application, by type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast

from flask import Flask, current_app

T = TypeVar("T")
KEY = "smart_sync"


def provide(app: Flask, parts: Iterable[Any]) -> None:
    """Make the parts available to the app's requests, each under its own type."""
    app.extensions[KEY] = {type(part): part for part in parts}


def get(kind: type[T]) -> T:
    """The app's one part of this type."""
    return cast("T", current_app.extensions[KEY][kind])
