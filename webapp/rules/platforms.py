"""What is said of platforms that are read, everywhere in the same words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class PlatformFacts(Protocol):
    """How reading a platform stands. accounts: asked for when it was last read."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def message(self) -> str | None: ...
    @property
    def accounts(self) -> int: ...


def platform_words(one: PlatformFacts, waiting: int) -> str:
    """waiting: accounts that were not come to."""
    words = f"{one.name} is {one.state.replace('_', ' ')}"
    if one.message:
        words += f": {one.message}"
    return f"{words}; {waiting} of {one.accounts} accounts wait" if waiting else words


class UnreadFacts(Protocol):
    """Accounts that a platform could not be read for, for one reason. message: of one of them."""

    @property
    def code(self) -> str: ...
    @property
    def accounts(self) -> int: ...
    @property
    def message(self) -> str | None: ...


def unread_words(name: str, reasons: Iterable[UnreadFacts]) -> list[str]:
    """Why accounts are unread, the reason of most of them first."""
    ordered = sorted(reasons, key=lambda one: (-one.accounts, one.code))
    return [
        f"{name}: {one.accounts} account{'s' if one.accounts > 1 else ''} unread, "
        f"{one.code.replace('_', ' ')}: {one.message or 'no reason was given'}"
        for one in ordered
    ]
