"""The tables that a project's page gives to whoever is signed in."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape

from flask.testing import FlaskClient

from tests.dashboard.conftest import READ, Site
from tests.dashboard.test_pages import project_id
from webapp.store.tables import accounts, projects


def links(client: FlaskClient, path: str) -> list[str]:
    """Of tables: the history, then the accounts."""
    page = client.get(path).get_data(as_text=True)
    return [unescape(found) for found in re.findall(r'<a class="aside" href="([^"]+)" download>', page)]


def table(client: FlaskClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv"), path
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_the_days_and_the_accounts_that_are_shown_are_saved_under_the_project_s_name(site: Site) -> None:
    visitor, mine = site.visitor(READ), project_id(site)
    last = site.time.now.date()
    first = last - timedelta(days=20)

    days, people = links(visitor, f"/projects/{mine}?from={first}&to={last}&metric=likes")

    history = table(visitor, days)
    assert [row["date"] for row in history] == [str(first + timedelta(days=n)) for n in range(21)]
    assert len(table(visitor, people)) == 8
    named = [visitor.get(path).headers["Content-Disposition"] for path in (days, people)]
    assert named == [
        f'attachment; filename="history-Beauty-Lab-{first}-{last}.csv"',
        f'attachment; filename="accounts-Beauty-Lab-{first}-{last}.csv"',
    ]


def test_a_name_in_any_script_is_that_of_the_file_too(site: Site) -> None:
    visitor, mine = site.visitor(READ), project_id(site, "Игры")

    for path, kind in zip(links(visitor, f"/projects/{mine}"), ("history", "accounts"), strict=True):
        named = visitor.get(path).headers["Content-Disposition"]
        assert named.startswith(f'attachment; filename="{kind}-{mine}-20')
        assert f"; filename*=UTF-8''{kind}-%D0%98%D0%B3%D1%80%D1%8B-20" in named


def test_nobody_else_gets_them(site: Site) -> None:
    mine = project_id(site)
    stranger = site.visitor()

    for path in links(site.visitor(READ), f"/projects/{mine}"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_what_somebody_is_called_is_no_formula_and_no_header(site: Site) -> None:
    with site.parts.db.write() as tx:
        tx.execute(accounts.update().where(accounts.c.id == 1).values(username="=HYPERLINK(1)", owner="@x", topic="+1"))
        tx.execute(projects.update().where(projects.c.name == "Beauty Lab").values(name='a"; x=b\r\nSet-Cookie: c=d'))
    visitor = site.visitor(READ)
    mine = project_id(site, 'a"; x=b\r\nSet-Cookie: c=d')

    _, people = links(visitor, f"/projects/{mine}")
    (found,) = [row for row in table(visitor, people) if row["id"] == "1"]

    assert (found["username"], found["owner"], found["topic"]) == ("'=HYPERLINK(1)", "'@x", "'+1")
    headers = visitor.get(people).headers
    assert "Set-Cookie" not in headers
    assert re.fullmatch(
        r'attachment; filename="accounts-a---x-b--Set-Cookie--c-d-[\d-]+\.csv"', headers["Content-Disposition"]
    )
