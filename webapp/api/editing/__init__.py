"""Editing by hand: projects, accounts, single snapshots. Nothing here ever writes to a Sheet."""

from __future__ import annotations

from webapp.api.editing import accounts, identity, projects, snapshots

__all__ = ["ROUTES"]

ROUTES = (*projects.ROUTES, *accounts.ROUTES, *identity.ROUTES, *snapshots.ROUTES)
