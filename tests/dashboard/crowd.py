"""Many accounts with three years behind them, and of all that people are told of as much as there may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.large import lay_out
from tests.dashboard.filled import parts_on
from webapp.bootstrap import Parts
from webapp.store import share_links

DAYS = 3 * 365
RUNS = 60
ALERTS = 250  # open ones, and as many that are over
WATCHED = 150
LINKS = 120  # that are revoked
CHANGES = 300  # of one run

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
LONG = "405c052a-6ef3-4f0f-a7b9-"  # ids are as long as they are in life
PROJECT = f"{LONG}project-0"
TROUBLE = f"""
PRAGMA defer_foreign_keys = ON;
UPDATE projects SET id = '{LONG}' || id;
UPDATE accounts SET project_id = '{LONG}' || project_id;
UPDATE project_days SET project_id = '{LONG}' || project_id;
UPDATE accounts SET username = 'a.rather.long.name.of.somebody.' || id, owner = 'Somebody or other ' || (id % 9),
    profile_url = 'https://www.instagram.com/a.rather.long.name.of.somebody.' || id || '/', topic = 'A topic ' || topic;
UPDATE projects SET name = 'Campaign of a client ' || name, worksheet_id = name, target_views = 99000000000, failures = 3,
    last_error = 'the tab ''' || name || ''' has gone from the spreadsheet (the tabs there are: A, B, C)',
    sheet_columns = '{{"followers": "E", "likes": "F", "comments": "G", "videos": "H", "views": "I"}}',
    sheet_report = ({NUMBERS.format(999)} SELECT json_object('final', json_object('problems', (
        SELECT json_group_array(json_object('code', 'invalid_number', 'cell', projects.name || '!G' || (i + 2),
        'message', projects.name || '!G' || (i + 2) || ': ''about 12,000 or so'' is not a count')) FROM n))));
INSERT INTO observations (account_id, source, followers, likes, views, observed_at, origin)
    SELECT a.id, 'sheet', followers, likes, views, added_at, p.name || '!' || a.id FROM accounts a
    JOIN projects p ON p.id = a.project_id;
INSERT INTO observations (account_id, source, views, observed_at, origin)
    SELECT id, 'parsed', views - 5, added_at, 'instagram' FROM accounts;
INSERT INTO held_observations (account_id, metric, value, last_good, origin, observed_at, held_at)
    SELECT id, 'views', views * 40, views, 'instagram', added_at, added_at FROM accounts;
INSERT INTO doubts (account_id, metric, day, typed, credible, since, observed_at)
    SELECT id, 'likes', substr(added_at, 1, 10), likes * 90, likes, added_at, added_at FROM accounts;
INSERT INTO sync_runs (id, identity, state, started_at, read_at, finished_at, day, total, success_count, seconds)
    {NUMBERS.format(RUNS)} SELECT 'run-' || i, 'run-' || i, 'succeeded', m, m, m, substr(m, 1, 10), 10, 10, i
    FROM (SELECT i, strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '-' || (i + 1) || ' hours') AS m FROM n);
INSERT INTO sync_run_projects (run_id, project_id, project_name, total_accounts, problem_count, problems, seconds)
    SELECT r.id, p.id, p.name, 100, 1000, json_extract(p.sheet_report, '$.final.problems'), 1.5
    FROM sync_runs r CROSS JOIN projects p WHERE r.id = 'run-0';
INSERT INTO change_batches (id, project_id, run_id, changed_at, title, letters)
    SELECT 1000000, p.id, r.id, r.started_at, p.name, '["E", "F", "G", "H", "I"]' FROM projects p, sync_runs r
    WHERE r.id = 'run-0' LIMIT 1;
INSERT INTO count_changes (batch_id, account_id, id, winners, sheet_row, old_views, new_views)
    SELECT 1000000, id, id, 256, id, views - 1000, views FROM accounts ORDER BY id LIMIT {CHANGES};
INSERT INTO alerts (key, rule, project_id, subject, state, since, opened_at, closed_at, what, advice, cell)
    {NUMBERS.format(2 * ALERTS)} SELECT 'k' || i, 'guard', p.id, 's' || i, CASE i % 2 WHEN 1 THEN 'open' ELSE 'closed' END,
    p.as_of, p.as_of, CASE i % 2 WHEN 0 THEN p.as_of END,
    '8 of 8 accounts have lost their rows since the last sync that was whole', 'mend the tab, then sync it again',
    'A campaign!G' || i FROM n, (SELECT id, as_of FROM projects LIMIT 1) p;
INSERT INTO alert_thresholds (project_id, account_id, metric, kind, value, created_at)
    SELECT project_id, id, 'views', 'above', views * 2, added_at FROM accounts LIMIT {WATCHED};
INSERT INTO share_links (id, project_id, token_hash, label, created_at, revoked_at)
    {NUMBERS.format(LINKS)} SELECT 'link-' || i, p.id, 'hash-' || i, 'A client with a name ' || i, p.as_of, p.as_of
    FROM n, (SELECT id, as_of FROM projects LIMIT 1) p
"""


class Crowd(NamedTuple):
    """token: of a share link of PROJECT."""

    parts: Parts
    token: str


@contextmanager
def crowd(path: Path, projects: int, size: int) -> Iterator[Crowd]:
    """So many projects of so many accounts, with as much to do as there can be."""
    lay_out(f"sqlite:///{path}", projects, size, DAYS)
    parts = parts_on(path)
    with parts.db.write() as tx:
        for statement in TROUBLE.split(";\n"):
            tx.exec_driver_sql(statement)
        made = share_links.add(tx, PROJECT, "A client", parts.clock.now())
    assert made is not None
    yield Crowd(parts, made[1])
    parts.db.close()
