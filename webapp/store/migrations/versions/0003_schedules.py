"""Schedules: how often at most, where an interval is anchored, failures in a row, and the last tick seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.store.types import Count, UtcDateTime

revision = "0003"
down_revision = "0002"

IDLE = sa.text("state = 'succeeded' AND total = 0 AND read_at IS NULL")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, Count(), nullable=False, server_default=sa.text("0"))


def upgrade() -> None:
    op.add_column("projects", _number("min_interval_minutes"))
    op.add_column("projects", sa.Column("anchor_at", UtcDateTime()))
    op.add_column("projects", _number("failures"))
    op.add_column("projects", sa.Column("last_error", sa.Text))
    op.create_index("ix_projects_checked", "projects", ["checked_at"])
    op.create_index("ix_sync_runs_idle", "sync_runs", ["started_at"], sqlite_where=IDLE, postgresql_where=IDLE)
    op.create_table(
        "ticks",
        sa.Column("id", Count(), nullable=False, autoincrement=False),
        sa.Column("seen_at", UtcDateTime()),
        sa.Column("caller", sa.Text),
        sa.Column("gap_from", UtcDateTime()),
        sa.Column("gap_until", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_ticks"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
