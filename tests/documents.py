"""The documents of the project, and what stands in them: code blocks, links, sections, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.reference import DOCS, PARTS, ROOT, anchor, part_in

README = ROOT / "README.md"
GUIDE = ROOT / "SMART_SYNC.md"
CHANGELOG = ROOT / "CHANGELOG.md"
DECISIONS = DOCS / "decisions.md"
BLUEPRINT = ROOT / "render.yaml"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))]
DOCUMENTS = [*PAGES, BLUEPRINT]

FENCE = re.compile(r"^([ ]*)```(\w*)\n(.*?)^[ ]*```$", re.DOTALL | re.MULTILINE)
WORDS = re.compile(r"`([^`\n]+)`")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def by_hand(path: Path) -> str:
    """A document without the parts that the code writes."""
    text = text_of(path)
    for name, page in PARTS.items():
        if page == path:
            found = part_in(text, name)
            text = text[: found.start(2)] + text[found.end(2) :]
    return text


def prose(path: Path) -> str:
    """A document without its code blocks."""
    return FENCE.sub("", text_of(path))


def fences(text: str) -> list[tuple[str, str]]:
    """(language, text) of each code block, without the indentation of the list it stands in."""
    return [
        (language, re.sub(rf"^{indent}", "", block, flags=re.MULTILINE))
        for indent, language, block in FENCE.findall(text)
    ]


def blocks(path: Path, language: str) -> list[str]:
    return [text for kind, text in fences(text_of(path)) if kind == language]


def block(path: Path, language: str, containing: str) -> str:
    """The one code block of that language that contains a text."""
    (found,) = (text for text in blocks(path, language) if containing in text)
    return found


def lines(path: Path) -> Iterator[str]:
    """Each command line that people wrote into shell and crontab blocks, continued lines joined, comments left out."""
    for language, text in fences(by_hand(path)):
        for line in text.replace("\\\n", " ").splitlines() if language in {"sh", "crontab"} else ():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.strip()


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(path))


def anchors(path: Path) -> set[str]:
    """What links to the sections of a document may end in; titles that come twice are numbered."""
    found: dict[str, int] = {}
    names = set()
    for title in re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE):
        name = anchor(title)
        count = found.get(name, 0)
        names.add(f"{name}-{count}" if count else name)
        found[name] = count + 1
    return names


def names_in(path: Path, *, after: str = "") -> list[str]:
    """What stands in backticks in the sentences and tables of a document, from a text on."""
    return WORDS.findall(prose(path).partition(after)[2] if after else prose(path))


def rows(path: Path, heads: str) -> list[list[str]]:
    """The cells of each row of the one table with these heads, `first | second`."""
    text = text_of(path).partition(f"| {heads} |\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines()[1:]]
