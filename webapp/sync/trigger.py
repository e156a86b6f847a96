"""What a caller asks for, and which run answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from webapp.store.runs import Run

Caller = Literal["http", "background", "cli", "python", "celery"]
How = Literal["fresh", "coalesced", "replayed"]


@dataclass(frozen=True)
class Trigger:
    """One request to sync.

    spreadsheet: key of the one whose projects are meant; None: all. all: also projects whose automatic sync is off.
    budget_s: None: no limit was asked for.
    """

    caller: Caller = "http"
    project_id: str | None = None
    spreadsheet: str | None = None
    due: bool = False
    all: bool = False
    force: bool = False
    dry_run: bool = False
    budget_s: float | None = None
    idempotency_key: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        said = {
            "project_id": self.project_id,
            "due": self.due,
            "all": self.all,
            "force": self.force,
            "dry_run": self.dry_run,
            "budget": self.budget_s,
        }
        return said if self.spreadsheet is None else {**said, "spreadsheet": self.spreadsheet}

    @classmethod
    def of_params(cls, caller: Caller, params: Mapping[str, Any]) -> Trigger:
        """The trigger that has such parameters."""
        return cls(
            caller=caller,
            project_id=params["project_id"],
            spreadsheet=params.get("spreadsheet"),
            due=params["due"],
            all=params["all"],
            force=params["force"],
            dry_run=params["dry_run"],
            budget_s=params["budget"],
        )

    @property
    def is_tick(self) -> bool:
        """Whether this asks for what is due: one project is meant by name, and a dry run asks for nothing."""
        return self.due and self.project_id is None and not self.dry_run

    @property
    def identity(self) -> str:
        """Equal for two triggers exactly when one run can answer for both."""
        return msgspec.json.encode(self.params).decode()


@dataclass(frozen=True)
class Started:
    """The run that answers for a trigger.

    how: `fresh`, the caller has to work it off; `coalesced`, a live run answers for it; `replayed`, an earlier
    trigger with the same Idempotency-Key is answered by the run it got.
    """

    run: Run
    how: How
