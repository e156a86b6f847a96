"""What a start costs: modules that are slow to import are loaded by those who use them."""

from __future__ import annotations

import compileall
import json
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.harness import ROOT, environment, run, serving

HEAVY = (  # which nothing loads before it is used
    "alembic",
    "apprise",
    "billiard",
    "celery",
    "dotenv",
    "google.auth",
    "gspread",
    "gunicorn",
    "kombu",
    "openpyxl",
    "prometheus_client",
    "psycopg",
    "redis",
    "requests",
    "rich",
    "tenacity",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
    "standardwebhooks",
    "urllib3",
)
# Not at the start: what works syncs off, tells cells, edits, draws pages, and answers what few ask.
LATER = (
    "webapp.actions.accounts",
    "webapp.actions.projects",
    "webapp.actions.trigger",
    "webapp.dashboard.entrance",
    "webapp.dashboard.home",
    "webapp.dashboard.project",
    "webapp.rules.alert_words",
    "webapp.rules.alerts",
    "webapp.sources.counts",
    "webapp.sources.platforms.bluesky",
    "webapp.sources.platforms.json_reader",
    "webapp.sources.platforms.registry",
    "webapp.sources.platforms.youtube",
    "webapp.sources.sheet.csv",
    "webapp.sources.sheet.google.client",
    "webapp.sources.sheet.rows",
    "webapp.sources.sheet.table",
    "webapp.sources.urls",
    "webapp.store.account_reads",
    "webapp.store.alerts",
    "webapp.store.backends.postgres",
    "webapp.store.changes",
    "webapp.store.held",
    "webapp.store.observations",
    "webapp.store.outbox",
    "webapp.store.pins",
    "webapp.store.reading_ages",
    "webapp.store.status",
    "webapp.store.thresholds",
    "webapp.sync.admission",
    "webapp.sync.live",
    "webapp.sync.pace",
    "webapp.sync.platforms",
    "webapp.sync.queue",
    "webapp.sync.run",
    "xml.etree.ElementTree",
)
MODULES = 630  # gunicorn, Flask and SQLAlchemy have some 460 of them, and what they use of Python
OURS = 156
LIST = "import json, sys; import webapp.server, webapp.wsgi; print(json.dumps(list(sys.modules)))"
ASK = """
import json, sys
from webapp.wsgi import app

client = app.test_client()
headers = {"Authorization": "Bearer the-admin-token-of-the-tests"}
answers = [client.open(path, method=method, headers=headers).status_code for method, path in json.loads(sys.argv[1])]
print(json.dumps({"answers": answers, "heavy": [name for name in json.loads(sys.argv[2]) if name in sys.modules]}))
"""
FOLDER = ROOT / "webapp" / "demo"


def loaded(folder: Path, *asked: tuple[str, str], env: Mapping[str, str] | None = None) -> list[str]:
    """The heavy modules of a process that has answered these requests with 200."""
    ended = run(folder, "-c", ASK, json.dumps(asked), json.dumps(HEAVY), env=environment(folder, env=env))
    found = json.loads(ended.stdout.splitlines()[-1])
    assert set(found["answers"]) == {200}, ended.stdout
    heavy: list[str] = found["heavy"]
    return heavy


def test_a_start_loads_what_a_first_answer_needs_and_no_more(tmp_path: Path) -> None:
    env = environment(tmp_path, env={"SMART_SYNC_SHEET": "a-spreadsheet-of-nobody-000"})

    names = json.loads(run(tmp_path, "-c", LIST, env=env).stdout)

    assert sorted(set(names) & ({*HEAVY, *LATER} - {"gunicorn"})) == []
    assert len(names) <= MODULES
    assert sum(name.startswith("webapp") for name in names) <= OURS


def test_a_start_without_a_sheet_loads_no_way_to_read_one(tmp_path: Path) -> None:
    names = json.loads(run(tmp_path, "-c", LIST, env=environment(tmp_path)).stdout)

    assert [name for name in names if name.startswith(("webapp.sources.sheet.google", "webapp.sources.http"))] == []


def test_a_start_with_a_key_of_a_platform_loads_nothing_heavy(tmp_path: Path) -> None:
    env = environment(tmp_path, env={"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_PLATFORMS": ""})

    names = json.loads(run(tmp_path, "-c", LIST, env=env).stdout)

    assert sorted(set(names) & ({*HEAVY, *LATER} - {"gunicorn", "webapp.sources.platforms.youtube"})) == []


def test_a_process_that_only_lives_has_loaded_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path, ("GET", "/health")) == []


def test_a_start_on_a_database_of_this_version_loads_no_migrations(tmp_path: Path) -> None:
    assert "alembic" in loaded(tmp_path, ("GET", "/ready"))

    assert loaded(tmp_path, ("GET", "/ready"), ("GET", "/api/admin/sync_status")) == []


def test_a_sync_of_a_folder_loads_nothing_of_google(tmp_path: Path) -> None:
    sheet = {"SMART_SYNC_SHEET": str(FOLDER), "SMART_SYNC_PLATFORMS": "bluesky"}
    loaded(tmp_path, ("GET", "/ready"), env=sheet)

    assert loaded(tmp_path, ("POST", "/api/admin/smart_sync"), env=sheet) == []


def test_a_server_keeps_no_migrations_in_memory(tmp_path: Path) -> None:
    listing = "import atexit, sys; atexit.register(lambda: print('loaded', 'alembic' in sys.modules))"
    start = f"{listing}\nsys.argv[1:] = ['serve']\nfrom webapp.cli import main\nmain()"
    for database in ("new", "migrated"):
        with serving(tmp_path, None, program=("-c", start)) as service:
            service.signal(15)
            service.exit()

            assert "loaded False" in service.log, database
            assert "loaded True" not in service.log, database


def test_what_every_worker_uses_is_loaded_before_they_are_forked(tmp_path: Path) -> None:
    listing = "import sys, webapp.serving.worker; print('loaded', 'concurrent.futures.thread' in sys.modules)"

    assert "loaded True" in run(tmp_path, "-c", listing, env=environment(tmp_path)).stdout


def test_every_module_compiles(tmp_path: Path) -> None:
    compiled = compileall.compile_dir(str(ROOT / "webapp"), quiet=2, force=True, ddir=str(tmp_path), workers=1)

    assert compiled
