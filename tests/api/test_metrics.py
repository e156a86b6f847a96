"""The figures that Prometheus asks for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.sync.test_together import statements
from webapp.alerts import Mail, Recipient
from webapp.store import platforms

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ANN = "https://x.com/ann"


def figures(service: Service) -> dict[tuple[str, ...], float]:
    """{(name, values of its labels by their names): value}."""
    answer = service.client.get(
        "/metrics", headers={"Authorization": f"Bearer {service.parts.settings.admin_tokens[0]}"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix("smart_sync_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def synced(service: Service, sheet: FakeSheet) -> Service:
    sheet.rows("Project A", [ANN, 100], ["https://x.com/ben", "many"])
    service.sync()
    return service


def test_the_figures_say_how_the_service_stands(synced: Service) -> None:
    found = figures(synced)
    mine = ("Project A", synced.project()["id"])

    assert (found["projects",], found["projects_failing",], found["held_readings",]) == (1, 0, 0)
    assert (found["project_accounts", *mine], found["project_problems", *mine]) == (2, 1)
    assert (found["project_state", *mine, "fresh"], found["snapshots_today",]) == (1, 1)
    assert (found["runs", "succeeded"], found["runs", "failed"]) == (1, 0)
    assert found["spreadsheet_up", "the-sheet"] == 1
    assert abs(found["project_success_timestamp_seconds", *mine] - synced.time.now.timestamp()) < 1


def test_alerts_and_messages_are_counted(synced: Service) -> None:
    assert figures(synced)["alerts_open", "problem"] == 0
    assert ("messages_oldest_timestamp_seconds",) not in figures(synced)
    synced.options(mail=Mail((Recipient("webhook:1", "webhook", "a webhook"),)))
    synced.sheet.rows("Project A")
    synced.sync()

    found = figures(synced)
    assert (found["alerts_open", "problem"], found["alerts_unacknowledged",]) == (1, 1)
    assert found["messages_waiting",] == 2
    assert abs(found["messages_oldest_timestamp_seconds",] - synced.time.now.timestamp()) < 1


def test_what_is_not_known_is_left_out_and_not_0(service: Service) -> None:
    found = figures(service)

    assert ("last_success_timestamp_seconds",) not in found
    assert ("overdue_seconds",) not in found
    assert ("last_run_seconds",) not in found
    assert found["projects",] == 0


def test_what_goes_wrong_shows(synced: Service, sheet: FakeSheet) -> None:
    sheet.delete("Project A")
    synced.time.forward(hours=5)
    synced.trigger()

    found = figures(synced)
    mine = ("Project A", synced.project()["id"])

    assert (found["projects_failing",], found["project_failures", *mine]) == (1, 1)
    assert found["project_state", *mine, "failed"] == 1


def test_platforms_show_with_their_quotas(synced: Service) -> None:
    with synced.db.write() as tx:
        platforms.enlist(tx, "youtube", "youtube")
    synced.write("UPDATE platform_states SET quota_used = 90, quota_limit = 100, unread = 3")

    found = figures(synced)

    assert (found["platform_quota_used", "youtube"], found["platform_quota_limit", "youtube"]) == (90, 100)
    assert (found["platform_unread_accounts", "youtube"], ("platform_read_timestamp_seconds", "youtube") in found) == (
        3,
        False,
    )


def test_names_from_sheets_are_text(service: Service, sheet: FakeSheet) -> None:
    sheet.rows('A "quoted"\\\n name', [ANN, 1])
    service.sync()

    assert {key[1] for key in figures(service) if key[0] == "project_accounts"} == {'A "quoted"\\\n name'}


def test_nobody_reads_them_without_a_token(synced: Service) -> None:
    assert synced.client.get("/metrics").status_code == 401


def test_as_many_statements_do_for_many_projects_as_for_few(sqlite_service: Service) -> None:
    counts = []
    for many in (2, 20):
        for number in range(many):
            sqlite_service.sheet.rows(f"Tab {number}", [f"https://x.com/u{number}", 1])
        sqlite_service.sync()
        counts.append(len(statements(lambda: figures(sqlite_service))))

    assert counts[0] == counts[1]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"\bsmart_sync_[a-z_]+", text))


def every_name(service: Service) -> set[str]:
    headers = {"Authorization": f"Bearer {service.parts.settings.admin_tokens[0]}"}
    text = service.client.get("/metrics", headers=headers).text
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("file", ["grafana-dashboard.json", "prometheus-rules.yml"])
def test_files_for_others_name_figures_that_there_are(synced: Service, file: str) -> None:
    text = (DEPLOY / file).read_text(encoding="utf-8")
    document: Any = json.loads(text) if file.endswith(".json") else yaml.safe_load(text)

    assert document
    assert names_in(text) <= every_name(synced)
    assert len(names_in(text)) >= 8


def test_the_documents_name_every_figure(synced: Service) -> None:
    told = names_in((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"))

    assert told == every_name(synced)


@pytest.mark.usefixtures("processes")
def test_an_app_that_nobody_asks_for_figures_does_not_load_what_makes_them(tmp_path: Path) -> None:
    code = "import webapp.wsgi, sys; sys.exit('prometheus_client' in sys.modules)"
    environ = {"SMART_SYNC_DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "PATH": ""}

    assert subprocess.run([sys.executable, "-c", code], env=environ, cwd=ROOT, check=False).returncode == 0
