"""What people type into forms, as values."""

from __future__ import annotations

import re
from datetime import date, datetime

from flask import request

from webapp.dashboard.entrance import FORM_LIMIT
from webapp.errors import Invalid
from webapp.model import METRICS, Metric
from webapp.rules.history import end_of

LONGEST_COUNT = 15  # digits: more than any count has
WHOLE = re.compile(r"[0-9]+|[0-9]{1,3}(?:[,.\s][0-9]{2,3})*[,.\s][0-9]{3}")  # 1.5 is a fraction, and not 15


def text_in(field: str) -> str | None:
    """What stands in a field; None for nothing."""
    request.max_content_length = FORM_LIMIT
    return request.form.get(field, "").strip() or None


def count_of(text: str) -> int:
    """A number as people type it, with or without separators of thousands.

    Raises: Invalid.
    """
    digits = re.sub(r"[,.\s]", "", text)
    if not WHOLE.fullmatch(text) or len(digits) > LONGEST_COUNT:
        raise Invalid(f"{text[:20]!r} is no whole number", field="value", code="invalid_parameter")
    return int(digits)


def metric_of(text: str) -> Metric:
    """Raises: Invalid."""
    found = next((metric for metric in METRICS if metric == text), None)
    if found is None:
        raise Invalid(f"{text[:20]!r} is no metric", field="metric", code="invalid_parameter")
    return found


def day_in(field: str) -> date | None:
    """The day in a field; None for nothing.

    Raises: Invalid.
    """
    text = text_in(field)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{field}: {text[:20]!r} is no day", field=field, code="invalid_parameter") from None


def end_of_day_in(field: str) -> datetime | None:
    """The end of the UTC day in a field; None for nothing.

    Raises: Invalid.
    """
    day = day_in(field)
    try:
        return None if day is None else end_of(day)
    except OverflowError:
        raise Invalid(f"{field}: {day} is too far ahead", field=field, code="invalid_parameter") from None
