"""From what is stored and what was read to the rows that have to change. Pure: no database, no clock, no network.

A dry run shows a plan; a real run writes the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from webapp.clock import as_utc
from webapp.model import METRICS, NOTHING, Counts, Metric, Mode, Policy, Problem, SkipReason, Values
from webapp.rules.addresses import cell_address, rows_address
from webapp.rules.merge import Pin, implausible, keep_unread, merge, policy_of, verdict
from webapp.rules.modes import mode_of
from webapp.sources.sheet.reading import SheetRow, TabReading
from webapp.store.held import Held
from webapp.store.observations import Stored

SHRINK_MINIMUM = 10
HISTORY = timedelta(days=3)
PATIENCE = timedelta(hours=24)
AGREEING = 2


@dataclass(frozen=True)
class Inputs:
    """Everything besides accounts and rows that decides a plan. Times are aware UTC.

    reading: the tab as read and to be applied; None: the stored sheet observations stand.
    columns: the letters of the metrics' columns when the tab was last understood.
    """

    now: datetime
    policy: Policy = "max"
    reading: TabReading | None = None
    discover: bool = True
    columns: Mapping[Metric, str] = field(default_factory=dict)
    pins: Mapping[int, tuple[Pin, ...]] = field(default_factory=dict)
    held: Mapping[tuple[int, int], Held] = field(default_factory=dict)


class NewAccount(NamedTuple):
    row: SheetRow
    mode: Mode
    counts: Counts  # merged; a new account has no readings yet
    origin: str


class HeldChange(NamedTuple):
    """What happens to a held reading. id None: a new one is opened."""

    id: int | None
    account_id: int
    metric: int
    value: int
    last_good: int | None
    observed_at: datetime | None
    origin: str | None
    held_at: datetime
    agreeing: int
    state: Literal["held", "confirmed", "withdrawn"]


class Change(NamedTuple):
    """One line of a preview. `cell` is where the winning or offending value stands."""

    kind: Literal["add", "change", "remove", "return", "held", "skip"]
    profile_url: str
    metric: str | None = None
    old: int | None = None
    new: int | None = None
    winner: str | None = None
    reason: str | None = None
    cell: str | None = None


@dataclass
class Plan:
    """Rows to write, in the order of the columns their statements take, and what people should know.

    settled: nothing in it depends on time, so while no input changes the next plan is empty.
    """

    new: list[NewAccount] = field(default_factory=list)
    described: list[tuple[int, SheetRow, Mode]] = field(default_factory=list)
    sheet: list[tuple[int, Values, Any, str, str | None]] = field(
        default_factory=list
    )  # id, counts, since, origin, note
    unsaid: list[int] = field(default_factory=list)  # the sheet says nothing of these any more
    accepted: list[tuple[int, Values]] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)  # their readings are gone
    counts: list[tuple[int, Values]] = field(default_factory=list)
    told: list[tuple[int, dict[str, list[Any]]]] = field(default_factory=list)  # id, {metric: [old, new, winner, cell]}
    lowered: list[tuple[int, Values]] = field(default_factory=list)  # today's snapshot follows the corrected sheet
    removed: list[int] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    held: list[HeldChange] = field(default_factory=list)
    total: int = 0
    settled: bool = True
    problems: list[Problem] = field(default_factory=list)
    skips: dict[SkipReason, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    unmatched: list[Problem] = field(
        default_factory=list
    )  # rows of nobody, which are not taken; `problems` has them too
    read_rows: int = 0  # accounts in the tab as read
    lost_rows: int = 0  # accounts that were in the tab and have no row now
    lost_values: list[int] = field(default_factory=lambda: [0] * len(METRICS))  # in rows that are still there

    def skip(self, reason: SkipReason) -> None:
        self.skips[reason] = self.skips.get(reason, 0) + 1

    @property
    def changes_what_readers_see(self) -> bool:
        numbers = self.new or self.described or self.counts or self.removed or self.returned or self.lowered
        reasons = self.sheet or self.unsaid or self.accepted or self.forgotten or self.held
        return bool(numbers or reasons)


def make_plan(stored: Iterable[Stored], inputs: Inputs, *, explain: bool = False) -> Plan:
    """The plan for one project.

    stored: every account the project ever had; consumed once. The rows of `inputs.reading` are consumed too.
    explain: list each change in `plan.changes`.
    """
    return _Planner(inputs, explain=explain).run(stored)


def may_have_shrunk(plan: Plan) -> bool:
    """Whether so much has gone that it is worth counting what there was."""
    emptied = plan.lost_rows > 0 and plan.read_rows == 0
    return emptied or max(plan.lost_rows, *plan.lost_values) * 2 >= SHRINK_MINIMUM


def shrinkage(plan: Plan, reading: TabReading, known_rows: int, known_values: Values) -> Problem | None:
    """The problem with a tab that lost all its accounts, or more than half of them or of one metric's values, at once.

    known_rows, known_values: what the sheet told of before; to lose more than half is a problem from 10 on.
    """
    emptied = plan.lost_rows > 0 and plan.read_rows == 0
    if emptied or (known_rows >= SHRINK_MINIMUM and plan.lost_rows * 2 > known_rows):
        return Problem(
            "sheet_shrank",
            f"{reading.title}: {plan.lost_rows} of {known_rows} accounts have lost their rows at once; nothing of "
            "the sheet was applied. Restore the rows, or sync with force=true if this is meant",
            reading.title,
        )
    for metric, known, lost in zip(METRICS, known_values, plan.lost_values, strict=True):
        if (known or 0) >= SHRINK_MINIMUM and lost * 2 > (known or 0):
            cell = cell_address(reading.title, reading.columns.get(metric, ""), "")
            return Problem(
                "column_shrank",
                f"{cell}: {lost} of {known} values of {metric} have gone at once; nothing of the sheet was applied. "
                "Restore the column, or sync with force=true if this is meant",
                cell,
            )
    return None


class _Planner:
    def __init__(self, inputs: Inputs, *, explain: bool) -> None:
        self.inputs = inputs
        self.explain = explain
        self.plan = Plan()
        self.rows = inputs.reading.rows if inputs.reading else {}

    def run(self, stored: Iterable[Stored]) -> Plan:
        plan = self.plan
        reading = self.inputs.reading
        if reading is not None:
            plan.read_rows = len(reading.rows)
            plan.problems.extend(reading.problems)
            plan.skips.update(reading.skips)
        for account in stored:
            self.account(account)
        for row in self.rows.values():
            self.newcomer(row)
        if self.inputs.pins:
            plan.settled = False
        return plan

    # One account that is known

    def account(self, account: Stored) -> None:
        row = self.rows.pop(account.url_key, None) if self.rows else None
        if account.removed_by == "api":
            if row is not None:
                self.plan.skip("removed")
                self.say("skip", account, reason="removed", cell=self.origin(row))
            return
        if self.inputs.reading is None:
            sheet: Values = account.sheet
            if account.removed_by is not None:
                return
        elif row is None:
            if not self.gone(account):
                return
            sheet = NOTHING
        else:
            sheet = self.seen(account, row)
        self.merged(account, sheet, row)

    def gone(self, account: Stored) -> bool:
        """The account has no row now. Whether it stays in the project all the same."""
        if account.removed_by is not None:
            return False
        self.plan.lost_rows += account.sheet_at is not None or account.discovered == "sheet"
        if account.sheet_at is not None:
            self.plan.unsaid.append(account.id)
        if account.discovered == "api":
            return True
        self.plan.removed.append(account.id)
        self.say("remove", account, reason="its row has gone")
        return False

    def seen(self, account: Stored, row: SheetRow) -> Values:
        """The account has a row; answers what the sheet says of it now."""
        plan = self.plan
        if row.profile.url_key != account.url_key:  # a row by a former address does not undo the correction
            profile = row.profile._replace(platform=account.platform, username=account.username)
            row = row._replace(typed=account.profile_url, profile=profile)
        mode: Mode = account.mode if account.mode_set else mode_of(row.status)  # type: ignore[assignment]
        described = (row.typed, row.topic, row.owner, row.status, mode)
        if described != (account.profile_url, account.topic, account.owner, account.status, account.mode) or (
            account.username != row.profile.username or account.platform != row.profile.platform
        ):
            plan.described.append((account.id, row, mode))
        if account.removed_by is not None:
            plan.returned.append(account.id)
            self.say("return", account, cell=self.origin(row))
        old = account.sheet
        sheet: Values = keep_unread(row.counts, old, row.unread) if row.unread else row.counts
        if sheet != old:
            for i in range(len(METRICS)):
                plan.lost_values[i] += old[i] is not None and sheet[i] is None
        return sheet

    def merged(self, account: Stored, sheet: Values, row: SheetRow | None) -> None:
        plan = self.plan
        plan.total += 1
        mode: Mode = account.mode  # type: ignore[assignment]
        if row is not None and not account.mode_set:
            mode = mode_of(row.status)
        if mode == "off":
            plan.skip("off")
        parsed = self.believed(account)
        policy = policy_of(self.inputs.policy, mode)
        pins = self.inputs.pins.get(account.id, ()) if self.inputs.pins else ()
        counts = merge(sheet, parsed, policy, pins)
        if counts != account.known:
            plan.counts.append((account.id, counts))
            self.tell(account, counts, sheet, parsed, policy, pins, row)
        if sheet != account.sheet:
            self.sheet_changed(account, sheet, counts, row)
        elif row is not None and sheet != NOTHING:
            origin = self.origin(row)
            if origin != account.sheet_origin:
                plan.sheet.append((account.id, sheet, account.sheet_at, origin, account.sheet_note))
        if account.sheet_note and sheet == account.sheet:
            self.noted(account.sheet_note, account, sheet, counts, self.moment(account.sheet_at), row)

    def sheet_changed(self, account: Stored, sheet: Values, counts: Counts, row: SheetRow | None) -> None:
        plan = self.plan
        if any(a is not None and (b is None or b < a) for a, b in zip(account.sheet, sheet, strict=True)):
            plan.lowered.append((account.id, counts))
        if sheet == NOTHING:
            if row is not None:
                plan.unsaid.append(account.id)
            return
        assert row is not None  # noqa: S101  the sheet's counts only change by a row
        note = self.note(account, sheet)
        plan.sheet.append((account.id, sheet, self.inputs.now, self.origin(row), note))
        if note:
            self.noted(note, account, sheet, counts, self.inputs.now, row)

    # Values a person should look at

    def note(self, account: Stored, sheet: Values) -> str | None:
        """`implausible:views lowered:likes`: what was odd about the latest edit of each metric."""
        kept = _notes(account)
        found = {}
        for i, metric in enumerate(METRICS):
            old, new = account.sheet[i], sheet[i]
            if old == new:
                if metric in kept:
                    found[metric] = kept[metric]
            elif implausible(old, new) and self.has_history(account):
                found[metric] = "implausible"
            elif old is not None and new is not None and new < old:
                found[metric] = "lowered"
        return " ".join(f"{code}:{metric}" for metric, code in found.items()) or None

    def noted(
        self, note: str, account: Stored, sheet: Values, counts: Counts, since: datetime | None, row: SheetRow | None
    ) -> None:
        for part in note.split():
            code, _, metric = part.partition(":")
            i = METRICS.index(metric)
            cell = self.cell(account, row, i)
            value, current = sheet[i], counts[i]
            if value is None:
                continue
            if code == "implausible" and since is not None and self.inputs.now - since < PATIENCE:
                self.plan.settled = False
                self.plan.problems.append(
                    Problem(
                        "implausible_value",
                        f"{cell}: {value} is ten times off the value before; it is taken, please check the cell",
                        cell,
                    )
                )
            elif code == "lowered" and current is not None and current > value:
                self.plan.problems.append(
                    Problem(
                        "lower_edit_ignored",
                        f"{cell}: {value} was typed, but the platform says {current} and the larger value wins; "
                        "pin the value or set the project's policy to `sheet` to keep it",
                        cell,
                    )
                )

    def has_history(self, account: Stored) -> bool:
        added = self.moment(account.added_at)
        return added is not None and self.inputs.now - added >= HISTORY

    def believed(self, account: Stored) -> Values:
        """The readings that count: as they stand, but the last good one where one is held."""
        raw, good = account.parsed, account.accepted
        if account.parsed_at is None:
            if good != NOTHING:
                self.plan.forgotten.append(account.id)
            return NOTHING
        if raw == good:
            return raw if not self.inputs.held else self.judged(account)
        return self.judged(account)

    def judged(self, account: Stored) -> Values:
        believed = Counts._make(self.judge(account, i) for i in range(len(METRICS)))
        if believed != account.accepted:
            self.plan.accepted.append((account.id, believed))
        return believed

    def judge(self, account: Stored, i: int) -> int | None:
        raw, good = account.parsed[i], account.accepted[i]
        held = self.inputs.held.get((account.id, i))
        is_open = held is not None and held.state == "held"
        if raw is None:
            return good
        if not (implausible(good, raw) and self.has_history(account)):
            if held is not None and held.state in ("held", "rejected"):
                self.hold(account, i, held, held.held_at, state="withdrawn")
            return raw
        if held is not None and _agrees(raw, held.value) and held.state != "held":
            return raw if held.state == "accepted" else self.doubted(good)
        if held is None or not is_open or not _agrees(raw, held.value):
            self.hold(account, i, held if is_open else None, self.inputs.now)
            return good
        return self.hold_on(account, i, held)

    def doubted(self, good: int | None) -> int | None:
        """The last good reading, while the platform repeats one that was rejected: once it does not, that is over."""
        self.plan.settled = False
        return good

    def hold_on(self, account: Stored, i: int, held: Held) -> int | None:
        """A reading that is held already: confirmed by time or by two later readings that agree, or held on."""
        seen_at = self.moment(account.parsed_at)
        later = seen_at is not None and held.observed_at is not None and seen_at > held.observed_at
        agreeing = held.agreeing + later
        held_at = held.held_at or self.inputs.now
        if agreeing >= AGREEING or self.inputs.now - held_at >= PATIENCE:
            self.hold(account, i, held, held_at, agreeing=agreeing, state="confirmed")
            return account.parsed[i]
        self.hold(account, i, held, held_at, agreeing=agreeing)
        return account.accepted[i]

    def hold(
        self,
        account: Stored,
        i: int,
        held: Held | None,
        held_at: datetime | None,
        *,
        agreeing: int = 0,
        state: Literal["held", "confirmed", "withdrawn"] = "held",
    ) -> None:
        raw, good = account.parsed[i], account.accepted[i]
        value = held.value if held is not None and (raw is None or state == "withdrawn") else raw
        assert value is not None  # noqa: S101  only a reading is held
        seen_at = self.moment(account.parsed_at)
        change = HeldChange(
            held.id if held else None,
            account.id,
            i,
            value,
            good,
            seen_at,
            account.parsed_origin,
            held_at or self.inputs.now,
            agreeing,
            state,
        )
        if held is None or (value, seen_at, agreeing, state) != (
            held.value,
            held.observed_at,
            held.agreeing,
            held.state,
        ):
            self.plan.held.append(change)
        if state == "held":
            self.plan.settled = False
            self.plan.problems.append(
                Problem(
                    "held",
                    f"{account.profile_url}: {METRICS[i]} {value} ({account.parsed_origin or 'reading'}) is ten times "
                    f"off the last good {good}; it is held until it is accepted, confirmed by two readings or a day old",
                )
            )
            self.say("held", account, metric=METRICS[i], old=good, new=value, reason=account.parsed_origin)

    # Accounts that are new

    def newcomer(self, row: SheetRow) -> None:
        plan = self.plan
        if not self.inputs.discover:
            problem = Problem(
                "unmatched",
                f"{self.origin(row)}: {row.typed} is no account of the project, and new rows are not taken "
                "(SMART_SYNC_DISCOVER=false)",
                self.origin(row),
            )
            plan.unmatched.append(problem)
            plan.problems.append(problem)
            return
        mode = mode_of(row.status)
        plan.total += 1
        if mode == "off":
            plan.skip("off")
        plan.new.append(NewAccount(row, mode, row.counts, self.origin(row)))
        if self.explain:
            plan.changes.append(Change("add", row.typed, cell=self.origin(row)))

    # Words

    def origin(self, row: SheetRow) -> str:
        title = self.inputs.reading.title if self.inputs.reading else ""
        return rows_address(title, (row.row, *row.more))

    def cell(self, account: Stored, row: SheetRow | None, i: int) -> str:
        if row is not None and self.inputs.reading is not None:
            return self.inputs.reading.cell(row.row, i)
        title, mark, numbers = (account.sheet_origin or account.profile_url).rpartition("!")
        return f"{title}{mark}{self.inputs.columns.get(METRICS[i], '')}{numbers}" if mark else numbers

    @staticmethod
    def moment(value: Any) -> datetime | None:
        """A driver's time as an aware one; None when it is missing or is no time at all."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        return as_utc(value) if isinstance(value, datetime) else None

    def say(self, kind: Any, account: Stored, **what: Any) -> None:
        if self.explain:
            self.plan.changes.append(Change(kind, account.profile_url, **what))

    def tell(
        self,
        account: Stored,
        counts: Counts,
        sheet: Values,
        parsed: Values,
        policy: Policy,
        pins: tuple[Pin, ...],
        row: SheetRow | None,
    ) -> None:
        """Record which counts changed, which side won, and the cell where it did."""
        told: dict[str, list[Any]] = {}
        for i, metric in enumerate(METRICS):
            old, new = account.known[i], counts[i]
            if old == new:
                continue
            pin = next((pin.value for pin in pins if pin.metric == metric), None)
            won = verdict(sheet[i], parsed[i], policy, pin).winner
            cell = self.cell(account, row, i) if won == "sheet" else None
            told[metric] = [old, new, won, cell]
            self.say("change", account, metric=metric, old=old, new=new, winner=won, cell=cell)
        self.plan.told.append((account.id, told))


def _notes(account: Stored) -> dict[str, str]:
    parts = (part.partition(":") for part in (account.sheet_note or "").split())
    return {metric: code for code, _, metric in parts}


def _agrees(a: int, b: int) -> bool:
    """Two readings say the same thing when neither is more than twice the other."""
    return a <= 2 * b and b <= 2 * a
