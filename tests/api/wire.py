"""What goes over the wire, short enough to review: operations with what they take and give, and every schema.

`python -m tests.api.wire` writes it anew into `wire.golden.txt`; a test fails when the document says anything else.
Words for people are left out, because they may change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from webapp.api import routes
from webapp.api.http.openapi import Document

GOLDEN = Path(__file__).with_name("wire.golden.txt")
LIMITS = ("minimum", "exclusiveMinimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")
METHODS = ("get", "put", "post", "patch", "delete")

Schema = Mapping[str, Any]


def wire(spec: Schema) -> str:
    """The document in lines: operations by tag, the answers they share, schemas by name."""
    return "\n".join([*_operations(spec), *_shared(spec), *_schemas(spec)]).rstrip() + "\n"


def _operations(spec: Schema) -> Iterator[str]:
    for tag in spec["tags"]:
        yield f"# {tag['name']}"
        for path, operations in spec["paths"].items():
            for method in METHODS:
                operation = operations.get(method, {})
                if tag["name"] in operation.get("tags", ()):
                    yield from _operation(f"{method.upper()} {path}", operation)
        yield ""


def _operation(address: str, operation: Schema) -> Iterator[str]:
    tokens = " or ".join(name for choice in operation["security"] for name in choice) or "no token"
    yield f"{operation['operationId']}: {address} ({tokens})"
    for parameter in operation.get("parameters", ()):
        mark = "" if parameter.get("required") else "?"
        yield f"    {parameter['in']} {parameter['name']}{mark}: {kind(parameter['schema'])}"
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"    body {media}: {kind(content['schema'])}"
    for status, answer in operation["responses"].items():
        yield f"    {status} {_answer(answer)}"


def _answer(answer: Schema) -> str:
    if "$ref" in answer:
        return str(answer["$ref"].rpartition("/")[2])
    bodies = [f"{media} {kind(content.get('schema', {}))}" for media, content in answer.get("content", {}).items()]
    codes = [f"[{', '.join(answer['x-codes'])}]"] if "x-codes" in answer else []
    headers = [f"({', '.join(answer['headers'])})"]
    return " ".join([", ".join(bodies) or "no body", *codes, *headers])


def _shared(spec: Schema) -> Iterator[str]:
    yield "# answers that operations share"
    for name, answer in spec["components"]["responses"].items():
        yield f"{name}: {_answer(answer)}"
    yield ""


def _schemas(spec: Schema) -> Iterator[str]:
    yield "# schemas"
    for name, schema in spec["components"]["schemas"].items():
        closed = ", nothing else" if schema.get("additionalProperties") is False else ""
        yield f"{name}: {schema['type']}{closed}"
        for field, inner in schema["properties"].items():
            mark = "" if field in schema.get("required", ()) else "?"
            yield f"    {field}{mark}: {kind(inner)}"
        yield ""


def kind(schema: Schema) -> str:
    """A schema in a few words: `integer >= 0 or null`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        words = " or ".join(kind(choice) for choice in schema["anyOf"])
    elif "enum" in schema:
        words = " | ".join(json.dumps(value) for value in schema["enum"])
    elif schema.get("type") == "array":
        words = f"list of ({kind(schema['items'])})"
    elif isinstance(schema.get("additionalProperties"), dict):
        words = f"map to ({kind(schema['additionalProperties'])})"
    else:
        words = str(schema.get("format") or schema.get("type") or "anything")
    limits = [f"{name} {schema[name]}" for name in LIMITS if name in schema]
    default = [f"default {json.dumps(schema['default'])}"] if "default" in schema else []
    return ", ".join([words, *limits, *default])


def current() -> str:
    """As the code has it, with the operation that is there only where a setting asks for it."""
    return wire(Document(routes(get_trigger=True)).spec)


if __name__ == "__main__":
    GOLDEN.write_text(current(), encoding="utf-8")
    sys.stdout.write(f"{GOLDEN.name} written\n")
