"""One setting: a variable of the environment, and how its text becomes a value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TOKEN_LENGTH = 16
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
HOST = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[1-9][0-9]*)?")


@dataclass(frozen=True)
class Setting:
    """One variable of the environment: its name, what it means, and how its text becomes a value.

    attribute: of `Settings`; empty for what a platform declares, whose values are kept by name.
    """

    name: str
    attribute: str
    parse: Callable[[str], Any]
    meaning: str
    default: str = ""
    secret: bool = False


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high):
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number of seconds") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{text!r} must be finite and above 0")
    return value


def flag(text: str) -> bool:
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def one_of(*values: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for value in values:
            if text.lower() == value.lower():
                return value
        raise ValueError(f"{text!r} is not one of {', '.join(values)}")

    return parse


def text_list(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def tokens(text: str) -> tuple[str, ...]:
    tokens = text_list(text)
    for token in tokens:
        if len(token) < TOKEN_LENGTH or not token.isascii() or not token.isprintable():
            raise ValueError(
                f"a token needs at least {TOKEN_LENGTH} printable ASCII characters; `smart-sync token new` makes one"
            )
    return tokens


def key_text(text: str) -> str:
    """What goes into a header as it is."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("has signs that no key has: copy it again, without line breaks")
    return text


def origins(text: str) -> tuple[str, ...]:
    origins = text_list(text)
    for origin in origins:
        if not (origin == "*" and len(origins) == 1):
            _check_origin(origin)
    return origins


def _check_origin(text: str) -> None:
    """Refuse what no browser would ever send as `Origin`."""
    words = f"{text!r} is not an origin such as https://app.example.com: in lower case, no path, no usual port"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(words) from None
    usual = {"http": 80, "https": 443}
    exact = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in usual or not HOST.fullmatch(parts.netloc) or text != exact or port == usual[parts.scheme]:
        raise ValueError(words)


def base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("is not a base URL such as https://sheets.example.com")
    return text.rstrip("/")


def target_url(text: str) -> str:
    """An address to send to. Messages about it leave it out: it may hold a secret."""
    words = "is not an address such as https://hc-ping.com/your-check"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(words) from None
    plain = text.isascii() and text.isprintable() and " " not in text and not parts.username and not parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not plain:
        raise ValueError(words)
    return text


def database_url_text(text: str) -> str:
    scheme = text.partition("://")[0].partition("+")[0]
    if scheme not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text
