"""The dashboard over the demo with a past, and people who have signed in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.dashboard.filled import TOKEN, filled_demo, parts_on
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


class Filled(NamedTuple):
    """The demo with a past, to be copied, and the time at which it was made."""

    path: Path
    now: datetime


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    time = FakeClock()
    path = tmp_path_factory.mktemp("filled") / "demo.db"
    with filled_demo(path, time.clock):
        pass
    return Filled(path, time.now)


@pytest.fixture(scope="session")
def quiet_site(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests that change nothing in it and let no time pass."""
    yield from _site(filled, tmp_path_factory.mktemp("quiet"))


@pytest.fixture
def site(filled: Filled, tmp_path: Path) -> Iterator[Site]:
    yield from _site(filled, tmp_path)


def _site(filled: Filled, folder: Path) -> Iterator[Site]:
    time = FakeClock()
    time.now = filled.now
    parts = parts_on(shutil.copyfile(filled.path, folder / "demo.db"), time.clock)
    parts = replace(parts, tokens=Tokens((TOKEN,), (READ,)))
    yield Site(create_app(parts), parts, time)
    parts.db.close()


@pytest.fixture
def admin(quiet_site: Site) -> FlaskClient:
    return quiet_site.visitor(TOKEN)


@pytest.fixture
def reader(quiet_site: Site) -> FlaskClient:
    return quiet_site.visitor(READ)
