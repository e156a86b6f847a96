"""Smart Sync: hand-kept sheets and platform readings, merged, kept per day and served."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def smart_sync(
    project_id: str | None = None,
    *,
    due: bool = False,
    all: bool = False,  # noqa: A002  the name of the parameter of the address
    force: bool = False,
    dry_run: bool = False,
    budget: float | None = None,
) -> dict[str, Any]:
    """Sync now, by the settings of the environment, and answer what `POST /api/admin/smart_sync` answers.

    For programs with a scheduler of their own. The parameters are those of the address; budget: seconds the run may
    take, as long as it needs when left out. A run of the same kind that is at work already answers for this call too,
    as it stands (`coalesced`). Threads and processes may call this at once.

    Raises: webapp.errors.ConfigError for settings that cannot be used, NotFound for an unknown project, StoreError when
    the database cannot be used; what goes wrong within a run is in the answer.
    """
    # By its name only when it is called: whoever imports a module of ours runs this file, and needs nothing of that.
    answer: dict[str, Any] = import_module("webapp.program").sync(
        project_id, due=due, all_=all, force=force, dry_run=dry_run, budget=budget
    )
    return answer
