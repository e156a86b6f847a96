"""What is known of answers, and of the projects they are about, until anything in the database is another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from werkzeug.http import http_date

from webapp.store.heads import Mark, Whose, marks_in, text_of_marks
from webapp.store.projects import Project
from webapp.store.watch import Version, Watch

JSON = "application/json"
LIMIT = 8 * 1024 * 1024
KNOWN = 1_000


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
    """What an answer is about. states: of its projects, what their numbers depend on.

    modified: the second in which the last of them was touched, and its date.
    """

    states: tuple[Any, ...]
    modified: tuple[int, str] | None

    @classmethod
    def of(cls, marks: Iterable[Mark]) -> Subject:
        of_all = sorted(marks)
        touched_at = max((one.touched_at for one in of_all if one.touched_at), default=None)
        modified = None if touched_at is None else _second(touched_at)
        return cls(tuple(one.state for one in of_all), modified)


@lru_cache(1_000)  # of a project that is asked much, which changes seldom
def _second(moment: datetime) -> tuple[int, str]:
    return int(moment.timestamp()), http_date(moment)


class SubjectLook(NamedTuple):
    """A look at a subject. version: of the database meanwhile, None: it cannot be told. subject None: not known."""

    version: Version | None
    subject: Subject | None


class _Known(NamedTuple):
    version: Version
    rows: list[tuple[Any, ...]] | None
    subject: Subject


class Subjects:
    """What answers are about as it is now, without a transaction: asked for again once anybody has committed anything.

    watch: tells when that was; None: nothing is known. A file is only asked after a transaction has looked at it: only
    that would notice that it is another one than it was.
    """

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._file: tuple[int, ...] | None = None  # that a transaction has looked at
        self._known: dict[Whose, _Known] = {}

    def look(self, whose: Whose) -> SubjectLook:
        version = self._watch.version() if self._watch is not None else None
        if version is None or version[:3] != self._file:
            return SubjectLook(version, None)
        known = self._known.get(whose)
        if known is None or known.version != version:
            known = self._ask(whose, version, known)
        return SubjectLook(version, None if known is None else known.subject)

    def put(self, whose: Whose, version: Version | None, projects: Iterable[Project]) -> Subject:
        """What a transaction has found. version: the database's before it began."""
        subject = Subject.of(map(Mark.of, projects))
        if version is not None:
            self._file = version[:3]
            self._keep(whose, _Known(version, None, subject))
        return subject

    def _ask(self, whose: Whose, version: Version, known: _Known | None) -> _Known | None:
        text = text_of_marks(whose)
        rows = self._watch.ask(*text, version) if self._watch is not None and text is not None else None
        if rows is None or (not rows and whose[0] != "all"):
            return None
        same = known is not None and known.rows == rows
        subject = known.subject if known is not None and same else Subject.of(marks_in(rows))
        return self._keep(whose, _Known(version, rows, subject))

    def _keep(self, whose: Whose, known: _Known) -> _Known:
        if len(self._known) >= KNOWN:
            self._known = {}
        self._known[whose] = known
        return known


class Memory:
    """Answers by everything they depend on, the least recently used dropped; so many bytes at most, 0 keeps none.

    subjects: what the answers are about.
    """

    def __init__(self, limit: int = LIMIT, watch: Watch | None = None) -> None:
        self.subjects = Subjects(watch)
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
