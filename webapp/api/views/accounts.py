"""The accounts of a project, filtered, sorted and page by page, and single accounts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple, TypedDict, cast

import msgspec
import sqlalchemy as sa
from flask import Response
from msgspec import UNSET, UnsetType

from webapp.api.http.answering import answer_about_account, answer_about_project
from webapp.api.http.asking import (
    OfOwner,
    OfPlatform,
    OfTopic,
    Period,
    PeriodQuery,
    Text,
    choice,
    choose,
    fits,
    period,
    refusal,
    today,
)
from webapp.api.http.cursor import Place, decode_cursor, encode_cursor
from webapp.api.http.memory import Content
from webapp.api.http.routes import Answer, NoQuery, Route, as_csv
from webapp.api.http.tables import FileName, json_content, lines_content, link_header
from webapp.api.shapes.accounts import AccountDetail, AccountList, AccountOut, account_detail, account_out
from webapp.api.shapes.counts import Growth, growth_between
from webapp.api.views.projects import TAGGED
from webapp.clock import iso
from webapp.model import METRICS, UNKNOWN, Metric, Values
from webapp.rules.growth import DAY, difference
from webapp.rules.sorting import by_value, matches, plain_name, says
from webapp.store.account_pages import json_lines, page
from webapp.store.accounts import Account
from webapp.store.projects import Project
from webapp.store.standing import everybody, ranged, recent
from webapp.store.types import as_text

PAGE = 100
WHOLE = 100_000  # lines of a table for a spreadsheet program
TEXTS = ("username", "platform", "owner", "topic", "status")
TIMES = ("added_at", "changed_at")
LISTED = tuple(field.name for field in msgspec.structs.fields(AccountOut) if field.required)  # of each line
GROWTHS = tuple(f"growth_{metric}" for metric in METRICS)
SORTS = ("id", *METRICS, *GROWTHS, *TEXTS, *TIMES)
ORDERS = ("asc", "desc")


class AccountsQuery(PeriodQuery, frozen=True, kw_only=True):
    """Which accounts, in which order. Capitals and a leading @ do not matter."""

    platform: OfPlatform = None
    topic: OfTopic = None
    owner: OfOwner = None
    status: Annotated[Text | None, msgspec.Meta(description="only with this Status, as typed")] = None
    q: Annotated[Text | None, msgspec.Meta(description="part of the username, address, owner or topic")] = None
    sort: Annotated[str, choice("what to sort by; accounts that lack it come last", SORTS)] = "id"
    order: Annotated[str | None, choice("by default asc for texts and ids, desc for numbers and times", ORDERS)] = None
    growth: Annotated[
        bool,
        msgspec.Meta(
            description="with the growth of each account: between start_date and end_date where one is given, "
            "else of the 24 hours up to the last sync"
        ),
    ] = False
    limit: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=1000)] | None,
        msgspec.Meta(description="lines at most; 100 by default, and all in csv"),
    ] = None
    cursor: Annotated[Text | None, msgspec.Meta(description="`next_cursor` of the page before")] = None

    @property
    def growing(self) -> bool:
        return self.growth or self.sort in GROWTHS

    @property
    def dated(self) -> bool:
        return self.start_date is not None or self.end_date is not None

    @property
    def descending(self) -> bool:
        if self.order is not None:
            return self.order == "desc"
        return self.sort != "id" and self.sort not in TEXTS

    @property
    def whole(self) -> bool:
        """Whether every line is written in full, as JSON."""
        return self.format == "json" and self.fields is None

    @property
    def plain(self) -> bool:
        """Whether the database sorts and filters it: a metric, a platform, nothing else."""
        return (
            not self.growing
            and not any((self.topic, self.owner, self.status, self.q))
            and (self.sort in METRICS or (self.sort == "id" and not self.descending))
        )


class PageOf(TypedDict):
    """What the database needs to know of a page."""

    metric: Metric | None
    descending: bool
    platform: str | None
    after: tuple[int | None, int] | None


class Line(NamedTuple):
    account: Account
    growth: Values | None


class GrowthPeriod(NamedTuple):
    """What a growth is of: two moments or days, as text."""

    since: str
    until: str


def list_accounts(asked: AccountsQuery, project_id: str) -> Response:
    """The accounts that are in a project now, with their current counts.

    Page by page: an account that is there all the while is seen once when sorted by `id`; in any other order an
    account whose value changes between two pages may come twice or not at all. In csv `Link` names the next page.
    """
    choose("sort", asked.sort, SORTS)
    choose("order", asked.order or "asc", ORDERS)
    if asked.dated and not asked.growing:
        raise refusal("growth", "start_date and end_date say what growth is of; ask for growth=true or sort by one")
    day = today()
    days = period(asked, day) if asked.dated else None
    return answer_about_project(project_id, asked, day, lambda tx, project: _list(tx, project, asked, days))


def _list(tx: sa.Connection, project: Project, asked: AccountsQuery, days: Period | None) -> Content:
    limit = asked.limit or (WHOLE if asked.format == "csv" else PAGE)
    question = repr((project.id, msgspec.structs.replace(asked, cursor=None, limit=None, format="json", fields=None)))
    text = asked.sort in (*TEXTS, *TIMES)
    after = None if asked.cursor is None else decode_cursor(question, asked.cursor, text=text)
    if asked.plain and asked.whole and tx.dialect.name == "sqlite":
        return _page_by_database(tx, project, asked, limit, after, question)
    if asked.plain:
        lines = [Line(account, None) for account in page(tx, project.id, limit=limit + 1, **_page_of(asked, after))]
    else:
        lines = _in_order(_choose(tx, project, asked, days), asked, after)
    shown, span = lines[:limit], _period(project, days)
    more = encode_cursor(question, _place(shown[-1], asked.sort)) if len(lines) > limit else None
    rows = [account_out(line.account, _growth(line, asked, span)) for line in shown]
    answer = AccountList(rows, more)
    file = FileName.of("accounts", project, *((days.start, days.end) if days is not None else ()))
    return lines_content(answer, "accounts", AccountOut, asked, file=file, following=more)


def _page_by_database(
    tx: sa.Connection, project: Project, asked: AccountsQuery, limit: int, after: Place | None, question: str
) -> Content:
    """The same, written by the database."""
    lines = json_lines(tx, project.id, LISTED, limit=limit + 1, **_page_of(asked, after))
    more = None
    if lines.count("\n") == limit:
        lines, _, _ = lines.rpartition("\n")
        last = msgspec.json.decode(lines.rpartition("\n")[2])
        more = encode_cursor(question, (last[asked.sort], last["id"]))
    accounts = lines.replace("\n", ",")
    body = f'{{"accounts":[{accounts}],"next_cursor":{json.dumps(more)}}}'
    return Content(body.encode(), headers=link_header(more))


def _page_of(asked: AccountsQuery, after: Place | None) -> PageOf:
    return {
        "metric": None if asked.sort == "id" else cast("Metric", asked.sort),
        "descending": asked.descending,
        "platform": plain_name(asked.platform),
        "after": cast("tuple[int | None, int] | None", after),
    }


def _choose(tx: sa.Connection, project: Project, asked: AccountsQuery, days: Period | None) -> Iterator[Line]:
    """The accounts that fit, with their growth where it matters."""
    return (line for line in _all(tx, project, asked, days) if _fits(line.account, asked))


def _all(tx: sa.Connection, project: Project, asked: AccountsQuery, days: Period | None) -> Iterator[Line]:
    if not asked.growing or (days is not None and days.days == 0):
        yield from (Line(account, None) for account in everybody(tx, "project", project.id))
    elif days is None:
        for one in recent(tx, "project", project.id, 1, {project.id: project.as_of}):
            if one.account.removed_at is None:
                yield Line(one.account, difference(one.now, one.then))
    else:
        for row in ranged(tx, "project", project.id, days.start, days.end):
            if row.account.removed_at is None:
                yield Line(row.account, difference(row.last, row.first))


def _fits(account: Account, asked: AccountsQuery) -> bool:
    return (
        fits(asked, account)
        and matches(asked.status, account.status)
        and says(asked.q or "", account.username, account.profile_url, account.owner, account.topic)
    )


def _in_order(lines: Iterable[Line], asked: AccountsQuery, after: Place | None) -> list[Line]:
    """By the value, those without one last, and by id among equals."""
    placed = [(_place(line, asked.sort), line) for line in lines]
    ordered = by_value(placed, lambda one: one[0][0], lambda one: one[0][1], descending=asked.descending)
    if after is None:
        return [line for _, line in ordered]
    return [line for place, line in ordered if _follows(place, after, descending=asked.descending)]


def _follows(place: Place, after: Place, *, descending: bool) -> bool:
    value, last = cast("Any", place[0]), cast("Any", after[0])
    if value == last:
        return place[1] > after[1]
    if value is None or last is None:
        return value is None
    return bool(value < last) if descending else bool(value > last)


def _place(line: Line, sort: str) -> Place:
    account = line.account
    if sort == "id":
        return account.id, account.id
    if sort in GROWTHS:
        return (line.growth or UNKNOWN)[GROWTHS.index(sort)], account.id
    value = account.counts[METRICS.index(sort)] if sort in METRICS else getattr(account, sort)
    if sort in TIMES:
        return as_text(value), account.id
    return (value.casefold() if isinstance(value, str) else value), account.id


def _period(project: Project, days: Period | None) -> GrowthPeriod:
    if days is not None:
        return GrowthPeriod(str(days.start), str(days.end))
    as_of = project.as_of
    return GrowthPeriod(str(iso(as_of - DAY)), str(iso(as_of))) if as_of is not None else GrowthPeriod("", "")


def _growth(line: Line, asked: AccountsQuery, span: GrowthPeriod) -> Growth | UnsetType | None:
    if not asked.growing:
        return UNSET
    return growth_between(span.since, span.until, line.growth or UNKNOWN)


def get_account(_: NoQuery, account_id: int) -> Response:
    """One account with its current counts and its growth; a removed one has `removed_at` and keeps its history."""
    return answer_about_account(account_id, None, today(), lambda tx, project: _detail(tx, project, account_id))


def _detail(tx: sa.Connection, project: Project, account_id: int) -> Content:
    (one,) = recent(tx, "account", account_id, 1, {project.id: project.as_of})
    growth = growth_between(*_period(project, None), difference(one.now, one.then))
    return json_content(account_detail(one.account, project.name, growth))


LIST = Route(
    "list_accounts",
    "accounts",
    "GET",
    "/api/projects/<project_id>/accounts",
    list_accounts,
    "read",
    query=AccountsQuery,
    answers={
        200: Answer(AccountList, headers=("ETag", "Last-Modified", "Link")),
        **TAGGED,
    },
    problems=("project_not_found",),
)

ROUTES = (
    LIST,
    as_csv(LIST, "export_accounts"),
    Route(
        "get_account",
        "accounts",
        "GET",
        "/api/accounts/<int:account_id>",
        get_account,
        "read",
        answers={200: Answer(AccountDetail, headers=("ETag", "Last-Modified")), **TAGGED},
        problems=("account_not_found",),
    ),
)
