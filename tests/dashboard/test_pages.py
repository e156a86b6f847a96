"""What the pages say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.dashboard.conftest import OURS, Site
from tests.dashboard.filled import TOKEN, parts_on, sync
from tests.fakes.clock import FakeClock
from tests.fakes.past import follow_past
from webapp.app import create_app
from webapp.dashboard.charts import ChartDay, draw_line
from webapp.dashboard.totals import Compared, compare_project, comparison_start
from webapp.model import RunState
from webapp.rules.words import day_words
from webapp.store import days, runs, tables
from webapp.store.backends.dialect import now_ms
from webapp.store.db import Database
from webapp.store.runs import NewRun, ProjectResult
from webapp.store.tables import account_snapshots, accounts, leases, projects
from webapp.store.wholes import crossings

MARKUP = "<img src=x onerror=alert(1)>"


def text_of(client: FlaskClient, path: str) -> str:
    """The page's words without its markup."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status)
    words = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return re.sub(r" (?=[.,])", "", " ".join(unescape(words).split()))


def project_id(site: Site, name: str = "Beauty Lab") -> str:
    with site.parts.db.read() as tx:
        return str(tx.execute(sa.select(projects.c.id).where(projects.c.name == name)).scalar_one())


def pages(site: Site) -> list[str]:
    found = site.visitor(TOKEN).get("/api/admin/runs").get_json()["runs"]
    mine = project_id(site)
    return [
        "/",
        f"/projects/{mine}",
        f"/projects/{mine}?days=365",
        "/accounts/2",
        "/runs",
        f"/runs/{found[0]['run_id']}",
    ]


def test_pages_may_load_our_own_files_and_nothing_else(quiet_site: Site, admin: FlaskClient) -> None:
    for path in [*pages(quiet_site), "/projects/none"]:
        answer = admin.get(path)
        policy = answer.headers["Content-Security-Policy"]

        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "private, no-store"
        page = answer.get_data(as_text=True)
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page), path
        assert set(re.findall(r'(?:src|href)="(https?:[^"]+)"', page)) <= {"https://www.instagram.com/mira.glow/"}


def test_files_are_kept_for_ever_under_the_name_of_their_content(admin: FlaskClient) -> None:
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', admin.get("/").get_data(as_text=True))

    assert len(found) == 4
    for path in found:
        answer = admin.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    assert admin.get("/static/style.000000000000.css").status_code == 404
    assert admin.get("/static/..%2fpages.py").status_code == 404


def test_the_home_page_tells_how_each_project_is(admin: FlaskClient) -> None:
    words = text_of(admin, "/")

    assert "3 projects, 20 accounts. Last checked just now." in words
    assert "Beauty Lab fresh 88.2M views 24 h +500K 7 d +3.44M 88.2 % of 100M" in words
    assert "Checked just now, changed just now, next in 29 min 1 problem 1 held value" in words


def test_one_account_is_no_accounts(site: Site) -> None:
    with site.parts.db.write() as tx:
        tx.execute(accounts.update().where(accounts.c.id > 1).values(removed_at=site.time.now, removed_by="sheet"))
        tx.execute(projects.update().values(revision=projects.c.revision + 1))

    assert "3 projects, 1 account. Last checked" in text_of(site.visitor(TOKEN), "/")


@pytest.mark.parametrize(
    ("values", "hours", "said"),
    [
        ({}, 0, "fresh"),
        ({}, 3, "stale"),
        ({"status": "paused"}, 0, "paused"),
        ({"status": "finished"}, 3, "finished"),
        ({"failures": 1, "last_error": "the Sheet is not shared"}, 0, "failed"),
    ],
    ids=["fresh", "stale", "paused", "finished", "failed"],
)
def test_a_project_s_state_is_one_word(site: Site, values: dict[str, Any], hours: int, said: str) -> None:
    if values:
        with site.parts.db.write() as tx:
            tx.execute(projects.update().where(projects.c.name == "Beauty Lab").values(**values))
    site.time.forward(hours=hours)

    words = text_of(site.visitor(TOKEN), "/")

    assert f"Beauty Lab {said} 88.2M" in words
    assert ("the Sheet is not shared" in words) == (said == "failed")


def test_a_project_that_is_being_synced_says_so(site: Site) -> None:
    with site.parts.db.write() as tx:
        lease = {
            "name": f"project:{project_id(site)}",
            "holder": "another",
            "fence": 9,
            "expires_at": now_ms() + 30_000,
        }
        tx.execute(leases.delete())
        tx.execute(leases.insert().values(lease))

    assert "Beauty Lab syncing" in text_of(site.visitor(TOKEN), "/")


def test_pages_tell_of_a_program_that_has_stopped_in_the_words_of_the_status(site: Site) -> None:
    visitor, mine, other = site.visitor(TOKEN), project_id(site), project_id(site, "Street Food")
    with site.parts.db.write() as tx:
        tx.exec_driver_sql(
            "UPDATE observations SET origin = 'my-parser' WHERE source = 'parsed' "
            "AND account_id IN (SELECT id FROM accounts WHERE project_id = ?)",
            (mine,),
        )
    before = text_of(visitor, "/") + text_of(visitor, f"/projects/{mine}")
    site.time.forward(days=16)
    with site.parts.db.write() as tx:
        tx.exec_driver_sql(
            "UPDATE observations SET observed_at = ? WHERE source = 'parsed' AND origin <> 'my-parser'",
            (site.time.now.strftime("%Y-%m-%d %H:%M:%S.%f"),),
        )

    visitor = site.visitor(TOKEN)
    home, page, fine = (text_of(visitor, path) for path in ("/", f"/projects/{mine}", f"/projects/{other}"))
    said = visitor.get("/api/admin/sync_status").get_json()["readings"]["message"]

    assert "readings of" not in before
    assert re.fullmatch(r"readings of my-parser are stale: the newest of \d+ accounts came 16 d ago", said)
    assert said in home
    assert home.count("stale readings") == 1
    assert said in page
    assert "readings of" not in fine

    with site.parts.db.write() as tx:
        tx.exec_driver_sql(
            "UPDATE observations SET observed_at = ? WHERE source = 'parsed'",
            (site.time.now.strftime("%Y-%m-%d %H:%M:%S.%f"),),
        )
    assert "stale readings" not in text_of(visitor, "/")


def test_a_number_tells_its_cell_or_its_platform(quiet_site: Site, admin: FlaskClient) -> None:
    page = admin.get(f"/projects/{project_id(quiet_site)}").get_data(as_text=True)

    assert 'title="Beauty Lab!I7">41,200,780</a>' in page
    assert 'title="read by instagram">54,224</a>' in page
    assert "Beauty Lab!I6" in text_of(admin, f"/projects/{project_id(quiet_site)}")


def test_accounts_are_sorted_and_found(quiet_site: Site, admin: FlaskClient) -> None:
    def names(query: str) -> list[str]:
        page = admin.get(f"/projects/{project_id(quiet_site)}?{query}").get_data(as_text=True)
        return re.findall(r'<th scope="row"><a href="/accounts/\d+">([^<]+)', page)

    assert names("sort=username") == sorted(names(""))
    assert names("sort=username&order=desc") == sorted(names(""), reverse=True)
    assert names("platform=instagram&sort=views") == ["lee.nails", "mira.glow"]
    assert names("q=DANA&sort=username") == ["dana_brows", "danabrows"]
    assert names("topic=Nails&sort=followers&order=asc")[-1] == "lee.nails"
    assert names("sort=views")[-1] == "danabrows"  # it has none
    assert names("sort=nonsense&page=99&days=1&metric=x") == names("")
    assert names("q=nobody") == []


def test_a_topic_is_found_by_any_of_its_spellings(site: Site) -> None:
    with site.parts.db.write() as tx:
        one = tx.execute(sa.select(accounts.c.id).where(accounts.c.topic == "Nails").limit(1)).scalar_one()
        tx.execute(accounts.update().where(accounts.c.id == one).values(topic="@nails"))
    client = site.visitor(TOKEN)

    page = client.get(f"/projects/{project_id(site)}?topic=NAILS").get_data(as_text=True)

    assert re.findall(r"<option( selected)?>(@?nails)</option>", page, re.IGNORECASE) == [(" selected", "Nails")]
    assert f'<a href="/accounts/{one}">' in page


def test_gaps_and_carried_days_are_marked(quiet_site: Site, admin: FlaskClient) -> None:
    page = admin.get(f"/projects/{project_id(quiet_site)}").get_data(as_text=True)
    table = page[page.index("data-twin") :]

    assert table.count("no snapshot") == 1
    assert re.search(r"2026-02-13</th>.*?no snapshot", table)
    assert re.search(r"2026-02-21</th>.*?4 carried", table)
    line = re.search(r'class="line" d="([^"]+)"', page)
    assert line is not None
    assert line[1].count("M") == 2


@pytest.mark.parametrize("path", ["/", "/projects/{}", "/?metric=likes", "/projects/{}?metric=likes"])
def test_a_metric_that_is_missing_makes_no_gap_of_days_on_which_another_grew(site: Site, path: str) -> None:
    before = site.visitor(TOKEN).get(path.format(project_id(site))).get_data(as_text=True)
    with site.parts.db.write() as tx:
        tx.execute(
            account_snapshots.update()
            .where(account_snapshots.c.day >= date(2026, 2, 15))
            .values(likes=None, followers=None)
        )
        for one in tx.execute(sa.select(projects.c.id)).scalars().all():
            days.rebuild(tx, one)
        tx.execute(projects.update().values(revision=projects.c.revision + 1))

    after = site.visitor(TOKEN).get(path.format(project_id(site))).get_data(as_text=True)

    assert "carried" in after
    assert after.count("no snapshot") == before.count("no snapshot")


@pytest.mark.parametrize("path", ["/", "/projects/{}", "/shared/{}", "/accounts/2"])
def test_the_present_is_no_earlier_than_the_day_before_it(site: Site, path: str) -> None:
    site.time.forward(days=5)
    today = site.time.now.date()
    mine = project_id(site)
    client = site.visitor(TOKEN)
    link = client.post(f"/projects/{mine}/share", headers=OURS).get_data(as_text=True)
    client.get(re.findall(r"data-copy>http://localhost(/share/[^<]+)<", link)[0])

    page = client.get(path.format(mine) + "?days=7").get_data(as_text=True)

    assert "<th>now</th>" in page
    named = re.findall(r'<text class="x[^>]+>([^<]+)</text>', page)
    days = [day_words(today - timedelta(days=n)).rsplit(" ", 1)[0] for n in range(6, -1, -1)]
    assert named[:5] == [days[place] for place in (0, 2, 4, 5, 6)]


def test_a_carried_day_at_the_very_top_of_the_chart_is_marked_too() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 2)]
    drawn = draw_line([ChartDay(days[0], 0), ChartDay(days[1], 400, carried=1)])

    assert drawn is not None
    assert (drawn.ys, drawn.dots) == ([200.0, 0.0], [(100.0, 0.0)])


def test_a_page_of_a_year_shows_the_days_there_are(quiet_site: Site, admin: FlaskClient) -> None:
    page = admin.get(f"/projects/{project_id(quiet_site)}?days=365").get_data(as_text=True)
    table = page[page.index("data-twin") :]

    assert "Views, 365 days <span" in page
    assert "since 1 Jan 2026" in page
    assert "2026-01-01" in table
    assert "2025-12-31" not in table
    assert page.count('class="line-gap"') == 1


def test_every_day_of_the_table_adds_up(quiet_site: Site, admin: FlaskClient) -> None:
    def number(text: str) -> int:
        return 0 if text == "–" else int(text.replace(",", "").replace("−", "-"))

    for path in (f"/projects/{project_id(quiet_site)}?days=90", "/accounts/2?days=90"):
        page = admin.get(path).get_data(as_text=True)
        rows = re.findall(r"<tr[^>]*><th[^>]*>[^<]+</th>((?:<td>[^<]*)+)", page[page.index("data-twin") :])
        days = [[number(cell) for cell in re.findall(r"<td>([^<]*)", row)[:4]] for row in rows]
        *days, together = days
        value = together[0] - sum(together[1:])
        for end, growth, joined, left in days:
            assert end == value + growth + joined + left
            value = end
        assert together[1:] == [sum(day[place] for day in days) for place in (1, 2, 3)]


def test_a_csv_is_a_click_away(quiet_site: Site, admin: FlaskClient) -> None:
    page = admin.get(f"/projects/{project_id(quiet_site)}").get_data(as_text=True)
    (path,) = re.findall(r'href="([^"]+format=csv[^"]*)"', page)

    assert admin.get(unescape(path)).mimetype == "text/csv"


def test_an_account_explains_each_of_its_numbers(admin: FlaskClient) -> None:
    words = text_of(admin, "/accounts/2")

    assert "Followers 54,224 From the platform: read by instagram" in words
    assert "Sheet 54,210 Beauty Lab!E3, since just now" in words
    assert "Likes 801,300 From the Sheet: Beauty Lab!F3" in words
    assert "Comments – Nobody observed it." in words
    assert "412,090,000 from instagram waits, held 3 h ago : it is far off the last good" in words
    assert "Accept Reject" in words


def test_a_run_is_told_project_by_project(admin: FlaskClient, quiet_site: Site) -> None:
    words = text_of(admin, pages(quiet_site)[-1])

    assert "succeeded" in words
    assert "Beauty Lab synced 8" in words
    assert "'#REF!' is not a count" in words


@pytest.mark.parametrize(
    "path", ["/projects/none", "/projects/%00", "/accounts/999", "/accounts/" + "9" * 30, "/runs/none", "/runs/%00"]
)
def test_what_is_not_there_is_said_so_on_a_page(admin: FlaskClient, path: str) -> None:
    answer = admin.get(path)

    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_markup_in_a_sheet_is_text(site: Site) -> None:
    with site.parts.db.write() as tx:
        marked = {"username": MARKUP, "owner": MARKUP, "topic": MARKUP, "profile_url": "javascript:alert(1)"}
        tx.execute(accounts.update().where(accounts.c.id == 2).values(**marked))
        tx.execute(projects.update().where(projects.c.name == "Beauty Lab").values(name=MARKUP, last_error=MARKUP))
    visitor = site.visitor(TOKEN)

    for path in ("/", f"/projects/{project_id(site, MARKUP)}", "/accounts/2"):
        page = visitor.get(path).get_data(as_text=True)
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert "<img" not in page
        assert 'href="javascript:' not in page


def test_without_scripts_a_button_starts_a_run_and_shows_it(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    started = visitor.post("/sync?async=true", headers=OURS)

    assert started.status_code == 303
    assert visitor.get(started.headers["Location"]).status_code == 200
    site.parts.background.shut_down(10)


def test_the_button_for_all_means_all_with_or_without_scripts(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    visitor.post("/sync?async=true", headers=OURS)
    site.parts.background.shut_down(10)

    with site.parts.db.read() as tx:
        assert runs.latest(tx, limit=1)[0].params["all"] is True
    assert 'action="/sync?async=true&amp;all=true"' in visitor.get("/").get_data(as_text=True)


def test_pages_of_runs_say_of_a_sync_what_every_door_says(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    with site.parts.db.write() as tx:
        now = site.time.now
        ends: dict[RunState, str | None] = {"succeeded": None, "partial": "sheet_shrank"}
        for state, code in ends.items():
            runs.add(tx, NewRun(state, "http", state, {}, now.date(), now))
            failed = {"error_code": code, "error_count": 1} if code else {"success_count": 1}
            runs.close(tx, state, state, {"total": 1, "degraded": True, "error": "Street Food: no answer", **failed})
            one = ProjectResult("p", "Street Food", success=code is None, degraded=True, error="no answer")
            runs.put_results(tx, state, [one])

    short, long = (visitor.get(f"/runs/{state}").get_data(as_text=True) for state in ("succeeded", "partial"))

    assert '<span class="badge degraded">degraded</span>' in short
    assert '<p class="notice">Street Food: no answer</p>' in short
    assert '<span class="badge partial">partial</span>' in long
    assert '<p class="notice bad">Street Food: no answer</p>' in long
    assert long.count('<span class="badge degraded">degraded</span>') == 1
    assert "degraded http" in text_of(visitor, "/runs")


def test_without_scripts_a_held_value_is_accepted(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    answer = visitor.post("/held/1/accept", headers=OURS)

    assert answer.headers["Location"] == f"/projects/{project_id(site)}#held"
    assert "held value" not in text_of(visitor, "/")
    assert visitor.post("/held/1/accept", headers=OURS).status_code == 404
    assert visitor.post("/held/1/explode", headers=OURS).status_code == 404


def test_a_refused_sync_says_why(site: Site) -> None:
    answer = site.visitor(TOKEN).post("/sync?async=true&project_id=none", headers=OURS)

    assert answer.status_code == 404
    assert b"there is no project" in answer.data


def test_a_service_that_is_ending_starts_no_sync_and_says_so(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    site.parts.background.shut_down(0)
    answer = visitor.post("/sync?async=true", headers=OURS)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert b"the service is shutting down" in answer.data


def test_with_no_sheet_the_home_page_tells_what_to_do(tmp_path: Path) -> None:
    parts = parts_on(tmp_path / "new.db", demo=False)
    visitor = Site(create_app(parts), parts, FakeClock()).visitor(TOKEN)
    words = text_of(visitor, "/")

    assert "Three steps" in words
    assert "SMART_SYNC_SHEET" in words
    (template,) = re.findall(r'href="(/static/template[^"]+)"', visitor.get("/").get_data(as_text=True))
    assert len(visitor.get(template).get_data(as_text=True).splitlines()) == 3
    parts.db.close()


def test_before_the_first_sync_a_page_says_what_is_missing(tmp_path: Path) -> None:
    parts = parts_on(tmp_path / "new.db")
    visitor = Site(create_app(parts), parts, FakeClock()).visitor(TOKEN)

    assert "No project yet" in text_of(visitor, "/")
    assert "No run yet" in text_of(visitor, "/runs")
    parts.db.close()


def test_the_home_page_says_what_kept_the_last_sync_from_being_whole(tmp_path: Path) -> None:
    folder = tmp_path / "sheet"
    folder.mkdir()
    parts = parts_on(tmp_path / "new.db", demo=False, sheets=(str(folder),))
    visitor = Site(create_app(parts), parts, FakeClock()).visitor(TOKEN)
    (folder / "Odd.csv").write_bytes(b"\x00\xff\xfe\x00\x81")
    said = []
    for good in (False, True, True):
        if good:
            (folder / "Good.csv").write_text("Link,Views\nhttps://x.com/ann,5\n", encoding="utf-8")
        sync(parts)
        said.append(text_of(visitor, "/"))
    (folder / "Odd.csv").unlink()
    sync(parts)
    whole = text_of(visitor, "/")
    (folder / "Good.csv").unlink()
    sync(parts)
    failed = text_of(visitor, "/")

    assert ["No project yet" in words for words in said] == [True, False, False]
    assert all("The last sync partial : tab 'Odd': Odd: the CSV is not in UTF-8" in words for words in said), said
    assert "last sync" not in whole
    assert (
        failed.count("the tab 'Good' has gone from the spreadsheet 'sheet' (the tabs there are: none; restore it") == 1
    )
    parts.db.close()


def test_after_the_first_sync_a_page_draws_what_there_is(tmp_path: Path) -> None:
    parts = parts_on(tmp_path / "new.db")
    sync(parts)
    site = Site(create_app(parts), parts, FakeClock())
    visitor = site.visitor(TOKEN)

    for path in pages(site):
        assert visitor.get(path).status_code == 200
    parts.db.close()


def test_a_database_that_can_not_be_read_is_told_on_a_page(site: Site) -> None:
    path = Path(site.parts.settings.database.removeprefix("sqlite:///"))
    visitor = site.visitor(TOKEN)
    site.parts.db.close()
    for file in path.parent.glob("demo.db*"):
        file.unlink()
    path.write_bytes(b"nothing of ours" * 1000)

    answer = visitor.get("/")

    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert answer.headers["Retry-After"] == "15"


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """The statements of what is done meanwhile."""
    found: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    with db.read() as tx:
        engine = tx.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(engine, "before_cursor_execute", note)


def more_accounts(site: Site, count: int, days: int = 0) -> None:
    """So many more accounts in the first project, each with two months of snapshots, and so many days before."""
    with site.parts.db.write() as tx:
        row = dict(tx.execute(accounts.select().where(accounts.c.id == 1)).mappings().one())
        past = tx.execute(account_snapshots.select().where(account_snapshots.c.account_id == 1)).mappings().all()
        early = [
            dict(past[0])
            | {
                "day": past[0]["day"] - timedelta(days=back),
                "snapshot_time": past[0]["snapshot_time"] - timedelta(days=back),
            }
            for back in range(1, days + 1)
        ]
        if early:
            tx.execute(account_snapshots.insert(), early)
        for n in range(count):
            new = row | {"id": 1000 + n, "url_key": f"more-{n}", "username": f"a.rather.long.name.{n}"}
            tx.execute(accounts.insert().values(new))
            tx.execute(account_snapshots.insert(), [dict(day) | {"account_id": 1000 + n} for day in [*past, *early]])
        follow_past(tx, anew=days > 0)
        tx.execute(projects.update().values(revision=projects.c.revision + 1))


def test_pages_ask_the_database_as_often_for_many_accounts_as_for_few_and_stay_small(site: Site) -> None:
    visitor, paths = site.visitor(TOKEN), pages(site)[:4]

    def looked() -> list[int]:
        counts = []
        for path in paths:
            with counted(site.parts.db) as statements:
                size = len(visitor.get(path).data)
            counts.append(len(statements))
            assert size < 100_000, path
        return counts

    few = looked()
    more_accounts(site, 60)

    assert looked() == few
    assert max(few) <= 26


def test_pages_stay_small_with_a_year_of_days_and_a_page_full_of_accounts(site: Site) -> None:
    with site.parts.db.write() as tx:
        mine = {"topic": "a topic", "owner": "somebody", "views": 1_234_567_890, "likes": 123_456_789}
        tx.execute(accounts.update().values(**mine))
    more_accounts(site, 60, days=330)
    visitor = site.visitor(TOKEN)

    for path in ("/?days=365", f"/projects/{project_id(site)}?days=365", "/accounts/1?days=365"):
        answer = visitor.get(path)
        assert answer.get_data(as_text=True).count("data-y=") > 300
        assert len(answer.data) < 100_000, path


def test_platforms_that_are_not_read_as_they_should_be_are_told(site: Site) -> None:
    client = site.visitor(TOKEN)
    before = text_of(client, "/")
    with site.parts.db.write() as tx:
        row = {"name": "youtube", "state": "failed", "message": "YouTube refuses us", "accounts": 5, "unread": 5}
        tx.execute(tables.platform_states.insert().values([row, {**row, "name": "bluesky", "state": "ok"}]))
        account = tx.execute(
            sa.select(sa.func.min(tables.accounts.c.id)).where(tables.accounts.c.mode == "auto")
        ).scalar()
        gone = {"account_id": account, "source": "tiktok", "code": "gone", "message": "there is none"}
        tx.execute(tables.account_reads.insert().values(**gone))
        project = tx.execute(sa.select(tables.accounts.c.project_id).where(tables.accounts.c.id == account)).scalar()

    after = text_of(client, "/")

    assert "youtube is failed" not in before
    assert "youtube is failed: YouTube refuses us; 5 of 5 accounts wait" in after
    assert "bluesky is" not in after
    assert "youtube failed never 5 5 – –" in after
    assert "Units left today" in after
    assert "Units left today" not in before
    assert "tiktok: 1 account unread, gone: there is none" in text_of(client, f"/projects/{project}")
    assert "(gone): there is none. What was read before stands." in text_of(client, f"/accounts/{account}")


def test_a_target_says_when_it_is_reached_at_the_pace_of_four_weeks(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)

    assert re.search(
        r"\d[\d.]* % of 100M reached on \d+ \w{3} 20\d\d at the pace of four weeks",
        text_of(visitor, f"/projects/{mine}"),
    )

    with site.parts.db.write() as tx:
        tx.execute(projects.update().where(projects.c.id == mine).values(target_views=9 * 10**14))
    assert "not reached at the pace of four weeks" in text_of(visitor, f"/projects/{mine}")
    with site.parts.db.write() as tx:
        tx.execute(projects.update().where(projects.c.id == mine).values(target_views=5))
    assert "the pace of four weeks" not in text_of(visitor, f"/projects/{mine}")
    assert re.search(r" \d+,\d{3}[\d,.]* % of 5 reached ", text_of(visitor, f"/projects/{mine}"))


def test_a_day_or_two_do_not_say_when_a_target_is_reached(site: Site) -> None:
    mine = project_id(site)
    with site.parts.db.write() as tx:
        tx.execute(account_snapshots.delete().where(account_snapshots.c.day < site.time.now.date()))
        follow_past(tx, anew=True)

    words = text_of(site.visitor(TOKEN), f"/projects/{mine}")

    assert "of 100M too few days to tell when it is reached" in words
    assert "– from " not in words  # nor what the days that nobody knows have brought


def test_days_of_two_years_are_told_with_their_years() -> None:
    assert Compared(date(2025, 12, 1), date(2026, 3, 1), 5, 0, 0, None).words == "+5 from 1 Dec 2025 to 1 Mar 2026"
    assert Compared(date(2026, 2, 1), date(2026, 3, 1), 5, 0, 0, None).words == "+5 from 1 Feb to 1 Mar"


def test_any_days_are_looked_at_and_compared_with_as_many_before(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    today = site.time.now.date()
    first, last = today - timedelta(days=20), today - timedelta(days=11)

    words = text_of(visitor, f"/projects/{mine}?from={first}&to={last}")

    assert f"Views, {day_words(first)} to {day_words(last)}" in words
    assert re.search(r"\+[\d.]+[KM] from \d+ \w+ to \d+ \w+, .* in the 9 days before \(\+[\d.]+[KM]\)", words)
    page = visitor.get(f"/projects/{mine}?from={first}&to={last}").get_data(as_text=True)
    table = page[page.index("data-twin") : page.index("<tfoot>")]
    assert re.findall(r"20\d\d-\d\d-\d\d", table)[-1] == str(last)
    assert ">now" not in table


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("from=2026-01-01", "It takes two days"),
        ("from=nonsense&to=2026-01-02", "It takes two days"),
        ("from=2026-02-02&to=2026-02-01", "The first day, 2026-02-02, is behind the last, 2026-02-01."),
        ("from=1900-01-01&to=1900-02-01", "1900-01-01 is further back than three years."),
        ("from=0001-01-01&to=9999-12-31", "9999-12-31 is still to come: today is "),
    ],
)
def test_days_that_make_no_sense_are_refused_in_words_and_the_latest_shown(
    quiet_site: Site, admin: FlaskClient, asked: str, wrong: str
) -> None:
    words = text_of(admin, f"/projects/{project_id(quiet_site)}?{asked}")

    assert "Views, 30 days" in words
    assert wrong in words
    assert "These are the latest 30 days." in words


def test_other_days_keep_the_days_that_were_typed_and_the_filter_of_the_list(
    quiet_site: Site, admin: FlaskClient
) -> None:
    asked = "from=2026-02-02&to=2026-02-01&q=lab&platform=tiktok&sort=likes&order=asc"
    page = admin.get(f"/projects/{project_id(quiet_site)}?{asked}").get_data(as_text=True)
    form = page[page.index('class="filter range"') :].partition("</form>")[0]

    assert dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form)) == {
        "metric": "views",
        "q": "lab",
        "platform": "tiktok",
        "sort": "likes",
        "order": "asc",
        "from": "2026-02-02",
        "to": "2026-02-01",
    }


def test_the_range_is_what_the_api_says_of_these_days(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    today = site.time.now.date()
    first, last = today - timedelta(days=10), today - timedelta(days=3)
    found = compared(site, mine, first, last)
    assert found is not None
    answer = visitor.get(f"/api/projects/{mine}/analytics?start_date={first}&end_date={last}").get_json()

    assert found.growth == answer["growth"]["views"]
    assert compared(site, mine, today, today) is None


def compared(site: Site, mine: str, first: date, last: date) -> Compared | None:
    with site.parts.db.read() as tx:
        since = comparison_start(first, last)
        sums, crossed = days.sums_of(tx, mine, since, last), crossings(tx, [mine], since)
        return compare_project(tx, mine, first, last, 4, sums, crossed)


def test_accounts_are_found_by_how_they_are_counted(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    with site.parts.db.write() as tx:
        tx.execute(accounts.update().where(accounts.c.id == 1).values(mode="manual"))

    assert "Accounts 2 of 8" in text_of(visitor, f"/projects/{mine}?mode=manual")  # one of them by the Sheet
    assert "Accounts 8" in text_of(visitor, f"/projects/{mine}?mode=nonsense")


def test_accounts_that_are_off_are_told_apart_so_that_home_and_project_count_the_same(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    before = text_of(visitor, f"/projects/{mine}")
    visitor.post("/accounts/2/change", data={"mode": "off"}, headers=OURS)

    words, card = text_of(visitor, f"/projects/{mine}"), text_of(visitor, "/")

    off = int(found[1]) if (found := re.search(r"Accounts 8, (\d) off", before)) else 0
    assert f"Accounts 8, {off + 1} off" in words
    assert re.search(rf"Accounts {8 - off - 1} Checked", card[card.index("Beauty Lab") :])


def test_problems_are_drawn_over_days_where_there_were_any(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    assert "Most problems of each day, over 30 days" not in visitor.get(f"/projects/{mine}").get_data(as_text=True)
    with site.parts.db.write() as tx:
        run_id = tx.execute(sa.select(tables.sync_runs.c.id).limit(1)).scalar_one()
        earlier = site.time.now - timedelta(days=2)
        tx.execute(tables.sync_runs.update().where(tables.sync_runs.c.id == run_id).values(day=earlier.date()))

    assert "Most problems of each day, over 30 days" in visitor.get(f"/projects/{mine}").get_data(as_text=True)


def test_more_than_a_year_is_shown_week_by_week(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    last = site.time.now.date()

    def table(days: int) -> tuple[str, list[str]]:
        page = visitor.get(f"/projects/{mine}?from={last - timedelta(days=days)}&to={last}").get_data(as_text=True)
        part = page[page.index('class="twin"') : page.index("</tfoot>")]
        return part, re.findall(r"<tr[^>]*><th>(20\d\d-\d\d-\d\d|now)", part)

    daily, days = table(365)
    weekly, weeks = table(366)

    assert "Every day as a table" in daily
    assert "Every week as a table" in weekly
    assert weeks == [*days[-2::-7][::-1], "now"]
    assert re.findall(r"<tfoot>.*", daily, re.DOTALL) == re.findall(r"<tfoot>.*", weekly, re.DOTALL)


def test_many_values_that_wait_are_shown_in_part_and_counted_in_full(site: Site) -> None:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    held, doubts = tables.held_observations, tables.doubts
    with site.parts.db.write() as tx:
        tx.execute(held.delete())
        ids = tx.execute(sa.select(accounts.c.id).where(accounts.c.project_id == mine)).scalars().all()
        pairs = [{"account_id": one, "metric": metric} for one in ids for metric in ("likes", "views")]
        tx.execute(held.insert(), [pair | {"value": 9_000} for pair in pairs])
        moment = {"since": site.time.now, "observed_at": site.time.now, "day": site.time.now.date()}
        tx.execute(doubts.insert(), [pair | moment | {"typed": 8_000, "credible": 10} for pair in pairs])

    words = text_of(visitor, f"/projects/{mine}")

    assert f"Held values {len(pairs)} " in words
    assert f"Values in doubt {len(pairs)} " in words
    assert words.count(f"and {len(pairs) - 10} more, shown as these are decided") == 2


def test_the_count_in_the_head_costs_no_transaction_of_its_own(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    visitor.get("/")  # sees to it that the tables are there
    begun: list[Database] = []
    original = Database.read

    def read(db: Database) -> Any:
        begun.append(db)
        return original(db)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "read", read)
        for path in [*pages(site)[:4], "/runs", "/alerts"]:
            begun.clear()
            assert visitor.get(path).status_code == 200
            assert len(begun) == 1, path


def test_the_bars_of_an_account_are_read_by_pointer_and_keyboard_as_its_line_is(admin: FlaskClient) -> None:
    page = admin.get("/accounts/2").get_data(as_text=True)
    figures = re.findall(r"<figure data-chart.*?</figure>", page, re.DOTALL)

    assert len(figures) == 2
    for figure in figures:  # what the script fills and moves
        assert "data-readout" in figure
        assert re.search(r'<g class="cross" hidden><line y1="16" y2="216"/>', figure)
    assert 'data-bars="chart"' in figures[1]
    assert 'id="chart"' in page
