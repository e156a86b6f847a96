"""What the editing routes have in common: the shapes they take and answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from webapp.api.http.problems import HttpProblem
from webapp.api.shapes.editing import AccountAnswer, account_record
from webapp.api.shapes.fields import DryRun

if TYPE_CHECKING:
    from webapp.actions.accounts import EditedAccount


class DryRunQuery(msgspec.Struct):
    """Whether to try only."""

    dry_run: DryRun = False


def named_members(body: msgspec.Struct, *names: str) -> dict[str, Any]:
    """Those of the members (by default of all) that the body names, null or not.

    Raises: HttpProblem 422 when it names none.
    """
    names = names or body.__struct_fields__
    values = {name: getattr(body, name) for name in names}
    values = {name: value for name, value in values.items() if value is not msgspec.UNSET}
    if not values:
        raise HttpProblem(422, "invalid_parameter", f"nothing to change; name any of {', '.join(names)}")
    return values


def account_answer(edited: EditedAccount) -> AccountAnswer:
    return AccountAnswer(success=True, account=account_record(edited.account, edited.aliases))
