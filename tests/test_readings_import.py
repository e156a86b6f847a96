"""`smart-sync readings import`: files of readings, whatever they look like."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner

from tests.fakes.shell import Shell
from webapp import cli
from webapp.errors import SourceError
from webapp.sources import delivered
from webapp.sources.delivered import read_readings

URL = "https://x.com/ann"


@pytest.fixture
def known(shell: Shell) -> Shell:
    """A shell over a service that knows two accounts."""
    for path in shell.sheet.iterdir():
        path.unlink()
    (shell.sheet / "Project A.csv").write_text(f"URL,Followers\n{URL},100\nhttps://x.com/ben,5\n", encoding="utf-8")
    assert shell.run("sync").exit_code == 0
    return shell


def stored(shell: Shell) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(shell.folder / "data" / "smart_sync.db")) as connection:
        sql = (
            "SELECT account_id, followers, views, origin FROM observations WHERE source = 'parsed' ORDER BY account_id"
        )
        return connection.execute(sql).fetchall()


def put(shell: Shell, name: str, data: str | bytes, *options: str) -> Any:
    path = shell.folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return shell.run("readings", "import", str(path), *options)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", json.dumps([{"profile_url": URL, "followers": 1200}])),
        ("b.json", json.dumps({"readings": [{"profile_url": URL, "followers": 1200}]})),
        ("c.ndjson", json.dumps({"profile_url": URL, "followers": 1200})),
        ("d.csv", f"Link;Подписчики;Note\n{URL};1 200;x\n"),
        ("e.tsv", "Platform\tUsername\tFollowers\nX\t@ann\t1.2K\n"),
        ("f", json.dumps([{"profile_url": URL, "followers": 1200}])),
        ("g", json.dumps({"profile_url": URL, "followers": 1200}) + "\n"),
        ("h", f"URL,Followers\n{URL},1200\n"),
        ("i.csv", f"\ufeffURL,Followers\n{URL},1200\n"),
        ("j.csv", f"URL,Followers\n{URL},1200\n".encode("utf-16")),
        ("k.jsonl", "\ufeff\n" + json.dumps({"account_id": 1, "followers": 1200})),
    ],
)  # fmt: skip
def test_readings_come_in_many_forms(known: Shell, name: str, data: str | bytes) -> None:
    told = put(known, name, data)

    assert (told.exit_code, told.stdout) == (0, "1 readings: 1 kept, 0 older than what is stored, 0 not used\n")
    assert stored(known) == [(1, 1200, None, "import")]


def test_they_come_from_stdin_too(known: Shell) -> None:
    body = json.dumps({"profile_url": URL, "views": 7, "origin": "ours"})
    told = CliRunner().invoke(cli.main, ["readings", "import", "-"], input=body, env=known.env)

    assert (told.exit_code, told.stderr, told.exception) == (0, "", None)
    assert stored(known) == [(1, None, 7, "ours")]


def test_what_cannot_be_used_is_told_by_its_place(known: Shell) -> None:
    lines = [
        json.dumps({"profile_url": URL, "followers": 1200}),
        "",
        '{"profile_url": "https://x.com/ann", ',
        json.dumps({"profile_url": "https://x.com/nobody", "followers": 1}),
        json.dumps({"profile_url": URL, "followers": -1}),
        json.dumps({"profile_url": "https://x.com/ann/status/1", "followers": 1}),
        json.dumps({"account_id": 9, "followers": 1}),
    ]
    told = put(known, "a.ndjson", "\n".join(lines).encode() + b"\n\xff\xfe\n")

    assert told.exit_code == 2
    assert [line.partition(": ")[0] for line in told.stdout.splitlines()[:-1]] == [
        "line 3", "line 5", "line 8", "line 4", "line 6", "line 7",
    ]  # fmt: skip
    assert "line 4: fits no account: https://x.com/nobody" in told.stdout
    assert told.stdout.splitlines()[-1] == "7 readings: 1 kept, 0 older than what is stored, 6 not used"


def test_cells_that_are_no_counts_are_told_by_their_address(known: Shell) -> None:
    told = put(known, "a.csv", f"URL,Followers,Views\n{URL},many,7\nhttps://x.com/ben,,\n")

    assert told.exit_code == 2
    assert "many" in told.stdout
    assert stored(known) == [(1, None, 7, "import")]


def test_a_project_is_named_by_its_name(known: Shell) -> None:
    body = json.dumps([{"profile_url": URL, "followers": 1200}])

    assert put(known, "a.json", body, "--project", "Project A", "--origin", "ours").exit_code == 0
    assert put(known, "a.json", body, "--project", "Nobody").exit_code == 1
    assert stored(known) == [(1, 1200, None, "ours")]


def test_many_are_delivered_in_parts_and_few_of_the_problems_are_shown(
    known: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["webapp.cli.readings"], "AT_ONCE", 10)
    lines = "\n".join(json.dumps({"account_id": number, "followers": 1}) for number in range(1, 31))

    told = put(known, "a.ndjson", lines)

    assert told.stdout.splitlines()[-2:] == [
        "and 8 more",
        "30 readings: 2 kept, 0 older than what is stored, 28 not used",
    ]


def test_a_second_time_changes_nothing(known: Shell) -> None:
    body = json.dumps([{"profile_url": URL, "followers": 1200, "observed_at": "2026-03-02T10:00:00Z"}])
    put(known, "a.json", body)
    before = stored(known)

    assert put(known, "a.json", body).exit_code == 0
    assert stored(known) == before


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.json", b'[{"a": 1', "is no JSON"),
        ("a.json", b"[" * 100_000, "nested too deep"),
        ("a.json", b'{"rows": []}', "has no list of readings"),
        ("a.json", b"\xc3\x28[]", "not in UTF-8"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"Name,Age\nAnn,7\n", "no header"),
        ("a.csv", b"\x81\x8d\x8f", "not in UTF-8"),
    ],
)
def test_a_file_that_is_none_is_told_in_a_line(known: Shell, name: str, data: bytes, words: str) -> None:
    told = put(known, name, data)

    assert told.exit_code == 1
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_an_endless_line_and_an_endless_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="line 2 has more than"):
        list(read_readings(io.BytesIO(b"{}\n" + b"x" * (delivered.LONGEST_LINE + 5)), "a.ndjson"))
    monkeypatch.setattr(delivered, "LARGEST_FILE", 100)
    with pytest.raises(SourceError, match="the file has more than"):
        list(read_readings(io.BytesIO(b"[" + b" " * 200), "a.json"))


def test_an_empty_file_has_no_readings(known: Shell) -> None:
    assert put(known, "a.ndjson", "").stdout == "0 readings: 0 kept, 0 older than what is stored, 0 not used\n"


def test_a_file_that_is_not_there_is_told(known: Shell) -> None:
    told = known.run("readings", "import", "nowhere.csv")

    assert (told.exit_code, "nowhere.csv" in told.stderr) == (1, True)
