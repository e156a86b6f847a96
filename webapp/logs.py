"""Log lines: `LEVEL [SmartSync] words` with fields behind them; JSON where nobody sits at a terminal.

What people typed, such as the name of a tab, ends up here. It cannot begin a line of its own, nor hide one.
"""

from __future__ import annotations

import json
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import MemoryHandler, WatchedFileHandler
from pathlib import Path
from typing import Any, TextIO

from webapp.errors import ConfigError

OURS = "smart_sync"
SERVERS = "gunicorn.error"
_ESCAPES = {"\x7f": "\\u007f"}  # the one control that JSON writes as it is
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
NAME_A_FILE = "name a file in a folder that is there and that this user may write"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and value is not None}


def escape(text: str) -> str:
    """The text with escapes, as JSON writes them, for line breaks, controls and what changes the direction of text."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _ESCAPES.get(c) or json.dumps(c)[1:-1] for c in text)


class SecretiveLines(logging.Formatter, ABC):
    """Lines in which no secret stands, whatever it came with. secrets: texts that are shown as `***`."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        both = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1])}
        self._secrets = sorted(both, key=len, reverse=True)  # a secret may begin with another

    def format(self, record: logging.LogRecord) -> str:
        line = self.line(record)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line

    @abstractmethod
    def line(self, record: logging.LogRecord) -> str:
        """The record as one line, secrets and all."""


class JsonLines(SecretiveLines):
    """One JSON object a line; level before message, so that `grep 'ERROR.*SmartSync'` finds errors."""

    def line(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        line |= _fields(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return escape(json.dumps(line, default=str, ensure_ascii=False))


class TextLines(SecretiveLines):
    """`12:30:00 INFO [SmartSync] words  name=value ...`, in UTC; the lines of a traceback are indented."""

    def line(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={escape(str(value))}" for name, value in _fields(record).items())
        line = f"{time} {record.levelname} {escape(record.getMessage())}" + (f"  {fields}" if fields else "")
        if not record.exc_info:
            return line
        trace = self.formatException(record.exc_info).split("\n")
        return "\n".join([line, *(f"    {escape(part)}" for part in trace)])


def formatter(stream: TextIO, secrets: Sequence[str] = ()) -> logging.Formatter:
    """Text for a terminal, JSON for everything else."""
    return TextLines(secrets) if stream.isatty() else JsonLines(secrets)


class FileLines(WatchedFileHandler):
    """A file at whose path a new one is begun as soon as somebody has moved it away.

    What cannot be written there is lost here alone: the stream has it. That is said once, not at every line.
    """

    def __init__(self, path: Path) -> None:
        self._said = ""
        super().__init__(path, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # while the new file is opened
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging calls it so
        del record
        words = str(sys.exc_info()[1])
        if words != self._said and sys.stderr is not None:
            self._said = words
            sys.stderr.write(f"the log file {self.baseFilename} cannot be written: {words}\n")


def set_up(level: str, stream: TextIO | None = None, *, file: Path | None = None, secrets: Sequence[str] = ()) -> None:
    """Send the product's log lines, from this level on, to the stream (stderr) and to the file, where there is one.

    The file gets what the server itself says too. secrets: texts that stand in no line.

    Raises: ConfigError when the file cannot be written.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(handler.stream, secrets))
    kept = [] if file is None else [_open_file(file, secrets)]
    logger, servers = logging.getLogger(OURS), logging.getLogger(SERVERS)
    for old in logger.handlers:
        if isinstance(old, FileLines):
            servers.removeHandler(old)
            old.close()
    logger.handlers[:] = [handler, *kept]
    for one in kept:
        servers.addHandler(one)
    logger.setLevel(level)
    logger.propagate = False


def _open_file(path: Path, secrets: Sequence[str]) -> FileLines:
    try:
        handler = FileLines(path)
    except OSError as error:
        raise ConfigError(
            f"SMART_SYNC_LOG_FILE: {path} cannot be written: {error.strerror}",
            hint=NAME_A_FILE,
        ) from error
    handler.setFormatter(JsonLines(secrets))
    return handler


@contextmanager
def shown_on(stream: TextIO, level: str, but: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Send lines to another stream for a while, from this level on, and only those that `but` holds true of.

    The log file gets them as before.
    """
    logger = logging.getLogger(OURS)
    before, handler = logger.handlers[0], logging.StreamHandler(stream)
    handler.setFormatter(before.formatter)
    handler.setLevel(level)
    handler.addFilter(but)
    logger.handlers[0] = handler
    try:
        yield
    finally:
        logger.handlers[0] = before


class HeldLines(MemoryHandler):
    """Keeps lines back until they are let go; an error lets them go at once, and so does the end of the process."""

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(capacity=1_000, flushLevel=logging.ERROR, target=target)

    def let_go(self) -> None:
        """Let go of what was kept, and of every line to come at once."""
        self.capacity = 0
        self.flush()


def hold() -> HeldLines:
    """Keep the product's lines back after `set_up`, so that something else can be printed first."""
    logger = logging.getLogger(OURS)
    held = HeldLines(logger.handlers[0])
    logger.handlers[0] = held
    return held
