"""Fingerprints of a tab's rows: which of them say what they said, so that nobody has to read them again. Pure.

They are kept from one sync to the next and can be thrown away at any time: the tab is then read whole.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import eq

_HEAD = 32  # bytes of the hash that comes first
_EACH = 8  # bytes of a row's hash, and of an account's id
NOBODY = 0


@dataclass(frozen=True)
class RowPrints:
    """The rows of a tab, from row 1.

    head: a hash of what else decides what a row means: the header, the tab's name, the settings.
    hashes: eight bytes a row. ids: the account that a row, by itself and wholly understood, stands for, where nothing
    is open about either: as long as both stay as they are, a sync has nothing to do or to say. Else NOBODY.
    lost: the accounts whose rows have gone, or say something else than they did; not remembered.
    """

    head: bytes
    hashes: bytes
    ids: array[int]
    lost: Sequence[int] = ()

    @classmethod
    def of(cls, head: bytes, hashes: bytes) -> RowPrints:
        """Of rows about which nothing is known yet."""
        return cls(head, hashes, array("q", bytes(len(hashes))))

    @classmethod
    def from_bytes(cls, data: bytes) -> RowPrints:
        hashes, ids = data[_HEAD : _HEAD + (len(data) - _HEAD) // 2], array("q")
        ids.frombytes(data[_HEAD + len(hashes) :])
        return cls(data[:_HEAD], hashes, ids)

    def to_bytes(self) -> bytes:
        return self.head + self.hashes + self.ids.tobytes()

    @cached_property
    def quiet(self) -> set[int]:
        """The accounts of which there is nothing to do or to say."""
        found = {*self.ids}
        found.discard(NOBODY)
        return found

    def follow(self, hashes: bytes) -> RowPrints:
        """The same tab read once more: NOBODY's are the rows that are new, or say something else than they did."""
        old, new = (memoryview(one).cast("Q") for one in (self.hashes, hashes))
        ids, lost = self.ids[: len(new)], [*self.ids[len(new) :]]
        ids.extend([NOBODY] * (len(new) - len(ids)))
        is_same = bytes(map(eq, old, new))
        place = is_same.find(False)
        while place >= 0:
            lost.append(ids[place])
            ids[place] = NOBODY
            place = is_same.find(False, place + 1)
        return RowPrints(self.head, hashes, ids, [account for account in lost if account != NOBODY])

    def unread(self) -> list[int]:
        """The numbers of the rows, from 1, that somebody has to read."""
        return [number for number, account in enumerate(self.ids, 1) if account == NOBODY]

    def only(self, accounts: set[int]) -> RowPrints:
        """With NOBODY in the place of all others."""
        if self.quiet <= accounts:
            return self
        return replace(self, ids=array("q", (one if one in accounts else NOBODY for one in self.ids)))

    def having(self, accounts: Mapping[int, int]) -> RowPrints:
        """With accounts in their rows. accounts: {number of the row, from 1: id}."""
        if not accounts:
            return self
        ids = self.ids[:]
        for number, account in accounts.items():
            ids[number - 1] = account
        return replace(self, ids=ids)
