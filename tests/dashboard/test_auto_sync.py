"""The schedule on a project's page: what it says, and how it is changed without scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.dashboard.conftest import OURS, READ, Site
from tests.dashboard.filled import TOKEN
from tests.fakes.clock import MONDAY
from webapp.rules.words import ahead, every
from webapp.store.tables import projects


def project_id(site: Site) -> str:
    with site.parts.db.read() as tx:
        return str(tx.execute(sa.select(projects.c.id).where(projects.c.name == "Beauty Lab")).scalar_one())


def changed(site: Site, **values: Any) -> None:
    with site.parts.db.write() as tx:
        tx.execute(projects.update().where(projects.c.name == "Beauty Lab").values(**values))


def posted(site: Site, form: dict[str, str], **headers: str) -> Any:
    visitor, mine = site.visitor(TOKEN), project_id(site)
    return visitor.post(f"/projects/{mine}/auto_sync", data=form, headers=OURS | headers)


def told(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.visitor(TOKEN).get(f"/api/admin/projects/{project_id(site)}/auto_sync").get_json()
    return found


def form_of(client: FlaskClient, site: Site) -> str:
    page = client.get(f"/projects/{project_id(site)}").get_data(as_text=True)
    found = re.search(r"<form[^>]* data-auto-sync.*?</form>", page, re.DOTALL)
    return found[0] if found else ""


def next_words(form: str) -> str:
    (words,) = re.findall(r'<span class="next">(.*?)</span>', form)
    return re.sub(r"<[^>]+>", "", words)


def chosen(form: str) -> list[str]:
    return re.findall(r'<option value="([^"]*)" selected>', form)


def test_the_page_says_how_often_and_when_next(site: Site) -> None:
    site.time.forward(minutes=2)
    form = form_of(site.visitor(TOKEN), site)

    assert 'name="enabled" value="true" checked' in form
    assert "every 30 minutes (default)" in form
    assert chosen(form) == []
    assert next_words(form) == "Next sync in 27 minutes"


def test_who_only_reads_sees_no_switch_and_can_not_change_it(quiet_site: Site) -> None:
    reader = quiet_site.visitor(READ)

    assert form_of(reader, quiet_site) == ""
    answer = reader.post(f"/projects/{project_id(quiet_site)}/auto_sync", data={}, headers=OURS)
    assert answer.status_code == 403
    assert told(quiet_site)["enabled"] is True


def test_another_interval_is_saved_and_moves_the_next_sync(site: Site) -> None:
    answer = posted(site, {"enabled": "true", "interval_minutes": "120"})

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/projects/{project_id(site)}#schedule"
    assert (told(site)["enabled"], told(site)["interval_minutes"]) == (True, 120)
    form = form_of(site.visitor(TOKEN), site)
    assert chosen(form) == ["120"]
    assert next_words(form) == "Next sync in 1 hour"


def test_a_switch_that_is_off_is_saved_and_the_interval_stays(site: Site) -> None:
    posted(site, {"interval_minutes": "45"})

    assert (told(site)["enabled"], told(site)["interval_minutes"]) == (False, 45)
    form = form_of(site.visitor(TOKEN), site)
    assert " checked" not in form
    assert chosen(form) == ["45"]
    assert next_words(form) == "Not synced by itself"


def test_the_default_interval_is_chosen_by_its_own_name(site: Site) -> None:
    posted(site, {"enabled": "true", "interval_minutes": "60"})
    posted(site, {"enabled": "true", "interval_minutes": ""})

    assert told(site)["default_interval"] is True


def test_a_cron_expression_is_shown_and_stays_until_an_interval_takes_its_place(site: Site) -> None:
    changed(site, cron="30 2 * * *", timezone="Europe/Berlin")
    form = form_of(site.visitor(TOKEN), site)

    assert chosen(form) == ["cron"]
    assert "at 02:30 every day (Europe/Berlin)" in form
    posted(site, {"interval_minutes": "cron"})
    assert (told(site)["enabled"], told(site)["cron"]) == (False, "30 2 * * *")
    posted(site, {"enabled": "true", "interval_minutes": "60"})
    assert (told(site)["cron"], told(site)["interval_minutes"]) == (None, 60)


@pytest.mark.parametrize("interval", ["0", "-5", "often", "9" * 5000, "525601", "1.5", "\u00b2"])
def test_what_is_no_interval_is_refused_on_a_page_and_changes_nothing(site: Site, interval: str) -> None:
    before = told(site)
    answer = posted(site, {"interval_minutes": interval})

    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert "interval_minutes" in answer.get_data(as_text=True)
    assert told(site) == before


def test_a_project_that_is_not_there_is_told_on_a_page(site: Site) -> None:
    answer = site.visitor(TOKEN).post("/projects/none/auto_sync", data={}, headers=OURS)

    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_another_site_changes_nothing(site: Site) -> None:
    assert posted(site, {}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert told(site)["enabled"] is True


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"next_sync_at": None}, "Next sync due now"),
        ({"next_sync_at": MONDAY - timedelta(minutes=5)}, "Next sync due now"),
        ({"status": "paused"}, "Not synced by itself while paused"),
        ({"status": "finished"}, "Not synced by itself while finished"),
    ],
)
def test_the_page_says_why_there_is_no_time_to_wait_for(site: Site, values: dict[str, Any], words: str) -> None:
    changed(site, **values)

    assert next_words(form_of(site.visitor(TOKEN), site)) == words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "every minute"),
        (45, "every 45 minutes"),
        (60, "every hour"),
        (90, "every 90 minutes"),
        (240, "every 4 hours"),
        (1440, "every day"),
        (2880, "every 2 days"),
    ],
)
def test_an_interval_is_said_in_the_largest_unit_that_fits(minutes: int, words: str) -> None:
    assert every(minutes) == words


@pytest.mark.parametrize(
    ("length", "words", "short"),
    [
        (timedelta(0), "due now", "due now"),
        (timedelta(seconds=20), "in less than a minute", "in less than a minute"),
        (timedelta(minutes=1), "in 1 minute", "in 1 min"),
        (timedelta(minutes=28, seconds=30), "in 28 minutes", "in 28 min"),
        (timedelta(hours=2), "in 2 hours", "in 2 h"),
        (timedelta(days=3), "in 3 days", "in 3 d"),
        (timedelta(days=70), "in 2 months", "in 2 months"),
    ],
)
def test_a_time_ahead_is_said_short_and_spelled_out(length: timedelta, words: str, short: str) -> None:
    assert ahead(MONDAY + length, MONDAY, spelled=True) == words
    assert ahead(MONDAY + length, MONDAY) == short
