"""Who we are to Google: a service account's key or an API key, in whatever shape a hosting panel left it."""

from __future__ import annotations

import base64
import binascii
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp.errors import ConfigError
from webapp.setting import file_path, unwrapped
from webapp.sources.encoding import decode_text

TOKEN_URIS = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token")

_FIELDS = ("client_email", "private_key", "private_key_id", "project_id", "token_uri")
_PEM = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_LONGEST_PATH = 1024
_HINT = "set it to the key's JSON, the JSON in base64, or the path of the key file"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account's key. `info` holds what signing needs, the private key included."""

    client_email: str
    info: Mapping[str, str] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, which reads only what anyone with the link may read."""

    value: str = field(repr=False)


Credentials = ServiceAccount | ApiKey


def parse_credentials(text: str) -> ServiceAccount:
    """A service account from GOOGLE_CREDENTIALS: a path, JSON or base64 of JSON.

    A byte order mark, quotes around it, escaped quotes and line breaks, and blanks where there should be none do not matter.

    Raises: ConfigError with the fix, never with any part of the key.
    """
    return _account(_key(unwrapped(text)))


def check_token_uri(account: ServiceAccount, api_base: str | None) -> None:
    """A key file may not send its signature elsewhere than to Google, unless the API itself is elsewhere.

    Raises: ConfigError.
    """
    if not api_base and account.info["token_uri"] not in TOKEN_URIS:
        raise _wrong("names a token_uri that is not Google's", f"its token_uri should be {TOKEN_URIS[0]}")


def _wrong(what: str, hint: str = _HINT) -> ConfigError:
    return ConfigError(f"GOOGLE_CREDENTIALS {what}", hint=hint)


def _key(text: str) -> dict[str, Any]:
    if not text:
        raise _wrong("is empty")
    for candidate in _candidates(text):
        key = _json(candidate)
        if key is not None:
            return key
    if text.startswith("{"):
        raise _wrong("is not valid JSON; it may be cut short", "copy the whole key file, from { to }")
    if text.endswith(".json") and len(text) < _LONGEST_PATH and "\n" not in text:
        raise _wrong(f"names a file that cannot be read as a key: {text}")
    raise _wrong("is neither JSON, nor base64 of it, nor the path of a file")


def _candidates(text: str) -> Iterator[str]:
    """What may be the key's JSON, likeliest first."""
    if not text.startswith("{"):
        text = _file(text) or _decode_base64(text)
    yield text
    yield text.replace('\\"', '"').replace("\\\\n", "\\n")


def _file(text: str) -> str:
    """The text of the file that is named; empty where there is none."""
    if len(text) > _LONGEST_PATH or "\0" in text:
        return ""
    try:
        return unwrapped(decode_text(file_path(text).read_bytes()))
    except (OSError, UnicodeError):
        return ""


def _decode_base64(text: str) -> str:
    """The text behind base64, of either alphabet, wrapped into lines or not, padded or not; empty if it is none."""
    packed = re.sub(r"\s|\\[nr]", "", text).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return unwrapped(decode_text(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)))
    except (binascii.Error, UnicodeError, ValueError):
        return ""


def _json(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text, strict=False)  # not strict: real line breaks inside the private key
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _account(key: Mapping[str, Any]) -> ServiceAccount:
    if key.get("type", "service_account") != "service_account":
        raise _wrong(
            "is not the key of a service account", "make one in the Google Cloud console: IAM, Service accounts"
        )
    info = {name: value.strip() for name in _FIELDS if isinstance(value := key.get(name), str)}
    missing = [name for name in ("client_email", "private_key") if not info.get(name)]
    if missing:
        raise _wrong(f"has no {' and no '.join(missing)}", "download a new JSON key of the service account")
    info.setdefault("token_uri", TOKEN_URIS[0])
    info["private_key"] = _pem(info["private_key"])
    return ServiceAccount(info["client_email"], info)


def _pem(text: str) -> str:
    """The key with its line breaks where they belong, whatever became of them on the way."""
    found = _PEM.search(text)
    if found is None:
        raise _wrong("has a private_key without its BEGIN or END line", "copy the whole key file again")
    label, body = found[1], re.sub(r"\s|\\+[nr]", "", found[2])
    if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", body):
        raise _wrong("has a private_key that is damaged", "copy the whole key file again")
    return f"-----BEGIN {label}-----\n" + "\n".join(textwrap.wrap(body, 64)) + f"\n-----END {label}-----\n"
