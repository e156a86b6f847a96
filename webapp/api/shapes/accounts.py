"""Accounts with their current counts."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from webapp.api.shapes.counts import Growth
from webapp.api.shapes.fields import Time, says
from webapp.api.shapes.metrics import MetricStruct, PerMetric
from webapp.store.accounts import Account
from webapp.store.types import as_text


class AccountOut(MetricStruct):
    """One account with its current counts."""

    id: int
    project_id: str
    platform: str
    username: str | None
    profile_url: str
    topic: str | None
    owner: str | None
    status: Annotated[str | None, says("the Status column as typed")]
    mode: Literal["auto", "manual", "off"]
    discovered: Literal["sheet", "api"]
    counts: PerMetric[int | None]
    changed_at: Annotated[Time | None, says("the last time one of its counts changed")]
    added_at: Time | None
    removed_at: Annotated[Time | None, says("null: it is in the project")]
    growth: Annotated[Growth | UnsetType | None, says("only where it was asked for; null has no baseline")] = UNSET


class AccountList(Struct):
    accounts: list[AccountOut]
    next_cursor: Annotated[str | None, says("`cursor` of the next page; null: this is the last")]


class AccountDetail(AccountOut, kw_only=True):
    """One account with its project and its growth in the 24 hours up to the last sync."""

    project_name: str
    growth_24h: Growth | None


def account_out(account: Account, growth: Growth | UnsetType | None = UNSET) -> AccountOut:
    return AccountOut(
        *account[:10],  # both begin alike; by name it would take four times as long
        account.counts,
        as_text(account.changed_at),
        as_text(account.added_at),
        as_text(account.removed_at),
        growth,
    )


def account_detail(account: Account, project_name: str, growth_24h: Growth | None) -> AccountDetail:
    return AccountDetail(**asdict(account_out(account)), project_name=project_name, growth_24h=growth_24h)
