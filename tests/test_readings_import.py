"""`smart-sync readings import`: files of readings, whatever they look like."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner

from tests.fakes.shell import Shell
from tests.test_cli import ROOT, on_a_terminal
from webapp import cli
from webapp.errors import SourceError
from webapp.sources import delivered
from webapp.sources.delivered import read_readings

URL = "https://x.com/ann"
LINE = json.dumps({"profile_url": URL, "followers": 1200}).encode()


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


def times(shell: Shell) -> list[str]:
    with closing(sqlite3.connect(shell.folder / "data" / "smart_sync.db")) as connection:
        return [row[0] for row in connection.execute("SELECT observed_at FROM observations WHERE source = 'parsed'")]


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

    assert (told.exit_code, told.stdout) == (
        0,
        "1 reading: 1 kept, 0 unchanged, 0 older than what is stored, 0 not used\n",
    )
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
    assert told.stdout.splitlines()[-1] == "7 readings: 1 kept, 0 unchanged, 0 older than what is stored, 6 not used"


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
        "30 readings: 2 kept, 0 unchanged, 0 older than what is stored, 28 not used",
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
        ("a.json", b"7", "has no list of readings"),
        ("a.json", b"", "is no JSON"),
        ("a.json", b'{"readings": [], "project_id": "a"}', "name the project with --project"),
        ("a.json", b'{"readings": [], "Rows": 1, "more": 2}', "has Rows, more beside its readings"),
        ("a.csv", f"URL,Followers\n{URL},\x007\n".encode(), "signs that are no text"),
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
        list(read_readings(io.BytesIO(b"{}\n" + b"x" * (delivered.LONGEST_LINE + 5)), "a.ndjson", json.loads))
    monkeypatch.setattr(delivered, "LARGEST_FILE", 100)
    with pytest.raises(SourceError, match="the file has more than"):
        list(read_readings(io.BytesIO(b"[" + b" " * 200), "a.json", json.loads))


def test_an_empty_file_has_no_readings(known: Shell) -> None:
    assert (
        put(known, "a.ndjson", "").stdout
        == "0 readings: 0 kept, 0 unchanged, 0 older than what is stored, 0 not used\n"
    )


def test_a_file_that_is_not_there_is_told(known: Shell) -> None:
    told = known.run("readings", "import", "nowhere.csv")

    assert (told.exit_code, "nowhere.csv" in told.stderr) == (1, True)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + LINE + b"\n",
        b"\n\t " + LINE,
        (LINE.decode() + "\r\n").encode("utf-16"),
        b"\xef\xbb\xbf \n[" + LINE + b"]",
        f"[{LINE.decode()}]".encode("utf-16"),
        b'{"readings": [' + LINE + b"]}",
        json.dumps({"readings": [json.loads(LINE)]}, indent=2).encode(),
        f"URL,Followers\n{URL},1200\n".encode("utf-16"),
    ],
)
def test_what_comes_without_a_name_is_told_by_how_it_begins(known: Shell, body: bytes) -> None:
    told = CliRunner().invoke(cli.main, ["readings", "import", "-"], input=body, env=known.env)

    assert (told.exit_code, told.stderr, told.stdout.partition(":")[0]) == (0, "", "1 reading")
    assert stored(known) == [(1, 1200, None, "import")]


def test_lines_in_utf_16_are_read(known: Shell) -> None:
    assert put(known, "a.ndjson", ("\n" + LINE.decode() + "\n").encode("utf-16")).exit_code == 0
    assert stored(known) == [(1, 1200, None, "import")]


def test_a_line_may_end_wherever_a_file_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"a": 1}\n\n{"b": 2}\n{"c": 3}'
    for look in range(1, len(body) + 2):
        monkeypatch.setattr(delivered, "_LOOK", look)
        assert list(read_readings(io.BytesIO(body), "a.ndjson", json.loads)) == [
            ("line 1", {"a": 1}, None), ("line 3", {"b": 2}, None), ("line 4", {"c": 3}, None),
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
def test_what_the_api_refuses_is_refused_here_too(known: Shell, name: str) -> None:
    bad = [
        f'{{"profile_url": "{URL}", "followers": 1, "followers": 2}}',
        f'{{"profile_url": "{URL}", "followers": {"9" * 9_999}}}',
        f'{{"profile_url": "{URL}", "followers": NaN}}',
        f'{{"profile_url": "{URL}", "followers": true}}',
        f'{{"profile_url": "{URL}", "followers": 1, "observed_at": "2999-01-01T00:00:00Z"}}',
    ]
    lines = [*bad, LINE.decode()]
    told = put(known, name, "\n".join(lines) if name == "a.ndjson" else f"[{','.join(lines)}]")

    assert told.exit_code == 2
    assert told.stdout.endswith("6 readings: 1 kept, 0 unchanged, 0 older than what is stored, 5 not used\n")
    assert stored(known) == [(1, 1200, None, "import")]


TIMED = (
    f"profile_url,followers,views,observed_at,origin\n{URL},5,,2026-01-02T00:00:00Z,\n{URL},4,9,2026-01-01T00:00:00Z,\n"
)


def test_a_table_may_have_a_time_for_each_row(known: Shell) -> None:
    told = put(known, "a.csv", TIMED)
    again = put(known, "a.csv", TIMED)

    assert (told.exit_code, again.exit_code) == (0, 0)
    assert told.stdout == "2 readings: 2 kept, 0 unchanged, 0 older than what is stored, 0 not used\n"
    assert again.stdout == "2 readings: 0 kept, 1 unchanged, 1 older than what is stored, 0 not used\n"
    assert stored(known) == [(1, 5, 9, "import")]
    assert times(known) == ["2026-01-02 00:00:00.000000"]


@pytest.mark.parametrize(
    "data",
    [
        "account_id;Подписчики;origin\n1;1 200;ours\n",
        "Platform,Username,followers,origin\nX,@ann,1.2K,ours\n",
        "\ufeffORIGIN,Account_ID,Followers\nours,1,1200\n\n,,\n",
    ],
)
def test_a_table_may_name_accounts_by_their_id_and_say_who_read_them(known: Shell, data: str) -> None:
    told = put(known, "a.csv", data)

    assert (told.exit_code, told.stderr) == (0, "")
    assert stored(known) == [(1, 1200, None, "ours")]


def test_rows_of_such_a_table_are_judged_one_by_one(known: Shell) -> None:
    rows = ["1,many,7,", "two,1,,", "1,1,1,yesterday", "1,1,1,2026-01-01T00:00:00Z,more", ",1,,", f"{'9' * 30},1,,"]
    told = put(known, "a.csv", "\n".join(["account_id,followers,views,observed_at", *rows, ""]))

    assert told.exit_code == 2
    places = [line.removeprefix(str(known.folder)).partition(": ")[0] for line in told.stdout.splitlines()[:-1]]
    assert places == ["/a.csv!B2", "row 3", "row 4", "row 5", "row 6", "row 7"]
    assert told.stdout.endswith("7 readings: 1 kept, 0 unchanged, 0 older than what is stored, 6 not used\n")
    assert stored(known) == [(1, None, 7, "import")]


def test_a_row_of_such_a_table_needs_an_address(known: Shell) -> None:
    told = put(known, "a.csv", f"URL,followers,origin\nnonsense words,1,\n,2,\n{URL},3,\n")

    assert told.exit_code == 2
    assert [line.partition(": ")[0] for line in told.stdout.splitlines()[:-1]] == ["row 2", "row 3"]
    assert stored(known) == [(1, 3, None, "import")]


def test_the_address_of_a_cell_is_told_once(known: Shell) -> None:
    told = put(known, "a.csv", f"URL,Followers\n{URL},many\n")

    assert told.stdout.count("a.csv!B2") == 1


def test_what_was_kept_before_a_file_broke_is_told(known: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["webapp.cli.readings"], "AT_ONCE", 1)

    told = put(known, "a.ndjson", LINE + b"\n" + b"x" * (delivered.LONGEST_LINE + 1))

    assert told.exit_code == 1
    assert told.stdout == "1 reading so far: 1 kept, 0 unchanged, 0 older than what is stored, 0 not used\n"
    assert "line 2 has more than" in told.stderr
    assert stored(known) == [(1, 1200, None, "import")]


@pytest.mark.parametrize("origin", ["a" * 101, "a\udcff"])
def test_an_origin_is_held_to_the_rules_of_the_api(known: Shell, origin: str) -> None:
    told = put(known, "a.ndjson", LINE, "--origin", origin)

    assert (told.exit_code, stored(known)) == (2, [])


def test_whole_batches_of_what_is_kept_already_are_told_as_unchanged(known: Shell) -> None:
    body = json.dumps({"profile_url": URL, "followers": 1200, "observed_at": "2026-03-02T10:00:00Z"})

    assert put(known, "a.ndjson", body).stdout.startswith("1 reading: 1 kept, 0 unchanged")
    assert put(known, "a.ndjson", body).stdout.startswith("1 reading: 0 kept, 1 unchanged")


def test_an_account_that_is_not_there_is_told_why(known: Shell) -> None:
    told = put(known, "a.ndjson", json.dumps({"profile_url": "https://x.com/nobody", "followers": 1}))

    assert "line 1: fits no account: https://x.com/nobody: no account has this address" in told.stdout


@pytest.mark.usefixtures("processes")
def test_a_terminal_gets_a_bar_of_what_was_delivered(known: Shell) -> None:
    path = known.folder / "[b]a.ndjson"
    path.write_bytes(LINE + b"\n" + LINE)

    code, sent = on_a_terminal(known, "readings", "import", str(path))

    assert code == 0
    assert "[b]a.ndjson" in sent  # the name is no markup
    assert "2 readings: 1 kept, 0 unchanged, 1 older" in sent


@pytest.mark.usefixtures("processes")
def test_a_pipe_is_read_as_it_comes(known: Shell) -> None:
    environment = {name: value for name, value in (os.environ | known.env).items() if value is not None}
    command = [sys.executable, "-m", "webapp.cli", "readings", "import", "-"]
    done = subprocess.run(
        command,
        input=LINE + b"\n{}\n",
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (2, b"")
    assert done.stdout.splitlines()[-1] == b"2 readings: 1 kept, 0 unchanged, 0 older than what is stored, 1 not used"
