"""Style sheets, scripts and pictures, each at an address that has its content's hash in it: kept for ever."""

from __future__ import annotations

import mimetypes
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Response

STATIC = Path(__file__).with_name("static")
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@cache
def _known() -> dict[str, Path]:
    """{address below /static/: file}."""
    return {_hashed_name(path): path for path in sorted(STATIC.iterdir()) if path.is_file()}


def _hashed_name(path: Path) -> str:
    return f"{path.stem}.{sha256(path.read_bytes()).hexdigest()[:12]}{path.suffix}"


@cache
def address_of(name: str) -> str:
    """Where `style.css` is."""
    return next(f"/static/{known}" for known, path in _known().items() if path.name == name)


def serve(name: str) -> Response:
    """A file by its address; 404 for one that is of another version."""
    path = _known().get(name)
    if path is None:
        return Response("there is no such file\n", 404, content_type="text/plain; charset=utf-8")
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(path.read_bytes(), headers=headers, content_type=kind)
