"""Faults that no test can notice, or need not: {(module, place, change): why}."""

from __future__ import annotations

__all__ = ["NAMED"]

COUNTS = "webapp/sources/counts.py"
ELSEWHERE = "webapp/sources/urls/elsewhere.py"
LEASES = "webapp/store/leases.py"
SAFE = "letters are safe in an address whether they are named or not"
GROWTH = "webapp/rules/growth.py"
EPOCH = "seconds are only compared with each other, from whatever moment they are counted"
IN_RANGE = "0 is a count, so it never gets to this question"

NAMED: dict[tuple[str, str, str], str] = {
    (COUNTS, "module", "64 -> 65"): "any power from some 50 on shifts each number out of range, or into nothing",
    (COUNTS, "_check_range", "n < 0 -> n <= 0"): IN_RANGE,
    (COUNTS, "_check_range", "0 -> 1"): IN_RANGE,
    (COUNTS, "_count_of_float", "number < 1 -> number <= 1"): "1.0 is whole, so it never gets to this question",
    (COUNTS, "_count_of_float", "number > LARGEST -> number >= LARGEST"): "no float is 2**63 - 1",
    (COUNTS, "_scale", "zeros >= 0 -> zeros > 0"): "what is divided by one leaves no rest",
    (COUNTS, "_parts", "',.' -> 'XX,.'"): "a mark is one of those that an amount may have, and no letter",
    (ELSEWHERE, "module", "'!$&()*+=@' -> 'XX!$&()*+=@'"): SAFE,
    (ELSEWHERE, "module", "'!$()*@' -> 'XX!$()*@'"): SAFE,
    (GROWTH, "module", "1970 -> 1971"): EPOCH,
    (GROWTH, "module", "1 -> 2"): EPOCH,
    (LEASES, "release_all", "0 -> 1"): "a millisecond after 1970 has passed as well",
}
