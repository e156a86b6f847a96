"""In which order lists come, and what makes a group. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


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


def says(part: str, *texts: str | None) -> bool:
    """Whether any of the texts has this part, capitals or not; nothing is a part of every text."""
    plain = part.casefold()
    return not plain or any(plain in text.casefold() for text in texts if text)
