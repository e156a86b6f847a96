"""Texts of a workbook: those that cells share, and what Office writes for signs that XML cannot hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol
from xml.parsers import expat

from webapp.sources.sheet.limits import DEEPEST, LONGEST_TAG, MOST_NAMES, check_cell

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


def unescape(text: str) -> str:
    """`a_x000D_` as it was typed: a carriage return at the end. `_x005F_` is the underscore itself."""
    if "_x" not in text:
        return text
    typed = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    # Two halves of one sign come as two escapes.
    return typed.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if typed != text else text


def local_name(name: str) -> str:
    """Of an element, without the prefix that some programs write before each."""
    return name.rpartition(":")[2]


class Handler(Protocol):
    """Whoever is told what is in a part, piece by piece."""

    def start(self, name: str, attributes: dict[str, str], /) -> object: ...

    def end(self, name: str, /) -> object: ...

    def data(self, text: str, /) -> object: ...


def parse(handler: Handler, pieces: Iterable[bytes], *, namespaces: bool = False) -> None:
    """Tell the handler what is there. namespaces: names are `namespace}name`, where they are `prefix:name` else.

    Raises: ValueError for what no spreadsheet program writes and would take memory without end, such as entities or
    elements within elements; LookupError for an encoding nobody knows; expat.ExpatError; what the handler and the
    pieces raise.
    """
    names: dict[str, str] = {}
    parser = expat.ParserCreate(namespace_separator="}" if namespaces else None, intern=names)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.CharacterDataHandler = handler.data
    parser.StartElementHandler, parser.EndElementHandler = _counted(handler)
    fed = understood = 0
    for data in pieces:
        parser.Parse(data)
        fed += len(data)
        understood = max(understood, parser.CurrentByteIndex)
        if len(names) > MOST_NAMES or fed - understood > LONGEST_TAG:
            raise ValueError("a part of the workbook has names or tags without end")
    parser.Parse(b"", True)


def _counted(handler: Handler) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None]]:
    """The handler's `start` and `end`, which are not called deeper than elements may be."""
    start, end = handler.start, handler.end
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise ValueError("a part of the workbook has elements within elements without end")
        start(name, attributes)

    def finish(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    return begin, finish


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a part of the workbook declares a document type")


class SharedStrings:
    """Reads the texts that cells name by number, in their order. name: of the workbook, for the words of an error."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[str] = []
        self._runs: list[str] = []  # of one text, which has one for each format within it
        self._length = 0
        self._phonetic = 0  # how a text is pronounced, which is not in the cell
        self._taking = False

    def read(self, pieces: Iterable[bytes]) -> list[str]:
        """Raises: SourceError `too_large`; what `parse` raises."""
        parse(self, pieces)
        return self._found

    def start(self, name: str, _: object) -> None:
        match local_name(name):
            case "si":
                self._runs.clear()
                self._length = 0
            case "rPh":
                self._phonetic += 1
            case "t":
                self._taking = not self._phonetic

    def data(self, text: str) -> None:
        if self._taking:
            self._runs.append(text)
            self._length += len(text)
            check_cell(self._name, self._length)

    def end(self, name: str) -> None:
        match local_name(name):
            case "si":
                self._found.append(unescape("".join(self._runs)))
            case "rPh":
                self._phonetic -= 1
            case "t":
                self._taking = False
