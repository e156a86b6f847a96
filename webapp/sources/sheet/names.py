"""Names that every database, every answer and every line of a log can hold, and what becomes of the others."""

from __future__ import annotations

import re
from dataclasses import replace

from webapp.errors import SourceError
from webapp.sources.sheet import Book, Tab

LONGEST_TITLE = 500
_UNKEPT = re.compile("[\0\ud800-\udfff]")  # PostgreSQL keeps no NUL, and nobody keeps halves of signs
_BYTE = re.compile(r"\\udc([89a-f][0-9a-f])")  # of a file's name that is no UTF-8
_SHOWN = 60


def checked(book: Book) -> tuple[Book, list[SourceError]]:
    """The book with the tabs that can be known again, and why others cannot.

    A tab whose title alone cannot be kept stays, as its project's, with a `fault`.
    """
    tabs: list[Tab] = []
    unknown: list[SourceError] = []
    for tab in book.tabs:
        if _is_kept(tab.id) and _is_kept(tab.title):
            tabs.append(tab)
        elif _is_kept(tab.id):
            tabs.append(replace(tab, title=_show(tab.title), fault=_fault(tab)))
        else:
            unknown.append(_fault(tab))
    title = book.title if _is_kept(book.title) else _show(book.title)
    locale = book.locale if book.locale is None or _is_kept(book.locale) else None
    return replace(book, title=title, locale=locale, tabs=tuple(tabs)), unknown


def _is_kept(name: str) -> bool:
    return len(name) <= LONGEST_TITLE and not _UNKEPT.search(name)


def _show(name: str) -> str:
    """The beginning of the name, with escapes for what cannot be shown."""
    cut = name[:_SHOWN] + "…" if len(name) > _SHOWN else name
    return _BYTE.sub(r"\\x\1", repr(cut)[1:-1])


def _fault(tab: Tab) -> SourceError:
    long = f"has a name of more than {LONGEST_TITLE} characters"
    what = long if len(max(tab.id, tab.title, key=len)) > LONGEST_TITLE else "has a name that is no text"
    return SourceError(f"the tab '{_show(tab.title)}' {what} and is left out", code="bad_title", hint="rename it")
