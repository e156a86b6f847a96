"""A crowd of clients that send, take or hang up slowly, around the service as it is deployed."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.slow import Crowd, watch
from tests.e2e.google import Google
from tests.e2e.harness import CLI, TOKEN, Service, serving

MASTER = ("-m", "gunicorn", "-c", "python:webapp.server", "webapp.wsgi:app")
PLAIN = ("-m", "gunicorn", "webapp.wsgi:app")
CROWD = 200
SECONDS = 4.0


def port_of(service: Service) -> int:
    port = urlsplit(service.url).port
    assert port
    return port


@pytest.mark.parametrize(("entry", "workers"), [(CLI, 1), (MASTER, 2)], ids=["smart-sync serve", "gunicorn"])
def test_others_are_answered_and_the_service_ends_in_time(
    sheet: Google, tmp_path: Path, entry: tuple[str, ...], workers: int
) -> None:
    sheet.tab("Project A", 30, 100)
    with serving(tmp_path, sheet, program=entry, workers=workers) as service:
        with Crowd(port_of(service), CROWD):
            health, trigger = watch(port_of(service), SECONDS, TOKEN)
            service.signal(signal.SIGTERM)
            code = service.exit()

        assert (health.wrong, trigger.wrong) == ([], [])
        assert len(health.seconds) > 3 * SECONDS
        assert len(trigger.seconds) >= 2
        assert code == 0
        assert len(service.workers) == workers
        assert set(service.states().values()) == {"succeeded"}


def test_somebody_who_starts_gunicorn_without_our_settings_is_served_too(sheet: Google, tmp_path: Path) -> None:
    sheet.tab("Project A", 30, 100)
    with serving(tmp_path, sheet, program=PLAIN, ready="/health") as service:
        assert service.sync().status == 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /elsewhere\r\n\r\n", 400),
        (b"POST /sign-in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nwhat\r\n", 400),
    ],
    ids=["long address", "script name", "chunks"],
)
def test_what_is_no_http_is_answered_as_a_problem(tmp_path: Path, said: bytes, status: int) -> None:
    with (
        serving(tmp_path, ready="/health") as service,
        socket.create_connection(("127.0.0.1", port_of(service)), timeout=60) as client,
    ):
        client.sendall(said)
        answer = b""
        while got := client.recv(4096):
            answer += got

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/problem+json\r\n" in answer
    assert b'"code":' in answer
