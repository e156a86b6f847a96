"""The tables. Promises are constraints here: one snapshot per account and UTC day is a primary key.

Every table is STRICT on SQLite. Outside programs may write `observations` (source `parsed`); nothing else is
meant to be written from outside. Migrations in `migrations/` make exactly these tables; a test compares them.
"""

from __future__ import annotations

from typing import Any, get_args

import sqlalchemy as sa

from webapp.model import METRICS, RunState
from webapp.store.types import Count, Day, Flag, Json, Key, UtcDateTime

RUN_STATES = get_args(RunState)
IDLE = "state = 'succeeded' AND total = 0 AND read_at IS NULL"  # runs that found nothing to do and read nothing

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *items: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *items, sqlite_strict=True, **options)


def _counts() -> tuple[sa.schema.SchemaItem, ...]:
    columns: tuple[sa.schema.SchemaItem, ...] = tuple(sa.Column(metric, Count()) for metric in METRICS)
    checks = tuple(sa.CheckConstraint(f"{metric} >= 0", name=f"{metric}_is_a_count") for metric in METRICS)
    return columns + checks


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    # SQLite builds a table for an IN at each insert.
    known = " OR ".join(f"{column} = '{value}'" for value in values)
    return sa.CheckConstraint(known, name=f"{column}_is_known")


def _flag(name: str, *, default: bool) -> sa.Column[bool]:
    return sa.Column(name, Flag(), nullable=False, server_default=sa.true() if default else sa.false())


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, Count(), nullable=False, server_default=sa.text(str(default)))


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index of the rows that fit. Its condition on PostgreSQL is set by `backends.postgres`: see there."""
    return sa.Index(name, *columns, unique=unique, sqlite_where=sa.text(where))


# What a spreadsheet last said, for status and for planning the next read.
spreadsheets = _table(
    "spreadsheets",
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("title", sa.Text),
    sa.Column("locale", sa.Text),
    sa.Column("state", sa.Text, nullable=False, server_default="ok"),
    sa.Column("since", UtcDateTime()),
    sa.Column("code", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("checked_at", UtcDateTime()),
    _one_of("state", "ok", "degraded", "failed"),
)

# Tabs that people do not want as projects, remembered by gid so that a rename does not bring them back.
ignored_tabs = _table(
    "ignored_tabs",
    sa.Column("spreadsheet", sa.Text, nullable=False),
    sa.Column("worksheet_id", sa.Text, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("ignored_at", UtcDateTime()),
    sa.PrimaryKeyConstraint("spreadsheet", "worksheet_id"),
)

projects = _table(
    "projects",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    _flag("name_set", default=False),  # named over the API: a renamed tab does not rename it
    sa.Column("status", sa.Text, nullable=False, server_default="active"),
    sa.Column("spreadsheet", sa.Text),  # null: the default one
    sa.Column("worksheet_id", sa.Text),
    sa.Column("worksheet_title", sa.Text),
    sa.Column("sheet_seen", sa.Text),  # hash of everything the stored sheet observations were read from
    sa.Column("rows_seen", sa.Text),  # of which `sheet_seen` the row in `tab_rows` is; any other says that it is void
    sa.Column("sheet_bytes", Count()),
    sa.Column("sheet_columns", Json()),  # {metric: column letter}
    sa.Column("sheet_report", Json()),  # skips and problems of the last parse, repeated while the tab is unchanged
    # The stored counts are the merge of the stored observations, and nothing open depends on time.
    _flag("settled", default=False),
    sa.Column("merge_policy", sa.Text, nullable=False, server_default="max"),
    _flag("auto_sync", default=True),
    sa.Column("interval_minutes", Count()),  # beside a cron expression: its longest pause, to tell how old is stale
    sa.Column("cron", sa.Text),
    sa.Column("timezone", sa.Text),
    sa.Column("next_sync_at", UtcDateTime()),
    sa.Column("checked_at", UtcDateTime()),  # last completed attempt
    sa.Column("synced_at", UtcDateTime()),  # last success
    sa.Column("changed_at", UtcDateTime()),  # last time a number changed
    sa.Column("as_of", UtcDateTime()),  # last sync after which reads answered something else
    sa.Column("degraded_since", UtcDateTime()),
    sa.Column("snapshot_day", Day()),  # the last day of which every account that counts has all that is known of it
    sa.Column("weekly_until", Day()),  # the last of the days of which only what a week ends with is kept
    _number("revision"),
    sa.Column("target_views", Count()),
    sa.Column("start_date", Day()),
    sa.Column("end_date", Day()),
    sa.Column("removed_at", UtcDateTime()),
    sa.Column("created_at", UtcDateTime()),
    sa.Column("updated_at", UtcDateTime()),
    _number("min_interval_minutes"),  # a trigger of everything sooner after a success leaves the project alone
    sa.Column("anchor_at", UtcDateTime()),  # a slot of the interval: all others are so many intervals from it
    _number("failures"),  # attempts since the last success
    sa.Column("last_error", sa.Text),  # of the last attempt; null: it succeeded
    _one_of("status", "active", "paused", "finished"),
    _one_of("merge_policy", "max", "sheet", "parsed"),
    sa.CheckConstraint("interval_minutes > 0", name="interval_is_positive"),
    sa.CheckConstraint("target_views >= 0", name="target_is_a_count"),
    sa.Index("ix_projects_due", "next_sync_at"),
    sa.Index("ix_projects_checked", "checked_at"),
)
sa.Index("uq_projects_tab", sa.func.coalesce(projects.c.spreadsheet, ""), projects.c.worksheet_id, unique=True)

# What is remembered of the rows of a project's tab: `RowPrints` of the sync. Can be emptied at any time.
tab_rows = _table(
    "tab_rows",
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("rows", sa.LargeBinary, nullable=False),
)

accounts = _table(
    "accounts",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("platform", sa.Text, nullable=False, server_default="other"),
    sa.Column("username", sa.Text),
    sa.Column("profile_url", sa.Text, nullable=False),  # as typed
    sa.Column("url_key", sa.Text, nullable=False),
    sa.Column("topic", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("status", sa.Text),  # as typed
    sa.Column("mode", sa.Text, nullable=False, server_default="auto"),
    _flag("mode_set", default=False),  # set over the API: the Status column no longer decides
    sa.Column("discovered", sa.Text, nullable=False, server_default="sheet"),
    *_counts(),
    sa.Column("changed_at", UtcDateTime()),
    sa.Column("added_at", UtcDateTime()),
    sa.Column("removed_at", UtcDateTime()),
    sa.Column("removed_by", sa.Text),
    _one_of("mode", "auto", "manual", "off"),
    _one_of("discovered", "sheet", "api"),
    _one_of("removed_by", "sheet", "api"),
    sa.UniqueConstraint("project_id", "url_key"),
    _partial(
        "ix_accounts_present", "project_id", "id", where="removed_at IS NULL"
    ),  # a page of a list, in the order of the ids
    sqlite_autoincrement=True,
)

observations = _table(
    "observations",
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    *_counts(),
    sa.Column("observed_at", UtcDateTime(), nullable=False),  # when these counts were first seen to be so
    sa.Column("same_since", UtcDateTime()),  # of readings: since when every one has said the same
    sa.Column("origin", sa.Text),  # `Project A!17`, `youtube`
    sa.Column("note", sa.Text),
    _number("unread"),  # bits of metrics whose last value stands: their cell, or nobody on the reading's day, was read
    _number("doubted"),  # of the sheet: bits of the metrics whose value is in `doubts`
    _one_of("source", "sheet", "parsed"),
    sa.PrimaryKeyConstraint("account_id", "source"),
    _partial("ix_observations_parsed", "account_id", where="source = 'parsed'"),
    sqlite_with_rowid=False,
)

# The parsed counts that the last merge believed. An implausible reading stays out of here until it is accepted.
accepted_readings = _table(
    "accepted_readings",
    sa.Column(
        "account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    *_counts(),
    _number("held"),  # bits of the metrics of which a newer reading is held
    sqlite_with_rowid=False,
)

held_observations = _table(
    "held_observations",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("value", Count(), nullable=False),
    sa.Column("last_good", Count()),
    sa.Column("observed_at", UtcDateTime()),  # of the latest reading that says so
    sa.Column("origin", sa.Text),
    sa.Column("held_at", UtcDateTime()),
    _number("agreeing"),  # later readings that agreed
    sa.Column("state", sa.Text, nullable=False, server_default="held"),
    sa.Column("decided_at", UtcDateTime()),
    _one_of("metric", *METRICS),
    _one_of("state", "held", "accepted", "rejected", "confirmed", "withdrawn"),
    _partial("uq_held_observations_open", "account_id", "metric", where="state = 'held'", unique=True),
    sa.Index("ix_held_observations_state", "state", "id"),
    sa.Index("ix_held_observations_account", "account_id", "id"),
    sqlite_autoincrement=True,
)

pins = _table(
    "pins",
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("value", Count(), nullable=False),
    sa.Column("until", UtcDateTime()),  # null: until it is removed
    sa.Column("note", sa.Text),
    sa.Column("pinned_at", UtcDateTime()),
    _one_of("metric", *METRICS),
    sa.CheckConstraint("value >= 0", name="value_is_a_count"),
    sa.PrimaryKeyConstraint("account_id", "metric"),
    sqlite_with_rowid=False,
)

# (day, account) order: a new day is written in one place of the file, 15 to 35 times cheaper than the other way.
account_snapshots = _table(
    "account_snapshots",
    sa.Column("day", Day(), nullable=False),
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("snapshot_time", UtcDateTime(), nullable=False),
    *_counts(),
    sa.PrimaryKeyConstraint("day", "account_id"),
    sqlite_with_rowid=False,
)
sa.Index("ix_account_snapshots_account_day", account_snapshots.c.account_id, account_snapshots.c.day).ddl_if(
    dialect="postgresql"
)

# What people typed that is too odd for history until it is confirmed: one row for each day that it was seen on.
doubts = _table(
    "doubts",
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("day", Day(), nullable=False),
    sa.Column("typed", Count(), nullable=False),  # what the sheet says
    sa.Column("value", Count()),  # what the day's snapshot shows should it be confirmed
    sa.Column("credible", Count(), nullable=False),  # what the sheet said before
    sa.Column("since", UtcDateTime(), nullable=False),  # when it was first seen
    sa.Column("observed_at", UtcDateTime(), nullable=False),  # when it was seen on this day
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("decided_at", UtcDateTime()),
    _one_of("metric", *METRICS),
    _one_of("state", "open", "timed"),  # timed: confirmed by nothing but time, kept for a while in case it falls back
    sa.PrimaryKeyConstraint("account_id", "metric", "day"),
    sqlite_with_rowid=False,
)

# When an account counts, and for which metrics: bits in the order of the metrics. Spans of an account do not overlap.
account_spans = _table(
    "account_spans",
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("since", UtcDateTime(), nullable=False),
    sa.Column("until", UtcDateTime()),  # null: it still does
    sa.Column("metrics", Count(), nullable=False),
    sa.PrimaryKeyConstraint("account_id", "since"),
    sqlite_with_rowid=False,
)

# What the accounts of a project amounted to on each day with a snapshot or a change of who counts. Made from snapshots
# and spans alone; `smart-sync db rebuild-days` makes it anew.
project_days = _table(
    "project_days",
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("day", Day(), nullable=False),
    sa.Column("sums", Json(), nullable=False),  # what of `DaySums` has a number for each metric, in its order
    _number("accounts"),
    _number("carried"),
    sa.PrimaryKeyConstraint("project_id", "day"),
    sqlite_with_rowid=False,
)

sync_runs = _table(
    "sync_runs",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("caller", sa.Text, nullable=False, server_default="http"),
    sa.Column("identity", sa.Text, nullable=False),  # what makes two triggers the same
    sa.Column("params", Json()),
    sa.Column("state", sa.Text, nullable=False, server_default="queued"),
    _flag("dry_run", default=False),
    sa.Column("day", Day()),  # the UTC day all snapshots of this run belong to
    sa.Column("started_at", UtcDateTime()),
    sa.Column("read_at", UtcDateTime()),  # when this pass began to read sheets
    sa.Column("finished_at", UtcDateTime()),
    _number("heartbeat"),  # milliseconds of the database's clock
    _number("silent_ms"),  # of the work, when its heart beat last
    _flag("again", default=False),  # a trigger came after read_at: one more pass
    sa.Column("phase", sa.Text),
    _number("done"),
    _number("total"),
    _number("success_count"),
    _number("error_count"),
    _number("skipped_count"),
    _number("remaining"),
    _number("added_count"),
    _number("removed_count"),
    _flag("degraded", default=False),
    sa.Column("warnings", Json()),
    _number("api_calls"),
    sa.Column("seconds", sa.REAL),
    sa.Column("error_code", sa.Text),
    sa.Column("error", sa.Text),
    _one_of("state", *RUN_STATES),
    sa.Index("ix_sync_runs_started", "started_at"),
    _partial("ix_sync_runs_idle", "started_at", where=IDLE),
    _partial("uq_sync_runs_live", "identity", where="state IN ('queued', 'running')", unique=True),
)

# What an Idempotency-Key stands for: the run that it started, or the one that was at work already.
run_keys = _table(
    "run_keys",
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, sa.ForeignKey("sync_runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("params", Json()),
    sa.Column("used_at", UtcDateTime(), nullable=False),
    sa.Index("ix_run_keys_used", "used_at"),
    sa.Index("ix_run_keys_run", "run_id"),
    sqlite_with_rowid=False,
)

sync_run_projects = _table(
    "sync_run_projects",
    sa.Column("run_id", sa.Text, sa.ForeignKey("sync_runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("project_id", sa.Text, nullable=False),
    sa.Column("position", Count(), nullable=False, server_default=sa.text("0")),
    sa.Column("project_name", sa.Text),
    _flag("success", default=True),
    sa.Column("skipped", sa.Text),
    _flag("degraded", default=False),
    _number("total_accounts"),
    _number("updated_count"),
    _number("snapshot_count"),
    _number("added_count"),
    _number("removed_count"),
    sa.Column("skips", Json()),
    sa.Column("problems", Json()),
    _number("problem_count"),
    sa.Column("error_code", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("finished_at", UtcDateTime()),
    sa.Column("seconds", sa.REAL),
    _flag("long", default=False),  # with more problems than an answer shows
    sa.PrimaryKeyConstraint("run_id", "project_id"),
    sa.Index("ix_sync_run_projects_project", "project_id"),
    _partial("ix_sync_run_projects_long", "run_id", where="long"),
    sqlite_with_rowid=False,
)

# One row, with id 1: when somebody last asked for what is due, and the last time that nobody did for too long.
ticks = _table(
    "ticks",
    sa.Column("id", Count(), primary_key=True, autoincrement=False),
    sa.Column("seen_at", UtcDateTime()),
    sa.Column("caller", sa.Text),
    sa.Column("gap_from", UtcDateTime()),
    sa.Column("pace", sa.REAL),  # seconds that usually lie between two
    sa.Column("gap_until", UtcDateTime()),
    sqlite_with_rowid=False,
)

# One row, with id 1: that this database began empty where one with history had been, as traces of that one say.
lost_history = _table(
    "lost_history",
    sa.Column("id", Count(), primary_key=True, autoincrement=False),
    sa.Column("noticed_at", UtcDateTime(), nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("first_day", Day(), nullable=False),
    sa.Column("seen_at", UtcDateTime(), nullable=False),
    sa.Column("acknowledged_at", UtcDateTime()),
    sqlite_with_rowid=False,
)

leases = _table(
    "leases",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text),
    _number("fence"),
    _number("expires_at"),  # milliseconds of the database's clock
    sqlite_with_rowid=False,
)

# Platforms that are read, as they last answered, and what of the day's units is used. An account is not asked for again
# before `again_at`.
platform_states = _table(
    "platform_states",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text),
    sa.Column("state", sa.Text, nullable=False, server_default="ok"),
    sa.Column("since", UtcDateTime()),
    sa.Column("code", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("checked_at", UtcDateTime()),
    sa.Column("read_at", UtcDateTime()),  # when it last said anything of an account
    sa.Column("again_at", UtcDateTime()),
    _number("failures"),  # attempts since it last answered
    _number("accounts"),  # asked for when it was last read
    _number("unread"),  # those of them that were not come to
    sa.Column("quota_day", Day()),
    _number("quota_used"),
    sa.Column("quota_limit", Count()),
    sa.Column("quota_ends", UtcDateTime()),  # when the next day's units are granted
    _one_of("state", "ok", "degraded", "failed"),
    sqlite_with_rowid=False,
)

# What a platform says of an account beside its counts. code: why it could not be read last; null: it could.
account_reads = _table(
    "account_reads",
    sa.Column(
        "account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("source", sa.Text),
    sa.Column("platform_id", sa.Text),  # the platform's own id, which stays when the handle changes
    sa.Column("handle", sa.Text),
    sa.Column("code", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("since", UtcDateTime()),
    sa.Column("again_at", UtcDateTime()),
    _partial("ix_account_reads_unread", "source", "code", where="code IS NOT NULL"),
    sqlite_with_rowid=False,
)

# The syncs that changed counts of a project. What all changes of one have in common stands here once: the tab, and the
# letters of its columns in the order of the metrics.
change_batches = _table(
    "change_batches",
    sa.Column("id", Key(), primary_key=True),  # at least the ids of its changes, and less than those of later ones
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("changed_at", UtcDateTime()),
    sa.Column("title", sa.Text),
    sa.Column("letters", Json()),
    sa.Index("ix_change_batches_project", "project_id", "id"),
    sa.Index("ix_change_batches_changed", "changed_at"),
    sqlite_autoincrement=True,
)

# Which counts of an account changed in one of them, from what to what; both are null where nothing did. Nothing finds
# its account but by way of its batch: an index by account would be as large as the table, and written all over.
count_changes = _table(
    "count_changes",
    sa.Column("batch_id", Count(), sa.ForeignKey("change_batches.id", ondelete="CASCADE"), nullable=False),
    sa.Column("account_id", Count(), nullable=False),
    sa.Column("id", Count(), nullable=False),
    sa.Column("winners", Count(), nullable=False),  # two bits for each metric
    sa.Column("sheet_row", Count()),  # of the cells where the Sheet won
    sa.Column("cells", Json()),  # {metric: address}, where they are not in one row of the batch's tab
    *(sa.Column(f"{side}_{metric}", Count()) for metric in METRICS for side in ("old", "new")),
    sa.PrimaryKeyConstraint("batch_id", "account_id", "id"),
    sqlite_with_rowid=False,
)

# Profile URLs that mean an account all the same: an address that was corrected, an account merged into another.
account_aliases = _table(
    "account_aliases",
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("url_key", sa.Text, nullable=False),
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", UtcDateTime()),
    sa.PrimaryKeyConstraint("project_id", "url_key"),
    sa.Index("ix_account_aliases_account", "account_id"),
    sqlite_with_rowid=False,
)

# Read-only tokens for one project each; only their hash is kept.
share_links = _table(
    "share_links",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("label", sa.Text),
    sa.Column("created_at", UtcDateTime()),
    sa.Column("expires_at", UtcDateTime()),
    sa.Column("revoked_at", UtcDateTime()),
    sa.Index("ix_share_links_project", "project_id"),
)

# Sessions of the dashboard that somebody signed out of before they ran out.
ended_sessions = _table(
    "ended_sessions",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("ends", UtcDateTime(), nullable=False),
    sqlite_with_rowid=False,
)

# What people changed by hand, through which door, with what stood there before.
audit_log = _table(
    "audit_log",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("at", UtcDateTime()),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("before", Json()),
    sa.Column("after", Json()),
    sa.Column("note", sa.Text),
    sa.Column("door", sa.Text),
    sa.Index("ix_audit_log_target", "target"),
    sqlite_autoincrement=True,
)

# What somebody had to be told of, from its beginning to its end. key: rule, project and subject, of which one alert is open.
alerts = _table(
    "alerts",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE")),  # null: the whole service
    sa.Column("subject", sa.Text, nullable=False, server_default=""),
    sa.Column("level", sa.Text, nullable=False, server_default="problem"),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("since", UtcDateTime()),  # when it began, as far as is known
    sa.Column("opened_at", UtcDateTime(), nullable=False),
    sa.Column("calm_since", UtcDateTime()),  # since when it is not so any more
    sa.Column("closed_at", UtcDateTime()),
    sa.Column("acknowledged_at", UtcDateTime()),
    sa.Column("acknowledged_by", sa.Text),
    _flag("announced", default=False),  # somebody was told
    sa.Column("what", sa.Text, nullable=False, server_default=""),
    sa.Column("advice", sa.Text, nullable=False, server_default=""),
    sa.Column("cell", sa.Text),
    sa.Column("details", Json()),
    _one_of("level", "problem", "risk", "news"),
    _one_of("state", "open", "closed"),
    _partial("uq_alerts_open", "key", where="state = 'open'", unique=True),
    sa.Index("ix_alerts_state", "state", "id"),
    sa.Index("ix_alerts_project", "project_id"),
    sqlite_autoincrement=True,
)

# Who is to be told what: one row for each recipient of a message, written with what it tells of and sent afterwards.
alert_deliveries = _table(
    "alert_deliveries",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("message_id", sa.Text, nullable=False),  # the same for all recipients, and at each attempt
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("alert_id", Count(), sa.ForeignKey("alerts.id", ondelete="CASCADE")),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # what is signed and sent, to the byte
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("next_try_at", UtcDateTime(), nullable=False),  # in the future too while somebody is at it
    _number("attempts"),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("ended_at", UtcDateTime()),
    sa.Column("error", sa.Text),
    _one_of("state", "waiting", "sent", "failed", "dropped"),
    sa.UniqueConstraint("message_id", "recipient"),
    _partial("ix_alert_deliveries_waiting", "recipient", "id", where="state = 'waiting'"),
    sa.Index("ix_alert_deliveries_alert", "alert_id"),
    sa.Index("ix_alert_deliveries_created", "created_at"),
    sqlite_autoincrement=True,
)

# Recipients that asked to be left alone.
alert_refusals = _table(
    "alert_refusals",
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("refused_at", UtcDateTime(), nullable=False),
    sa.Column("words", sa.Text),
    sqlite_with_rowid=False,
)

# What nobody is to be told of. Empty: every rule, every project.
alert_mutes = _table(
    "alert_mutes",
    sa.Column("rule", sa.Text, nullable=False, server_default=""),
    sa.Column("project_id", sa.Text, nullable=False, server_default=""),
    sa.Column("until", UtcDateTime()),  # null: until it is taken back
    sa.Column("muted_at", UtcDateTime()),
    sa.PrimaryKeyConstraint("rule", "project_id"),
    sqlite_with_rowid=False,
)

# Numbers that somebody watches. value: a count, or percent in 24 hours where it has `fallen` or `risen`.
alert_thresholds = _table(
    "alert_thresholds",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("account_id", Count(), sa.ForeignKey("accounts.id", ondelete="CASCADE")),  # null: the project's total
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", Count(), nullable=False),
    sa.Column("created_at", UtcDateTime()),
    _one_of("metric", *METRICS),
    _one_of("kind", "above", "below", "fallen", "risen"),
    sa.CheckConstraint("value >= 0", name="value_is_a_count"),
    sa.Index("ix_alert_thresholds_project", "project_id"),
    sa.Index("ix_alert_thresholds_account", "account_id"),
    sqlite_autoincrement=True,
)

# When Google was last asked by whoever shares an account, in milliseconds of the database's clock, oldest first.
google_calls = _table(
    "google_calls",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("recent", Json()),
    sqlite_with_rowid=False,
)

# One row, with id 1: when it was last looked for what costs more to find out.
alert_looks = _table(
    "alert_looks",
    sa.Column("id", Count(), primary_key=True, autoincrement=False),
    sa.Column("looked_at", UtcDateTime(), nullable=False),
    sqlite_with_rowid=False,
)

# Neither was removed: they are in what is shown and counted.
ACCOUNT_THERE = accounts.c.removed_at.is_(None)
PROJECT_THERE = projects.c.removed_at.is_(None)
