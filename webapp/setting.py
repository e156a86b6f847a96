"""One setting: a variable of the environment, and how its text becomes a value."""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.model import LONGEST_INTERVAL

TOKEN_LENGTH = 16
LONGEST_S = 60 * LONGEST_INTERVAL
MOST_DATABASES = 9999  # of a Redis
QUIET = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})(?:\s+(\S+))?")
PICTURES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
LARGEST_PICTURE = 32 * 1024  # bytes: it is in every page
LONGEST_LINE = 60
AROUND = "\ufeff\u200b \t\r\n\xa0"
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


def unwrapped(text: str) -> str:
    """Without what is left around a value by copying it: blanks, a byte order mark, quotes."""
    text = text.strip(AROUND)
    while len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip(AROUND)
    return text


def file_path(text: str) -> Path:
    """A path, also one in a home folder: no shell has looked at what stands in a file of settings."""
    return Path(os.path.expanduser(text))  # noqa: PTH111  Path.expanduser raises for an unknown user


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
    if not 0 < value <= LONGEST_S:
        raise ValueError(f"{text!r} must be above 0 and at most {LONGEST_S}")
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


def picture(text: str) -> str:
    """A small picture as a `data:` address, so that no page has to ask for it."""
    kind = PICTURES.get(Path(text).suffix.lower())
    if kind is None:
        raise ValueError(f"is none of {', '.join(PICTURES)}")
    try:
        data = file_path(text).read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_PICTURE:
        raise ValueError(f"is larger than {LARGEST_PICTURE // 1024} KB")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def line(text: str) -> str:
    """A few words."""
    if len(text) > LONGEST_LINE or not text.isprintable():
        raise ValueError(f"is not one line of at most {LONGEST_LINE} characters")
    return text


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


def addresses(text: str) -> tuple[str, ...]:
    """One or several, by comma or space; a comma within one belongs to it."""
    return tuple(part for part in re.split(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)", text.strip(" ,")) if part)


def target_urls(text: str) -> tuple[str, ...]:
    return tuple(target_url(one) for one in addresses(text))


def notify_addresses(text: str) -> tuple[str, ...]:
    """Addresses of Apprise. Messages about them leave them out: they hold secrets."""
    found = addresses(text)
    for place, address in enumerate(found, 1):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", address):
            raise ValueError(f"address {place} is none of Apprise, such as mailto://user:password@example.com")
    if find_spec("apprise") is None:
        raise ValueError("needs Apprise: install smart-sync with the extra `notify`")
    return found


def signing_secrets(text: str) -> tuple[str, ...]:
    """`whsec_` and 24 to 64 bytes in base64, one or several."""
    found = text_list(text)
    for secret in found:
        try:
            size = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
        except ValueError:
            size = 0
        if not (secret.startswith("whsec_") and 24 <= size <= 64):  # noqa: PLR2004  as Standard Webhooks says
            usable = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
            raise ValueError(f"is no secret of Standard Webhooks; use one such as {usable}")
    return found


def quiet_hours(text: str) -> tuple[time, time, str]:
    """`22:00-07:00 Europe/Berlin`; UTC where no zone is named."""
    words = f"{text!r} is not such as 22:00-07:00 Europe/Berlin"
    found = QUIET.fullmatch(text.strip())
    if found is None:
        raise ValueError(words)
    first, first_minute, last, last_minute = map(int, found.groups()[:4])
    try:
        start, end, zone = time(first, first_minute), time(last, last_minute), found[5] or "UTC"
        ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise ValueError(words) from None
    if start == end:
        raise ValueError(words)
    return start, end, zone


def replica_url(text: str) -> str:
    """An address of Litestream's. Messages about it leave it out: it may hold a password."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("is not an address such as s3://bucket/path") from None
    if "://" not in text or not parts.scheme.isalnum() or not (parts.hostname or parts.path.strip("/")):
        raise ValueError("is not an address such as s3://bucket/path")
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise ValueError("names no folder: write file:/// and the whole path")
    return text


def redis_url(text: str) -> str:
    """`redis://` or `rediss://`; the first database by default."""
    words = "is not an address such as redis://:password@host:6379/0 or rediss://..."
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(words) from None
    number = parts.path.strip("/")
    plain = text.isascii() and text.isprintable() and " " not in text and not parts.fragment
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or port == 0 or not plain:
        raise ValueError(words)
    if number and not (number.isdigit() and int(number) <= MOST_DATABASES):
        raise ValueError(f"names the database {number[:20]!r}; they are numbered from 0")
    if parts.query:
        raise ValueError("has options; certificates are always checked, and nothing else can be said there")
    return f"{parts.scheme}://{parts.netloc}/{number or 0}"


def database_url_text(text: str) -> str:
    scheme = text.partition("://")[0].partition("+")[0]
    if scheme not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text
