"""A project's accounts by hand: add, change, remove."""

from __future__ import annotations

import msgspec
from flask import Response

from webapp import actions
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.editing import AccountAnswer, AccountCreate, AccountUpdate
from webapp.api.views.editing import account_answer, named_members


def create_account(_: NoQuery, asked: AccountCreate, project_id: str) -> Response:
    """Add an account to a project, or bring a removed one back with its history (200).

    It stays in the project whether the Sheet has a row for it or not; where it has one, the row's words win.
    """
    edited = actions.accounts.create_account(desk(), project_id, **msgspec.structs.asdict(asked))
    return json_answer(account_answer(edited), 201 if edited.new else 200)


def update_account(_: NoQuery, asked: AccountUpdate, account_id: int) -> Response:
    """Change who owns an account, its topic, or how it is counted. `mode` set here overrides the Status column."""
    return json_answer(account_answer(actions.accounts.change_account(desk(), account_id, named_members(asked))))


def delete_account(_: NoQuery, account_id: int) -> Response:
    """Take an account out of its project; rows of the Sheet no longer bring it back. Its history stays."""
    return json_answer(account_answer(actions.accounts.remove_account(desk(), account_id)))


ROUTES = (
    Route(
        "create_account",
        "accounts",
        "POST",
        "/api/admin/projects/<project_id>/accounts",
        create_account,
        "admin",
        body=AccountCreate,
        answers={200: AccountAnswer, 201: AccountAnswer},
        problems=("project_not_found", "already_exists"),
    ),
    Route(
        "update_account",
        "accounts",
        "PATCH",
        "/api/admin/accounts/<int:account_id>",
        update_account,
        "admin",
        body=AccountUpdate,
        answers={200: AccountAnswer},
        problems=("account_not_found", "kept_in_sheet"),
    ),
    Route(
        "delete_account",
        "accounts",
        "DELETE",
        "/api/admin/accounts/<int:account_id>",
        delete_account,
        "admin",
        answers={200: AccountAnswer},
        problems=("account_not_found",),
    ),
)
