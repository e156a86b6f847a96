from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.read.world import World
from webapp.api.views.accounts import SORTS

BIG = 2**63 - 1


@pytest.fixture
def team(world: World) -> str:
    return a_team(world)


@pytest.fixture
def sqlite_team(sqlite_world: World) -> str:
    return a_team(sqlite_world)


def a_team(world: World) -> str:
    """A project with accounts that are alike in some things and unlike in others."""
    project = world.project()
    people: list[dict[str, Any]] = [
        {"name": "Ann", "platform": "youtube", "owner": "Ada", "topic": "Food", "views": 100, "followers": 5},
        {"name": "bob", "platform": "x", "owner": "Ada", "topic": "games", "views": 300, "followers": 5},
        {"name": "Жанна", "platform": "x", "owner": "Бэлла", "topic": "Еда", "status": "OLD", "views": None},
        {"name": "<script>alert(1)</script>", "platform": "tiktok", "views": 300, "followers": 0},
        {"name": "zoe", "platform": "youtube", "owner": "ada lovelace", "status": "NEW", "views": BIG, "followers": 9},
    ]
    for person in people:
        account = world.account(project, person.pop("name"), **person)
        world.every_day(account, "03-01", [10 * account, 10 * account + account % 3])
    return project


def names(body: Any) -> list[str]:
    return [account["username"] for account in body["accounts"]]


def pages(world: World, project: str, **asked: Any) -> list[str]:
    """All pages, one after the other."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        body = world.json(f"/api/projects/{project}/accounts", **asked, **cursor)
        found += names(body)
        if body["next_cursor"] is None:
            return found
        cursor = {"cursor": body["next_cursor"]}


def test_an_account_says_what_is_known_of_it(world: World) -> None:
    project = world.project()
    account = world.account(project, "ann", topic="<script>", views=BIG, followers=0)

    (shown,) = world.json(f"/api/projects/{project}/accounts")["accounts"]

    assert shown == {
        "id": account,
        "project_id": project,
        "platform": "x",
        "username": "ann",
        "profile_url": "https://x.com/ann",
        "topic": "<script>",
        "owner": None,
        "status": None,
        "mode": "auto",
        "discovered": "sheet",
        "followers": 0,
        "likes": None,
        "comments": None,
        "videos": None,
        "views": BIG,
        "changed_at": None,
        "added_at": "2026-03-02T10:00:00.000000Z",
        "removed_at": None,
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"platform": "YouTube"}, ["Ann", "zoe"], id="platform, capitals aside"),
        pytest.param({"platform": "@YouTube"}, ["Ann", "zoe"], id="platform, a leading @ aside"),
        pytest.param({"platform": "myspace"}, [], id="a platform that nobody is on"),
        pytest.param({"topic": "еда"}, ["Жанна"], id="topic, in any script"),
        pytest.param({"owner": "@ADA"}, ["Ann", "bob"], id="owner, whole and without @"),
        pytest.param({"status": "old"}, ["Жанна"], id="status"),
        pytest.param({"owner": "ada", "platform": "x"}, ["bob"], id="two at once"),
        pytest.param({"q": "ЖАН"}, ["Жанна"], id="part of a name, in any script"),
        pytest.param({"q": "x.com/bo"}, ["bob"], id="part of the address"),
        pytest.param({"q": "lovelace"}, ["zoe"], id="part of an owner"),
        pytest.param({"q": "<script>"}, ["<script>alert(1)</script>"], id="markup"),
        pytest.param({"q": "%"}, [], id="no wildcard"),
        pytest.param({"q": "' OR 1=1 --"}, [], id="no SQL"),
    ],
)
def test_accounts_can_be_filtered(
    sqlite_world: World, sqlite_team: str, asked: dict[str, str], expected: list[str]
) -> None:
    assert names(sqlite_world.json(f"/api/projects/{sqlite_team}/accounts", **asked)) == expected


def test_accounts_are_filtered_alike_by_either_database(world: World, team: str) -> None:
    for asked, expected in (
        ({"platform": "X"}, ["bob", "Жанна"]),
        ({"q": "ЖАН"}, ["Жанна"]),
        ({"owner": "ada"}, ["Ann", "bob"]),
    ):
        assert names(world.json(f"/api/projects/{team}/accounts", **asked)) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["Ann", "bob", "Жанна", "<script>alert(1)</script>", "zoe"], id="by id"),
        pytest.param({"order": "desc"}, ["zoe", "<script>alert(1)</script>", "Жанна", "bob", "Ann"], id="by id, down"),
        pytest.param(
            {"sort": "views"},
            ["zoe", "bob", "<script>alert(1)</script>", "Ann", "Жанна"],
            id="most first, unknown last",
        ),
        pytest.param(
            {"sort": "views", "order": "asc"},
            ["Ann", "bob", "<script>alert(1)</script>", "zoe", "Жанна"],
            id="least first, unknown last",
        ),
        pytest.param({"sort": "username"}, ["<script>alert(1)</script>", "Ann", "bob", "zoe", "Жанна"], id="by name"),
        pytest.param(
            {"sort": "owner", "order": "desc"}, ["Жанна", "zoe", "Ann", "bob", "<script>alert(1)</script>"], id="down"
        ),
        pytest.param(
            {"sort": "growth_views"}, ["zoe", "bob", "<script>alert(1)</script>", "Ann", "Жанна"], id="by growth"
        ),
    ],
)
def test_accounts_can_be_sorted(
    sqlite_world: World, sqlite_team: str, asked: dict[str, str], expected: list[str]
) -> None:
    assert names(sqlite_world.json(f"/api/projects/{sqlite_team}/accounts", **asked)) == expected
    assert pages(sqlite_world, sqlite_team, limit=1, **asked) == expected
    assert pages(sqlite_world, sqlite_team, limit=2, **asked) == expected


def test_pages_show_every_account_once_in_any_order(world: World, team: str) -> None:
    for sort in SORTS:
        for order in ("asc", "desc"):
            whole = names(world.json(f"/api/projects/{team}/accounts", sort=sort, order=order))

            assert len(set(whole)) == 5
            assert pages(world, team, limit=2, sort=sort, order=order) == whole, (sort, order)


def test_growth_is_shown_where_it_is_asked_for(world: World) -> None:
    project = world.project()
    ann, new = world.account(project, "ann", views=130), world.account(project, "new", views=900)
    world.every_day(ann, "02-27", [100, 90, 120, 130])
    world.every_day(new, "03-02", [900])
    path = f"/api/projects/{project}/accounts"

    day, days = (
        world.json(path, growth="true"),
        world.json(path, sort="growth_views", start_date="2026-02-27", end_date="2026-02-28"),
    )

    assert [one["growth"] and one["growth"]["views"] for one in day["accounts"]] == [10, None]
    assert day["accounts"][0]["growth"]["from"] == "2026-03-01T10:00:00.000000Z"
    assert [(one["growth"] and one["growth"]["views"]) for one in days["accounts"]] == [-10, None]
    assert (days["accounts"][0]["growth"]["from"], days["accounts"][0]["growth"]["to"]) == ("2026-02-27", "2026-02-28")


def test_nobody_has_grown_over_days_to_come(world: World) -> None:
    project = world.project()
    world.every_day(world.account(project, "ann", views=130), "03-01", [120, 130])

    coming = world.json(f"/api/projects/{project}/accounts", growth="true", start_date="2026-03-03")

    assert [one["growth"] for one in coming["accounts"]] == [None]


def test_pages_go_on_where_they_were_while_others_write(world: World) -> None:
    project = world.project()
    ids = [world.account(project, f"a{n}", views=n) for n in range(6)]
    path = f"/api/projects/{project}/accounts"
    first = world.json(path, limit=3)
    world.change_account(ids[0], removed_at=world.service.time.now)
    world.change_account(ids[4], views=99)
    world.account(project, "late")

    rest = world.json(path, limit=10, cursor=first["next_cursor"])

    assert names(first) + names(rest) == ["a0", "a1", "a2", "a3", "a4", "a5", "late"]


def test_a_removed_account_is_on_no_list_and_keeps_its_page(world: World) -> None:
    project = world.project()
    ann = world.account(project, "ann", removed_at=world.service.time.now, views=5)

    assert world.json(f"/api/projects/{project}/accounts")["accounts"] == []
    assert world.json(f"/api/accounts/{ann}")["removed_at"] == "2026-03-02T10:00:00.000000Z"


def test_an_account_has_its_project_and_growth(world: World) -> None:
    project = world.project()
    ann = world.account(project, "ann", views=130)
    world.every_day(ann, "03-01", [100, 130])

    body = world.json(f"/api/accounts/{ann}")

    assert (body["id"], body["project_name"], body["growth_24h"]["views"]) == (ann, "Project A", 30)


def test_an_unknown_project_is_not_found(world: World) -> None:
    for project_id in ("none", "%C3%A4", "'%20OR%201=1", "x" * 4_000):
        for path in ("", "/accounts", "/analytics", "/gaps"):
            answer = world.get(f"/api/projects/{project_id}{path}")

            assert (answer.status_code, answer.json["code"]) == (404, "project_not_found"), (project_id[:9], path)
            assert len(answer.data) < 1_000


def test_a_project_id_with_a_nul_character_is_not_found(world: World) -> None:
    for path in ("", "/accounts", "/analytics", "/gaps"):
        assert world.get(f"/api/projects/a%00b{path}").status_code == 404


def test_an_unknown_account_is_not_found(world: World) -> None:
    for account_id in (0, 999_999, 2**63 - 1, 2**63, 10**30):
        for path in ("", "/snapshots", "/daily-stats", "/explain"):
            answer = world.get(f"/api/accounts/{account_id}{path}")

            assert (answer.status_code, answer.json["code"]) == (404, "account_not_found"), (account_id, path)


@pytest.mark.parametrize("account_id", ["abc", "-1", "1.5", "1e3"])
def test_what_is_no_number_is_no_account(sqlite_world: World, account_id: str) -> None:
    assert sqlite_world.get(f"/api/accounts/{account_id}").status_code == 404


def test_a_removed_project_is_on_no_list_and_served_with_its_history(world: World) -> None:
    gone, done = world.project("Gone", removed_at=world.service.time.now), world.project("Done", status="finished")
    of_gone, of_done = world.account(gone, "ann", views=9), world.account(done, "bob", views=3)
    world.snapshots(of_gone, {"03-01": 8, "03-02": 9})

    assert [project["name"] for project in world.json("/api/projects")["projects"]] == ["Done"]
    assert world.json("/api/totals", start_date="2026-03-01", end_date="2026-03-02")["total"]["views"] is None
    assert world.json(f"/api/projects/{gone}")["removed_at"] is not None
    assert world.json(f"/api/projects/{done}")["removed_at"] is None
    assert [one["views"] for one in world.json(f"/api/projects/{gone}/analytics")["history"]] == [8, 9]
    assert [world.json(f"/api/accounts/{one}")["views"] for one in (of_gone, of_done)] == [9, 3]
    assert world.get(f"/api/accounts/{of_gone}/explain").status_code == 200


@pytest.mark.parametrize(
    ("asked", "field", "allowed"),
    [
        pytest.param({"sort": "views; DROP TABLE accounts"}, "sort", "growth_followers", id="sort"),
        pytest.param({"sort": "Views"}, "sort", "followers", id="sort by another case"),
        pytest.param({"order": "down"}, "order", "asc, desc", id="order"),
        pytest.param({"format": "xml"}, "format", "json, csv", id="format"),
        pytest.param({"fields": "id,secret"}, "fields", "username", id="fields"),
        pytest.param({"fields": "id,id"}, "fields", None, id="fields twice"),
        pytest.param({"limit": "0"}, "limit", None, id="limit 0"),
        pytest.param({"limit": "-1"}, "limit", None, id="limit below"),
        pytest.param({"limit": "1001"}, "limit", None, id="limit above"),
        pytest.param({"limit": "1e9"}, "limit", None, id="limit in scientific"),
        pytest.param({"limit": "9" * 5_000}, "limit", None, id="limit of 5000 digits"),
        pytest.param({"limit": "null"}, "limit", None, id="limit null"),
        pytest.param({"cursor": "abc"}, "cursor", None, id="cursor"),
        pytest.param({"cursor": "é"}, "cursor", None, id="cursor in unicode"),
        pytest.param({"q": "x" * 256}, "q", None, id="text too long"),
        pytest.param({"growth": "maybe"}, "growth", None, id="flag"),
        pytest.param({"start_date": "2026-02-30", "growth": "true"}, "start_date", None, id="no such day"),
        pytest.param({"start_date": "0000-01-01", "growth": "true"}, "start_date", None, id="year 0"),
        pytest.param({"start_date": "10000-01-01", "growth": "true"}, "start_date", None, id="year 10000"),
        pytest.param({"start_date": "0001-01-01", "growth": "true"}, "start_date", None, id="year 1"),
        pytest.param({"start_date": "2026-03-01T00:00:00Z", "growth": "true"}, "start_date", None, id="a time"),
        pytest.param({"end_date": "0001-01-01", "growth": "true"}, "end_date", None, id="end in year 1"),
        pytest.param({"start_date": "2020-01-01", "growth": "true"}, "start_date", None, id="six years"),
        pytest.param(
            {"start_date": "2026-03-02", "end_date": "2026-03-01", "growth": "1"}, "start_date", None, id="turned"
        ),
        pytest.param({"start_date": "2026-03-01"}, "growth", None, id="days without growth"),
        pytest.param({"offset": "1"}, "offset", "cursor", id="no such parameter"),
        pytest.param({"sort": ""}, "sort", None, id="empty"),
    ],
)
def test_bad_questions_are_refused_by_name(
    sqlite_world: World, asked: dict[str, str], field: str, allowed: str | None
) -> None:
    answer = sqlite_world.get(f"/api/projects/{sqlite_world.project()}/accounts", **asked)

    assert (answer.status_code, answer.json["code"], answer.json.get("field")) == (422, "invalid_parameter", field)
    assert allowed is None or allowed in answer.json["allowed"]
    assert len(answer.data) < 2_000


def test_a_parameter_given_twice_is_refused(sqlite_world: World) -> None:
    answer = sqlite_world.get(f"/api/projects/{sqlite_world.project()}/accounts?sort=id&sort=views")

    assert (answer.status_code, answer.json["field"]) == (422, "sort")


def test_a_cursor_goes_on_with_its_own_question_only(world: World, team: str) -> None:
    path = f"/api/projects/{team}/accounts"
    cursor = world.json(path, sort="views", limit=2)["next_cursor"]
    other = world.project("Other")

    answers = [
        world.get(path, sort="views", limit=4, cursor=cursor),
        world.get(path, sort="likes", limit=2, cursor=cursor),
        world.get(path, sort="views", platform="x", limit=2, cursor=cursor),
        world.get(f"/api/projects/{other}/accounts", sort="views", limit=2, cursor=cursor),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 422, 422]


def test_a_table_holds_all_accounts_and_no_formula(sqlite_world: World) -> None:
    project = sqlite_world.project("Été / 2026", id="summer")
    for name in (
        "=1+1",
        "+1",
        "-1",
        "@ann",
        "\tx",
        "\rx",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20ann",
        'say "hi", twice',
        "Жанна",
    ):
        sqlite_world.account(project, name, views=5, followers=None)

    answer = sqlite_world.get(f"/api/projects/{project}/accounts", format="csv", fields="views,username,followers")

    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"accounts-t----2026.csv\"; filename*=UTF-8''accounts-%C3%89t%C3%A9---2026.csv"
    )
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["views", "username", "followers"]
    assert [row[1] for row in rows[1:]] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@ann",
        "'\tx",
        "'\rx",
        "'\uff1d1",
        "'\uff0b1",
        "'\uff0d1",
        "'\uff20ann",
        'say "hi", twice',
        "Жанна",
    ]
    assert {(row[0], row[2]) for row in rows[1:]} == {("5", "")}


def test_numbers_of_a_table_stay_numbers(sqlite_world: World) -> None:
    project = sqlite_world.project()
    sqlite_world.every_day(sqlite_world.account(project, "ann", views=5), "03-01", [9, 5])

    answer = sqlite_world.get(f"/api/projects/{project}/accounts", format="csv", sort="growth_views", fields="growth")

    assert answer.data.decode("utf-8-sig").splitlines()[1].split(",")[-1] == "-4"


def test_a_limited_table_names_its_next_page(sqlite_world: World) -> None:
    project = sqlite_world.project()
    for number in range(3):
        sqlite_world.account(project, f"a{number}")

    first = sqlite_world.get(f"/api/projects/{project}/accounts", format="csv", limit=2, fields="username")
    link = first.headers["Link"].partition(">")[0].removeprefix("<")
    second = sqlite_world.get(link)

    assert second.data.decode("utf-8-sig").split() == ["username", "a2"]
    assert "Link" not in second.headers


def test_fields_trim_lines_in_the_order_they_were_asked_for(sqlite_world: World) -> None:
    project = sqlite_world.project()
    sqlite_world.account(project, "ann", views=5)

    body = sqlite_world.json(f"/api/projects/{project}/accounts", fields="views,username")

    assert body == {"accounts": [{"views": 5, "username": "ann"}], "next_cursor": None}


@pytest.mark.parametrize("accounts", [1, 60])
def test_a_list_takes_at_most_three_statements_however_many_accounts(world: World, accounts: int) -> None:
    project = world.project()
    world.crowd(project, accounts, "03-01", [1, 2])

    for asked in (
        {},
        {"sort": "views"},
        {"q": "a"},
        {"sort": "growth_views"},
        {"growth": "1", "start_date": "2026-03-01"},
    ):
        with world.counted() as statements:
            world.json(f"/api/projects/{project}/accounts", **asked)

        assert len(statements) == 2
