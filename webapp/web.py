"""What a request may use: the parts of the application, by type; and which address it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar, cast

from flask import Flask, current_app, request
from werkzeug.routing import Rule

from webapp.access import is_encrypted, same_origin

T = TypeVar("T")
KEY = "smart_sync"


class WithoutSlash:
    """An application that never sees the one slash at the end of an address.

    It answers like without: a redirect would turn a POST into a GET, or lose its token, with many callers.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if len(path) > 1 and path.endswith("/"):
            environ["PATH_INFO"] = path[:-1]
        return self._app(environ, start_response)


class Address(Rule):
    """A rule that addresses are matched by, and none is built from: ours are written out.

    Werkzeug compiles two functions for each rule to build addresses with. They were three quarters of what it took to
    set the application up.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        del append_unknown
        return _refuse_to_build


def _refuse_to_build(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError("addresses are written out")


def provide(app: Flask, parts: Iterable[Any]) -> None:
    """Make the parts available to the app's requests, each under its own type."""
    app.extensions[KEY] = {type(part): part for part in parts}


def get(kind: type[T]) -> T:
    """The app's one part of this type."""
    return cast("T", current_app.extensions[KEY][kind])


def sent_by_ours() -> bool:
    """Whether a page of ours sent the request, as its browser says."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    return same_origin(request.host, site, origin, encrypted=came_encrypted())


def came_encrypted() -> bool:
    """Whether a browser spoke https to us, or to the proxy in front of us."""
    return is_encrypted(request.is_secure, request.headers.get("X-Forwarded-Proto"))
