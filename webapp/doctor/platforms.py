"""What the platforms say: each that is configured is asked one cheap question."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from webapp.doctor.case import Case, Diagnosis, failure
from webapp.errors import SourceError
from webapp.platforms import PLATFORMS
from webapp.rules.platforms import units_left
from webapp.sources.platforms import QuotaUsedUp, ReadBudget, Source
from webapp.sources.platforms.registry import sources_of
from webapp.store import account_reads, platforms

ASK_S = 15.0  # what one platform may take


def examine_platforms(case: Case) -> Iterator[Diagnosis]:
    yield from _half_set(case)
    with_accounts = _with_accounts(case)
    keyless = {
        platform.name for platform in PLATFORMS if platform.keyless and not platform.is_set(case.settings.platforms)
    }
    for source in sources_of(case.settings):
        if source.name not in keyless or source.platform in with_accounts:
            yield _ask(case, source)


def _half_set(case: Case) -> Iterator[Diagnosis]:
    """Platforms of which something is set, and too little."""
    values = case.settings.platforms
    for listed in PLATFORMS:
        if case.settings.reads(listed) and listed.is_set(values):
            missing = listed.load().missing(values)
            if missing and not listed.keyless:
                words = f"is not read: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
                yield Diagnosis("warn", f"platform {listed.name}", words, "docs/readers.md says where to get it")


def _with_accounts(case: Case) -> set[str]:
    """Platforms that have accounts."""
    if case.db is None or not case.current:
        return set()
    with case.db.read() as tx:
        return account_reads.platforms_there(tx)


def _ask(case: Case, source: Source) -> Diagnosis:
    what = f"platform {source.name}"
    try:
        with closing(source.open(case.clock)) as reader:
            words = reader.check(ReadBudget(ASK_S, case.clock))
    except QuotaUsedUp as error:
        return Diagnosis("warn", what, error.message, "nothing: it is read again once there are units")
    except SourceError as error:
        return failure(what, error)
    left = _units_left(case, source.name)
    return Diagnosis("ok", what, f"{words}; {left}" if left else words)


def _units_left(case: Case, name: str) -> str:
    """Its one question is not counted: a doctor writes nothing."""
    if case.db is None or not case.current:
        return ""
    with case.db.read() as tx:
        state = {one.name: one for one in platforms.listed(tx)}.get(name)
    left = None if state is None else units_left(state, case.clock.now())
    return "" if state is None or left is None else f"{left} of {state.quota_limit} units a day left"
