"""How reads are answered: tags before rows, and what is known of a revision kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from flask import Response, request
from sqlalchemy import Connection

from webapp import __version__, web
from webapp.api.http.front import NOTE, Note
from webapp.api.http.memory import Content, Memory, Subject, Tagged
from webapp.clock import Clock
from webapp.store.db import Database
from webapp.store.heads import Whose, heads_of
from webapp.store.projects import Project

CACHE_CONTROL = "private, no-cache"

Projects = tuple[Project, ...]


def answer_about_project(
    project_id: str, asked: Any, day: date, make: Callable[[Connection, Project], Content]
) -> Response:
    """An answer about one project.

    asked: the question. make: makes the answer when nobody has it yet.

    Raises: NotFound.
    """
    return _answer(("project", project_id), (asked, day), lambda tx, found: make(tx, found[0]))


def answer_about_account(
    account_id: int, asked: Any, day: date, make: Callable[[Connection, Project], Content]
) -> Response:
    """An answer about one account, which changes with its project.

    Raises: NotFound.
    """
    return _answer(("account", account_id), (asked, day), lambda tx, found: make(tx, found[0]))


def answer_about_all(
    only: str | None, asked: Any, day: date, make: Callable[[Connection, Sequence[Project]], Content]
) -> Response:
    """An answer about all projects, or one of them.

    Raises: NotFound.
    """
    return _answer(("all", None) if only is None else ("project", only), (asked, day), make)


def _answer(whose: Whose, question: tuple[Any, date], make: Callable[[Connection, Projects], Content]) -> Response:
    """From memory where what it is about is the same, else from one reading transaction."""
    memory, db = web.get(Memory), web.get(Database)
    version, subject = memory.subjects.look(whose)
    if subject is not None:
        key = _key(db, subject, question)
        answer = memory.get(key)
        if answer is not None:
            return _response(answer, _dated(subject, whose, key))
    with db.read() as tx:
        found = heads_of(tx, whose)
        subject = memory.subjects.put(whose, version, found)
        key = _key(db, subject, question)
        answer = memory.get(key)
        if answer is None:
            tag = _tag(repr((__version__, key[1:])).encode("utf-8", "surrogatepass"))
            if _has(tag):
                return _not_modified(tag, _dated(subject, whose, key))
            answer = Tagged(tag, make(tx, found))
            memory.put(key, answer)
    return _response(answer, _dated(subject, whose, key))


def _key(db: Database, subject: Subject, question: tuple[Any, date]) -> tuple[Any, ...]:
    """Everything an answer depends on besides the code: address, question, day, and what the projects' numbers are.

    The tag covers all of it but the database's generation, which is this process's own.
    """
    return db.generation, request.path, question, subject.states


def answer_by_bytes(content: Content) -> Response:
    """An answer whose tag covers its bytes, for what changes with time."""
    return _response(Tagged(_tag(content.body), content), {})


def _tag(text: bytes) -> str:
    return f'"{sha256(text).hexdigest()[:32]}"'


def _has(tag: str) -> bool:
    """Whether the caller has the answer of this tag, which a proxy that compressed it may have made weak."""
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    return given is not None and (given == tag or request.if_none_match.contains_weak(tag.strip('"')))


def _dated(subject: Subject, whose: Whose, key: tuple[Any, ...]) -> dict[str, str]:
    """When the subject changed; nothing during the second it was in: another change may come within the same.

    An answer that stays as it is until the subject or the day is another is noted down for who asks the same again.
    """
    if subject.modified is not None and subject.modified[0] >= int(web.get(Clock).now().timestamp()):
        return {}
    request.environ[NOTE] = Note(whose, subject, key[2][1], key)
    return {} if subject.modified is None else {"Last-Modified": subject.modified[1]}


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
