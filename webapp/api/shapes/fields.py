"""What single fields mean, where several shapes have them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from webapp.model import LARGEST, LONGEST_NOTE


def says(description: str) -> msgspec.Meta:
    """What a field means, for `Annotated`."""
    return msgspec.Meta(description=description)


def zero_or_more(description: str) -> msgspec.Meta:
    """What a number means that is never negative, for `Annotated`."""
    return msgspec.Meta(ge=0, description=description)


Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
DayText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]
Number = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
NextSync = Annotated[Time | None, says("past: it is due; null: it is not synced by itself now")]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]  # of a project
Code = Annotated[str | None, says("machine code of what went wrong; null: nothing did")]
DryRun = Annotated[bool, says("answer what would happen, and change nothing")]
Note = Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE, description="why, for the audit log")]
