"""Ways to reach a recipient, one file each. A new one is a file here and a line in `registry`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from webapp.errors import SmartSyncError


class LeaveAlone(SmartSyncError):
    """The recipient wants nothing more of us, ever."""

    code = "gone"


@dataclass(frozen=True)
class Post:
    """What is sent. message_id: the same at each attempt, so that a recipient knows what it has; body: to the byte."""

    message_id: str
    event: str
    body: str


class Channel(Protocol):
    """One recipient, and how it is reached."""

    def send(self, post: Post) -> None:
        """Hand the message over; when this is left, the recipient has it.

        Raises: LeaveAlone; SmartSyncError when it did not get there, with `wait_s` where the recipient said when to
            come again.
        """
