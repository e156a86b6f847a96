"""Structs made from rows of the store."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from msgspec import Struct

from webapp.clock import iso

S = TypeVar("S", bound=Struct)


def from_row(kind: type[S], row: object, **more: Any) -> S:
    """A struct with what the row has under the same names, times as text. more: the other fields."""
    names = [name for name in kind.__struct_fields__ if name not in more and hasattr(row, name)]
    values = {name: getattr(row, name) for name in names}
    times = {name: iso(value) for name, value in values.items() if isinstance(value, datetime)}
    return kind(**values | times | more)
