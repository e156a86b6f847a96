"""How a project is: one word, and what needs a hand."""

from __future__ import annotations

from datetime import datetime

from webapp.model import Counts, Values
from webapp.rules.freshness import is_project_stale
from webapp.rules.growth import percent_of
from webapp.rules.outcomes import ProjectState, project_state, withheld
from webapp.store.projects import Project


def state_of(project: Project, *, syncing: bool, stale_after: int, now: datetime) -> ProjectState:
    """The worst thing that is so. stale_after: minutes."""
    stale = is_project_stale(project, stale_after, now)
    return project_state(project, stale=stale, syncing=syncing)


def failing_words(project: Project, state: ProjectState) -> str | None:
    """Why the tab was not taken over; None where it was, or one of its problems says so."""
    if state not in ("failed", "degraded") or withheld(project.problems) is not None:
        return None
    return project.last_error


def target_percent(project: Project, counts: Values) -> float | None:
    """Percent of the target to one decimal; None without views or a target above 0."""
    percent = percent_of(Counts._make(counts).views, project.target_views)
    return None if percent is None else round(percent, 1)
