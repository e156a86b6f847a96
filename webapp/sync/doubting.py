"""What a plan does about typed values that history does not believe at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from webapp.model import METRICS, Counts, Metric, Values
from webapp.rules import wording
from webapp.rules.doubts import PATIENCE, Doubt, Judgement, Timed, implausible, judge
from webapp.store.doubts import DoubtedDay
from webapp.store.observations import Stored
from webapp.sync.plan import DayValue, Inputs, Plan, Withdrawal

NO_DAYS: Sequence[DoubtedDay] = ()


class Look(NamedTuple):
    """What a sync sees of a metric. current: the merged count. seen: its cell was read, and its account counts."""

    typed: int | None
    current: int | None
    seen: bool


class Doubting:
    """Judges typed values, and puts into the plan what follows for the days."""

    def __init__(self, inputs: Inputs, plan: Plan) -> None:
        self.inputs = inputs
        self.plan = plan
        self.open = {
            pair: days
            for pair, known in inputs.doubts.items()
            if (days := [day for day in known if day.state == "open"])
        }
        self.doubted = {account_id for account_id, _ in self.open}

    def bits(self, account: Stored, sheet: Values, counts: Counts, pins: Mapping[Metric, int], unseen: int = 0) -> int:
        """The metrics of an account that are in doubt now. counts: the merged ones.

        unseen: bits of what was not read; all, of an account that is off. A pin rules over a doubt, which waits until
        the pin has gone.
        """
        is_doubted = account.id in self.doubted
        if sheet == account.sheet and not is_doubted:
            return 0
        found = 0
        for place, metric in enumerate(METRICS):
            is_open = is_doubted and (account.id, place) in self.open
            if not is_open and _follows(account.sheet[place], sheet[place]):
                continue
            look = Look(sheet[place], counts[place], seen=not unseen >> place & 1)
            if self._is_doubted(account, place, look) and metric not in pins:
                found |= 1 << place
        return found

    def forget(self, account_id: int) -> None:
        """An account leaves, and with it what is in doubt of it."""
        if account_id in self.doubted:
            for pair in [pair for pair in self.open if pair[0] == account_id]:
                self._drop(pair, _timed_days(self.inputs.doubts[pair]))

    def _is_doubted(self, account: Stored, place: int, look: Look) -> bool:
        known = self.inputs.doubts.get((account.id, place), NO_DAYS)
        days = self.open.get((account.id, place), [])
        before = self._before(account, place)
        if not days and not self._is_odd(account, place, before, look, known):
            return False
        doubt = Doubt(days[-1].typed, days[-1].credible, self._stands_since(account, place, days)) if days else None
        reading, now = account.parsed[place], self.inputs.now
        found = judge(look.typed, before, doubt=doubt, timed=_timed(known), reading=reading, now=now, seen=look.seen)
        self._follow(account, place, found, known, days)
        if found.doubt is None:
            return False
        self._keep(account, place, found.doubt, days if found.outcome is None else [], look)
        return True

    def _is_odd(self, account: Stored, place: int, before: int | None, look: Look, known: Sequence[DoubtedDay]) -> bool:
        """Whether a value that is in no doubt yet has to be judged."""
        if not _is_far(before, look.typed):
            return False
        if not self.inputs.has_history(account.id, place):
            if look.seen:
                self.plan.replaced.append((account.id, METRICS[place], look.current))
            return False
        return not self._goes_on(account, place, look.typed, known)

    def _stands_since(self, account: Stored, place: int, days: Sequence[DoubtedDay]) -> datetime:
        """Since when a doubt has lasted without a break; the time in which its account does not count is none."""
        since = days[0].since
        if self.inputs.now - since < PATIENCE:
            return since
        return max(since, self.inputs.counts_since(account.id, place))

    def _goes_on(self, account: Stored, place: int, typed: int | None, known: Sequence[DoubtedDay]) -> bool:
        """Whether it goes on from what history says, as after a merge of two accounts."""
        last = self.inputs.last_known(account.id, place)
        return not known and last is not None and not implausible(last, typed)

    def _before(self, account: Stored, place: int) -> int | None:
        """What the sheet said before; where its cell was empty, what history says last: blanking it forgets nothing."""
        before = account.sheet[place]
        if before is None and self.inputs.has_history(account.id, place):
            return self.inputs.last_known(account.id, place)
        return before

    def _follow(
        self, account: Stored, place: int, found: Judgement, known: Sequence[DoubtedDay], days: Sequence[DoubtedDay]
    ) -> None:
        """What becomes of the days of a doubt that has ended."""
        plan, pair = self.plan, (account.id, place)
        if found.outcome in ("confirmed", "timed"):
            restored = plan.restored if found.outcome == "confirmed" else plan.late  # time overwrites nothing
            restored.extend(
                DayValue(account.id, day.day, day.metric, day.value, day.observed_at)
                for day in days
                if day.value is not None
            )
        if found.outcome == "timed":
            plan.timed.append(pair)
        elif found.back_to is not None:
            earlier = _timed_days(known, before=found.back_to.at)
            first = min(day.day for day in known if day not in earlier)
            plan.withdrawn.append(Withdrawal(account.id, METRICS[place], first, found.back_to.credible))
            self._drop(pair, earlier)
        elif found.outcome == "confirmed":
            self._drop(pair)
        elif found.outcome is not None:
            self._drop(pair, _timed_days(known))

    def _drop(self, pair: tuple[int, int], but: Iterable[DoubtedDay] = ()) -> None:
        """Forget what is known of a metric, but for some days."""
        self.plan.undoubted.append(pair)
        self.plan.doubted.extend(one for one in but if one.day != self.inputs.day)

    def _keep(self, account: Stored, place: int, doubt: Doubt, days: Sequence[DoubtedDay], look: Look) -> None:
        """Keep aside what is seen of the doubted value today: the first of the day."""
        day, value = self.inputs.day, look.current if look.seen else None
        last = days[-1] if days else None
        if last is None or (last.day < day and look.seen) or self._is_back(last, look):
            metric, since = METRICS[place], days[0].since if days else doubt.since
            seen = (doubt.typed, value, doubt.credible, since, self.inputs.now)
            self.plan.doubted.append(DoubtedDay(account.id, metric, day, *seen, "open", None))
        elif last.typed != doubt.typed:
            if not (self.inputs.latest and look.seen and last.value is not None):
                value = last.value
            self.plan.doubted.append(last._replace(typed=doubt.typed, value=value))

    def _is_back(self, last: DoubtedDay, look: Look) -> bool:
        """Whether an account counts again on the very day on which it was off and nothing was seen of it."""
        if not look.seen or last.value is not None or last.day != self.inputs.day:
            return False
        return last.observed_at < self.inputs.counts_since(last.account_id, last.place)

    def point_out(self, bits: int, sheet: Values, cells: Mapping[int, str], account: Stored) -> None:
        """List what is in doubt."""
        for place, cell in cells.items():
            if bits >> place & 1:
                typed = sheet[place]
                assert typed is not None  # noqa: S101  nothing typed is not in doubt
                self.plan.settled = False  # time may confirm it
                self.plan.problems.append(wording.implausible_value(cell, typed, self._credible(account, place)))

    def _credible(self, account: Stored, place: int) -> int | None:
        days = self.open.get((account.id, place), NO_DAYS)
        return days[-1].credible if days else self._before(account, place)


def _follows(before: int | None, typed: int | None) -> bool:
    """Whether a value is nothing new, or by itself no reason to ask what history says."""
    return before == typed or (before is not None and not _is_far(before, typed))


def _is_far(before: int | None, typed: int | None) -> bool:
    """Whether either is too far from the other."""
    return implausible(before, typed) or implausible(typed, before)


def _timed_days(known: Sequence[DoubtedDay], before: datetime | None = None) -> list[DoubtedDay]:
    """Those of doubts that nothing but time has ended. before: not from then on."""
    return [day for day in known if day.decided_at is not None and (before is None or day.decided_at < before)]


def _timed(known: Sequence[DoubtedDay]) -> list[Timed]:
    """The doubts that nothing but time has ended, the oldest first."""
    found = {Timed(day.credible, day.decided_at) for day in known if day.decided_at is not None}
    return sorted(found, key=lambda one: one.at)
