"""Rows that have not changed are not read again, and nobody can tell by what is stored or said."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet
from webapp.errors import TransientSourceError
from webapp.sources.sheet import Cell
from webapp.sources.sheet.payload import RowsApart, json_payload
from webapp.sources.sheet.rows import read_tab
from webapp.store import accounts, observations, tab_rows, tables
from webapp.sync import batch, side
from webapp.sync.row_prints import RowPrints

ANN, BEN, CID = (f"https://x.com/{name}" for name in ("ann", "ben", "cid"))
HEADER = ("Link", "Followers", "Likes", "Views", "Status", "Owner", "Platform", "Username")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many accounts each reading of a tab had to look at."""
    numbers: list[int] = []

    def count(*args: Any, **more: Any) -> Any:
        found = read_tab(*args, **more)
        numbers.append(len(found.rows))
        return found

    monkeypatch.setattr(side, "read_tab", count)
    return numbers


@pytest.fixture
def three(sqlite_service: Service) -> FakeSheet:
    sheet = sqlite_service.sheet
    sheet.rows("Project A", [ANN, 100], [BEN, 200], [CID, 300])
    sqlite_service.sync()
    return sheet


@contextmanager
def meanwhile(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> Iterator[None]:
    """Something happens after a tab was read and before it is written."""
    with monkeypatch.context() as patch:
        parse_side = side.parse_side

        def parse(*args: Any, **more: Any) -> Any:
            found = parse_side(*args, **more)
            do()
            return found

        patch.setattr(batch, "parse_side", parse)
        yield


def test_only_the_row_that_changed_is_read(sqlite_service: Service, three: FakeSheet, read: list[int]) -> None:
    three.put("Project A!B3", 222)

    (result,) = sqlite_service.sync()["results"]

    assert read == [1]
    assert (result["total_accounts"], result["updated_count"]) == (3, 1)
    assert [sqlite_service.followers(url) for url in (ANN, BEN, CID)] == [100, 222, 300]


def test_a_row_that_is_wrong_is_read_again_and_said_again(
    sqlite_service: Service, three: FakeSheet, read: list[int]
) -> None:
    three.put("Project A!B3", "many")
    sqlite_service.sync()
    three.put("Project A!B4", 333)

    (result,) = sqlite_service.sync()["results"]

    assert read == [1, 2]
    assert ([problem["cell"] for problem in result["problems"]], result["total_accounts"]) == (["Project A!B3"], 3)


def test_a_row_that_moves_is_read_again(sqlite_service: Service, three: FakeSheet, read: list[int]) -> None:
    three.rows("Project A", [BEN, 200], [CID, 300])

    (result,) = sqlite_service.sync()["results"]

    assert (read, result["removed_count"], result["total_accounts"]) == ([2], 1, 2)
    assert sqlite_service.one("SELECT origin FROM observations WHERE account_id = 2") == "Project A!2"


def test_a_row_of_an_account_that_has_one_already_makes_all_be_read(
    sqlite_service: Service, three: FakeSheet, read: list[int]
) -> None:
    three.rows("Project A", [ANN, 100], [BEN, 200], [CID, 300], [BEN, 201])

    (result,) = sqlite_service.sync()["results"]

    assert (read, result["skips"]) == ([1, 3], {"duplicate_row": 1})
    assert sqlite_service.followers(BEN) == 201


def test_a_new_header_makes_all_be_read(sqlite_service: Service, three: FakeSheet, read: list[int]) -> None:
    three.put("Project A!C1", "Views")
    three.put("Project A!F1", "Likes")

    sqlite_service.sync()

    assert read == [3]


def test_another_table_makes_all_be_read(sqlite_service: Service, three: FakeSheet, read: list[int]) -> None:
    three.put("Project A!A3", "Link")
    three.put("Project A!B3", "Likes")

    (result,) = sqlite_service.sync()["results"]

    assert (read, [problem["code"] for problem in result["problems"]]) == ([0, 1], ["other_table"])
    unread = "SELECT unread FROM observations WHERE source = 'sheet' ORDER BY account_id"
    assert [row["unread"] for row in sqlite_service.rows(unread)] == [0, 31, 31]
    assert [sqlite_service.followers(url) for url in (ANN, BEN, CID)] == [100, 200, 300]


def test_a_reading_is_merged_with_a_row_that_is_not_read(
    sqlite_service: Service, three: FakeSheet, read: list[int]
) -> None:
    sqlite_service.reading(ANN, followers=150)
    three.put("Project A!B3", 222)

    (result,) = sqlite_service.sync()["results"]

    assert (read, result["updated_count"], result["total_accounts"]) == ([1], 2, 3)
    assert [sqlite_service.followers(url) for url in (ANN, BEN, CID)] == [150, 222, 300]


def test_a_torn_row_says_nothing_about_accounts_whose_rows_are_not_read(
    sqlite_service: Service, three: FakeSheet
) -> None:
    sqlite_service.reading(ANN, followers=150)
    three.put("Project A!A4", "#NAME?")

    (result,) = sqlite_service.sync()["results"]

    assert (result["total_accounts"], result["removed_count"]) == (3, 0)
    unread = "SELECT unread FROM observations WHERE source = 'sheet' ORDER BY account_id"
    assert [row["unread"] for row in sqlite_service.rows(unread)] == [0, 0, 31]


def test_what_is_changed_over_the_api_between_reading_and_writing_is_heeded(
    sqlite_service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch, read: list[int]
) -> None:
    account = sqlite_service.account(ANN)["id"]
    three.put("Project A!B3", 222)

    def pin() -> None:
        path = f"/api/admin/accounts/{account}/pins/followers"
        assert sqlite_service.client.put(path, json={"value": 5}, headers=ADMIN).status_code == 200

    with meanwhile(monkeypatch, pin):
        sqlite_service.sync()

    assert (read, sqlite_service.followers(ANN), sqlite_service.followers(BEN)) == ([1, 3], 5, 222)


def test_what_is_remembered_can_be_thrown_away(sqlite_service: Service, three: FakeSheet, read: list[int]) -> None:
    sqlite_service.write("DELETE FROM tab_rows")
    three.put("Project A!B3", 222)

    sqlite_service.sync()

    assert (read, sqlite_service.followers(BEN)) == ([3], 222)


def test_a_project_that_broke_is_read_whole(
    sqlite_service: Service, three: FakeSheet, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    three.put("Project A!B3", 222)
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "write_counts", lambda *_: 1 / 0)
        sqlite_service.sync(status=502)

    sqlite_service.sync()

    assert (read, sqlite_service.followers(BEN)) == ([1, 3], 222)


def test_memories_of_small_projects_are_looked_up_together(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet, asked = sqlite_service.sheet, []
    for number in range(6):
        sheet.rows(f"Tab {number}", [f"https://x.com/user{number}", 1])
    sqlite_service.sync()
    sqlite_service.write("UPDATE projects SET rows_seen = NULL WHERE name = 'Tab 1'")
    look = tab_rows.of_projects

    def tell(tx: Any, ids: Any) -> Any:
        asked.append(len(ids))
        return look(tx, ids)

    monkeypatch.setattr(tab_rows, "of_projects", tell)
    for number in range(6):
        sheet.put(f"Tab {number}!B2", 2)

    sqlite_service.sync()

    assert [number for number in asked if number] == [5]


def test_accounts_of_a_project_alone_come_one_by_one_where_all_of_its_rows_are_read(
    sqlite_service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be a million, of which none is to be kept."""
    del three
    monkeypatch.setattr(observations, "stored_by_project", None)

    (result,) = sqlite_service.sync(force=True)["results"]

    assert (result["success"], result["total_accounts"]) == (True, 3)


def test_accounts_of_a_project_alone_come_in_pieces_where_many_of_its_rows_are_read(
    sqlite_service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they would be a hundred thousand at once on the day that nearly all of them change."""
    monkeypatch.setattr(observations, "MANY", 1)
    monkeypatch.setattr(observations, "stored_by_project", None)
    three.rows("Project A", [ANN, 101], [BEN, 202], [CID, 300])

    (result,) = sqlite_service.sync()["results"]

    assert (result["success"], result["total_accounts"], result["updated_count"]) == (True, 3, 2)
    assert [sqlite_service.account(name)["followers"] for name in (ANN, BEN, CID)] == [101, 202, 300]


def test_a_second_row_is_noticed_where_many_rows_are_read(
    sqlite_service: Service, three: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "MANY", 1)
    three.rows("Project A", [ANN, 101], [BEN, 202], [CID, 300], [CID, 900])

    sqlite_service.sync()

    assert sqlite_service.account(CID)["followers"] == 900


def test_projects_that_are_not_small_are_looked_up_one_by_one(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "ACCOUNTS", 1)
    sheet = sqlite_service.sheet
    for number in range(3):
        sheet.rows(f"Tab {number}", [f"https://x.com/a{number}", 1], [f"https://x.com/b{number}", 1])
    sqlite_service.sync()
    for number in range(3):
        sheet.put(f"Tab {number}!B2", 2)

    assert [result["updated_count"] for result in sqlite_service.sync()["results"]] == [1, 1, 1]


# Rows one by one


def rows_apart(data: bytes) -> RowsApart:
    found = json_payload(FakeSheet().tab("A"), data).apart()
    assert found is not None
    return found


def test_a_row_that_is_none_is_a_bad_response() -> None:
    rows = rows_apart(b'[["a"],7,["b"]]')

    assert (len(rows), rows[0], rows[2:]) == (3, ["a"], [["b"]])
    with pytest.raises(Exception, match="no table of cells"):
        rows[1]


def test_what_is_no_list_is_a_bad_response() -> None:
    with pytest.raises(Exception, match="no table of cells"):
        rows_apart(b'{"a": []}')


def test_prints_survive_storage() -> None:
    prints = RowPrints.of(b"h" * 32, b"abcdefgh" * 3).having({2: 77})

    assert RowPrints.from_bytes(prints.to_bytes()) == prints
    assert (prints.quiet, prints.unread()) == ({77}, [1, 3])
    assert RowPrints.from_bytes(RowPrints.of(b"h" * 32, b"").to_bytes()).unread() == []


def test_the_accounts_of_rows_that_changed_or_went_are_remembered_until_they_are_read() -> None:
    prints = RowPrints.of(b"h" * 32, b"aaaaaaaabbbbbbbbccccccccdddddddd").having({1: 5, 2: 6, 4: 8})

    followed = prints.follow(b"aaaaaaaaBBBBBBBBcccccccc")

    assert (followed.quiet, sorted(followed.lost), followed.unread()) == ({5}, [6, 8], [2, 3])
    assert RowPrints.from_bytes(followed.to_bytes()).lost == ()
    assert prints.follow(prints.hashes).lost == []


# Beside the plain way


class Pair:
    """One service that reads only what changed and one that always reads all, and the same things befalling both."""

    def __init__(self, services: tuple[Service, Service], seed: int) -> None:
        self.services = services
        self.dice = Random(seed)
        self.names = [f"u{number}" for number in range(14)]
        self.grids: dict[str, list[list[Cell]]] = {"A": [], "B": []}
        for title, size in (("A", 9), ("B", 3)):
            self.grids[title] = [self.row() for _ in range(size)]
        self.headers: dict[str, list[Cell]] = {title: [*HEADER] for title in self.grids}

    def row(self) -> list[Cell]:
        name, some = self.dice.choice(self.names), self.dice.randrange
        return [f"https://x.com/{name}", 1_000 + some(99), some(50), some(10**6), None, "Own", None, None]

    def cell(self) -> Cell:
        odd = (None, "", "1.2K", "12 M", "many", "#REF!", -1, 12.5, True, "1,234", "327,4B", 99_000_000)
        return self.dice.choice((1_000 + self.dice.randrange(300), *odd))

    def operate(self) -> None:
        weights = {
            self.type_count: 8,
            self.type_text: 4,
            self.rename: 2,
            self.move: 2,
            self.rename_header: 1,
            self.read: 5,
            self.edit: 4,
            self.pass_time: 3,
            self.fail: 1,
            self.sync: 8,
        }
        self.dice.choices([*weights], [*weights.values()])[0]()

    def type_count(self) -> None:
        if grid := self.grids[self.dice.choice("AAB")]:
            self.dice.choice(grid)[self.dice.choice((1, 1, 2, 3))] = self.cell()

    def type_text(self) -> None:
        if grid := self.grids[self.dice.choice("AAB")]:
            texts = {
                4: (None, "off", "manual", "auto", "#N/A"),
                5: ("Own", "@Ann", None, "x" * 300),
                6: (None, "x", "tiktok"),
                7: (None, "ann", "@u3"),
            }
            column = self.dice.choice([*texts])
            self.dice.choice(grid)[column] = self.dice.choice(texts[column])

    def rename(self) -> None:
        if grid := self.grids[self.dice.choice("AAB")]:
            odd = ("", "total", "#NAME?", "https://linktr.ee/ann", "not a link", "Link")
            name = self.dice.choice(self.names)
            self.dice.choice(grid)[0] = self.dice.choice((*odd, *[f"https://x.com/{name}"] * 6))

    def move(self) -> None:
        grid = self.grids[self.dice.choice("AAB")]
        place = self.dice.randrange(len(grid) + 1)
        match self.dice.randrange(4):
            case 0:
                grid.insert(place, self.row())
            case 1:
                del grid[place : place + 1]
            case 2:
                grid.append(self.row())
            case _:
                grid.reverse()

    def rename_header(self) -> None:
        title = self.dice.choice("AB")
        column = self.dice.randrange(1, 4)
        names = (HEADER[column], HEADER[column], "Something", "")
        self.headers[title][column] = self.dice.choice(names)

    def known(self) -> list[str]:
        return [
            str(row["profile_url"]) for row in self.services[0].rows("SELECT profile_url FROM accounts ORDER BY id")
        ]

    def read(self) -> None:
        if urls := self.known():
            url, value = self.dice.choice(urls), self.dice.choice((1_050, 1_200, 3, 90_000_000))
            for service in self.services:
                service.post("/api/admin/readings", {"readings": [{"profile_url": url, "followers": value}]})

    def edit(self) -> None:
        ids = [row["id"] for row in self.services[0].rows("SELECT id FROM accounts ORDER BY id")]
        if not ids:
            return
        account, other = self.dice.choice(ids), self.dice.choice(ids)
        path = f"/api/admin/accounts/{account}"
        held = [row["id"] for row in self.services[0].rows("SELECT id FROM held_observations ORDER BY id")]
        some: list[tuple[str, str, Any]] = [
            ("PUT", f"{path}/pins/followers", {"value": self.dice.randrange(2_000)}),
            ("DELETE", f"{path}/pins/followers", None),
            ("PATCH", path, {"mode": self.dice.choice(("auto", "manual", "off"))}),
            ("DELETE", path, None),
            ("PATCH", path, {"removed": False}),
            ("POST", f"{path}/correct_url", {"profile_url": f"https://x.com/new{account}"}),
            ("POST", f"{path}/merge", {"into": other}),
            ("POST", f"/api/admin/held/{held[-1] if held else 1}/{self.dice.choice(('accept', 'reject'))}", None),
        ]
        method, path, body = self.dice.choice(some)
        statuses = {
            service.client.open(path, method=method, json=body, headers=ADMIN).status_code for service in self.services
        }
        assert len(statuses) == 1

    def pass_time(self) -> None:
        minutes = self.dice.choice((1, 30, 400, 1_440, 4_000))
        for service in self.services:
            service.time.forward(minutes=minutes)

    def fail(self) -> None:
        for service in self.services:
            service.sheet.offline(TransientSourceError("it is away", code="unavailable"))
            service.trigger()
            service.sheet.online()

    def sync(self) -> None:
        how = self.dice.choice(({}, {}, {}, {}, {"force": True}, {"dry_run": True}))
        said = []
        for service in self.services:
            for title, grid in self.grids.items():
                service.sheet.rows(title, *grid, header=self.headers[title])
            said.append(_said(service.trigger(None, **how).json))
        assert not _differences(*said)
        assert not _differences(*map(_stored, self.services))


FLEETING = {"id", "run_id", "project_id", "seconds", "finished_at", "started_at", "duration_seconds", "timestamp"}


def _said(answer: Any) -> dict[str, dict[str, Any]]:
    rows = {
        row["project_name"]: {key: value for key, value in row.items() if key not in FLEETING}
        for row in answer["results"]
    }
    return {"": {key: answer[key] for key in ("success", "state")}} | rows


def _stored(service: Service) -> dict[str, dict[str, Any]]:
    """Everything that decides an answer, with the names of projects in the place of their ids."""
    names = {row["id"]: row["name"] for row in service.rows("SELECT id, name FROM projects")}
    found = {}
    of_accounts = ("observations", "accepted_readings", "held_observations", "pins", "account_snapshots")
    for table in ("accounts", *of_accounts, "doubts", "account_spans", "project_days", "account_aliases", "projects"):
        rows = [
            {key: names.get(str(value), _coarse(value)) for key, value in row.items() if key != "rows_seen"}
            for row in _rows(service, tables.metadata.tables[table])
        ]
        found[table] = {
            f"{number}.{key}": value for number, row in enumerate(sorted(rows, key=repr)) for key, value in row.items()
        }
    return found


def _rows(service: Service, table: sa.Table) -> list[dict[str, Any]]:
    with service.db.read() as tx:
        return [dict(row) for row in tx.execute(sa.select(table)).mappings()]


def _differences(quick: dict[str, Any], plain: dict[str, Any]) -> list[Any]:
    """Where two answers differ, short enough to be read."""
    both = ((name, key, quick[name][key], plain[name].get(key)) for name in quick for key in quick[name])
    return [one for one in both if one[2] != one[3]] + [name for name in quick if [*quick[name]] != [*plain[name]]]


def _coarse(value: Any) -> Any:
    """Times to the second: who looks at the clock more often is later."""
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_reading_what_changed_is_like_reading_all(
    seed: int, pair: tuple[Service, Service], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:
        monkeypatch.setattr(observations, "MANY", 1)
    both = Pair(pair, seed)
    both.sync()

    for _ in range(request.config.getoption("--operations")):
        both.operate()
    both.sync()


@pytest.fixture
def pair(tmp_path: Path, database_url: str, sqlite_template: Path) -> Iterator[tuple[Service, Service]]:
    """The quick way on each kind of database, and the plain way on a file."""
    shutil.copyfile(sqlite_template, tmp_path / "plain.db")
    quick, plain = Service(database_url), Service(f"sqlite:///{tmp_path / 'plain.db'}")
    plain.options(shortcuts=replace(plain.engine.options.shortcuts, changed_rows=False, newcomers_day=False))
    yield quick, plain
    quick.close()
    plain.close()
