"""The document of the API for people: one page that loads nothing and runs nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Response
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from webapp import web
from webapp.api.http.codes import CODES
from webapp.api.http.openapi import Document, Schema, static_answer
from webapp.api.http.routes import Answer, NoQuery, Route

STATIC = Path(__file__).with_name("static")
LIMITS = (
    ("minimum", "≥"),
    ("exclusiveMinimum", ">"),
    ("maximum", "≤"),
    ("minLength", "length ≥"),
    ("maxLength", "length ≤"),
)


def get_docs(_: NoQuery) -> Response:
    """The document of the API, to read in a browser; needs no network and no scripts."""
    document = web.get(Document)
    return static_answer(page_of(document), "text/html; charset=utf-8", {"Content-Security-Policy": policy()})


def policy() -> str:
    """The page may use the one style sheet that stands in it, known by its hash, and nothing else."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _style() -> str:
    return (STATIC / "docs.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def page_of(document: Document) -> bytes:
    """The page as bytes in UTF-8."""
    environment = Environment(loader=FileSystemLoader(STATIC), autoescape=True)
    environment.filters |= {"json": _json, "ticks": _ticks, "words": _words, "last_part": _last_part}
    page = environment.get_template("docs.html").render(
        spec=document.spec,
        operations=list(_operations(document.spec)),
        codes=CODES,
        style=Markup(_style()),  # noqa: S704  our own file; whose hash the policy names
    )
    return page.encode()


def _operations(spec: Schema) -> Iterator[Schema]:
    """Every operation with its address, the tokens that open it, its answers and its example at hand."""
    shared = spec["components"]["responses"]
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            answers = [
                _answer(status, shared.get(_last_part(answer.get("$ref", "")), answer))
                for status, answer in operation["responses"].items()
            ]
            contents = [answer["content"].get("application/json", {}) for answer in answers]
            yield operation | {
                "method": method.upper(),
                "path": path,
                "tokens": [name for choice in operation["security"] for name in choice],
                "answers": answers,
                "example": next((content["example"] for content in contents if "example" in content), None),
                "description": operation.get("description", ""),
                "parameters": operation.get("parameters", []),
                "requestBody": operation.get("requestBody"),
            }


def _answer(status: str, told: Schema) -> Schema:
    """One answer: in words when it is no problem, and the codes of the problems it may be."""
    content = told.get("content", {})
    words = "" if list(content) == ["application/problem+json"] else told["description"].partition("; or `")[0]
    return {"status": status, "content": content, "codes": told.get("x-codes", []), "words": words}


def _last_part(reference: str) -> str:
    return reference.rpartition("/")[2]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _ticks(text: Any) -> Markup:
    """Words with what stands in backticks as code."""
    parts = str(text or "").split("`")
    marked = [Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in enumerate(parts)]
    return Markup().join(marked)


def _words(schema: Schema) -> str:
    """A simple type with its limits, such as `integer, >= 1, <= 200, 30 by default`."""
    kind = schema.get("format") or schema.get("type") or "any"
    limits = [f"{sign} {schema[name]}" for name, sign in LIMITS if name in schema]
    default = [f"{json.dumps(schema['default'])} by default"] if "default" in schema else []
    return ", ".join([kind, *limits, *default])


ROUTES = (
    Route(
        "get_docs",
        "service",
        "GET",
        "/docs",
        get_docs,
        "public",
        answers={
            200: Answer(words="the page", headers=["ETag", "Content-Security-Policy"], media=["text/html"]),
            304: Answer(words="unchanged", headers=["ETag"]),
        },
        store=False,
    ),
)
