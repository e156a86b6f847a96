"""The document of the API in OpenAPI 3.1, made from the same table of routes as the app."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import msgspec
from flask import Response, request

from webapp import __version__, web
from webapp.api.http.codes import CODES, STORE_CODES
from webapp.api.http.routes import Answer, NoQuery, Route, Tag
from webapp.api.shapes.problems import ProblemOut
from webapp.model import Metric

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
REFERENCE = "#/components/schemas/{name}"
EXAMPLES = Path(__file__).with_name("examples.json")
DESCRIPTION = (
    "Hand-kept Google Sheet numbers, merged with what platforms say; one snapshot per account and UTC day. "
    "Times are RFC 3339 in UTC. Counts are whole numbers; null means not observed, never zero. "
    "An unknown, empty or repeated parameter is refused. Answers may get new fields; skip those you do not know."
)
Schema = dict[str, Any]


class PathValues(msgspec.Struct):
    """What the parts of a path mean that differ from call to call."""

    project_id: Annotated[str, msgspec.Meta(min_length=1, description="id of a project")]
    account_id: Annotated[int, msgspec.Meta(ge=1, description="id of an account")]
    run_id: Annotated[str, msgspec.Meta(min_length=1, description="id of a run")]
    held_id: Annotated[int, msgspec.Meta(ge=1, description="id of a held reading")]
    alert_id: Annotated[int, msgspec.Meta(ge=1, description="id of an alert")]
    threshold_id: Annotated[int, msgspec.Meta(ge=1, description="id of a watched number")]
    link_id: Annotated[str, msgspec.Meta(min_length=1, description="id of a share link")]
    metric: Annotated[Metric, msgspec.Meta(description="one of the five metrics")]
    day: Annotated[date, msgspec.Meta(description="a UTC day, such as 2026-03-31")]


TAGS: Mapping[Tag, str] = {
    "sync": "Start a sync, see how it goes and how the service stands.",
    "schedule": "When a project is synced by itself.",
    "projects": "Projects with their totals, and adding, changing and removing them.",
    "accounts": "Accounts with their counts, and adding, changing and removing them.",
    "history": "What became of the numbers over days, and which days are missing.",
    "readings": "Counts that other programs read of platforms, and those that were kept aside as implausible.",
    "corrections": "What a person decides about single numbers and profiles, and the record of it.",
    "sharing": "Tokens that open one project to read.",
    "alerts": "What somebody has to know, who is told of it, and which numbers are watched.",
    "service": "Whether the service works, and this document.",
}

# What parameters mean that say nothing else of themselves.
USUAL: Mapping[str, str] = {
    "account_id": "only of this account",
    "limit": "lines at most",
    "metric": "only of this metric",
    "project_id": "only of this project",
}

REQUEST_HEADERS: Mapping[str, Schema] = {
    "Idempotency-Key": {
        "description": "any text of yours; the same key within 24 hours is answered with the run it got first",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "If-None-Match": {
        "description": "the `ETag` you have; 304 while it still holds",
        "schema": {"type": "string"},
    },
    "Last-Event-ID": {
        "description": "the `id` of the last event you saw; browsers send it by themselves",
        "schema": {"type": "string"},
    },
    "Prefer": {
        "description": "`respond-async`: answer at once and go on without the caller",
        "schema": {"type": "string"},
    },
}

HEADERS: Mapping[str, Schema] = {
    "Allow": {"description": "the methods this address takes", "schema": {"type": "string"}},
    "Content-Disposition": {"description": "what the table is called when it is saved", "schema": {"type": "string"}},
    "Cache-Control": {"description": "who may keep the answer, and how", "schema": {"type": "string"}},
    "Content-Security-Policy": {"description": "what the page may load: nothing", "schema": {"type": "string"}},
    "ETag": {"description": "names these very bytes; send it back as `If-None-Match`", "schema": {"type": "string"}},
    "Last-Modified": {"description": "when the numbers last changed", "schema": {"type": "string"}},
    "Link": {"description": "`rel=next`: the address of the next page", "schema": {"type": "string"}},
    "Location": {"description": "where to ask how it goes", "schema": {"type": "string"}},
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "WWW-Authenticate": {"description": "how to say who you are", "schema": {"type": "string"}},
}

SECURITY_SCHEMES: Mapping[str, Schema] = {
    "adminToken": {"type": "http", "scheme": "bearer", "description": "SMART_SYNC_ADMIN_TOKEN: opens everything"},
    "readToken": {"type": "http", "scheme": "bearer", "description": "SMART_SYNC_READ_TOKEN: opens what only reads"},
    "shareToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "token of a share link: opens the reads of one project and of its accounts",
    },
}

TEXTS: Mapping[str, Schema] = {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "text/html")}

# Answers that many operations give, by the codes they carry; every other one stands where it is given.
SHARED: Mapping[tuple[str, ...], str] = {
    ("bad_query",): "BadQuery",
    ("bad_request", "bad_query", "bad_json"): "BadRequest",
    ("unauthorized",): "Unauthorized",
    ("forbidden",): "Forbidden",
    ("not_found", "project_not_found"): "ProjectNotFound",
    ("not_found", "account_not_found"): "AccountNotFound",
    ("method_not_allowed",): "MethodNotAllowed",
    ("body_too_large",): "BodyTooLarge",
    ("invalid_parameter",): "InvalidParameter",
    ("invalid_parameter", "unexpected_body"): "InvalidRequest",
    ("too_many_wrong_tokens",): "TooManyWrongTokens",
    ("internal_error",): "InternalError",
    tuple(STORE_CODES): "StoreUnavailable",
}

PROBLEM_HEADERS: Mapping[int, Sequence[str]] = {
    401: ["WWW-Authenticate"],
    405: ["Allow"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}


def problem_codes(route: Route) -> list[str]:
    """Every code the route may answer with: its own, and those that come with its kind."""
    codes = {"bad_query", "method_not_allowed", "invalid_parameter", "internal_error", *route.problems}
    if route.access != "public":
        codes |= {"unauthorized", "forbidden", "too_many_wrong_tokens"}
    if route.method != "GET":
        codes |= {"bad_request", "bad_json", "body_too_large"}
        codes |= set() if route.body else {"unexpected_body"}
    if "<" in route.path:
        codes.add("not_found")
    if route.store:
        codes |= set(STORE_CODES)
    return [code for code in CODES if code in codes] + sorted(codes - set(CODES))


class Document:
    """The document and its bytes, made at their first use and kept: they change with the code only.

    public_reads: whether the routes that read need no token in this service.
    """

    def __init__(self, routes: Sequence[Route], *, public_reads: bool = False) -> None:
        self.routes = tuple(routes)
        self._public_reads = public_reads

    @cached_property
    def body(self) -> bytes:
        return msgspec.json.encode(self.spec)

    @cached_property
    def spec(self) -> Schema:
        paths: dict[str, Schema] = {}
        used = {route.tag for route in self.routes}
        for route in self.routes:
            paths.setdefault(openapi_path(route), {})[route.method.lower()] = self._operation(route)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Smart Sync",
                "version": __version__,
                "description": DESCRIPTION,
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": tag, "description": TAGS[tag]} for tag in TAGS if tag in used],
            "paths": paths,
            "components": {
                "schemas": self._kinds[1],
                "responses": self._shared,
                "headers": dict(HEADERS),
                "securitySchemes": dict(SECURITY_SCHEMES),
            },
        }

    @cached_property
    def _kinds(self) -> tuple[dict[Any, Schema], dict[str, Schema]]:
        """{struct of a body or an answer: its schema}, {name: schema that others refer to}."""
        kinds = [ProblemOut, *(kind for route in self.routes for kind in _kinds_of(route))]
        unique = list(dict.fromkeys(kinds))
        schemas, named = msgspec.json.schema_components(unique, ref_template=REFERENCE)
        components = {schema_name(name): _component(name, schema) for name, schema in named.items()}
        return dict(zip(unique, _point(schemas), strict=True)), dict(sorted(components.items()))

    @cached_property
    def _examples(self) -> Mapping[str, Schema]:
        examples: Mapping[str, Schema] = msgspec.json.decode(EXAMPLES.read_bytes())
        return examples

    def _operation(self, route: Route) -> Schema:
        summary, _, description = inspect.cleandoc(route.view.__doc__ or "").partition("\n")
        operation: Schema = {
            "operationId": route.name,
            "tags": [route.tag],
            "summary": summary,
            "description": " ".join(description.split()),
            "security": self._security(route),
            "parameters": _parameters(route),
            "responses": self._responses(route),
        }
        if route.body is not None:
            content = {"schema": self._schema(route.body)} | self._example(route, "request")
            operation["requestBody"] = {"required": True, "content": {JSON: content}}
        return {name: value for name, value in operation.items() if value or name == "security"}

    def _security(self, route: Route) -> list[Schema]:
        if route.access == "public":
            return []
        names = ["adminToken"] if route.access == "admin" else ["readToken", "adminToken"]
        if route.access == "read" and ("<project_id>" in route.path or "account_id>" in route.path):
            names.append("shareToken")
        free: list[Schema] = [{}] if route.access == "read" and self._public_reads else []
        return [*free, *({name: []} for name in names)]

    def _example(self, route: Route, part: str) -> Schema:
        found = self._examples.get(route.name, {})
        return {"example": found[part]} if part in found else {}

    def _responses(self, route: Route) -> Schema:
        answers = {status: _answer(given) for status, given in route.answers.items()}
        responses = {status: self._response(route, status, answer) for status, answer in answers.items()}
        for status, codes in _by_status(problem_codes(route)).items():
            if status in responses:
                responses[status] = _join(responses[status], self._problem(status, codes))
            elif codes in SHARED:
                responses[status] = {"$ref": f"#/components/responses/{SHARED[codes]}"}
            else:
                responses[status] = self._problem(status, codes)
        return {str(status): responses[status] for status in sorted(responses)}

    def _response(self, route: Route, status: int, answer: Answer) -> Schema:
        response = _response(answer.words or HTTPStatus(status).phrase, ["Cache-Control", *answer.headers])
        content: dict[str, Schema] = {kind: dict(TEXTS.get(kind, {})) for kind in answer.media}
        if answer.body is not None:
            example = self._example(route, "answer") if status < 300 else {}  # noqa: PLR2004
            content = {JSON: {"schema": self._schema(answer.body)} | example} | content
        return response | ({"content": content} if content else {})

    def _schema(self, body: Any) -> Schema:
        if isinstance(body, tuple):
            return {"anyOf": [self._schema(kind) for kind in body]}
        schema: Schema = self._kinds[0][body]
        return schema

    def _problem(self, status: int, codes: Sequence[str]) -> Schema:
        """One schema for every problem, which generated clients understand; the codes stand beside it."""
        words = "; ".join(f"`{code}`: {CODES[code].meaning}" for code in codes)
        return _response(words, ["Cache-Control", *PROBLEM_HEADERS.get(status, ())]) | {
            "content": {PROBLEM_JSON: {"schema": self._schema(ProblemOut)}},
            "x-codes": list(codes),
        }

    @cached_property
    def _shared(self) -> dict[str, Schema]:
        """The answers that operations of this document share."""
        given = {codes for route in self.routes for codes in _by_status(problem_codes(route)).values()}
        shared = {SHARED[codes]: self._problem(CODES[codes[0]].status, codes) for codes in SHARED if codes in given}
        return dict(sorted(shared.items()))


def schema_name(struct: str) -> str:
    """What a struct is called on the wire: `Account` for `AccountOut`, whose plain name is that of a row."""
    return struct.removesuffix("Out")


def _component(struct: str, schema: Schema) -> Schema:
    """The schema of a struct as it stands on the wire."""
    properties = {name: _without_default(member) for name, member in schema["properties"].items()}
    return {**schema, "title": schema_name(struct), "properties": _point(properties)}


def _without_default(member: Schema) -> Schema:
    """A member with its default in words: a generator of TypeScript takes what has a `default` to be always there.

    That is so in answers, where nothing has one; in a body it would make every member compulsory.
    """
    rest = {name: value for name, value in member.items() if name != "default"}
    if member.get("default") is None:
        return rest
    default = json.dumps(member["default"]).strip('"')
    words = [rest.get("description"), f"`{default}` by default"]
    return rest | {"description": "; ".join(filter(None, words))}


def _point(value: Any) -> Any:
    """Schemas that refer to each other by the names they have on the wire."""
    if isinstance(value, list | tuple):
        return [_point(one) for one in value]
    if isinstance(value, dict):
        return {name: schema_name(one) if name == "$ref" else _point(one) for name, one in value.items()}
    return value


def openapi_path(route: Route) -> str:
    """The route's path as OpenAPI writes it: `{project_id}`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)


def _answer(given: Any) -> Answer:
    return given if isinstance(given, Answer) else Answer(given)


def _kinds_of(route: Route) -> Iterable[Any]:
    bodies = [_answer(given).body for given in route.answers.values()]
    yield from ([route.body] if route.body is not None else [])
    for body in bodies:
        if body is not None:
            yield from body if isinstance(body, tuple) else (body,)


def _by_status(codes: Iterable[str]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for code in codes:
        status = CODES[code].status
        found[status] = *found.get(status, ()), code
    return found


def _response(words: str, headers: Iterable[str]) -> Schema:
    return {
        "description": words,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
    }


def _join(first: Schema, second: Schema) -> Schema:
    """One status with two kinds of answers: a body of the operation's own, or a problem.

    Generated clients read the first schema of a status whichever media type comes, so it allows for both.
    """
    content = first["content"] | second["content"]
    either = [content[kind]["schema"] for kind in (JSON, PROBLEM_JSON)]
    return {
        "description": f"{first['description']}; or {second['description']}",
        "headers": first["headers"] | second["headers"],
        "content": content | {JSON: content[JSON] | {"schema": {"anyOf": either}}},
        "x-codes": second["x-codes"],
    }


def _parameters(route: Route) -> list[Schema]:
    values = _properties(PathValues)
    found = [
        _parameter(name, "path", values[name], required=True) for name in re.findall(r"<(?:\w+:)?(\w+)>", route.path)
    ]
    needed = {field.encode_name for field in msgspec.structs.fields(route.query) if field.required}
    found += [
        _parameter(name, "query", _in_a_query(schema), required=name in needed)
        for name, schema in _properties(route.query).items()
        if name not in route.fixed
    ]
    headers = [*route.headers, *(["If-None-Match"] if 304 in route.answers else [])]  # noqa: PLR2004
    return found + [{"name": name, "in": "header", **REQUEST_HEADERS[name]} for name in headers]


def _properties(kind: type[msgspec.Struct]) -> dict[str, Schema]:
    _, components = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    properties: dict[str, Schema] = components[kind.__name__]["properties"]
    return properties


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> Schema:
    schema = dict(schema)
    words = schema.pop("description", None) or USUAL.get(name, "")
    return {"name": name, "in": place, "required": required, "description": words, "schema": schema}


def _in_a_query(schema: Schema) -> Schema:
    """The schema without null: a query leaves a parameter out instead."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
        only: Schema = choices[0] | rest
        return only
    return schema


def static_answer(body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that changes with the code only: its tag covers its bytes."""
    answer = Response(body, content_type=content_type)
    answer.headers.update({"Cache-Control": "no-cache", **(headers or {})})
    answer.set_etag(sha256(body).hexdigest()[:32])
    answer.make_conditional(request)
    return answer


def get_openapi(_: NoQuery) -> Response:
    """This document."""
    return static_answer(web.get(Document).body, JSON)


ROUTES = (
    Route(
        "get_openapi",
        "service",
        "GET",
        "/openapi.json",
        get_openapi,
        "public",
        answers={
            200: Answer(dict[str, Any], "the document", headers=["ETag"]),
            304: Answer(words="unchanged", headers=["ETag"]),
        },
        store=False,
    ),
)
