"""Faults that no test can notice, or need not: {(module, place, change): why}."""

from __future__ import annotations

__all__ = ["NAMED"]

COUNTS = "webapp/sources/counts.py"
DUE = "webapp/rules/due.py"
AHEAD = "(LOOK_AT_ALL if number > LOOK_AT else LOOK_AHEAD)"
LOOK = "any moment will do to look from, and nearly any time ahead"
ELSEWHERE = "webapp/sources/urls/elsewhere.py"
HOSTS = "webapp/sources/urls/hosts.py"
TOO_LONG = "a longer label is refused in any case: the limit only saves the work"
WWW = "any label in front is taken off until a host of the table is left"
LINKS = "webapp/sources/urls/links.py"
EDITS = "webapp/rules/edits.py"
SHRINK = "webapp/rules/shrink.py"
OUTCOMES = "webapp/rules/outcomes.py"
PARSE = "webapp/sources/urls/parse.py"
WRAPPERS = "webapp/sources/urls/wrappers.py"
NO_SCHEME = "an address needs no scheme"
EXPIRED = "a millisecond after 1970 has passed as well"
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
    (DUE, "module", "1 -> 2"): LOOK,
    (DUE, "module", "5 -> 6"): LOOK,
    (DUE, "module", "400 -> 401"): LOOK,
    (DUE, "module", "8 -> 9"): LOOK,
    (DUE, "longest_pause", f"slot - A_MONDAY > {AHEAD} -> slot - A_MONDAY >= {AHEAD}"): LOOK,
    (DUE, "longest_pause", "number > LOOK_AT -> number >= LOOK_AT"): LOOK,
    (DUE, "check_zone", "60 -> 61"): "no zone has so long a name, and only the work to find one like it grows",
    (DUE, "check_zone", "1 -> 2"): "only the nearest is looked at, which comes first",
    (
        DUE,
        "_slots",
        "slot > after -> slot >= after",
    ): "none is that very moment: what an expression gives comes after it",
    (DUE, "_patience", "20 -> 21"): "2 ** 20 minutes are longer than any interval already",
    (ELSEWHERE, "module", "'!$&()*+=@' -> 'XX!$&()*+=@'"): SAFE,
    (ELSEWHERE, "module", "'!$()*@' -> 'XX!$()*@'"): SAFE,
    (GROWTH, "module", "1970 -> 1971"): EPOCH,
    (GROWTH, "module", "1 -> 2"): EPOCH,
    (HOSTS, "module", "63 -> 64"): TOO_LONG,
    (HOSTS, "_punycode", "len(label) > _LONGEST_LABEL -> len(label) >= _LONGEST_LABEL"): TOO_LONG,
    (HOSTS, "_punycode", "raise BadProfile(_NO_SUCH_HOST) -> pass"): TOO_LONG,
    (HOSTS, "_punycode", "'?' -> 'XX?'"): "neither is the name of a script",
    (HOSTS, "host_of", "'www.' -> 'XXwww.'"): "a host of the table passes the check for public names as well",
    (HOSTS, "_base", "'www.' -> 'XXwww.'"): WWW,
    (EDITS, "_oddity", "new < old -> new <= old"): "only what has changed is asked for",
    (SHRINK, "shrinkage", "0 -> 1"): "of less than ten nothing is too much",
    (OUTCOMES, "_goodness", "3 -> 4"): "it is the last in any case",
    (LINKS, "_profile_at", "len(segments) > 1 -> len(segments) >= 1"): "no account is called like the start of one",
    (LINKS, "_profile_in_app", "0 -> 1"): "the host matters where each server has its own accounts",
    (LINKS, "profile_at_home", "'https://' -> ''"): NO_SCHEME,
    (LINKS, "_kind", "'0123456789_-' -> 'XX0123456789_-'"): "the word is in small letters",
    (LINKS, "_build", "':' -> 'XX:'"): SAFE,
    (PARSE, "_clean_forms", "'http://' -> 'XXhttp://'"): "the long way tells the same, only later",
    (PARSE, "_check_alone", "len(pieces) > 1 -> len(pieces) >= 1"): "one piece is one link, or none; and has no blank",
    (
        PARSE,
        "_is_known_host",
        "len(typed) <= LONGEST_HOST -> len(typed) < LONGEST_HOST",
    ): "no account has so long a host",
    (WRAPPERS, "target_of", "'https://' -> ''"): NO_SCHEME,
    (LEASES, "_build_give_back", "0 -> 1"): EXPIRED,
    (LEASES, "module", "0 -> 1"): EXPIRED,
}
