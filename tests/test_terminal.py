"""What stands in a sheet is text on a terminal: it moves no cursor, hides no line and turns no direction."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import webapp.cli
from tests.fakes.shell import Shell
from webapp.cli.terminal import say, shown
from webapp.store import runs
from webapp.store.db import open_database
from webapp.store.runs import NewRun
from webapp.sync.trigger import Trigger

SIGNS = {
    "colours": "\x1b[31m",
    "a cleared screen": "\x1b[2J",
    "the one-byte form of it": "\x9b2J",
    "back to the beginning of the line": "\r",
    "backspace": "\b",
    "delete": "\x7f",
    "a bell": "\a",
    "NUL": "\0",
    "right to left": "\u202e",
    "isolated": "\u2066",
    "a line of Unicode": "\u2028",
    "half a sign": "\ud83d",
    "a tag": "\U000e0041",
}


@pytest.mark.parametrize("case", SIGNS, ids=str)
def test_signs_that_a_terminal_obeys_are_shown(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"A{SIGNS[case]}B", "\tC\u00e9")

    first, second, end = capsys.readouterr().out.split("\n")
    assert re.fullmatch(r"A(\\[a-z0-9]+\[?[0-9A-Zm]*)+B", first)
    assert first.isprintable()
    assert (second, end) == ("\tC\u00e9", "")


def test_what_is_printable_stays_as_it_is() -> None:
    text = 'Игры "A" \\ 東京\n  🎮'

    assert shown(text) == text


def test_a_line_break_in_a_name_forges_no_line(shell: Shell) -> None:
    for name in ("Odd\nok    Fine: 9 accounts", "Odd\r\nok    Fine: 9 accounts"):
        (shell.sheet / f"{name}.csv").write_text("Link,Followers\nhttps://x.com/ann,5 or 6\n")

    for command in ("sync", "status", "runs", "runs show", "doctor", "projects list", "schedule list", "sync --json"):
        said = shell.run(*command.split())
        assert not re.search("^ok    Fine", said.output, re.MULTILINE), command

    assert "ok    Odd\\nok    Fine: 9 accounts: 1 accounts" in shell.run("sync").stdout


def test_nobody_prints_past_it() -> None:
    """But JSON, and what is to be pasted."""
    folder = Path(webapp.cli.__file__).parent
    past = [
        (path.name, line.strip())
        for path in folder.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\bclick\.s?echo\(|\bprint\(", line) and not re.search("shown|one_line", line)
    ]

    assert sorted(name for name, _ in past) == ["cron.py", "root.py"]
    assert {line.split("  #")[0] for _, line in past} == {
        "click.echo(text, nl=False)",
        "click.echo(json.dumps(msgspec.to_builtins(body), ensure_ascii=False, indent=2))",
    }


@pytest.fixture
def odd(shell: Shell) -> Shell:
    """A folder in which a table has a name, and a cell, that would clear the screen."""
    (shell.sheet / "Od\x1b[2J\u202ed.csv").write_text("Link,Followers\nhttps://x.com/ann,\x1b[31m5 or 6\n")
    (shell.sheet / "No\x1b[2J.csv").write_text("nothing\n")
    return shell


COMMANDS = [
    *("sync", "sync --dry-run --force", "sync --project Nobody\x1b[2J", "status", "runs", "doctor"),
    *("projects list", "schedule list", "schedule test"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_hands_them_on(odd: Shell, command: str) -> None:
    odd.run("sync")

    said = odd.run(*command.split()).output

    assert all(line.isprintable() for line in click.unstyle(said).replace("\t", "").splitlines())
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_the_name_is_still_to_be_seen(odd: Shell) -> None:
    assert "ok    Od\\u001b[2J\\u202ed: 1 accounts" in odd.run("sync").stdout


def test_json_stays_as_it_is(odd: Shell) -> None:
    names = {result["project_name"] for result in odd.json("sync")["results"]}

    assert "Od\x1b[2J\u202ed" in names


def test_a_sync_beside_one_that_hangs_is_no_success(shell: Shell) -> None:
    shell.run("sync")
    trigger = Trigger(caller="http")
    db = open_database(shell.url)
    with db.write() as tx:
        now = runs.latest(tx, limit=1)[0].started_at
        runs.add(tx, NewRun("live", "http", trigger.identity, trigger.params, now.date(), now))
        runs.beat(tx, "live", {}, silent_s=75)
    db.close()

    done = shell.run("sync")

    words = "no sign of progress for 75 s; if none comes, the next trigger after that takes over"
    assert (done.exit_code, done.stdout) == (2, f"run live is at it already: {words}\n")
    assert f"run live: {words}" in shell.run("status").stdout
