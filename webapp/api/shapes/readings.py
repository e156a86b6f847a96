"""Readings from outside: what a program read of a platform, delivered in a batch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Struct

from webapp.api.shapes.fields import Count, Identifier, Number, says, zero_or_more
from webapp.api.shapes.metrics import MetricStruct, PerMetric, each
from webapp.model import LARGEST


class ReadingItem(MetricStruct, forbid_unknown_fields=True):
    """One account's counts. Named by its id or its profile URL; a metric left out keeps its last reading."""

    account_id: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)] | None = None
    profile_url: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)] | None = None
    counts: PerMetric[Count | None] = each(None)
    observed_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    origin: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class ReadingBatch(Struct, forbid_unknown_fields=True):
    """A batch. With `project_id` profile URLs are looked for in that project only, else in all."""

    readings: Annotated[list[ReadingItem], msgspec.Meta(min_length=1, max_length=10_000)]
    project_id: Identifier | None = None


class ReadingsQuery(Struct, forbid_unknown_fields=True):
    """What may stand in the address instead, where the body is an array or lines."""

    project_id: Annotated[Identifier | None, says("look for profile URLs in this project only, else in all")] = None


Outcome = Literal["kept", "unchanged", "older", "unmatched", "invalid"]


class InvalidReading(Struct):
    """A reading that cannot be used."""

    index: Annotated[int, zero_or_more("its place in the batch, from 0")]
    field: Annotated[str | None, says("the member that is wrong; null: the whole reading")]
    message: str


class UnmatchedReading(Struct):
    """A reading that fits no account."""

    index: Annotated[int, zero_or_more("its place in the batch, from 0")]
    account_id: int | None
    profile_url: str | None
    message: Annotated[str, says("why: there is none, it was removed, or it is in another project")]


class ReadingsAnswer(Struct):
    """What became of a batch of readings."""

    success: Annotated[bool, says("every reading could be used and fits an account")]
    received: Number
    kept: Annotated[int, zero_or_more("observations that were stored")]
    unchanged: Annotated[int, zero_or_more("left out, because it is stored already")]
    older: Annotated[int, zero_or_more("left out, because what is stored is newer")]
    unmatched: Annotated[list[UnmatchedReading], says("the first 100")]
    unmatched_count: Number
    invalid: Annotated[list[InvalidReading], says("the first 100")]
    invalid_count: Number
    outcomes: Annotated[
        list[Outcome],
        says("what became of each reading, in their order; unchanged: it is stored; older: what is stored is newer"),
    ]
