"""Charts and numbers: what is short is exact for a pointer, for the keyboard and for a finger, and nothing moves."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.filled import TOKEN
from tests.e2e.browser.addresses import pages
from tests.e2e.browser.conftest import PHONE, Opening, to_project
from tests.e2e.browser.looking import unfold
from tests.e2e.harness import TOKEN as SERVICE_TOKEN
from tests.e2e.harness import Service


def test_a_chart_is_read_with_the_keyboard(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN))
    days = page.get_by_role("slider", name="Day of the chart")
    days.focus()
    page.keyboard.press("Home")
    first = days.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")

    second = days.get_attribute("aria-valuetext")
    assert first != second
    assert re.fullmatch(r"\d{4}-\d\d-\d\d: [\d,]+, \+[\d,]+ that day", str(second))
    expect(page.locator("[data-readout]")).to_have_text(str(second))
    page.get_by_role("link", name="90 d").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Views, 90 days")).to_be_visible()
    expect(page).to_have_url(re.compile("days=90"))


def drawn(page: Page, where: str, chart: str) -> tuple[Locator, Locator]:
    """The plot of a chart and what is read from it."""
    page.goto(page.url.rstrip("/") + where)
    figure = page.locator(chart).locator("figure")
    figure.scroll_into_view_if_needed()
    return figure.locator(".plot"), figure.locator("[data-readout]")


CHARTS = [("/", "#chart"), ("/accounts/2", "#chart"), ("/accounts/2", "#growth")]


@pytest.mark.parametrize(("where", "chart"), CHARTS)
@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_a_pointer_over_a_chart_reads_its_days_and_moves_nothing(
    site: Service, opened: Opening, where: str, chart: str, options: dict[str, dict[str, int]]
) -> None:
    page = opened(site.url, token=TOKEN, **options)
    plot, readout = drawn(page, where, chart)
    at_rest = readout.inner_text()
    assert at_rest.startswith("now: ")
    box, before = plot.bounding_box(), places(page)
    assert box is not None
    read = []
    for part in (0.1, 0.5, 0.7):
        page.mouse.move(box["x"] + part * box["width"], box["y"] + 100)
        expect(readout).to_have_text(re.compile(r"^2\d{3}-\d\d-\d\d: "))
        read.append(readout.inner_text())
        assert places(page) == before
    assert read == sorted(set(read))
    page.mouse.move(0, 0)
    expect(readout).to_have_text(at_rest)


def places(page: Page) -> object:
    """Where everything stands, and how far the page is scrolled."""
    return page.evaluate(
        "[scrollY, ...[...document.querySelectorAll('section, h1, h2, table')].map((one) => one.getBoundingClientRect().y)]"
    )


@pytest.mark.parametrize(("where", "chart"), CHARTS)
def test_a_finger_on_a_chart_reads_the_day_under_it_and_moves_nothing(
    site: Service, opened: Opening, where: str, chart: str
) -> None:
    page = opened(site.url, token=TOKEN, **PHONE, has_touch=True, is_mobile=True)
    plot, readout = drawn(page, where, chart)
    box, before = plot.bounding_box(), places(page)
    assert box is not None
    days = page.locator("#chart [data-twin] tbody th").all_text_contents()
    for part in (0.3, 0.5, 0.8):
        page.touchscreen.tap(box["x"] + part * box["width"], box["y"] + 100)
        place = int(part * len(days)) if chart == "#growth" else round(part * (len(days) - 1))
        expect(readout).to_have_text(re.compile(f"^{days[place]}: "))
        expect(plot.locator(".cross:not([hidden])")).to_have_count(1)
        assert places(page) == before


def test_a_day_without_a_snapshot_is_dotted_and_said(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN))
    chart = page.locator("#chart")
    expect(chart.locator(".line-gap")).to_have_count(1)
    expect(chart.locator(".legend")).to_contain_text("no snapshot")
    days = page.get_by_role("slider", name="Day of the chart")
    days.focus()
    page.keyboard.press("Home")
    said = []
    for _ in range(31):
        said.append(str(days.get_attribute("aria-valuetext")))
        page.keyboard.press("ArrowRight")
    (gap,) = [at for at, one in enumerate(said) if one.endswith(": no snapshot")]
    assert [at for at, one in enumerate(said) if " in 2 days" in one] == [gap + 1]
    assert len([one for one in said if "carried" in one]) == 1  # not at every day because one account missed


def test_the_table_of_days_adds_up(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN))
    page.get_by_text("Every day as a table").click()
    rows = page.get_by_role("table", name=re.compile("^Views by day")).locator("tbody tr")
    expect(rows.first).to_be_visible()
    found = [[number(cell) for cell in row.locator("td").all_inner_texts()[:4]] for row in rows.all()]

    known = [row for row in found if row[0] is not None]
    assert len(known) >= 30
    for (before, *_), (value, growth, joined, left) in pairwise(known):
        assert (before or 0) + (growth or 0) + (joined or 0) + (left or 0) == value


def number(text: str) -> int | None:
    return None if text.strip() in ("", "–") else int(text.replace(",", ""))


def test_each_short_number_says_what_it_is_short_for(site: Service, opened: Opening) -> None:
    page = opened(site.url, token=TOKEN)
    for path in ("/", "/accounts/2"):
        page.goto(site.url + path)
        found = page.locator("main data").all()
        assert len(found) >= 5
        for one in found:
            value, shown = str(one.get_attribute("value")), one.inner_text()
            exact = one.locator("xpath=ancestor-or-self::*[@title][1]").get_attribute("title")
            assert str(exact).partition(";")[0] == (f"{int(value):,}" if value else "not observed")
            assert stands_for(shown, int(value)) if value else shown == "–", (shown, value)


def stands_for(shown: str, value: int) -> bool:
    """Whether the short number is the nearest that there is of so many figures."""
    found = re.fullmatch(r"([\d,.]+)([KMB]?)", shown)
    assert found is not None, shown
    figures = found[1].replace(",", "")
    unit = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}[found[2]]
    half: float = unit / 10 ** len(figures.partition(".")[2]) / 2
    return abs(float(figures) * unit - value) <= half


def test_short_numbers_are_exact_on_focus_and_by_a_tap(site: Service, opened: Opening) -> None:
    shown = "(one) => getComputedStyle(one, '::after').content"
    page = opened(site.url, token=TOKEN, **PHONE, has_touch=True)
    number = page.get_by_role("group", name="Views of Beauty Lab")
    assert number.evaluate(shown) == "none"
    number.tap()
    assert re.search(r"[\d,]{9,}; 24 h \+[\d,]+; 7 d \+[\d,]+", number.evaluate(shown))
    to_project(page)
    tile = page.get_by_role("link", name=re.compile("^followers"))
    tile.focus()
    assert re.search(r"[\d,]{6,}; 24 h ", tile.evaluate(shown))


def test_a_phone_shows_growth_beside_the_name_which_stays_when_a_table_is_moved(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN, **PHONE))
    row = page.locator(".accounts tbody tr").first
    name, growth = row.locator("th"), row.locator(".growth")
    growth.scroll_into_view_if_needed()
    box = growth.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360
    before = name.bounding_box()
    page.locator("#accounts .scroll").evaluate("(one) => { one.scrollLeft = 300 }")

    assert page.locator("#accounts .scroll").evaluate("(one) => one.scrollLeft") > 100
    assert name.bounding_box() == before


def test_the_first_column_of_every_table_stays_on_a_phone(busy: Service, opened: Opening, tmp_path: Path) -> None:
    page = opened(busy.url, token=SERVICE_TOKEN, **PHONE)
    moved = 0
    for path in pages(busy, tmp_path, page.context):
        if path == "/docs":
            continue
        page.goto(busy.url + path)
        unfold(page)
        for table in page.locator(".scroll:has(table)").all():
            name = table.locator("tbody tr > :first-child").first
            before = name.bounding_box()
            table.evaluate("(one) => { one.scrollLeft = 120 }")
            moved += table.evaluate("(one) => one.scrollLeft > 0")
            assert name.bounding_box() == before, path
    assert moved >= 4
