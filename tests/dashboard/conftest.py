"""The dashboard over the demo with a past, and people who have signed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.dashboard.filled import TOKEN, filled_demo
from tests.fakes.clock import FakeClock
from webapp.access import Tokens
from webapp.app import create_app
from webapp.bootstrap import Parts

READ = "token-that-only-reads-0123"
OURS = {"Sec-Fetch-Site": "same-origin"}


class Site(NamedTuple):
    """The app with its parts, and the time it lives in."""

    app: Flask
    parts: Parts
    time: FakeClock

    def visitor(self, token: str | None = None) -> FlaskClient:
        """A browser of somebody, signed in with a token if there is one."""
        client = self.app.test_client()
        if token is not None:
            assert client.post("/sign-in", data={"token": token}, headers=OURS).status_code == 303
        return client


@pytest.fixture(scope="session")
def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests that change nothing in it and let no time pass."""
    yield from _site(tmp_path_factory)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from _site(tmp_path_factory)


def _site(folders: pytest.TempPathFactory) -> Iterator[Site]:
    time = FakeClock()
    with filled_demo(folders.mktemp("dashboard") / "demo.db", time.clock) as made:
        parts = replace(made, tokens=Tokens((TOKEN,), (READ,)))
        yield Site(create_app(parts), parts, time)


@pytest.fixture
def admin(quiet_site: Site) -> FlaskClient:
    return quiet_site.visitor(TOKEN)


@pytest.fixture
def reader(quiet_site: Site) -> FlaskClient:
    return quiet_site.visitor(READ)
