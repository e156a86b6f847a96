"""What readers may ask: choices that are refused by name, and stretches of days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, NamedTuple, Protocol

import msgspec

from webapp import web
from webapp.api.http.problems import HttpProblem
from webapp.clock import Clock, utc_day
from webapp.rules.sorting import matches

DAYS = 30
LONGEST = 5 * 366
EARLIEST = date(1990, 1, 1)
CELLS = 5_000_000  # accounts times days that one answer goes through
FORMATS = ("json", "csv")

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
OfPlatform = Annotated[Text | None, msgspec.Meta(description="only of this platform, such as youtube")]
OfTopic = Annotated[Text | None, msgspec.Meta(description="only of this topic")]
OfOwner = Annotated[Text | None, msgspec.Meta(description="only of this person")]


def choice(words: str, allowed: Sequence[str]) -> msgspec.Meta:
    """One of some words, for `Annotated`; `choose` refuses the others by name."""
    return msgspec.Meta(description=words, extra_json_schema={"enum": list(allowed)})


class FieldsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How a list is written."""

    # What `csv` answers is documented at an address of its own; here it is understood all the same.
    format: Annotated[str, choice("`csv` answers as this address with `.csv` behind it", FORMATS[:1])] = "json"
    fields: Annotated[
        Annotated[str, msgspec.Meta(max_length=1000)] | None,
        msgspec.Meta(description="only these fields of each line, by comma"),
    ] = None


class PeriodQuery(FieldsQuery, frozen=True, kw_only=True):
    """A stretch of UTC days, both ends included; at most five years, by default the last 30 days."""

    start_date: Annotated[date | None, msgspec.Meta(description="the first UTC day, such as 2026-03-01")] = None
    end_date: Annotated[date | None, msgspec.Meta(description="the last UTC day; by default today")] = None


class Period(NamedTuple):
    """From the first day to the last; `start > end`: no day, because all of it is in the future."""

    start: date
    end: date

    @property
    def before(self) -> date:
        return self.start - timedelta(days=1)

    @property
    def days(self) -> int:
        return max(0, (self.end - self.start).days + 1)


def today() -> date:
    """The UTC day it is."""
    return utc_day(web.get(Clock).now())


def period(asked: PeriodQuery, now: date, *, days: int = DAYS) -> Period:
    """The days that are asked for, none of them after `now`.

    Raises: HttpProblem 422 for days the wrong way round, too many, or before anybody counted followers.
    """
    for field, given in (("start_date", asked.start_date), ("end_date", asked.end_date)):
        if given is not None and given < EARLIEST:
            raise refusal(field, f"{field} is before {EARLIEST}")
    end = asked.end_date or max(now, asked.start_date or now)
    start = asked.start_date or max(EARLIEST, min(end, now) - timedelta(days=days - 1))
    if start > end:
        raise refusal("start_date", f"start_date {start} is after end_date {end}")
    if (end - start).days >= LONGEST:
        raise refusal("start_date", f"{start} to {end} is longer than five years; ask for one part after the other")
    return Period(start, min(end, now))


def refuse_too_much(accounts: int, days: int) -> None:
    """Refuse what would keep the service busy for minutes.

    Raises: HttpProblem 422.
    """
    if accounts * days > CELLS:
        raise refusal(
            "start_date", f"{days} days of {accounts} accounts are too many at once; ask for {CELLS // accounts} days"
        )


def refusal(field: str, detail: str, allowed: Sequence[str] | None = None) -> HttpProblem:
    return HttpProblem(
        422, "invalid_parameter", detail, field=field, allowed=", ".join(allowed) if allowed is not None else None
    )


def choose(field: str, value: str, allowed: Sequence[str]) -> str:
    """The value, if it is one of those there are.

    Raises: HttpProblem 422 that names them.
    """
    if value not in allowed:
        raise refusal(field, f"{field} {value[:80]!r} is not known", allowed)
    return value


def split_names(field: str, value: str | None, allowed: Sequence[str]) -> tuple[str, ...] | None:
    """Names by comma; None when nothing is asked for.

    Raises: HttpProblem 422 for one that is not known, or is said twice.
    """
    if value is None:
        return None
    names = tuple(choose(field, name.strip(), allowed) for name in value.split(","))
    if len(set(names)) < len(names):
        raise refusal(field, f"{field} names something twice", allowed)
    return names


class Whose(Protocol):
    """What accounts are told apart by, and readers ask for."""

    @property
    def platform(self) -> str | None: ...
    @property
    def topic(self) -> str | None: ...
    @property
    def owner(self) -> str | None: ...


def fits(asked: Whose, account: Whose) -> bool:
    """Whether an account is of the platform, topic and owner that are asked for."""
    return (
        matches(asked.platform, account.platform)
        and matches(asked.topic, account.topic)
        and matches(asked.owner, account.owner)
    )
