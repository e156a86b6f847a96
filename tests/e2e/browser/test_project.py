"""The page of a project and its settings, by mouse and by keyboard."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.filled import TOKEN as TOKEN_OF_SITE
from tests.e2e.browser.conftest import TROUBLED, Opening, Watched, hold, to_project
from tests.e2e.harness import TOKEN, Service


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def test_any_days_are_looked_at_and_compared(busy: Service, opened: Opening) -> None:
    page = to_project(opened(busy.url, token=TOKEN), TROUBLED)
    page.evaluate("window.same = true")
    page.get_by_label("From", exact=True).fill(days_ago(20))
    page.get_by_label("to", exact=True).fill(days_ago(11))
    page.get_by_role("button", name="Show", exact=True).press("Enter")

    expect(page).to_have_url(re.compile(f"from={days_ago(20)}&to={days_ago(11)}"))
    expect(
        page.get_by_role("heading", level=2, name=re.compile(r"^Views, \d+ \w+ \d{4} to \d+ \w+ \d{4}$"))
    ).to_be_visible()
    expect(page.locator(".compared")).to_have_text(
        re.compile(r"^\+.* from .* to .*, \d+ % (more|less) than in the 9 days before \(\+.*\)$")
    )
    expect(page.locator("[data-twin] tbody tr")).to_have_count(10)
    page.get_by_role("link", name=re.compile("^followers")).press("Enter")
    expect(page.get_by_role("heading", level=2, name=re.compile("^Followers, "))).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_have_value(days_ago(20))
    page.get_by_role("link", name="30 d", exact=True).click()
    expect(page.get_by_role("heading", level=2, name="Followers, 30 days")).to_be_visible()
    assert page.evaluate("window.same") is True


def test_accounts_are_filtered_by_status(busy: Service, opened: Opening) -> None:
    page = to_project(opened(busy.url, token=TOKEN), TROUBLED)
    rows, status = page.locator(".accounts tbody tr"), page.get_by_label("Status", exact=True)
    status.select_option("off")
    expect(page.get_by_text("No account fits.")).to_be_visible()
    page.get_by_role("link", name="Show all").press("Enter")
    expect(rows).to_have_count(12)
    status.focus()
    for mode, count in (("auto", 12), ("manual", 0), ("off", 0)):
        page.keyboard.press("ArrowDown")
        expect(page).to_have_url(re.compile(f"mode={mode}"))
        expect(rows).to_have_count(count)
        expect(status).to_be_focused()


def taken(page: Page, link: str) -> list[dict[str, str]]:
    """The lines of the file that a link gives."""
    with page.expect_download() as taking:
        page.get_by_role("link", name=link).click()
    return list(csv.DictReader(Path(taking.value.path()).read_text(encoding="utf-8-sig").splitlines()))


def test_accounts_and_days_are_taken_away_as_csv(busy: Service, opened: Opening) -> None:
    page = to_project(opened(busy.url, token=TOKEN), TROUBLED)
    accounts, days = taken(page, "All as CSV"), taken(page, "These days as CSV")

    assert len(accounts) == 12
    assert {row["views"] for row in accounts} == {"1000000"}
    assert [row["date"] for row in days] == [days_ago(back) for back in reversed(range(30))]
    assert days[-1]["views"] == "12000000"


def test_a_failed_project_is_told_by_one_word_and_its_reason(busy: Service, opened: Opening) -> None:
    page = to_project(opened(busy.url, token=TOKEN), "Gone")
    expect(page.locator("h1 .badge")).to_have_text("failed")
    expect(page.locator(".notice.bad")).to_contain_text("has gone from the spreadsheet")
    problems = page.locator("#problems")
    expect(problems.get_by_role("heading", level=2)).to_have_text("Problems 1")
    expect(problems).not_to_contain_text("Nothing in the Sheet needs a hand.")


def test_a_problem_is_listed_once_with_what_to_do(busy: Service, opened: Opening) -> None:
    page = to_project(opened(busy.url, token=TOKEN), TROUBLED)
    problems = page.locator("#problems")
    expect(problems.get_by_role("heading", level=3)).to_have_text(["Cells that are no count 1"])
    expect(problems).to_contain_text("Type one whole number; until then the last good value stays.")
    expect(problems.get_by_role("listitem")).to_have_count(1)
    for part, heading in (("#held", "Held values 1"), ("#doubts", "Values in doubt 1")):
        expect(page.locator(part).get_by_role("heading")).to_have_text(heading)


@pytest.mark.parametrize("verb", ["Accept", "Reject"])
@pytest.mark.parametrize("key", ["mouse", "Enter", "Space"])
def test_a_held_value_is_decided_on_the_project(service: Service, opened: Opening, verb: str, key: str) -> None:
    hold(service)
    page = opened(service.url, token=TOKEN)
    page.get_by_role("link", name="1 held value").click()
    button = page.get_by_role("button", name=f"{verb} views 999,999")
    if key == "mouse":
        button.click()
    else:
        button.press(key)

    page.get_by_role("heading", level=1, name="Project A").wait_for()
    expect(page.get_by_role("heading", name="Held values")).to_have_count(0)
    assert service.rows("SELECT state FROM held_observations") == [f"{verb.lower()}ed"]


def test_when_a_target_is_reached_is_said(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN_OF_SITE))
    expect(page.locator(".forecast")).to_have_text(re.compile(r"^reached on \d+ \w+ \d{4} at the pace of four weeks$"))
    expect(page.get_by_role("group", name="Target")).to_contain_text("% of 100M")


def settings(page: Page) -> Page:
    page.get_by_role("link", name="Settings").press("Enter")
    page.get_by_role("heading", level=1, name="Settings").wait_for()
    return page


def test_name_dates_target_and_policy_are_changed(service: Service, opened: Opening) -> None:
    page = settings(to_project(opened(service.url, token=TOKEN), "Project A"))
    page.get_by_label("Name", exact=True).fill("Ada & Co")
    page.get_by_label("Target of views").fill("6,000")
    page.get_by_label("Which number counts").select_option("the Sheet")
    page.get_by_label("From", exact=True).fill("2026-01-02")
    page.get_by_label("Until", exact=True).fill("2099-12-31")
    page.get_by_label("Until", exact=True).press("Enter")

    page.get_by_role("link", name="Ada & Co").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada & Co")
    expect(page.get_by_role("group", name="Target")).to_contain_text("50.0 % of 6,000")
    assert service.rows("SELECT name, target_views, merge_policy, start_date, end_date FROM projects") == [
        ("Ada & Co", 6000, "sheet", "2026-01-02", "2099-12-31")
    ]
    settings(page).get_by_label("Name", exact=True).fill("")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Project A")


def test_what_makes_no_sense_is_refused_in_words(service: Service, opened: Opening, watched: Watched) -> None:
    watched.expected.append("422")
    page = settings(to_project(opened(service.url, token=TOKEN), "Project A"))
    page.get_by_label("Target of views").fill("many")
    page.get_by_label("Target of views").press("Enter")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("'many' is no whole number")
    page.go_back()
    page.get_by_label("Or at these times, as cron writes them").fill("whenever")
    page.get_by_label("Or at these times, as cron writes them").press("Enter")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()

    assert service.rows("SELECT target_views, cron FROM projects") == [(None, None)]


def test_a_project_is_synced_by_an_interval_or_at_times_of_the_day(service: Service, opened: Opening) -> None:
    page = settings(to_project(opened(service.url, token=TOKEN), "Project A"))
    schedule = page.get_by_role("region", name="When it is synced by itself")
    schedule.get_by_label("Every so many minutes").fill("90")
    schedule.get_by_role("button", name="Save").press("Enter")
    expect(schedule).to_contain_text(re.compile(r"Its next turns: in 1 h, in 2 h, in 4 h\."))
    expect(schedule.get_by_label("Every so many minutes")).to_have_value("90")

    schedule.get_by_label("Or at these times").fill("30 9 * * 1-5")
    schedule.get_by_label("On the clock of").fill("Europe/Berlin")
    schedule.get_by_label("On the clock of").press("Enter")
    expect(schedule.get_by_label("Every so many minutes")).to_have_value("")
    expect(schedule.get_by_label("Or at these times")).to_have_value("30 9 * * 1-5")
    expect(schedule).to_contain_text(
        "synced at 09:30 on Monday through Friday, on the clock of Europe/Berlin. Its next"
    )
    page.get_by_role("link", name="Project A").click()
    expect(page.get_by_label("Interval").locator("option:checked")).to_have_text(
        "at 09:30 on Monday through Friday (Europe/Berlin)"
    )
    switch = settings(page).get_by_role("switch", name="Auto-sync")
    switch.press("Space")
    switch.press("Enter")
    expect(schedule).not_to_contain_text("Its next turns")
    expect(switch).not_to_be_checked()


def test_a_project_is_removed_once_its_name_is_typed(service: Service, opened: Opening, watched: Watched) -> None:
    watched.expected.append("422")
    page = settings(to_project(opened(service.url, token=TOKEN), "Project A"))
    sure = page.get_by_label("Its name, to be sure")
    sure.fill("Project")
    sure.press("Enter")
    expect(page.get_by_text("type the project's name as it stands there, to remove it")).to_be_visible()
    page.go_back()
    sure.fill("Project A")
    sure.press("Enter")

    expect(page.get_by_text("No project yet.")).to_be_visible()
    assert service.rows("SELECT count(*) FROM projects WHERE removed_at IS NULL") == [0]
