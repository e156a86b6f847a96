"""The engine: what the endpoint, the command line and the schedule start and work off runs with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from webapp.clock import Budget, Clock
from webapp.sources.sheet import SheetSource
from webapp.store.db import Database
from webapp.store.runs import Run
from webapp.sync.options import Options
from webapp.sync.trigger import Started, Trigger

if TYPE_CHECKING:
    from webapp.sources.platforms import Source
    from webapp.sync.live import Outcome


class Engine:
    """Runs syncs. Holds nothing between runs but its parts.

    Light to import: what works runs off is loaded by the first of them, since every start pays for imports.

    sheets: the configured spreadsheets; the first is the default one, which projects without a `spreadsheet` mean.
    platforms: gives those that can be read.
    """

    def __init__(
        self,
        db: Database,
        sheets: Sequence[SheetSource],
        options: Options,
        clock: Clock | None = None,
        platforms: Callable[[], Sequence[Source]] = tuple,
    ) -> None:
        self.db = db
        self.sheets = tuple(sheets)
        self.options = options
        self.clock = clock or Clock()
        self.platforms = platforms

    def start(self, trigger: Trigger, *, queued: bool = False) -> Started:
        """The run that answers for the trigger. queued: a new one waits for a worker, who has to `claim` it.

        Raises: NotFound for an unknown project; Invalid for a key that stands for another trigger; StoreError.
        """
        from webapp.sync.admission import Admission  # noqa: PLC0415  see above

        keys = [sheet.key for sheet in self.sheets]
        return Admission(self.db, keys, self.options, self.clock, queued=queued).start(trigger)

    def claim(self, run_id: str) -> bool:
        """Take a queued run to work it off; False when somebody else has, or it is over."""
        from webapp.store import runs  # noqa: PLC0415  see above

        with self.db.write() as tx:
            return runs.claim(tx, run_id)

    def run(self, run: Run, trigger: Trigger, budget: Budget) -> Iterator[Outcome]:
        """Work a fresh run off: each project's outcome, once it is written. Nothing is left to do of an ended one.

        Raises: StoreError when the database cannot go on.
        """
        from webapp.sync.live import LiveRun  # noqa: PLC0415  see above
        from webapp.sync.run import outcomes  # noqa: PLC0415

        if run.live:
            live = LiveRun(run, trigger, budget, self.db, self.sheets, self.options, self.clock, self.platforms())
            yield from outcomes(live)
