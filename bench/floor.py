"""The bare script ours is measured against: one batchGet, json, an upsert and the day's snapshots with sqlite3."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from urllib.parse import quote

import urllib3

from bench.google import BOOK, FIRST_METRIC, Size
from webapp.model import METRICS

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS accounts (
  id INTEGER PRIMARY KEY, project TEXT NOT NULL, url TEXT NOT NULL, {", ".join(f"{m} INTEGER" for m in METRICS)},
  UNIQUE (project, url));
CREATE TABLE IF NOT EXISTS snapshots (
  day TEXT, account_id INTEGER, {", ".join(f"{m} INTEGER" for m in METRICS)}, PRIMARY KEY (day, account_id)
) WITHOUT ROWID;
"""
UPSERT = f"""
INSERT INTO accounts (project, url, {", ".join(METRICS)}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (project, url) DO UPDATE SET {", ".join(f"{m} = max({m}, excluded.{m})" for m in METRICS)}
WHERE {" OR ".join(f"excluded.{m} > {m}" for m in METRICS)}
"""
SNAPSHOTS = f"""
INSERT INTO snapshots SELECT ?, id, {", ".join(METRICS)} FROM accounts WHERE true ON CONFLICT DO NOTHING
"""


class Floor:
    """Nobody could do less: no matching of URLs, no cell that is not a number, no lease, no log."""

    def __init__(self, google: str, database: str, size: Size) -> None:
        self._titles = size.titles
        ranges = "&".join(f"ranges={quote(title)}" for title in self._titles)
        self._url = f"{google}/v4/spreadsheets/{BOOK}/values:batchGet?{ranges}&fields=valueRanges.values"
        self._http = urllib3.PoolManager(maxsize=1)
        self._db = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)

    def sync(self) -> None:
        answer = self._http.request("GET", self._url, headers={"Accept-Encoding": "gzip"})
        grids = json.loads(answer.data)["valueRanges"]
        self._db.execute("BEGIN IMMEDIATE")
        for title, grid in zip(self._titles, grids, strict=True):
            rows = [(title, row[0], *row[FIRST_METRIC:]) for row in grid["values"][1:]]
            self._db.executemany(UPSERT, rows)
        self._db.execute(SNAPSHOTS, (f"{datetime.now(UTC):%Y-%m-%d}",))
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._http.clear()
        self._db.close()
