"""Odd edits of the sheet: what a person should look at again, although it is taken because a person typed it. Pure.

They are kept with the observation as `lowered:likes lowered:views`, one word for a metric.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from webapp.model import METRICS, Metric, Values


def decode_notes(note: str | None) -> dict[Metric, str]:
    """{metric: what was odd about its latest edit}."""
    parts = (part.partition(":") for part in (note or "").split())
    return {metric: code for code, _, metric in parts if metric in METRICS}


def encode_notes(notes: Mapping[Metric, str]) -> str | None:
    return " ".join(f"{code}:{metric}" for metric, code in notes.items()) or None


def note_edits(before: Values, after: Values, note: str | None) -> str | None:
    """The note on what the sheet says now.

    note: on what it said before, which stands for the metrics that have not changed.
    """
    earlier = decode_notes(note)
    found: dict[Metric, str] = {}
    for metric, old, new in zip(METRICS, before, after, strict=True):
        code = earlier.get(metric) if old == new else _oddity(old, new)
        if code is not None:
            found[metric] = code
    return encode_notes(found)


def _oddity(old: int | None, new: int | None) -> str | None:
    return "lowered" if old is not None and new is not None and new < old else None


def ignored_edits(note: str | None, sheet: Values, counts: Values, pinned: Container[Metric] = ()) -> Iterator[int]:
    """The metrics, by their place, whose lowered value does not count. counts: the merged ones.

    pinned: those of which a person has said what counts, so that nobody has to look again.
    """
    for metric in decode_notes(note):
        place = METRICS.index(metric)
        value, current = sheet[place], counts[place]
        if value is not None and current is not None and current > value and metric not in pinned:
            yield place
