"""Which source a count comes from, given what all of them say. Pure, and the same rule as the merge."""

from __future__ import annotations

from typing import Literal, NamedTuple

from webapp.model import Mode, Policy

Winner = Literal["sheet", "parsed", "pin"]


class Verdict(NamedTuple):
    """The value, and whose it is; nothing when nobody observed the metric."""

    winner: Winner | None
    value: int | None


def policy_in_force(policy: Policy, mode: Mode) -> Policy:
    """An account counted by hand follows its sheet whatever the project's policy."""
    return "sheet" if mode == "manual" else policy


def verdict(sheet: int | None, parsed: int | None, policy: Policy, pin: int | None = None) -> Verdict:
    """A pin wins, then what the policy says; a side that observed nothing never wins, ties go to the sheet."""
    if pin is not None:
        return Verdict("pin", pin)
    if sheet is None or parsed is None:
        known = sheet if parsed is None else parsed
        return Verdict(None if known is None else ("sheet" if parsed is None else "parsed"), known)
    by_sheet = sheet >= parsed if policy == "max" else policy == "sheet"
    return Verdict("sheet", sheet) if by_sheet else Verdict("parsed", parsed)
