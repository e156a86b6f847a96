"""Requests, decoded strictly: what is unknown, empty or said twice is refused by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec
from flask import request

from webapp.api.http.problems import HttpProblem

T = TypeVar("T")
WHOLE = re.compile("-?[0-9]+")  # the decoder takes 5.0 and 1e2 as well
MAX_PARAMETERS = 50
DEEPEST = 50  # objects and lists within each other; how many more the JSON decoder takes differs by version of Python
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what PostgreSQL, or no database, keeps in a text


def decode_query(kind: type[T], fixed: dict[str, str]) -> T:
    """The query parameters as `kind`, a msgspec struct whose fields are the parameters there are.

    fixed: those that the address itself says.

    Raises: HttpProblem 400 for a query that cannot be decoded; 422 for one with unknown, empty, repeated or bad values;
    404 for a path that no database can be asked for.
    """
    if "\x00" in request.path:
        raise HttpProblem(404, "not_found", "there is nothing at this address")
    given = _given()
    if not given and not fixed and cast("Any", kind).__struct_config__.frozen:
        return cast("T", _unasked(cast("Any", kind)))
    names = _names(cast("Any", kind), tuple(fixed))
    for name in given:
        if name not in names:
            allowed = ", ".join(names) or "none"
            raise _refusal(name[:80], f"there is no parameter {name[:80]!r}", allowed=allowed)
    asked = convert(given | fixed, kind, strict=False)
    for name, attribute in names.items():
        if name in given and getattr(asked, attribute) is None:  # `null` becomes None where no text is allowed
            raise _refusal(name, f"{name} is null; leave it out instead")
        if name in given and type(getattr(asked, attribute)) is int and not WHOLE.fullmatch(given[name]):
            raise _refusal(name, f"{name}: {given[name][:20]!r} is not a whole number")
    return asked


@cache
def _unasked(kind: type[Any]) -> Any:
    """A frozen query without a parameter, made once."""
    return convert({}, kind, strict=False)


def _given() -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in _pairs():
        if name in given:
            raise _refusal(name, f"{name} is given more than once")
        if not value.strip():
            raise _refusal(name, f"{name} is empty; leave it out instead")
        if "\x00" in name + value:
            raise _refusal("query", "a NUL character is in no parameter")
        given[name] = value
    return given


@cache
def _names(kind: type[Any], but: tuple[str, ...]) -> Mapping[str, str]:
    """{parameter: attribute} of a struct; msgspec works them out anew at every call."""
    return {field.encode_name: field.name for field in msgspec.structs.fields(kind) if field.encode_name not in but}


def _pairs() -> list[tuple[str, str]]:
    try:
        text = request.query_string.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS, separator="&")
    except ValueError:
        raise HttpProblem(400, "bad_query", "the query string cannot be decoded as UTF-8") from None


def decode_body(kind: type[T]) -> T:
    """The JSON body as `kind`.

    Raises: HttpProblem 400 for what is no JSON object; 413 for too much of it; 422 for unknown or bad members.
    """
    return convert(_decode_object(), kind, strict=True)


def refuse_body() -> None:
    """Refuse a body that says something, where nothing in it would be heeded."""
    if request.get_data(cache=True) and _decode_object():
        raise HttpProblem(
            422, "unexpected_body", "parameters go into the query: ?project_id=...; this body says something"
        )


def _decode_object() -> dict[str, Any]:
    try:
        value = json.loads(
            request.get_data(cache=True).decode("utf-8"),
            object_pairs_hook=refuse_doubles,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        detail = str(error) if isinstance(error, _DoubledError) else "the body is not JSON"
        raise HttpProblem(400, "bad_json", detail) from None
    if not isinstance(value, dict):
        raise HttpProblem(400, "bad_json", "the body has to be a JSON object")
    if is_deeper(value, DEEPEST):
        raise HttpProblem(400, "bad_json", f"the body has more than {DEEPEST} objects and lists within each other")
    for name, member in value.items():
        if any(isinstance(part, str) and UNSTORABLE.search(part) for part in (name, *parts_of(member))):
            field = None if UNSTORABLE.search(name) else name
            raise _refusal(field, "a NUL character or half of a surrogate pair is in no text")
    return value


def parts_of(value: Any) -> Iterator[Any]:
    """A value and everything in it: members' names, items, fields."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, msgspec.Struct):
            waiting += [getattr(part, name) for name in part.__struct_fields__]


def is_deeper(value: Any, levels: int) -> bool:
    """Whether it has more lists and objects within each other than that."""
    within = [value]
    for _ in range(levels):
        lists = [part.values() if isinstance(part, dict) else part for part in within]
        within = [part for parts in lists for part in parts if isinstance(part, dict | list)]
        if not within:
            return False
    return True


class _DoubledError(ValueError):
    pass


def refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DoubledError("a member of the JSON object is given more than once")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def convert(given: Any, kind: type[T], *, strict: bool) -> T:
    try:
        converted = msgspec.convert(given, kind, strict=strict)
        for part in parts_of(converted):
            if isinstance(part, datetime):
                part.astimezone(UTC)
    except OverflowError:
        raise _refusal(None, "a time before the year 1 or after 9999 in UTC") from None
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$.")
        field = path.rstrip("`") or None
        shown = f"{field}: {words}" if field else words
        raise _refusal(field, shown) from None
    return converted


def _refusal(field: str | None, detail: str, **more: Any) -> HttpProblem:
    return HttpProblem(422, "invalid_parameter", detail, field=field, **more)
