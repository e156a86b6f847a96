"""gunicorn's worker with threads, but for one thing: a thread gets a request only once all of it is there.

The main thread collects requests, and sends on what clients do not take at once. Neither may last for long, and of
either only so much may be unfinished: see `lobby`. gunicorn reads heads, runs the application and ends as ever.
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from webapp.app import MAX_BODY
from webapp.clock import Clock
from webapp.serving.arrival import Arrival
from webapp.serving.lobby import ARRIVE, Lobby, Room
from webapp.serving.outlet import Outlet
from webapp.serving.refusals import BROKEN, CROWDED, LATE, Refusal, refusal_of

READ = 16 * 1024  # at a time, so that nobody who sends much holds up the others
LEAVE_S = 2.0
REST_S = 0.1
ROOMS = 5  # so many parts of gunicorn's `worker_connections`: one for each room with a limit, and one for the threads
SPARE_FILES = 128  # that connections leave to the work: database, sheets, logs
# How long a stopping worker waits: for requests that may be on their way, and for answers to be taken.
STOPPING_S = {Room.QUIET: STOP_KEEPALIVE_LINGER, Room.ARRIVING: STOP_KEEPALIVE_LINGER, Room.SENDING: 5.0}
COUNTED = {Room.ARRIVING: "did not finish their request", Room.SENDING: "did not take their answer"}
WHY = {LATE: "in time", CROWDED: "and were too many"}
REPORT_EVERY_S = 60.0
NOTHING_YET = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EPROTO}
NO_MORE_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Connection(TConn):  # type: ignore[misc]
    """A client, the request that it sends, and the answer that it takes."""

    def __init__(self, cfg: Any, client: Outlet, address: Any, server: Any) -> None:
        super().__init__(cfg, client, address, server)
        self.initialized = True  # for gunicorn, which would make a parser of its own
        self.number = 1
        self.began = 0.0
        self.moved = 0
        self.again = False  # whether one more request may follow
        self.last = False  # whether the client has said that none follows
        self.rest = b""  # what came behind the last request
        self.watched: tuple[int, Any] | None = None  # the event, and who is called at it
        self.parser = Arrival(cfg, address, 1, MAX_BODY)

    def forget_request(self, *, again: bool) -> None:
        """It is over, and nothing of it is kept, but what came behind it."""
        self.again = again
        self.last = self.parser.is_last
        self.rest = self.parser.rest
        self.number += 1
        self.moved = 0
        self.parser = Arrival(self.cfg, self.client, self.number, MAX_BODY)

    @property
    def asked(self) -> int:
        return self.parser.held

    @property
    def answered(self) -> int:
        kept: int = self.sock.kept
        return kept


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """The worker. With TLS, HTTP/2 or uwsgi it is gunicorn's own, and slow clients hold its threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock = Clock()
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            self.worker_connections = min(self.cfg.worker_connections, max(ROOMS, files - SPARE_FILES))
        self.lobby: Lobby[Connection] = Lobby(max(1, self.worker_connections // ROOMS))
        self._hurried = False
        self._short_of_files = False
        self._told = float("-inf")
        self._parted: Counter[tuple[Room, Refusal]] = Counter()
        self._reported = float("-inf")

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if not _is_plain(cfg):
            log.warning("Slow clients hold threads: only plain HTTP/1.1 is collected before a thread gets it")

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Of gunicorn's kind, whose module is loaded by now; by gunicorn only here, in each worker anew."""
        return ThreadPoolExecutor(max_workers=self.cfg.threads)

    # What gunicorn's main loop calls

    def accept(self, listener: socket.socket) -> None:
        if not _is_plain(self.cfg):
            super().accept(listener)
            return
        # The more there are, the more come at once; where few are, the other worker is to get its share.
        for _ in range(1 + len(self.lobby) // 16):
            if not self._take(listener):
                return

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections from now on, or none. A worker that ends lets nobody wait who could go to another server."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                while _is_plain(self.cfg) and self.nr_conns < self.worker_connections and self._take(listener):
                    """Who has been let in by the system is answered."""
                listener.close()

    def notify(self) -> None:
        """Tell the master that we live; about once a second, where gunicorn does so at every event."""
        now = self.clock.monotonic()
        if now >= self._told + min(1.0, self.timeout / 4):
            self._told = now
            super().notify()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(min(timeout, self.lobby.wait_s(self.clock.monotonic())))

    def murder_pending(self) -> None:
        """Part with whoever is late, or too many."""
        super().murder_pending()
        now = self.clock.monotonic()
        if not self.alive and not self._hurried:
            self._hurried = True
            for room, seconds in STOPPING_S.items():
                self.lobby.hurry(room, now + seconds)
        for conn in self.lobby.overdue(now):
            self._part(conn, LATE)
        while (crowded := self.lobby.crowded_out()) is not None:
            self._part(crowded, CROWDED)
        if self._short_of_files:
            self._make_room()
        if self._parted and (now >= self._reported + REPORT_EVERY_S or not self.alive):
            self._report(now)

    def finish_request(self, conn: Any, fs: Future[bool]) -> None:
        if not isinstance(conn, Connection):
            super().finish_request(conn, fs)
            return
        conn.forget_request(again=not fs.cancelled() and fs.exception() is None and bool(fs.result()))
        self._send(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        del req
        refusal = refusal_of(exc)
        self._log(refusal, addr, exc)
        with suppress(OSError):
            util.write_nonblock(client, refusal.encode())

    # The way of a connection through the rooms

    def _take(self, listener: socket.socket) -> bool:
        """Take one connection; whether there was any."""
        try:
            client, address = listener.accept()
        except OSError as error:
            self._bear(error)
            return False
        self.nr_conns += 1
        outlet = Outlet(client, self.clock)
        self._await_request(Connection(self.cfg, outlet, address, listener.getsockname()), b"")
        return True

    def _await_request(self, conn: Connection, data: bytes) -> None:
        """One more request of the connection; data: what of it is there."""
        conn.began = self.clock.monotonic()
        patience = self.cfg.keepalive if conn.number > 1 else max(ARRIVE.seconds, self.cfg.keepalive)
        if not self.alive:
            patience = min(patience, STOPPING_S[Room.QUIET])
        self.lobby.enter(conn, Room.QUIET, conn.began + patience)
        if data:
            self._feed(conn, data)
        elif conn.number == 1:
            self._receive(conn)  # it is often there with the connection
        else:
            self._watch(conn, selectors.EVENT_READ, self._receive)

    def _receive(self, conn: Connection, _: Any = None) -> None:
        try:
            data = conn.sock.recv(READ)
        except BlockingIOError:
            self._watch(conn, selectors.EVENT_READ, self._receive)
            return
        except OSError:
            data = b""
        if data:
            self._feed(conn, data)
        else:
            self._close(conn)

    def _feed(self, conn: Connection, data: bytes) -> None:
        arrival = conn.parser
        try:
            arrival.feed(data)
            if arrival.wants_word:
                conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        except OSError:
            self._close(conn)
        except Exception as error:  # noqa: BLE001  whatever gunicorn has against a request
            self._log(refusal := refusal_of(error), conn.client, error)
            self._refuse(conn, refusal)
        else:
            self._go_on(conn, len(data))

    def _go_on(self, conn: Connection, count: int) -> None:
        """With so many bytes more of the request there is either all of it, or some time for the rest."""
        if conn.parser.whole:
            self._unwatch(conn)
            self.lobby.enter(conn, Room.WORKING)
            self.enqueue_req(conn)
            return
        if self.lobby.room_of(conn) is Room.QUIET:
            conn.began = self.clock.monotonic()
            self.lobby.enter(conn, Room.ARRIVING)
        conn.moved += count
        self._grant(conn, Room.ARRIVING, ARRIVE.deadline(conn.began, conn.moved))
        self._watch(conn, selectors.EVENT_READ, self._receive)

    def _send(self, conn: Connection, _: Any = None) -> None:
        """What is left of an answer; then what comes after it."""
        try:
            done = conn.sock.flush()
        except OSError:
            self._close(conn)
            return
        if done and conn.again:
            self._await_request(conn, conn.rest)
        elif done:
            self._say_goodbye(conn)
        else:
            if self.lobby.room_of(conn) is not Room.SENDING:
                conn.began = self.clock.monotonic()
                self.lobby.enter(conn, Room.SENDING)
            self._grant(conn, Room.SENDING, conn.sock.deadline)
            self._watch(conn, selectors.EVENT_WRITE, self._send)

    def _grant(self, conn: Connection, room: Room, deadline: float) -> None:
        """Let it stay until then, or for as long as a stopping worker waits."""
        self.lobby.grant(conn, deadline if self.alive else min(deadline, conn.began + STOPPING_S[room]))

    def _say_goodbye(self, conn: Connection) -> None:
        """Nothing more is said. What the client still says is thrown away: closing at once could cost it the answer."""
        try:
            conn.sock.say_goodbye()
        except OSError:
            self._close(conn)
        else:
            self.lobby.enter(conn, Room.LEAVING, self.clock.monotonic() + LEAVE_S)
            self._ignore(conn)

    def _ignore(self, conn: Connection, _: Any = None) -> None:
        try:
            more = bool(conn.sock.recv(READ))
        except BlockingIOError:
            more = not conn.last
        except OSError:
            more = False
        if more:
            self._watch(conn, selectors.EVENT_READ, self._ignore)
        else:
            self._close(conn)

    def _refuse(self, conn: Connection, refusal: Refusal) -> None:
        conn.forget_request(again=False)
        try:
            conn.sock.sendall(refusal.encode())
        except OSError:
            self._close(conn)
        else:
            self._send(conn)

    def _part(self, conn: Connection, refusal: Refusal) -> None:
        """Who has sent a part of a request is told why; others are not: a word would answer what they ask next."""
        room = self.lobby.room_of(conn)
        if room in COUNTED:
            self._parted[room, refusal] += 1
        if room is Room.ARRIVING:
            self._refuse(conn, refusal)
        else:
            self._close(conn)

    def _report(self, now: float) -> None:
        """Whether somebody is slow on purpose, only their number tells; so they are counted, in a line now and then."""
        counts = ", ".join(f"{count} {COUNTED[room]} {WHY[why]}" for (room, why), count in self._parted.items())
        self.log.warning("Slow clients were left: %s", counts)
        self._parted.clear()
        self._reported = now

    def _close(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.lobby.leave(conn)
        conn.sock.close()
        self.nr_conns -= 1

    def _watch(self, conn: Connection, event: int, call: Callable[[Connection, Any], None]) -> None:
        """Have it called whenever the connection can be read, or written to."""
        if conn.watched != (event, call):
            self._unwatch(conn)
            self.poller.register(conn.sock, event, partial(call, conn))
            conn.watched = (event, call)

    def _unwatch(self, conn: Connection) -> None:
        if conn.watched:
            self.poller.unregister(conn.sock)
            conn.watched = None

    def _bear(self, error: OSError) -> None:
        """An accept that failed must not end the worker."""
        self._short_of_files = error.errno in NO_MORE_FILES
        if not self._short_of_files and error.errno not in NOTHING_YET:
            raise error

    def _make_room(self) -> None:
        """Close somebody's connection; only here, after all events: one of them may have been for that connection."""
        self._short_of_files = False
        spare = self.lobby.spare()
        if spare is not None:
            self._close(spare)
        else:
            self.clock.sleep(REST_S)

    def _log(self, refusal: Refusal, addr: Any, error: BaseException) -> None:
        if refusal is BROKEN:
            self.log.error("Error handling request", exc_info=error)
        else:
            self.log.warning("Invalid request from ip=%s: %s", addr[0] if addr else "", error)


def _is_plain(cfg: Any) -> bool:
    return not cfg.is_ssl and cfg.protocol == "http" and cfg.http2_cleartext == "off"
