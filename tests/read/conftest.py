"""The service on both databases, with and without answers kept in memory, and without a network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from tests.fakes.service import Service
from tests.read.world import World

KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


@pytest.fixture(autouse=True)
def both_ways(answers: None) -> None:
    """All of these tests run with answers that are kept, and once more without."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's own driver does not go through here."""

    def refuse(*where: Any) -> NoReturn:
        raise AssertionError(f"a read went to the network: {where[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture(params=KINDS)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """The service on each database, on PostgreSQL without answers that are kept."""
    url = str(request.getfixturevalue(f"{request.param}_url"))
    service = Service(url, keep_answers=None if request.param == "sqlite" else False)
    yield service
    service.close()


@pytest.fixture
def world(service: Service) -> World:
    return World(service)


@pytest.fixture
def sqlite_world(sqlite_service: Service) -> World:
    """For what does not depend on the database."""
    return World(sqlite_service)
