"""The small parts of a workbook, which are XML files in a zip: what sheets there are, how numbers look, who wrote it.

Names of elements are compared without their namespace: Strict workbooks, which are the same in other namespaces, are
read like all others.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from xml.etree.ElementTree import Element, TreeBuilder
from zipfile import ZipFile

from webapp.clock import Budget
from webapp.sources.magnitudes import magnitude_of
from webapp.sources.sheet.limits import LARGEST_PART, LONGEST_CONTENTS, MOST_ELEMENTS, check_time, too_large
from webapp.sources.sheet.xlsx.cells import Shown, Unit
from webapp.sources.sheet.xlsx.texts import SharedStrings, parse

_PIECE = 64 * 1024
_TRUE = {"1", "true"}
_RELS = "_rels"

# Formats of dates and times that Excel names by number alone.
_BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_BUILT_IN_PERCENTS = (9, 10)
_LONGEST_FORMAT = 255  # characters, as Excel has it
_NO_DATE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general|E[+-]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_DATE_LETTER = re.compile("[dmhys]", re.IGNORECASE)
# What stands behind the last digit; a comma right there divides by a thousand.
_BEHIND = re.compile(r'[0#?]((?:\s|"[^"]*"|\\.|[^\W\d_])+)\Z')

# Libraries that write 0 beside a formula they have not computed. Excel itself lists its formulas in a part of their own.
_LIBRARY = re.compile(
    "poi|epplus|openpyxl|xlsxwriter|phpspreadsheet|phpexcel|closedxml|excelize|sheetjs|aspose|easyexcel|spout",
    re.IGNORECASE,
)
_EXCEL = re.compile("microsoft.* excel", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet. part: the file of the zip that holds its cells."""

    name: str
    hidden: bool
    part: str


class _Tree(TreeBuilder):
    """name: of the part, for the words of an error."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise too_large(f"{self._name} has more than {MOST_ELEMENTS:,} elements", "save it again")
        return super().start(tag, attrs)


class ReadInPieces:
    """A file as zipfile reads it: the list of its contents at once, however long that says it is, all else in pieces."""

    def __init__(self, opened: BufferedReader, name: str) -> None:
        self._opened = opened
        self._name = name
        self.seek, self.tell, self.seekable = opened.seek, opened.tell, opened.seekable

    def read(self, size: int = -1) -> bytes:
        if size > LONGEST_CONTENTS:
            raise too_large(f"{self._name} lists more than {LONGEST_CONTENTS // 2**20} MB of parts", "save it again")
        return self._opened.read(size)


class WorkbookParts:
    """An open workbook. Raises LookupError, ValueError and what zip files and XML raise, where it is none.

    name: of the file. largest: bytes that all parts may have together, also when one is read for several sheets.

    Raises: SourceError `too_large`; OutOfTime.
    """

    def __init__(self, archive: ZipFile, name: str, budget: Budget, largest: int) -> None:
        self._archive = archive
        self._name = name
        self._budget = budget
        self._largest = largest
        # Some libraries write backslashes, others other cases than they refer to.
        self._names = {_plain(name): name for name in archive.namelist()}
        self._check_size(sum(part.file_size for part in archive.infolist()))
        self._unpacked = 0

    def _check_size(self, size: int) -> None:
        if size > self._largest:
            raise too_large(f"{self._name} unpacks to more than {self._largest // 2**20} MB", "split the workbook")

    def pieces(self, part: str, title: str) -> Iterator[bytes]:
        """A part, unpacked, as long as there is time. title: of the tab, for the words of an error."""
        info = self._archive.getinfo(self._names[_plain(part)])
        self._unpacked += info.file_size
        self._check_size(self._unpacked)
        with self._archive.open(info) as opened:
            while data := opened.read(_PIECE):
                check_time(title, self._budget)
                yield data

    @cached_property
    def sheets(self) -> tuple[Sheet, ...]:
        """The worksheets in their order, without charts and macro sheets, which have no cells."""
        found = ((each, self._relations.get(_attribute(each, "id"))) for each in _all(self._book, "sheet"))
        return tuple(
            Sheet(each.get("name", ""), each.get("state", "visible") != "visible", relation[1])
            for each, relation in found
            if relation and relation[0] == "worksheet"
        )

    @cached_property
    def strings(self) -> list[str]:
        """The texts that cells name by number."""
        part = self._part("sharedStrings", self._relations)
        if part is None:
            return []
        return SharedStrings(self._name).read(self.pieces(part, self._name))

    @cached_property
    def shown(self) -> Mapping[str, Shown]:
        """The styles that show a number as something else, by number."""
        part = self._part("styles", self._relations)
        if part is None:
            return {}
        styles = self._tree(part)
        formats = {each.get("numFmtId"): each.get("formatCode", "") for each in _all(styles, "numFmt")}
        cells = next((each for each in styles.iter() if _local(each) == "cellXfs"), None)
        kinds = (
            _kind(int(style.get("numFmtId", "0")), formats.get(style.get("numFmtId")))
            for style in (cells if cells is not None else ())
        )
        return {str(number): kind for number, kind in enumerate(kinds) if kind is not None}

    @cached_property
    def from_1904(self) -> bool:
        """Whether days are counted from 1904, as early Macintoshes did."""
        return any(each.get("date1904") in _TRUE for each in _all(self._book, "workbookPr"))

    @cached_property
    def doubts_zeros(self) -> bool:
        """Whether a formula's 0 only says that nobody has computed it.

        The file asks to be recalculated when it is opened, or a library wrote it that does not compute.
        """
        for each in _all(self._book, "calcPr"):
            if each.get("fullCalcOnLoad") in _TRUE or each.get("calcCompleted", "1") not in _TRUE:
                return True
        writer = self._writer
        has_chain = any(kind == "calcChain" for kind, _ in self._relations.values())
        return bool(_LIBRARY.search(writer)) or (bool(_EXCEL.match(writer)) and not has_chain)

    @cached_property
    def _writer(self) -> str:
        root = self._related("")
        part = self._part("extended-properties", root) or self._part("extendedProperties", root)
        return next((each.text or "" for each in _all(self._tree(part), "Application")), "") if part else ""

    @cached_property
    def _book_part(self) -> str:
        return self._part("officeDocument", self._related("")) or "xl/workbook.xml"

    @cached_property
    def _book(self) -> Element:
        return self._tree(self._book_part)

    @cached_property
    def _relations(self) -> Mapping[str, tuple[str, str]]:
        return self._related(self._book_part)

    def _part(self, kind: str, relations: Mapping[str, tuple[str, str]]) -> str | None:
        """The part of this kind, as far as it is there."""
        return next((part for each, part in relations.values() if each == kind and _plain(part) in self._names), None)

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to: {id: (kind, part)}. Nothing where it says nothing."""
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, _RELS, f"{name}.rels")
        if _plain(path) not in self._names:
            return {}
        found = {}
        for each in _all(self._tree(path), "Relationship"):
            target = each.get("Target", "").replace("\\", "/")
            whole = target if target.startswith("/") else posixpath.join(folder, target)
            kind = each.get("Type", "").rpartition("/")[2]
            found[each.get("Id", "")] = (kind, posixpath.normpath(whole).lstrip("/"))
        return found

    def _tree(self, part: str) -> Element:
        if self._archive.getinfo(self._names[_plain(part)]).file_size > LARGEST_PART:
            raise too_large(f"{self._name}: {part} is larger than {LARGEST_PART // 2**20} MB", "save it again")
        tree = _Tree(f"{self._name}: {part}")
        parse(tree, self.pieces(part, self._name), namespaces=True)
        return tree.close()


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(root: Element, name: str) -> Iterator[Element]:
    return (each for each in root.iter() if _local(each) == name)


def _attribute(element: Element, name: str) -> str:
    """An attribute of another namespace than the element's."""
    return next((value for key, value in element.items() if key.endswith("}" + name)), "")


def _kind(number: int, code: str | None) -> Shown | None:
    """What a format shows a number as. code: None for one that is built in."""
    if code is None:
        return "date" if number in _BUILT_IN_DATES else "percent" if number in _BUILT_IN_PERCENTS else None
    first = code[:_LONGEST_FORMAT].partition(";")[0]
    if _ELAPSED.search(first):
        return "length"
    plain = _NO_DATE.sub("", first)
    if _DATE_LETTER.search(plain):
        return "date"
    return "percent" if "%" in plain else _unit(first)


def _unit(code: str) -> Unit | None:
    """The thousands or millions that a format writes without having divided by them, as `0.0,"K"` does."""
    found = _BEHIND.search(code)
    word = re.sub(r'["\\]', "", found[1]).strip() if found else ""
    return Unit(word) if word and magnitude_of(word, None) else None
