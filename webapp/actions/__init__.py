"""What a person or program does: one function each, which locks, checks the rules, writes and audits.

The words of a sync that its doors need come from here: nothing above reaches the sync itself.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from webapp.sync.background import Background
from webapp.sync.trigger import How, Started, Trigger

if TYPE_CHECKING:
    from webapp.actions import (
        accounts,
        alerts,
        doubts,
        held,
        identity,
        pins,
        projects,
        readings,
        schedule,
        sessions,
        share_links,
        snapshots,
        storage,
        tabs,
        trigger,
    )
    from webapp.sync.live import Outcome
    from webapp.sync.plan import PlannedChange

__all__ = [
    "Background",
    "How",
    "Outcome",
    "PlannedChange",
    "Started",
    "Trigger",
    "accounts",
    "alerts",
    "doubts",
    "held",
    "identity",
    "pins",
    "projects",
    "readings",
    "schedule",
    "sessions",
    "share_links",
    "snapshots",
    "storage",
    "tabs",
    "trigger",
]


def __getattr__(name: str) -> ModuleType:
    """The modules, each loaded at its first use: a service that is only read needs none, and every start would pay."""
    if name not in __all__:
        raise AttributeError(name)
    return import_module(f"{__name__}.{name}")
