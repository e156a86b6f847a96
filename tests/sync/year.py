"""A year of sixty accounts with everything that people do to a sheet, and what ought to be known of it afterwards."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet

PEOPLE, DAYS = 60, 365
SETTLED = 5  # days before an account may slip, or its status change
FORGIVEN = 20  # days after a leap in which falling back would make it a slip
LONGEST = 10  # days a slip may stand
HEADER = ("Link", "Followers", "Views", "Status", "Topic", "Owner")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Person:
    """One row, as it ought to be; `typed` is what it says.

    expected: {day: the snapshot's views}. stays: (moment of a sync, whether it counts from then on).
    times: {day: when its snapshot was taken}, as the database has it.
    """

    def __init__(self, number: int, dice: random.Random, day: int) -> None:
        self.name, self.dice = f"p{number}", dice
        self.topic, self.owner = ("News", "Food", "Tech")[number % 3], ("ann", "bob", "ann", "cy")[number % 4]
        self.views = dice.randrange(2_000, 3_000_000)
        self.since, self.leapt = day, day - FORGIVEN
        self.there, self.off = True, False
        self.slip: int | None = None
        self.slipped = 0
        self.was_slip = False  # at the last sync
        self.expected: dict[date, int] = {}
        self.stays: list[tuple[datetime, bool]] = []
        self.times: dict[date, datetime] = {}

    @property
    def typed(self) -> int:
        return self.views if self.slip is None else self.slip

    @property
    def counts(self) -> bool:
        return self.there and not self.off

    def live(self) -> None:
        """A day goes by; now and then somebody loses a few. Who is away does not change much."""
        if self.there:
            self.views += self.dice.randrange(-self.views // 200, self.views // 20)
            self.views = max(self.views, 2_000)

    def row(self) -> list[Any]:
        link = f"{'x.com/' if self.name[-1] in '02468' else 'tiktok.com/@'}{self.name}"
        return [link, None, self.typed, "BAN" if self.off else None, self.topic, self.owner]

    # What ought to be known

    def value(self, day: date) -> int | None:
        """What it counts for at the end of a day."""
        stayed = [counts for moment, counts in self.stays if moment.date() <= day]
        known = [one for one in self.expected if one <= day]
        return self.expected[max(known)] if known and stayed and stayed[-1] else None

    def value_at(self, moment: datetime, as_of: datetime) -> int | None:
        """What it counted for at a moment; as_of: that of its current counts."""
        stayed = [counts for then, counts in self.stays if then <= moment]
        moment, as_of = (one.replace(microsecond=0) for one in (moment, as_of))  # parts of a second do not matter
        points = [(self.times[day].replace(microsecond=0), value) for day, value in sorted(self.expected.items())]
        if self.counts and self.slip is None:
            points.append((as_of, self.views))
        before = [point for point in points if point[0] <= moment]
        if not before or not stayed or not stayed[-1]:
            return None
        after = next((point for point in points if point[0] > moment), None)
        (then, value), part = before[-1], Fraction(0)
        if after is not None:
            part = Fraction(
                (moment - then) // timedelta(microseconds=1), (after[0] - then) // timedelta(microseconds=1)
            )
            return floor(value + (after[1] - value) * part + Fraction(1, 2))
        return value

    def now(self) -> int | None:
        return self.typed if self.counts else None


class Year:
    """The sheet and what history has to say of it."""

    def __init__(self, service: Service, sheet: FakeSheet, time: FakeClock, seed: int) -> None:
        self.service, self.sheet, self.time = service, sheet, time
        self.dice = random.Random(seed)
        self.people = [Person(n, self.dice, 0) for n in range(PEOPLE // 2)]
        self.first = time.now.date()

    def live(self) -> None:
        for number in range(DAYS):
            for person in self.people:
                person.live()
            self.change(number)
            if self.dice.random() < 0.9:  # else nobody calls that day
                for _ in range(self.dice.choice([1, 1, 2])):
                    self.sync()
                    self.mistype(number)
            self.edit()
            self.time.now = self.time.now.replace(hour=8, minute=0) + DAY
        self.finish()

    def finish(self) -> None:
        """A last sync at another hour than any before, in which some are in doubt."""
        for person in self.people:
            person.live()
            person.slip = None
        self.sync()
        self.mistype(DAYS, 0.2)
        self.sync()
        self.time.now = self.time.now.replace(hour=13, minute=37)
        self.mistype(DAYS, 0.2)
        self.sync()
        self.last = self.time.now.date()
        self.look_up()

    def change(self, number: int) -> None:
        """Rows come, go and return; accounts are switched off and on, and leap; slips are made and corrected."""
        for person in self.people:
            may = number - person.since > SETTLED and (person.slip is None or number - person.slipped < 2)
            if may and not person.off and self.dice.random() < 0.01:
                person.there = not person.there
            elif may and person.there and self.dice.random() < 0.01:
                person.off = not person.off
            if self.dice.random() < 0.003:
                self.leap(person, number)
        if len(self.people) < PEOPLE and self.dice.random() < 0.2:
            self.people.append(Person(len(self.people), self.dice, number))
        self.mistype(number)

    def leap(self, person: Person, number: int) -> None:
        """A real jump, or fall, that stays."""
        calm = number - max(person.since, person.slipped) > SETTLED and number - person.leapt > FORGIVEN
        calm &= number < DAYS - SETTLED
        if calm and person.counts and person.slip is None:
            person.views = (
                person.views // 8 if person.views > 100_000 and self.dice.random() < 0.5 else person.views * 8
            )
            person.since = person.leapt = number

    def mistype(self, number: int, chance: float = 0.02) -> None:
        """Corrections, and new slips, also on top of old ones."""
        for person in self.people:
            if person.slip is not None and (self.dice.random() < 0.4 or number - person.slipped >= LONGEST):
                person.slip = None
            if number - person.since > SETTLED and person.there and self.dice.random() < chance:
                if not person.was_slip:
                    person.slipped = number
                some = [0, person.views // 100, person.views * 100]
                more = [person.views * 10 + 7] if number - person.leapt > FORGIVEN else []
                person.slip = self.dice.choice(some + more)

    def sync(self) -> None:
        rows = [person.row() for person in self.people if person.there]
        self.sheet.rows("Project A", *rows, header=HEADER)
        self.service.sync()
        today = self.time.now.date()
        for person in self.people:
            person.was_slip = person.slip is not None and person.there
            person.stays.append((self.time.now, person.counts))
            if person.counts and person.slip is None:
                person.expected.setdefault(today, person.views)
        self.time.forward(hours=2)

    def edit(self) -> None:
        """Now and then somebody corrects a day of long ago, or deletes it."""
        person = self.dice.choice(self.people)
        days = [day for day in person.expected if day < self.time.now.date() - (LONGEST + SETTLED) * DAY]
        if self.dice.random() > 0.1 or not days or not person.there:
            return
        day = self.dice.choice(days)
        path = f"/api/admin/accounts/{self.id_of(person)}/snapshots/{day}"
        if self.dice.random() < 0.5:
            del person.expected[day]
            answer = self.service.client.delete(path, headers=ADMIN)
        else:
            person.expected[day] += self.dice.randrange(100)
            answer = self.service.client.put(path, json={"views": person.expected[day]}, headers=ADMIN)
        assert answer.status_code == 200, answer.text

    # What is stored

    def id_of(self, person: Person) -> int:
        return int(self.service.one("SELECT id FROM accounts WHERE username = :name", name=person.name))

    def look_up(self) -> None:
        """When snapshots were taken."""
        sql = "SELECT username, day, snapshot_time AS at FROM account_snapshots JOIN accounts ON id = account_id"
        people = {person.name: person for person in self.people}
        for row in self.service.rows(sql):
            at = datetime.fromisoformat(str(row["at"]))
            people[row["username"]].times[date.fromisoformat(str(row["day"]))] = (
                at if at.tzinfo else at.replace(tzinfo=self.time.now.tzinfo)
            )
