"""Which tabs are projects, and what happens to a project whose tab is renamed, hidden, broken or gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import TIMES, Service
from tests.fakes.sheet import HEADER, FakeCells, FakeSheet
from webapp.actions.tabs import ignore_tab, restore_tab
from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import Book
from webapp.store.tables import projects as table

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"


def names(service: Service) -> list[str]:
    return [row["name"] for row in service.rows("SELECT name FROM projects ORDER BY name")]


def by_name(answer: Any) -> dict[str, Any]:
    return {result["project_name"]: result for result in answer["results"]}


def test_each_tab_with_a_header_becomes_a_project(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2])
    sheet.rows("Project B", [ANN, 3])
    sheet.rows("Notes", ["Remember the milk"], header=None)

    answer = service.sync()

    assert names(service) == ["Project A", "Project B"]
    assert (answer["total_projects"], answer["success_count"]) == (2, 2)
    assert answer["warnings"] == ["tab 'Notes' has no header that is understood and was left out"]
    assert service.rows("SELECT followers FROM accounts ORDER BY followers") == [
        {"followers": 1}, {"followers": 2}, {"followers": 3},
    ]  # fmt: skip


def test_a_tab_that_would_be_a_project_with_one_column_less_is_told_so(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", ["Ann", ANN, 1], header=("Account", "Link", "Followers"))

    warning = service.sync()["warnings"][0]

    assert warning.startswith("tab 'Project A' has no header that is understood and was left out: A1 'Account' and B1")
    assert "rename all but one" in warning


def test_a_tab_that_cannot_be_told_from_another_is_named_and_left_out(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("Project A", "Project B", "Project C"):
        sheet.rows(title, [ANN, 1])
    service.sync()
    whole = sheet.book

    def book(budget: Budget) -> Book:
        answered = whole(budget)
        return replace(answered, tabs=tuple(replace(tab, id="1") for tab in answered.tabs))

    monkeypatch.setattr(sheet, "book", book)
    answer = service.sync()

    assert [warning for warning in answer["warnings"] if "id of another" in warning] == [
        "tab 'Project B' has the id of another tab and was left out",
        "tab 'Project C' has the id of another tab and was left out",
    ]
    assert by_name(answer)["Project A"]["success"]
    assert {name: found["error_code"] for name, found in by_name(answer).items() if not found["success"]} == {
        "Project B": "tab_missing",
        "Project C": "tab_missing",
    }


@pytest.mark.parametrize("title", ["Copy of Project A", "Копия Project A", "Project A (copy)", "Project A_conflict123"])
def test_a_copy_of_a_tab_is_no_project(sqlite_service: Service, title: str) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 1])
    sqlite_service.sheet.rows(title, [ANN, 2])

    answer = sqlite_service.sync()

    assert names(sqlite_service) == ["Project A"]
    assert answer["warnings"] == [f"tab {title!r} looks like a copy and was left out"]


def test_a_hidden_tab_is_only_listed_until_it_is_shown(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.hide("Project A")

    answer = service.sync()

    assert (answer["results"], answer["warnings"]) == (
        [],
        ["tab 'Project A' is hidden and was left out", "no projects: no tab with a recognisable header was found"],
    )


def test_a_project_goes_on_when_its_tab_is_hidden(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()

    sheet.hide("Project A")
    sheet.put("Project A!B2", 5)
    service.sync()

    assert service.followers(ANN) == 5


def test_a_chart_among_the_tabs_disturbs_nobody(service: Service, sheet: FakeSheet) -> None:
    sheet.tab("Chart", chart=True)
    sheet.rows("Project A", [ANN, 1])

    answer = service.sync()

    assert (answer["success"], answer["warnings"], sheet.reads) == (True, [], [["Project A"]])


def test_a_renamed_tab_renames_its_project_and_keeps_its_history(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    first = service.project("Project A")["id"]

    sheet.rename("Project A", "Spring")
    answer = service.sync()

    assert answer["results"][0]["project_name"] == "Spring"
    assert service.project("Spring")["id"] == first
    assert service.history(ANN) == [("2026-03-02", 1)]


def test_a_name_set_over_the_api_outlives_a_renamed_tab(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.write("UPDATE projects SET name = 'Ours', name_set = true")

    sheet.rename("Project A", "Spring")
    answer = service.sync()

    assert answer["results"][0]["project_name"] == "Ours"
    assert service.project("Ours")["worksheet_title"] == "Spring"


def test_a_deleted_tab_fails_its_own_project_and_names_the_tabs_there_are(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    sheet.delete("Project A")
    sheet.put("Project B!B2", 3)

    answer = service.sync()
    failed, well = by_name(answer)["Project A"], by_name(answer)["Project B"]

    assert (answer["success"], answer["error_count"], answer["success_count"]) == (False, 1, 1)
    assert (failed["success"], failed["error_code"]) == (False, "tab_missing")
    assert "'Project B'" in failed["error"]
    assert (well["success"], service.followers(BEN), service.followers(ANN)) == (True, 3, 1)


def test_readings_are_merged_although_the_tab_is_gone(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    sheet.delete("Project A")

    service.reading(ANN, followers=50)
    result = by_name(service.sync())["Project A"]

    assert (result["success"], result["updated_count"], service.followers(ANN)) == (False, 1, 50)


def test_a_deleted_tab_made_again_under_its_name_goes_on_as_its_project(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    first = service.project("Project A")["id"]
    sheet.delete("Project A")
    sheet.rows(" project a", [ANN, 2])
    time.forward(days=1)

    answer = service.sync()

    assert [result["project_id"] for result in answer["results"]] == [first]
    assert (answer["success"], service.one("SELECT count(*) FROM projects")) == (True, 1)
    assert service.history(ANN) == [("2026-03-02", 1), ("2026-03-03", 2)]
    assert answer["warnings"] == [
        "the tab 'Project A' has gone; its project goes on with the tab ' project a', made again under its name"
    ]
    assert service.sync()["warnings"] == []


def some(*names: str) -> list[list[Any]]:
    return [[f"https://x.com/{name}", 5] for name in names]


@pytest.mark.parametrize(
    ("names", "same"),
    [
        (("a", "b", "c"), True),
        (("c", "b", "a", "d"), True),
        (("a", "b"), True),
        (("a", "b", "d"), True),
        (("a",), False),
        (("a", "d", "e"), False),
        (("a", "b", "c", "d", "e"), False),
        (("d", "e", "f"), False),
    ],
    ids=["all", "one more", "one less", "one other", "one left", "two others", "two more", "none"],
)
def test_a_tab_with_two_thirds_of_the_accounts_goes_on_for_one_that_has_gone(
    service: Service, sheet: FakeSheet, names: tuple[str, ...], same: bool
) -> None:
    sheet.rows("Project A", *some("a", "b", "c"))
    service.sync()
    first = service.project("Project A")["id"]
    sheet.delete("Project A")
    sheet.rows("Spring", *some(*names))

    answer = service.sync()

    assert (service.project("Spring")["id"] == first) is same
    assert answer["success"] is same
    words = "the tab 'Project A' has gone; its project goes on with the tab 'Spring', which has its accounts"
    assert (words in answer["warnings"]) is same


def test_a_tab_that_fits_in_two_ways_goes_on_for_nobody(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *some("a", "b", "c"))
    service.sync()
    sheet.delete("Project A")
    sheet.rows("Spring", *some("a", "b", "c"))
    sheet.rows("Summer", *some("a", "b", "c"))

    answer = service.sync()

    assert names(service) == ["Project A", "Spring", "Summer"]
    assert by_name(answer)["Project A"]["error_code"] == "tab_missing"


def test_two_projects_that_fit_one_tab_both_wait_for_theirs(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *some("a", "b", "c"))
    sheet.rows("Project B", *some("a", "b", "c"))
    service.sync()
    sheet.delete("Project A")
    sheet.delete("Project B")
    sheet.rows("Spring", *some("a", "b", "c"))

    answer = service.sync()

    assert [by_name(answer)[name]["success"] for name in ("Project A", "Project B", "Spring")] == [False, False, True]


def test_each_of_several_tabs_goes_on_for_its_own(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *some("a", "b", "c"))
    sheet.rows("Project B", *some("d", "e", "f"))
    service.sync()
    ids = [service.project(name)["id"] for name in ("Project A", "Project B")]
    sheet.delete("Project A")
    sheet.delete("Project B")
    sheet.rows("New", *some("g"))
    sheet.rows("Two", *some("d", "e", "f"))
    sheet.rows("One", *some("a", "b", "c"))

    service.sync()

    assert [service.project(name)["id"] for name in ("One", "Two")] == ids
    assert names(service) == ["New", "One", "Two"]


def test_a_tab_goes_on_for_a_project_whose_turn_comes_later(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", *some("a", "b", "c"))
    service.sync()
    service.write("UPDATE projects SET status = 'paused'")
    sheet.delete("Project A")
    sheet.rows("Spring", *some("a", "b", "c"))
    time.forward(hours=1)

    service.sync()
    assert names(service) == ["Project A"]

    service.write("UPDATE projects SET status = 'active'")
    service.sync()
    assert names(service) == ["Spring"]


def test_a_project_that_was_removed_or_finished_takes_no_new_tab(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *some("a", "b", "c"))
    service.sync()
    service.write("UPDATE projects SET status = 'finished'")
    sheet.delete("Project A")
    sheet.rows("Project A", *some("a", "b", "c"))

    service.sync()

    assert service.one("SELECT count(*) FROM projects") == 2


def test_a_name_set_over_the_api_outlives_a_new_tab_too(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *some("a", "b", "c"))
    service.sync()
    service.write("UPDATE projects SET name = 'Ours', name_set = true")
    sheet.delete("Project A")
    sheet.rows("Spring", *some("a", "b", "c"))

    service.sync()

    assert service.project("Ours")["worksheet_title"] == "Spring"


def test_what_to_do_about_a_missing_tab_is_said_in_commands_that_there_are(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    sheet.delete("Project A")

    error = by_name(service.sync())["Project A"]["error"]

    project = service.project("Project A")["id"]
    assert f"PATCH /api/admin/projects/{project}" in error
    assert f"smart-sync projects ignore {project}" in error
    assert ignore_tab(service.parts.desk.through("cli"), project) == "Project A"
    assert service.sync()["success"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "tab_empty"),
        (("Name", "Amount"), "header_missing"),
        (("Link", "Link", "Followers"), "header_unsure"),
    ],
    ids=["empty", "no header", "two link columns"],
)
def test_a_header_that_is_not_understood_fails_only_its_project(
    service: Service, sheet: FakeSheet, header: tuple[str, ...] | None, code: str
) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    before = service.tables(without=TIMES)

    sheet.rows("Project A", *(() if header is None else ((ANN, ANN, 9),)), header=header)
    result = by_name(service.sync())

    assert (result["Project A"]["success"], result["Project A"]["error_code"]) == (False, code)
    assert result["Project B"]["success"]
    assert service.tables(without=TIMES) == before


def test_one_tab_that_can_not_be_read_fails_only_its_project(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    sheet.put("Project B!B2", 3)
    sheet.broken("Project A", SourceError("Unable to parse range", code="bad_range"))

    result = by_name(service.sync())

    assert (result["Project A"]["error_code"], result["Project B"]["success"]) == ("bad_range", True)
    assert (service.followers(ANN), service.followers(BEN)) == (1, 3)


def test_a_project_whose_tab_became_a_chart_says_so(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    sheet._change("Project A", grid=False)

    result = service.sync(status=502)["results"][0]

    assert (result["error_code"], service.followers(ANN)) == ("tab_without_cells", 1)


# New things


def test_a_new_tab_that_cannot_be_read_is_a_warning(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    sheet.broken("Project B", SourceError("the tab is too large", code="too_large"))

    answer = service.sync()

    assert (names(service), answer["warnings"]) == (["Project A"], ["tab 'Project B': the tab is too large"])


def test_a_new_tab_whose_cells_make_no_sense_is_a_warning(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet.rows("Project A", [ANN, 1])

    def torn(*_: object) -> Any:
        raise SourceError("the answer is no grid of cells", code="bad_response")

    monkeypatch.setattr(FakeCells, "rows", torn)
    monkeypatch.setattr(FakeCells, "apart", torn)

    assert service.sync()["warnings"][0] == "tab 'Project A': the answer is no grid of cells"


def test_of_very_many_warnings_the_first_are_kept(service: Service, sheet: FakeSheet) -> None:
    for number in range(60):
        sheet.tab(f"Notes {number}", hidden=True)

    assert len(service.sync()["warnings"]) == 50


def test_new_tabs_and_rows_are_only_reported_when_discovery_is_off(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.options(discover=False)
    sheet.rows("Project A", [ANN, 1], [BEN, 2])
    sheet.rows("Project B", [BEN, 2])

    for _ in range(2):
        answer = service.sync()
        assert names(service) == ["Project A"]
        assert answer["warnings"] == [
            "tab 'Project B' is no project, and new ones are not made (SMART_SYNC_DISCOVER=false)"
        ]
        result = answer["results"][0]
        assert [(p["code"], p["cell"]) for p in result["problems"]] == [("unmatched", "Project A!3")]
        assert result["total_accounts"] == 1


def test_an_unmatched_row_is_still_reported_when_only_a_reading_is_new(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.options(discover=False)
    sheet.rows("Project A", [ANN, 1], [BEN, 2])
    service.sync()

    service.reading(ANN, followers=7)
    result = service.sync()["results"][0]

    assert [p["code"] for p in result["problems"]] == ["unmatched"]


def test_rows_are_taken_once_discovery_is_on_again(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.options(discover=False)
    sheet.rows("Project A", [ANN, 1], [BEN, 2])
    service.sync()

    service.options(discover=True)
    service.sync()

    assert service.followers(BEN) == 2


def test_an_ignored_tab_becomes_no_project_until_it_is_restored(service: Service, sheet: FakeSheet) -> None:
    tab = sheet.tab("Project A")
    sheet.rows("Project A", [ANN, 1])
    ignore_tab(service.parts.desk, tab.id)
    assert service.sync()["results"] == []

    restore_tab(service.parts.desk, tab.id)
    service.sync()

    assert names(service) == ["Project A"]


def test_an_ignored_project_is_removed_with_its_history_and_comes_back_with_it(
    service: Service, sheet: FakeSheet
) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    ignore_tab(service.parts.desk, "Project A")
    sheet.rename("Project A", "Renamed")
    sheet.put("Renamed!B2", 9)
    assert [r["project_name"] for r in service.sync()["results"]] == ["Project B"]
    assert service.followers(ANN) == 1

    restore_tab(service.parts.desk, "Project A")
    service.sync()

    assert (service.followers(ANN), service.history(ANN)) == (9, [("2026-03-02", 1)])


@pytest.mark.parametrize("title", ["Project A", " project  a ", "PROJECT\u00a0A"])
def test_a_project_without_a_tab_takes_the_one_of_its_name(service: Service, sheet: FakeSheet, title: str) -> None:
    sheet.rows("Other", [BEN, 2])
    service.sync()
    with service.db.write() as tx:
        tx.execute(table.insert().values(id="ours", name="Project A", name_set=True, created_at=service.time.now))

    sheet.rows(title, [ANN, 1])
    service.sync()

    assert service.account(ANN)["project_id"] == "ours"
    assert len(names(service)) == 2


def test_two_projects_of_one_name_take_no_tab_by_name(service: Service, sheet: FakeSheet) -> None:
    with service.db.write() as tx:
        for number in "12":
            tx.execute(table.insert().values(id=number, name="Project A", name_set=True, created_at=service.time.now))

    sheet.rows("Project A", [ANN, 1])
    service.sync()

    assert service.account(ANN)["project_id"] not in ("1", "2")


def test_a_paused_project_is_left_out_and_keeps_its_tab(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.write("UPDATE projects SET status = 'paused'")
    sheet.put("Project A!B2", 5)

    (result,) = service.sync()["results"]
    assert (result["skipped"], service.followers(ANN), names(service)) == ("paused", 1, ["Project A"])

    service.sync(project_id=service.project()["id"])
    assert service.followers(ANN) == 5


def test_a_finished_project_is_synced_no_longer_and_still_there(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.write("UPDATE projects SET status = 'finished'")
    sheet.put("Project A!B2", 5)

    answer = service.sync(project_id=service.project()["id"])

    assert (answer["success"], answer["skipped"], answer["skipped_count"]) == (True, "finished", 1)
    assert service.followers(ANN) == 1


def test_a_spreadsheet_without_projects_is_a_warning_and_no_failure(service: Service, sheet: FakeSheet) -> None:
    answer = service.sync()

    assert (answer["success"], answer["total_projects"]) == (True, 0)
    assert answer["warnings"] == ["no projects: no tab with a recognisable header was found"]


def test_the_columns_may_move_and_gain_neighbours(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()

    sheet.rows("Project A", [7, "note", ANN, "x"], header=("Followers", "Following", "Profile URL", "Проект"))
    result = service.sync()["results"][0]

    assert (service.followers(ANN), result["problems"], result["updated_count"]) == (7, [], 1)


def test_a_column_that_is_gone_keeps_its_last_values(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1, 50])
    service.sync()

    sheet.rows("Project A", [ANN, 2], header=HEADER[:2])
    service.sync()

    assert (service.followers(ANN), service.account(ANN)["likes"]) == (2, 50)
