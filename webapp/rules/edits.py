"""Odd edits of the sheet: what a person should look at again, although it is taken because a person typed it. Pure.

They are kept with the observation as `implausible:views lowered:likes`, one word for a metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from webapp.model import METRICS, Metric, Values
from webapp.rules.credible import implausible

PATIENCE = timedelta(hours=24)


class OddEdit(NamedTuple):
    """An edit to be pointed out. code: `implausible`, or `lowered` while the larger reading wins."""

    code: str
    place: int  # of the metric in METRICS


def decode_notes(note: str | None) -> dict[Metric, str]:
    """{metric: what was odd about its latest edit}."""
    parts = (part.partition(":") for part in (note or "").split())
    return {metric: code for code, _, metric in parts if metric in METRICS}


def encode_notes(notes: Mapping[Metric, str]) -> str | None:
    return " ".join(f"{code}:{metric}" for metric, code in notes.items()) or None


def note_edits(before: Values, after: Values, note: str | None, *, history: bool) -> str | None:
    """The note on what the sheet says now. history: the account has enough of it to judge by.

    note: on what it said before, which stands for the metrics that have not changed.
    """
    earlier = decode_notes(note)
    found: dict[Metric, str] = {}
    for metric, old, new in zip(METRICS, before, after, strict=True):
        code = earlier.get(metric) if old == new else _oddity(old, new, history=history)
        if code is not None:
            found[metric] = code
    return encode_notes(found)


def _oddity(old: int | None, new: int | None, *, history: bool) -> str | None:
    if history and implausible(old, new):
        return "implausible"
    return "lowered" if old is not None and new is not None and new < old else None


def odd_edits(note: str, sheet: Values, counts: Values, since: datetime | None, now: datetime) -> Iterator[OddEdit]:
    """What of a note still has to be pointed out. counts: the merged ones. since: when the sheet's last changed."""
    for metric, code in decode_notes(note).items():
        place = METRICS.index(metric)
        value, current = sheet[place], counts[place]
        if value is None:
            continue
        if (code == "implausible" and since is not None and now - since < PATIENCE) or (
            code == "lowered" and current is not None and current > value
        ):
            yield OddEdit(code, place)
