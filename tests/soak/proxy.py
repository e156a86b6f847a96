"""A wire between the service and its database that a soak can cut, stop and hold."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

__all__ = ["Proxy"]

CHUNK = 64 * 1024
LOOK_S = 0.02


class Proxy:
    """Passes bytes both ways between whoever connects and a server. connect: opens a connection to that server.

    refusing: whoever comes is sent away. holding: nothing passes, and nobody is told.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self.refusing = False
        self.holding = False
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Close every connection there is."""
        with self._lock:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.refusing:
                return
            with self._connect() as server:
                self._join(client, server)

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        with self._lock:
            self._open -= {client, server}

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        """Until one end closes; then both are."""
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                while self.holding:
                    time.sleep(LOOK_S)
                target.sendall(chunk)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
