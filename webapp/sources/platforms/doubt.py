"""What is not believed at once: that accounts are gone, or that what kept one from being read is its own fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from webapp.errors import SourceError, TransientSourceError
from webapp.sources.platforms import ProfileReading, Wanted

FEW = 10  # of fewer accounts than these it may be that the platform knows none


def for_now(error: SourceError) -> TransientSourceError:
    """What may be the platform's fault keeps an account from being asked for a short while only."""
    if isinstance(error, TransientSourceError):
        return error
    return TransientSourceError(error.message, code=error.code, hint=error.hint)


def doubt_gone(
    accounts: Iterable[Wanted], found: Iterable[Sequence[ProfileReading]], title: str
) -> Iterator[Sequence[ProfileReading]]:
    """The readings; that accounts are gone is held back until the platform knows another, or has said so before.

    Raises: TransientSourceError where it knows none of many, which says nothing about them.
    """
    before = {account.key for account in accounts if account.code == "gone"}
    held: list[ProfileReading] = []
    knows = False
    try:
        for part in found:
            knows = knows or any(one.unread is None for one in part)
            sure = [one for one in part if knows or one.key in before or not _is_gone(one)]
            held += (one for one in part if not knows and one.key not in before and _is_gone(one))
            if knows and held:
                sure, held = [*held, *sure], []
            yield sure
    except SourceError as error:
        if held:
            yield [one._replace(unread=for_now(error)) for one in held]
        raise
    if len(held) < FEW:
        yield held
        return
    nobody = TransientSourceError(f"{title} sent nothing about any of {len(held)} profiles", code="bad_response")
    yield [one._replace(unread=nobody) for one in held]
    raise nobody


def _is_gone(one: ProfileReading) -> bool:
    return one.unread is not None and one.unread.code == "gone"
