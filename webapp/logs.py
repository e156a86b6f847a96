"""Log lines: `LEVEL [SmartSync] words` with fields behind them; JSON where nobody sits at a terminal."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

__all__ = ["JsonLines", "TextLines", "set_up"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and value is not None}


def _one_line(value: object) -> str:
    """Text that can forge no line and hide nothing: control characters are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(value))


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
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """`12:30:00 INFO [SmartSync] words  name=value ...`, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={_one_line(value)}" for name, value in _fields(record).items())
        line = f"{time} {record.levelname} {_one_line(record.getMessage())}" + (f"  {fields}" if fields else "")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send the product's log lines to the stream (stderr), once per process; text on a terminal, else JSON."""
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextLines() if out.isatty() else JsonLines())
    logger = logging.getLogger("smart_sync")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
