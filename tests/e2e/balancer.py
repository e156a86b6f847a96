"""What stands in front of several hosts: each connection goes to the next of them."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import cast

CHUNK = 64 * 1024


class Balancer(socketserver.ThreadingTCPServer):
    """Takes turns, and leaves out a host that does not take the connection. turns: which host got each of them."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, ports: Sequence[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.turns: list[int] = []
        self._ports = ports
        self._next = count()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def connect(self) -> socket.socket:
        """A connection to whoever's turn it is.

        Raises: OSError when nobody is there.
        """
        with self._lock:
            first = next(self._next)
        for turn in (number % len(self._ports) for number in range(first, first + len(self._ports))):
            with suppress(OSError):
                host = socket.create_connection(("127.0.0.1", self._ports[turn]), timeout=5)
                self.turns.append(turn)
                return host
        raise OSError("no host is there")


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with suppress(OSError), cast("Balancer", self.server).connect() as host:
            host.settimeout(None)
            back = threading.Thread(target=_pass_on, args=(host, self.request), daemon=True)
            back.start()
            _pass_on(self.request, host)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """All that comes, to its end."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def balancer(ports: Sequence[int]) -> Iterator[Balancer]:
    with Balancer(ports) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
