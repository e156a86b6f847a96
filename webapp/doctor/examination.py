"""Every part looked at once. Makes and mends nothing; what is secret is not shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from webapp.clock import Clock
from webapp.config import Settings, environment
from webapp.doctor.alerts import examine_alerts
from webapp.doctor.case import Case, Diagnosis, failure
from webapp.doctor.platforms import examine_platforms
from webapp.doctor.queue import examine_queue
from webapp.doctor.settings import examine_settings, examine_token, examine_version
from webapp.doctor.sheets import examine_clock, examine_credentials, examine_sheets, open_sheets
from webapp.doctor.storage import examine_database, examine_disk
from webapp.doctor.syncs import examine_syncs
from webapp.errors import ConfigError, SmartSyncError

# In the order in which one thing rests on another.
PARTS: tuple[tuple[str, Callable[[Case], Iterator[Diagnosis]]], ...] = (
    ("version", examine_version),
    ("settings", examine_settings),
    ("database", examine_database),
    ("disk", examine_disk),
    ("token", examine_token),
    ("credentials", examine_credentials),
    ("sheet", open_sheets),
    ("clock", examine_clock),
    ("sheet", examine_sheets),
    ("platforms", examine_platforms),
    ("syncs", examine_syncs),
    ("alerts", examine_alerts),
    ("celery", examine_queue),
)


def examine(environ: Mapping[str, str] | None = None, clock: Clock | None = None) -> Iterator[Diagnosis]:
    """The findings, as they are made. Asks the network only for the spreadsheets that are configured and the platforms that are read.

    environ: the variables to go by; by default those a start would go by, the `.env` file included.
    """
    if environ is None:
        try:
            environ = environment()
        except ConfigError as error:
            yield failure("settings", error)
            environ = environment(None)
    settings, wrong = Settings.read(environ)
    case = Case(environ, clock or Clock(), settings, wrong)
    try:
        for what, part in PARTS:
            yield from _guard(what, part(case))
    finally:
        if case.db is not None:
            case.db.close()


def _guard(what: str, findings: Iterator[Diagnosis]) -> Iterator[Diagnosis]:
    """What is wrong with one part must not hide how the others are."""
    try:
        yield from findings
    except SmartSyncError as error:
        yield failure(what, error)
    except OSError as error:
        words = f"{error.filename or what}: {error.strerror}"
        yield Diagnosis("FAIL", what, words, "check that it is there and may be used")
