"""What the documents say is true: settings, commands, addresses and their answers, numbers, SQL, names and links."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qsl, urlsplit

import click
import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from tests.api.tour import BY_ID, Demo, demo_on
from tests.documents import (
    DECISIONS,
    DOCUMENTS,
    FENCE,
    GUIDE,
    PAGES,
    README,
    WORDS,
    anchors,
    block,
    blocks,
    by_hand,
    fences,
    lines,
    links,
    names_in,
    rows,
    text_of,
)
from tests.reference import (
    DOCS,
    ROOT,
    leaf_commands,
    shape,
)
from webapp.cli import main
from webapp.config import every_setting
from webapp.cron.callers import CALLERS
from webapp.model import LIVE_STATES, Counts, RunState
from webapp.rules.growth import mask_of
from webapp.rules.merge import merge
from webapp.sources.counts import NotACount, count_of
from webapp.sources.sheet.headers import find_header
from webapp.sources.urls import PLATFORMS, BadProfile, platform_slug, profile_of
from webapp.store.tables import observations

SETTING = re.compile(r"\b(?:SMART_SYNC_[A-Z_]+|GOOGLE_[A-Z_]+|DATABASE_URL|WEB_CONCURRENCY|LOG_LEVEL)\b")
# The prefix itself; variables of a caller's shell; what an example declares.
NO_SETTINGS = {
    "SMART_SYNC_",
    "SMART_SYNC_TRIGGER",
    "GOOGLE_CLOUD_REGION",
    "SMART_SYNC_REDDIT_API",
    "SMART_SYNC_ACME_API",
}
OTHERS = {"pg_dump", "pg_restore"}  # other programs
LANGUAGES = {"sh", "crontab", "sql", "json", "html", "text", "ini", "yaml", "python"}
CALLERS_PAGE = DOCS / "callers.md"
ENDS = "state | means | HTTP | exit | ping | log"
ROUTES = BY_ID.values()
SOURCES = "\n".join(text_of(path) for path in sorted((ROOT / "webapp").rglob("*.py")))
DEVELOPMENT = set(re.findall(r"^\./dev (\w+)", text_of(ROOT / "dev"), re.MULTILINE))  # its usage
TESTS = "\n".join(text_of(path) for path in sorted((ROOT / "tests").rglob("test_*.py")))


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    demo = demo_on(sqlite_url)
    yield demo
    demo.parts.db.close()


# Form


def test_the_guide_is_short_enough_to_be_read() -> None:
    assert len(text_of(GUIDE).splitlines()) <= 450


def test_the_readme_shows_a_command_on_its_first_screen_and_ends_soon() -> None:
    shown = text_of(README).splitlines()

    assert 60 <= len(shown) <= 130
    assert any(line.startswith("```sh") for line in shown[:30])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_code_block_says_its_language(path: Path) -> None:
    assert {language for language, _ in fences(text_of(path))} <= LANGUAGES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    for name in names_in(path):
        if re.fullmatch(r"(?:webapp|tests|docs|bench|requirements)/[\w./*-]*|[\w-]+\.(?:toml|yaml)", name):
            assert list(ROOT.glob(name)), name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_sections_that_exist(path: Path) -> None:
    for target in links(path):
        if target.startswith(("https://", "http://")):
            continue
        file, _, section = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not section or section in anchors(there), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, waiting = {README}, [README]
    while waiting:
        page = waiting.pop()
        there = {(page.parent / target.partition("#")[0]).resolve() for target in links(page)}
        new = {path for path in there if path.suffix == ".md"} - found
        found |= new
        waiting += new

    assert set(PAGES) - found == set()


def test_decisions_are_one_dated_line_each_in_order() -> None:
    found = text_of(DECISIONS).partition("\n- ")[2].splitlines()
    days = [date.fromisoformat(line.removeprefix("- ")[:10]) for line in found]

    assert len(days) > 30
    assert days == sorted(days)


def snake_names() -> list[tuple[str, str]]:
    """(document, name) of every `name_with_underscores` that people wrote into a document."""
    found = {(path.name, word) for path in PAGES for word in WORDS.findall(FENCE.sub("", by_hand(path)))}
    return sorted(
        (page, word) for page, word in found if re.fullmatch(r"[a-z]\w*_\w*", word) and not _is_other(page, word)
    )


def _is_other(page: str, word: str) -> bool:
    """Whether it is somebody else's name, or one that a test of its own holds to what there is: the figures do."""
    return word in OTHERS or (page == "metrics.md" and word.startswith("smart_sync_"))


@pytest.mark.parametrize(("document", "name"), snake_names())
def test_names_in_the_documents_are_names_of_the_program(document: str, name: str) -> None:
    found = rf"\bdef {name}\(" if name.startswith("test_") else rf"\b{name}\b"
    assert re.search(found, TESTS if name.startswith("test_") else SOURCES), document


def test_each_of_the_ten_risks_of_interfaces_has_its_tests() -> None:
    risks = {risk.split()[0]: held for risk, _, held in rows(ROOT / "SECURITY.md", "risk | here | held by")}

    assert list(risks) == [f"API{number}" for number in range(1, 11)]
    assert all(WORDS.findall(held) for held in risks.values())


def test_log_lines_in_the_guide_are_written_by_the_program() -> None:
    for line, _ in rows(GUIDE, "line | means"):
        words = line.strip("`").removeprefix("[SmartSync] ").removesuffix("...")
        pattern = re.sub(r"\b(?:NAME|N)\b", r"\\{[^}]+\\}", re.escape(words)).replace("already_running", r"\{[^}]+\}")
        assert re.search(pattern, SOURCES), line


def test_states_of_a_run_in_the_guide_are_all_there_are() -> None:
    told = {re.findall(r"`(\w+)`", state)[0] for state, *_ in rows(GUIDE, ENDS)}

    assert told == set(get_args(RunState)) - set(LIVE_STATES)


# Settings


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_setting_that_does_not_exist(path: Path) -> None:
    known = {setting.name for setting in every_setting()}
    named = {name if name in known else name.removesuffix("_FILE") for name in SETTING.findall(text_of(path))}

    assert named - known - NO_SETTINGS == set()


# Commands


def test_every_command_explains_itself() -> None:
    for names, command in leaf_commands(main):
        assert command.help, names
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None), (names, parameter.name)


def typed_commands() -> list[str]:
    """Every `smart-sync ...` that a shell block tells people to type."""
    found = {line for path in PAGES for line in lines(path)}
    return sorted(said for line in found for said in re.findall(r"(?:^|\s|/)smart-sync ([a-z][^|>#&\n]*)", line))


def named_commands() -> list[str]:
    """Every `smart-sync ...` that a sentence names."""
    found = {words for path in PAGES for words in names_in(path)}
    said = (re.fullmatch(r"(?:\S*/)?smart-sync ([a-z].*)", words) for words in found)
    return sorted(re.split(r"\s[>|#&\[]", words[1])[0].strip() for words in said if words)


@pytest.mark.parametrize("line", typed_commands())
def test_every_command_to_type_parses(line: str) -> None:
    parse(shlex.split(line))


@pytest.mark.parametrize("line", named_commands())
def test_every_command_that_is_named_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)
    command, rest = resolve(words)
    options = [option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)]

    assert {word for word in rest if word.startswith("--")} <= set(options)


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words begin with, and what they say to it.

    Raises: click.UsageError when there is none.
    """
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, found, words = command.resolve_command(click.Context(command), words)
        assert found is not None
        command = found
    return command, words


def parse(words: list[str]) -> None:
    """Parse a command line as the program would, without running it.

    Raises: click.UsageError.
    """
    command, rest = resolve(words)
    assert not isinstance(command, click.Group) or command.invoke_without_command, words
    command.make_context(command.name, rest)


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    for line in ("cron print", "cron print --for nobody", "sync --every", "snapshot gaps", "cron"):
        with pytest.raises((click.UsageError, AssertionError)):
            parse(shlex.split(line))


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_shell_blocks_are_shell(path: Path) -> None:
    for text in blocks(path, "sh"):
        done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stderr}"


def test_contributors_are_told_every_development_command() -> None:
    told = {name.strip("`").removeprefix("./dev ") for name, _ in rows(ROOT / "CONTRIBUTING.md", "command | does")}

    assert told == DEVELOPMENT


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_development_commands_exist(path: Path) -> None:
    assert set(re.findall(r"\./dev (\w+)", text_of(path))) <= DEVELOPMENT
    for module in re.findall(r"python -m ([\w.]+)", text_of(path)):
        assert find_spec(module), module


def test_the_page_of_callers_has_every_parameter_of_a_call() -> None:
    told = {name.strip("`") for name, _ in rows(CALLERS_PAGE, "parameter | does")}

    assert told == {field.encode_name for field in msgspec.structs.fields(BY_ID["smart_sync"].query)}


def test_every_caller_has_its_line_in_the_table() -> None:
    told = {name.strip("`"): every for name, every, *_ in rows(CALLERS_PAGE, "`--for` | default | how it calls | why")}

    assert told == {name: caller.every for name, caller in CALLERS.items()}


# Addresses


def test_every_address_in_a_text_is_one_of_ours() -> None:
    patterns = [re.compile(re.sub(r"<[^>]+>", "[^/]+", route.path) + r"\Z") for route in ROUTES]
    for path in DOCUMENTS:
        text = re.sub(r"\$?\{\w+\}|\$ID\b", "ID", by_hand(path))  # a place for an id
        for address in re.findall(r"(?<!webapp)(?<!tests)(/api/[\w/-]+|/health|/ready|/openapi\.json)\b", text):
            if address.rstrip("/") not in {"/api/admin", "/api"}:
                assert any(pattern.match(address) for pattern in patterns), f"{path.name}: {address}"


def calls() -> list[str]:
    """Every `curl` of our own addresses that a document shows."""
    shown = (line for path in PAGES for line in lines(path))
    return sorted(line[line.index("curl ") :] for line in shown if re.search(r"\bcurl .*/api/", line))


@pytest.mark.parametrize("line", calls())
def test_every_call_that_is_shown_fits_its_address(line: str) -> None:
    words = shlex.split(line)
    address = next(word for word in words if "/api/" in word)
    url = urlsplit(re.sub(r"\$\w+", "1", address[address.index("/api/") :]))
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    (route,) = (r for r in ROUTES if r.method == method and re.fullmatch(re.sub("<[^>]+>", "[^/]+", r.path), url.path))
    asked = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))

    assert set(asked) <= {field.encode_name for field in msgspec.structs.fields(route.query)}
    msgspec.convert(asked, route.query, strict=False)
    if "-d" in words:
        assert route.body is not None
        msgspec.convert(json.loads(words[words.index("-d") + 1]), route.body)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_call_that_is_shown_is_repeated(path: Path) -> None:
    assert not re.search(r"curl [^`]*--retry", by_hand(path))


def test_every_call_in_a_document_asks_for_what_is_due_with_a_token() -> None:
    """But for the line by which a person syncs at once."""
    found = [
        (path.name, command)
        for path in DOCUMENTS
        for text in ([text_of(path)] if path.suffix == ".yaml" else [text for _, text in fences(by_hand(path))])
        for command in re.findall(r"curl .*?/api/admin/smart_sync[^\s`]*", re.sub(r"\\?\n", " ", text))
        if "Sync now:" not in text
    ]

    assert {"README.md", "callers.md", "render.yaml"} <= {name for name, _ in found}
    for name, command in found:
        assert "/api/admin/smart_sync?due=true" in command, name
        assert re.search(r"-H (\"Authorization: Bearer |@)", command), name


def test_fields_to_watch_are_fields_of_the_status(demo: Demo) -> None:
    status = demo.call("sync_status").get_json()

    for name, _ in rows(GUIDE, "field of `sync_status` | alarm when"):
        value = status
        for part in name.strip("`").split("."):
            value = value[part]


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
    (shown,) = blocks(README, "json")

    told, real = json.loads(shown), demo.call("smart_sync").get_json()

    assert set(told) <= set(real)
    (result,) = told["results"]
    assert any(result.items() <= one.items() for one in real["results"])
    assert {**told, "results": []} == {**{name: real[name] for name in told}, "results": []}


# The Sheet, the merge and the database


def test_numbers_are_merged_as_the_guide_says() -> None:
    for typed, said, count, _ in rows(GUIDE, "Sheet | platform | count | why"):
        if count.isdigit():
            sheet, parsed = (Counts(followers=None if side == "blank" else int(side)) for side in (typed, said))
            assert merge(sheet, parsed).followers == int(count)


SHEET = DOCS / "sheet.md"


def test_the_tables_of_the_sheet_are_found() -> None:
    for heads in ("typed | read as", "typed | is the account", "meaning | some of its names", "code | means"):
        assert rows(SHEET, heads), heads


@pytest.mark.parametrize(("typed", "told"), rows(SHEET, "typed | read as"))
def test_numbers_are_read_as_the_page_says(typed: str, told: str) -> None:
    try:
        count = count_of(typed.strip("`"))
    except NotACount:
        assert told == "refused"
    else:
        assert told == ("nothing" if count is None else str(count))


@pytest.mark.parametrize(("typed", "told"), rows(SHEET, "typed | is the account"))
def test_profile_urls_are_read_as_the_page_says(typed: str, told: str) -> None:
    try:
        profile = profile_of(typed.strip("`"))
    except BadProfile:
        assert told == "refused"
    else:
        assert told == f"`{profile.url_key}`"


def test_the_platforms_that_are_known_are_all_there_are() -> None:
    said = " ".join(text_of(SHEET).partition("Known are ")[2].partition(".\n")[0].split())

    assert {platform_slug(name) for name in re.split(r", | and ", said)} == set(PLATFORMS)


@pytest.mark.parametrize(("meaning", "names"), rows(SHEET, "meaning | some of its names"))
def test_columns_are_understood_as_the_page_says(meaning: str, names: str) -> None:
    meaning = meaning.strip("`")
    others = [
        name for name in ("Link", "Views", "Likes") if name.lower() not in {meaning, "link" if meaning == "url" else ""}
    ]
    for name in names.split(", "):
        assert find_header([[name, *others]]).columns[meaning] == 0, name


def test_a_reading_that_is_written_by_sql_is_merged(demo: Demo) -> None:
    with demo.parts.db.write() as tx:
        tx.execute(sa.text(block(GUIDE, "sql", "INSERT INTO observations")))

    answer = demo.call("smart_sync").get_json()

    assert sum(result["updated_count"] for result in answer["results"]) == 1
    with demo.parts.db.read() as tx:
        assert tx.execute(sa.text("SELECT followers, views FROM accounts WHERE id = 1")).one() == (128_900, 18_500_000)


def test_a_reading_that_is_written_by_sql_is_of_its_time_whatever_was_read_before(demo: Demo) -> None:
    values = {"account_id": 1, "source": "parsed", "followers": 1, "observed_at": demo.parts.clock.now(), "unread": 30}
    with demo.parts.db.write() as tx:
        tx.execute(observations.insert().values(values))
        tx.execute(sa.text(block(GUIDE, "sql", "INSERT INTO observations")))
        unread = tx.execute(sa.select(observations.c.unread).where(observations.c.source == "parsed")).scalar_one()

    assert unread == mask_of(Counts(likes=1, comments=1, videos=1))


def test_the_history_query_of_the_guide_answers_days(demo: Demo) -> None:
    with demo.parts.db.read() as tx:
        rows = tx.execute(sa.text(block(GUIDE, "sql", "DATE(snapshot_time)"))).all()

    assert rows == [("2026-03-02", 128_400, 18_450_200)]


def test_the_backup_of_the_guide_is_a_whole_copy(demo: Demo, tmp_path: Path) -> None:
    (line,) = (line for line in lines(GUIDE) if line.startswith("smart-sync backup "))
    words = shlex.split(line.replace("/backup/", f"{tmp_path}/"))[1:]

    done = CliRunner().invoke(main, words, env={"DATABASE_URL": f"sqlite:///{demo.parts.db.storage()}"})

    assert done.exit_code == 0, done.output
    copy = sa.create_engine(f"sqlite:///{tmp_path}/smart_sync.db", poolclass=sa.NullPool)
    with copy.connect() as connection:
        assert connection.execute(sa.text("SELECT COUNT(*) FROM account_snapshots")).scalar_one() == 20


def test_the_readings_call_of_the_guide_is_understood(demo: Demo) -> None:
    words = shlex.split(block(GUIDE, "sh", "/api/admin/readings"))
    sent = json.loads(words[words.index("-d") + 1])

    answer = demo.call("put_readings", json=sent).get_json()

    assert (answer["success"], answer["kept"]) == (True, 1)
