"""The parts of SMART_SYNC.md that the code itself can write: settings, commands, and every address with a real answer.

`python -m tests.reference` writes them anew; `test_docs.py` fails when they are no longer true.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from tests.api.tour import BY_ID, Visit, demo_on, tour
from webapp.api.http.routes import Route
from webapp.cli import main
from webapp.config import SETTINGS

__all__ = [
    "GUIDE",
    "ROOT",
    "Entry",
    "addresses",
    "commands",
    "entries",
    "leaf_commands",
    "settings",
    "shape",
    "trimmed",
]

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "SMART_SYNC.md"
WIDTH = 110
LONGEST = 6_000  # a longer answer is a document of its own
ACCESS = {"public": "open to all", "read": "read token", "admin": "admin token"}


def settings() -> str:
    """A table of every setting."""
    rows = [f"| `{s.name}` | {_cell(s.meaning)} | {_cell(s.default) or '(none)'} |" for s in SETTINGS]
    return "\n".join(["| setting | means | default |", "| --- | --- | --- |", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def commands() -> str:
    """A table of every command with its options."""
    rows = [f"| `{_cell(_usage(names, command))}` | {_help(command)} |" for names, command in leaf_commands(main)]
    return "\n".join(["| command | does |", "| --- | --- |", *rows])


def leaf_commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with its names from the first to the last."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield (*names, name), command
            yield from leaf_commands(command, *names, name)
        else:
            yield (*names, name), command


def _usage(names: tuple[str, ...], command: click.Command) -> str:
    options = [_option(p) for p in command.params if isinstance(p, click.Option)]
    arguments = [_argument(p) for p in command.params if isinstance(p, click.Argument)]
    return " ".join(["smart-sync", *names, *arguments, *options])


def _option(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or (option.name or '').upper()}"
    return f"[{option.opts[0]}{value}]"


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _help(command: click.Command) -> str:
    return " ".join((command.help or "").split())


class Entry(NamedTuple):
    """One address: its route, what was sent to it, and what it answered."""

    route: Route
    visit: Visit

    @property
    def heading(self) -> str:
        return f"`{self.route.method} {self.route.path}`"

    @property
    def answer(self) -> Any:
        """The JSON it answered; None for what is no JSON, or a document of its own."""
        answer = self.visit.answer
        if answer.mimetype != "application/json" or len(answer.get_data()) > 10 * LONGEST:
            return None
        return trimmed(answer.get_json()) if len(_json(trimmed(answer.get_json()))) <= LONGEST else None


def entries(folder: str) -> list[Entry]:
    """Every address, visited on a demo in that folder, in the order in which the code lists them."""
    demo = demo_on(f"sqlite:///{folder}/demo.db")
    try:
        visits = {visit.operation: visit for visit in tour(demo)}
    finally:
        demo.parts.db.close()
    return [Entry(route, visits[operation]) for operation, route in BY_ID.items() if operation in visits]


def addresses(found: list[Entry], folder: str) -> str:
    """A section for every address."""
    return "\n\n".join(_section(entry) for entry in found).replace(folder, "/var/lib/smart-sync")


def _section(entry: Entry) -> str:
    route, visit = entry.route, entry.visit
    lines = [f"#### {entry.heading}", f"{' '.join((route.view.__doc__ or '').split())} ({ACCESS[route.access]})"]
    names = [f"`{field.encode_name}`" for field in msgspec.structs.fields(route.query)]
    if names:
        lines.append(f"Query: {', '.join(names)}.")
    if visit.sent is not None:
        lines.append(f"Body: `{json.dumps(visit.sent, ensure_ascii=False)}`")
    status = visit.answer.status_code
    if entry.answer is None:
        lines.append(f"Answers {status} as `{visit.answer.mimetype}`.")
    else:
        lines.append(f"Answers {status}:")
        lines.append(f"```json\n{_without_secrets(_json(entry.answer))}\n```")
    return "\n\n".join(lines)


def _without_secrets(text: str) -> str:
    return re.sub(r"share_[\w-]{43}", "share_" + "x" * 43, text)


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


def write() -> None:
    """Write the parts into the guide, between their marks."""
    text = GUIDE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        parts = {"settings": settings(), "commands": commands(), "addresses": addresses(entries(folder), folder)}
    for name, part in parts.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text = marks.sub(lambda found, part=part: f"{found[1]}{part}\n{found[2]}", text)  # type: ignore[misc]
    GUIDE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{GUIDE.name} written\n")


if __name__ == "__main__":
    write()
