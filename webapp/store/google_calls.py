"""When Google was last asked, by all who share an account: whoever asks next waits for his turn.

Google counts the reads of an account by the minute, whoever makes them.
"""

from __future__ import annotations

import sqlalchemy as sa

from webapp.store.backends.dialect import insert_for, now_ms
from webapp.store.tables import google_calls

WINDOW_MS = 62_000  # a little over the minute that Google counts: a call takes a while to get there


def take(tx: sa.Connection, name: str, per_minute: int) -> int:
    """Milliseconds until the account `name` may be asked; 0: now, and that is counted. `now` is the database's."""
    tx.execute(insert_for(tx, google_calls).values(name=name, recent=[]).on_conflict_do_nothing())
    mine = google_calls.c.name == name
    row = tx.execute(sa.select(google_calls.c.recent, now_ms()).where(mine).with_for_update()).one()
    now = int(row[1])
    # Those of a clock that is a little behind by now count; of one that was far ahead, they would count for ever.
    recent: list[int] = sorted(at for at in row[0] or () if abs(now - at) < WINDOW_MS)
    if len(recent) >= per_minute:
        return max(1, recent[-per_minute] + WINDOW_MS - now)
    tx.execute(google_calls.update().where(mine).values(recent=[*recent, now]))
    return 0
