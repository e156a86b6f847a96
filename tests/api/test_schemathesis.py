"""Requests that nobody thought of, made from the document: whatever comes, the answer is one that it tells of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

from tests.api.shapes import Shapes
from tests.api.tour import ADMIN as TOKEN
from tests.api.tour import Demo, demo_on
from webapp.access import Gate
from webapp.api import ROUTES
from webapp.api.http.openapi import openapi_path
from webapp.api.http.routes import Route
from webapp.clock import Clock

# The same requests each time, and few: this looks for holes in every test run; it is no search for all of them.
ASKED = settings(
    max_examples=settings().max_examples // 10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


ADMIN = TOKEN | {"Accept-Encoding": "identity"}  # without a server between, packed answers are taken for text


def takes_something(route: Route) -> bool:
    return bool(route.query.__struct_fields__ or route.body or "<" in route.path)


# A request that takes nothing cannot be made wrong.
CASES = [
    pytest.param(route, mode, id=f"{route.name}-{mode.value}")
    for route in sorted(ROUTES, key=lambda route: route.method == "DELETE")  # what is gone cannot be asked for
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or takes_something(route)
]


@pytest.fixture(scope="module")
def busy_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that takes whatever comes, and whose minutes are short: whoever guesses tokens is not slowed down."""
    demo = demo_on(f"sqlite:///{tmp_path_factory.mktemp('fuzzed')}/demo.db")
    minutes = count(step=60)
    demo.client.application.extensions["smart_sync"][Gate] = Gate(Clock(monotonic=lambda: float(next(minutes))))
    yield demo
    assert demo.parts.background.shut_down(30.0)
    demo.parts.db.close()


@pytest.fixture(scope="module")
def api(busy_demo: Demo) -> BaseSchema:
    return schemathesis.openapi.from_wsgi("/openapi.json", busy_demo.client.application)


@pytest.mark.parametrize(("route", "mode"), CASES)
def test_every_answer_is_one_the_document_tells_of(
    api: BaseSchema, busy_demo: Demo, route: Route, mode: GenerationMode
) -> None:
    # Every check but one: some rules are beyond a schema, such as an end that has to come after its beginning.

    shapes = Shapes(busy_demo.document.spec)

    @ASKED
    @given(api[openapi_path(route)][route.method].as_strategy(generation_mode=mode), st.booleans())
    def ask(case: schemathesis.Case[Any], known: bool) -> None:
        left_out: list[Any] = [positive_data_acceptance]
        if known and case.path_parameters:
            case.path_parameters |= {name: busy_demo.values[name] for name in case.path_parameters}
            left_out.append(negative_data_rejection)  # what was wrong with the request may have been its path
        if case.query and "fields" in case.query:
            left_out.append(response_schema_conformance)  # a line with some of its fields lacks required ones
        answer = case.call_and_validate(headers=ADMIN, excluded_checks=left_out)
        if answer.headers.get("content-type", [""])[0] == "application/problem+json":
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["code"] in shapes.codes_of(route.name, answer.status_code)

    ask()
