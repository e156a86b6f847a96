"""In which order lists come, and what makes a group. Pure."""

from __future__ import annotations

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
    found = group_by(items, lambda item: _plain(name(item)))
    return {_spelling(members, name, weight): members for members in found.values()}


def _spelling(items: Iterable[T], name: Callable[[T], N], weight: Callable[[T], int]) -> N:
    spellings = group_by(items, name)
    return min(spellings, key=lambda one: (-sum(map(weight, spellings[one])), one or ""))


def matches(asked: str | None, value: str | None) -> bool:
    """Whether a text is the one that is asked for, if one is: capitals and a leading @ do not matter."""
    return asked is None or _plain(asked) == _plain(value)


def _plain(name: str | None) -> str | None:
    return None if name is None else name.strip().removeprefix("@").strip().casefold()


def says(part: str, *texts: str | None) -> bool:
    """Whether any of the texts has this part, capitals or not; nothing is a part of every text."""
    plain = part.casefold()
    return not plain or any(plain in text.casefold() for text in texts if text)
