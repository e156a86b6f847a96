"""Alembic's scripts, run by `webapp.store.migrate` and not from a command line of their own."""
