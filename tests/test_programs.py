"""Programs that tests use: where they are looked for, and what becomes of tests on a machine without them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import programs

SKIPPED = "Skipped: this machine has no {}"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def put(path: Path, command: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"])
def test_chromium_goes_by_many_names(path: Path, name: str) -> None:
    placed = put(path / name)

    assert programs.need("chromium") == placed


def test_the_setting_says_which_chromium_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(path / "chromium")
    elsewhere = put(path / "elsewhere" / "my-browser")
    monkeypatch.setenv("CHROMIUM", elsewhere)

    assert programs.need("chromium") == elsewhere


def test_a_setting_that_names_nothing_is_no_reason_to_take_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(path / "chromium")
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")

    with pytest.raises(ValueError, match="CHROMIUM: '/no/such/browser'"):
        programs.need("chromium")


@pytest.mark.parametrize("name", ["chromium", "crontab", "curl", "systemd-analyze"])
def test_a_test_without_its_program_is_left_out_but_fails_on_a_build_server(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(pytest.skip.Exception, match=name):
        programs.need(name)

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=name):
        programs.need(name)


@pytest.mark.parametrize("code", [0, 127])
def test_what_leads_the_browser_is_there_when_it_starts(
    path: Path, monkeypatch: pytest.MonkeyPatch, processes: None, code: int
) -> None:
    monkeypatch.delitem(sys.modules, "playwright", raising=False)
    monkeypatch.syspath_prepend(path)
    placed = put(path / "playwright" / "driver" / "node", f"exit {code}")
    (path / "playwright" / "__init__.py").touch()

    assert ("libatomic" in programs.missing()) == (code == 127)
    assert code == 127 or programs.need("libatomic") == placed


def test_what_is_missing_is_known_by_its_package(path: Path, processes: None) -> None:
    put(path / "curl")
    put(path / "google-chrome")

    assert programs.missing().items() >= {("crontab", "cron"), ("systemd-analyze", "systemd")}
    assert not programs.missing().keys() & {"curl", "chromium"}


def test_the_summary_counts_what_was_left_out_for_want_of_each_program() -> None:
    reasons = ["chromium", "curl", "chromium"]
    reports = [report(SKIPPED.format(name)) for name in reasons] + [report("Skipped: for another reason")]

    assert list(programs.summary(reports)) == [
        "2 tests for want of chromium: apt-get install chromium",
        "1 test for want of curl: apt-get install curl",
    ]


def report(words: str) -> pytest.TestReport:
    return pytest.TestReport("test", ("file", 1, "test"), {}, "skipped", ("file", 1, words), "setup")
