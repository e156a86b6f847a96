"""What goes wrong, as RFC 9457 has it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Struct, UnsetType

from webapp.api.shapes.fields import says


class ProblemOut(Struct):
    """An error, as RFC 9457 has it. `code` is stable; `detail` and `hint` are for people and may change."""

    type: Annotated[str, says("the code as a URN")]
    title: Annotated[str, says("the phrase of the status")]
    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    code: Annotated[str, says("what programs go by")]
    detail: Annotated[str, says("what is wrong, in words")]
    hint: Annotated[str, says("what to do about it")] | UnsetType = UNSET
    field: Annotated[str, says("the parameter, header or member it is about")] | UnsetType = UNSET
    allowed: Annotated[str, says("what would have been accepted")] | UnsetType = UNSET
    project_id: Annotated[str, says("the project it is about")] | UnsetType = UNSET
    account_id: Annotated[int, says("the account it is about")] | UnsetType = UNSET
