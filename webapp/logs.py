"""Log lines: `LEVEL [SmartSync] words` with fields behind them; JSON where nobody sits at a terminal.

What people typed, such as the name of a tab, ends up here. It can not begin a line of its own, nor hide one.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from logging.handlers import MemoryHandler
from typing import Any, TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and value is not None}


def _shown(text: str) -> str:
    """The text with escapes, as JSON writes them, for line breaks, controls and what changes the direction of text."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


class JsonLines(logging.Formatter):
    """One JSON object a line; level before message, so that `grep 'ERROR.*SmartSync'` finds errors."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        line |= _fields(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _shown(json.dumps(line, default=str, ensure_ascii=False))


class TextLines(logging.Formatter):
    """`12:30:00 INFO [SmartSync] words  name=value ...`, in UTC; the lines of a traceback are indented."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={_shown(str(value))}" for name, value in _fields(record).items())
        line = f"{time} {record.levelname} {_shown(record.getMessage())}" + (f"  {fields}" if fields else "")
        if not record.exc_info:
            return line
        trace = self.formatException(record.exc_info).split("\n")
        return "\n".join([line, *(f"    {_shown(part)}" for part in trace)])


def formatter(stream: TextIO) -> logging.Formatter:
    """Text for a terminal, JSON for everything else."""
    return TextLines() if stream.isatty() else JsonLines()


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send the product's log lines to the stream (stderr), from this level on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(handler.stream))
    logger = logging.getLogger("smart_sync")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


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
    logger = logging.getLogger("smart_sync")
    held = HeldLines(logger.handlers[0])
    logger.handlers[0] = held
    return held
