"""Recipients, as far as whoever writes messages has to know them. What is secret of them stays with their channel."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

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


def name_of(channel: Channel, address: str) -> str:
    """A name that tells addresses apart and says nothing of them."""
    return f"{channel}:{sha256(address.encode()).hexdigest()[:12]}"
