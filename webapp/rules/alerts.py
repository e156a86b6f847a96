"""When somebody has to be told: what is wrong by which facts, and which alert begins, goes on or ends by it. Pure.

A finding is something that is so now. An alert begins with a finding that none stands for, and ends when the finding has
been away for a while (`calm`), so that what flaps is one alert. Whoever is told, is told twice: at its beginning and at its end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

from webapp.model import METRICS, Metric, Values
from webapp.rules.alert_kinds import Kind, Level, Rule
from webapp.rules.due import TOLERANCE
from webapp.rules.freshness import FROZEN, ProgramAge, are_readings_frozen, are_readings_stale, is_stale
from webapp.rules.platforms import units_used
from webapp.rules.words import grouped, signed, utc

IN_A_ROW = 3
DEGRADED = timedelta(hours=1)
CALM = timedelta(minutes=30)
# What is looked at by the hour, or comes back by the day, has to be away for longer.
CALMS: Mapping[Rule, timedelta] = {
    "quota": timedelta(hours=26),
    "reader": timedelta(hours=2),
    "moved": timedelta(hours=2),
    "target": timedelta(hours=24),
}
LOOK = timedelta(hours=1)  # between two looks at what costs more to find out: programs, and movements

GUARDS = ("sheet_shrank", "column_shrank", "cut_file")
GONE = ("tab_missing", "column_gone", "tab_without_cells")

QUOTA_SHARE = 0.9
FALLEN, RISEN = 20, 100  # percent in 24 hours
MOVED_FROM = 1_000  # a total below that moves by much every day
MOVED_METRICS: tuple[Metric, ...] = ("followers", "views")
MARGIN = 0.02  # that a number has to be on the good side of its line before the line counts as free again


class Key(NamedTuple):
    """What an alert is about. project_id None: the whole service. subject: what of it, where there may be several."""

    rule: Rule
    project_id: str | None = None
    subject: str = ""


@dataclass(frozen=True)
class Finding:
    """Something that is so now. since: when it began, as far as is known. what: in one line, without the project's name.

    advice: what to do. cell: its address in the Sheet. details: what a page needs to mark the number.
    """

    key: Key
    since: datetime | None
    what: str
    advice: str
    level: Level = "problem"
    cell: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Standing(NamedTuple):
    """An alert that is open. calm_since: since when what it is about is not so any more. announced: somebody was told."""

    id: int
    key: Key
    calm_since: datetime | None = None
    announced: bool = True
    acknowledged: bool = False


class Change(NamedTuple):
    """What becomes of one alert. id None: a new one. finding: of one that begins, or is announced late."""

    act: Literal["open", "announce", "calm", "excite", "close"]
    key: Key
    id: int | None = None
    finding: Finding | None = None


# What is so


class ProjectFacts(Protocol):
    """What is stored of a project. Times are aware UTC; None: never."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def auto_sync(self) -> bool: ...
    @property
    def interval_minutes(self) -> int | None: ...
    @property
    def failures(self) -> int: ...
    @property
    def degraded_since(self) -> datetime | None: ...
    @property
    def last_error(self) -> str | None: ...
    @property
    def synced_at(self) -> datetime | None: ...
    @property
    def checked_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime | None: ...
    @property
    def target_views(self) -> int | None: ...


class ResultFacts(Protocol):
    """A project's result in the run that has just ended."""

    @property
    def success(self) -> bool: ...
    @property
    def degraded(self) -> bool: ...
    @property
    def skipped(self) -> str | None: ...
    @property
    def error_code(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def problems(self) -> Sequence[Mapping[str, Any]]: ...


class SourceFacts(Protocol):
    """How a spreadsheet or a platform stands, since when, and why."""

    @property
    def state(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def message(self) -> str | None: ...


class PlatformFacts(SourceFacts, Protocol):
    @property
    def name(self) -> str: ...
    @property
    def quota_limit(self) -> int | None: ...
    @property
    def quota_used(self) -> int: ...
    @property
    def quota_ends(self) -> datetime | None: ...


class Watched(Protocol):
    """A number that somebody watches. account_id None: the project's total. value: a count, or percent in 24 hours."""

    @property
    def id(self) -> int: ...
    @property
    def project_id(self) -> str: ...
    @property
    def account_id(self) -> int | None: ...
    @property
    def metric(self) -> Metric: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def value(self) -> int: ...


def find_failing(project: ProjectFacts, result: ResultFacts, now: datetime) -> Iterator[Finding]:
    """What a project's last sync says of it. Nothing of one that was left out of the run."""
    words = result.error or project.last_error or "see the log"
    if result.error_code in GUARDS:
        cell = _cell_of(result)
        yield Finding(
            Key("guard", project.id), project.degraded_since, words, "mend the tab, or sync with force", cell=cell
        )
    elif result.error_code in GONE:
        yield Finding(
            Key("gone", project.id),
            project.degraded_since,
            words,
            "put it back, or say where it is now",
            cell=_cell_of(result),
        )
    elif _is_failing(project, result, now):
        count = f"{project.failures} syncs in a row did not succeed: " if project.failures > 1 else ""
        yield Finding(
            Key("failing", project.id),
            project.degraded_since or project.synced_at,
            count + words,
            "see the run for what to mend",
        )


def _cell_of(result: ResultFacts) -> str | None:
    found = next((problem for problem in result.problems if problem["code"] == result.error_code), None)
    return None if found is None else found.get("cell")


def _is_failing(project: ProjectFacts, result: ResultFacts, now: datetime) -> bool:
    """Failed several times, or done with what is stored for long."""
    if project.degraded_since is not None and now - project.degraded_since >= DEGRADED:
        return True
    return not result.success and not result.degraded and project.failures >= IN_A_ROW


def find_stale(project: ProjectFacts, stale_after_minutes: int, now: datetime, *, standing: bool) -> Iterator[Finding]:
    """A project that is synced by itself, and was not for twice its interval. standing: somebody was told already.

    One that was tried meanwhile is nobody's omission: why it did not succeed is told by what it failed of.
    """
    since = project.synced_at or project.created_at
    if project.status != "active" or not project.auto_sync:
        return
    tried = since if standing else max(filter(None, (since, project.checked_at)), default=None)
    if is_stale(tried, stale_after_minutes, project.interval_minutes, now):
        missed = _missed(since, project.interval_minutes or max(1, stale_after_minutes // 2), now)
        last = "it was never synced" if project.synced_at is None else f"the last success was {utc(project.synced_at)}"
        yield Finding(
            Key("stale", project.id), since, f"{last}{missed}", "see whether the cron still calls, and the log of runs"
        )


def _missed(since: datetime | None, interval_minutes: int, now: datetime) -> str:
    count = 0 if since is None else (now - since) // timedelta(minutes=interval_minutes)
    return f"; {count} turns were missed" if count > 1 else ""


def find_waiting(project_id: str, held: int, doubted: int) -> Iterator[Finding]:
    """Values that are too odd to be believed. held: readings; doubted: typed into the Sheet."""
    parts = [
        f"{count} {words}{'s' if count > 1 else ''}"
        for count, words in ((held, "reading"), (doubted, "typed value"))
        if count
    ]
    if parts:
        what = (
            f"{' and '.join(parts)} too far off the last credible one{'s' if held + doubted > 1 else ''} to be believed"
        )
        yield Finding(Key("waiting", project_id), None, what, "accept or reject, or mend the cell")


def find_source(
    subject: str, rule: Literal["spreadsheet", "platform"], source: SourceFacts, worst: int, now: datetime
) -> Iterator[Finding]:
    """A spreadsheet or platform that cannot be read: for an hour, or for good. worst: most failures in a row of its projects."""
    if source.state == "ok":
        return
    long = source.since is not None and now - source.since >= DEGRADED
    if long or (source.state == "failed" and worst >= IN_A_ROW):
        what = source.message or f"it is {source.state}"
        yield Finding(
            Key(rule, None, subject),
            source.since,
            what,
            "the last good values stay; see that it is there, shared and not refused",
        )


def find_quota(platform: PlatformFacts, now: datetime) -> Iterator[Finding]:
    used, limit = units_used(platform, now), platform.quota_limit
    if limit is not None and used >= QUOTA_SHARE * limit:
        what = f"{grouped(used)} of today's {grouped(limit)} units of {platform.name} are used"
        yield Finding(
            Key("quota", None, platform.name),
            None,
            what,
            "read less often (SMART_SYNC_READ_MINUTES), or ask for more units",
        )


def find_silent(age: ProgramAge, stale_after_minutes: int, now: datetime) -> Iterator[Finding]:
    """A program that reads and has stopped, or says the same over and over."""
    key = Key("reader", None, age.origin or "")
    advice = "see that the program still runs and is not refused"
    if are_readings_stale(age.newest, stale_after_minutes, now):
        yield Finding(
            key, age.newest, f"the newest reading of its {age.accounts} accounts came {utc(age.newest)}", advice
        )
    elif are_readings_frozen(age):
        same = f"{age.frozen} of {age.accounts} accounts say the same for {FROZEN.days} days"
        yield Finding(key, now - FROZEN, same, advice)


class Moved(NamedTuple):
    """How a project's totals moved in 24 hours. stayed: what those accounts had that count at both ends."""

    growth: Values
    stayed: Values


def find_moved(project_id: str, moved: Moved, limits: Mapping[tuple[Metric, Kind], int]) -> Iterator[Finding]:
    """Totals that have fallen or risen by too much. limits: percent, where somebody has set others than the usual."""
    for place, metric in enumerate(METRICS):
        growth, stayed = moved.growth[place], moved.stayed[place]
        if growth is None or stayed is None or stayed < MOVED_FROM:
            continue
        usual = metric in MOVED_METRICS
        fallen = limits.get((metric, "fallen"), FALLEN if usual else None)
        risen = limits.get((metric, "risen"), RISEN if usual else None)
        percent = 100 * growth / stayed
        if (fallen is not None and -percent >= fallen) or (risen is not None and percent >= risen):
            what = f"{metric} {'fell' if growth < 0 else 'rose'} by {abs(percent):.0f} % in 24 hours ({signed(growth)})"
            yield Finding(
                Key("moved", project_id, metric),
                None,
                what,
                "see which accounts did",
                "risk",
                details={"metric": metric},
            )


def find_crossed(watched: Watched, value: int | None, *, standing: bool, whose: str = "") -> Iterator[Finding]:
    """A watched number that is beyond its line. standing: it was so already. whose: the account's name."""
    if value is None or watched.kind in ("fallen", "risen"):
        return
    margin = MARGIN * watched.value if standing else 0
    above = watched.kind == "above"
    if value >= watched.value - margin if above else value <= watched.value + margin:
        what = f"{whose + ': ' if whose else ''}{watched.metric} {'reached' if above else 'fell to'} {grouped(value)} (limit {grouped(watched.value)})"
        details = {"metric": watched.metric, "account_id": watched.account_id, "limit": watched.value}
        yield Finding(
            Key("threshold", watched.project_id, str(watched.id)),
            None,
            what,
            "acknowledge it once somebody knows",
            "risk",
            details=details,
        )


def find_target(project: ProjectFacts, views: int | None, *, standing: bool) -> Iterator[Finding]:
    target = project.target_views
    if target and views is not None and views >= target * (1 - MARGIN if standing else 1):
        what = f"the target of {grouped(target)} views is reached: {grouped(views)}"
        yield Finding(target_key(project), None, what, "set the next one, or finish the project", "news")


def target_key(project: ProjectFacts) -> Key:
    """Each target is told of its own: the next one may be reached soon after it was set."""
    return Key("target", project.id, str(project.target_views or ""))


def find_silence(seen_at: datetime, now: datetime, interval_minutes: int) -> Finding:
    """Nobody asked for what is due, until just now."""
    missed = _missed(seen_at, interval_minutes, now)
    what = f"nobody asked for what is due from {utc(seen_at)} until {utc(now)}{missed}"
    return Finding(Key("silence"), seen_at, what, "what was missed was made up for once; see why the cron did not call")


# What becomes of alerts


@dataclass(frozen=True)
class Judged:
    """What was looked at: these rules of the whole service, and these of these projects. Other alerts stay as they are.

    gone: projects that are not there any more, or not synced; nothing of them is wrong.
    """

    rules: Collection[Rule] = ()
    of_projects: Mapping[Rule, Collection[str]] = field(default_factory=dict)
    gone: Collection[str] = ()

    def covers(self, key: Key) -> bool:
        if key.project_id is None:
            return key.rule in self.rules
        return key.project_id in self.gone or key.project_id in self.of_projects.get(key.rule, ())


class Mute(NamedTuple):
    """Who is not to be told. Empty: of every rule, of every project. until None: until it is taken back."""

    rule: str = ""
    project_id: str = ""
    until: datetime | None = None


def is_muted(key: Key, mutes: Iterable[Mute], now: datetime) -> bool:
    return any(
        one.rule in ("", key.rule)
        and one.project_id in ("", key.project_id or "")
        and (one.until is None or now < one.until)
        for one in mutes
    )


def calm_of(key: Key, intervals: Mapping[str, int]) -> timedelta:
    """How long a finding has to be away. intervals: minutes, of projects."""
    own = timedelta(minutes=intervals.get(key.project_id or "", 0))
    return max(CALMS.get(key.rule, CALM), own)


def changes(
    standing: Iterable[Standing],
    found: Iterable[Finding],
    judged: Judged,
    now: datetime,
    *,
    mutes: Collection[Mute] = (),
    intervals: Mapping[str, int] | None = None,
) -> list[Change]:
    """What becomes of which alert, by what was found. intervals: minutes, of projects; the shortest calm of theirs."""
    findings = {one.key: one for one in found}
    made: list[Change] = []
    for one in standing:
        finding = findings.pop(one.key, None)
        made += _follow(
            one, finding, judged, now, muted=is_muted(one.key, mutes, now), calm=calm_of(one.key, intervals or {})
        )
    return made + [Change("open", key, None, finding) for key, finding in findings.items()]


def _follow(
    one: Standing, finding: Finding | None, judged: Judged, now: datetime, *, muted: bool, calm: timedelta
) -> Iterator[Change]:
    if finding is not None:
        if one.calm_since is not None:
            yield Change("excite", one.key, one.id)
        if not (one.announced or one.acknowledged or muted):
            yield Change("announce", one.key, one.id, finding)
    elif one.calm_since is not None and now - one.calm_since + TOLERANCE >= calm:
        yield Change("close", one.key, one.id)
    elif (one.calm_since is None and judged.covers(one.key)) or _is_ahead(one.calm_since, now):
        yield Change("calm", one.key, one.id)


def _is_ahead(moment: datetime | None, now: datetime) -> bool:
    """Whether a moment was written by a clock that was wrong, so that it is no time to wait from."""
    return moment is not None and moment > now + TOLERANCE
