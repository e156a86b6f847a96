"""Where numbers are kept: tables, the transactions that change them, the queries that answer."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webapp.store import (
        account_reads,
        alerts,
        changes,
        held,
        observations,
        outbox,
        pins,
        reading_ages,
        status,
        thresholds,
    )

__all__ = [
    "account_reads",
    "alerts",
    "changes",
    "held",
    "observations",
    "outbox",
    "pins",
    "reading_ages",
    "status",
    "thresholds",
]


def __getattr__(name: str) -> ModuleType:
    """The modules that few requests need, each loaded at its first use: a service that is only read needs none."""
    if name not in __all__:
        raise AttributeError(name)
    return import_module(f"{__name__}.{name}")
