"""In which order lists come, and what makes a group. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
N = TypeVar("N", str, str | None)


def by_value(
    items: Iterable[T], value: Callable[[T], Any], tie: Callable[[T], Any], *, descending: bool = False
) -> list[T]:
    """The items by a value; those without one (None) last in either order, and by `tie`, rising, among equals."""
    ordered = sorted(items, key=tie)
    known = [item for item in ordered if value(item) is not None]
    known.sort(key=value, reverse=descending)
    return known + [item for item in ordered if value(item) is None]


def group_by(items: Iterable[T], name: Callable[[T], K]) -> dict[K, list[T]]:
    """{name: its items}, groups in the order in which they first come."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(name(item), []).append(item)
    return groups


def group_alike(items: Iterable[T], name: Callable[[T], N], weight: Callable[[T], int]) -> dict[N, list[T]]:
    """The same of names that match: each group by the spelling of the most weight, in the order of letters among equals."""
    found = group_by(items, lambda item: plain_name(name(item)))
    return {_spelling(members, name, weight): members for members in found.values()}


def _spelling(items: Iterable[T], name: Callable[[T], N], weight: Callable[[T], int]) -> N:
    spellings = group_by(items, name)
    return min(spellings, key=lambda one: (-sum(map(weight, spellings[one])), one or ""))


def matches(asked: str | None, value: str | None) -> bool:
    """Whether a text is the one that is asked for, if one is: capitals and a leading @ do not matter."""
    return asked is None or plain_name(asked) == plain_name(value)


def plain_name(name: str | None) -> str | None:
    """A name as all spellings of it that match have it."""
    return None if name is None else _plain(name.strip().removeprefix("@").strip())


def _plain(text: str) -> str:
    """Without capitals; a letter with its accent is one, as in what is stored, also where it is sent as two."""
    return unicodedata.normalize("NFC", text).casefold()


def says(part: str, *texts: str | None) -> bool:
    """Whether any of the texts has this part, capitals or not; nothing is a part of every text."""
    plain = _plain(part)
    return not plain or any(plain in _plain(text) for text in texts if text)
