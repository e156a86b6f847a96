"""How reads are answered: tags before rows, and what is known of a revision kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple, cast

from flask import Response, current_app, request
from sqlalchemy import Connection
from werkzeug.http import http_date

from webapp import __version__, web
from webapp.api.http.asking import no_account, no_project
from webapp.clock import Clock
from webapp.errors import NotFound
from webapp.store.db import Database
from webapp.store.heads import all_heads, head_of, head_of_account
from webapp.store.projects import Project as Head
from webapp.store.watch import Watch

MEMORY = "smart_sync.answers"  # where the app keeps its Memory
JSON = "application/json"
CACHE_CONTROL = "private, no-cache"
LIMIT = 8 * 1024 * 1024
HEADS = 1_000


class Made(NamedTuple):
    """An answer before it is sent."""

    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}


class Kept(NamedTuple):
    """An answer with its tag."""

    tag: str
    made: Made


class Found(NamedTuple):
    """Projects as they were found. modified: the second in which the last of them was touched, and its date."""

    heads: tuple[Head, ...]
    modified: tuple[int, str] | None


class Heads:
    """Projects as they were found, good until anybody commits anything; a thousand at most."""

    def __init__(self) -> None:
        self._known: tuple[Any, dict[Any, Found]] = (None, {})

    def get(self, name: Any, version: Any) -> Found | None:
        """version: the database's now; None: it can not be told."""
        seen, found = self._known
        return found.get(name) if version is not None and seen == version else None

    def put(self, name: Any, version: Any, new: Found) -> None:
        """version: the database's before the projects were looked for."""
        seen, found = self._known
        if version is None:
            return
        if version != seen or len(found) >= HEADS:
            found = {}
            self._known = version, found
        found[name] = new


class Memory:
    """Answers by everything they depend on, the least recently used dropped; so many bytes at most, 0 keeps none.

    watch: tells when what is known of projects has to be asked again; None: always.
    """

    def __init__(self, limit: int = LIMIT, watch: Watch | None = None) -> None:
        self.watch = watch
        self.heads = Heads()
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
    return (
        kept
        if kept is not None
        else cast("Memory", current_app.extensions.setdefault(MEMORY, Memory(watch=Watch(web.get(Database)))))
    )


def about_project(
    project_id: str, asked: Any, day: date, make: Callable[[Connection, Head], Made], *, growing: bool = False
) -> Response:
    """An answer about one project.

    asked: the question. make: makes the answer when nobody has it yet. growing: the answer says what grew up to the
    last sync, which moves on when nothing else changes.

    Raises: NotFound.
    """
    return _about(
        ("project", project_id),
        lambda tx: _one(head_of(tx, project_id), no_project(project_id)),
        (asked, day, growing),
        lambda tx, heads: make(tx, heads[0]),
    )


def about_account(
    account_id: int, asked: Any, day: date, make: Callable[[Connection, Head], Made], *, growing: bool = False
) -> Response:
    """An answer about one account, which changes with its project.

    Raises: NotFound.
    """
    return _about(
        ("account", account_id),
        lambda tx: _one(head_of_account(tx, account_id), no_account(account_id)),
        (asked, day, growing),
        lambda tx, heads: make(tx, heads[0]),
    )


def about_all(only: str | None, asked: Any, day: date, make: Callable[[Connection, Sequence[Head]], Made]) -> Response:
    """An answer about all projects, or one of them.

    Raises: NotFound.
    """

    def find(tx: Connection) -> tuple[Head, ...]:
        heads = tuple(all_heads(tx))
        return heads if only is None else _one(next((one for one in heads if one.id == only), None), no_project(only))

    return _about(("all", only), find, (asked, day, False), make)


def _one(head: Head | None, missing: NotFound) -> tuple[Head, ...]:
    if head is None:
        raise missing
    return (head,)


def _about(
    name: tuple[str, Any],
    find: Callable[[Connection], tuple[Head, ...]],
    question: tuple[Any, date, bool],
    make: Callable[[Connection, tuple[Head, ...]], Made],
) -> Response:
    """From memory when nothing was committed since, else from one reading transaction."""
    kept, db = memory(), web.get(Database)
    version = kept.watch.version() if kept.watch is not None else None
    found = kept.heads.get(name, version)
    if found is not None:
        known = kept.get(_key(db, found.heads, question))
        if known is not None:
            return _response(known, _modified(found))
    with db.read() as tx:
        found = _found(find(tx))
        kept.heads.put(name, version, found)
        key = _key(db, found.heads, question)
        known = kept.get(key)
        if known is None:
            tag = _tag(repr((__version__, key[1:])).encode("utf-8", "surrogatepass"))
            if _has(tag):
                return _not_modified(tag, _modified(found))
            known = Kept(tag, make(tx, found.heads))
            kept.put(key, known)
    return _response(known, _modified(found))


def _key(db: Database, heads: Sequence[Head], question: tuple[Any, date, bool]) -> tuple[Any, ...]:
    """Everything an answer depends on besides the code: address, question, day, and what the projects' numbers are.

    The time of the last change tells a revision from one of the same number in a backup that was restored.
    """
    growing = question[2]
    states = tuple((head.id, head.revision, head.changed_at, head.synced_at if growing else None) for head in heads)
    return db.generation, request.path, question, states


def by_bytes(made: Made) -> Response:
    """An answer whose tag covers its bytes, for what changes with time."""
    return _response(Kept(_tag(made.body), made), {})


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


def _found(heads: tuple[Head, ...]) -> Found:
    touched_at = max((head.touched_at for head in heads if head.touched_at), default=None)
    return Found(heads, None if touched_at is None else (int(touched_at.timestamp()), http_date(touched_at)))


def _modified(found: Found) -> dict[str, str]:
    """Nothing during the second it was in: another change may come within the same."""
    modified = found.modified
    if modified is None or modified[0] >= int(web.get(Clock).now().timestamp()):
        return {}
    return {"Last-Modified": modified[1]}


def _not_modified(tag: str, headers: Mapping[str, str]) -> Response:
    response = Response(status=304, headers={"ETag": tag, "Cache-Control": CACHE_CONTROL, **headers})
    del response.headers["Content-Type"]
    return response


def _response(kept: Kept, headers: Mapping[str, str]) -> Response:
    """The answer, or nothing but its tag for who has it."""
    if _has(kept.tag):
        return _not_modified(kept.tag, headers)
    made = kept.made
    said = {"ETag": kept.tag, "Cache-Control": CACHE_CONTROL, **headers, **made.headers}
    return Response(made.body, 200, headers=said, content_type=made.content_type)
