"""The end of a connection into which a thread puts its answer, without waiting for whoever takes it."""

from __future__ import annotations

import errno
import select
import socket
from collections import deque
from typing import IO, Any

from webapp.clock import Clock
from webapp.serving.lobby import TAKE

MAX_AHEAD = 8 * 1024 * 1024  # how far a thread that goes on producing may be ahead of its client, in bytes


class Outlet:
    """What gunicorn takes for the client's socket. It is used by one thread at a time, never by two.

    What the client does not take at once is kept, and goes with `flush`, when the socket can be written to again.
    """

    def __init__(self, client: socket.socket, clock: Clock) -> None:
        client.setblocking(False)
        self._client = client
        self._clock = clock
        self._kept: deque[memoryview] = deque()
        self._began = 0.0
        self._taken = 0

    @property
    def kept(self) -> int:
        """Bytes that the client did not take yet."""
        return sum(len(piece) for piece in self._kept)

    @property
    def deadline(self) -> float:
        """When the client has to have taken all."""
        return TAKE.deadline(self._began, self._taken)

    def fileno(self) -> int:
        return self._client.fileno()

    def recv(self, size: int) -> bytes:
        return self._client.recv(size)

    def sendall(self, data: bytes) -> None:
        """Give it to the client, or keep it.

        Raises: OSError when the client has gone, or is too far behind for too long.
        """
        if not self._kept:
            self._began, self._taken = self._clock.monotonic(), 0
        elif self.kept > MAX_AHEAD:
            self._wait()
        self._kept.append(memoryview(data))
        self.flush()

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        file.seek(offset)
        return self.send(file.read(-1 if count is None else count))

    def flush(self) -> bool:
        """Whether the client has all of it; False when it does not take more at the moment.

        Raises: OSError when the client has gone.
        """
        while self._kept:
            piece = self._kept[0]
            try:
                sent = self._client.send(piece)
            except BlockingIOError:
                return False
            self._taken += sent
            if sent < len(piece):
                self._kept[0] = piece[sent:]
            else:
                self._kept.popleft()
        return True

    def _wait(self) -> None:
        """Until the client is close enough behind. Only for answers made piece by piece; others are all there."""
        poll = select.poll()
        poll.register(self._client, select.POLLOUT)
        while not self.flush() and self.kept > MAX_AHEAD:
            left = self.deadline - self._clock.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                self._kept.clear()
                raise BrokenPipeError(errno.EPIPE, "the client does not take its answer")

    def say_goodbye(self) -> None:
        """Tell the client that nothing more comes.

        Raises: OSError when the client has gone.
        """
        self._client.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._kept.clear()
        self._client.close()

    # What gunicorn does to a socket, and an outlet has no need of

    def setblocking(self, _: Any) -> None:
        """It never blocks."""

    def gettimeout(self) -> float:
        return 0.0

    def settimeout(self, _: Any) -> None:
        """It never blocks."""

    def shutdown(self, _: int) -> None:
        """Give up: an answer broke off, and the client must not take what there is of it for all.

        Raises: OSError, so that nobody waits for the client to hang up.
        """
        self._kept.clear()
        raise OSError(errno.ENOTCONN, "the answer broke off")
