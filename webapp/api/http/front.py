"""Answers that are known, given in front of the framework, which costs several times what it takes to find them.

An answer is given again for the very same question, once the long way has given it, for as long as what it depends on
is the same: that is what the long way says in a `Note`. Status and headers are those that it sent. Whatever is not
plainly such a question goes the long way as if nothing were here: other methods, wrong and missing tokens, sessions,
and share tokens, which somebody may take away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from webapp.access import Tokens, bearer
from webapp.api.http.memory import Memory, Subject
from webapp.clock import Clock, utc_day
from webapp.store.db import Database
from webapp.store.heads import Whose

NOTE = "smart_sync.note"  # where in the environment of a request the long way leaves its note
READS = "/api/"
MOST = 1_000
LONGEST = 2_000  # characters of a question; one that is longer is not kept

App = Callable[..., Iterable[bytes]]


class Note(NamedTuple):
    """What an answer that was made depends on, besides its question.

    key: where `Memory` has its body, with the database's generation in front.
    """

    whose: Whose
    subject: Subject
    day: date
    key: tuple[Any, ...]


class Question(NamedTuple):
    """All of a request that its answer depends on. role: what its token may, or `public` where none is needed."""

    method: str
    path: str
    query: str
    role: str
    origin: str | None
    known: str | None


class Sent(NamedTuple):
    """What the long way sent. has_body: the answer has its body, which is in memory."""

    note: Note
    status: str
    headers: list[tuple[str, str]]
    has_body: bool


class Front:
    """A WSGI application before another."""

    def __init__(self, app: App, memory: Memory, db: Database, tokens: Tokens, clock: Clock) -> None:
        self._app = app
        self._memory = memory
        self._db = db
        self._tokens = tokens
        self._clock = clock
        self._sent: dict[Question, Sent] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        question = self._question(environ)
        if question is None:
            return self._app(environ, start_response)
        sent = self._sent.get(question)
        body = self._body(sent) if sent is not None else None
        if sent is None or body is None:
            return self._ask(question, environ, start_response)
        start_response(sent.status, sent.headers.copy())
        return body

    def _question(self, environ: dict[str, Any]) -> Question | None:
        """None for what always goes the long way."""
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if method not in ("GET", "HEAD") or not path.startswith(READS):
            return None
        header = environ.get("HTTP_AUTHORIZATION")
        if header is None and "HTTP_COOKIE" in environ:
            return None
        role = "public" if self._tokens.public_reads else self._tokens.role(bearer(header or ""))
        if role is None:
            return None
        origin, known = environ.get("HTTP_ORIGIN"), environ.get("HTTP_IF_NONE_MATCH")
        return Question(method, path, environ.get("QUERY_STRING", ""), role, origin, known)

    def _body(self, sent: Sent) -> list[bytes] | None:
        """The body to what was sent; None when it is not known to be the same still."""
        whose, subject, day, key = sent.note
        now = self._clock.now()
        if day != utc_day(now) or key[0] != self._db.generation:
            return None
        if subject.modified is not None and subject.modified[0] >= int(now.timestamp()):
            return None
        if self._memory.subjects.look(whose).subject != subject:
            return None
        if not sent.has_body:
            return []
        answer = self._memory.get(key)
        return None if answer is None else [answer.content.body]

    def _ask(self, question: Question, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Go the long way, and remember what it sends if it leaves a note."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            note = environ.get(NOTE)
            if note is not None and not error:
                self._keep(question, Sent(note, status, headers.copy(), has_body=_has_body(question, status)))
            return start_response(status, headers, *error)

        return self._app(environ, start)

    def _keep(self, question: Question, sent: Sent) -> None:
        if sum(len(part) for part in question if part is not None) > LONGEST:
            return
        if len(self._sent) >= MOST:
            self._sent = {}
        self._sent[question] = sent


def _has_body(question: Question, status: str) -> bool:
    return question.method == "GET" and not status.startswith("304")
