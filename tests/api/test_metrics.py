"""Structs with one field for each metric."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from webapp.api.shapes.metrics import MetricStruct, PerMetric, TotalPerMetric, each
from webapp.model import METRICS

NUMBERS = tuple(range(len(METRICS)))


class Row(MetricStruct, rename={"since": "from"}):
    since: str
    counts: PerMetric[int | None]
    last: bool = False


class WideRow(Row, kw_only=True):
    name: str


class Sums(MetricStruct):
    profiles: int
    totals: TotalPerMetric[int]


class Body(MetricStruct, forbid_unknown_fields=True):
    counts: PerMetric[int | UnsetType | None] = each(UNSET)
    note: str | None = None


def test_the_metrics_stand_where_the_annotation_does() -> None:
    row = Row("Monday", NUMBERS, last=True)

    wire = msgspec.json.decode(msgspec.json.encode(row))

    assert list(wire) == ["from", *METRICS, "last"]
    assert [wire[metric] for metric in METRICS] == list(NUMBERS)


def test_a_total_says_so_in_its_name() -> None:
    assert list(msgspec.to_builtins(Sums(3, NUMBERS))) == ["profiles", *(f"total_{metric}" for metric in METRICS)]


def test_counts_are_given_and_read_by_one_name() -> None:
    assert Row("Monday", NUMBERS) == Row(since="Monday", counts=NUMBERS)
    assert Row("Monday", NUMBERS).counts == NUMBERS


def test_a_struct_made_of_another_has_its_metrics() -> None:
    wide = WideRow("Monday", NUMBERS, name="x")

    assert wide == WideRow(**msgspec.structs.asdict(Row("Monday", NUMBERS)), name="x")
    assert wide.counts == NUMBERS


def test_counts_have_to_be_as_many_as_there_are_metrics() -> None:
    with pytest.raises(ValueError, match="argument"):
        Row(since="Monday", counts=NUMBERS[1:])
    with pytest.raises(TypeError):
        Row("Monday", NUMBERS + NUMBERS)


def test_a_body_names_some_metrics_and_leaves_others_out() -> None:
    body = msgspec.json.decode(b'{"likes": 3, "views": null}', type=Body)

    said = dict(zip(METRICS, body.counts, strict=True))
    assert {name: value for name, value in said.items() if value is not UNSET} == {"likes": 3, "views": None}
    with pytest.raises(msgspec.ValidationError, match="counts"):
        msgspec.json.decode(b'{"counts": 3}', type=Body)


def test_the_schema_has_the_metrics_and_nothing_else() -> None:
    _, schemas = msgspec.json.schema_components([Row])

    assert list(schemas["Row"]["properties"]) == ["from", *METRICS, "last"]
    assert schemas["Row"]["required"] == ["from", *METRICS]
