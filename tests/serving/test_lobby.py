"""Who may wait for how long, and who goes when there are too many."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from webapp.serving.lobby import ARRIVE, MAX_ANSWERED, MAX_ASKED, TAKE, Lobby, Room

MB = 1024 * 1024
WAITING = [room for room in Room if room is not Room.WORKING]


@dataclass(eq=False)
class Guest:
    asked: int = 0
    answered: int = 0


@pytest.fixture
def lobby() -> Lobby[Guest]:
    return Lobby(2)


def guests(lobby: Lobby[Guest], room: Room, count: int, **held: int) -> list[Guest]:
    found = [Guest(**held) for _ in range(count)]
    for guest in found:
        lobby.enter(guest, room)
    return found


def test_a_request_has_ten_seconds_and_one_more_for_each_64_kib() -> None:
    assert ARRIVE.deadline(100, 0) == 110
    assert ARRIVE.deadline(100, 4 * MB) == 174


def test_an_answer_has_half_a_minute_and_one_second_more_for_each_16_kib() -> None:
    assert TAKE.deadline(100, 0) == 130
    assert TAKE.deadline(100, 160 * 1024) == 140


@pytest.mark.parametrize("room", WAITING)
def test_when_a_room_is_full_the_oldest_goes(lobby: Lobby[Guest], room: Room) -> None:
    first, _ = guests(lobby, room, 2)
    assert lobby.crowded_out() is None

    guests(lobby, room, 1)

    assert lobby.crowded_out() is first
    lobby.leave(first)
    assert lobby.crowded_out() is None


def test_the_rooms_do_not_crowd_each_other(lobby: Lobby[Guest]) -> None:
    for room in WAITING:
        guests(lobby, room, 2)
    guests(lobby, Room.WORKING, 20)

    assert lobby.crowded_out() is None
    assert len(lobby) == 28


def test_who_moves_on_is_the_newest_of_the_next_room(lobby: Lobby[Guest]) -> None:
    first, second = guests(lobby, Room.QUIET, 2)
    lobby.enter(second, Room.ARRIVING)
    lobby.enter(first, Room.ARRIVING)

    assert lobby.room_of(first) is Room.ARRIVING
    guests(lobby, Room.ARRIVING, 1)
    assert lobby.crowded_out() is second


def test_what_threads_work_on_counts_among_the_bytes_that_are_kept_and_does_not_go(lobby: Lobby[Guest]) -> None:
    guests(lobby, Room.WORKING, 1, asked=MAX_ASKED)
    assert lobby.crowded_out() is None

    (arriving,) = guests(lobby, Room.ARRIVING, 1, asked=1)

    assert lobby.crowded_out() is arriving


def test_one_answer_may_be_as_large_as_it_is(lobby: Lobby[Guest]) -> None:
    (first,) = guests(lobby, Room.SENDING, 1, answered=MAX_ANSWERED + 1)
    assert lobby.crowded_out() is None

    guests(lobby, Room.SENDING, 1, answered=1)

    assert lobby.crowded_out() is first


def test_when_nobody_can_come_in_who_is_done_is_missed_least(lobby: Lobby[Guest]) -> None:
    order = [Room.LEAVING, Room.QUIET, Room.ARRIVING, Room.SENDING]
    found = {room: guests(lobby, room, 1)[0] for room in reversed(order)}
    guests(lobby, Room.WORKING, 1)

    for room in order:
        assert lobby.spare() is found[room]
        lobby.leave(found[room])
    assert lobby.spare() is None


def test_who_works_is_never_late(lobby: Lobby[Guest]) -> None:
    guests(lobby, Room.WORKING, 1)

    assert lobby.overdue(math.inf) == [] or lobby.wait_s(0) == math.inf


def test_who_is_granted_more_time_is_late_later(lobby: Lobby[Guest]) -> None:
    guest = Guest()
    lobby.enter(guest, Room.ARRIVING, 10)
    lobby.grant(guest, 20)

    assert lobby.wait_s(4) == 6
    assert lobby.overdue(10) == []
    assert lobby.wait_s(11) == 9
    assert lobby.overdue(20) == [guest]


def test_who_is_hurried_leaves_at_least_as_soon(lobby: Lobby[Guest]) -> None:
    early, late, taking = Guest(), Guest(), Guest()
    lobby.enter(early, Room.ARRIVING, 1)
    lobby.enter(late, Room.ARRIVING, 100)
    lobby.enter(taking, Room.SENDING, 100)

    lobby.hurry(Room.ARRIVING, 2)

    assert lobby.overdue(1) == [early]
    assert lobby.overdue(2) == [early, late]


class Rooms(RuleBasedStateMachine):
    """Whatever happens: nobody is in two rooms, nobody late is forgotten, and what is crowded can be relieved."""

    def __init__(self) -> None:
        super().__init__()
        self.lobby: Lobby[Guest] = Lobby(3)
        self.now = 0.0
        self.deadlines: dict[Guest, float] = {}

    @rule(room=st.sampled_from(list(Room)), patience=st.floats(0, 20), asked=st.integers(0, MAX_ASKED))
    def come(self, room: Room, patience: float, asked: int) -> None:
        guest = Guest(asked=asked)
        self.deadlines[guest] = self.now + patience
        self.lobby.enter(guest, room, self.deadlines[guest])

    @rule(data=st.data(), room=st.sampled_from(list(Room)), patience=st.floats(0, 20))
    def move(self, data: st.DataObject, room: Room, patience: float) -> None:
        if self.deadlines:
            guest = data.draw(st.sampled_from(list(self.deadlines)))
            self.deadlines[guest] = self.now + patience
            self.lobby.enter(guest, room, self.deadlines[guest])

    @rule(seconds=st.floats(0, 30))
    def sweep(self, seconds: float) -> None:
        self.now += seconds
        late = self.lobby.overdue(self.now)
        assert set(late) == {guest for guest, deadline in self.deadlines.items() if deadline <= self.now}
        for guest in late:
            self.part(guest)

    @rule()
    def relieve(self) -> None:
        while (guest := self.lobby.crowded_out()) is not None:
            assert self.lobby.room_of(guest) is not Room.WORKING
            self.part(guest)
        rooms = [self.lobby.room_of(guest) for guest in self.deadlines]
        assert all(rooms.count(room) <= 3 for room in WAITING)

    @invariant()
    def everybody_is_somewhere(self) -> None:
        assert len(self.lobby) == len(self.deadlines)
        assert all(self.lobby.room_of(guest) for guest in self.deadlines)

    @invariant()
    def the_next_look_is_in_time(self) -> None:
        assert self.now + self.lobby.wait_s(self.now) <= max(self.now, min(self.deadlines.values(), default=math.inf))

    def part(self, guest: Guest) -> None:
        self.lobby.leave(guest)
        del self.deadlines[guest]


TestRooms = Rooms.TestCase
