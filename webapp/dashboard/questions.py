"""What a page is asked by its address, as far as it makes sense."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request

from webapp.model import METRICS, Metric

PERIODS = (7, 30, 90, 365)


def metric_in_query() -> Metric:
    asked = request.args.get("metric", "views")
    return next((metric for metric in METRICS if metric == asked), "views")


def days_in_query() -> int:
    asked = request.args.get("days", "30")
    return int(asked) if asked in map(str, PERIODS) else 30


def links() -> dict[str, Any]:
    """`link(days=7)`: this page, asked for with that changed; the first page of a list unless it says another."""

    def link(**changed: Any) -> str:
        asked = {name: value for name, value in request.args.items() if name != "page"} | changed
        return "?" + urlencode({name: value for name, value in asked.items() if value not in ("", None)})

    return {"link": link}
