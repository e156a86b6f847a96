"""What a start costs: modules that are slow to import are loaded by those who use them."""

from __future__ import annotations

import compileall
import json
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.harness import ROOT, environment, run, serving

HEAVY = (
    "alembic",
    "dotenv",
    "google.auth",
    "gspread",
    "gunicorn",
    "openpyxl",
    "psycopg",
    "requests",
    "rich",
    "tenacity",
    "urllib3",
)
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


def test_a_process_that_only_lives_has_loaded_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path, ("GET", "/health")) == []


def test_a_start_on_a_database_of_this_version_loads_no_migrations(tmp_path: Path) -> None:
    assert "alembic" in loaded(tmp_path, ("GET", "/ready"))

    assert loaded(tmp_path, ("GET", "/ready"), ("GET", "/api/admin/sync_status")) == []


def test_a_sync_of_a_folder_loads_nothing_of_google(tmp_path: Path) -> None:
    sheet = {"SMART_SYNC_SHEET": str(FOLDER)}
    loaded(tmp_path, ("GET", "/ready"), env=sheet)

    assert loaded(tmp_path, ("POST", "/api/admin/smart_sync"), env=sheet) == []


def test_a_worker_that_takes_over_loads_no_migrations(tmp_path: Path) -> None:
    listing = "import atexit, sys; atexit.register(lambda: print('loaded', 'alembic' in sys.modules))"
    start = f"{listing}\nsys.argv[1:] = ['serve']\nfrom webapp.cli import main\nmain()"
    with serving(tmp_path, None):
        pass
    with serving(tmp_path, None, program=("-c", start)) as service:
        service.signal(15)
        service.exit()

        assert "loaded False" in service.log
        assert "loaded True" not in service.log


def test_every_module_compiles(tmp_path: Path) -> None:
    compiled = compileall.compile_dir(str(ROOT / "webapp"), quiet=2, force=True, ddir=str(tmp_path), workers=1)

    assert compiled
