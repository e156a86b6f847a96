"""The words of the product as values: what travels between the stations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

Metric = Literal["followers", "likes", "comments", "videos", "views"]
Policy = Literal["max", "sheet", "parsed"]
Mode = Literal["auto", "manual", "off"]
SkipReason = Literal[
    "no_url", "bad_url", "duplicate_row", "unknown_platform", "invalid_number", "removed", "off", "unchanged"
]
RunState = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled", "abandoned"]

LEASE_PREFIX = "project:"
LIVE_STATES: tuple[RunState, ...] = ("queued", "running")  # of a run that has not ended

METRICS: tuple[Metric, ...] = get_args(Metric)

# One number per metric, in the order of METRICS. None: not observed, or not known.
Values = tuple[int | None, ...]

LONGEST_NOTE = 500  # characters of why somebody did something
LONGEST_INTERVAL = 525_600  # minutes: a year
LARGEST = 2**63 - 1  # the largest count and the largest id that both databases keep


class Counts(NamedTuple):
    """The counts of an account, each from 0 to LARGEST. None: not observed, never zero."""

    followers: int | None = None
    likes: int | None = None
    comments: int | None = None
    videos: int | None = None
    views: int | None = None


NOTHING = Counts()
UNKNOWN: Values = (None,) * len(METRICS)


def larger(a: int | None, b: int | None) -> int | None:
    """The larger of two values, or the one that was observed."""
    if a is None:
        return b
    return a if b is None or a >= b else b


def lease_of(project_id: str) -> str:
    """The name of the lease that whoever syncs the project holds."""
    return LEASE_PREFIX + project_id


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a person can mend: a stable machine code, words, and the cell it is about, such as `Project A!D17`."""

    code: str
    message: str
    cell: str | None = None


class Profile(NamedTuple):
    """A social profile as one URL names it.

    platform: slug in lower case (`youtube`, `x`, ...; `other` for a host we do not know).
    url_key: canonical identity; two URLs are the same account exactly when their keys are equal.
    username: the handle as the URL shows it, without @; None when the URL has an id only.
    url: a clean https URL that opens the profile.
    """

    platform: str
    url_key: str
    username: str | None
    url: str
