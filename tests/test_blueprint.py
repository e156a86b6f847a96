"""The blueprint for Render builds, starts and calls what there is."""

from __future__ import annotations

import re
import shlex
from urllib.parse import parse_qsl, urlsplit

from tests.api.tour import BY_ID
from tests.documents import BLUEPRINT
from tests.reference import ROOT
from webapp.config import every_setting
from webapp.cron.curl import BUDGET_S

ROUTES = BY_ID.values()


def services() -> dict[str, dict[str, str]]:
    """The blueprint's services by type: their plain values, and `env NAME` for each variable they set."""
    text = re.sub(r"\s+#.*$|^#.*$", "", BLUEPRINT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = re.sub(r"(: )>-\n((?:\s{6}.*\n)+)", lambda found: f": {' '.join(found[2].split())}\n", text)
    found: dict[str, dict[str, str]] = {}
    for part in re.split(r"^  - ", text, flags=re.MULTILINE)[1:]:
        lines = [line.strip().removeprefix("- ").partition(": ") for line in part.splitlines()]
        values = {name: re.sub(r'\A"(.*)"\Z', r"\1", value) for name, _, value in lines if name not in {"key", "value"}}
        values |= {f"env {value}": "" for name, _, value in lines if name == "key"}
        found[re.match(r"type: (\w+)", part)[1]] = values  # type: ignore[index]
    return found


def test_the_blueprint_builds_from_files_that_exist() -> None:
    build = shlex.split(services()["web"]["buildCommand"])

    assert (ROOT / build[build.index("-r") + 1]).is_file()
    assert (ROOT / build[-1]).is_dir()
    assert "--require-hashes" in build


def test_the_blueprint_starts_modules_that_exist() -> None:
    program, option, config, app = shlex.split(services()["web"]["startCommand"])

    assert (program, option) == ("gunicorn", "-c")
    for module in (config.removeprefix("python:"), app.partition(":")[0]):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


def test_the_blueprint_checks_and_calls_addresses_that_exist() -> None:
    web, cron = services()["web"], services()["cron"]

    call = shlex.split(cron["startCommand"])
    url = call[-1].partition("$SYNC_HOST")[2]

    assert ("GET", web["healthCheckPath"]) in {(route.method, route.path) for route in ROUTES}
    assert (call[call.index("-X") + 1], url.partition("?")[0]) in {(route.method, route.path) for route in ROUTES}
    assert "Authorization: Bearer $SMART_SYNC_ADMIN_TOKEN" in call
    assert "env SYNC_HOST" in cron


def test_the_blueprint_keeps_its_data_on_its_disk_and_sets_only_what_there_is() -> None:
    web = services()["web"]
    named = {name.removeprefix("env ") for name in web if name.startswith("env ")}

    assert f"value: {web['mountPath']}\n" in BLUEPRINT.read_text(encoding="utf-8").partition("SMART_SYNC_DATA_DIR\n")[2]
    assert named - {"PYTHON_VERSION"} <= {setting.name for setting in every_setting()}
    assert "generateValue" in web


def test_the_blueprint_asks_for_what_is_due_once_and_notices_failures() -> None:
    call = shlex.split(services()["cron"]["startCommand"])
    asked = dict(parse_qsl(urlsplit(call[-1]).query))

    assert asked == {"due": "true", "summary": "true", "strict": "true", "budget": str(BUDGET_S)}
    assert "--fail-with-body" in call
    assert not [word for word in call if word.startswith("--retry")]
    assert int(call[call.index("--max-time") + 1]) > BUDGET_S
