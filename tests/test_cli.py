"""The command line, as it is typed: what it prints, what it writes, what it exits with."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.shell import Shell
from webapp.cli import progress
from webapp.cli.lines import result_line
from webapp.cli.root import read_settings
from webapp.clock import Stop
from webapp.config import Settings
from webapp.store import runs
from webapp.store.db import open_database
from webapp.store.runs import NewRun, ProjectResult
from webapp.sync.trigger import Trigger

ROOT = Path(__file__).parents[1]


# Syncing


def test_a_sync_tells_each_project_and_the_run(shell: Shell) -> None:
    done = shell.run("sync")

    assert done.exit_code == 0
    *projects, run = done.stdout.splitlines()
    assert sorted(projects) == [
        "ok    Beauty Lab: 8 accounts, 8 updated, 8 snapshots, 8 added, 1 problem",
        "ok    Street Food: 8 accounts, 8 updated, 8 snapshots, 8 added, 2 problems",
        "ok    Игры: 5 accounts, 5 updated, 4 snapshots, 5 added, 1 problem",
    ]
    assert run.startswith("succeeded: 3 projects done, 0 failed, 0 skipped, 0 left, 0 Sheets calls, ")


def test_a_sync_that_fails_in_part_exits_with_2(shell: Shell) -> None:
    shell.run("sync")
    (shell.sheet / "Street Food.csv").unlink()

    done = shell.run("sync")

    assert done.exit_code == 2
    assert "FAIL  Street Food: the tab 'Street Food' has gone" in done.stdout
    assert "partial: 2 projects done, 1 failed" in done.stdout


def test_a_sync_that_fails_exits_with_2(shell: Shell) -> None:
    shell.run("sync")
    shutil.rmtree(shell.sheet)

    done = shell.run("sync")

    assert done.exit_code == 2
    assert f"there is no folder {shell.sheet}" in done.stdout


def empty(shell: Shell, name: str) -> None:
    """Take all rows out of a tab, which the guard does not believe."""
    tab = shell.sheet / f"{name}.csv"
    tab.write_text(tab.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


def test_a_tab_that_shrank_is_told_and_exits_with_2(shell: Shell) -> None:
    shell.run("sync")
    empty(shell, "Street Food")

    done = shell.run("sync")

    assert done.exit_code == 2
    assert "part  Street Food: 8 accounts, 0 updated, 0 snapshots, 3 problems: Street Food: 8 of 8" in done.stdout
    assert "error: Street Food: 8 of 8 accounts have lost their rows at once" in done.stdout
    assert "partial: 2 projects done, 1 failed" in done.stdout
    assert "degraded: Street Food since 20" in shell.run("status").stdout
    log = shell.run("runs").stdout
    assert "  partial    cli" in log
    assert "      Street Food: 8 of 8 accounts" in log


def test_a_file_that_cannot_be_read_at_the_first_sync_exits_with_2(shell: Shell) -> None:
    (shell.sheet / "Street Food.csv").write_bytes(b"Link,Followers\n\x81\x8d\x8f,1\n")

    done = shell.run("sync")

    assert done.exit_code == 2
    assert "error: tab 'Street Food': " in done.stdout
    assert "partial: 2 projects done, 0 failed" in done.stdout


def test_all_syncs_whoever_has_the_switch_off_too(shell: Shell) -> None:
    shell.run("sync")
    db = open_database(shell.url)
    with db.write() as tx:
        tx.exec_driver_sql("UPDATE projects SET auto_sync = 0 WHERE name = 'Street Food'")
    db.close()

    assert "skip  Street Food: auto_sync_off" in shell.run("sync").stdout
    assert "ok    Street Food: " in shell.run("sync", "--all").stdout
    assert "all goes with neither due nor project_id" in shell.run("sync", "--all", "--due").stderr


def test_readings_of_a_program_that_has_stopped_are_told(shell: Shell) -> None:
    shell.run("sync")
    db = open_database(shell.url)
    with db.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO observations (account_id, source, followers, observed_at, origin) "
            "SELECT min(id), 'parsed', 1, datetime('now', '-16 days'), 'youtube' FROM accounts WHERE mode = 'auto'"
        )
    db.close()

    told = shell.run("status").stdout

    assert "stale: readings of youtube are stale: the newest of 1 accounts came 16 d ago\n" in told
    assert shell.run("status", SMART_SYNC_READINGS_STALE_AFTER="30000").stdout.count("stale: ") == 0


def test_a_sync_of_one_project_takes_its_name_or_its_id(shell: Shell) -> None:
    shell.run("sync")

    by_name = shell.json("sync", "--project", "Игры")
    by_id = shell.json("sync", "--project", by_name["project_id"])

    assert by_name["project_name"] == by_id["project_name"] == "Игры"
    assert by_id["total_projects"] == 1


def test_a_project_that_is_not_there_is_told_in_one_line(shell: Shell) -> None:
    done = shell.run("sync", "--project", "Nobody")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: there is no project 'Nobody' (`smart-sync projects list` shows ids and names)\n"


def test_json_is_the_answer_of_the_endpoint(shell: Shell) -> None:
    answer = shell.json("sync")

    assert (answer["success"], answer["total_projects"], len(answer["results"])) == (True, 3, 3)


def test_a_dry_run_lists_the_changes_and_writes_none(shell: Shell) -> None:
    preview = shell.run("sync", "--dry-run")

    assert preview.exit_code == 0
    assert "add    https://www.tiktok.com/@mira.glow (" not in preview.stdout
    assert "add    https://www.tiktok.com/@mira.glow" in preview.stdout
    assert "0 of 0 projects active" in shell.run("status").stdout


def test_a_preview_of_a_change_names_old_new_and_cell(shell: Shell) -> None:
    shell.run("sync")
    tab = shell.sheet / "Street Food.csv"
    tab.write_text(tab.read_text(encoding="utf-8").replace("412000", "413000"), encoding="utf-8")

    preview = shell.run("sync", "--dry-run")

    line = "change https://www.tiktok.com/@wok.and.roll followers: 412000 -> 413000 (sheet Street Food!B2)"
    assert line in preview.stdout.splitlines()


def test_a_budget_that_is_used_up_leaves_projects_and_is_no_failure(shell: Shell) -> None:
    shell.run("sync")

    done = shell.run("sync", "--budget", "0.000001")

    assert done.exit_code == 0
    assert "3 left" in done.stdout


def test_nothing_due_is_a_success(shell: Shell) -> None:
    shell.run("sync")

    done = shell.run("sync", "--due")

    assert (done.exit_code, done.stdout.partition(",")[0]) == (0, "succeeded: 0 projects done")


def test_an_interrupt_ends_the_run_between_two_projects(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.sync.batch.PROJECTS", 1)  # each is written by itself
    shell.run("sync")
    line = result_line

    def interrupt_once(result: ProjectResult) -> str:
        monkeypatch.setattr(progress, "result_line", line)
        signal.raise_signal(signal.SIGINT)
        return line(result)

    monkeypatch.setattr(progress, "result_line", interrupt_once)

    done = shell.run("sync")

    assert done.exit_code == 2
    assert "ending after this project" in done.stderr
    assert "cancelled: 1 project done, 0 failed, 0 skipped, 2 left" in done.stdout


def test_a_second_interrupt_ends_at_once() -> None:
    before, stop = signal.getsignal(signal.SIGTERM), Stop()

    with pytest.raises(KeyboardInterrupt), progress.stop_on_signals(stop):
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested
        signal.raise_signal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_sync_beside_an_identical_one_is_answered_by_it(shell: Shell) -> None:
    shell.run("sync")
    trigger = Trigger(caller="http")
    db = open_database(shell.url)
    with db.write() as tx:
        now = runs.latest(tx, limit=1)[0].started_at
        runs.add(tx, NewRun("live", "http", trigger.identity, trigger.params, now.date(), now))
    db.close()

    done = shell.run("sync")

    assert (done.exit_code, done.stdout) == (0, "run live is at it already and will see what you have just edited\n")
    assert shell.json("sync")["coalesced"] is True


def test_a_sync_takes_a_run_that_waits_for_a_worker(shell: Shell) -> None:
    shell.run("sync")
    trigger = Trigger(caller="http")
    db = open_database(shell.url)
    with db.write() as tx:
        now = runs.latest(tx, limit=1)[0].started_at
        runs.add(tx, NewRun("live", "http", trigger.identity, trigger.params, now.date(), now), queued=True)

    done = shell.run("sync")

    with db.read() as tx:
        assert (done.exit_code, runs.get(tx, "live").state) == (0, "succeeded")
    db.close()


def on_a_terminal(shell: Shell, *words: str, stdout: int | None = None) -> tuple[int, str]:
    """(exit code, everything a terminal of 200 columns was sent) of a command; stdout may go elsewhere."""
    ours, theirs = pty.openpty()
    env: Mapping[str, str] = {name: value for name, value in (os.environ | shell.env).items() if value is not None}
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", *words],
        env={**env, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
    )
    os.close(theirs)
    sent = b""
    try:
        while part := os.read(ours, 65536):
            sent += part
    except OSError:  # how the end of a terminal looks on Linux
        pass
    finally:
        os.close(ours)
    return process.wait(), sent.decode()


@pytest.mark.usefixtures("processes")
def test_a_terminal_gets_a_progress_bar_and_no_log_lines(shell: Shell) -> None:
    shell.run("sync")

    code, sent = on_a_terminal(shell, "sync")

    assert code == 0
    assert "3/3" in sent
    assert "ok    Beauty Lab: 8 accounts, 0 updated, 0 snapshots, 1 problem\r\n" in sent
    assert "[SmartSync]" not in sent


@pytest.mark.usefixtures("processes")
def test_a_bar_on_the_terminal_leaves_a_file_its_lines(shell: Shell) -> None:
    with (shell.folder / "out.txt").open("wb") as out:
        on_a_terminal(shell, "sync", stdout=out.fileno())

    lines = (shell.folder / "out.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "ok", "ok", "succeeded:"]


# Values in doubt


def test_a_value_in_doubt_is_listed_and_accepted(shell: Shell) -> None:
    shell.run("sync")
    assert shell.run("doubts", "list").stdout == "nothing is in doubt\n"
    with closing(sqlite3.connect(shell.folder / "data/smart_sync.db")) as db, db:
        db.execute("UPDATE account_spans SET since = '2026-01-01 00:00:00.000000'")
    tab = shell.sheet / "Street Food.csv"
    tab.write_text(tab.read_text(encoding="utf-8").replace("412000", "41200000"), encoding="utf-8")
    shell.run("sync")

    (line,) = shell.run("doubts", "list").stdout.splitlines()
    account, metric = line.partition(":")[0].split()
    done = shell.run("doubts", "accept", account, metric)

    assert "followers: 41200000 after 412000, since " in line
    assert line.endswith("https://www.tiktok.com/@wok.and.roll")
    assert (done.exit_code, done.stdout.partition(",")[0]) == (
        0, f"followers 41200000 of account {account} is believed",
    )  # fmt: skip
    assert shell.run("doubts", "list").stdout == "nothing is in doubt\n"
    again = shell.run("doubts", "accept", account, metric)
    assert (again.exit_code, again.stderr) == (1, f"Error: followers of account {account} is not in doubt\n")


# Looking


def test_status_before_the_first_sync_says_never(shell: Shell) -> None:
    told = shell.run("status").stdout.splitlines()

    assert told[:3] == ["0 of 0 projects active, 0 stale, 0 values held", "last success: never", "next due: nothing"]


def test_status_tells_the_last_run_the_sheet_and_the_database(shell: Shell) -> None:
    shell.run("sync")

    told = shell.run("status").stdout

    assert "3 of 3 projects active, 0 stale, 0 values held" in told
    assert "succeeded: 3 projects done" in told
    assert "sheet sheet: ok since " in told
    assert f"database: {shell.folder}/data/smart_sync.db (sqlite, " in told


def test_status_as_json_has_the_parts_for_a_program(shell: Shell) -> None:
    shell.run("sync")

    told = shell.json("status")

    assert (told["total_projects"], told["stale_projects"], told["running"]) == (3, [], [])
    assert told["storage"]["kind"] == "sqlite"
    assert told["sheet"]["spreadsheets"][0]["state"] == "ok"


def test_runs_are_listed_newest_first_and_limited(shell: Shell) -> None:
    assert shell.run("runs").stdout == "no runs yet\n"
    for _ in range(3):
        shell.run("sync")

    lines = shell.run("runs", "--limit", "2").stdout.splitlines()

    assert len(lines) == 2
    assert lines == sorted(lines, reverse=True)
    assert all("succeeded  cli         3 done, 0 failed, 0 skipped, 0 left" in line for line in lines)


def test_a_run_is_shown_with_its_problems_by_id_by_its_beginning_or_as_the_latest(shell: Shell) -> None:
    shell.run("sync")
    run_id = shell.run("runs").stdout.split()[-1]

    latest = shell.run("runs", "show").stdout

    assert "      Beauty Lab!I6: '#REF!' is not a count: it is the error of a formula\n" in latest
    assert latest == shell.run("runs", "show", run_id).stdout == shell.run("runs", "show", run_id[:8]).stdout
    assert len(shell.json("runs", "show")["results"]) == 3


@pytest.mark.parametrize("words", [("runs", "show"), ("runs", "show", "nope")], ids=["no runs", "no such run"])
def test_a_run_that_is_not_there_is_told_in_one_line(shell: Shell, words: tuple[str, ...]) -> None:
    done = shell.run(*words)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: there ")
    assert done.stderr.count("\n") == 1


def test_doctor_says_ok_and_exits_with_0(shell: Shell) -> None:
    shell.run("sync")

    told = shell.run("doctor")

    assert told.exit_code == 0
    assert "ok    sheet sheet: can be read: 3 tabs\n" in told.stdout
    assert "\n      fix: " in told.stdout


def test_doctor_exits_with_1_when_something_has_failed(shell: Shell) -> None:
    shutil.rmtree(shell.sheet)

    told = shell.run("doctor", "--json")

    assert told.exit_code == 1
    failed = [finding for finding in json.loads(told.stdout)["findings"] if finding["level"] == "FAIL"]
    assert [(finding["what"], finding["fix"]) for finding in failed] == [
        (f"sheet {shell.sheet}", "check SMART_SYNC_SHEET")
    ]


# Projects, database, tokens


def test_an_ignored_project_is_left_alone_until_it_is_restored(shell: Shell) -> None:
    shell.run("sync")

    assert "Игры is ignored" in shell.run("projects", "ignore", "Игры").stdout
    assert "ignored   Игры" in shell.run("projects", "list").stdout
    assert shell.json("sync")["total_projects"] == 2
    assert "Игры is ignored" in shell.run("sync", "--project", "Игры").stderr
    assert "Игры is synced again" in shell.run("projects", "restore", "Игры").stdout
    assert shell.json("sync")["total_projects"] == 3


def test_upgrade_says_what_it_did(shell: Shell) -> None:
    assert shell.run("db", "upgrade").stdout.startswith("upgraded from nothing to ")
    assert shell.run("db", "upgrade").stdout.endswith(" already\n")


def test_a_new_token_is_one_that_the_settings_take(shell: Shell) -> None:
    token = shell.run("token", "new").stdout.strip()

    assert Settings.from_env({"SMART_SYNC_ADMIN_TOKEN": token}).admin_tokens == (token,)
    assert token != shell.run("token", "new").stdout.strip()


def test_commands_that_serve_nobody_make_no_token(shell: Shell) -> None:
    shell.run("sync")

    assert not (shell.folder / "data" / "admin_token").exists()


def test_the_demo_has_a_database_of_its_own(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/real.db")
    monkeypatch.setenv("SMART_SYNC_DATA_DIR", str(shell.folder / "data"))

    settings = read_settings(demo=True)

    assert settings.database == f"sqlite:///{shell.folder}/data/demo/demo.db"


# Errors


BROKEN = {
    "unknown setting": ({"SMART_SYNC_SHET": "x"}, "SMART_SYNC_SHET: is no setting; did you mean SMART_SYNC_SHEET?"),
    "bad setting": ({"PORT": "many"}, "PORT: 'many' is not a whole number"),
    "no database": ({"DATABASE_URL": "sqlite:////dev/null/x.db"}, "cannot be used by"),
    "bad credentials": ({"GOOGLE_CREDENTIALS": "hunter2-hunter2"}, "GOOGLE_CREDENTIALS is neither JSON"),
    "no such sheet": ({"SMART_SYNC_SHEET": "My numbers"}, "SMART_SYNC_SHEET: My numbers is neither"),
}


@pytest.mark.parametrize(
    "command", [["status"], ["sync"], ["runs"], ["projects", "list"], ["db", "upgrade"]], ids=" ".join
)
@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_what_is_broken_is_told_in_one_line_without_a_secret(shell: Shell, case: str, command: list[str]) -> None:
    env, words = BROKEN[case]

    done = shell.run(*command, **env)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert "hunter2" not in done.stderr


def test_a_settings_file_here_is_heeded(shell: Shell) -> None:
    (shell.folder / ".env").write_text("SMART_SYNC_SHET=1\n", encoding="utf-8")

    assert "did you mean SMART_SYNC_SHEET?" in shell.run("status").stderr


def test_the_days_are_summed_up_anew(shell: Shell) -> None:
    shell.run("sync")
    with closing(sqlite3.connect(shell.folder / "data" / "smart_sync.db")) as db, db:
        before = db.execute("SELECT * FROM project_days ORDER BY project_id").fetchall()
        db.execute("UPDATE project_days SET accounts = 77, sums = '[[],[],[],[],[],[],[]]'")

    done = shell.run("db", "rebuild-days")

    assert (done.exit_code, "Beauty Lab: 1 day" in done.stdout.splitlines()) == (0, True)
    with closing(sqlite3.connect(shell.folder / "data" / "smart_sync.db")) as db:
        after = db.execute("SELECT * FROM project_days ORDER BY project_id").fetchall()
    assert [(row[:2], row[3:]) for row in after] == [(row[:2], row[3:]) for row in before]
    assert [json.loads(row[2]) for row in after] == [json.loads(row[2]) for row in before]


def test_a_fault_of_another_kind_stays_loud(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: open("/nowhere/at/all"))  # noqa: PTH123, SIM115

    assert isinstance(shell.run("token", "new").exception, FileNotFoundError)
