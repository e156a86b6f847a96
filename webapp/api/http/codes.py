"""Every code a problem document may carry: its status and what it means. Programs go by these, people by the words."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    status: int
    meaning: str


SINGLE = {"shutting_down", "too_many_streams"}
UNROUTED = {"request_timeout", "url_too_long", "head_too_large", "crowded_out"}  # said before a route is looked for

CODES: dict[str, Code] = {
    "bad_request": Code(400, "the request is no HTTP that can be understood"),
    "bad_query": Code(400, "the query string cannot be decoded as UTF-8, or has more than 50 parameters"),
    "bad_json": Code(400, "the body is no JSON object, or names a member twice"),
    "unauthorized": Code(401, "no token, or one that is not known"),
    "forbidden": Code(403, "the token is right and does not reach this far: it only reads, or is for another project"),
    "not_found": Code(404, "there is nothing at this address"),
    "project_not_found": Code(404, "there is no such project, or it was removed"),
    "account_not_found": Code(404, "there is no such account, or it was removed"),
    "run_not_found": Code(404, "there is no such run; runs are kept for 90 days"),
    "doubt_not_found": Code(404, "the Sheet's value of this metric is not in doubt"),
    "held_not_found": Code(404, "there is no such held reading, or it was decided already"),
    "pin_not_found": Code(404, "that metric of the account is not pinned"),
    "share_link_not_found": Code(404, "there is no such share link"),
    "snapshot_not_found": Code(404, "the account has no snapshot of that day"),
    "alert_not_found": Code(404, "there is no such alert; they are kept for a year after their end"),
    "threshold_not_found": Code(404, "there is no such threshold"),
    "alias_not_found": Code(404, "the account has no such other name"),
    "method_not_allowed": Code(405, "the address takes other methods; `Allow` lists them"),
    "request_timeout": Code(408, "the request did not arrive in ten seconds, and one more for each 64 KiB of it"),
    "already_exists": Code(409, "another project or account has this name, tab or profile; the body names it"),
    "kept_in_sheet": Code(409, "the Sheet says it, and would undo the change; change it there"),
    "body_too_large": Code(413, "the body is larger than 4 MiB"),
    "url_too_long": Code(414, "the address is longer than 4094 bytes with its method and version"),
    "invalid_parameter": Code(422, "a parameter or member is unknown, empty, given twice or out of range; see `field`"),
    "unexpected_body": Code(422, "the body says something where only the query is read"),
    "idempotency_key_reused": Code(422, "the Idempotency-Key stood for another trigger within the last 24 hours"),
    "no_recipients": Code(422, "nobody is told of alerts: neither SMART_SYNC_NOTIFY nor SMART_SYNC_WEBHOOK_URL is set"),
    "too_many_thresholds": Code(422, "the project has as many watched numbers as it may have; remove some"),
    "too_many_share_links": Code(422, "the project has as many live share links as it may have; revoke some"),
    "too_many_wrong_tokens": Code(429, "this address sent ten wrong tokens within a minute; right ones still pass"),
    "head_too_large": Code(431, "there are more than 100 headers, one of more than 8190 bytes, or 64 KiB of them"),
    "internal_error": Code(500, "a fault of the service; its log says more"),
    "queue_unavailable": Code(503, "the Redis that hands runs to workers cannot be reached; nothing was started"),
    "shutting_down": Code(503, "the service is ending; ask again in a few seconds"),
    "too_many_streams": Code(503, "this process carries as many progress streams as it can; poll the run instead"),
    "crowded_out": Code(503, "too many requests were still arriving, and this one had been for longest; send it again"),
    "database_absent": Code(503, "the database server has no database of that name"),
    "database_busy": Code(503, "somebody else holds the database; ask again in a few seconds"),
    "connections_used_up": Code(503, "the database server has no connection free; ask again in a few seconds"),
    "database_corrupt": Code(503, "the database is damaged and is not written any more; restore a backup"),
    "database_encoding": Code(503, "the PostgreSQL database is not in UTF8; make one that is"),
    "database_login": Code(503, "the database server does not let the role of DATABASE_URL in"),
    "database_missing": Code(503, "the database file has gone; it is not made anew, restore a backup"),
    "database_option": Code(503, "the PostgreSQL server cannot take an option of DATABASE_URL; its words name which"),
    "database_replaced": Code(503, "the database file was replaced while it was in use; ask again"),
    "database_unavailable": Code(503, "the database cannot be read or opened"),
    "database_unreachable": Code(503, "the database server does not answer, or refuses the connection"),
    "disk_full": Code(503, "the disk of the database is full; nothing was half written"),
    "read_only": Code(503, "the database cannot be written by the service's user"),
    "schema_broken": Code(503, "a migration would have left rows that point nowhere; nothing was changed"),
    "schema_foreign": Code(503, "the database has tables that are not ours"),
    "schema_missing": Code(503, "the database has no tables of Smart Sync"),
    "schema_newer": Code(503, "a later version of Smart Sync has migrated the database"),
    "wal_refused": Code(503, "SQLite's write-ahead log does not work there; a network share does not do"),
}


# What any route that uses the database may answer; the other codes of 503 belong to single routes.
STORE_CODES = [
    name
    for name, code in CODES.items()
    if code.status == 503 and name not in SINGLE | UNROUTED  # noqa: PLR2004
]
