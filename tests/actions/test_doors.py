"""HTTP and the command line say the same of the same service."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from tests.fakes.service import ADMIN, TOKEN
from webapp import cli
from webapp.actions import Trigger
from webapp.actions.trigger import start_sync
from webapp.app import create_app
from webapp.bootstrap import DEMO_FOLDER, Parts, bootstrap
from webapp.clock import iso
from webapp.config import Settings
from webapp.errors import Invalid, NotFound
from webapp.store import held, projects, standing, tables

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def env(sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": sqlite_url,
        "SMART_SYNC_SHEET": str(DEMO_FOLDER),
        "SMART_SYNC_DATA_DIR": str(tmp_path),
        "SMART_SYNC_ADMIN_TOKEN": TOKEN,
        "SMART_SYNC_PLATFORMS": "none",
    }


@pytest.fixture
def parts(env: dict[str, str]) -> Iterator[Parts]:
    parts = bootstrap(Settings.from_env(env))
    yield parts
    parts.db.close()


@pytest.fixture
def client(parts: Parts) -> FlaskClient:
    return create_app(parts).test_client()


def typed(env: dict[str, str], *words: str) -> str:
    done = CliRunner().invoke(cli.main, words, env=env)
    assert done.exit_code == 0, done.output
    return done.stdout


def asked(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/admin/sync_status", headers=ADMIN).get_json()
    assert isinstance(answer, dict)
    return answer


def test_the_status_of_a_service_is_one_body(env: dict[str, str], client: FlaskClient, parts: Parts) -> None:
    for _ in ("before the first sync", "after it"):
        of_terminal, of_http = json.loads(typed(env, "status", "--json")), asked(client)
        assert of_terminal.keys() == of_http.keys()
        assert of_terminal | {"timestamp": None} == of_http | {"timestamp": None}
        typed(env, "sync")

    with parts.db.write() as tx:
        tx.exec_driver_sql("UPDATE projects SET synced_at = '2020-01-01 00:00:00'")
    late = json.loads(typed(env, "status", "--json"))["stale_projects"]
    assert {project["project_name"] for project in late} == {"Beauty Lab", "Street Food", "Игры"}
    assert late == asked(client)["stale_projects"]


def test_page_and_terminal_say_in_the_same_words_when_a_project_is_synced_next(
    env: dict[str, str], client: FlaskClient, parts: Parts
) -> None:
    typed(env, "sync")
    project = client.get("/api/projects", headers=ADMIN).get_json()["projects"][0]
    with parts.db.write() as tx:
        projects.update(tx, project["id"], {"next_sync_at": parts.clock.now() + timedelta(minutes=28, seconds=50)})
    client.post("/sign-in", data={"token": TOKEN}, headers=OURS)

    page = re.sub("<[^>]*>", "", client.get(f"/projects/{project['id']}").get_data(as_text=True))
    (line,) = (line for line in typed(env, "schedule", "list").splitlines() if line.startswith(project["name"]))

    assert "Next sync in 28 minutes" in page
    assert "next in 28 minutes; last success just now" in line


@pytest.mark.parametrize(
    ("values", "turn"),
    [
        ({"auto_sync": True}, "next_sync_at"),
        ({"next_sync_at": None}, "created_at"),
        ({"auto_sync": False}, None),
        ({"status": "paused"}, None),
    ],
    ids=["planned", "never synced", "off", "paused"],
)
def test_every_door_names_the_same_next_sync(
    env: dict[str, str], client: FlaskClient, parts: Parts, values: dict[str, Any], turn: str | None
) -> None:
    typed(env, "sync")
    project_id = client.get("/api/projects", headers=ADMIN).get_json()["projects"][0]["id"]
    with parts.db.write() as tx:
        projects.update(tx, project_id, values)
        row = projects.get(tx, project_id)
    expected = iso(getattr(row, turn)) if turn else None

    of_http = [
        client.get(path, headers=ADMIN).get_json()["next_sync_at"]
        for path in (
            f"/api/projects/{project_id}",
            f"/api/admin/sync_status?project_id={project_id}",
            f"/api/admin/projects/{project_id}/auto_sync",
        )
    ]
    of_terminal = {one["project_id"]: one for one in json.loads(typed(env, "schedule", "list", "--json"))["projects"]}

    assert [*of_http, of_terminal[project_id]["next_sync_at"]] == [expected] * 4


def test_a_spreadsheet_that_is_not_configured_any_more_is_forgotten_with_its_troubles(
    env: dict[str, str], tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    assert "sheet: not read yet\n" in typed(env, "status")
    typed(env | {"SMART_SYNC_SHEET": str(old)}, "sync")
    old.rename(new)
    assert CliRunner().invoke(cli.main, ("sync",), env=env | {"SMART_SYNC_SHEET": str(old)}).exit_code == 2
    assert json.loads(typed(env, "status", "--json"))["sheet"]["state"] == "failed"

    typed(env | {"SMART_SYNC_SHEET": str(new)}, "sync")

    sheet = json.loads(typed(env, "status", "--json"))["sheet"]
    assert (sheet["state"], [one["title"] for one in sheet["spreadsheets"]]) == ("ok", ["new"])
    assert "sheet: not configured; set SMART_SYNC_SHEET\n" in typed(env | {"SMART_SYNC_SHEET": ""}, "status")


def test_a_turn_that_nobody_serves_is_overdue_by_every_door(
    env: dict[str, str], client: FlaskClient, parts: Parts
) -> None:
    typed(env, "sync")
    assert (asked(client)["stale"], "overdue" in typed(env, "status")) == (False, False)

    with parts.db.write() as tx:
        tx.execute(tables.projects.update().values(next_sync_at=parts.clock.now() - timedelta(hours=3)))

    assert asked(client)["stale"] is True
    for words in (("status",), ("schedule", "list")):
        assert "overdue: the first turn was 3 h ago, and nobody has asked for it\n" in typed(env, *words)


def test_a_turn_that_was_planned_too_far_ahead_is_waited_for_by_no_door(
    env: dict[str, str], client: FlaskClient, parts: Parts
) -> None:
    """As after SMART_SYNC_INTERVAL_MINUTES was made shorter: the next tick syncs the project."""
    typed(env, "sync")
    project = client.get("/api/projects", headers=ADMIN).get_json()["projects"][0]
    path = f"/projects/{project['id']}"
    with parts.db.write() as tx:
        projects.update(tx, project["id"], {"next_sync_at": parts.clock.now() + timedelta(days=1)})
    client.post("/sign-in", data={"token": TOKEN}, headers=OURS)

    assert client.get(f"/api/admin{path}/auto_sync", headers=ADMIN).get_json()["due"] is True
    (line,) = (line for line in typed(env, "schedule", "list").splitlines() if line.startswith(project["name"]))
    assert "next at the next tick" in line
    assert "Next sync due now" in client.get(path).get_data(as_text=True)
    assert client.get("/").get_data(as_text=True).count(", next due now") == 1


def test_a_project_that_was_never_synced_is_due_by_every_door(
    env: dict[str, str], client: FlaskClient, parts: Parts
) -> None:
    assert "next due: nothing\n" in typed(env, "status")
    assert asked(client)["next_due_at"] is None

    with parts.db.write() as tx:
        projects.add(tx, {"name": "By hand"}, parts.clock.now())

    assert f"next due: {asked(client)['next_due_at']}\n" in typed(env, "status")


def test_a_trigger_for_a_project_that_cannot_be_synced_is_refused_in_the_same_words_by_every_door(
    env: dict[str, str], client: FlaskClient
) -> None:
    typed(env, "sync")
    typed(env, "projects", "ignore", "Игры")
    gone = next(line.split()[0] for line in typed(env, "projects", "list").splitlines() if "Игры" in line)
    client.post("/sign-in", data={"token": TOKEN}, headers=OURS)

    for which, words in ((gone, "Игры is ignored, because it was removed"), ("none", "there is no project 'none'")):
        of_http = client.post(f"/api/admin/smart_sync?project_id={which}", headers=ADMIN)
        of_page = client.post(f"/sync?project_id={which}", headers=OURS)
        of_terminal = CliRunner().invoke(cli.main, ("sync", "--project", which), env=env)

        assert (of_http.status_code, of_http.get_json()["detail"]) == (404, words)
        assert (of_page.status_code, words in html.unescape(of_page.get_data(as_text=True))) == (404, True)
        assert (of_terminal.exit_code, of_terminal.stderr.startswith(f"Error: {words}")) == (1, True)


def test_no_door_takes_an_empty_project_for_all_of_them(env: dict[str, str], client: FlaskClient, parts: Parts) -> None:
    client.post("/sign-in", data={"token": TOKEN}, headers=OURS)

    of_http = client.post("/api/admin/smart_sync?project_id=", headers=ADMIN)
    of_page = client.post("/sync?project_id=", headers=OURS)
    of_terminal = CliRunner().invoke(cli.main, ("sync", "--project", ""), env=env)

    assert (of_http.status_code, of_page.status_code, of_terminal.exit_code) == (422, 404, 1)
    with pytest.raises(NotFound):
        start_sync(parts.desk, Trigger("python", ""))
    assert client.get("/api/admin/runs", headers=ADMIN).get_json()["runs"] == []


@pytest.mark.parametrize("budget", ["0", "-1", "nan", "inf"])
def test_no_door_takes_a_budget_that_is_none(
    env: dict[str, str], client: FlaskClient, parts: Parts, budget: str
) -> None:
    of_http = client.post(f"/api/admin/smart_sync?budget={budget}", headers=ADMIN)
    of_terminal = CliRunner().invoke(cli.main, ("sync", "--budget", budget), env=env)

    assert (of_http.status_code, of_terminal.exit_code) == (422, 2 if budget in ("0", "-1") else 1)
    with pytest.raises(Invalid, match="budget has to be a number of seconds above 0"):
        start_sync(parts.desk, Trigger("python", budget_s=float(budget)))
    assert client.get("/api/admin/runs", headers=ADMIN).get_json()["runs"] == []


def test_what_a_removed_project_holds_waits_for_nobody_by_any_door(
    env: dict[str, str], client: FlaskClient, parts: Parts
) -> None:
    typed(env, "sync")
    project = client.get("/api/projects", headers=ADMIN).get_json()["projects"][0]
    with parts.db.write() as tx:
        account = next(standing.everybody(tx, "project", project["id"])).id
        held.put(tx, [(account, "views", 9, 1, None, None, None, 0, "held")], [])
    assert asked(client)["held_values"] == 1

    assert client.delete(f"/api/admin/projects/{project['id']}", headers=ADMIN).status_code == 200

    assert asked(client)["held_values"] == 0
    assert client.get("/api/admin/held", headers=ADMIN).get_json() == {"held": []}
    assert "0 values held" in typed(env, "status")


def test_the_answer_to_a_trigger_is_one_body(env: dict[str, str], client: FlaskClient) -> None:
    of_terminal = json.loads(typed(env, "sync", "--json"))
    of_http = client.post("/api/admin/smart_sync", headers=ADMIN).get_json()

    assert of_terminal.keys() == of_http.keys()
    assert [one.keys() for one in of_terminal["results"]] == [one.keys() for one in of_http["results"]]


def test_a_dry_run_says_what_becomes_of_each_project_by_every_door(env: dict[str, str], client: FlaskClient) -> None:
    of_terminal = json.loads(typed(env, "sync", "--dry-run", "--json"))
    of_http = client.post("/api/admin/smart_sync?dry_run=true", headers=ADMIN).get_json()

    assert [one["added_count"] for one in of_terminal["results"]] == [8, 8, 5]
    for said in (of_terminal, of_http):
        for one in said["results"]:
            del one["timestamp"], one["seconds"], one["project_id"]
    assert of_terminal["results"] == of_http["results"]
    assert of_terminal["changes"] == of_http["changes"]
