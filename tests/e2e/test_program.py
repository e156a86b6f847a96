"""A sync from a Python program: one import, one call, the answer of the address as a dictionary."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import ROOT, environment, run

FOLDER = ROOT / "webapp" / "demo"
SHOW = """
import json, sys
from webapp import smart_sync
print(json.dumps(smart_sync(**json.loads(sys.argv[1]))))
"""
HTTP = """
import json, sys
from webapp.wsgi import app
headers = {"Authorization": "Bearer the-admin-token-of-the-tests"}
print(json.dumps(app.test_client().post("/api/admin/smart_sync", query_string=json.loads(sys.argv[1]), headers=headers).json))
"""
TIMES = {"run_id", "timestamp", "duration_seconds", "seconds", "project_id"}
LIGHT = """
import sys
before = set(sys.modules)
import webapp
print(sorted({name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))
"""


def shell(folder: Path, **env: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    return environment(folder, env={"SMART_SYNC_SHEET": str(FOLDER), "SMART_SYNC_ADMIN_TOKEN": "", **env})


def called(folder: Path, program: str = SHOW, env: Mapping[str, str] | None = None, **how: Any) -> Any:
    """What a fresh process printed last."""
    ended = run(folder, "-c", program, json.dumps(how), env=shell(folder) | dict(env or {}))
    assert ended.returncode == 0, ended.stdout
    return json.loads(ended.stdout.splitlines()[-1])


def steady(value: Any) -> Any:
    """The answer without what differs from run to run."""
    if isinstance(value, dict):
        return {name: name if name in TIMES else steady(member) for name, member in value.items()}
    return [steady(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("how", [{}, {"due": "true"}, {"dry_run": "true"}], ids=["all", "due", "dry run"])
def test_a_call_answers_what_the_address_answers(tmp_path: Path, how: dict[str, str]) -> None:
    token = {"SMART_SYNC_ADMIN_TOKEN": "the-admin-token-of-the-tests"}
    over_http = called(tmp_path / "http", HTTP, token, **how)

    asked: dict[str, Any] = dict.fromkeys(how, True)
    answer = called(tmp_path / "program", **asked)

    assert (answer["success"], answer["success_count"]) == (True, 3)
    assert steady(answer) == steady(over_http)


def test_one_project_is_answered_as_one_result(tmp_path: Path) -> None:
    first = called(tmp_path)
    (wanted,) = [one for one in first["results"] if one["project_name"] == "Street Food"]

    answer = called(tmp_path, project_id=wanted["project_id"])

    assert "results" not in answer
    assert (answer["project_name"], answer["total_accounts"], answer["updated_count"]) == ("Street Food", 8, 0)


def test_the_run_is_recorded_with_its_caller(tmp_path: Path) -> None:
    answer = called(tmp_path)
    listed = run(tmp_path, "-m", "webapp.cli", "runs", env=shell(tmp_path)).stdout

    assert re.search(rf"succeeded +python .* {answer['run_id']}", listed)


def test_a_sheet_that_cannot_be_read_is_in_the_answer_and_bad_settings_are_raised(tmp_path: Path) -> None:
    answer = called(tmp_path, env={"SMART_SYNC_SHEET": str(tmp_path / "none.xlsx")})
    program = "from webapp import smart_sync; smart_sync()"
    ended = run(tmp_path, "-c", program, env=shell(tmp_path, SMART_SYNC_BUDGET="soon"))
    unknown = run(tmp_path, "-c", "from webapp import smart_sync; smart_sync('none')", env=shell(tmp_path))

    assert (answer["success"], answer["error"] is not None) == (False, True)
    assert "webapp.errors.ConfigError" in ended.stdout
    assert "SMART_SYNC_BUDGET" in ended.stdout
    assert "webapp.errors.NotFound: there is no project 'none'" in unknown.stdout


def test_the_example_of_the_document_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "callers.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    ended = run(tmp_path, "-c", example, env=shell(tmp_path))

    assert sorted(ended.stdout.splitlines()) == ["Beauty Lab True 8", "Street Food True 8", "Игры True 5"]


def test_importing_the_package_loads_nothing_but_itself(tmp_path: Path) -> None:
    ended = run(tmp_path, "-c", LIGHT, env=shell(tmp_path))

    assert ended.stdout.strip() == "['webapp']"
