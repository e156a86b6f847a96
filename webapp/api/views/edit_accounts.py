"""A project's accounts by hand: add, change, remove."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp import web
from webapp.api.http.problems import Problem, json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.views.editing import (
    AccountAnswer,
    account_answer,
    edit,
    existing,
    given,
    invalid,
    line,
    present,
    profile_named,
)
from webapp.clock import Clock
from webapp.errors import NotFound
from webapp.model import Mode, Profile
from webapp.store import editing
from webapp.store.editing import AccountRow
from webapp.sync.plan import mode_of

LONGEST_TEXT = 255  # as in a cell of the Sheet


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """An account, named by its profile URL, or by platform and username."""

    profile_url: str | None = None
    platform: str | None = None
    username: str | None = None
    owner: str | None = None
    topic: str | None = None
    mode: Mode | None = None


class AccountChange(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be different; what is left out stays. `mode` null: the Status column decides again."""

    owner: str | msgspec.UnsetType | None = msgspec.UNSET
    topic: str | msgspec.UnsetType | None = msgspec.UNSET
    mode: Mode | msgspec.UnsetType | None = msgspec.UNSET


def create_account(_: NoQuery, asked: NewAccount, project_id: str) -> Response:
    """Add an account to a project, or bring a removed one back with its history (200).

    It stays in the project whether the Sheet has a row for it or not; where it has one, the row's words win.
    """
    profile = _profile(asked)
    values = _texts({name: getattr(asked, name) for name in ("owner", "topic") if getattr(asked, name) is not None})
    if asked.mode is not None:
        values |= {"mode": asked.mode, "mode_set": True}
    now = web.get(Clock).now()
    with edit() as tx:
        project = editing.locked_project(tx, project_id)
        if project.removed_at is not None:
            raise NotFound(f"{project.name} was removed", code="project_not_found", hint="restore it first")
        known = editing.claimant(tx, project.id, profile.url_key)
        if known is not None and known.removed_at is None:
            raise existing(known, "is in the project already", "change it instead")
        if known is None:
            account = editing.add_account(tx, project.id, profile, values, now)
        else:
            account = editing.return_account(tx, known, values, now)
        answer = account_answer(tx, account)
    return json_answer(answer, 201 if known is None else 200)


def _profile(asked: NewAccount) -> Profile:
    if asked.profile_url is not None:
        if asked.platform is not None or asked.username is not None:
            raise invalid("profile_url", "is enough; leave platform and username out")
        return profile_named("profile_url", asked.profile_url)
    if asked.platform is None or asked.username is None:
        raise invalid("profile_url", "is missing; give it, or platform and username")
    return profile_named("username", asked.username, asked.platform)


def update_account(_: NoQuery, asked: AccountChange, account_id: int) -> Response:
    """Change who owns an account, its topic, or how it is counted. `mode` set here overrides the Status column."""
    values = _texts(given(asked))
    with edit() as tx:
        account = present(editing.locked_account(tx, account_id))
        _leave_to_the_sheet(tx, account, values)
        if "mode" in values:
            mode = values["mode"]
            values |= {"mode": mode or mode_of(account.status), "mode_set": mode is not None}
        answer = account_answer(tx, editing.change_account(tx, account, values, web.get(Clock).now()))
    return json_answer(answer)


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    """Owner and topic as the Sheet's cells would be kept: one person is one text, with or without the @."""
    if values.get("topic") is not None:
        values["topic"] = line("topic", values["topic"], LONGEST_TEXT)
    if values.get("owner") is not None:
        owner = line("owner", values["owner"], LONGEST_TEXT).removeprefix("@")
        values["owner"] = line("owner", owner, LONGEST_TEXT)
    return values


def _leave_to_the_sheet(tx: sa.Connection, account: AccountRow, values: dict[str, Any]) -> None:
    """Refuse what the next reading of the account's row would undo."""
    fields = [name for name in ("owner", "topic") if name in values and values[name] != getattr(account, name)]
    if fields and editing.has_row(tx, account):
        raise Problem(
            409,
            "kept_in_sheet",
            f"the account has a row in the Sheet, which says its {' and '.join(fields)}",
            field=fields[0],
            hint="change it there; add the column if there is none",
        )


def delete_account(_: NoQuery, account_id: int) -> Response:
    """Take an account out of its project; rows of the Sheet no longer bring it back. Its history stays."""
    with edit() as tx:
        account = editing.remove_account(tx, editing.locked_account(tx, account_id), web.get(Clock).now())
        answer = account_answer(tx, account)
    return json_answer(answer)


ROUTES = (
    Route(
        "create_account",
        "POST",
        "/api/admin/projects/<project_id>/accounts",
        create_account,
        "admin",
        body=NewAccount,
        answers={200: AccountAnswer, 201: AccountAnswer},
        problems=("project_not_found", "already_exists"),
    ),
    Route(
        "update_account",
        "PATCH",
        "/api/admin/accounts/<int:account_id>",
        update_account,
        "admin",
        body=AccountChange,
        answers={200: AccountAnswer},
        problems=("account_not_found", "kept_in_sheet"),
    ),
    Route(
        "delete_account",
        "DELETE",
        "/api/admin/accounts/<int:account_id>",
        delete_account,
        "admin",
        answers={200: AccountAnswer},
        problems=("account_not_found",),
    ),
)
