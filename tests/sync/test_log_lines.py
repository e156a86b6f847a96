"""The lines that people who know the guide grep for: its words, its tag, the milestones at INFO and the rest at DEBUG."""

from __future__ import annotations

import logging

import pytest

from tests.fakes.service import Service
from webapp.errors import StoreError, TransientSourceError

STEPS = [
    "starting sync for project",
    "project name: Project A",
    "found 3 accounts to sync",
    "read 2 accounts from Sheets",
    "loaded 1 accounts from {database} (parsed data)",
    "merged 3 accounts using MAX() strategy",
    "updated 1 accounts in {database}",
    "created 2 snapshots",
]
ENDED = "completed for Project A: 1 accounts updated"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """What the product says from DEBUG on."""
    monkeypatch.setattr(logging.getLogger("smart_sync"), "propagate", True)
    caplog.set_level(logging.DEBUG, "smart_sync")
    return caplog


@pytest.fixture
def laid(service: Service) -> Service:
    """A project of three accounts that was synced; then a cell was corrected, and one reading is there."""
    sheet = service.sheet
    sheet.rows("Project A", ["x.com/ada", 1, 2, 3, 4, 5], ["x.com/ann", 1, 2, 3, 4, 5])
    service.sync()
    service.add_account("x.com/ben")
    service.reading("https://x.com/ben", followers=9)
    service.sync()
    sheet.put("Project A!B2", 7)
    service.reading("https://x.com/ben", followers=9)
    return service


def said(lines: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in lines.records if record.levelno == level]


def tagged(words: list[str], service: Service) -> list[str]:
    database = "SQLite" if service.db.dialect == "sqlite" else "PostgreSQL"
    return [f"[SmartSync] {line.format(database=database)}" for line in words]


def test_a_sync_says_the_nine_lines_of_the_guide(laid: Service, lines: pytest.LogCaptureFixture) -> None:
    laid.time.forward(days=1)
    lines.clear()

    laid.sync()

    assert said(lines, logging.DEBUG) == tagged(STEPS, laid)
    info = said(lines, logging.INFO)
    assert [line for line in info if "Project A" in line] == tagged([ENDED], laid)
    assert [info[0], info[-1]] == ["[SmartSync] sync started", "[SmartSync] sync ended"]
    assert all(record.__dict__["run_id"] for record in lines.records)


def test_a_tab_that_is_as_it_was_is_read_and_not_merged(laid: Service, lines: pytest.LogCaptureFixture) -> None:
    laid.sync()
    lines.clear()

    laid.sync()

    found = said(lines, logging.DEBUG)[2:]
    if laid.engine.options.shortcuts.settled:
        assert found == tagged(
            [
                "found 3 accounts to sync",
                "read 2 accounts from Sheets",
                "loaded 1 accounts from {database} (parsed data)",
                "merged 0 accounts using MAX() strategy",
                "updated 0 accounts in {database}",
                "created 0 snapshots",
            ],
            laid,
        )


def test_a_sheet_that_does_not_answer_was_not_read(laid: Service, lines: pytest.LogCaptureFixture) -> None:
    laid.sheet.offline(TransientSourceError("no answer"))
    lines.clear()

    laid.sync()

    assert "[SmartSync] read 0 accounts from Sheets" in said(lines, logging.DEBUG)


def test_another_policy_is_called_by_its_name(laid: Service, lines: pytest.LogCaptureFixture) -> None:
    laid.write("UPDATE projects SET merge_policy = 'parsed', settled = '0'")
    lines.clear()

    laid.sync()

    assert "[SmartSync] merged 3 accounts using parsed first strategy" in said(lines, logging.DEBUG)


def test_nothing_is_counted_for_lines_that_nobody_reads(laid: Service, lines: pytest.LogCaptureFixture) -> None:
    lines.set_level(logging.INFO, "smart_sync")
    lines.clear()

    laid.sync()

    assert said(lines, logging.DEBUG) == []
    assert len([line for line in said(lines, logging.INFO) if "Project A" in line]) == 1


def test_a_project_that_fails_does_not_say_that_it_was_written(
    laid: Service, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("webapp.sync.batch.runs.put_results", break_off)
    lines.clear()

    laid.trigger()

    assert [line for line in said(lines, logging.DEBUG) if "updated" in line or "created" in line] == []


def test_a_database_that_cannot_go_on_is_told_in_words_and_without_a_traceback(
    laid: Service, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_full(*_: object, **__: object) -> None:
        raise StoreError("no space left", code="disk_full")

    monkeypatch.setattr("webapp.sync.batch.runs.put_results", be_full)
    monkeypatch.setattr("webapp.sync.ending.runs.close", be_full)
    lines.clear()

    laid.trigger(run_async=True, force=True)
    laid.settle()

    assert said(lines, logging.ERROR) == [
        "[SmartSync] the end of a run was not written: no space left",
        "[SmartSync] work in the background failed: no space left",
    ]
    assert [record.exc_info for record in lines.records if record.exc_info] == []
