"""Texts of a workbook: those that cells share, and what Office writes for signs that XML cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.parsers import expat

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


def open_parser() -> expat.XMLParserType:
    """A parser that hands over text whole, and refuses what no spreadsheet program writes: entities grow without end."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse_doctype
    return parser


def parse(parser: expat.XMLParserType, pieces: Iterable[bytes]) -> None:
    """Raises: expat.ExpatError, and what the handlers and the pieces raise."""
    for data in pieces:
        parser.Parse(data)
    parser.Parse(b"", True)


def refuse_doctype(*_: object) -> None:
    raise ValueError("a part of the workbook declares a document type")


class SharedStrings:
    """Reads the texts that cells name by number, in their order."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._runs: list[str] = []  # of one text, which has one for each format within it
        self._phonetic = 0  # how a text is pronounced, which is not in the cell
        self._taking = False

    def read(self, pieces: Iterable[bytes]) -> list[str]:
        parser = open_parser()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parse(parser, pieces)
        return self._found

    def _start(self, name: str, _: object) -> None:
        match local_name(name):
            case "si":
                self._runs.clear()
            case "rPh":
                self._phonetic += 1
            case "t":
                self._taking = not self._phonetic

    def _text(self, data: str) -> None:
        if self._taking:
            self._runs.append(data)

    def _end(self, name: str) -> None:
        match local_name(name):
            case "si":
                self._found.append(unescape("".join(self._runs)))
            case "rPh":
                self._phonetic -= 1
            case "t":
                self._taking = False
