"""Where a page ends, as a text that only goes on with the same question."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Annotated

import msgspec

from webapp.api.http.asking import refusal
from webapp.model import LARGEST

CHECK = 9

Number = Annotated[int, msgspec.Meta(ge=-LARGEST - 1, le=LARGEST)]
Identifier = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Place = tuple[int | str | None, int]  # the sort value and the id of a page's last line

_by_number = msgspec.json.Decoder(tuple[Number | None, Identifier])
_by_text = msgspec.json.Decoder(tuple[str | None, Identifier])


def encode_cursor(question: str, place: Place) -> str:
    """The cursor behind a line. question: everything that decides which lines follow."""
    body = msgspec.json.encode(place)
    return urlsafe_b64encode(_check(question, body) + body).rstrip(b"=").decode()


def decode_cursor(question: str, cursor: str, *, text: bool) -> Place:
    """The place that a cursor means. text: whether the lines are sorted by a text.

    Raises: HttpProblem 422 for a cursor that was not made for this question, or was changed.
    """
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        check, body = raw[:CHECK], raw[CHECK:]
        place: Place = (_by_text if text else _by_number).decode(body)
    except (binascii.Error, UnicodeEncodeError, msgspec.MsgspecError):
        raise _unknown() from None
    if check != _check(question, body) or encode_cursor(question, place) != cursor:
        raise _unknown()
    return place


def _check(question: str, body: bytes) -> bytes:
    return blake2b(
        body, key=blake2b(question.encode("utf-8", "surrogatepass")).digest()[:32], digest_size=CHECK
    ).digest()


def _unknown() -> Exception:
    return refusal(
        "cursor", "the cursor is not one of this question; take `next_cursor` as it is, and all parameters too"
    )
