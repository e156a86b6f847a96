"""Pages for people: rendered here, complete without scripts, read from the database alone."""

from __future__ import annotations

from webapp.dashboard.pages import register
from webapp.dashboard.rendering import Doctor, SetUp

__all__ = ["Doctor", "SetUp", "register"]
