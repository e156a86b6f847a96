"""The service's own sync, as its command line runs it."""

from __future__ import annotations

from bench.google import BOOK, Size
from webapp.bootstrap import bootstrap
from webapp.clock import Budget
from webapp.config import Settings
from webapp.store.migrate import ensure_migrated
from webapp.sync.trigger import Trigger


class Ours:
    """One process, one sync after the other. Nobody has to sign in, as at the floor."""

    def __init__(self, google: str, database: str, size: Size) -> None:
        del size
        settings = Settings(
            database_url=database,
            sheets=(BOOK,),
            sheets_api=google,
            google_api_key="bench-key",
            admin_tokens=("bench-token-of-no-consequence",),
        )
        self.parts = bootstrap(settings)
        ensure_migrated(self.parts.db)

    def sync(self) -> None:
        parts, trigger = self.parts, Trigger(caller="cli")
        started = parts.engine.start(trigger)
        for outcome in parts.engine.run(started.run, trigger, Budget(None, parts.clock)):
            if not outcome.result.success:
                raise RuntimeError(f"the sync failed: {outcome.result.error}")

    def close(self) -> None:
        self.parts.db.close()
