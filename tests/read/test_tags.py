from __future__ import annotations

import random

import pytest

from tests.fakes.service import ADMIN, Service
from tests.read.world import World
from webapp import __version__
from webapp.api.http import answering
from webapp.api.http.memory import Content, Memory, Tagged
from webapp.app import create_app

READS = [
    "/api/projects/project-a/accounts",
    "/api/projects/project-a/accounts?sort=growth_views",
    "/api/projects/project-a/analytics",
    "/api/projects/project-a/gaps?per_account=true",
    "/api/accounts/1",
    "/api/accounts/1/snapshots",
    "/api/accounts/1/daily-stats",
    "/api/totals?group_by=owner",
]
GROWING = ["/api/projects/project-a/analytics.csv", "/api/projects/project-a/analytics?platform=x"]
BY_BYTES = ["/api/projects", "/api/projects/project-a", "/api/accounts/1/explain"]


@pytest.fixture
def laid(world: World) -> World:
    """One project with one account and two days."""
    world.every_day(world.account(world.project(), "ann", views=5), "03-01", [3, 5])
    world.service.time.forward(minutes=1)
    return world


def tag(world: World, path: str) -> str:
    answer = world.get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["ETag"])


def test_who_has_an_answer_is_not_sent_it_again(laid: World) -> None:
    for path in [*READS, *BY_BYTES]:
        first = laid.get(path)
        known = first.headers["ETag"]
        assert (known[0], known[-1], first.headers["Cache-Control"]) == ('"', '"', "private, no-cache"), path

        for given in (known, f"W/{known}", f'"x", W/"y", {known}', f'W/"y", W/{known}', "*"):
            answer = laid.get(path, headers={"If-None-Match": given})

            assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", known), (path, given)
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert "Content-Type" not in answer.headers


def test_an_answer_that_is_known_is_told_so_by_one_statement_at_most(laid: World) -> None:
    for path in READS:
        known = {"If-None-Match": tag(laid, path)}

        with laid.counted() as statements:
            assert laid.get(path, headers=known).status_code == 304

        assert len(statements) <= 1, path
        assert [text for text in statements if "account_snapshots" in text] == []


def test_a_change_of_the_revision_changes_every_tag_and_what_is_answered(laid: World) -> None:
    old = {path: laid.get(path) for path in READS}
    laid.change_account(1, views=6, owner="Ada")

    for path in READS:
        new = laid.get(path, headers={"If-None-Match": old[path].headers["ETag"]})

        assert (new.status_code, new.headers["ETag"] != old[path].headers["ETag"]) == (200, True), path
    assert laid.json(READS[0])["accounts"][0]["owner"] == "Ada"
    assert laid.json(READS[2])["total_views"] == 6


def test_the_next_utc_day_is_another_answer(laid: World) -> None:
    before = [tag(laid, path) for path in READS]
    laid.service.time.now = laid.service.time.now.replace(day=3, hour=0, minute=0)

    assert not set(before) & {tag(laid, path) for path in READS}


def test_two_questions_never_share_a_tag(laid: World) -> None:
    asked = ["", "?limit=5", "?sort=views", "?sort=views&order=asc", "?platform=x", "?format=csv", "?fields=id", "?q=a"]

    assert len({tag(laid, f"/api/projects/project-a/accounts{one}") for one in asked}) == len(asked)
    assert len({tag(laid, path) for path in READS}) == len(READS)


def test_the_order_of_parameters_does_not_matter(laid: World) -> None:
    path = "/api/projects/project-a/accounts"

    assert tag(laid, f"{path}?sort=views&limit=5") == tag(laid, f"{path}?limit=5&sort=views")


def test_another_version_of_the_service_has_other_tags(laid: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tag(laid, READS[0])
    monkeypatch.setattr(answering, "__version__", f"{__version__}.1")
    restarted = create_app(laid.service.parts).test_client()

    assert restarted.get(READS[0], headers=ADMIN).headers["ETag"] != before


def test_a_restored_backup_with_the_same_revision_is_another_answer(laid: World) -> None:
    before = tag(laid, READS[0])
    laid.change("project-a", changed_at=laid.service.time.now)
    laid.service.write("UPDATE projects SET revision = 1")

    assert tag(laid, READS[0]) != before


def test_a_sync_that_changes_nothing_leaves_lists_and_histories_as_they_are(service: Service, world: World) -> None:
    service.sheet.rows("Project A", ["x.com/ann", 1, 2, 3, 4, 5])
    service.sync()
    project = service.project()["id"]
    paths = [
        f"/api/projects/{project}/accounts",
        "/api/accounts/1/snapshots",
        "/api/totals",
        f"/api/projects/{project}/gaps",
        f"/api/projects/{project}/analytics",
        f"/api/projects/{project}/analytics.csv",
        f"/api/projects/{project}/accounts?sort=growth_views",
        "/api/accounts/1",
    ]
    before = [tag(world, path) for path in paths]
    service.time.forward(minutes=30)
    service.sync()

    assert [tag(world, path) for path in paths] == before
    for path, known in zip(paths, before, strict=True):
        assert world.get(path, headers={"If-None-Match": known}).status_code == 304, path


def test_a_tag_stands_for_one_answer_over_workers_and_restarts(service: Service, world: World) -> None:
    chance, numbers = random.Random(7), [100, 100, 100, 100, 100]
    service.sheet.rows("Project A", ["x.com/ann", *numbers], ["x.com/ben", *numbers])
    service.sync()
    paths = [path.replace("project-a", service.project()["id"]) for path in [*READS, *GROWING]]
    bodies: dict[tuple[str, str], bytes] = {}
    known: dict[str, str] = {}

    for _ in range(40):
        step = chance.choice(["nothing", "nothing", "number", "day", "reading", "same reading", "target"])
        service.time.forward(minutes=chance.choice([1, 30, 200]))
        before = str(service.time.now.date())
        match step:
            case "number":
                numbers[chance.randrange(5)] += chance.randrange(1, 9)
                service.sheet.rows("Project A", ["x.com/ann", *numbers], ["x.com/ben", 1, 1, 1, 1, 1])
            case "day":
                service.time.forward(days=1)
            case "reading" | "same reading":
                service.reading("x.com/ben", views=300 if step == "same reading" else chance.randrange(100, 400))
            case "target":
                target = {"target_views": chance.randrange(1, 10**6)}
                service.client.patch(f"/api/admin/projects/{service.project()['id']}", json=target, headers=ADMIN)
        service.sync()
        restarted = create_app(service.parts).test_client()
        for path in paths:
            mine, theirs = world.get(path), restarted.get(path, headers=ADMIN)
            tag = mine.headers["ETag"]
            assert (theirs.headers["ETag"], theirs.data) == (tag, mine.data), (step, path)
            assert bodies.setdefault((path, tag), mine.data) == mine.data, (step, path)
            assert restarted.get(path, headers=ADMIN | {"If-None-Match": tag}).status_code == 304
            if step == "nothing" and known.get("day") == before:
                assert known[path] == tag, path
            known[path] = tag
        known["day"] = before


def test_the_tag_of_growth_moves_with_any_number_and_with_the_day(service: Service, world: World) -> None:
    service.sheet.rows("Project A", ["x.com/ann", 1, 2, 3, 4, 5])
    service.sync()
    path = f"/api/projects/{service.project()['id']}/analytics"
    tags = [tag(world, path)]
    service.sheet.rows("Project A", ["x.com/ann", 1, 2, 3, 4, 6])
    service.sync()
    tags.append(tag(world, path))
    service.time.forward(days=1)
    tags.append(tag(world, path))
    service.sync()
    tags.append(tag(world, path))

    assert len(set(tags)) == 4


def test_growth_goes_back_from_the_last_sync_that_changed_an_answer(service: Service, world: World) -> None:
    service.sheet.rows("Project A", ["x.com/ann", 1, 2, 3, 4, 100])
    service.sync()
    service.time.forward(days=1)
    service.sheet.rows("Project A", ["x.com/ann", 1, 2, 3, 4, 148])
    service.sync()
    path = f"/api/projects/{service.project()['id']}/analytics"
    first = world.get(path)
    service.time.forward(hours=6)
    service.sync()
    idle = world.get(path, headers={"If-None-Match": first.headers["ETag"]})
    service.sheet.rows("Project A", ["x.com/ann", 2, 2, 3, 4, 148])
    service.sync()

    second = world.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (first.json["growth_24h"]["views"], idle.status_code, second.status_code) == (48, 304, 200)
    assert (first.json["as_of"][:16], second.json["as_of"][:16]) == ("2026-03-03T10:00", "2026-03-03T16:00")
    assert second.json["growth_24h"]["views"] == 36


def test_a_reading_that_says_the_same_again_moves_no_tag(service: Service, world: World) -> None:
    service.sheet.rows("Project A", ["x.com/ann", 1, 2, 3, 4, 100])
    service.sync()
    service.reading("x.com/ann", views=90)
    service.sync()
    path = f"/api/projects/{service.project()['id']}/accounts"
    before, revision = tag(world, path), service.project()["revision"]
    service.time.forward(minutes=5)

    service.reading("x.com/ann", views=90)

    assert (tag(world, path), service.project()["revision"]) == (before, revision)
    service.reading("x.com/ann", views=90, origin="another")
    assert service.project()["revision"] == revision + 1


def test_the_time_of_the_last_change_is_told_when_its_second_is_over(laid: World) -> None:
    assert laid.get(READS[0]).headers["Last-Modified"] == "Mon, 02 Mar 2026 10:00:00 GMT"

    laid.change("project-a", changed_at=laid.service.time.now)

    assert "Last-Modified" not in laid.get(READS[0]).headers


def test_a_date_alone_never_answers_for_a_body(laid: World) -> None:
    first = laid.get(READS[0])
    laid.change_account(1, views=6)  # nobody moved a time

    answer = laid.get(READS[0], headers={"If-Modified-Since": first.headers["Last-Modified"]})

    assert (answer.status_code, answer.json["accounts"][0]["views"]) == (200, 6)


def test_head_and_options_are_right(laid: World) -> None:
    for path in [*READS, *BY_BYTES]:
        got, head = laid.get(path), laid.service.client.head(path, headers=ADMIN)
        options = laid.service.client.options(path)

        assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", got.headers["ETag"]), path
        assert head.headers["Content-Length"] == str(len(got.data))
        assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_reads_can_only_be_read(sqlite_world: World) -> None:
    for path in [*READS, *BY_BYTES]:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert sqlite_world.service.client.open(path, method=method, headers=ADMIN).status_code == 405


def test_reads_need_a_token(laid: World) -> None:
    for path in [*READS, *BY_BYTES]:
        known = {"If-None-Match": tag(laid, path)}

        assert laid.service.client.get(path, headers=known).status_code == 401, path


def test_reads_change_nothing(laid: World) -> None:
    laid.tell()
    before = laid.service.tables()

    for path in [*READS, *BY_BYTES]:
        laid.get(path)
        laid.get(path)

    assert laid.service.tables() == before


def test_html_is_never_answered(laid: World) -> None:
    for path in [*READS, "/api/projects/none", "/api/projects/project-a/accounts?limit=0"]:
        assert "json" in laid.get(path, headers={"Accept": "text/html"}).headers["Content-Type"]


# The memory itself


def kept(size: int) -> Tagged:
    return Tagged('"tag"', Content(b"x" * size))


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    memory = Memory(100)
    for name in "abcd":
        memory.put(name, kept(25))
    memory.get("a")

    memory.put("e", kept(25))

    assert [name for name in "abcde" if memory.get(name)] == ["a", "c", "d", "e"]
    assert memory.size == 100


@pytest.mark.parametrize(("limit", "size"), [(100, 26), (0, 1)])
def test_what_would_fill_the_memory_is_not_kept(limit: int, size: int) -> None:
    memory = Memory(limit)

    memory.put("big", kept(size))

    assert (memory.get("big"), memory.size) == (None, 0)


def test_an_answer_kept_twice_is_counted_once() -> None:
    memory = Memory(100)

    memory.put("a", kept(10))
    memory.put("a", kept(20))

    assert memory.size == 20
