"""Every page with the keyboard alone: each control once, in the order in which it is seen, and always in sight."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.addresses import pages
from tests.e2e.browser.conftest import Opening, to_project
from tests.e2e.harness import TOKEN, Service

# Number all that Tab comes to, as the page has it, and say where each stands before anything is moved.
NUMBER = """() => {
    const all = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const found = [...document.querySelectorAll(all)].filter((one) =>
        one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0 && !one.disabled && one.type !== "hidden"
    );
    return found.map((one, n) => {
        one.dataset.number = n;
        const box = one.getBoundingClientRect();
        return { html: one.outerHTML.slice(0, 120), left: box.left, right: box.right, top: box.top, bottom: box.bottom };
    });
}"""
# Where the focus is, and how it shows.
FOCUS = """() => {
    const one = document.activeElement;
    const shown = [one, one.closest(".plot")].some((part) => {
        const style = part && getComputedStyle(part);
        return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    const box = one.getBoundingClientRect();
    return {
        number: one.dataset.number === undefined ? null : Number(one.dataset.number),
        html: one.outerHTML.slice(0, 120),
        shown,
        inside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
    };
}"""
LARGE = 400  # controls: the description of the API, which is not a page of the dashboard


def stops(page: Page) -> list[dict[str, Any]]:
    """Each place that Tab comes to, until it leaves the page or comes to one again."""
    found: list[dict[str, Any]] = []
    while (stop := pressed(page))["number"] is not None:
        if found and stop["number"] == found[-1]["number"]:
            continue  # a date has a stop for each of its parts
        if any(stop["number"] == one["number"] for one in found):
            break
        found.append(stop)
    return found


def pressed(page: Page) -> dict[str, Any]:
    page.keyboard.press("Tab")
    found: dict[str, Any] = page.evaluate(FOCUS)
    return found


def goes_back(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether the eye has to go back: up within a column, or to the left within a line."""
    above = after["bottom"] <= before["top"] and after["left"] < before["right"]
    lefter = after["right"] <= before["left"] and after["top"] < before["bottom"] and after["bottom"] > before["top"]
    return bool(above or lefter)


@pytest.mark.parametrize("width", [390, 1280])
def test_tab_comes_to_every_control_once_in_the_order_in_which_it_is_seen(
    busy: Service, opened: Opening, tmp_path: Path, width: int
) -> None:
    page = opened(busy.url, token=TOKEN)
    wrong: list[str] = []
    for path in pages(busy, tmp_path, page.context):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(busy.url + path)
        page.evaluate("document.activeElement.blur()")  # of a field that a page gives the focus to
        there = page.evaluate(NUMBER)
        if len(there) > LARGE:
            continue
        found = stops(page)
        order = [there[one["number"]] for one in found]
        wrong += [f"{path}: Tab never comes to {one['html']}" for one in there if one not in order]
        wrong += [f"{path}: the focus does not show on {one['html']}" for one in found if not one["shown"]]
        wrong += [f"{path}: out of sight: {one['html']}" for one in found if not one["inside"]]
        wrong += [
            f"{path}: back from {before['html']} to {after['html']}"
            for before, after in pairwise(order)
            if goes_back(before, after)
        ]
    assert "\n".join(wrong) == ""


def test_the_first_key_leads_past_the_head_to_the_numbers(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN)
    for path in ("/", "/runs", "/accounts/2", "/set-up"):
        page.goto(busy.url + path)
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the numbers")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport(ratio=1)
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_nothing_moves_for_whoever_asked_for_less_motion(busy: Service, opened: Opening, tmp_path: Path) -> None:
    moving = """() => [...document.querySelectorAll("*")].flatMap((one) => ["", "::before", "::after"].map((part) =>
        getComputedStyle(one, part || null)).filter((style) => style.animationName !== "none"
        || style.scrollBehavior === "smooth" || style.transitionDuration.split(", ").some((length) => length !== "0s"))
        .map(() => one.outerHTML.slice(0, 80)))"""
    page = opened(busy.url, token=TOKEN, reduced_motion="no-preference")
    to_project(page, "Street Food")
    assert page.evaluate(moving) != []  # the switch slides
    page.emulate_media(reduced_motion="reduce")
    for path in pages(busy, tmp_path, page.context):
        if path != "/docs":
            page.goto(busy.url + path)
            assert page.evaluate(moving) == [], path


def test_a_sync_is_started_and_followed_with_the_keyboard(service: Service, opened: Opening) -> None:
    page = opened(service.url, token=TOKEN)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Sync all":
            break
    page.keyboard.press("Space")

    expect(page.locator("#said")).to_have_text(re.compile(r"^Latest sync .* succeeded: 1 project done, 0 failed"))
    expect(page.get_by_role("button", name="Sync all")).to_be_enabled()


def test_what_is_chosen_shows_in_the_colours_of_the_system_too(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN, forced_colors="active")

    for chosen in page.locator("[aria-current]").all():
        assert chosen.evaluate("(one) => getComputedStyle(one).outlineStyle") == "solid", chosen.inner_text()
