"""What is wrong with a page, as far as a program can see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (390, 768, 1280, 1920)
LARGE = 4_000  # elements: axe takes seconds for each look at the description of the API
CORNERS = (("light", WIDTHS[0]), ("dark", WIDTHS[-1]))  # at which such a page is looked at


def barriers(page: Page) -> list[str]:
    """What axe finds."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:250]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def sticks_out(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def faults(page: Page) -> Iterator[str]:
    """What is wrong with the page that is open, in every theme and width, with all that can be unfolded unfolded."""
    unfold(page)
    large = page.evaluate("document.querySelectorAll('*').length") > LARGE
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if wider := sticks_out(page):
                yield f"{page.url} {theme} {width}: {wider} px wider than the window"
            if large and (theme, width) not in CORNERS:
                continue
            yield from (f"{page.url} {theme} {width}: {found}" for found in barriers(page))


def unfold(page: Page) -> None:
    """Open what is folded; of the hundreds in the description of the API only some, which are all made alike."""
    page.evaluate("[...document.querySelectorAll('details')].slice(0, 12).forEach((one) => { one.open = true })")


def submit(page: Page, *, action: str, **fields: Any) -> None:
    """Send a form that is on no page as it stands, from this page."""
    with page.expect_navigation():
        page.evaluate(
            """([action, fields]) => {
                const form = Object.assign(document.createElement("form"), { method: "post", action });
                for (const [name, value] of Object.entries(fields))
                    form.append(Object.assign(document.createElement("input"), { name, value }));
                document.body.append(form);
                form.submit();
            }""",
            [action, fields],
        )
