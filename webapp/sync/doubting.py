"""What a plan does about typed values that history does not believe at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from webapp.model import METRICS, Counts, Metric, Values
from webapp.rules import wording
from webapp.rules.doubts import Doubt, Judgement, Timed, implausible, judge
from webapp.store.doubts import DoubtedDay
from webapp.store.observations import Stored
from webapp.sync.plan import DayValue, Inputs, Plan, Withdrawal

NO_DAYS: Sequence[DoubtedDay] = ()


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

    def bits(self, account: Stored, sheet: Values, counts: Counts, pins: Mapping[Metric, int], unread: int = 0) -> int:
        """The metrics of an account that are in doubt now. counts: the merged ones. unread: bits of what was not read.

        A pin rules over a doubt, which waits until the pin has gone.
        """
        if sheet == account.sheet and account.id not in self.doubted:
            return 0
        found = 0
        for place, metric in enumerate(METRICS):
            if (account.id, place) not in self.open and sheet[place] == account.sheet[place]:
                continue
            read = not unread >> place & 1
            if self._is_doubted(account, place, sheet[place], counts[place], read=read) and metric not in pins:
                found |= 1 << place
        return found

    def forget(self, account_id: int) -> None:
        """An account leaves, and with it what is in doubt of it."""
        if account_id in self.doubted:
            self.plan.undoubted.extend(pair for pair in self.open if pair[0] == account_id)

    def _is_doubted(self, account: Stored, place: int, typed: int | None, current: int | None, *, read: bool) -> bool:
        known = self.inputs.doubts.get((account.id, place), NO_DAYS)
        days = self.open.get((account.id, place), [])
        before = self._before(account, place)
        if not days:
            odd = implausible(before, typed) or implausible(typed, before)
            if not odd:
                return False
            if not self.inputs.has_history(account.id, place):
                self.plan.replaced.append((account.id, METRICS[place], current))
                return False
            if self._goes_on(account, place, typed, known):
                return False
        found = judge(
            typed,
            before,
            doubt=Doubt(days[-1].typed, days[-1].credible, days[0].since) if days else None,
            timed=_timed(known),
            reading=account.parsed[place],
            now=self.inputs.now,
        )
        if found.outcome == "timed" and not read:  # nobody has seen that it still stands
            found = Judgement(believed=False, doubt=Doubt(days[-1].typed, days[-1].credible, days[0].since))
        self._follow(account, place, found, known, days)
        if found.doubt is None:
            return False
        self._keep(account, place, found, days if found.outcome is None else [], current)
        return True

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
        elif found.outcome == "withdrawn":
            first = min((day.day for day in known if day.value is not None), default=self.inputs.day)
            plan.withdrawn.append(Withdrawal(account.id, METRICS[place], first, known[-1].credible))
            plan.undoubted.append(pair)
        elif found.outcome is not None or (found.doubt is not None and not days and known):
            plan.undoubted.append(pair)

    def _keep(
        self, account: Stored, place: int, found: Judgement, days: Sequence[DoubtedDay], current: int | None
    ) -> None:
        """Keep aside what is seen of the doubted value today: the first of the day."""
        doubt, day = found.doubt, self.inputs.day
        assert doubt is not None  # noqa: S101  asked by the caller
        last = days[-1] if days else None
        if last is None or last.day < day:
            self.plan.doubted.append(
                DoubtedDay(
                    account.id,
                    METRICS[place],
                    day,
                    doubt.typed,
                    current,
                    doubt.credible,
                    doubt.since,
                    self.inputs.now,
                    "open",
                    None,
                )
            )
        elif last.typed != doubt.typed:
            value = current if self.inputs.latest and last.value is not None else last.value
            self.plan.doubted.append(last._replace(typed=doubt.typed, value=value))

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


def _timed(known: Sequence[DoubtedDay]) -> Timed | None:
    """The last doubt that nothing but time has ended."""
    ended: list[tuple[datetime, int]] = [
        (day.decided_at, day.credible) for day in known if day.state == "timed" and day.decided_at is not None
    ]
    return Timed(ended[-1][1], ended[-1][0]) if ended else None
