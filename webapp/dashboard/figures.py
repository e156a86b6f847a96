"""What the pages show, from a constant number of statements each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.dashboard.charts import Point, Spark, spark
from webapp.model import METRICS, UNKNOWN, Metric, Values
from webapp.rules.addresses import cells_of
from webapp.rules.freshness import is_stale
from webapp.rules.growth import DAY, difference, grown_since, total
from webapp.rules.growth import Point as Stood
from webapp.rules.history import ProjectDay, Standing, daily_sums, days_of, history, members_of
from webapp.rules.merge import pin_in_force, policy_of, verdict
from webapp.store import held, leases, observations, pins, projects
from webapp.store.accounts import Account
from webapp.store.heads import all_heads
from webapp.store.held import ListedHeld
from webapp.store.observations import Sources
from webapp.store.projects import Project
from webapp.store.projects import Project as Head
from webapp.store.standing import Grown, cells, grown, standing_at
from webapp.store.tables import projects as projects_table

WEEK = timedelta(days=7)
SPARK_DAYS = 30
VIEWS = METRICS.index("views")
PROBLEMS = 100
PER_PAGE = 40
TEXTS = ("username", "platform", "owner", "topic")
SORTS = (*TEXTS, *METRICS, "growth")


class Sums(NamedTuple):
    """A project's accounts together. day, week: what they grew by in 24 hours and 7 days."""

    accounts: int
    counts: Values
    day: Values
    week: Values
    views: Sequence[int | None]


NOBODY = Sums(0, UNKNOWN, UNKNOWN, UNKNOWN, ())


class Kept:
    """The sums of the home page as of the last change of anything in them, for whoever looks next."""

    def __init__(self) -> None:
        self._found: OrderedDict[Any, dict[str, Sums]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> dict[str, Sums] | None:
        with self._lock:
            return self._found.get(key)

    def put(self, key: Any, sums: dict[str, Sums]) -> None:
        with self._lock:
            self._found[key] = sums
            while len(self._found) > 2:  # noqa: PLR2004  this state, and the one a slower reader is still at
                self._found.popitem(last=False)


@dataclass(frozen=True)
class Card:
    """One project at a glance. state: the worst thing that is so."""

    project: Project
    head: Head
    sums: Sums
    spark: Spark | None
    state: str
    problems: int
    held: int
    percent: float | None


@dataclass(frozen=True)
class Home:
    cards: Sequence[Card]

    @property
    def accounts(self) -> int:
        return sum(card.sums.accounts for card in self.cards)

    @property
    def checked_at(self) -> datetime | None:
        times = [card.project.checked_at for card in self.cards if card.project.checked_at]
        return max(times, default=None)


def home(tx: sa.Connection, kept: Kept, generation: int, now: datetime, stale_after: int) -> Home:
    """Every project that is not removed, by name."""
    heads = all_heads(tx)
    today = now.date()
    key = generation, today, tuple((h.id, h.revision, h.changed_at, h.synced_at) for h in heads)
    sums = kept.get(key)
    if sums is None:
        sums = _all_sums(tx, heads, today)
        kept.put(key, sums)
    rows = {p.id: p for p in projects.listed(tx, projects_table.c.removed_at.is_(None), order_by=())}
    waiting, syncing = held.counts(tx), leases.syncing(tx)
    cards = [
        _card(rows[head.id], head, sums.get(head.id, NOBODY), waiting, syncing, now, stale_after)
        for head in heads
        if head.id in rows
    ]
    return Home(cards)


def _card(
    project: Project,
    head: Head,
    sums: Sums,
    held: Mapping[str, int],
    syncing: set[str],
    now: datetime,
    stale_after: int,
) -> Card:
    return Card(
        project,
        head,
        sums,
        spark(sums.views),
        _state(project, syncing, now, stale_after),
        len(_problems(project)),
        held.get(project.id, 0),
        _percent(sums.counts[VIEWS], head.target_views),
    )


def _state(project: Project, syncing: set[str], now: datetime, stale_after: int) -> str:
    if project.id in syncing:
        return "running"
    if project.status != "active":
        return project.status
    if project.failures:
        return "failed" if project.degraded_since is None else "degraded"
    if project.degraded_since is not None:
        return "degraded"
    if project.synced_at is None:
        return "new"
    return "stale" if is_stale(project.synced_at, stale_after, project.interval_minutes, now) else "fresh"


def _problems(project: Project) -> Sequence[Mapping[str, Any]]:
    """What the last reading of the sheet found to mend."""
    report = (project.sheet_report or {}).get("final") or {}
    found: Sequence[Mapping[str, Any]] = report.get("problems", ())
    return found


def _percent(views: int | None, target: int | None) -> float | None:
    return None if views is None or not target else round(100 * views / target, 1)


def _all_sums(tx: sa.Connection, heads: Sequence[Head], today: date) -> dict[str, Sums]:
    everyone = [*grown(tx, "all", None, removed=True)]
    stood = standing_at(tx, "all", None, today - WEEK)
    first = today - timedelta(days=SPARK_DAYS - 1)
    before = standing_at(tx, "all", None, first - timedelta(days=1))
    owner = {one.account.id: one.account.project_id for one in everyone}
    left = members_of(one.account for one in everyone).left
    views = daily_sums((first, today), before, cells(tx, "all", None, first, today), owner, left, place=VIEWS)
    mine: dict[str, list[Grown]] = {}
    for one in everyone:
        if one.account.removed_at is None:
            mine.setdefault(one.account.project_id, []).append(one)
    return {h.id: _sums(mine.get(h.id, []), h.as_of, stood, views.get(h.id, ())) for h in heads}


def _sums(accounts: Sequence[Grown], as_of: datetime | None, stood: Standing, views: Sequence[int | None]) -> Sums:
    return Sums(
        len(accounts),
        total(one.account.counts for one in accounts),
        total(_day_growth(one, as_of) for one in accounts),
        total(_week_growth(one.account, stood) for one in accounts),
        views,
    )


def _day_growth(one: Grown, as_of: datetime | None) -> Values:
    if as_of is None:
        return UNKNOWN
    return grown_since(as_of - DAY, Stood(as_of, one.account.counts), one.points)


def _week_growth(account: Account, stood: Standing) -> Values:
    return difference(account.counts, stood[account.id][1]) if account.id in stood else UNKNOWN


# One project


@dataclass(frozen=True)
class Listing:
    """Which accounts, in which order."""

    sort: str = "views"
    descending: bool = True
    q: str = ""
    platform: str = ""
    topic: str = ""
    page: int = 1


@dataclass(frozen=True)
class Number:
    """A count and whose it is. winner: sheet, parsed, pin, or None for none. why: in words, with cell addresses."""

    value: int | None
    winner: str | None
    why: str


@dataclass(frozen=True)
class Row:
    account: Account
    numbers: Sequence[Number]
    growth: int | None
    spark: Spark | None


@dataclass(frozen=True)
class Tile:
    metric: Metric
    value: int | None
    day: int | None
    week: int | None
    spark: Spark | None


@dataclass(frozen=True)
class Group:
    """Some accounts together. share: percent of the largest group's."""

    name: str
    accounts: int
    value: int | None
    share: float


@dataclass(frozen=True)
class ProjectPage:
    project: Project
    head: Head
    state: str
    tiles: Sequence[Tile]
    percent: float | None
    points: Sequence[Point]
    platforms: Sequence[Group]
    topics: Sequence[Group]
    rows: Sequence[Row]
    total: int
    found: int
    pages: int
    problems: Sequence[Mapping[str, Any]]
    problem_count: int
    held: Sequence[ListedHeld]


def project_page(
    tx: sa.Connection, head: Head, metric: Metric, days: int, listing: Listing, now: datetime, stale_after: int
) -> ProjectPage | None:
    """None when the project has been removed meanwhile."""
    project = projects.by_id(tx, head.id)
    if project is None:
        return None
    today = now.date()
    everyone = [*grown(tx, "project", head.id, removed=True)]
    there = [one for one in everyone if one.account.removed_at is None]
    stood = standing_at(tx, "project", head.id, today - WEEK)
    growths = {one.account.id: _day_growth(one, head.as_of) for one in there}
    place = METRICS.index(metric)
    fitting = _ordered([one.account for one in there if _fits(one.account, listing)], growths, listing, place)
    pages = max(1, -(-len(fitting) // PER_PAGE))
    start = (min(listing.page, pages) - 1) * PER_PAGE
    shown = fitting[start : start + PER_PAGE]

    first = today - timedelta(days=max(days, SPARK_DAYS) - 1)
    before = standing_at(tx, "project", head.id, first - timedelta(days=1))
    series = _Series({account.id for account in shown}, today - timedelta(days=SPARK_DAYS - 1), place)
    found = series.watched(cells(tx, "project", head.id, first, today))
    past = history(first, today, before, found, members_of(one.account for one in everyone)).days

    sums = _sums(there, head.as_of, stood, ())
    syncing = {head.id} if leases.is_syncing(tx, head.id) else set()
    sources = observations.sources_of(tx, [account.id for account in shown], now)
    problems = _problems(project)
    return ProjectPage(
        project=project,
        head=head,
        state=_state(project, syncing, now, stale_after),
        tiles=[_tile(m, i, sums, past[-SPARK_DAYS:]) for i, m in enumerate(METRICS)],
        percent=_percent(sums.counts[VIEWS], head.target_views),
        points=_points(past, first, today, place)[-days:],
        platforms=_groups(((a.platform, a) for a, _ in there), place),
        topics=_groups(((a.topic or "no topic", a) for a, _ in there), place),
        rows=[_row(a, head, sources[a.id], growths[a.id][place], series.of(a.id, today)) for a in shown],
        total=len(there),
        found=len(fitting),
        pages=pages,
        problems=problems[:PROBLEMS],
        problem_count=len(problems),
        held=held.listed(tx, project_id=head.id),
    )


def _fits(account: Account, listing: Listing) -> bool:
    texts = (account.username, account.profile_url, account.owner, account.topic)
    said = listing.q.casefold()
    return (
        (not listing.platform or account.platform == listing.platform)
        and (not listing.topic or (account.topic or "no topic") == listing.topic)
        and (not said or any(said in text.casefold() for text in texts if text))
    )


def _ordered(accounts: Sequence[Account], growths: Mapping[int, Values], listing: Listing, place: int) -> list[Account]:
    """By the value, those without one last, and by id among equals."""

    def value(account: Account) -> Any:
        if listing.sort == "growth":
            return growths[account.id][place]
        found = (
            account.counts[METRICS.index(listing.sort)] if listing.sort in METRICS else getattr(account, listing.sort)
        )
        return found.casefold() if isinstance(found, str) else found

    ordered = sorted(accounts, key=lambda account: account.id)
    known = [account for account in ordered if value(account) is not None]
    known.sort(key=value, reverse=listing.descending)
    return known + [account for account in ordered if value(account) is None]


class _Series:
    """One metric of a few accounts by day, picked up while the snapshots of all go by."""

    def __init__(self, ids: set[int], first: date, place: int) -> None:
        self._found: dict[int, dict[date, int | None]] = {account_id: {} for account_id in ids}
        self._first = first
        self._place = place

    def watched(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            mine = self._found.get(row[1])
            if mine is not None:
                mine[row[0]] = row[2 + self._place]
            yield row

    def of(self, account_id: int, today: date) -> Spark | None:
        mine = self._found[account_id]
        count = (today - self._first).days + 1
        values = [mine.get(self._first + timedelta(days=n)) for n in range(count)]
        return spark([value for value in values if value is not None])


def _tile(metric: Metric, place: int, sums: Sums, past: Sequence[ProjectDay]) -> Tile:
    values = [day.counts[place] for day in past if not _is_gap(day)]
    return Tile(metric, sums.counts[place], sums.day[place], sums.week[place], spark(values))


def _is_gap(day: ProjectDay) -> bool:
    """No account has a snapshot of the day."""
    return day.since is None and day.carried > 0


def _points(past: Sequence[ProjectDay], first: date, last: date, place: int) -> list[Point]:
    known = {day.day: day for day in past}
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [_point(day, known.get(day), place) for day in days]


def _point(day: date, found: ProjectDay | None, place: int) -> Point:
    if found is None:
        return Point(day, None, gap=True)
    return Point(day, found.counts[place], found.growth[place], found.carried, _is_gap(found))


def _groups(named: Iterable[tuple[str, Account]], place: int) -> list[Group]:
    """Those with the most first."""
    found: dict[str, list[Values]] = {}
    for name, account in named:
        found.setdefault(name, []).append(account.counts)
    sums = {name: (len(rows), total(rows)[place]) for name, rows in found.items()}
    largest = max((value or 0 for _, value in sums.values()), default=0) or 1
    groups = [Group(name, n, value, round(100 * (value or 0) / largest, 1)) for name, (n, value) in sums.items()]
    return sorted(groups, key=lambda group: (-(group.value or 0), group.name))[:20]


def _row(account: Account, head: Head, sources: Sources, growth: int | None, drawn: Spark | None) -> Row:
    columns = _columns(head)
    numbers = [_number(account, head, sources, place, columns.get(metric)) for place, metric in enumerate(METRICS)]
    return Row(account, numbers, growth, drawn)


def _columns(head: Head) -> Mapping[Metric, str]:
    return head.sheet_columns or {}


def _number(account: Account, head: Head, sources: Sources, place: int, column: str | None) -> Number:
    metric = METRICS[place]
    sheet = sources.observed.get("sheet")
    parsed = sources.observed.get("parsed")
    policy = policy_of(head.merge_policy, account.mode)
    typed = sheet.counts[place] if sheet else None
    found = verdict(typed, sources.believed[place], policy, sources.pins.get(metric))
    why = {
        "sheet": ", ".join(cells_of(sheet.origin if sheet else None, column)) or "the Sheet",
        "parsed": f"read by {(parsed.origin if parsed else None) or 'a program'}",
        "pin": "pinned by a person",
        None: "nobody observed it",
    }[found.winner]
    return Number(account.counts[place], found.winner, why)


# One account


@dataclass(frozen=True)
class Side:
    """What one source says of a metric."""

    source: str
    value: int | None
    where: str
    since: Any
    note: str | None


@dataclass(frozen=True)
class Told:
    """Why a metric is what it is."""

    metric: Metric
    number: Number
    sides: Sequence[Side]
    pin: pins.Pin | None
    held: Sequence[held.Held]


@dataclass(frozen=True)
class AccountPage:
    account: Account
    head: Head
    tiles: Sequence[Tile]
    points: Sequence[Point]
    told: Sequence[Told]


def account_page(
    tx: sa.Connection, head: Head, account_id: int, metric: Metric, days: int, now: datetime
) -> AccountPage:
    """An account, removed or not, of a project that is there."""
    today = now.date()
    (one,) = grown(tx, "account", account_id, removed=True)
    account = one.account
    stood = standing_at(tx, "account", account_id, today - WEEK)
    first = today - timedelta(days=max(days, SPARK_DAYS) - 1)
    before = standing_at(tx, "account", account_id, first - timedelta(days=1))
    past = days_of(first, today, before, cells(tx, "account", account_id, first, today), members_of([account]))
    place = METRICS.index(metric)
    known = {day.day: day for day in past}
    all_days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    points = [
        Point(day, None, gap=True)
        if day not in known
        else Point(day, known[day].end[place], known[day].growth[place], int(known[day].carried), known[day].carried)
        for day in all_days
    ]
    day_growth, week_growth = _day_growth(one, head.as_of), _week_growth(account, stood)
    tiles = [
        Tile(m, account.counts[i], day_growth[i], week_growth[i], spark([d.end[i] for d in past if not d.carried]))
        for i, m in enumerate(METRICS)
    ]
    return AccountPage(account, head, tiles, points[-days:], _told(tx, account, head, now))


def _told(tx: sa.Connection, account: Account, head: Head, now: datetime) -> list[Told]:
    sources = observations.sources_of(tx, [account.id], now)[account.id]
    pinned = {pin.metric: pin for pin in pins.of_accounts(tx, [account.id])}
    kept_aside = held.of_account(tx, account.id)
    columns = _columns(head)
    return [
        Told(
            metric,
            _number(account, head, sources, place, columns.get(metric)),
            [_side(one, place, columns.get(metric)) for one in sources.observed.values()],
            _live(pinned.get(metric), now),
            [one for one in kept_aside if one.metric == metric],
        )
        for place, metric in enumerate(METRICS)
    ]


def _live(pin: pins.Pin | None, now: datetime) -> pins.Pin | None:
    return pin if pin is not None and pin_in_force(pin.until, now) else None


def _side(one: observations.Observation, place: int, column: str | None) -> Side:
    places = cells_of(one.origin, column) if one.source == "sheet" else []
    return Side(one.source, one.counts[place], ", ".join(places) or one.origin or "", one.observed_at, one.note)
