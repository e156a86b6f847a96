"""Telling people and programs outside what happened here.

Recipients stand here, as far as whoever writes messages has to know them. What is secret of them stays with their channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from webapp.rules.quiet import Quiet

Channel = Literal["webhook", "notify"]


@dataclass(frozen=True)
class Recipient:
    """One recipient. name: as rows know it, the same for as long as the address is; label: as people see it, masked."""

    name: str
    channel: Channel
    label: str

    @property
    def people(self) -> bool:
        """Whether a person reads it, who is told of alerts alone, and not at night."""
        return self.channel == "notify"


@dataclass(frozen=True)
class Mail:
    """Who is told, and how. base_url: where people reach the service, without a slash at its end; empty: nobody said."""

    recipients: Sequence[Recipient] = ()
    base_url: str = ""
    quiet: Quiet | None = None

    @property
    def programs(self) -> list[Recipient]:
        return [one for one in self.recipients if not one.people]


def name_of(channel: Channel, address: str) -> str:
    """A name that tells addresses apart and says nothing of them."""
    return f"{channel}:{sha256(address.encode()).hexdigest()[:12]}"
