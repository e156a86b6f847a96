"""What a page is asked by its address, as far as it makes sense."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import request

from webapp.model import METRICS, Metric

PERIODS = (7, 30, 90, 365)
LONGEST_SPAN = 3 * 366  # days back
MOST_DAYS = 366  # that are shown one by one
LONGEST_PAGE = 6  # digits


def metric_in_query() -> Metric:
    asked = request.args.get("metric", "views")
    return next((metric for metric in METRICS if metric == asked), "views")


def days_in_query() -> int:
    asked = request.args.get("days", "30")
    return int(asked) if asked in map(str, PERIODS) else 30


def page_in_query() -> int:
    """Which page of a list, from 1 on; there may be fewer."""
    number = request.args.get("page", "1")
    known = number.isascii() and number.isdigit() and len(number) <= LONGEST_PAGE
    return max(1, int(number)) if known else 1


class DaySpan(NamedTuple):
    """The days that are looked at, both included. chosen: by two dates, not by how many. wrong: why those that were asked
    for are not shown.
    """

    first: date
    last: date
    chosen: bool = False
    wrong: str = ""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def weekly(self) -> bool:
        """Whether it is shown week by week."""
        return self.days > MOST_DAYS


def span_in_query(today: date) -> DaySpan:
    """`from` and `to`, where both are days that make sense; else the latest days."""
    first, last = _day(request.args.get("from")), _day(request.args.get("to"))
    wrong = _refuse(first, last, today)
    if first is not None and last is not None and not wrong:
        return DaySpan(first, last, chosen=True)
    asked = request.args.get("from") or request.args.get("to")
    return DaySpan(today - timedelta(days=days_in_query() - 1), today, wrong=wrong if asked else "")


def _refuse(first: date | None, last: date | None, today: date) -> str:
    """Why two days cannot be looked at, in words; nothing where they can."""
    if first is None or last is None:
        return "It takes two days, such as 2026-01-31."
    if first > last:
        return f"The first day, {first}, is behind the last, {last}."
    if last > today:
        return f"{last} is still to come: today is {today} (UTC)."
    if (today - first).days > LONGEST_SPAN:
        return f"{first} is further back than three years."
    return ""


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def links() -> dict[str, Any]:
    """`link(days=7)`: this page, asked for with that changed; the first page of a list unless it says another.

    `asked`: what it was asked for.
    """

    def link(**changed: Any) -> str:
        asked = {name: value for name, value in request.args.items() if name != "page"} | changed
        return "?" + urlencode({name: value for name, value in asked.items() if value not in ("", None)})

    return {"link": link, "asked": request.args}
