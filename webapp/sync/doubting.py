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

    def bits(self, account: Stored, sheet: Values, counts: Counts, pins: Mapping[Metric, int]) -> int:
        """The metrics of an account that are in doubt now. counts: the merged ones."""
        if sheet == account.sheet and not account.doubted:
            return 0
        found = 0
        for place, metric in enumerate(METRICS):
            was = account.doubted >> place & 1
            if not was and sheet[place] == account.sheet[place]:
                continue
            if metric in pins:  # somebody has decided
                if was:
                    self.plan.undoubted.append((account.id, place))
            elif self._is_doubted(account, place, sheet[place], counts[place], open_now=bool(was)):
                found |= 1 << place
        return found

    def _is_doubted(
        self, account: Stored, place: int, typed: int | None, current: int | None, *, open_now: int
    ) -> bool:
        known = self.inputs.doubts.get((account.id, place), NO_DAYS)
        days = [day for day in known if day.state == "open"] if open_now else []
        before = account.sheet[place]
        if not days:
            odd = implausible(before, typed) or implausible(typed, before)
            if not odd:
                return False
            if not self.inputs.has_history(account.id, place):
                self.plan.replaced.append((account.id, METRICS[place], current))
                return False
        found = judge(
            typed,
            before,
            doubt=Doubt(days[-1].typed, days[-1].credible, days[0].since) if days else None,
            timed=_timed(known),
            reading=account.parsed[place],
            now=self.inputs.now,
        )
        self._follow(account, place, found, known, days)
        if found.doubt is None:
            return False
        self._keep(account, place, found, days if found.outcome is None else [], current)
        return True

    def _follow(
        self, account: Stored, place: int, found: Judgement, known: Sequence[DoubtedDay], days: Sequence[DoubtedDay]
    ) -> None:
        """What becomes of the days of a doubt that has ended."""
        plan, pair = self.plan, (account.id, place)
        if found.outcome in ("confirmed", "timed"):
            plan.restored.extend(
                DayValue(account.id, day.day, day.metric, day.value, day.observed_at)
                for day in days
                if day.value is not None
            )
        if found.outcome == "timed":
            plan.timed.append(pair)
        elif found.outcome == "withdrawn":
            first = min((day.day for day in known if day.value is not None), default=self.inputs.day)
            plan.withdrawn.append(Withdrawal(account.id, METRICS[place], first))
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
        days = self.inputs.doubts.get((account.id, place), NO_DAYS)
        return days[-1].credible if account.doubted >> place & 1 and days else account.sheet[place]


def _timed(known: Sequence[DoubtedDay]) -> Timed | None:
    """The last doubt that nothing but time has ended."""
    ended: list[tuple[datetime, int]] = [
        (day.decided_at, day.credible) for day in known if day.state == "timed" and day.decided_at is not None
    ]
    return Timed(ended[-1][1], ended[-1][0]) if ended else None
