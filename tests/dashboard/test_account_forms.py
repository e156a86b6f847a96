"""What somebody changes of an account on its page, without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.dashboard.conftest import OURS, READ, Site
from tests.dashboard.filled import TOKEN, sync
from tests.dashboard.test_pages import project_id, text_of
from webapp.store.tables import accounts, observations, pins


def post(client: FlaskClient, path: str, **fields: str) -> str:
    """Send a form; where it leads."""
    answer = client.post(path, data=fields, headers=OURS)
    assert answer.status_code == 303, (path, answer.status, answer.get_data(as_text=True)[-500:])
    return answer.headers["Location"]


def account(site: Site, account_id: int) -> Any:
    with site.parts.db.read() as tx:
        return tx.execute(accounts.select().where(accounts.c.id == account_id)).one_or_none()


def test_a_metric_is_pinned_and_unpinned(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    day = site.time.now.date().isoformat()
    where = post(visitor, "/accounts/2/pins/likes", value="801 500", until=day, note="counted by hand")
    before = text_of(visitor, "/accounts/2")
    sync(site.parts)
    after = text_of(visitor, "/accounts/2")
    back = post(visitor, "/accounts/2/pins/likes/remove")

    assert (where, back) == ("/accounts/2#likes", "/accounts/2#likes")
    assert "counted by hand from the next sync on" in before
    assert "Likes 801,500 From a pin: pinned by a person" in after
    assert "from the next sync on" not in after
    with site.parts.db.read() as tx:
        assert tx.execute(pins.select()).all() == []


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/accounts/2/pins/likes", {"value": "many"}, 422),
        ("/accounts/2/pins/likes", {"value": "5", "until": "tomorrow"}, 422),
        ("/accounts/2/pins/likes", {"value": "5", "until": "2001-01-01"}, 422),
        ("/accounts/2/pins/hearts", {"value": "5"}, 404),
        ("/accounts/2/pins/likes/remove", {}, 404),
        ("/accounts/2/change", {"mode": "sometimes"}, 422),
        ("/accounts/2/correct_url", {"profile_url": ""}, 422),
        ("/accounts/2/merge", {"into": "3"}, 422),
        ("/accounts/2/merge", {"into": "2", "sure": "yes"}, 422),
        ("/accounts/2/merge", {"into": "https://x.com/nobody_here", "sure": "yes"}, 422),
        ("/accounts/2/remove", {}, 422),
        ("/accounts/2/pins/likes", {"value": "5", "until": "9999-12-31"}, 422),
        ("/accounts/2/days", {"metric": "views", "value": "5"}, 422),
        ("/accounts/2/days", {"day": "2026-02-20", "metric": "hearts", "value": "5"}, 422),
        ("/accounts/2/days", {"day": "1999-01-01", "metric": "views", "value": "5"}, 404),
        ("/accounts/999/return", {}, 404),
        ("/accounts/2/addresses/remove", {"url_key": "no:body"}, 404),
    ],
)
def test_what_cannot_be_is_refused_in_words(site: Site, path: str, fields: dict[str, str], status: int) -> None:
    answer = site.visitor(TOKEN).post(path, data=fields, headers=OURS)

    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert (b"Go back" in answer.data or b"go back" in answer.data) == (status == 422)


def test_the_mode_is_set_and_left_to_the_sheet_again(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    post(visitor, "/accounts/2/change", mode="off")
    off = text_of(visitor, "/accounts/2")
    list_ = text_of(visitor, f"/projects/{project_id(site)}")
    post(visitor, "/accounts/2/change", mode="sheet")

    assert "Mode off: shown, but not synced and in no sum." in off
    assert re.search(r"mira\.glow mira off [\d,]+", list_)
    assert (account(site, 2).mode, account(site, 2).mode_set) == ("auto", False)


def test_owner_and_topic_are_changed_here_where_no_row_says_them(site: Site) -> None:
    with site.parts.db.write() as tx:
        tx.execute(observations.delete().where(observations.c.account_id == 2))
        tx.execute(accounts.update().where(accounts.c.id == 2).values(discovered="api"))
    visitor = site.visitor(TOKEN)
    post(visitor, "/accounts/2/change", mode="auto", owner="@ada", topic="")

    assert (account(site, 2).owner, account(site, 2).topic) == ("ada", None)
    assert 'name="owner"' not in visitor.get("/accounts/3").get_data(as_text=True)


def test_an_address_is_corrected_and_the_former_one_dropped(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    key = account(site, 2).url_key
    post(visitor, "/accounts/2/correct_url", profile_url="https://www.instagram.com/mira.glows/", note="misspelt")
    corrected = text_of(visitor, "/accounts/2")
    post(visitor, "/accounts/2/addresses/remove", url_key=key)

    assert "instagram.com/mira.glows" in corrected
    assert key in corrected
    assert f"{key} Drop" not in text_of(visitor, "/accounts/2")


def test_an_account_is_merged_into_another_by_its_address(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    with site.parts.db.read() as tx:
        mine = accounts.c.project_id == project_id(site)
        first, second = tx.execute(accounts.select().where(mine).order_by(accounts.c.id).limit(2)).all()
    where = post(visitor, f"/accounts/{first.id}/merge", into=second.profile_url, sure="yes")

    assert where == f"/accounts/{second.id}"
    assert account(site, first.id) is None


def test_a_day_of_the_history_is_corrected(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    where = post(visitor, "/accounts/2/days", day="2026-02-20", metric="views", value="4,000,123", note="a slip")
    corrected = text_of(visitor, "/accounts/2")
    post(visitor, "/accounts/2/days", day="2026-02-20", metric="views")

    assert where == "/accounts/2#chart"
    assert "2026-02-20 4,000,123" in corrected
    assert "4,000,123" not in text_of(visitor, "/accounts/2")


def test_an_account_is_removed_and_brought_back(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    post(visitor, "/accounts/2/remove", sure="yes")
    gone = text_of(visitor, "/accounts/2")
    post(visitor, "/accounts/2/return")

    assert "No longer in the project" in gone
    assert "Bring it back" in gone
    assert account(site, 2).removed_at is None


def test_a_held_value_is_decided_where_it_is_explained(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    where = post(visitor, "/held/1/reject?from=account")
    rejected = text_of(visitor, "/accounts/2")
    post(visitor, "/held/1/accept?from=account")

    assert where == "/accounts/2#views"
    assert "Rejected 412,090,000 just now Accept after all" in rejected
    assert "Accepted 412,090,000 just now" in text_of(visitor, "/accounts/2")


def test_what_waits_does_not_stand_as_what_the_platform_says(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    with site.parts.db.read() as tx:
        likes = tx.execute(sa.select(accounts.c.followers).where(accounts.c.id == 2)).scalar_one()
    reading = {"readings": [{"account_id": 2, "followers": likes * 40, "origin": "instagram"}]}
    visitor.post("/api/admin/readings", json=reading, headers={"Authorization": f"Bearer {TOKEN}"})
    sync(site.parts)

    words = text_of(visitor, "/accounts/2")

    assert f"{likes * 40:,} from instagram waits" in words
    assert f"Platform {likes:,} instagram, the last good one" in words


def test_a_cell_that_could_not_be_read_is_told_as_such(quiet_site: Site) -> None:
    with quiet_site.parts.db.read() as tx:
        mine = (accounts.c.platform == "facebook") & (accounts.c.username == "danabrows")
        account_id = tx.execute(sa.select(accounts.c.id).where(mine)).scalar_one()
    visitor = quiet_site.visitor(TOKEN)

    words = text_of(visitor, f"/accounts/{account_id}")
    page = visitor.get(f"/projects/{project_id(quiet_site)}").get_data(as_text=True)

    assert "Views – Its cell could not be read." in words
    assert "Beauty Lab!I6 could not be read: '#REF!' is not a count: it is the error of a formula." in words
    assert re.search(r'title="Beauty Lab!I6 could not be read: &#39;#REF!&#39; is not a count[^"]*">unread</a>', page)


def test_who_reads_changes_nothing(quiet_site: Site) -> None:
    reader = quiet_site.visitor(READ)

    assert (
        "<form"
        not in reader.get("/accounts/2")
        .get_data(as_text=True)
        .replace('action="/sign-out"', "", 1)[:-1]
        .partition("<main")[2]
    )
    assert reader.post("/accounts/2/remove", data={"sure": "yes"}, headers=OURS).status_code == 403
