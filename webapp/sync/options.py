"""How projects are synced, as the settings have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from webapp.alerts import Mail


@dataclass(frozen=True)
class Shortcuts:
    """What a sync may leave out because it cannot change the result. All off must give the same answers."""

    unchanged_tab: bool = True  # do not parse cells that are the same as last time
    settled: bool = True  # do not merge when no input of the merge has changed
    together: bool = True  # write several small projects in one transaction
    changed_rows: bool = True  # read and merge only the rows of a tab that changed
    done_day: bool = True  # take no snapshots of accounts that have all of the day
    newcomers_day: bool = True  # snapshots and sums of new accounts come from their rows, not from what is stored


@dataclass(frozen=True)
class Options:
    """How projects are synced, from the settings."""

    discover: bool = True
    latest_snapshot: bool = False
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interval_minutes: int = 30
    stale_after: int = 60  # minutes
    lease_ms: int = 60_000
    keep_changes: timedelta = timedelta(days=90)
    weekly_after: int | None = None  # months; None: every day is kept for ever
    read_every: int = 30  # minutes, of an account on its platform
    readings_stale_after: int = 2880  # minutes
    mail: Mail = field(default_factory=Mail)
    shortcuts: Shortcuts = field(default_factory=Shortcuts)
