"""All projects together, and which of them are shown."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.dashboard.conftest import READ, Site
from tests.dashboard.filled import TOKEN
from tests.dashboard.test_pages import project_id, text_of
from webapp.dashboard.totals import Compared
from webapp.rules.alerts import Finding, Key
from webapp.rules.words import compact, grouped
from webapp.store import alerts
from webapp.store.tables import projects


def names(client: FlaskClient, query: str = "") -> list[str]:
    """The projects on the home page, in their order."""
    page = client.get(f"/?{query}").get_data(as_text=True)
    return re.findall(r'<h3><a href="/projects/[^"]+">([^<]+)', page)


@pytest.mark.parametrize("metric", ["views", "followers"])
@pytest.mark.parametrize("days", [7, 30])
def test_the_growth_of_all_is_what_the_totals_of_the_api_say(
    quiet_site: Site, admin: FlaskClient, metric: str, days: int
) -> None:
    end = quiet_site.time.now.date()
    start = end - timedelta(days=days - 1)

    def said(first: date, last: date) -> int:
        answer = admin.get(f"/api/totals?start_date={first}&end_date={last}").get_json()
        return int(answer["growth"][metric])

    words = text_of(admin, f"/?metric={metric}&days={days}")
    recent, earlier = said(start, end), said(start - (end - start), start)

    assert compact(recent, sign=True) in words
    assert f"than in the {days - 1} days before ({compact(earlier, sign=True)})" in words


def test_the_total_of_all_is_that_of_the_api_and_the_days_add_up(quiet_site: Site, admin: FlaskClient) -> None:
    page = admin.get("/?metric=views&days=90").get_data(as_text=True)
    rows = re.findall(r"<tr[^>]*><th[^>]*>([^<]+)</th>((?:<td>[^<]*)+)", page[page.index("data-twin") :])
    days = {day: [_number(cell) for cell in re.findall(r"<td>([^<]*)", row)[:4]] for day, row in rows}
    together = days.pop("Together")
    value = together[0] - sum(together[1:])
    for day, (end, *moved) in days.items():
        assert end == value + sum(moved), day
        value = end
    last = quiet_site.time.now.date()
    api = admin.get(f"/api/totals?start_date={last}&end_date={last}").get_json()
    assert days[str(last)][0] == api["total"]["views"]
    assert f'title="{grouped(days["now"][0])}"' in page


def _number(text: str) -> int:
    return 0 if text == "–" else int(text.replace(",", "").replace("−", "-"))


def test_projects_are_sorted_and_found(site: Site) -> None:
    visitor = site.visitor(TOKEN)

    assert names(visitor) == ["Beauty Lab", "Street Food", "Игры"]
    assert names(visitor, "sort=name") == ["Beauty Lab", "Street Food", "Игры"]
    assert sorted(names(visitor, "sort=views")) == sorted(names(visitor))
    assert names(visitor, "q=FOOD") == ["Street Food"]
    assert names(visitor, "q=nobody") == []
    assert "No project fits. Show all" in text_of(visitor, "/?q=nobody")
    assert names(visitor, "sort=x&show=y&page=z&days=3&metric=m") == names(visitor)
    assert set(names(visitor, "sort=day")) == set(names(visitor, "sort=week")) == set(names(visitor))
    assert names(visitor, "show=failed") == []
    assert "Beauty Lab" in names(visitor, "show=hand")


def test_many_projects_are_shown_page_by_page(site: Site) -> None:
    with site.parts.db.write() as tx:
        row = dict(tx.execute(projects.select().where(projects.c.name == "Beauty Lab")).mappings().one())
        for n in range(40):
            new = {"id": f"more-{n}", "name": f"More {n:02}", "worksheet_id": f"more-{n}", "sheet_report": None}
            tx.execute(projects.insert().values(row | new))
    visitor = site.visitor(TOKEN)

    first, second = names(visitor, "sort=name"), names(visitor, "sort=name&page=2")

    assert (len(first), len(second)) == (24, 19)
    assert names(visitor, "sort=name&page=999") == second
    assert "Page 2 of 2" in text_of(visitor, "/?sort=name&page=2")
    assert len(visitor.get("/").data) < 100_000


def test_cards_tell_of_alerts_and_of_whoever_is_not_synced_by_itself(site: Site) -> None:
    now = site.time.now
    with site.parts.db.write() as tx:
        tx.execute(projects.update().where(projects.c.name == "Street Food").values(auto_sync=False))
        alerts.begin(
            tx, Finding(Key("guard", project_id(site)), now, "rows have gone", "mend the tab"), now, announced=True
        )

    words, mine = text_of(site.visitor(TOKEN), "/"), text_of(site.visitor(READ), "/")

    assert "1 alert 1 problem 1 held value" in words
    assert "1 alert" not in mine
    assert words.count("auto-sync is off") == 1
    assert "Next sync in 29 min." in words


def test_one_project_alone_is_its_own_total(site: Site) -> None:
    with site.parts.db.write() as tx:
        tx.execute(projects.update().where(projects.c.name != "Beauty Lab").values(removed_at=sa.func.now()))

    page = site.visitor(TOKEN).get("/").get_data(as_text=True)

    assert 'id="chart"' not in page


@pytest.mark.parametrize(
    ("growth", "earlier", "said"),
    [
        (12_300_000, 10_800_000, "+12.3M from 1 Mar to 30 Mar, 14 % more than in the 29 days before (+10.8M)"),
        (50, 100, "+50 from 1 Mar to 30 Mar, 50 % less than in the 29 days before (+100)"),
        (100, 100, "+100 from 1 Mar to 30 Mar, as much as in the 29 days before (+100)"),
        (0, 100, "0 from 1 Mar to 30 Mar, 100 % less than in the 29 days before (+100)"),
        (-150, -100, "−150 from 1 Mar to 30 Mar, a loss 50 % larger than in the 29 days before (−100)"),
        (-50, -100, "−50 from 1 Mar to 30 Mar, a loss 50 % smaller than in the 29 days before (−100)"),
        (-100, -100, "−100 from 1 Mar to 30 Mar, as much as in the 29 days before (−100)"),
        (-50, 100, "−50 from 1 Mar to 30 Mar, against +100 in the 29 days before"),
        (0, -100, "0 from 1 Mar to 30 Mar, against −100 in the 29 days before"),
        (100, None, "+100 from 1 Mar to 30 Mar"),
        (100, 0, "+100 from 1 Mar to 30 Mar"),
        (None, 100, "– from 1 Mar to 30 Mar"),
    ],
)
def test_growth_is_compared_with_the_days_before(growth: int | None, earlier: int | None, said: str) -> None:
    assert Compared(date(2026, 3, 1), date(2026, 3, 30), growth, 0, 0, earlier).words == said
