"""How reads are answered: tags before rows, tables as JSON or CSV, and what is known of a revision kept in memory."""

from __future__ import annotations

import csv
import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, cast, get_args, get_origin, get_type_hints
from urllib.parse import urlencode

import msgspec
from flask import Response, current_app, request
from werkzeug.http import http_date

from webapp import __version__, web
from webapp.api.read.asking import FORMATS, FieldsQuery, choose, listed
from webapp.clock import Clock
from webapp.store.db import Database
from webapp.store.reads.heads import Head

__all__ = ["MEMORY", "Made", "Memory", "answered", "as_json", "by_bytes", "key_of", "remembered", "table"]

MEMORY = "smart_sync.answers"  # where the app keeps its Memory
JSON = "application/json"
CSV = "text/csv; charset=utf-8; header=present"
CACHE_CONTROL = "private, no-cache"
LIMIT = 8 * 1024 * 1024
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


class Made(NamedTuple):
    """An answer before it is sent."""

    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}


class Kept(NamedTuple):
    """An answer with its tag."""

    tag: str
    made: Made


class Memory:
    """Answers by everything they depend on, the least recently used dropped; so many bytes at most, 0 keeps none."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[Any, Kept] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of the bodies."""
        return self._size

    def get(self, key: Any) -> Kept | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            return kept

    def put(self, key: Any, kept: Kept) -> None:
        """Keep an answer, unless it alone would push out a good part of the others."""
        if len(kept.made.body) > self._limit // 4:
            return
        with self._lock:
            self._drop(key)
            self._kept[key] = kept
            self._size += len(kept.made.body)
            while self._size > self._limit:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: Any) -> None:
        gone = self._kept.pop(key, None)
        self._size -= len(gone.made.body) if gone else 0


def memory() -> Memory:
    """The app's own."""
    kept: Memory | None = current_app.extensions.get(MEMORY)
    return kept if kept is not None else cast("Memory", current_app.extensions.setdefault(MEMORY, Memory()))


def key_of(heads: Head | Sequence[Head], day: date, asked: Any, *, growing: bool = False) -> tuple[Any, ...]:
    """Everything an answer depends on besides the code: address, question, day, and what the projects' numbers are.

    The time of the last change tells a revision from one of the same number in a backup that was restored.
    growing: the answer says what grew up to the last sync, which moves on when nothing else changes.
    """
    several = (heads,) if isinstance(heads, Head) else heads
    states = tuple((head.id, head.revision, head.changed_at, head.synced_at if growing else None) for head in several)
    return request.path, asked, day, states


def answered(key: tuple[Any, ...], make: Callable[[], Made], touched_at: datetime | None = None) -> Response:
    """The answer for a key: 304 to who has it, from memory, or made now."""
    full = (web.get(Database).generation, *key)
    kept = memory().get(full)
    tag = kept.tag if kept is not None else _tag(repr((__version__, key)).encode("utf-8", "surrogatepass"))
    modified = _modified(touched_at)
    if _has(tag):
        return _not_modified(tag, modified)
    if kept is None:
        kept = Kept(tag, make())
        memory().put(full, kept)
    return _response(kept, modified)


def by_bytes(made: Made) -> Response:
    """An answer whose tag covers its bytes, for what changes with time."""
    kept = Kept(_tag(made.body), made)
    return _not_modified(kept.tag, {}) if _has(kept.tag) else _response(kept, {})


def remembered(key: Any, make: Callable[[], bytes]) -> bytes:
    """A part of answers that depends on the key alone, from memory or made now."""
    full = (web.get(Database).generation, repr(key))
    kept = memory().get(full)
    if kept is None:
        kept = Kept("", Made(make()))
        memory().put(full, kept)
    return kept.made.body


def _tag(text: bytes) -> str:
    return f'"{sha256(text).hexdigest()[:32]}"'


def _has(tag: str) -> bool:
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    return given is not None and (given == tag or request.if_none_match.contains(tag.strip('"')))


def _modified(touched_at: datetime | None) -> dict[str, str]:
    """Nothing during the second it was in: another change may come within the same."""
    if touched_at is None or touched_at.replace(microsecond=0) >= web.get(Clock).now().replace(microsecond=0):
        return {}
    return {"Last-Modified": http_date(touched_at.astimezone(UTC))}


def _not_modified(tag: str, headers: Mapping[str, str]) -> Response:
    response = Response(status=304, headers={"ETag": tag, "Cache-Control": CACHE_CONTROL, **headers})
    del response.headers["Content-Type"]
    return response


def _response(kept: Kept, headers: Mapping[str, str]) -> Response:
    made = kept.made
    said = {"ETag": kept.tag, "Cache-Control": CACHE_CONTROL, **headers, **made.headers}
    return Response(made.body, 200, headers=said, content_type=made.content_type)


# Bodies


def as_json(body: Any) -> Made:
    return Made(msgspec.json.encode(body))


def table(
    kind: type[msgspec.Struct],
    name: str,
    rows: Iterable[msgspec.Struct],
    asked: FieldsQuery,
    *,
    file: str,
    following: str | None = None,
    **more: Any,
) -> Made:
    """Lines of one kind under a name, with what else the answer says; or as a table of just the lines.

    file: what the table is called when it is saved. following: the cursor of the next page.

    Raises: Problem 422.
    """
    fields = listed("fields", asked.fields, _names(kind))
    link = _link(following)
    if choose("format", asked.format, FORMATS) == "csv":
        saved = {"Content-Disposition": f'attachment; filename="{file}.csv"'}
        return Made(_csv(kind, rows, fields), CSV, saved | link)
    shown = list(rows) if fields is None else [_only(row, fields) for row in rows]
    return Made(msgspec.json.encode({name: shown, **more}), headers=link)


def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(kind))


def _only(row: msgspec.Struct, fields: Sequence[str]) -> dict[str, Any]:
    known = msgspec.to_builtins(row)
    return {name: known[name] for name in fields if name in known}


def _link(cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    query = urlencode({**request.args.to_dict(), "cursor": cursor})
    return {"Link": f'<{request.path}?{query}>; rel="next"'}


def _csv(kind: type[msgspec.Struct], rows: Iterable[msgspec.Struct], fields: Sequence[str] | None) -> bytes:
    """A table that a spreadsheet program opens as it is: UTF-8 with its mark, no cell a formula."""
    lines = [msgspec.to_builtins(row) for row in rows]
    columns = [column for column in _columns(kind) if fields is None or column[0] in fields]
    if fields is not None:
        columns.sort(key=lambda column: fields.index(column[0]))
    else:
        columns = [column for column in columns if not lines or any(column[0] in line for line in lines)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow("_".join(column) for column in columns)
    writer.writerows([_cell(line, column) for column in columns] for line in lines)
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def _columns(kind: type[msgspec.Struct]) -> list[tuple[str, ...]]:
    """(field,), and (field, field within) for what is itself a struct."""
    hints = get_type_hints(kind)
    found: list[tuple[str, ...]] = []
    for field in msgspec.structs.fields(kind):
        inner = _struct_in(hints[field.name])
        parts = _names(inner) if inner is not None else ()
        found.extend([(field.encode_name, part) for part in parts] or [(field.encode_name,)])
    return found


def _struct_in(hint: Any) -> type[msgspec.Struct] | None:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    structs = [one for one in choices if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return structs[0] if structs else None


def _cell(line: Mapping[str, Any], column: Sequence[str]) -> Any:
    value: Any = line
    for name in column:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else value
