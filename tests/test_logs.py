"""Log lines: found by grep, parsed by machines, forged by nobody."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp import logs
from webapp.config import Settings
from webapp.errors import ConfigError

NASTY = {
    "line break": "A\n12:00:00 ERROR [SmartSync] failed for B",
    "carriage return": "A\rERROR",
    "line separator": "A\u2028ERROR",
    "next line": "A\u0085ERROR",
    "colours": "A\x1b[2K\x1b[31mred",
    "one-byte CSI": "A\x9b2K",
    "right to left": "A\u202eKO",
    "invisible": "A\u200b\ufeffB",
    "tag beyond the plane": "A\U000e0041B",
    "half a character": "A\ud800B",
    "NUL": "A\x00B",
    "quotes": 'A", "level": "ERROR',
}
nasty = pytest.mark.parametrize("name", NASTY.values(), ids=NASTY.keys())


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The product's logger, put back as it was."""
    logger = logging.getLogger("smart_sync")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield logger
    for handler in logger.handlers:
        if isinstance(handler, logs.FileLines):
            logging.getLogger("gunicorn.error").removeHandler(handler)
            handler.close()
    logger.handlers[:], level, logger.propagate = before
    logger.setLevel(level)


@pytest.fixture
def file(logger: logging.Logger) -> StringIO:
    stream = StringIO()
    logs.set_up("INFO", stream)
    return stream


@pytest.fixture
def terminal(logger: logging.Logger) -> Terminal:
    stream = Terminal()
    logs.set_up("INFO", stream)
    return stream


def record(message: str, *args: object, level: int = logging.INFO, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("smart_sync", level, __file__, 1, message, args, None)
    vars(made).update(more)
    return made


def test_a_file_gets_json_with_its_fields(logger: logging.Logger, file: StringIO) -> None:
    logger.info("[SmartSync] completed for %s", "Игры", extra={"updated": 3, "seconds": 0.5, "nothing": None})

    line = json.loads(file.getvalue())

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("time"))
    assert line == {
        "level": "INFO",
        "message": "[SmartSync] completed for Игры",
        "logger": "smart_sync",
        "updated": 3,
        "seconds": 0.5,
    }
    assert "Игры" in file.getvalue()


def test_a_terminal_gets_text_with_its_fields(logger: logging.Logger, terminal: Terminal) -> None:
    logger.warning("[SmartSync] %s is late", "Project A", extra={"updated": 3})

    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING \[SmartSync\] Project A is late  updated=3\n", terminal.getvalue())


@pytest.mark.parametrize("stream", ["file", "terminal"])
def test_errors_are_found_by_the_grep_of_the_guide(
    logger: logging.Logger, stream: str, request: pytest.FixtureRequest
) -> None:
    written: StringIO = request.getfixturevalue(stream)
    logger.error("[SmartSync] failed for Project A")
    logger.info("[SmartSync] completed for Project B")

    assert re.findall(r"ERROR.*SmartSync.*(Project .)", written.getvalue()) == ["Project A"]


def test_lines_below_the_level_are_not_written(logger: logging.Logger, file: StringIO) -> None:
    logger.debug("[SmartSync] a detail")

    assert file.getvalue() == ""


def test_setting_up_twice_writes_each_line_once(logger: logging.Logger, file: StringIO) -> None:
    again = StringIO()
    logs.set_up("INFO", again)
    logger.info("[SmartSync] once")

    assert (file.getvalue(), again.getvalue().count("once")) == ("", 1)


@nasty
def test_a_name_forges_no_json_line(name: str) -> None:
    line = logs.JsonLines().format(record("[SmartSync] completed for %s", name, project=name))

    assert line.isprintable()
    read = json.loads(line)
    assert (read["level"], read["message"], read["project"]) == ("INFO", f"[SmartSync] completed for {name}", name)


@nasty
def test_a_name_forges_no_text_line(name: str) -> None:
    assert logs.TextLines().format(record("[SmartSync] completed for %s", name, project=name)).isprintable()


@given(st.text())
def test_whatever_the_text_it_stays_on_its_line(text: str) -> None:
    line = logs.JsonLines().format(record("%s", text))

    assert line.isprintable()
    assert json.loads(line)["message"] == text
    assert logs.TextLines().format(record("%s", text)).isprintable()


def test_a_traceback_is_part_of_its_json_line(logger: logging.Logger, file: StringIO) -> None:
    logger.error("[SmartSync] failed", exc_info=ValueError("first\nsecond"))

    (line,) = file.getvalue().splitlines()
    assert "ValueError: first\nsecond" in json.loads(line)["traceback"]


def test_a_traceback_can_not_pass_for_other_lines_of_text(logger: logging.Logger, terminal: Terminal) -> None:
    logger.error("[SmartSync] failed", exc_info=ValueError("A\n12:00:00 ERROR [SmartSync] forged\x1b[31m"))

    first, *others = terminal.getvalue().splitlines()
    assert first.endswith("ERROR [SmartSync] failed")
    assert all(line.startswith("    ") and line.isprintable() for line in others)


def test_lines_that_are_held_come_in_order_once_they_are_let_go(logger: logging.Logger, file: StringIO) -> None:
    held = logs.hold()
    logger.info("first")
    logger.warning("second")
    assert file.getvalue() == ""

    held.let_go()
    logger.info("third")

    assert [json.loads(line)["message"] for line in file.getvalue().splitlines()] == ["first", "second", "third"]


def test_an_error_is_never_held(logger: logging.Logger, file: StringIO) -> None:
    logs.hold()
    logger.info("first")
    logger.error("second")

    assert [json.loads(line)["message"] for line in file.getvalue().splitlines()] == ["first", "second"]


def test_what_is_held_is_not_lost_with_the_end_of_the_process(logger: logging.Logger, file: StringIO) -> None:
    held = logs.hold()
    logger.info("first")

    held.close()

    assert json.loads(file.getvalue())["message"] == "first"


# The file beside the stream


def messages(path: Path) -> list[str]:
    return [json.loads(line)["message"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_log_file_gets_what_the_stream_gets_and_what_the_server_says(logger: logging.Logger, tmp_path: Path) -> None:
    stream, path = StringIO(), tmp_path / "sync.log"
    path.write_text('{"message": "of yesterday"}\n')
    logs.set_up("INFO", stream, file=path)

    logger.info("[SmartSync] completed for %s", "Игры")
    logger.debug("[SmartSync] a detail")
    logging.getLogger("gunicorn.error").error("Worker (pid:1) was sent SIGKILL!")

    assert messages(path) == ["of yesterday", "[SmartSync] completed for Игры", "Worker (pid:1) was sent SIGKILL!"]
    assert "completed for Игры" in stream.getvalue()


def test_a_file_that_was_rotated_away_is_begun_anew(logger: logging.Logger, tmp_path: Path) -> None:
    path, old = tmp_path / "sync.log", tmp_path / "sync.log.1"
    logs.set_up("INFO", StringIO(), file=path)
    logger.info("first")
    path.rename(old)

    logger.info("second")

    assert (messages(old), messages(path)) == (["first"], ["second"])


def test_a_log_file_that_can_no_longer_be_written_keeps_nobody_from_working(
    logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream, folder = StringIO(), tmp_path / "logs"
    folder.mkdir()
    logs.set_up("INFO", stream, file=folder / "sync.log")
    folder.rename(tmp_path / "elsewhere")

    logger.info("first")
    logger.info("second")
    folder.mkdir()
    logger.info("third")

    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["first", "second", "third"]
    assert messages(folder / "sync.log") == ["third"]
    said = capsys.readouterr().err
    assert (said.count("cannot be written"), said.count("Traceback")) == (1, 0)


@pytest.mark.parametrize("name", ["none/sync.log", "."], ids=["no folder", "a folder"])
def test_a_log_file_that_cannot_be_written_is_refused_by_name(
    logger: logging.Logger, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigError, match=r"SMART_SYNC_LOG_FILE: .* cannot be written: "):
        logs.set_up("INFO", StringIO(), file=tmp_path / name)


def test_no_secret_stands_in_a_line_wherever_it_came_from(logger: logging.Logger, tmp_path: Path) -> None:
    settings, wrong = Settings.read(
        {
            "DATABASE_URL": "postgresql://me:pass%20word-1@host/name",
            "GOOGLE_API_KEY": "AIza-secret-key",
            "SMART_SYNC_ADMIN_TOKEN": 'admin-token-with-"quotes",admin-token-with-',
            "SMART_SYNC_READ_TOKEN": "reading-token-0123",
            "SMART_SYNC_PING_URL": "https://hc-ping.com/secret-check",
        }
    )
    assert wrong == []
    stream, terminal, path = StringIO(), Terminal(), tmp_path / "sync.log"
    for target in (stream, terminal):
        logs.set_up("INFO", target, file=path, secrets=settings.secrets)
        for secret in settings.secrets:
            logger.info("[SmartSync] %s", secret, extra={"url": f"https://x/?key={secret}"})
        logger.error("[SmartSync] failed", exc_info=ValueError(" ".join(settings.secrets)))

    for text in (stream.getvalue(), terminal.getvalue(), path.read_text(encoding="utf-8")):
        found = [word for word in ("AIza", "pass", "token-with", "reading-token", "secret-check") if word in text]
        assert (found, text.count("***") > 0) == ([], True)
    assert len(messages(path)) == 2 * len(stream.getvalue().splitlines())
