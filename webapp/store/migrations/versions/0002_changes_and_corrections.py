"""What changed when, other names of an account, links to share, and what people corrected by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.store.types import Count, Json, Key, UtcDateTime

revision = "0002"
down_revision = "0001"


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], f"fk_{table}_{column}", ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "count_changes",
        sa.Column("id", Key(), nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("account_id", Count(), nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("changed_at", UtcDateTime()),
        sa.Column("changes", Json()),
        sa.PrimaryKeyConstraint("id", name="pk_count_changes"),
        _foreign("count_changes", "project_id", "projects"),
        _foreign("count_changes", "account_id", "accounts"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_count_changes_project", "count_changes", ["project_id", "id"])
    op.create_index("ix_count_changes_account", "count_changes", ["account_id", "id"])
    op.create_table(
        "account_aliases",
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("url_key", sa.Text, nullable=False),
        sa.Column("account_id", Count(), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("created_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("project_id", "url_key", name="pk_account_aliases"),
        _foreign("account_aliases", "project_id", "projects"),
        _foreign("account_aliases", "account_id", "accounts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_aliases_account", "account_aliases", ["account_id"])
    op.create_table(
        "share_links",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("created_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_share_links"),
        _foreign("share_links", "project_id", "projects"),
        sa.UniqueConstraint("token_hash", name="uq_share_links_token_hash"),
        sqlite_strict=True,
    )
    op.create_index("ix_share_links_project", "share_links", ["project_id"])
    op.create_table(
        "audit_log",
        sa.Column("id", Key(), nullable=False),
        sa.Column("at", UtcDateTime()),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("before", Json()),
        sa.Column("after", Json()),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_target", "audit_log", ["target"])
