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
from webapp.clock import Clock
from webapp.store.db import Database
from webapp.store.heads import all_heads, head_of, head_of_account
from webapp.store.projects import Project
from webapp.store.watch import Watch

MEMORY = "smart_sync.answers"  # where the app keeps its Memory
JSON = "application/json"
CACHE_CONTROL = "private, no-cache"
LIMIT = 8 * 1024 * 1024
KNOWN = 1_000

Projects = tuple[Project, ...]


class Content(NamedTuple):
    """An answer before it is sent."""

    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}


class Tagged(NamedTuple):
    """An answer with its tag."""

    tag: str
    content: Content


class Subject(NamedTuple):
    """The projects that an answer is about. modified: the second in which the last was touched, and its date."""

    projects: Projects
    modified: tuple[int, str] | None


class Subjects:
    """Projects as they were found, good until anybody commits anything; a thousand at most."""

    def __init__(self) -> None:
        self._known: tuple[Any, dict[Any, Subject]] = (None, {})

    def get(self, name: Any, version: Any) -> Subject | None:
        """version: the database's now; None: it cannot be said."""
        seen, known = self._known
        return known.get(name) if version is not None and seen == version else None

    def put(self, name: Any, version: Any, subject: Subject) -> None:
        """version: the database's before the projects were looked for."""
        seen, known = self._known
        if version is None:
            return
        if version != seen or len(known) >= KNOWN:
            known = {}
            self._known = version, known
        known[name] = subject


class Memory:
    """Answers by everything they depend on, the least recently used dropped; so many bytes at most, 0 keeps none.

    watch: tells when what is known of projects has to be asked again; None: always.
    """

    def __init__(self, limit: int = LIMIT, watch: Watch | None = None) -> None:
        self.watch = watch
        self.subjects = Subjects()
        self._limit = limit
        self._size = 0
        self._answers: OrderedDict[Any, Tagged] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of the bodies."""
        return self._size

    def get(self, key: Any) -> Tagged | None:
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def put(self, key: Any, answer: Tagged) -> None:
        """Keep an answer, unless it alone would push out a good part of the others."""
        if len(answer.content.body) > self._limit // 4:
            return
        with self._lock:
            self._drop(key)
            self._answers[key] = answer
            self._size += len(answer.content.body)
            while self._size > self._limit:
                self._drop(next(iter(self._answers)))

    def _drop(self, key: Any) -> None:
        gone = self._answers.pop(key, None)
        self._size -= len(gone.content.body) if gone else 0


def memory() -> Memory:
    """The app's own."""
    there: Memory | None = current_app.extensions.get(MEMORY)
    if there is not None:
        return there
    return cast("Memory", current_app.extensions.setdefault(MEMORY, Memory(watch=Watch(web.get(Database)))))


def answer_about_project(
    project_id: str, asked: Any, day: date, make: Callable[[Connection, Project], Content]
) -> Response:
    """An answer about one project.

    asked: the question. make: makes the answer when nobody has it yet.

    Raises: NotFound.
    """
    return _answer(
        ("project", project_id),
        lambda tx: (head_of(tx, project_id),),
        (asked, day),
        lambda tx, found: make(tx, found[0]),
    )


def answer_about_account(
    account_id: int, asked: Any, day: date, make: Callable[[Connection, Project], Content]
) -> Response:
    """An answer about one account, which changes with its project.

    Raises: NotFound.
    """
    return _answer(
        ("account", account_id),
        lambda tx: (head_of_account(tx, account_id),),
        (asked, day),
        lambda tx, found: make(tx, found[0]),
    )


def answer_about_all(
    only: str | None, asked: Any, day: date, make: Callable[[Connection, Sequence[Project]], Content]
) -> Response:
    """An answer about all projects, or one of them.

    Raises: NotFound.
    """

    def find(tx: Connection) -> Projects:
        return tuple(all_heads(tx)) if only is None else (head_of(tx, only),)

    return _answer(("all", only), find, (asked, day), make)


def _answer(
    name: tuple[str, Any],
    find: Callable[[Connection], Projects],
    question: tuple[Any, date],
    make: Callable[[Connection, Projects], Content],
) -> Response:
    """From memory when nothing was committed since, else from one reading transaction."""
    mine, db = memory(), web.get(Database)
    version = mine.watch.version() if mine.watch is not None else None
    subject = mine.subjects.get(name, version)
    if subject is not None:
        answer = mine.get(_key(db, subject.projects, question))
        if answer is not None:
            return _response(answer, _last_modified(subject))
    with db.read() as tx:
        subject = _subject(find(tx))
        mine.subjects.put(name, version, subject)
        key = _key(db, subject.projects, question)
        answer = mine.get(key)
        if answer is None:
            tag = _tag(repr((__version__, key[1:])).encode("utf-8", "surrogatepass"))
            if _has(tag):
                return _not_modified(tag, _last_modified(subject))
            answer = Tagged(tag, make(tx, subject.projects))
            mine.put(key, answer)
    return _response(answer, _last_modified(subject))


def _key(db: Database, found: Projects, question: tuple[Any, date]) -> tuple[Any, ...]:
    """Everything an answer depends on besides the code: address, question, day, and what the projects' numbers are.

    The tag covers all of it but the database's generation, which is this process's own. The times tell a revision from
    one of the same number in a backup that was restored.
    """
    states = tuple((one.id, one.revision, one.changed_at, one.as_of) for one in found)
    return db.generation, request.path, question, states


def answer_by_bytes(content: Content) -> Response:
    """An answer whose tag covers its bytes, for what changes with time."""
    return _response(Tagged(_tag(content.body), content), {})


def remember(key: Any, make: Callable[[], bytes]) -> bytes:
    """A part of answers that depends on the key alone, from memory or made now."""
    full = (web.get(Database).generation, repr(key))
    answer = memory().get(full)
    if answer is None:
        answer = Tagged("", Content(make()))
        memory().put(full, answer)
    return answer.content.body


def _tag(text: bytes) -> str:
    return f'"{sha256(text).hexdigest()[:32]}"'


def _has(tag: str) -> bool:
    """Whether the caller has the answer of this tag, which a proxy that compressed it may have made weak."""
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    return given is not None and (given == tag or request.if_none_match.contains_weak(tag.strip('"')))


def _subject(found: Projects) -> Subject:
    touched_at = max((project.touched_at for project in found if project.touched_at), default=None)
    return Subject(found, None if touched_at is None else (int(touched_at.timestamp()), http_date(touched_at)))


def _last_modified(subject: Subject) -> dict[str, str]:
    """Nothing during the second it was in: another change may come within the same."""
    modified = subject.modified
    if modified is None or modified[0] >= int(web.get(Clock).now().timestamp()):
        return {}
    return {"Last-Modified": modified[1]}


def _not_modified(tag: str, headers: Mapping[str, str]) -> Response:
    response = Response(status=304, headers={"ETag": tag, "Cache-Control": CACHE_CONTROL, **headers})
    del response.headers["Content-Type"]
    return response


def _response(answer: Tagged, headers: Mapping[str, str]) -> Response:
    """The answer, or nothing but its tag for who has it."""
    if _has(answer.tag):
        return _not_modified(answer.tag, headers)
    content = answer.content
    all_headers = {"ETag": answer.tag, "Cache-Control": CACHE_CONTROL, **headers, **content.headers}
    return Response(content.body, 200, headers=all_headers, content_type=content.content_type)
