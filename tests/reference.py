"""What the code itself can say in the documents: settings, commands, presets of callers, and every address with an answer.

`python -m tests.reference` writes these parts anew, each between its marks; `test_docs.py` fails when one is out of date.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

import click

from tests.api.tour import BY_ID, Visit, demo_on, tour
from webapp.api.http.codes import CODES
from webapp.api.http.routes import Answer, Route
from webapp.cli import main
from webapp.config import every_setting
from webapp.cron.callers import CALLERS, snippet

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Where each part stands.
PARTS = {
    "settings": DOCS / "settings.md",
    "commands": DOCS / "commands.md",
    "presets": DOCS / "callers.md",
    "codes": DOCS / "http-api.md",
    "imports": DOCS / "architecture.md",
    "contents": DOCS / "http-api.md",
    "addresses": DOCS / "http-api.md",
}
WIDTH = 110
LONGEST = 6_000  # a longer answer is a document of its own
LOCAL, SERVICE = "http://127.0.0.1:8000", "https://sync.example.com"
# In what each caller takes its preset; those that call from elsewhere.
LANGUAGE = {
    "crontab": "crontab",
    "systemd": "sh",
    "render": "yaml",
    "github-actions": "yaml",
    "cron-job.org": "sh",
    "cloud-scheduler": "sh",
    "kubernetes": "yaml",
    "vercel": "json",
    "eventbridge": "sh",
}
REMOTE = LANGUAGE.keys() - {"crontab", "systemd"}
DURATIONS = {"duration_seconds", "seconds"}
KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "date": "day",
    "date-time": "time",
}
ACCESS = {"public": "open to all", "read": "read token", "admin": "admin token"}


def settings() -> str:
    """A table of every setting."""
    return table(
        "setting | means | default", ([f"`{s.name}`", s.meaning, s.default or "(none)"] for s in every_setting())
    )


def commands() -> str:
    """A section for every command, behind a table of them all."""
    found = list(leaf_commands(main))
    rows = ([f"[`{' '.join(names)}`](#{anchor(_title(names))})", _first_sentence(_help(c))] for names, c in found)
    return "\n\n".join([table("command | does", rows), *(_command(names, command) for names, command in found)])


def presets() -> str:
    """What `smart-sync cron print` prints for each caller."""
    return "\n\n".join(_preset(name) for name in CALLERS)


def codes() -> str:
    """A table of every code that a problem document may carry."""
    return table("status | code | means", ([str(c.status), f"`{name}`", c.meaning] for name, c in CODES.items()))


def table(heads: str, rows: Iterator[Sequence[str]]) -> str:
    """A table in Markdown; heads: `first | second`."""
    width = heads.count("|") + 1
    lines = (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    return "\n".join([f"| {heads} |", f"|{' --- |' * width}", *lines])


# Commands


def leaf_commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with its names from the first to the last."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield (*names, name), command
            yield from leaf_commands(command, *names, name)
        else:
            yield (*names, name), command


def _title(names: tuple[str, ...]) -> str:
    return f"`smart-sync {' '.join(names)}`"


def _command(names: tuple[str, ...], command: click.Command) -> str:
    arguments = [_argument(p) for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join(["smart-sync", *names, *arguments])
    shown = [f"Usage: `{usage}`, with options:" if command.params else f"Usage: `{usage}`."]
    options = [_option(p) for p in command.params if isinstance(p, click.Option)]
    return "\n\n".join([f"### {_title(names)}", _help(command), *shown, *(["\n".join(options)] if options else [])])


def _option(option: click.Option) -> str:
    names = "`, `".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {_value(option)}"
    default = f" Default: {option.default}." if option.show_default and option.default is not None else ""
    needed = " Required." if option.required else ""
    return f"- `{names}{value}`: {option.help}{needed}{default}"


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.metavar or (option.name or "").upper()


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _help(command: click.Command) -> str:
    return " ".join((command.help or "").split())


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.) ", text)[0]


# Callers


def _preset(name: str) -> str:
    caller = CALLERS[name]
    local = name not in REMOTE
    asked = "" if local else f" --url {SERVICE}"
    notes, text = snippet(name, LOCAL if local else SERVICE, config="/var/lib/smart-sync/cron.curl")
    said = "\n".join(f"# {line}" for line in notes.splitlines())
    shown = f"{said}\n{text}" if caller.comments else text
    lines = [f"### {name}", f"`smart-sync cron print --for {name}{asked}` prints:"]
    if not caller.comments:
        lines.append(" ".join(caller.notes))
    return "\n\n".join([*lines, f"```{LANGUAGE[name]}\n{shown.rstrip()}\n```"])


# Addresses


class Entry(NamedTuple):
    """One address: its route, what the document of the API says of it, what was sent to it, and what it answered.

    schemas: all of the document's, which `told` refers to.
    """

    route: Route
    told: Mapping[str, Any]
    schemas: Mapping[str, Any]
    visit: Visit

    @property
    def heading(self) -> str:
        return f"`{self.route.method} {address_of(self.route)}`"

    @property
    def answer(self) -> Any:
        """The JSON it answered; None for what is no JSON, or a document of its own."""
        answer = self.visit.answer
        if answer.mimetype != "application/json" or len(answer.get_data()) > 10 * LONGEST:
            return None
        short = trimmed(steady(answer.get_json()))
        return short if len(_json(short)) <= LONGEST else None


def address_of(route: Route) -> str:
    """The route's path as documents write it: `/runs/{run_id}`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)


def entries(folder: str) -> list[Entry]:
    """Every address, visited on a demo in that folder, in the order in which the code lists them."""
    # The same ids each time, so that a page changes only where the service does.
    with patch.object(os, "urandom", Random(8).randbytes):
        demo = demo_on(f"sqlite:///{folder}/demo.db")
        try:
            document = demo.client.get("/openapi.json").get_json()
            visits = {visit.operation: visit for visit in tour(demo)}
        finally:
            demo.parts.db.close()
    paths, schemas = document["paths"], document["components"]["schemas"]
    return [
        Entry(route, paths[address_of(route)][route.method.lower()], schemas, visits[operation])
        for operation, route in BY_ID.items()
        if operation in visits
    ]


def contents(found: list[Entry]) -> str:
    """A table of all addresses, each a link to its section."""
    rows = ([f"[{e.heading}](#{anchor(e.heading)})", ACCESS[e.route.access], e.told["summary"]] for e in found)
    return table("address | open to | does", rows)


def anchor(title: str) -> str:
    """What a link to a section with this title ends in, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-")


def addresses(found: list[Entry], folder: str) -> str:
    """A section for every address."""
    return "\n\n".join(_section(entry) for entry in found).replace(folder, "/var/lib/smart-sync")


def _section(entry: Entry) -> str:
    lines = [
        f"### {entry.heading}",
        _description(entry.told),
        f"Operation `{entry.visit.operation}`, {ACCESS[entry.route.access]}.",
    ]
    lines += _list("Query", _parameters(entry.told, "query"))
    lines += _list("Headers", _parameters(entry.told, "header"))
    if entry.visit.sent is not None:
        lines += _list("Members of the body", _members(entry))
        lines.append(f"Body: `{json.dumps(entry.visit.sent, ensure_ascii=False)}`")
    if entry.route.problems:
        lines.append(f"Refused with: {', '.join(f'`{code}`' for code in entry.route.problems)}.")
    return "\n\n".join([*lines, *_answer(entry)])


def _description(told: Mapping[str, Any]) -> str:
    return " ".join(f"{told['summary']} {told.get('description', '')}".split())


def _parameters(told: Mapping[str, Any], place: str) -> list[str]:
    return [f"`{p['name']}`: {p['description']}" for p in told.get("parameters", ()) if p["in"] == place]


def _members(entry: Entry) -> list[str]:
    """Each member of the body with what it may be."""
    body = _resolved(entry, entry.told["requestBody"]["content"]["application/json"]["schema"])
    needed = body.get("required", ())
    lines = []
    for name, schema in body["properties"].items():
        words = schema.get("description", "")
        kind = f"{_kind(entry, schema)}{', required' if name in needed else ''}"
        lines.append(f"`{name}` ({kind}){': ' if words else ''}{words}")
    return lines


def _resolved(entry: Entry, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = entry.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _kind(entry: Entry, schema: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    schema = _resolved(entry, schema)
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(entry, choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return (
            f"list of objects with {', '.join(f'`{name}`' for name in _resolved(entry, schema['items'])['properties'])}"
        )
    return KINDS[schema.get("format") or schema["type"]]


def _list(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:\n\n" + "\n".join(f"- {line}" for line in lines)] if lines else []


def _answer(entry: Entry) -> list[str]:
    status = entry.visit.answer.status_code
    others = {
        other: answer.words or HTTPStatus(other).phrase.lower()
        for other, answer in entry.route.answers.items()
        if isinstance(answer, Answer) and other not in {status, 304}
    }
    also = [f"Also answers {'; '.join(f'{other}: {words}' for other, words in others.items())}."] if others else []
    if entry.answer is None:
        return [*also, f"Answers {status} as `{entry.visit.answer.mimetype}`."]
    return [*also, f"Answers {status}:", f"```json\n{_without_secrets(_json(entry.answer))}\n```"]


def _without_secrets(text: str) -> str:
    return re.sub(r"share_[\w-]{43}", "share_" + "x" * 43, text)


def steady(value: Any) -> Any:
    """The value with the same durations each time."""
    if isinstance(value, dict):
        durations = {name: 0.02 for name, member in value.items() if name in DURATIONS and isinstance(member, float)}
        return {name: steady(member) for name, member in value.items()} | durations
    return [steady(one) for one in value] if isinstance(value, list) else value


def trimmed(value: Any) -> Any:
    """The value with one element of every list: the one that tells most."""
    if isinstance(value, dict):
        return {name: trimmed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [trimmed(max(value, key=lambda one: len(_json(one))))] if value else []
    return value


def shape(value: Any) -> Any:
    """Names and types of a JSON value, whatever the values are."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__


def _json(value: Any, indent: str = "") -> str:
    """JSON for people: what fits into a line stands in one."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= WIDTH or not value or not isinstance(value, dict | list):
        return flat
    inner = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _json(one, inner) for one in value) + f"\n{indent}]"
    members = [f"{json.dumps(name, ensure_ascii=False)}: {_json(member, inner)}" for name, member in value.items()]
    return "{\n" + "".join(inner + line + "\n" for line in _packed(members, WIDTH - len(inner))) + indent + "}"


def _packed(members: list[str], width: int) -> Iterator[str]:
    """Members side by side, as many as fit into a line."""
    line = ""
    for place, member in enumerate(members):
        text = member + ("," if place < len(members) - 1 else "")
        if line and ("\n" in text or len(line) + len(text) >= width):
            yield line
            line = ""
        if "\n" in text:
            yield text
        else:
            line = f"{line} {text}" if line else text
    if line:
        yield line


# Imports


def imports() -> str:
    """Who may import whom, as the import contracts say."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    return "\n\n".join(_contract(contract) for contract in contracts)


def _contract(contract: Mapping[str, Any]) -> str:
    """The contract's name; with layers, a line for each: those above import those below, never the other way."""
    lines = [re.sub(r"[()]", "", layer).replace(" : ", ", ") for layer in contract.get("layers", ())]
    if "forbidden_modules" in contract:
        never = "never directly" if contract.get("allow_indirect_imports") else "never"
        lines = [f"{', '.join(contract['source_modules'])}: {never} {', '.join(contract['forbidden_modules'])}"]
    shown = "\n".join(lines).replace("webapp.", "")
    return f"**{contract['name']}**" + (f"\n\n```text\n{shown}\n```" if lines else "")


# Writing


def parts() -> dict[str, str]:
    """Every part by its name, as it has to stand in its document."""
    with tempfile.TemporaryDirectory() as folder:
        found = entries(folder)
        made = {"contents": contents(found), "addresses": addresses(found, folder)}
    tables = {"settings": settings(), "commands": commands(), "codes": codes()}
    return {**tables, "presets": presets(), "imports": imports(), **made}


def part_in(text: str, name: str) -> re.Match[str]:
    """Where a part stands in a document: mark, text, mark.

    Raises: LookupError when the document has no such marks.
    """
    found = re.search(rf"(<!-- {name} -->\n)(.*?)(\n<!-- end of {name} -->)", text, re.DOTALL)
    if found is None:
        raise LookupError(name)
    return found


def write() -> None:
    """Write all parts into their documents."""
    for name, part in parts().items():
        text = PARTS[name].read_text(encoding="utf-8")
        place = part_in(text, name)
        PARTS[name].write_text(f"{text[: place.start(2)]}{part}{text[place.end(2) :]}", encoding="utf-8")
        sys.stdout.write(f"{PARTS[name].relative_to(ROOT)}: {name}\n")


if __name__ == "__main__":
    write()
