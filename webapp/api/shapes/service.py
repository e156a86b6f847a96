"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Health(Struct):
    status: Literal["ok"]
    version: str


class Ready(Struct):
    status: Literal["ready"]
    version: str
