"""A body of many items, each of which is judged by itself: a JSON object, a JSON array, or a line for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from flask import request

from webapp.api.http.problems import HttpProblem
from webapp.api.http.requests import DEEPEST, UNSTORABLE, convert, is_deeper, parts_of

NDJSON = "application/x-ndjson"
LONGEST_NUMBER = 400  # digits; no count has a tenth of them, and Python refuses to read some thousands
LINES = (NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines")

T = TypeVar("T")


class _Doubled(dict[str, Any]):
    """An object that names a member twice: whoever sent it meant one of the two, and nobody knows which."""


class Wrong(NamedTuple):
    """An item that cannot be used. field: the member of it that is wrong; None: all of it."""

    field: str | None
    words: str


class Items(NamedTuple, Generic[T]):
    """rest: the other members of the object that the items came in."""

    items: list[T | Wrong]
    rest: dict[str, Any]


def decode_items(kind: type[T], name: str, most: int) -> Items[T]:
    """The items of the body.

    name: the member of a JSON object that has them. most: so many at most.

    Raises: HttpProblem 400 for what is no JSON, 413 for too much of it, 422 where there is no list of items.
    """
    values, rest = (list(_lines()), dict[str, Any]()) if request.mimetype in LINES else _members(name)
    if not values or len(values) > most:
        raise HttpProblem(
            422, "invalid_parameter", f"{name}: send 1 to {most:,} at once, not {len(values):,}", field=name
        )
    return Items([one if isinstance(one, Wrong) else judge(one, kind) for one in values], rest)


def _members(name: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        value = parse(_text())
    except ValueError:
        raise HttpProblem(400, "bad_json", "the body is not JSON") from None
    if isinstance(value, list) and value:
        return value, {}
    if isinstance(value, _Doubled):
        raise HttpProblem(400, "bad_json", "the body names a member twice")
    if not isinstance(value, dict):
        raise HttpProblem(400, "bad_json", "the body has to be a JSON object, or an array with something in it")
    items = value.pop(name, None)
    if not isinstance(items, list):
        raise HttpProblem(422, "invalid_parameter", f"{name}: a list is missing", field=name)
    return items, value


def _lines() -> Iterator[Any]:
    # By line feeds alone: other signs that end a line of text may stand within a string of JSON.
    for line in _text().split("\n"):
        if line.strip():
            try:
                yield parse(line)
            except ValueError:
                yield Wrong(None, "the line is not JSON")


def _text() -> str:
    try:
        return request.get_data(cache=True).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise HttpProblem(400, "bad_json", "the body is not in UTF-8") from None


def parse(text: str) -> Any:
    """What is JSON but for one item spoils that item alone: NaN, a number without end, a member that is named twice.

    Raises: ValueError.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Doubled(found)


def _whole(digits: str) -> int:
    """The number; of one that is far too large its first digits, which are too large as well."""
    return int(digits[:LONGEST_NUMBER])


def judge(value: Any, kind: type[T]) -> T | Wrong:
    """The item, or what is wrong with it."""
    if is_deeper([value], DEEPEST):
        return Wrong(None, f"more than {DEEPEST} objects and lists within each other")
    if any(isinstance(part, str) and UNSTORABLE.search(part) for part in parts_of(value)):
        return Wrong(None, "a NUL character or half of a surrogate pair is in no text")
    if any(isinstance(part, _Doubled) for part in parts_of(value)):
        return Wrong(None, "a member is given more than once")
    try:
        return convert(value, kind, strict=True)
    except HttpProblem as problem:
        return Wrong(problem.more.get("field"), problem.detail)
