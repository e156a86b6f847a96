"""What calls the service: schedules, snippets, our lines in a crontab, and the commands that keep them there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.service import TOKEN, Service
from webapp.cli import main
from webapp.cron.call import Call, service_url
from webapp.cron.callers import CALLERS, snippet
from webapp.cron.crontab import BEGIN, END, block, drop_block, put_block, read_block
from webapp.cron.curl import curl_config
from webapp.cron.every import (
    LIMITS,
    Fields,
    calendar,
    calls_before,
    explain_pace,
    expression,
    missed_calls,
    parse_every,
    parse_fields,
)
from webapp.errors import Invalid, SourceError

URL = "https://sync.example.com"
CONFIG = "/srv/smart sync/100%/cron.curl"
SCRIPTS = ("systemd", "cron-job.org", "cloud-scheduler", "eventbridge")
YAML = ("render", "github-actions", "kubernetes")
STRICT = ("crontab", "systemd", "render", "github-actions", "kubernetes")


# Schedules


@pytest.mark.parametrize("every", ["0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *"])
@pytest.mark.parametrize("command", ["print --for crontab", "install --yes"])
def test_a_day_that_never_comes_is_refused(machine: Machine, command: str, every: str) -> None:
    done = machine.cron(*command.split(), "--every", every)

    assert done.exit_code != 0
    assert "wrong day-of-month" in done.output
    assert not machine.crontab.exists()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("1m", "* * * * *"),
        ("5m", "*/5 * * * *"),
        ("30m", "*/30 * * * *"),
        ("60m", "0 * * * *"),
        ("1h", "0 * * * *"),
        ("2h", "0 */2 * * *"),
        ("24h", "0 0 * * *"),
        ("1d", "0 0 * * *"),
        ("*/30 * * * *", "*/30 * * * *"),
        ("7,37 8-18 * * MON-Fri", "7,37 8-18 * * 1-5"),
        ("0 3 * jan,DEC *", "0 3 * 1,12 *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("  5  *  *  *  * ", "5 * * * *"),
        ("10-50/20 * 1 * *", "10-50/20 * 1 * *"),
    ],
)
def test_a_schedule_is_read_and_written_in_one_way(text: str, fields: str) -> None:
    assert str(parse_every(text).fields) == fields


@pytest.mark.parametrize(
    "text",
    [
        *["", "5", "0m", "25h", "5 minutes", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *"],
        *["* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "5/10 * * * *", "a * * * *", "mon * * * *"],
        *["0 0 1 * 1", "@daily", "* * * * *\n* * * * * rm", "٥ * * * *", "$(id) * * * *", "1,,2 * * * *", "*" * 300],
    ],
)
def test_a_schedule_that_means_nothing_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_every(text)

    assert refused.value.field == "--every"


fields_of_cron = st.tuples(
    *(st.sets(st.integers(low, high), min_size=1).map(lambda s: tuple(sorted(s))) for low, high in LIMITS)
).map(lambda lists: Fields(*lists)._replace(weekdays=tuple(range(7))))


@given(fields_of_cron)
def test_a_written_schedule_reads_as_it_was(fields: Fields) -> None:
    assert parse_fields(str(fields)) == fields


@pytest.mark.parametrize(
    ("text", "systemd", "eventbridge"),
    [
        ("30m", "*-*-* *:00,30:00", "rate(30 minutes)"),
        ("1h", "*-*-* *:00:00", "rate(1 hour)"),
        ("24h", "*-*-* 00:00:00", "rate(1 day)"),
        ("15 3 * * 1,7", "Sun,Mon *-*-* 03:15:00", "cron(15 3 ? * SUN,MON *)"),
        ("15 3 1 6 *", "*-06-01 03:15:00", "cron(15 3 1 6 ? *)"),
    ],
)
def test_each_caller_gets_a_schedule_in_its_own_words(text: str, systemd: str, eventbridge: str) -> None:
    every = parse_every(text)

    assert every.fields is not None
    assert (calendar(every.fields), expression(every)) == (systemd, eventbridge)


@pytest.mark.parametrize("caller", sorted(CALLERS.keys() - {"eventbridge"}))
def test_a_duration_that_no_cron_expression_says_is_refused(caller: str) -> None:
    with pytest.raises(Invalid, match="every 45m"):
        snippet(caller, URL, every="45m", config=CONFIG)


@pytest.mark.parametrize(("every", "instead"), [("7m", "6m"), ("45m", "30m"), ("90m", "1h"), ("23h", "12h")])
def test_what_is_offered_instead_comes_more_often(every: str, instead: str) -> None:
    with pytest.raises(Invalid) as refused:
        snippet("crontab", URL, every=every, config=CONFIG)

    assert refused.value.hint == f"let it come more often instead, such as every {instead}: what is not due is left out"


@pytest.mark.parametrize("caller", CALLERS)
def test_every_preset_asks_for_what_is_due_and_repeats_no_post(caller: str) -> None:
    text = snippet(caller, URL, config=CONFIG)[1]

    assert "/api/admin/smart_sync?due=true&" in text
    assert set(re.findall(r"(?:max-retry-attempts: |MaximumRetryAttempts\W+|backoffLimit: )(\d+)", text)) <= {"0"}
    for command in re.split(r"[|;\n]+", text):  # `/health`, until the service has woken, is all that is asked again
        assert "--retry" not in command or "/health" in command
        assert not ("--retry" in command and "smart_sync" in command)


@pytest.mark.parametrize(
    ("every", "interval", "said"),
    [
        ("30m", 30, None),
        ("5m", 30, "more often than a project without an interval of its own is due: every 30 minutes"),
        ("*/5 * * * *", 30, "set SMART_SYNC_INTERVAL_MINUTES=5 for the service"),
        ("45m", 60, "It comes every 45 minutes, more often"),
        ("24h", 30, "It comes every day, less often than a project without an interval of its own is due"),
        ("24h", 30, "set SMART_SYNC_INTERVAL_MINUTES=1440 for the service"),
        ("24h", 1440, None),
    ],
)
def test_a_caller_that_comes_at_another_pace_than_projects_are_due_explains_it(
    every: str, interval: int, said: str | None
) -> None:
    told = " ".join(explain_pace(parse_every(every), interval))

    assert said in told if said else not told


def test_the_pace_is_explained_with_a_preset_and_left_out_where_it_is_the_interval() -> None:
    due, _ = snippet("crontab", URL, every="1h", interval=120, config=CONFIG)
    alike, _ = snippet("crontab", URL, every="2h", interval=120, config=CONFIG)

    assert "It comes every hour, more often" in due
    assert "SMART_SYNC_INTERVAL_MINUTES" not in alike


@pytest.mark.parametrize("command", [("print", "--for", "crontab"), ("install", "--yes")], ids=["print", "install"])
def test_no_caller_asks_for_more_than_what_is_due(machine: Machine, command: tuple[str, ...]) -> None:
    done = machine.cron(*command, "--all")

    assert (done.exit_code, machine.crontab.exists()) == (2, False)
    assert "--all" in done.output


def test_only_eventbridge_can_say_every_45_minutes() -> None:
    assert "rate(45 minutes)" in snippet("eventbridge", URL, every="45m")[1]


@pytest.mark.parametrize("every", ["1m", "4m", "*/2 * * * *", "0,3 4 * * *"])
def test_github_is_not_asked_for_more_than_it_does(every: str) -> None:
    with pytest.raises(Invalid, match="at most every 5 minutes"):
        snippet("github-actions", URL, every=every)


def test_calls_before_a_moment_are_told_backwards() -> None:
    fields = parse_fields("0,30 9-10 * * 1")

    times = calls_before(fields, datetime(2026, 3, 2, 10, 15))  # noqa: DTZ001  local time

    assert [f"{next(times):%d. %H:%M}" for _ in range(5)] == [
        "02. 10:00",
        "02. 09:30",
        "02. 09:00",
        "23. 10:30",
        "23. 10:00",
    ]


@pytest.mark.parametrize(
    ("minutes_ago", "calls"), [(0, 0), (1, 0), (4, 1), (6, 1), (11, 2), (61, 12), (60 * 24 * 30, 1000)], ids=str
)
def test_missed_calls_are_counted(minutes_ago: int, calls: int) -> None:
    now = datetime(2026, 3, 2, 10, 1, 30)  # noqa: DTZ001  local time

    assert missed_calls(parse_fields("*/5 * * * *"), now - timedelta(minutes=minutes_ago), now).calls == calls


def test_a_call_of_this_minute_is_not_missed_yet() -> None:
    now = datetime(2026, 3, 2, 10, 0, 20)  # noqa: DTZ001  local time

    assert missed_calls(parse_fields("* * * * *"), now - timedelta(seconds=80), now) == (0, None)


# Addresses


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("https://sync.example.com/", URL),
        ("https://sync.example.com/api/admin/smart_sync", URL),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://example.com/sync%20it/", "https://example.com/sync%20it"),
    ],
)
def test_an_address_is_taken_without_what_follows_it(given: str, understood: str) -> None:
    assert service_url(given) == understood


HOSTILE = [
    "https://a.example/'; rm -rf ~; '",
    'https://a.example/"$(id)"',
    "https://a.example/`id`",
    "https://a.example/\n* * * * * id",
    "https://a.example/\\",
    "https://a.example/${{ github.token }}",
    "https://a.example/a b",
    "https://a.example/#x",
    "https://a.example/?x=1",
    "https://user:secret@a.example",
    "https://a.example:99999",
    "https://a.example/%zz",
    "https://a.example/%",
    "https://бар.example",
    "https://-",
    "https://",
    "ftp://a.example",
    "file:///etc/passwd",
    "-o /etc/passwd",
    "a.example",
    "",
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("url", HOSTILE)
def test_an_address_that_could_say_more_than_an_address_is_refused(caller: str, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        snippet(caller, url, config=CONFIG)

    assert refused.value.field == "--url"


@pytest.mark.parametrize("caller", [name for name in CALLERS if CALLERS[name].hosted])
def test_a_caller_on_the_internet_gets_no_address_that_shows_the_token(caller: str) -> None:
    with pytest.raises(Invalid, match="in clear"):
        snippet(caller, "http://sync.example.com")


def test_a_folder_that_would_break_the_line_is_refused() -> None:
    with pytest.raises(Invalid, match="line break"):
        snippet("crontab", URL, config="/srv/a\n* * * * * id/cron.curl")


# Snippets


@pytest.mark.parametrize("caller", CALLERS)
def test_a_snippet_calls_for_what_is_due_as_its_caller_needs_it(caller: str) -> None:
    text = snippet(caller, URL, config=CONFIG)[1]

    said = re.search(r"https://sync\.example\.com/api/admin/smart_sync\?([a-z0-9=&_]+)", text)

    asked = dict(pair.split("=") for pair in said[1].split("&")) if said else {}
    assert {"due", "summary"} <= asked.keys()
    assert ("strict" in asked) == (caller in STRICT)
    assert ("async" in asked) == (caller in ("vercel", "eventbridge"))
    if caller == "cron-job.org":
        assert int(asked["budget"]) <= 25


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("caller", SCRIPTS)
def test_a_script_is_one_that_a_shell_understands(caller: str) -> None:
    notes, text = snippet(caller, "https://a.example/x%20y")
    script = "".join(f"# {line}\n" for line in notes.splitlines()) + text

    done = subprocess.run(["/bin/sh", "-n"], input=script, text=True, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def _yaml(caller: str, **how: Any) -> Any:
    notes, text = snippet(caller, "https://a.example/x%20y", **how)
    return msgspec.yaml.decode("".join(f"# {line}\n" for line in notes.splitlines()) + text)


def test_render_gets_a_cron_job_whose_token_it_asks_for() -> None:
    (service,) = _yaml("render")["services"]

    assert (service["type"], service["schedule"]) == ("cron", "*/15 * * * *")
    variables = {variable["key"]: variable for variable in service["envVars"]}
    assert variables["SMART_SYNC_ADMIN_TOKEN"] == {"key": "SMART_SYNC_ADMIN_TOKEN", "sync": False}
    assert variables["SMART_SYNC_TRIGGER"]["value"].startswith("https://a.example/x%20y/api/admin/smart_sync?due=true")
    assert service["dockerCommand"].startswith("/bin/sh -c '")
    assert '$SMART_SYNC_TRIGGER"' in service["dockerCommand"]


def test_github_gets_a_workflow_that_keeps_off_the_full_hour() -> None:
    workflow = _yaml("github-actions")

    assert workflow[True]["schedule"] == [{"cron": "7,37 * * * *"}]  # YAML 1.1 reads `on` as true
    (step,) = workflow["jobs"]["sync"]["steps"]
    assert step["env"]["SMART_SYNC_ADMIN_TOKEN"] == "${{ secrets.SMART_SYNC_ADMIN_TOKEN }}"
    assert "--fail-with-body" in step["run"]
    assert workflow["permissions"] == {}


def test_kubernetes_gets_a_cron_job_that_reads_the_token_from_a_secret() -> None:
    spec = _yaml("kubernetes", every="0 4 * * sun")["spec"]

    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 4 * * 0", "Etc/UTC", "Forbid")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"][:2] == ["--header", "@/etc/smart-sync/header"]
    assert container["args"][-1].endswith("strict=true&budget=120")
    assert pod["volumes"] == [{"name": "header", "secret": {"secretName": "smart-sync-tick"}}]


def test_vercel_gets_json_with_a_path_of_its_own() -> None:
    notes, text = snippet("vercel", URL)

    config = json.loads(text)

    assert config["crons"] == [{"path": "/api/smart-sync", "schedule": "7 0 * * *"}]
    assert config["rewrites"][0]["destination"].endswith("?due=true&summary=true&async=true")
    assert "SMART_SYNC_ALLOW_GET_TRIGGER=true" in notes


def test_cron_job_org_gets_a_job_for_its_interface() -> None:
    text = snippet("cron-job.org", URL, every="30 6 * * 1-5")[1]

    job = json.loads(text[text.index("<<END\n") + 6 : text.index("\nEND")])["job"]

    assert job["requestMethod"] == 1
    assert job["schedule"] | {"expiresAt": 0} == {
        "timezone": "UTC",
        "expiresAt": 0,
        "minutes": [30],
        "hours": [6],
        "mdays": [-1],
        "months": [-1],
        "wdays": [1, 2, 3, 4, 5],
    }
    assert job["extendedData"]["headers"] == {"Authorization": "Bearer $SMART_SYNC_ADMIN_TOKEN"}


def test_a_percent_sign_does_not_end_the_line_of_a_crontab() -> None:
    (line,) = snippet("crontab", "https://a.example/x%20y", config=CONFIG)[1].splitlines()

    assert re.findall(r"(?<!\\)%", line) == []
    assert "x\\%20y" in line


def test_a_token_of_any_characters_survives_in_the_file_for_curl() -> None:
    assert curl_config('a"b\\c') == 'header = "Authorization: Bearer a\\"b\\\\c"\n'


# Our lines in a crontab

OURS = block(Call(URL, parse_every("5m"), config="/srv/cron.curl"), "/usr/bin/curl")
OLDER = b"\n".join([BEGIN, b"# syncs everything", b"0 * * * * something old", END, b""])
NEARLY = [
    BEGIN + b" ",
    b" " + BEGIN,
    BEGIN.lower(),
    END + b"!",
    b"#" + END,
    b"# BEGIN smart-sync",
    b"*/5 * * * * smart-sync sync --due",
    b"MAILTO=me@example.com",
    b"0 0 * * * echo 100\\% # END smart-sync\r",
    b"\xff\xfe not text \x0b\x0c\x85\xe2\x80\xa8",
    b"",
    b"\r",
]
MARKS = {BEGIN, BEGIN + b"\r", END, END + b"\r"}
foreign_line = st.one_of(st.sampled_from(NEARLY), st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")))
foreign_lines = st.lists(foreign_line.filter(lambda line: line not in MARKS), max_size=6)
blocks = st.sampled_from([OURS, OLDER, OLDER.replace(b"\n", b"\r\n")])


@st.composite
def crontabs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """(a crontab with blocks of ours anywhere, what in it is not ours)."""
    parts = draw(st.lists(st.tuples(foreign_lines, st.none() | blocks), max_size=4))
    text = other = b""
    for lines, ours in parts:
        theirs = b"".join(line + b"\n" for line in lines)
        text, other = text + theirs + (ours or b""), other + theirs
    last = draw(foreign_line.filter(lambda line: line not in MARKS))  # maybe without a line's end
    return text + last, other + last


@given(crontabs())
def test_lines_that_are_not_ours_keep_every_byte(crontab: tuple[bytes, bytes]) -> None:
    text, other = crontab

    after = put_block(text, OURS)

    assert after.count(OURS) == 1
    left = after.replace(OURS, b"")
    assert left in (other, other + b"\n")
    assert drop_block(text) == other
    assert drop_block(after) == left


@given(crontabs())
def test_installing_twice_is_installing_once(crontab: tuple[bytes, bytes]) -> None:
    once = put_block(crontab[0], OURS)

    assert put_block(once, OURS) == once


def test_a_new_block_stands_where_the_old_one_stood() -> None:
    assert put_block(b"a\n" + OLDER + b"b\n", OURS) == b"a\n" + OURS + b"b\n"


@pytest.mark.parametrize(
    "torn",
    [BEGIN + b"\n0 * * * * x\n", b"0 * * * * x\n" + END + b"\n", BEGIN + b"\nx\n" + OURS, END + b"\n" + BEGIN],
    ids=["no end", "no beginning", "twice begun", "turned round"],
)
def test_a_torn_block_is_left_to_a_person(torn: bytes) -> None:
    for edit in (drop_block, read_block, lambda text: put_block(text, OURS)):
        with pytest.raises(Invalid, match="one of our two marks"):
            edit(torn)


def test_our_lines_tell_what_they_do() -> None:
    ours = block(Call(URL, parse_every("2h"), "/srv/cron.curl"), "curl")

    found = read_block(b"0 0 * * * other\n" + ours.replace(b"\n", b"\r\n"))

    assert found == parse_fields("0 */2 * * *")


@pytest.mark.parametrize("crontab", [b"", b"*/5 * * * * smart-sync\n", BEGIN + b"\n# x\n" + END + b"\n"])
def test_a_crontab_without_our_job_tells_nothing(crontab: bytes) -> None:
    assert read_block(crontab) is None


# The commands

CRONTAB = """\
#!/bin/sh
case $1 in
-l) cat "$CRONTAB_FILE" 2>/dev/null || { echo "no crontab for you" >&2; exit 1; } ;;
-) cat > "$CRONTAB_FILE" ;;
*) exit 2 ;;
esac
"""
CURL = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$CURL_LOG"
cat >> "$CURL_LOG.stdin"
cat "$CURL_ANSWER" && exit "$(cat "$CURL_EXIT" 2>/dev/null || echo 0)"
"""


class Machine:
    """A user's machine: a crontab, a curl that answers what it is told, and settings."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.crontab = folder / "crontab"
        self.data = folder / "data"
        self.answer(True)
        for name in [name for name in os.environ if name.startswith(("SMART_SYNC_", "GOOGLE_", "DATABASE_"))]:
            monkeypatch.delenv(name)
        (folder / "bin").mkdir()
        for name, text in (("crontab", CRONTAB), ("curl", CURL)):
            path = folder / "bin" / name
            path.write_text(text)
            path.chmod(0o755)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")
        monkeypatch.setenv("CRONTAB_FILE", str(self.crontab))
        monkeypatch.setenv("CURL_LOG", str(folder / "curl.log"))
        monkeypatch.setenv("CURL_ANSWER", str(folder / "answer"))
        monkeypatch.setenv("CURL_EXIT", str(folder / "exit"))
        monkeypatch.setenv("SMART_SYNC_DATA_DIR", str(self.data))
        monkeypatch.setenv("SMART_SYNC_ADMIN_TOKEN", TOKEN)

    def answer(self, success: bool, code: int = 0) -> None:
        """What the service answers to a trial from now on, and how curl ends."""
        body = {"success": success, "success_count": 2, "total_projects": 2, "error": None if success else "no sheet"}
        (self.folder / "answer").write_text(json.dumps(body))
        (self.folder / "exit").write_text(str(code))

    def cron(self, *arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(main, ["cron", *arguments], input=answer)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: None) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_install_writes_our_lines_and_a_file_for_this_user_only(machine: Machine) -> None:
    machine.crontab.write_bytes(b"MAILTO=me\r\n0 0 * * * backup\n")

    done = machine.cron("install", "--yes")

    assert done.exit_code == 0, done.output
    text = machine.crontab.read_bytes()
    assert text.startswith(b"MAILTO=me\r\n0 0 * * * backup\n" + BEGIN)
    assert b"http://127.0.0.1:8000/api/admin/smart_sync?due=true" in text
    config = machine.data / "cron.curl"
    assert config.stat().st_mode & 0o777 == 0o600
    assert TOKEN in config.read_text()


def test_the_token_is_in_no_command_line_crontab_or_output(machine: Machine) -> None:
    done = machine.cron("install", "--yes")

    assert TOKEN not in done.output + machine.crontab.read_text() + (machine.folder / "curl.log").read_text()
    assert TOKEN in (machine.folder / "curl.log.stdin").read_text()


def test_a_trial_comes_first_and_writes_nothing(machine: Machine) -> None:
    machine.cron("install", "--yes", "--url", "http://127.0.0.1:9999")

    ready, sync = (machine.folder / "curl.log").read_text().splitlines()
    assert ready.endswith("http://127.0.0.1:9999/ready")
    assert "dry_run=true" in sync


def test_install_explains_an_interval_that_is_longer_than_the_pace_of_calls(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = machine.cron("install", "--yes", "--every", "2m").output
    monkeypatch.setenv("SMART_SYNC_INTERVAL_MINUTES", "2")
    as_due = machine.cron("install", "--yes", "--every", "2m").output

    assert "It comes every 2 minutes, more often than a project without an interval of its own is due:" in often
    assert "To have each call sync, set SMART_SYNC_INTERVAL_MINUTES=2 for the service." in often
    assert "It comes" not in as_due


def test_nothing_is_installed_when_the_trial_fails(machine: Machine) -> None:
    machine.answer(False, code=22)

    done = machine.cron("install", "--yes")

    assert done.exit_code == 1
    assert "nothing was changed" in done.output
    assert not machine.crontab.exists()
    assert not (machine.data / "cron.curl").exists()


def test_a_trial_whose_sync_would_fail_warns_only(machine: Machine) -> None:
    machine.answer(False)

    done = machine.cron("install", "--yes")

    assert done.exit_code == 0
    assert "a sync would fail now: no sheet" in done.output


@pytest.mark.parametrize("answer", ["n\n", ""], ids=["no", "nobody there"])
def test_nothing_is_written_without_a_yes(machine: Machine, answer: str) -> None:
    done = machine.cron("install", answer=answer)

    assert done.exit_code == 1
    assert BEGIN.decode() in done.output
    assert not machine.crontab.exists()


def test_a_dry_run_shows_the_change_and_makes_none(machine: Machine) -> None:
    machine.cron("install", "--yes")
    before = machine.crontab.read_bytes()

    shown = machine.cron("install", "--dry-run", "--every", "1h")

    assert (shown.exit_code, machine.crontab.read_bytes()) == (0, before)
    assert "+0 * * * * /bin/sh" in shown.output
    assert "-*/5 * * * * /bin/sh" in shown.output


def test_installing_again_changes_our_lines_only(machine: Machine) -> None:
    machine.crontab.write_bytes(b"first\n")
    machine.cron("install", "--yes", "--no-trial")
    machine.crontab.write_bytes(machine.crontab.read_bytes() + b"last\n")

    machine.cron("install", "--yes", "--no-trial", "--every", "2h")

    lines = machine.crontab.read_bytes().splitlines()
    assert (lines[0], lines[-1], lines.count(BEGIN)) == (b"first", b"last", 1)
    assert read_block(machine.crontab.read_bytes()) == parse_fields("0 */2 * * *")


def test_remove_takes_only_what_install_put_there(machine: Machine) -> None:
    machine.crontab.write_bytes(b"a\nb\r\n")
    machine.cron("install", "--yes", "--no-trial")

    done = machine.cron("remove", "--yes")

    assert done.exit_code == 0
    assert machine.crontab.read_bytes() == b"a\nb\r\n"
    assert not (machine.data / "cron.curl").exists()
    assert "not installed" in machine.cron("remove", "--yes").output


def test_install_says_what_is_missing_on_the_machine(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine.folder))

    done = machine.cron("install", "--yes")

    assert done.exit_code == 1
    assert "there is no program curl here" in done.output


def test_install_without_a_token_says_where_it_would_come_from(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMART_SYNC_ADMIN_TOKEN")

    done = machine.cron("install", "--yes")

    assert done.exit_code == 1
    assert "SMART_SYNC_ADMIN_TOKEN: is not set" in done.output


def test_install_takes_the_token_that_the_service_made(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMART_SYNC_ADMIN_TOKEN")
    machine.data.mkdir()
    (machine.data / "admin_token").write_text("made-by-the-service\n")

    machine.cron("install", "--yes")

    assert (machine.data / "cron.curl").read_text() == curl_config("made-by-the-service")


@pytest.mark.parametrize(("kept", "words"), [("", "there is no token in"), ("ключ", "holds no token")])
def test_install_puts_no_token_into_a_crontab_that_is_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, kept: str, words: str
) -> None:
    monkeypatch.delenv("SMART_SYNC_ADMIN_TOKEN")
    machine.data.mkdir()
    (machine.data / "admin_token").write_text(kept)

    done = machine.cron("install", "--yes")

    assert (done.exit_code, words in done.output) == (1, True)


@pytest.mark.parametrize("caller", CALLERS)
def test_print_shows_a_snippet_without_the_token(machine: Machine, caller: str) -> None:
    done = machine.cron("print", "--for", caller, "--url", URL)

    assert done.exit_code == 0
    assert f"Smart Sync by {caller}" in done.output
    assert TOKEN not in done.output


def test_print_keeps_the_notes_out_of_json(machine: Machine) -> None:
    assert json.loads(machine.cron("print", "--for", "vercel", "--url", URL).stdout)["crons"]


def test_what_is_printed_for_a_crontab_is_a_crontab(machine: Machine) -> None:
    lines = machine.cron("print", "--for", "crontab").stdout.splitlines()

    assert [line[:1] for line in lines] == ["#"] * (len(lines) - 1) + ["*"]


def test_print_needs_the_address_for_callers_elsewhere(machine: Machine) -> None:
    done = machine.cron("print", "--for", "vercel")

    assert done.exit_code == 2
    assert "--url" in done.output


# Whether the calls come


@pytest.fixture
def kept(machine: Machine, sqlite_service: Service, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service whose crontab line was installed a week ago, with a project that syncs."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    machine.cron("install", "--yes", "--no-trial")
    week_ago = (datetime.now(UTC) - timedelta(days=7)).timestamp()
    os.utime(machine.data / "cron.curl", (week_ago, week_ago))
    sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
    return sqlite_service


def _called(service: Service, *, ago: timedelta = timedelta(0), **how: bool) -> None:
    service.time.now = datetime.now(UTC) - ago
    service.client.post("/api/admin/smart_sync", query_string=_words(how), headers={"Authorization": f"Bearer {TOKEN}"})


def _words(how: dict[str, bool]) -> dict[str, str]:
    return {name: str(value).lower() for name, value in how.items()}


def test_status_is_fine_while_the_calls_come(machine: Machine, kept: Service) -> None:
    _called(kept, due=True)

    done = machine.cron("status")

    assert done.exit_code == 0, done.output
    assert "overdue: no" in done.output


def test_status_is_overdue_after_two_missed_calls(machine: Machine, kept: Service) -> None:
    _called(kept, due=True, ago=timedelta(minutes=17))

    done = machine.cron("status")

    assert done.exit_code == 1
    assert "calls missed" in done.output


@pytest.mark.parametrize("by_hand", [{}, {"due": True, "dry_run": True}], ids=["everything", "a dry run"])
def test_what_people_start_does_not_hide_that_the_calls_stopped(
    machine: Machine, kept: Service, by_hand: dict[str, Any]
) -> None:
    _called(kept, **by_hand)

    done = machine.cron("status")

    assert done.exit_code == 1
    assert "last call: none yet" in done.output


def test_status_tells_of_a_failed_call(machine: Machine, kept: Service) -> None:
    kept.sheet.offline(SourceError("the sheet is not shared", code="forbidden"))
    _called(kept, due=True)

    done = machine.cron("status")

    assert done.exit_code == 1
    assert "last error: " in done.output


def test_status_of_a_crontab_without_us_is_three(machine: Machine, kept: Service) -> None:
    machine.cron("remove", "--yes")

    done = machine.cron("status")

    assert done.exit_code == 3
    assert "not in this user's crontab" in done.output
