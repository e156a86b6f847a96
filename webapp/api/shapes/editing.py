"""Projects and accounts as people add and change them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from webapp.api.shapes.fields import Count, Time
from webapp.api.shapes.metrics import MetricStruct, PerMetric
from webapp.api.shapes.rows import from_row
from webapp.api.shapes.schedule import Minutes
from webapp.model import Mode, Policy
from webapp.store.accounts import Account
from webapp.store.projects import Project, Status
from webapp.store.types import as_text

# Projects


class ProjectCreate(Struct, forbid_unknown_fields=True):
    """A project. Its tab is `worksheet_id`, or the one that is called `worksheet_title`, or else like the project.

    spreadsheet: address or id of a configured one; the first by default.
    """

    name: str
    spreadsheet: str | None = None
    worksheet_id: str | Count | None = None
    worksheet_title: str | None = None
    target_views: Count | None = None
    merge_policy: Policy = "max"
    status: Status = "active"
    start_date: date | None = None
    end_date: date | None = None
    interval_minutes: Minutes | None = None
    auto_sync: bool = True


class ProjectUpdate(Struct, forbid_unknown_fields=True):
    """What shall be different; what is left out stays. `name` null: called like its tab again.

    worksheet_id, worksheet_title: the tab that the project has from now on, by its gid or by its title.
    """

    name: str | UnsetType | None = UNSET
    worksheet_id: str | Count | UnsetType = UNSET
    worksheet_title: str | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    merge_policy: Policy | UnsetType = UNSET
    target_views: Count | UnsetType | None = UNSET
    start_date: date | UnsetType | None = UNSET
    end_date: date | UnsetType | None = UNSET


class ProjectRecord(Struct):
    """A project as it is now. `name_set`: a renamed tab does not rename it."""

    id: str
    name: str
    name_set: bool
    status: Status
    spreadsheet: str | None
    worksheet_id: str | None
    worksheet_title: str | None
    merge_policy: Policy
    auto_sync: bool
    interval_minutes: int | None
    target_views: int | None
    start_date: date | None
    end_date: date | None
    revision: int
    created_at: Time | None
    updated_at: Time | None
    removed_at: Time | None


class ProjectAnswer(Struct):
    success: bool
    project: ProjectRecord


# Accounts


class AccountCreate(Struct, forbid_unknown_fields=True):
    """An account, named by its profile URL, or by platform and username."""

    profile_url: str | None = None
    platform: str | None = None
    username: str | None = None
    owner: str | None = None
    topic: str | None = None
    mode: Mode | None = None


class AccountUpdate(Struct, forbid_unknown_fields=True):
    """What shall be different; what is left out stays. `mode` null: the Status column decides again."""

    owner: str | UnsetType | None = UNSET
    topic: str | UnsetType | None = UNSET
    mode: Mode | UnsetType | None = UNSET


class AccountRecord(MetricStruct):
    """An account as it is now. `aliases`: other url_keys that mean it, in the Sheet or in a request."""

    id: int
    project_id: str
    platform: str
    username: str | None
    profile_url: str
    url_key: str
    topic: str | None
    owner: str | None
    status: str | None
    mode: Mode
    mode_set: bool
    discovered: Literal["sheet", "api"]
    counts: PerMetric[int | None]
    changed_at: Time | None
    added_at: Time | None
    removed_at: Time | None
    removed_by: Literal["sheet", "api"] | None
    aliases: list[str]


class AccountAnswer(Struct):
    success: bool
    account: AccountRecord


def project_answer(project: Project) -> ProjectAnswer:
    return ProjectAnswer(success=True, project=from_row(ProjectRecord, project))


def account_record(account: Account, aliases: Sequence[str]) -> AccountRecord:
    """The account as it is now. aliases: the url_keys that mean it besides its own."""
    return from_row(
        AccountRecord,
        account,
        counts=account.counts,
        changed_at=as_text(account.changed_at),
        added_at=as_text(account.added_at),
        removed_at=as_text(account.removed_at),
        aliases=list(aliases),
    )
