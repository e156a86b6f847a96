"""Lines as JSON, or as a table that a spreadsheet program opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote, urlencode

import msgspec
from flask import request

from webapp.api.http.asking import FORMATS, FieldsQuery, choose, split_names
from webapp.api.http.memory import Content
from webapp.store.projects import Project

LONGEST_NAME = 50
CSV = "text/csv; charset=utf-8; header=present"
DANGEROUS = (*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20")  # the last four are full-width, which spreadsheets read alike


class FileName(NamedTuple):
    """What a table is called when it is saved. full: with letters of every script, for browsers that know them."""

    plain: str
    full: str

    @classmethod
    def of(cls, kind: str, project: Project, *days: date) -> FileName:
        """Such as `history-Beauty-Lab-2026-03-01-2026-03-30`; what has no letter that is plain is called by its id."""
        ending = "".join(f"-{day}" for day in days)
        full = "".join(letter if letter.isalnum() else "-" for letter in project.name)
        plain = "".join(letter if letter.isascii() else "-" for letter in full)
        names = (part.strip("-")[:LONGEST_NAME] or project.id for part in (plain, full))
        return cls(*(f"{kind}-{name}{ending}.csv" for name in names))

    @property
    def header(self) -> str:
        saved = f'attachment; filename="{self.plain}"'
        return saved if self.full == self.plain else f"{saved}; filename*=UTF-8''{quote(self.full)}"


def json_content(body: Any) -> Content:
    return Content(msgspec.json.encode(body))


def lines_content(
    answer: msgspec.Struct,
    name: str,
    kind: type[msgspec.Struct],
    asked: FieldsQuery,
    *,
    file: str | FileName,
    following: str | None = None,
) -> Content:
    """An answer whose member `name` has lines of one kind; or a table of just these.

    file: what the table is called when it is saved. following: the cursor of the next page.

    Raises: HttpProblem 422.
    """
    lines = getattr(answer, name)
    if choose("format", asked.format, FORMATS) == "csv":
        return csv_content(kind, lines, asked, file=file, following=following)
    fields = split_names("fields", asked.fields, _names(kind))
    if fields is None:
        return Content(msgspec.json.encode(answer), headers=link_header(following))
    picked = msgspec.to_builtins(answer) | {name: [_pick(line, fields) for line in lines]}
    return Content(msgspec.json.encode(picked), headers=link_header(following))


def csv_content(
    kind: type[msgspec.Struct],
    lines: Iterable[msgspec.Struct],
    asked: FieldsQuery,
    *,
    file: str | FileName,
    following: str | None = None,
) -> Content:
    """Lines as a table.

    Raises: HttpProblem 422.
    """
    named = file if isinstance(file, FileName) else FileName(f"{file}.csv", f"{file}.csv")
    saved = {"Content-Disposition": named.header}
    table = _csv(kind, lines, split_names("fields", asked.fields, _names(kind)))
    return Content(table, CSV, saved | link_header(following))


@cache  # it evaluates every annotation anew
def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(kind))


def _pick(row: msgspec.Struct, fields: Sequence[str]) -> dict[str, Any]:
    known = msgspec.to_builtins(row)
    return {name: known[name] for name in fields if name in known}


def link_header(cursor: str | None) -> dict[str, str]:
    """The header that names the next page, if there is one."""
    if cursor is None:
        return {}
    query = urlencode({**request.args.to_dict(), "cursor": cursor})
    return {"Link": f'<{request.path}?{query}>; rel="next"'}


def _csv(kind: type[msgspec.Struct], rows: Iterable[msgspec.Struct], fields: Sequence[str] | None) -> bytes:
    """A table that a spreadsheet program opens as it is: UTF-8 with its mark, no cell a formula."""
    lines = [msgspec.to_builtins(row) for row in rows]
    columns = [column for column in _columns(kind) if fields is None or column[0] in fields]
    if fields is not None:
        columns.sort(key=lambda column: fields.index(column[0]))
    else:
        columns = [column for column in columns if not lines or any(column[0] in line for line in lines)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow("_".join(column) for column in columns)
    writer.writerows([_cell(line, column) for column in columns] for line in lines)
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


@cache
def _columns(kind: type[msgspec.Struct]) -> list[tuple[str, ...]]:
    """(field,), and (field, field within, ...) for what is itself a struct, however deep."""
    hints = get_type_hints(kind)
    found: list[tuple[str, ...]] = []
    for field in msgspec.structs.fields(kind):
        inner = _struct_in(hints[field.name])
        within = _columns(inner) if inner is not None else [()]
        found.extend((field.encode_name, *column) for column in within)
    return found


def _struct_in(hint: Any) -> type[msgspec.Struct] | None:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    structs = [one for one in choices if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return structs[0] if structs else None


def _cell(line: Mapping[str, Any], column: Sequence[str]) -> Any:
    value: Any = line
    for name in column:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else value
