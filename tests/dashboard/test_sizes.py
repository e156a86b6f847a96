"""Every page of the dashboard over a thousand accounts with three years behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from flask.testing import FlaskClient

from tests.dashboard.crowd import PROJECT, Crowd, crowd
from tests.dashboard.filled import TOKEN
from tests.dashboard.test_pages import counted
from webapp.app import create_app
from webapp.dashboard import home, project, questions
from webapp.dashboard.pages import PAGES
from webapp.dashboard.runs import OUTCOMES
from webapp.model import METRICS

MOST_BYTES = 100_000
MOST_STATEMENTS = 32
SOME = f"/projects/{PROJECT}"
SPREAD = {"few": (10, 100), "one": (1, 1000), "many": (200, 5)}


class Big(NamedTuple):
    """A crowd and whoever looks at it. addresses: of each page, by its route."""

    crowd: Crowd
    visitor: FlaskClient
    addresses: Mapping[str, Sequence[str]]


def addresses(crowd: Crowd) -> dict[str, list[str]]:
    """{route: every way in which it is asked for, as far as it matters}"""
    today = crowd.parts.clock.now().date()
    dates = f"from={today - timedelta(days=questions.LONGEST_SPAN)}&to={today}"
    days = [f"days={period}" for period in questions.PERIODS]
    metrics = [f"metric={metric}" for metric in METRICS]
    of_home = [
        *days,
        *metrics,
        *(f"sort={sort}" for sort in home.SORTS),
        *(f"show={shown}" for shown in home.SHOWN),
        "q=campaign",
        "page=2",
    ]
    of_project = [
        *days,
        *metrics,
        dates,
        f"from={today - timedelta(days=400)}&to={today - timedelta(days=30)}",
        *(f"sort={sort}&order={order}" for sort in project.SORTS for order in ("asc", "desc")),
        *(f"mode={mode}" for mode in project.MODES),
        "q=somebody&days=365",
        "platform=tiktok",
        "topic=A%20topic%20topic%201",
        "page=3",
    ]
    return {
        "/sign-in": ["/sign-in", "/sign-in?ended=1"],
        "/share/<token>": [f"/share/{crowd.token}"],
        "/shared/<project_id>": [f"/shared/{PROJECT}?{asked}" for asked in (*days, *metrics, dates)],
        "/": [f"/?{asked}" for asked in of_home],
        "/projects/<project_id>": [f"{SOME}?{asked}" for asked in of_project],
        "/projects/<project_id>/settings": [f"{SOME}/settings"],
        "/projects/<project_id>/share": [f"{SOME}/share"],
        "/accounts/<int:account_id>": [f"/accounts/7?{asked}" for asked in (*days, *metrics)],
        "/set-up": ["/set-up"],
        "/pulse": ["/pulse"],
        "/runs": ["/runs", *(f"/runs?outcome={outcome}" for outcome in OUTCOMES), f"/runs?project_id={PROJECT}"],
        "/runs/<run_id>": ["/runs/run-0", "/runs/run-7"],
        "/alerts": ["/alerts"],
    }


def look(path: Path, projects: int, size: int) -> Iterator[Big]:
    with crowd(path, projects, size) as found:
        visitor = create_app(found.parts).test_client()
        visitor.post("/sign-in", data={"token": TOKEN}, headers={"Sec-Fetch-Site": "same-origin"})
        visitor.get(f"/share/{found.token}")
        yield Big(found, visitor, addresses(found))


@pytest.fixture(scope="module", params=SPREAD)
def long(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Big]:
    """A thousand accounts, as some projects or as one."""
    yield from look(tmp_path_factory.mktemp("crowd") / "crowd.db", *SPREAD[request.param])


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Big]:
    """The same with a few accounts."""
    yield from look(tmp_path / "few.db", 2, 4)


def test_no_page_is_forgotten(few: Big) -> None:
    pages = {path for method, path, _, _ in PAGES if method == "GET" and not path.startswith("/static")}

    assert few.addresses.keys() == pages


def statements(big: Big, path: str) -> int:
    big.visitor.get(path)  # what is kept in memory is there
    with counted(big.crowd.parts.db) as found:
        assert big.visitor.get(path).status_code in (200, 302, 303), path
    return len(found)


@pytest.mark.long
def test_every_page_of_a_thousand_accounts_and_three_years_is_small_and_asks_as_often_as_for_a_few(
    long: Big, few: Big
) -> None:
    sizes, more = {}, {}
    for route, paths in long.addresses.items():
        for path in paths:
            sizes[path] = len(long.visitor.get(path).data)
        for path, same in zip(paths, few.addresses[route], strict=True):
            if (asked := statements(long, path)) != (usual := statements(few, same)) or asked > MOST_STATEMENTS:
                more[path] = (asked, usual)

    assert {path: size for path, size in sizes.items() if size >= MOST_BYTES} == {}
    assert more == {}
