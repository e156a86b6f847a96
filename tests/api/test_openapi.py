"""The document of the API: valid, complete, and true of what is really answered."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import unified_diff
from hashlib import sha256
from typing import Any

import msgspec
import openapi_spec_validator
import pytest
from flask import Response
from werkzeug.test import TestResponse

from tests.api import wire
from tests.api.shapes import Shapes
from tests.api.tour import ADMIN, BY_ID, Demo, demo_on, tour
from tests.api.tour import examples as make_examples
from webapp.api import ROUTES, routes
from webapp.api.http.codes import CODES
from webapp.api.http.docs import page_of
from webapp.api.http.openapi import EXAMPLES, TAGS, Document
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.corrections import Done
from webapp.api.shapes.runs import RunReport
from webapp.api.views import smart_sync as admin
from webapp.sync.trigger import Trigger

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


@pytest.fixture(scope="module")
def document() -> Document:
    return Document(ROUTES)


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return found


def operations(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, told in document.spec["paths"].items():
        for method, operation in told.items():
            yield f"{method.upper()} {path}", operation


def wrong_with(shapes: Shapes, operation: str, answer: TestResponse) -> list[str]:
    """How an answer differs from what the document tells of it."""
    schema = shapes.schema_of(operation, answer.status_code, answer.mimetype or "")
    assert schema is not None, f"{operation}: {answer.status} {answer.mimetype} is not documented"
    if not answer.is_json:
        return []
    return [f"{operation} {answer.status_code} {line}" for line in shapes.wrong(schema, answer.get_json())]


def test_examples_are_the_same_whenever_they_are_made() -> None:
    first, second = make_examples(), make_examples()

    assert first == second
    assert set(json.loads(first)) == set(json.loads(EXAMPLES.read_text(encoding="utf-8")))


# The document itself


def test_the_document_is_valid(document: Document) -> None:
    openapi_spec_validator.validate(document.spec)

    assert document.spec["openapi"].startswith("3.1.")


def test_the_document_is_served_as_json_to_everybody(quiet_demo: Demo) -> None:
    answer = quiet_demo.client.get("/openapi.json")

    assert (answer.status_code, answer.content_type) == (200, JSON)
    assert answer.get_json() == json.loads(quiet_demo.document.body)
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_document_is_made_once_in_a_process(document: Document) -> None:
    assert document.body is document.body
    assert page_of(document) is page_of(document)


def test_every_route_is_in_the_document_and_nothing_else(document: Document) -> None:
    told = {operation["operationId"] for _, operation in operations(document)}

    assert told == set(BY_ID)


def test_the_wire_is_what_it_was() -> None:
    said = wire.GOLDEN.read_text(encoding="utf-8").splitlines()
    changed = "\n".join(unified_diff(said, wire.current().splitlines(), "golden", "now", lineterm="", n=2))

    assert not changed, f"clients notice this; if it is meant, run `python -m tests.api.wire`:\n{changed}"


def test_names_on_the_wire_are_chosen_by_hand(document: Document) -> None:
    names = {*document.spec["components"]["schemas"], *document.spec["components"]["responses"]}

    assert all(re.fullmatch(r"([A-Z][a-z]+)+", name) for name in names), "one word after the other, no module path"
    assert not {name for name in names if name.endswith(("Out", "Shown", "Body"))}
    assert all(schema["title"] == name for name, schema in document.spec["components"]["schemas"].items())


def test_operations_are_called_by_a_verb_and_at_most_two_more_words() -> None:
    for route in routes(get_trigger=True):
        assert re.fullmatch(r"[a-z]+(_[a-z]+){1,2}", route.name), route.name


def test_every_problem_has_the_one_schema(document: Document) -> None:
    shared = document.spec["components"]["responses"]
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            known = shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
            if "x-codes" in known:
                schema = known["content"][PROBLEM_JSON]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (name, status)
                assert {CODES[code].status for code in known["x-codes"]} == {int(status)}, (name, status)


def test_an_operation_answers_one_kind_of_body_when_it_goes_well(document: Document) -> None:
    for name, operation in operations(document):
        bodies = [
            list(answer.get("content", ())) for status, answer in operation["responses"].items() if status < "300"
        ]
        assert all(len(kinds) <= 1 for kinds in bodies), name


def test_every_tag_is_described_and_used(document: Document) -> None:
    described = {tag["name"] for tag in document.spec["tags"] if tag["description"]}

    assert described == {tag for _, operation in operations(document) for tag in operation["tags"]} == set(TAGS)


def test_every_operation_says_what_it_does_and_takes(document: Document) -> None:
    for name, operation in operations(document):
        assert operation["summary"].endswith((".", ":")), name
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (name, parameter["name"])
            assert parameter["schema"], (name, parameter["name"])


def test_every_operation_has_an_answer_for_when_it_goes_well(document: Document) -> None:
    for name, operation in operations(document):
        assert any(status < "300" for status in operation["responses"]), name


def test_a_query_does_not_offer_null(document: Document) -> None:
    queries = [one for _, operation in operations(document) for one in operation.get("parameters", [])]

    assert "null" not in json.dumps([one["schema"] for one in queries if one["in"] != "header"])


def test_every_schema_is_used(document: Document) -> None:
    used = set(re.findall(r'"#/components/(\w+/[^"]+)"', document.body.decode()))
    there = {
        f"{kind}/{name}"
        for kind, found in document.spec["components"].items()
        for name in found
        if kind != "securitySchemes"
    }

    # Headers that no route of this version answers with are told of all the same.
    assert used <= there
    assert {one for one in there - used if not one.startswith("headers/")} == set()


def test_the_tokens_that_open_an_operation_are_told(document: Document) -> None:
    for route in ROUTES:
        operation = document.spec["paths"][re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)][route.method.lower()]
        names = {name for choice in operation["security"] for name in choice}
        expected = {"public": set(), "admin": {"adminToken"}, "read": {"adminToken", "readToken"}}[route.access]

        assert names - {"shareToken"} == expected
        assert ("shareToken" in names) == (route.access == "read" and "_id>" in route.path)


def test_public_reads_are_told() -> None:
    operations_told = list(operations(Document(ROUTES, public_reads=True)))
    reads = {route.name for route in ROUTES if route.access == "read"}

    free = {operation["operationId"] for _, operation in operations_told if {} in operation["security"]}
    assert free == reads


def test_the_way_for_callers_that_only_get_is_told_where_it_is_open() -> None:
    document = Document(routes(get_trigger=True))

    openapi_spec_validator.validate(document.spec)
    assert set(document.spec["paths"]["/api/admin/smart_sync"]) == {"get", "post"}


def test_an_unknown_code_is_no_problem_of_a_route() -> None:
    route = replace(ROUTES[0], problems=["no_such_code"])

    with pytest.raises(KeyError, match="no_such_code"):
        Document([route]).spec.keys()


# Examples


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_examples_are_what_the_document_says(document: Document, examples: Mapping[str, Any], route: Route) -> None:
    operation = route.name
    status = min(status for status in route.answers if status < 300)
    schema = Shapes(document.spec).schema_of(operation, status, JSON)
    if schema is None or operation == "get_openapi":  # an example of the document would be the document
        assert operation not in examples
        return
    statuses = [status for status in route.answers if status < 300]
    schemas = [Shapes(document.spec).schema_of(operation, status, JSON) for status in statuses]

    wrong = [Shapes(document.spec).wrong(one or {}, examples[operation]["answer"]) for one in schemas]

    assert [] in wrong


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.name)
def test_examples_of_bodies_are_understood(examples: Mapping[str, Any], route: Route) -> None:
    assert route.body is not None
    assert isinstance(msgspec.convert(examples[route.name]["request"], route.body), route.body)


def test_there_is_no_example_of_what_is_not_there(examples: Mapping[str, Any]) -> None:
    assert set(examples) <= set(BY_ID)


# Real answers


def test_real_answers_have_exactly_the_documented_fields(demo: Demo) -> None:
    shapes = Shapes(demo.document.spec)
    visited = set()

    for operation, _, answer in tour(demo):
        visited.add(operation)
        assert answer.status_code < 300, (operation, answer.get_json())
        assert wrong_with(shapes, operation, answer) == []

    assert visited == set(BY_ID), "every operation needs a line in tests/api/tour.py"


def test_examples_have_the_fields_of_real_answers(demo: Demo, examples: Mapping[str, Any]) -> None:
    for operation, _, answer in tour(demo):
        if operation in examples:
            assert answer.get_json().keys() == examples[operation]["answer"].keys(), (
                f"{operation}: run `python -m tests.api.tour`"
            )


def test_fields_that_come_only_sometimes_do_come(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = Shapes(demo.document.spec)

    def trigger(**how: Any) -> TestResponse:
        answer = demo.client.post("/api/admin/smart_sync", **{"headers": ADMIN} | how)
        assert wrong_with(shapes, "smart_sync", answer) == []
        return answer

    one = {"project_id": demo.values["project_id"]}
    keyed = ADMIN | {"Idempotency-Key": "today"}
    trigger(query_string={"summary": "true"})
    trigger(query_string=one | {"dry_run": "true"})
    trigger(query_string={"dry_run": "true"})
    trigger(headers=keyed, query_string=one)
    assert trigger(headers=keyed, query_string=one).get_json()["replayed"]
    assert trigger(headers=keyed, query_string=one | {"summary": "true"}).get_json()["replayed"]
    trigger(headers=ADMIN | {"Idempotency-Key": "all"})
    assert trigger(headers=ADMIN | {"Idempotency-Key": "all"}).get_json()["replayed"]
    demo.parts.engine.start(Trigger(force=True))
    assert trigger(query_string={"force": "true"}).get_json()["coalesced"]
    assert trigger(query_string={"force": "true", "summary": "true"}).get_json()["coalesced"]
    demo.parts.engine.start(Trigger(force=True, project_id=one["project_id"]))
    assert trigger(query_string=one | {"force": "true"}).status_code == 202
    monkeypatch.setattr(admin, "BODY_LIMIT", 1_500)
    assert trigger().get_json()["truncated"]

    assert optional_fields(RunReport) <= {field for name, field in shapes.seen if name == "RunReport"}


def optional_fields(kind: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind) if not field.required}


def test_a_project_and_the_service_tell_how_they_stand(demo: Demo) -> None:
    shapes = Shapes(demo.document.spec)
    demo.parts.engine.start(Trigger())

    everything = demo.call("sync_status")
    one = demo.call("sync_status", query_string={"project_id": demo.values["project_id"]})

    assert wrong_with(shapes, "sync_status", everything) == []
    assert wrong_with(shapes, "sync_status", one) == []
    assert {"RunningRun", "SyncStatus", "ProjectSyncStatus", "SpreadsheetStatus"} <= {name for name, _ in shapes.seen}


def test_a_project_that_was_not_synced_in_time_is_told_as_documented(tmp_path: Any) -> None:
    demo = demo_on(f"sqlite:///{tmp_path}/demo.db")
    shapes = Shapes(demo.document.spec)
    with demo.parts.db.write() as tx:
        tx.exec_driver_sql("UPDATE projects SET synced_at = NULL")

    answer = demo.call("sync_status")
    demo.parts.db.close()

    assert wrong_with(shapes, "sync_status", answer) == []
    assert "StaleProject" in {name for name, _ in shapes.seen}


def test_a_reading_that_fits_no_account_is_told_as_documented(demo: Demo) -> None:
    shapes = Shapes(demo.document.spec)

    answer = demo.call("put_readings", json={"readings": [{"account_id": 999_999, "views": 1}]})

    assert wrong_with(shapes, "put_readings", answer) == []
    assert "UnmatchedReading" in {name for name, _ in shapes.seen}


def test_a_failed_trigger_is_told_as_documented(demo: Demo) -> None:
    shapes = Shapes(demo.document.spec)
    with demo.parts.db.write() as tx:
        tx.exec_driver_sql(
            "UPDATE projects SET worksheet_id = 'gone', worksheet_title = NULL WHERE name = 'Beauty Lab'"
        )

    answer = demo.call("smart_sync", query_string={"strict": "true"})

    assert answer.status_code == 502
    assert wrong_with(shapes, "smart_sync", answer) == []


# The page for people


def test_the_page_loads_nothing_and_runs_nothing(quiet_demo: Demo) -> None:
    answer = quiet_demo.client.get("/docs")

    policy = answer.headers["Content-Security-Policy"]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]+='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        policy,
    )
    text = answer.get_data(as_text=True)
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert [b64encode(sha256(css.encode()).digest()).decode() in policy for css in style] == [True]
    assert not re.search(r"<script|<link|<img|<iframe|\son\w+=|style=|src=|url\(|@import", text)
    assert {reference for reference in re.findall(r'href="([^"]*)"', text) if not reference.startswith("#")} == {
        "/openapi.json"
    }


def test_the_page_shows_every_operation_code_and_schema(quiet_demo: Demo) -> None:
    text = quiet_demo.client.get("/docs").get_data(as_text=True)

    names = {*BY_ID, *quiet_demo.document.spec["components"]["schemas"], *(f"code-{code}" for code in CODES)}
    places = re.findall(r'id="([^"]+)"', text)
    assert names <= set(places)
    assert len(places) == len(set(places))


def test_links_within_the_page_lead_somewhere(quiet_demo: Demo) -> None:
    text = quiet_demo.client.get("/docs").get_data(as_text=True)

    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))


def hostile(_: NoQuery) -> Response:
    """<script>alert(1)</script> `<b>` & co.

    "><img src=x onerror=alert(2)>
    """
    return json_answer({})


def test_words_from_the_source_are_text_in_the_page() -> None:
    document = Document([Route("hostile", "service", "GET", "/hostile", hostile, "public", answers={200: Done})])

    page = page_of(document).decode()

    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "<code>&lt;b&gt;</code> &amp; co." in page
