"""Where connections wait that no thread works on: for how long, how many, and who goes when there are too many.

Never counted by address: behind a proxy all clients have one. Pure; times are seconds of a monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, Protocol, TypeVar


class Room(IntEnum):
    """What a connection is in the middle of."""

    QUIET = 1  # nothing of a request has come
    ARRIVING = 2  # a part of a request has come
    WORKING = 3  # a thread has it, or will
    SENDING = 4  # the client takes the answer
    LEAVING = 5  # the client has the answer, and has to hang up


class Guest(Protocol):
    """A connection: the bytes of a request and of an answer that are kept for it."""

    @property
    def asked(self) -> int: ...

    @property
    def answered(self) -> int: ...


G = TypeVar("G", bound=Guest)


@dataclass(frozen=True)
class Pace:
    """How long something may take: so many seconds, and one more for so many bytes that have gone by."""

    seconds: float
    bytes_per_second: int

    def deadline(self, began: float, moved: int) -> float:
        return began + self.seconds + moved / self.bytes_per_second


ARRIVE = Pace(10, 64 * 1024)
TAKE = Pace(30, 16 * 1024)
MAX_ASKED = 32 * 1024 * 1024  # bytes of requests, on their way and at work
MAX_ANSWERED = 64 * 1024 * 1024  # bytes of answers that nobody took yet


class Lobby(Generic[G]):
    """Connections by what they are in the middle of, the oldest first. most: how many may wait in a room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rooms: dict[Room, dict[G, float]] = {room: {} for room in Room}
        self._where: dict[G, Room] = {}
        self._next = math.inf

    def __len__(self) -> int:
        return len(self._where)

    def room_of(self, guest: G) -> Room | None:
        return self._where.get(guest)

    def enter(self, guest: G, room: Room, deadline: float = math.inf) -> None:
        """Move the connection there, from wherever it was; it may stay until the deadline."""
        self.leave(guest)
        self._where[guest] = room
        self.grant(guest, deadline)

    def grant(self, guest: G, deadline: float) -> None:
        """Let the connection stay where it is until then."""
        self._rooms[self._where[guest]][guest] = deadline
        self._next = min(self._next, deadline)

    def leave(self, guest: G) -> None:
        room = self._where.pop(guest, None)
        if room is not None:
            del self._rooms[room][guest]

    def crowded_out(self) -> G | None:
        """Who has to go because there are too many, or too much is kept: the oldest of its room."""
        for room in (Room.QUIET, Room.ARRIVING, Room.SENDING, Room.LEAVING):
            if len(self._rooms[room]) > self._most:
                return self._oldest(room)
        asked = sum(guest.asked for room in (Room.ARRIVING, Room.WORKING) for guest in self._rooms[room])
        if asked > MAX_ASKED and self._rooms[Room.ARRIVING]:
            return self._oldest(Room.ARRIVING)
        sending = self._rooms[Room.SENDING]
        if len(sending) > 1 and sum(guest.answered for guest in sending) > MAX_ANSWERED:
            return self._oldest(Room.SENDING)
        return None

    def spare(self) -> G | None:
        """Who is missed least when nobody else can come in any more."""
        rooms = (Room.LEAVING, Room.QUIET, Room.ARRIVING, Room.SENDING)
        return next((self._oldest(room) for room in rooms if self._rooms[room]), None)

    def overdue(self, now: float) -> list[G]:
        """Who has stayed for too long, room by room."""
        if now < self._next:
            return []
        deadlines = [(guest, deadline) for room in self._rooms.values() for guest, deadline in room.items()]
        self._next = min((deadline for _, deadline in deadlines if deadline > now), default=math.inf)
        return [guest for guest, deadline in deadlines if deadline <= now]

    def wait_s(self, now: float) -> float:
        """Seconds until somebody may have stayed for too long."""
        return max(0.0, self._next - now)

    def hurry(self, room: Room, deadline: float) -> None:
        """Nobody stays there beyond then."""
        for guest, granted in self._rooms[room].items():
            self._rooms[room][guest] = min(granted, deadline)
        self._next = min(self._next, deadline)

    def _oldest(self, room: Room) -> G:
        return next(iter(self._rooms[room]))
