"""What the documents say is true: settings, commands, addresses and their answers, numbers, SQL, the blueprint."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from tests.api.tour import Demo, demo_on
from tests.reference import GUIDE, ROOT, Entry, commands, entries, leaf_commands, settings, shape, trimmed
from webapp.api import ROUTES
from webapp.cli import main
from webapp.config import SETTINGS
from webapp.sources.counts import NotACount, count_of

README = ROOT / "README.md"
BLUEPRINT = ROOT / "render.yaml"
DOCUMENTS = [README, GUIDE, ROOT / "CHANGELOG.md", BLUEPRINT]
ANEW = "write it anew: python -m tests.reference"
SETTING = re.compile(r"\b(?:SMART_SYNC_[A-Z_]+|GOOGLE_[A-Z_]+|DATABASE_URL|WEB_CONCURRENCY|LOG_LEVEL)\b")
NO_SETTINGS = {"SMART_SYNC_"}  # the prefix itself


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """Every address with what it answered to the demo."""
    return entries(str(tmp_path_factory.mktemp("visited")))


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    demo = demo_on(sqlite_url)
    yield demo
    demo.parts.db.close()


def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def written(name: str) -> str:
    """A part of the guide that the code has written."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", guide(), re.DOTALL)
    assert found, name
    return found[1]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


# Settings and commands


def test_the_guide_lists_every_setting() -> None:
    assert written("settings") == settings(), ANEW


def test_the_guide_lists_every_command() -> None:
    assert written("commands") == commands(), ANEW


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_setting_that_does_not_exist(path: Path) -> None:
    known = {setting.name for setting in SETTINGS}
    named = {name.removesuffix("_FILE") for name in SETTING.findall(path.read_text(encoding="utf-8"))}

    assert named - known - NO_SETTINGS == set()


def shown_commands() -> list[str]:
    """Every `smart-sync ...` that a document tells people to type, in a block or within a sentence."""
    found = set()
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for line in [*re.findall(r"`([^`\n]*)`", text), *"".join(blocks(path, "sh")).splitlines()]:
            said = re.match(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?smart-sync ((?:[a-z]\S* ?)+.*)", line.strip())
            if said:
                found.add(re.split(r"\s[>|#&\[]", said[1])[0].strip())
    return sorted(found)


@pytest.mark.parametrize("line", shown_commands())
def test_every_command_that_is_shown_exists_with_its_options(line: str) -> None:
    answer = CliRunner().invoke(main, [*shlex.split(line), "--help"])

    assert answer.exit_code == 0, answer.output


def test_every_command_explains_itself() -> None:
    for names, command in leaf_commands(main):
        assert command.help, names
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None), (names, parameter.name)


# Addresses


def documented() -> dict[str, str]:
    """{`METHOD /path`: its section}."""
    parts = re.split(r"^#### `(.+)`$", written("addresses"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_guide_has_a_section_for_every_address() -> None:
    assert list(documented()) == [f"{route.method} {route.path}" for route in ROUTES], ANEW


def test_every_answer_in_the_guide_has_the_shape_of_the_real_one(visited: list[Entry]) -> None:
    sections = documented()
    for entry in visited:
        found = re.search(r"```json\n(.*?)\n```", sections[entry.heading.strip("`")], re.DOTALL)
        assert (found is None) == (entry.answer is None), f"{entry.heading}; {ANEW}"
        if found is not None:
            assert _fits(shape(json.loads(found[1])), shape(entry.visit.answer.get_json())), f"{entry.heading}; {ANEW}"


def _fits(told: Any, real: Any) -> bool:
    """Whether a value of the guide, whose lists have one element, could be part of the real one."""
    if isinstance(told, dict) and isinstance(real, dict):
        return told.keys() == real.keys() and all(_fits(told[name], real[name]) for name in told)
    if isinstance(told, list) and isinstance(real, list):
        return bool(told) == bool(real) and all(any(_fits(one, other) for other in real) for one in told)
    return bool(told == real)


def test_every_address_in_a_text_is_one_of_ours() -> None:
    patterns = [re.compile(re.sub(r"<[^>]+>", "[^/]+", route.path) + r"\Z") for route in ROUTES]
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8").replace(written("addresses"), "")
        text = re.sub(r"\$?\{\w+\}|\$ID\b", "ID", text)  # a place for an id
        for address in re.findall(r"(/api/[\w/-]+|/health|/ready|/openapi\.json)\b", text):
            if address.rstrip("/") not in {"/api/admin", "/api"}:
                assert any(pattern.match(address) for pattern in patterns), f"{path.name}: {address}"


def test_a_sync_is_answered_with_the_fields_that_were_always_there(demo: Demo) -> None:
    body = demo.call("smart_sync").get_json()

    assert {name: body[name] for name in ("success", "total_projects", "success_count", "error_count")} == {
        "success": True,
        "total_projects": 3,
        "success_count": 3,
        "error_count": 0,
    }
    assert isinstance(body["timestamp"], str)
    for result in body["results"]:
        assert shape(result) | {
            "success": "bool",
            "project_id": "str",
            "project_name": "str",
            "total_accounts": "int",
            "updated_count": "int",
            "snapshot_count": "int",
            "timestamp": "str",
        } == shape(result)


def test_the_answer_in_the_readme_is_part_of_a_real_one(demo: Demo) -> None:
    (block,) = blocks(README, "json")

    told, real = json.loads(block), demo.call("smart_sync").get_json()

    assert set(told) <= set(real)
    (result,) = told["results"]
    assert any(result.items() <= one.items() for one in real["results"])
    assert {**told, "results": []} == {**{name: real[name] for name in told}, "results": []}


def test_links_lead_to_files_and_sections_that_exist() -> None:
    for path in DOCUMENTS[:3]:
        text = path.read_text(encoding="utf-8")
        sections = {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in _titles(text)}
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert target[1:] in sections if target.startswith("#") else (ROOT / target).exists(), (
                f"{path.name}: {target}"
            )


def _titles(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


# The Sheet, the merge and the database


def numbers() -> list[tuple[str, str]]:
    table = guide().partition("| typed | read as |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(.+?)` \| (\w+) \|$", table, re.MULTILINE)


@pytest.mark.parametrize(("typed", "told"), numbers())
def test_numbers_are_read_as_the_guide_says(typed: str, told: str) -> None:
    try:
        count = count_of(typed)
    except NotACount:
        assert told == "refused"
    else:
        assert told == ("nothing" if count is None else str(count))


def sql(containing: str) -> str:
    (found,) = (block for block in blocks(GUIDE, "sql") if containing in block)
    return found


def test_a_reading_that_is_written_by_sql_is_merged(demo: Demo) -> None:
    with demo.parts.db.write() as tx:
        tx.execute(sa.text(sql("INSERT INTO observations")))

    answer = demo.call("smart_sync").get_json()

    assert sum(result["updated_count"] for result in answer["results"]) == 1
    with demo.parts.db.read() as tx:
        assert tx.execute(sa.text("SELECT followers, views FROM accounts WHERE id = 1")).one() == (128_900, 18_500_000)


def test_the_history_query_of_the_guide_answers_days(demo: Demo) -> None:
    with demo.parts.db.read() as tx:
        rows = tx.execute(sa.text(sql("DATE(snapshot_time)"))).all()

    assert rows == [("2026-03-02", 128_400, 18_450_200)]


def test_the_backup_of_the_guide_is_a_whole_copy(demo: Demo, tmp_path: Path) -> None:
    (line,) = (line for block in blocks(GUIDE, "sh") for line in block.splitlines() if "VACUUM INTO" in line)
    statement = shlex.split(line)[2].replace("/backup/", f"{tmp_path}/")

    engine = sa.create_engine(
        f"sqlite:///{demo.parts.db.storage()}", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        connection.execute(sa.text(statement))

    copy = sa.create_engine(f"sqlite:///{tmp_path}/smart_sync.db", poolclass=sa.NullPool)
    with copy.connect() as connection:
        assert connection.execute(sa.text("SELECT COUNT(*) FROM account_snapshots")).scalar_one() == 20


def test_the_readings_call_of_the_guide_is_understood(demo: Demo) -> None:
    (block,) = (block for block in blocks(GUIDE, "sh") if "/api/admin/readings" in block)
    words = shlex.split(block)

    answer = demo.call("put_readings", json=json.loads(words[words.index("-d") + 1])).get_json()

    assert (answer["success"], answer["kept"]) == (True, 1)


# The blueprint


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
    assert named - {"PYTHON_VERSION"} <= {setting.name for setting in SETTINGS}
    assert "generateValue" in web


def test_a_trimmed_list_keeps_the_element_that_tells_most() -> None:
    assert trimmed({"a": [{"b": []}, {"b": [1, 22]}]}) == {"a": [{"b": [22]}]}
