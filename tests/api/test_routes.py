"""Every address there is: who may, with which methods, and how it refuses."""

from __future__ import annotations

import ast
import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

import webapp
from tests.api.shapes import Shapes
from tests.api.tour import ADMIN, BY_ID, Demo
from webapp.api import ROUTES
from webapp.api.http.asking import FieldsQuery
from webapp.api.http.codes import CODES, UNROUTED
from webapp.api.http.openapi import problem_codes
from webapp.api.http.routes import Route

PUBLIC = {"/health", "/ready", "/openapi.json", "/docs"}
PUBLIC_PAGES = {"/sign-in", "/sign-out", "/static/<name>"}
PACKAGE = Path(webapp.__file__).parent
RAISERS = {"HttpProblem", "NotFound", "Invalid", "StoreError"}


def rules(demo: Demo) -> list[Rule]:
    """Those of the API; `tests/dashboard` looks at the pages."""
    found = demo.client.application.url_map.iter_rules()
    return [rule for rule in found if not rule.endpoint.startswith("dashboard.")]


def is_page(rule: Rule) -> bool:
    return str(rule.endpoint).startswith("dashboard.")


def test_nothing_is_open_that_is_not_on_the_public_list(quiet_demo: Demo) -> None:
    for rule in rules(quiet_demo):
        for method in (rule.methods or set()) - {"OPTIONS"} if rule.rule not in PUBLIC | PUBLIC_PAGES else ():
            answer = quiet_demo.client.open(quiet_demo.path(rule.rule), method=method)

            if is_page(rule):
                told = (answer.status_code, answer.headers.get("Location", "").partition("?")[0])
                assert told == (303, "/sign-in"), (method, rule.rule)
            else:
                assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True), (method, rule.rule)


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_what_is_public_needs_no_token(quiet_demo: Demo, path: str) -> None:
    assert quiet_demo.client.get(path).status_code == 200


def test_the_app_has_the_routes_of_the_table_and_no_others(quiet_demo: Demo) -> None:
    api = [rule for rule in rules(quiet_demo) if not is_page(rule)]
    in_app = {(rule.endpoint, rule.rule, method) for rule in api for method in (rule.methods or set())}
    in_table = {(route.name, route.path, route.method) for route in ROUTES}

    assert {found for found in in_app if found[2] not in ("HEAD", "OPTIONS")} == in_table
    assert len(in_table) == len(ROUTES)


def test_nothing_is_made_to_build_addresses_with(quiet_demo: Demo) -> None:
    with pytest.raises(NotImplementedError):
        quiet_demo.client.application.url_map.bind("here").build("get_health")


def test_what_only_reads_is_read_with_get() -> None:
    assert {route.method for route in ROUTES if route.access == "read"} <= {"GET"}


def test_options_names_the_methods_without_a_token_and_without_a_body(quiet_demo: Demo) -> None:
    for rule in rules(quiet_demo):
        answer = quiet_demo.client.options(quiet_demo.path(rule.rule))

        alike = [other.methods or set() for other in rules(quiet_demo) if other.rule == rule.rule]
        allowed = ", ".join(sorted(set().union(*alike)))
        assert (answer.status_code, answer.headers["Allow"], answer.data) == (204, allowed, b""), rule.rule
        assert "Content-Type" not in answer.headers


def test_options_of_an_address_that_is_not_there_is_not_found(quiet_demo: Demo) -> None:
    answer = quiet_demo.client.options("/api/nothing")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def told(answer: TestResponse) -> dict[str, str]:
    """The headers that do not depend on when or how the answer was sent."""
    return {name: value for name, value in answer.headers.items() if name not in ("Date", "Content-Length")}


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.name)
def test_head_answers_as_get_does_without_the_body(quiet_demo: Demo, route: Route) -> None:
    got = quiet_demo.client.get(quiet_demo.path(route.path), headers=ADMIN, buffered=True)
    head = quiet_demo.client.head(quiet_demo.path(route.path), headers=ADMIN, buffered=True)

    assert (head.status_code, head.data) == (got.status_code, b"")
    assert told(head) == told(got)


@pytest.mark.parametrize("route", [route for route in ROUTES if 304 in route.answers], ids=lambda route: route.name)
def test_the_same_bytes_are_not_sent_twice(quiet_demo: Demo, route: Route) -> None:
    first = quiet_demo.client.get(quiet_demo.path(route.path), headers=ADMIN)
    again = quiet_demo.client.get(quiet_demo.path(route.path), headers=ADMIN | {"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.name)
def test_an_address_answers_with_a_slash_behind_it_like_without(quiet_demo: Demo, route: Route) -> None:
    path = quiet_demo.path(route.path)
    got, slashed = (quiet_demo.client.get(one, headers=ADMIN, buffered=True) for one in (path, f"{path}/"))

    assert (slashed.status_code, slashed.data) == (got.status_code, got.data)
    assert told(slashed) == told(got)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=lambda route: route.name)
def test_what_changes_something_is_refused_with_a_slash_as_without(quiet_demo: Demo, route: Route) -> None:
    for status, request in bad_requests(quiet_demo, route):
        answer = quiet_demo.client.open(**{"method": route.method} | request | {"path": f"{request['path']}/"})

        assert answer.status_code == status, request


@pytest.mark.parametrize("path", ["/api/admin/smart_sync//", "/api//admin/smart_sync", "//"])
def test_more_slashes_than_one_at_the_end_lead_nowhere(quiet_demo: Demo, path: str) -> None:
    assert quiet_demo.client.post(path, headers=ADMIN).status_code == 404


def bad_requests(demo: Demo, route: Route) -> Iterator[tuple[int, dict[str, Any]]]:
    """Requests to a route that have to fail, with the status they get."""
    path, sent = demo.path(route.path), demo.sent(route.name)
    good: dict[str, Any] = {"path": path, "headers": ADMIN} | sent
    yield 422, good | {"query_string": "nonsense=1"}
    yield 400, good | {"query_string": "project_id=%ff"}
    yield 405, good | {"method": "BREW"}
    if route.access != "public":
        yield 401, {"path": path}
        # From an address of its own: one that keeps guessing is slowed down.
        from_there = {"REMOTE_ADDR": route.name}
        wrong = {"Authorization": "Bearer a-wrong-token-0123456789"}
        yield 401, {"path": path, "headers": wrong, "environ_base": from_there}
    if route.method != "GET":
        without = {name: value for name, value in good.items() if name != "json"}
        yield 400, without | {"data": b"[]"}
        yield 413, without | {"data": b" " * (4 * 1024 * 1024 + 1)}
        yield 422, good | {"json": {"nonsense": 1}}
    if any(code.endswith("_not_found") for code in route.problems) and "<" in route.path:
        missing = {"project_id": "none", "run_id": "none", "link_id": "none", "account_id": 9**15, "held_id": 9**15}
        missing |= {"alert_id": 9**15, "threshold_id": 9**15}
        yield 404, good | {"path": demo.path(route.path, missing)}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_refusal_is_a_problem_document_that_the_route_told_of(quiet_demo: Demo, route: Route) -> None:
    shapes = Shapes(quiet_demo.document.spec)
    for status, request in bad_requests(quiet_demo, route):
        answer = quiet_demo.client.open(**{"method": route.method} | request)

        assert answer.mimetype == "application/problem+json", (request, answer.data)
        body = answer.get_json()
        assert (answer.status_code, body["status"], CODES[body["code"]].status) == (status, status, status), request
        schema = shapes.schema_of(route.name, status, "application/problem+json")
        assert schema is not None
        assert shapes.wrong(schema, body) == [], request
        assert body["code"] in shapes.codes_of(route.name, status), request
        assert len(answer.data) < 4096
        assert answer.headers["Cache-Control"] == "no-store"


TABLES = [route for route in ROUTES if route.path.endswith(".csv")]


@pytest.mark.parametrize("route", TABLES, ids=lambda route: route.name)
def test_a_table_is_had_at_its_own_address_and_by_its_format(quiet_demo: Demo, route: Route) -> None:
    path = quiet_demo.path(route.path)

    table = quiet_demo.client.get(path, headers=ADMIN)
    same = quiet_demo.client.get(path.removesuffix(".csv"), headers=ADMIN, query_string={"format": "csv"})

    assert (table.status_code, table.mimetype) == (200, "text/csv")
    assert (table.data, told(table) | {"ETag": ""}) == (same.data, told(same) | {"ETag": ""})
    assert table.data.startswith(b"\xef\xbb\xbf")
    assert not any(cell.startswith(("{", "[")) for row in csv.reader(table.text.splitlines()) for cell in row)


@pytest.mark.parametrize("route", TABLES, ids=lambda route: route.name)
def test_the_address_of_a_table_takes_no_other_format(quiet_demo: Demo, route: Route) -> None:
    answer = quiet_demo.client.get(quiet_demo.path(route.path), headers=ADMIN, query_string={"format": "json"})

    assert (answer.status_code, answer.get_json()["field"]) == (422, "format")


def test_every_list_that_can_be_a_table_has_an_address_for_it() -> None:
    lists = {route.path for route in ROUTES if issubclass(route.query, FieldsQuery)}

    assert {route.path for route in TABLES} == {path for path in lists if path.endswith(".csv")}
    assert {path.removesuffix(".csv") for path in lists} == lists - {route.path for route in TABLES}


def raised_codes() -> set[str]:
    """Codes that stand in the source where a problem, or an error that becomes one, is made."""
    found: set[str] = set()
    for path in [*PACKAGE.glob("api/**/*.py"), *PACKAGE.glob("store/*.py"), PACKAGE / "sync/engine.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISERS:
                said = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                said += node.args[1:2] if node.func.id == "HttpProblem" else []
                found |= {str(one.value) for one in said if isinstance(one, ast.Constant)}
    return found


def test_every_code_that_is_raised_is_in_the_one_list_of_codes() -> None:
    raised = raised_codes()

    assert len(raised) > 15
    assert raised <= set(CODES)


def test_every_code_of_the_list_belongs_to_some_route_or_comes_before_there_is_one() -> None:
    told = {code for route in ROUTES for code in problem_codes(route)}

    assert told == set(CODES) - UNROUTED


def test_operations_have_names_of_their_own() -> None:
    assert len(BY_ID) == len(ROUTES)


def structs_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Every struct that a body of this type is made of."""
    seen: set[Any] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            yield one
            waiting += get_type_hints(one, include_extras=False).values()
        waiting += get_args(one)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.name)
def test_no_body_takes_what_it_does_not_name(route: Route) -> None:
    kinds = list(structs_in(route.body))

    assert kinds
    for kind in kinds:
        assert kind.__struct_config__.forbid_unknown_fields, kind


def test_a_fault_of_ours_is_answered_without_its_words(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("the-inside-of-the-service")

    monkeypatch.setattr("webapp.api.views.health.ensure_migrated", fail)

    answer = demo.client.get("/ready")

    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    assert "inside" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.usefixtures("processes")
def test_requests_that_are_the_first_of_their_kind_may_come_together() -> None:
    """Two threads that are the first to come to a type crash the process."""
    code = """
import sys, threading
from flask import Flask
from webapp import api
from webapp.api.http.requests import convert
from webapp.api.http.routes import add_routes
routes = api.routes(get_trigger=False)
add_routes(Flask("app"), routes)
body = next(route.body for route in routes if route.body and "readings" in route.path and route.method == "POST")
reading = {"account_id": 1, "observed_at": "2026-03-02T10:00:00Z", "followers": 1}
sys.setswitchinterval(1e-6)
ready = threading.Barrier(8)
def ask():
    ready.wait()
    convert({"readings": [reading]}, body, strict=True)
threads = [threading.Thread(target=ask) for _ in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
"""
    ended = [subprocess.run([sys.executable, "-c", code], check=False, capture_output=True) for _ in range(4)]

    assert [(one.returncode, one.stderr) for one in ended] == [(0, b"")] * 4
