"""Structs with one field for each metric, made from METRICS.

A struct says `counts: PerMetric[int | None]` and has, in that place, the fields `followers`, `likes` and so on, each
an `int | None`; `totals: TotalPerMetric[...]` makes `total_followers`, `total_likes` and so on. On the wire and in the
document there are only these. In Python the one name works as well, as the type checker believes it does: it is
given when the struct is made, and read back, as a tuple in the order of METRICS.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, TypeVar

from msgspec import Struct, StructMeta

from webapp.model import METRICS

T = TypeVar("T")

PerMetric = tuple[T, ...]
TotalPerMetric = tuple[T, ...]

MARKS = {"PerMetric[": "", "TotalPerMetric[": "total_"}  # {how an annotation begins: what its fields begin with}


def each(value: T) -> PerMetric[T]:
    """The same default for every metric."""
    return (value,) * len(METRICS)


class MetricStructMeta(StructMeta):
    """Spreads the one annotation over the metrics. Annotations are text, as every module here has them."""

    spread: tuple[str, tuple[str, ...], int]  # the name, its fields, and the place of the first of them

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        spread = None
        annotations: dict[str, Any] = {}
        for field, annotation in namespace.get("__annotations__", {}).items():
            names, kind = _fields_of(field, annotation)
            annotations |= dict.fromkeys(names, kind)
            if names != (field,):
                namespace |= dict(zip(names, namespace.pop(field, ()), strict=False))
                namespace[field] = property(attrgetter(*names))
                spread = field, names
        made: Any = super().__new__(cls, name, bases, namespace | {"__annotations__": annotations}, **options)
        if spread is not None:
            made.spread = *spread, made.__struct_fields__.index(spread[1][0])
        return made

    def __call__(cls, *values: Any, **named: Any) -> Any:
        field, names, place = cls.spread
        if field in named:
            named |= zip(names, named.pop(field), strict=True)
        elif len(values) > place:
            values = *values[:place], *values[place], *values[place + 1 :]
        return super().__call__(*values, **named)


def _fields_of(field: str, annotation: str) -> tuple[tuple[str, ...], str]:
    """The fields that an annotated name stands for, and what each of them is."""
    for mark, prefix in MARKS.items():
        if annotation.startswith(mark):
            return tuple(prefix + metric for metric in METRICS), annotation.removeprefix(mark).removesuffix("]")
    return (field,), annotation


class MetricStruct(Struct, metaclass=MetricStructMeta):
    """What structs with a `PerMetric` field are made of."""
