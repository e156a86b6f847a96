"""Calls of the editing routes, and what an editor wants to know."""

from __future__ import annotations

from typing import Any

from tests.fakes.service import ADMIN, Service

__all__ = ["account_id", "call", "code_of"]


def call(service: Service, method: str, path: str, json: Any = None, status: int = 200, **query: str) -> Any:
    """One call with the admin token, and its answer's JSON."""
    answer = service.client.open(path, method=method, json=json, query_string=query, headers=ADMIN)
    assert answer.status_code == status, answer.text
    return answer.json


def code_of(service: Service, method: str, path: str, json: Any = None, **query: str) -> tuple[int, str, str | None]:
    """(status, code, field) of the problem that a call is answered with."""
    answer = service.client.open(path, method=method, json=json, query_string=query, headers=ADMIN)
    assert answer.json is not None
    assert answer.content_type == "application/problem+json", answer.text
    return answer.status_code, answer.json["code"], answer.json.get("field")


def account_id(service: Service, url: str) -> int:
    number: int = service.account(url)["id"]
    return number
