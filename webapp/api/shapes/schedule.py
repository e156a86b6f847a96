"""When a project is synced by itself."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Struct, UnsetType

from webapp.api.shapes.fields import NextSync, Number, Time, says, zero_or_more
from webapp.model import LONGEST_INTERVAL

Minutes = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_INTERVAL)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_INTERVAL // 60)]
Pause = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_INTERVAL)]
Short = Annotated[str, msgspec.Meta(max_length=200)]


class AutoSyncUpdate(Struct, forbid_unknown_fields=True):
    """What shall be different; what is left out stays. Of the interval and the cron expression one rules."""

    enabled: bool | UnsetType = UNSET
    interval_minutes: Annotated[Minutes | UnsetType | None, says("null: the default of all projects")] = UNSET
    interval_hours: Annotated[Hours | UnsetType | None, says("the same in hours")] = UNSET
    cron: Annotated[Short | UnsetType | None, says("five fields; null: by interval again")] = UNSET
    timezone: Annotated[Short | UnsetType | None, says("of `cron`, such as Europe/Berlin; null: UTC")] = UNSET
    min_interval_minutes: Annotated[
        Pause | UnsetType, says("minutes after a success in which only `due` and `force` sync again; 0: none")
    ] = UNSET


class AutoSync(Struct):
    """How a project is synced by itself, and how that goes."""

    success: bool
    project_id: str
    project_name: str
    enabled: bool
    interval_minutes: Annotated[int | None, says("null: it goes by `cron`")]
    interval_hours: Annotated[float | None, says("the same in hours")]
    default_interval: Annotated[bool, says("the interval is the default of all projects")]
    cron: str | None
    timezone: str
    min_interval_minutes: Number
    last_sync_at: Annotated[Time | None, says("the last success")]
    next_sync_at: NextSync
    due: bool
    failures: Annotated[int, zero_or_more("attempts since the last success")]
    last_error: Annotated[str | None, says("of the last attempt; null: it succeeded")]
