"""An address taken apart."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote

from webapp.sources.urls.refusals import PASTE, BadProfile

_LONGEST_PIECE = 255  # characters of a part in another script: to normalise piled accents takes quadratic time
_UNSAFE = re.compile(
    "[\\\\\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")


class Pieces(NamedTuple):
    """An address as it is typed, not decoded. path: without its first slash."""

    authority: str
    path: str
    query: str
    fragment: str


def split(typed: str) -> Pieces:
    """The pieces of an address that may have no scheme. Raises: BadProfile."""
    rest = typed
    if scheme := _SCHEME.match(typed):
        rest = typed[scheme.end() :]
        if rest[:1].isdigit():
            raise BadProfile(f"names a port; {PASTE}")
        if scheme[1].lower() not in {"http", "https"} or not rest.startswith("/"):
            raise BadProfile(f"is no web address; {PASTE}")
    rest, _, fragment = rest.lstrip("/").partition("#")
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    return Pieces(authority, path, query, fragment)


def check_seen(text: str) -> None:
    """Raises: BadProfile for signs that nobody sees, and for the backslash, which browsers read as a slash."""
    if _UNSAFE.search(text):
        raise BadProfile("has an invisible or broken character or a backslash inside; type it or paste it again")


def decode(piece: str) -> str:
    """A part of an address, decoded once, in the one spelling (NFC) that equal texts share. Raises: BadProfile."""
    text = piece
    if "%" in piece:
        try:
            text = unquote(piece, errors="strict")
        except UnicodeDecodeError:
            raise BadProfile("has percent signs that stand for no text; copy it from the address bar") from None
        check_seen(text)
    if text in {".", ".."}:
        raise BadProfile(f"leads somewhere else by its dots; {PASTE}")
    if text.isascii():
        return text
    if len(text) > _LONGEST_PIECE:
        raise BadProfile(f"has a part longer than {_LONGEST_PIECE} characters")
    return unicodedata.normalize("NFC", text)


def segments_of(path: str) -> list[str]:
    """What stands between the slashes, decoded. Raises: BadProfile."""
    return [decode(segment) for segment in path.split("/") if segment]


def parameters(query: str, name: str) -> list[str]:
    """The values of one parameter, decoded. Raises: BadProfile."""
    pairs = (piece.partition("=") for piece in query.split("&"))
    return [decode(value) for key, _, value in pairs if key == name]
