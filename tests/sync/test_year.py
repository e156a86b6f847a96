"""A year of sixty accounts with everything that people do to a sheet: history is the truth wherever it was observed."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pytest

from tests.dashboard.conftest import OURS
from tests.fakes.answers import public_answers
from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, TOKEN, Service
from tests.fakes.sheet import FakeSheet
from tests.sync.year import DAY, Person, Year
from webapp.actions.storage import rebuild_all_days
from webapp.rules.words import exact, grouped, signed

Pair = tuple[int | None, int | None]


class Moved(dict[str, int | None]):
    """growth, joined, left, from pairs of what accounts count for at two moments; and the total at the later one."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        listed = [pair for pair in pairs if pair != (None, None)]
        both = [now - then for then, now in listed if then is not None and now is not None]
        there = [now for _, now in listed if now is not None]
        super().__init__(
            growth=sum(both) if both else None,
            joined=sum(now for then, now in listed if then is None and now is not None) if listed else None,
            left=-sum(then for then, now in listed if now is None and then is not None) if listed else None,
        )
        self.total = sum(there) if there else None
        self.accounts = len(there)


class Known:
    """What ought to be told of a year, and the answers beside it."""

    def __init__(self, year: Year) -> None:
        self.year, self.service, self.people = year, year.service, year.people
        self.project = str(self.service.project()["id"])
        self.days = [year.first + n * DAY for n in range((year.last - year.first).days + 1)]
        self.values: dict[str, dict[date, int | None]] = {
            person.name: {day: person.value(day) for day in self.days} for person in self.people
        }
        self.ids = {person.name: year.id_of(person) for person in self.people}
        self.asked = {"start_date": str(self.days[0]), "end_date": str(self.days[-1])}
        self.browser = self.service.client
        self.browser.post("/sign-in", data={"token": TOKEN}, headers=OURS)

    def value(self, person: Person, day: date) -> int | None:
        return self.values[person.name].get(day)

    def between(self, start: date, end: date, whose: Callable[[Person], bool] = bool) -> Moved:
        """From the end of one day to that of another."""
        return Moved((self.value(one, start), self.value(one, end)) for one in self.people if whose(one))

    def since(self, moment: datetime, as_of: datetime, whose: Callable[[Person], bool] = bool) -> Moved:
        return Moved((one.value_at(moment, as_of), one.now()) for one in self.people if whose(one))

    def get(self, path: str, **asked: Any) -> Any:
        return self.service.get(path, **asked)

    def table(self, path: str, **asked: Any) -> list[dict[str, str]]:
        answer = self.service.client.get(path, query_string=asked, headers=ADMIN)
        return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))

    def page(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200
        return html.unescape(answer.text)


def moved(answer: Mapping[str, Any], metric: str = "views") -> dict[str, int | None]:
    """What an answer says, in a day or a growth of a group."""
    growth = answer["growth"][metric] if "growth" in answer else answer[metric]
    return {"growth": growth, "joined": answer["joined"][metric], "left": answer["left"][metric]}


def titles(page: str, words: str) -> list[str]:
    """The exact numbers that stand behind short ones."""
    return re.findall(rf'title="([^"]*) {words}"', page)


def lines(page: str) -> list[list[str]]:
    """The cells of the table of days: day, value, growth, joined, left, note."""
    table = page.partition("data-twin")[2].partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.split(r"<tr[^>]*>", table)[1:]
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in re.split(r"<t[hd][^>]*>", row)[1:]] for row in rows]


# The tests of one year


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_history_is_the_truth_and_everything_adds_up(
    service: Service, sheet: FakeSheet, time: FakeClock, seed: int
) -> None:
    year = Year(service, sheet, time, seed)
    year.live()
    known = Known(year)

    for hold in (snapshots, accounts, account_pages, analytics, tables, around_now, totals, parts, pages):
        hold(known)
    before = public_answers(service, year.first, year.last)
    list(rebuild_all_days(service.parts.desk))
    after = public_answers(service, year.first, year.last)
    assert {path for path in before if before[path] != after[path]} == set()


def snapshots(known: Known) -> None:
    """Every day that was observed has what was observed first, and nothing that was a slip."""
    rows = known.service.rows("SELECT username, day, s.views FROM account_snapshots s JOIN accounts ON id = account_id")
    found: dict[str, dict[date, int | None]] = {person.name: {} for person in known.people}
    for row in rows:
        found[row["username"]][date.fromisoformat(str(row["day"]))] = row["views"]
    for person in known.people:
        assert found[person.name] == person.expected, person.name


def accounts(known: Known) -> None:
    """Each account by itself: its days, each from where the day before ended, in JSON and as a table."""
    for person in known.people:
        path = f"/api/accounts/{known.ids[person.name]}"
        told = known.get(f"{path}/snapshots", **known.asked)["snapshots"]
        assert {date.fromisoformat(one["date"]): one["views"] for one in told} == person.expected

        stats = known.get(f"{path}/daily-stats", **known.asked)["daily_stats"]
        assert [(one["date"], one["views"], one["carried"]) for one in stats] == list(days_of(known, person))
        table = known.table(f"{path}/daily-stats.csv", **known.asked)
        assert [(row["date"], row["views_end"], row["views_growth"]) for row in table] == [
            (
                one["date"],
                *("" if one["views"][name] is None else str(one["views"][name]) for name in ("end", "growth")),
            )
            for one in stats
        ]


def days_of(known: Known, person: Person) -> Iterator[tuple[str, dict[str, int | None], bool]]:
    for day in known.days:
        start, end = known.value(person, day - DAY), known.value(person, day)
        if end is not None:
            growth = None if start is None else end - start
            yield str(day), {"start": start, "end": end, "growth": growth}, day not in person.expected


def account_pages(known: Known) -> None:
    """The page of an account says what its JSON says: the days, the present, 24 hours and 7 days."""
    as_of = datetime.fromisoformat(known.get(f"/api/projects/{known.project}/analytics")["as_of"])
    for person in known.people:
        path = f"/accounts/{known.ids[person.name]}"
        day, week = (growth(person.value_at(as_of - n * DAY, as_of), person.now()) for n in (1, 7))
        detail = known.get(f"/api{path}")
        assert (detail["growth_24h"] or {"views": None})["views"] == day

        page = known.page(f"{path}?days=90&metric=views")
        assert [titles(page, f"in {words}")[4] for words in ("24 hours", "7 days")] == [exact(day), exact(week)]
        table = lines(page)
        if not table:
            assert not any(known.value(person, day) for day in known.days[-90:])
            continue
        days = [name for name, *_ in table if name != "now"]
        known_days = [str(day) for day in known.days[-90:] if known.value(person, day) is not None]
        assert days == [str(day) for day in known.days[-90:] if str(day) >= known_days[0]]
        for name, value, grown, *_ in table[: len(days)]:
            then, now = (known.value(person, date.fromisoformat(name) - back * DAY) for back in (1, 0))
            assert (value, grown) == (grouped(now), signed(growth(then, now))), name
        if known.value(person, known.days[-1]) is not None or person.counts:
            last = known.value(person, known.days[-1])
            assert table[-1][1:3] == [grouped(person.now()), signed(growth(last, person.now()))]


def growth(then: int | None, now: int | None) -> int | None:
    return None if then is None or now is None else now - then


def analytics(known: Known) -> None:
    """Each day of the project, its growth over a range, and the present behind it."""
    body = known.get(f"/api/projects/{known.project}/analytics", **known.asked)
    total = None
    for day, told in zip(known.days, body["history"], strict=True):
        right = known.between(day - DAY, day)
        assert (told["date"], told["views"], moved(told)) == (str(day), right.total, right)
        assert told["delta"] == sum(right[side] or 0 for side in right)
        assert (told["views"] or 0) == (total or 0) + told["delta"]
        there = [one for one in known.people if known.value(one, day) is not None]
        carried = sum(day not in one.expected for one in there)
        assert (told["accounts"], told["carried"], told["carried_accounts"]) == (len(there), carried > 0, carried)
        total = told["views"]
    assert moved(known_range(body["growth"])) == known.between(known.days[0], known.days[-1])

    now, last = body["now"], known.days[-1]
    right = Moved((known.value(one, last), one.now()) for one in known.people)
    assert (now["views"], now["profiles"], moved(now)) == (right.total, right.accounts, right)
    assert body["total_views"] == right.total == (total or 0) + sum(right[side] or 0 for side in right)
    doubted = [one.slip for one in known.people if one.counts and one.slip is not None]
    assert doubted
    assert now["doubted"]["views"] == sum(doubted)


def known_range(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """A growth between two days, without them."""
    return {name: value for name, value in answer.items() if name not in ("from", "to")}


def tables(known: Known) -> None:
    """The table of a project's days says what its JSON says."""
    path = f"/api/projects/{known.project}/analytics"
    body, table = known.get(path, **known.asked), known.table(f"{path}.csv", **known.asked)
    names = ("date", "views", "delta", "growth_views", "joined_views", "left_views", "accounts", "carried_accounts")
    assert [tuple(row[name] for name in names) for row in table] == [
        tuple(
            "" if value is None else str(value)
            for value in (
                day["date"], day["views"], day["delta"], *moved(day).values(), day["accounts"], day["carried_accounts"]
            )
        )
        for day in body["history"]
    ]  # fmt: skip


def around_now(known: Known) -> None:
    """24 hours and 7 days: the same for the project wherever it is asked, the sum of its accounts', and the truth."""
    path = f"/api/projects/{known.project}"
    body = known.get(f"{path}/analytics")
    as_of = datetime.fromisoformat(body["as_of"])
    (listed,) = known.get("/api/projects")["projects"]
    for name, number in (("growth_24h", 1), ("growth_7d", 7)):
        right = known.since(as_of - number * DAY, as_of)
        for answer in (body, listed, known.get(path)):
            assert moved(answer[name]) == right, name
    assert listed["total_views"] == body["total_views"]
    lined = known.get(f"{path}/accounts", growth=True, limit=100)["accounts"]
    grown = [one["growth"]["views"] for one in lined if one["growth"] is not None]
    assert sum(one for one in grown if one is not None) == body["growth_24h"]["views"]


def totals(known: Known) -> None:
    """Everything over any days, and by any split: the parts are the whole."""
    middle, last = known.days[len(known.days) // 2], known.days[-1]
    by: dict[str, Callable[[Person], Any]] = {
        "project": lambda _: known.project,
        "platform": lambda one: "x" if one.name[-1] in "02468" else "tiktok",
        "topic": lambda one: one.topic,
        "owner": lambda one: one.owner,
    }
    for start, end in ((known.days[0], last), (known.days[40], middle), (middle, last), (last - 7 * DAY, last)):
        for split, key in by.items():
            told = known.get("/api/totals", start_date=start, end_date=end, group_by=split)
            right = known.between(start, end)
            assert (told["total"]["views"], told["total"]["profiles"]) == (right.total, right.accounts)
            assert moved(told["growth"]) == right
            for group in told["groups"]:
                mine = known.between(start, end, lambda one, key=key, of=group["key"]: key(one) == of)  # type: ignore[misc]
                assert (group["views"], moved(group["growth"])) == (mine.total, mine), (split, group["key"])
            assert sum(group["views"] or 0 for group in told["groups"]) == right.total


def parts(known: Known) -> None:
    """What a project has by platform, topic and owner is what it has, now and on each day."""
    path = f"/api/projects/{known.project}/analytics"
    body = known.get(path, **known.asked)
    for groups in ("platform_stats", "topic_stats", "users_stats"):
        assert sum(group["views"] or 0 for group in body[groups].values()) == body["total_views"]
    for split, values in (
        ("platform", ("x", "tiktok")),
        ("topic", ("News", "Food", "Tech")),
        ("owner", ("ann", "bob", "cy")),
    ):
        some = [known.get(path, **known.asked, **{split: value}) for value in values]
        assert sum(one["total_views"] or 0 for one in some) == body["total_views"]
        days = [{day["date"]: day for day in one["history"]} for one in some]
        for day in body["history"]:
            mine = [one[day["date"]] for one in days if day["date"] in one]
            assert sum(one["views"] or 0 for one in mine) == day["views"]
            for side, value in moved(day).items():
                assert sum(moved(one)[side] or 0 for one in mine) == (value or 0), (split, side)


def pages(known: Known) -> None:
    """Home and the page of a project say what JSON says."""
    body = known.get(f"/api/projects/{known.project}/analytics", **known.asked)
    spans = {"24 hours": body["growth_24h"]["views"], "7 days": body["growth_7d"]["views"]}
    home, page = known.page("/"), known.page(f"/projects/{known.project}?days=90&metric=views")
    day, week = spans.values()
    assert f'title="{exact(body["total_views"])}; 24 h {signed(day)}; 7 d {signed(week)}"' in home
    assert f'value="{body["total_views"]}"' in home
    for words, value in spans.items():
        assert titles(page, f"in {words}")[4] == exact(value)
    assert f'value="{body["total_views"]}" title="{exact(body["total_views"])}"' in page

    table = lines(page)
    last = {day["date"]: day for day in body["history"][-90:]} | {"now": body["now"]}
    assert [row[0] for row in table] == list(last)
    for name, value, *sides, _ in table:
        right = moved(last[name])
        shown = [signed(right[side]) for side in ("growth", "joined", "left")]
        assert (value, sides) == (grouped(last[name]["views"]), shown), name


def test_the_year_knows_what_it_wants() -> None:
    """By hand: who joins does not grow, who leaves takes it all."""
    found = Moved([(10, 15), (None, 7), (20, None), (None, None)])
    assert (found, found.total, found.accounts) == ({"growth": 5, "joined": 7, "left": -20}, 22, 2)
    assert Moved([(None, None)]) == {"growth": None, "joined": None, "left": None}
