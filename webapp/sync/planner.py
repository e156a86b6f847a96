"""From what is stored and what was read to a plan. Pure: no database, no clock, no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from webapp.model import METRICS, NOTHING, Counts, Metric, Mode, Policy, Problem, Values
from webapp.rules import wording
from webapp.rules.addresses import cell_of, row_numbers, rows_address
from webapp.rules.credible import may_be_cut
from webapp.rules.doubts import implausible
from webapp.rules.edits import ignored_edits, note_edits
from webapp.rules.growth import ALL, counting, mask_of
from webapp.rules.held import Belief, believe
from webapp.rules.merge import WINNERS, keep_unread, merge, policy_of, winner_of
from webapp.rules.modes import mode_of
from webapp.sources.sheet.reading import TEXTS, SheetRow
from webapp.store.changes import Changed
from webapp.store.observations import Stored
from webapp.store.types import as_moment
from webapp.sync.doubting import Doubting
from webapp.sync.plan import DayValue, HeldChange, Inputs, Plan, PlannedChange, SheetChange

NO_PINS: Mapping[Metric, int] = {}


class Said(NamedTuple):
    """Where the sheet says something of an account. origin: as observations have it. places: as rows have them."""

    origin: str
    places: Sequence[int]


def make_plan(stored: Iterable[Stored], inputs: Inputs, *, explain: bool = False) -> Plan:
    """The plan for one project.

    stored: every account the project ever had; consumed once. The rows of `inputs.reading` are consumed too.
    explain: list each change in the plan's `preview`.
    """
    return _Planner(inputs, explain=explain).plan_all(stored)


class _Planner:
    def __init__(self, inputs: Inputs, *, explain: bool) -> None:
        self.inputs = inputs
        self.explain = explain
        self.plan = Plan()
        self.plan.newcomers.title = inputs.reading.title if inputs.reading else ""
        self.rows = inputs.reading.rows if inputs.reading else {}
        self.loose = inputs.reading.loose if inputs.reading else None
        self.is_ended = inputs.reading.ended if inputs.reading else True
        self.stub = inputs.reading.stub if inputs.reading else None
        self.doubting = Doubting(inputs, self.plan)
        self.held = {account for account, _ in inputs.held}
        columns = inputs.reading.columns if inputs.reading else inputs.columns
        self.plan.letters = [columns.get(metric, "") for metric in METRICS]
        self.untracked = sum(1 << place for place, letters in enumerate(self.plan.letters) if not letters)

    def plan_all(self, stored: Iterable[Stored]) -> Plan:
        plan, reading = self.plan, self.inputs.reading
        plan.total = self.inputs.quiet
        if reading is not None:
            plan.read_rows = len(reading.rows) + reading.unread
            plan.problems.extend(reading.problems)
            plan.skips.update(reading.skips)
        account = None
        for account in stored:
            self.plan_account(account)
        plan.first = account is None and not self.inputs.quiet
        for row in self.rows.values():
            self.plan_newcomer(row)
        self.rows.clear()
        if self.inputs.pins:
            plan.settled = False
        return plan

    # What the sheet says of an account that is known

    def plan_account(self, account: Stored) -> None:
        row = self.rows.pop(account.url_key, None) if self.rows else None
        if row is not None and self.loose is not None and self.loose[0] == row.profile.url_key:
            row = self.doubt_end(account, row, self.loose[1])
        if row is not None and row.unread >> len(METRICS):
            row = _keep_texts(account, row)
        if account.removed_by == "api":
            self.leave_out(account, row)
        elif self.inputs.reading is None or (row is None and (self.is_same(account) or self.inputs.reading.torn)):
            if account.removed_by is None:
                self.merge_account(account, account.sheet, None)
        elif row is not None:
            self.merge_account(account, self.apply_row(account, row), row)
        elif self.lose_row(account):
            self.merge_account(account, NOTHING, None)

    def is_same(self, account: Stored) -> bool:
        """Whether its row was not read because it says what it said."""
        return account.id in self.inputs.same

    def doubt_end(self, account: Stored, row: SheetRow, meaning: str) -> SheetRow:
        """The row with the last cell of a file unread, where it may be the beginning of what it said before."""
        if meaning in TEXTS:
            place, new, old = len(METRICS) + TEXTS.index(meaning), getattr(row, meaning), getattr(account, meaning)
            is_cut = bool(old and old != new and old.startswith(new or ""))
        else:
            place = METRICS.index(meaning)
            new, old = row.counts[place], account.sheet[place]
            if old is None:
                return self.doubt_first(row, meaning)
            is_cut = may_be_cut(old, new) or (self.inputs.was_ended and new is not None and new < old)
        if not is_cut:
            return row
        self.plan.cut = True
        self.withhold(wording.cut_cell(self.origin(row), new))
        return row._replace(unread=row.unread | 1 << place)

    def doubt_first(self, row: SheetRow, meaning: str) -> SheetRow:
        """The row without a first count that a file ends with which used to end its last line."""
        if meaning in TEXTS or not self.inputs.was_ended:
            return row
        place = METRICS.index(meaning)
        value = row.counts[place]
        if value is None:
            return row
        self.withhold(wording.cut_first(self.origin(row), value))
        return row._replace(counts=row.counts._replace(**{meaning: None}), unread=row.unread | 1 << place)

    def withhold(self, problem: Problem) -> None:
        self.plan.withheld.append(problem)
        self.plan.problems.append(problem)

    def leave_out(self, account: Stored, row: SheetRow | None) -> None:
        if row is not None:
            self.plan.skip("removed")
            self.show("skip", account, reason="removed", cell=self.origin(row))

    def lose_row(self, account: Stored) -> bool:
        """The account has no row now. Whether it stays in the project all the same."""
        if account.removed_by is not None:
            return False
        is_lost = account.sheet_at is not None or account.discovered == "sheet"
        self.plan.lost_rows += is_lost
        self.plan.stubbed += is_lost and self.may_be_stub(account)
        if account.sheet_at is not None:
            self.plan.silent.append(account.id)
        if account.discovered == "api":
            return True
        self.plan.removed.append(account.id)
        self.doubting.forget(account.id)
        self.show("remove", account, reason="its row has gone")
        return False

    def may_be_stub(self, account: Stored) -> bool:
        """Whether the file ends within what names the account."""
        if self.stub is None:
            return False
        names = (account.profile_url, account.username or "")
        return any(name.startswith(self.stub.removeprefix("@")) for name in names)

    def apply_row(self, account: Stored, row: SheetRow) -> Values:
        """What the account's row says of it now."""
        self.describe(account, row)
        if account.removed_by is not None:
            self.plan.returned.append(account.id)
            self.show("return", account, cell=self.origin(row))
        if not self.is_ended:
            self.note_rows(account, row)
        old = account.sheet
        sheet: Values = keep_unread(row.counts, old, row.unread) if row.unread else row.counts
        if sheet != old:
            for place in range(len(METRICS)):
                self.plan.lost_values[place] += old[place] is not None and sheet[place] is None
        return sheet

    def note_rows(self, account: Stored, row: SheetRow) -> None:
        """Whether the last row of an account stands above the one that it was, and whether it had several."""
        before = row_numbers(account.sheet_origin or "")
        is_above = bool(before) and max((row.row, *row.more)) < before[-1]
        self.plan.earlier += is_above
        self.plan.fewer += is_above and len(before) > 1

    def describe(self, account: Stored, row: SheetRow) -> None:
        if row.profile.url_key != account.url_key:  # a row by a former address does not undo the correction
            profile = row.profile._replace(platform=account.platform, username=account.username)
            row = row._replace(typed=account.profile_url, profile=profile)
        mode = _mode(account, row)
        described = (row.typed, row.topic, row.owner, row.status, mode)
        if described != (account.profile_url, account.topic, account.owner, account.status, account.mode) or (
            account.username != row.profile.username or account.platform != row.profile.platform
        ):
            self.plan.described.append((account.id, row, mode))

    # What it all means together

    def merge_account(self, account: Stored, sheet: Values, row: SheetRow | None) -> None:
        plan = self.plan
        plan.total += 1
        mode = _mode(account, row)
        if mode == "off":
            plan.skip("off")
        parsed = self.readings(account)
        policy = policy_of(self.inputs.policy, mode)
        pins = self.inputs.pins.get(account.id, NO_PINS) if self.inputs.pins else NO_PINS
        counts = merge(sheet, parsed, policy, pins)
        origin = account.sheet_origin if row is None else self.origin(row)
        if counts != account.known:
            if mask_of(counts) != mask_of(account.known):
                plan.counted.append(account.id)
            self.explain_counts(
                account,
                counts,
                (sheet, parsed),
                policy,
                pins,
                Said(origin or account.profile_url, row.places if row else ()),
            )
        if mode != "off":
            self.fill_late(account, parsed, policy, pins)
        unread = (account.unread if self.inputs.stands else ALL) if row is None else row.unread
        doubted = self.doubting.bits(account, sheet, counts, pins, ALL if mode == "off" else unread)
        note = self.keep_sheet(account, sheet, counts, row, doubted, origin)
        open_ = mode == "off" or parsed != account.parsed or account.id in self.held or pins or note or doubted
        if not open_ and account.id not in self.doubting.doubted and (row is None or self.is_plain(row)):
            plan.quiet.append((account.id, row.row if row else 0))

    def is_plain(self, row: SheetRow) -> bool:
        """Whether a row says what it says by itself, and all of it was understood."""
        assert self.inputs.reading is not None  # noqa: S101  it is where the row comes from
        is_read = not row.unread & ~self.untracked
        return is_read and not row.more and row.profile.url_key not in self.inputs.reading.odd

    def explain_counts(
        self,
        account: Stored,
        counts: Counts,
        sides: tuple[Values, Values],
        policy: Policy,
        pins: Mapping[Metric, int],
        said: Said,
    ) -> None:
        """Record which counts changed, which side won, and where the sheet did."""
        sheet, parsed = sides
        winners, is_sheets = 0, False
        for place, metric in enumerate(METRICS):
            old, new = account.known[place], counts[place]
            if old == new:
                continue
            winner, cell = winner_of(sheet[place], parsed[place], policy, pins.get(metric)), None
            winners |= WINNERS.index(winner) << 2 * place
            if winner == "sheet":
                is_sheets, cell = True, self.cell(said, place) if self.explain else None
            self.show("change", account, metric=metric, old=old, new=new, winner=winner, cell=cell)
        origin, places = (said.origin, said.places) if is_sheets else (None, ())
        self.plan.counts.append(Changed(account.id, account.known, counts, winners, origin, places))

    # What is kept of the sheet

    def keep_sheet(
        self, account: Stored, sheet: Values, counts: Counts, row: SheetRow | None, doubted: int, origin: str | None
    ) -> str | None:
        """The note about odd edits that stays with it. doubted: bits of the metrics that are in doubt."""
        if sheet == NOTHING:
            if row is not None and sheet != account.sheet:
                self.plan.silent.append(account.id)
            return None
        changed, note = sheet != account.sheet, account.sheet_note
        if changed:
            note = note_edits(account.sheet, sheet, note)
        unread = self.unread_of(account) if row is None else row.unread & ALL
        if changed or (origin, unread, doubted) != (account.sheet_origin, account.unread, account.doubted):
            since = None if changed else account.sheet_at
            self.plan.sheet.append(SheetChange(account.id, sheet, since, origin or "", note, unread, doubted))
        if note or doubted:
            said = Said(origin or account.profile_url, row.places if row else ())
            self.point_out(note, doubted, account, sheet, counts, said)
        return note

    def unread_of(self, account: Stored) -> int:
        """Bits of the metrics that were not read, of an account without a row: all, where its row may be a torn one."""
        is_torn = self.inputs.reading is not None and self.inputs.reading.torn and not self.is_same(account)
        return ALL if is_torn else account.unread

    def point_out(
        self, note: str | None, doubted: int, account: Stored, sheet: Values, counts: Counts, said: Said
    ) -> None:
        """List the odd edits, which are taken all the same."""
        cells = {place: self.cell(said, place) for place in range(len(METRICS))}
        self.doubting.point_out(doubted, sheet, cells, account)
        for place in ignored_edits(note, sheet, counts, self.inputs.pins.get(account.id, NO_PINS)):
            value, current = sheet[place], counts[place]
            assert value is not None and current is not None  # noqa: S101, PT018  only a value is odd
            self.plan.problems.append(wording.lower_edit_ignored(cells[place], value, current))

    # What is believed of the platforms

    def readings(self, account: Stored) -> Values:
        """The readings that count: as they stand, but the last good one where one is held."""
        good = account.accepted
        if account.parsed_at is None:
            if good != NOTHING:
                self.plan.forgotten.append(account.id)
            return NOTHING
        if account.parsed == good and not self.inputs.held and not account.held:
            return good
        believed, held = self.believe_all(account)
        if believed != good or held != account.held:
            self.plan.accepted.append((account.id, believed, held))
        return believed

    def believe_all(self, account: Stored) -> tuple[Counts, int]:
        """The readings that are believed, and bits of those that are not."""
        seen_at, now = _moment(account.parsed_at), self.inputs.now
        values: list[int | None] = []
        bits = 0
        for place, (reading, good) in enumerate(zip(account.parsed, account.accepted, strict=True)):
            held = self.inputs.held.get((account.id, place))
            history = implausible(good, reading) and self.inputs.has_history(account.id, place)
            belief = believe(reading, good, held, seen_at=seen_at, history=history, now=now)
            self.plan.settled &= belief.timeless
            if belief.holding is not None:
                self.hold(account, place, belief)
            bits |= (reading is not None and belief.value != reading) << place
            values.append(belief.value)
        return Counts._make(values), bits

    def fill_late(self, account: Stored, parsed: Values, policy: Policy, pins: Mapping[Metric, int]) -> None:
        """A reading that is new and of an earlier day is that day's, where nothing else is known of it.

        What the sheet said before this run counts beside it where it said so by the end of that day, and is believed.
        """
        if parsed == account.accepted or not account.parsed_at:
            return
        seen_at = _moment(account.parsed_at)
        if seen_at is None or seen_at.date() >= self.inputs.day:
            return
        said_at, unsure = _moment(account.sheet_at), account.doubted | account.unread
        known = said_at is not None and said_at.date() <= seen_at.date()
        sheet = counting(account.sheet, ALL & ~unsure) if known else NOTHING
        counts = merge(sheet, parsed, policy, pins)
        for metric, new, old, count in zip(METRICS, parsed, account.accepted, counts, strict=True):
            if new is not None and new != old:
                self.plan.late.append(DayValue(account.id, seen_at.date(), metric, count, seen_at))

    def hold(self, account: Stored, place: int, belief: Belief) -> None:
        """Keep a reading aside, or let one go."""
        holding = belief.holding
        assert holding is not None  # noqa: S101  asked by the caller
        held = None if belief.anew else self.inputs.held.get((account.id, place))
        metric, good, origin = METRICS[place], account.accepted[place], account.parsed_origin
        if held is None or (holding.value, holding.observed_at, holding.agreeing, holding.state) != (
            held.value,
            held.observed_at,
            held.agreeing,
            held.state,
        ):
            change = HeldChange(held.id if held else None, account.id, metric, good, origin, holding)
            self.plan.held.append(change)
        if holding.state == "held":
            problem = wording.held_reading(account.profile_url, metric, holding.value, origin, good)
            self.plan.problems.append(problem)
            self.show("held", account, metric=metric, old=good, new=holding.value, reason=origin)

    # Accounts that are new

    def plan_newcomer(self, row: SheetRow) -> None:
        plan = self.plan
        if not self.inputs.discover:
            self.withhold(wording.unmatched_row(self.origin(row), row.typed))
            return
        if self.loose is not None and self.loose[0] == row.profile.url_key:
            row = self.doubt_first(row, self.loose[1])
        mode = mode_of(row.status)
        plan.total += 1
        if mode == "off":
            plan.skip("off")
        plan.newcomers.add(row, mode, quiet=mode != "off" and self.is_plain(row))
        if self.explain:
            plan.preview.append(PlannedChange("add", row.typed, cell=self.origin(row)))

    # Places and words

    def origin(self, row: SheetRow) -> str:
        return rows_address(self.plan.newcomers.title, row.row, row.more)

    def cell(self, said: Said, place: int) -> str:
        return cell_of(said.origin, self.plan.letters[place], said.places[place] if said.places else None)

    def show(self, kind: Any, account: Stored, **what: Any) -> None:
        """Add a line to the preview."""
        if self.explain:
            self.plan.preview.append(PlannedChange(kind, account.profile_url, **what))


def _keep_texts(account: Stored, row: SheetRow) -> SheetRow:
    """The row with the account's own texts where its cells could not be read."""
    bits = row.unread >> len(METRICS)
    return row._replace(**{text: getattr(account, text) for place, text in enumerate(TEXTS) if bits >> place & 1})


def _mode(account: Stored, row: SheetRow | None) -> Mode:
    """How the account is counted: by the Status column, unless somebody set it over the API."""
    return account.mode if row is None or account.mode_set else mode_of(row.status)


def _moment(stamp: object) -> datetime | None:
    """None when the time is missing, or is no time at all: anybody may write observations."""
    try:
        return as_moment(stamp)
    except ValueError:
        return None
