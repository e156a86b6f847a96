"""The demo with a past, served by two workers, and a real browser before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.dashboard.filled import TOKEN, fill, filled_demo, parts_on
from tests.e2e.google import Google, google
from tests.e2e.harness import Service, serving
from tests.programs import need

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READ = "a-token-that-only-reads"
PHONE = {"viewport": {"width": 360, "height": 740}}
TROUBLED = "Beauty & Friends"

Opening = Callable[..., Page]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    chromium = need("chromium")
    need("libatomic")
    return {"executable_path": chromium, "args": ARGS}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The demo with sixty days behind it; tests leave its numbers as they are."""
    folder = tmp_path_factory.mktemp("site")
    with filled_demo(folder / "data" / "demo" / "demo.db"):
        pass
    tokens = {"SMART_SYNC_ADMIN_TOKEN": TOKEN, "SMART_SYNC_READ_TOKEN": READ}
    with serving(folder, None, "--demo", workers=2, env=tokens) as running:
        yield running


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A site on which everything stands that a page can show; tests leave it as it is.

    Three tabs: one with cells that cannot be read, a value in doubt and one that is held, one that is fine, and one
    that is gone.
    """
    with (
        google() as book,
        serving(tmp_path_factory.mktemp("busy"), book, workers=2, env={"SMART_SYNC_READ_TOKEN": READ}) as running,
    ):
        fill_busy(running, book)
        yield running


def fill_busy(service: Service, book: Google) -> None:
    """Give a service over an empty spreadsheet three projects with a past and with trouble."""
    book.tab(TROUBLED, 12, 100_000, note="brows & lashes")
    book.tab("Street Food", 3, 5_000)
    book.tab("Gone", 3, 700)
    assert service.sync().status == 200
    parts = parts_on(service.database)
    fill(parts, days=40)
    parts.db.close()
    assert service.sync().status == 200
    book.put(TROUBLED, 5, "12 or 13")
    book.put(TROUBLED, 6, "n/a")
    book.put(TROUBLED, 7, 9_000_000)
    book.drop("Gone")
    service.sync()
    loss = ("an earlier database", "2026-01-01", "2026-02-01 00:00:00", "2026-02-02 00:00:00")
    write(service, "INSERT INTO lost_history (id, place, first_day, seen_at, noticed_at) VALUES (1, ?, ?, ?, ?)", *loss)


@pytest.fixture
def book() -> Iterator[Google]:
    with google() as opened:
        opened.tab("Project A", 3, 100)
        yield opened


@pytest.fixture
def service(book: Google, tmp_path: Path) -> Iterator[Service]:
    """A service of this test's own over a spreadsheet that it holds in its hands, synced once."""
    with serving(tmp_path / "service", book, workers=2) as running:
        assert running.sync().status == 200
        yield running


class Watched:
    """What a page complains of: console errors, refused files, exceptions."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.expected: list[str] = []

    @property
    def surprises(self) -> list[str]:
        """All but what the test said is part of it."""
        return [words for words in self.words if not any(part in words for part in self.expected)]

    def watch(self, page: Page) -> None:
        page.on(
            "console", lambda message: self.words.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.words.append(str(error)))


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Every page that was opened has nothing to complain of at the end."""
    seen = Watched()
    yield seen
    assert seen.surprises == []


@pytest.fixture
def opened(browser: Browser, watched: Watched) -> Iterator[Opening]:
    """`opened(site.url, token=..., color_scheme='dark')`: the home page of somebody who has signed in."""
    contexts: list[BrowserContext] = []

    def open_page(url: str, *, token: str | None, **context: Any) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        watched.watch(page)
        page.goto(url)
        if token is not None:
            page.get_by_label("Token").fill(token)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("heading", name="Projects").wait_for()
        return page

    yield open_page
    for one in contexts:
        one.close()


def to_project(page: Page, name: str = "Beauty Lab") -> Page:
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", level=1, name=name).wait_for()
    return page


def write(service: Service, sql: str, *values: Any) -> None:
    with closing(sqlite3.connect(service.database)) as connection, connection:
        connection.execute(sql, values)


def hold(service: Service) -> None:
    write(
        service,
        "INSERT INTO held_observations (account_id, metric, value, last_good, held_at, state)"
        " SELECT min(id), 'views', 999999, 1000, '2026-03-02 10:00:00', 'held' FROM accounts",
    )
