"""Text as files and panels hand it over."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

# What Windows writes by default in the countries of Cyrillic, of western and of central Europe.
_OF_WINDOWS = ("cp1251", "cp1252", "cp1250")
_ENOUGH = 0.5  # of the letters of a text that others are written in too

_WORD = re.compile(r"[^\W\d_]+")
# What another Cyrillic encoding looks like when it is read as this one.
_SWAPPED_CASE = re.compile(r"\b[а-яё][А-ЯЁ]{2,}")


def decode_text(data: bytes) -> str:
    """UTF-8, or UTF-16 where a byte order mark says so; the mark itself is left out.

    Raises: UnicodeError.
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig")


def decode_as_others(data: bytes, others: str, is_known: Callable[[str], bool]) -> str | None:
    """Text in an encoding of Windows, where something tells which; None where nothing does.

    others: text of the same folder, written in the same letters if it is in the same language. is_known: whether what
    was decoded is understood by words that are not plain ASCII.
    """
    if _is_damaged(data):
        return None
    found = {text for encoding in _OF_WINDOWS if (text := _decode(data, encoding)) is not None}
    if len({data.decode(encoding, "replace") for encoding in _OF_WINDOWS}) == len(found) == 1:
        return found.pop()  # no letters, but what they all share: the space in 1 234, dashes, quotes
    known = {text for text in found if is_known(text)}
    if len(known) == 1:
        return known.pop()
    if len(found) == 1 and _is_latin(*found) and not _is_foreign(others):
        return found.pop()
    likely = {text for text in (known or found) if _likeness(text, others) >= _ENOUGH}
    return likely.pop() if len(likely) == 1 else None


def _is_damaged(data: bytes) -> bool:
    """Whether it is UTF-8 but for a sign or two: much of what is beyond ASCII in it makes sense as such."""
    beyond = sum(byte >= 0x80 for byte in data)  # noqa: PLR2004 - where ASCII ends
    understood = sum(not sign.isascii() for sign in data.decode("utf-8", "ignore"))
    return understood * 4 >= beyond


def _decode(data: bytes, encoding: str) -> str | None:
    """None for what is no text of people: signs that nobody writes, words of two scripts."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    words = (word for word in _WORD.findall(text) if not word.isascii())
    is_text = not _SWAPPED_CASE.search(text) and all(len({_script(letter) for letter in word}) == 1 for word in words)
    return text if is_text else None


def _script(letter: str) -> str:
    return "LATIN" if letter.isascii() else unicodedata.name(letter, "?").partition(" ")[0]


def _is_latin(text: str) -> bool:
    """Whether its letters beyond ASCII stand among ASCII ones, in their case: `Müller`, and not `JosŽ`."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return all(any(map(str.isascii, word)) and (word.isupper() or not _has_capital(word[1:])) for word in words)


def _has_capital(letters: str) -> bool:
    return any(letter.isupper() and not letter.isascii() for letter in letters)


def _is_foreign(text: str) -> bool:
    return any(_script(letter) != "LATIN" for word in _WORD.findall(text) if not word.isascii() for letter in word)


def _likeness(text: str, others: str) -> float:
    """The share of the letters beyond ASCII that the others have as well."""
    letters = Counter(letter for letter in text.casefold() if not letter.isascii() and letter.isalpha())
    theirs = set(others.casefold())
    return sum(n for letter, n in letters.items() if letter in theirs) / (letters.total() or 1)
