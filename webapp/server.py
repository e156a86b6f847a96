"""How the service is served: settings of gunicorn, as a module for `gunicorn -c python:webapp.server webapp.wsgi:app`.

Threads, because a reader must not wait behind a sync; two workers, because one that dies must not be all there is.
Slow clients do not get at the threads: `webapp/serving` collects requests and sends answers on.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from werkzeug.test import create_environ, run_wsgi_app

from webapp import logs
from webapp.access import Tokens
from webapp.actions.desk import Desk
from webapp.app import create_app
from webapp.bootstrap import THREADS, Parts
from webapp.config import Settings
from webapp.errors import ConfigError, StoreError
from webapp.store.db import Database
from webapp.store.migrate import current_revision, ensure_migrated, migrate
from webapp.store.revision import HEAD_REVISION
from webapp.store.storage import whereabouts
from webapp.store.watch import Watch
from webapp.sync.background import Background
from webapp.web import KEY

if TYPE_CHECKING:
    from webapp.alerts.channels.notify import Notify
    from webapp.sync.postman import Postman

T = TypeVar("T")

REHEARSED = ("/health", "/api/projects")

SWITCH_S = 0.0001  # after which a thread that syncs lets others go on; Python's 0.005 makes readers beside it wait several times as long

log = logging.getLogger("smart_sync")

GRACE_S = 30
LEAVE_S = 2.0  # of the grace, for answers to be sent and the process to end
SILENCE_S = 90  # longer than anything a worker's main thread does, besides waiting for background work at its end

# The database may come up after us; requests look for it again and say 503 until then.
PASSING = {"connections_used_up", "database_absent", "database_busy", "database_login", "database_unreachable"}


class Log(Logger):  # type: ignore[misc]
    """gunicorn's own lines in the form of ours."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        if log.handlers and isinstance(log.handlers[0], logs.HeldLines):
            self.error_log.handlers[:] = log.handlers
        for handler in self.error_log.handlers:
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logs.FileLines):
                handler.setFormatter(logs.formatter(handler.stream))


def options(
    port: int,
    workers: int,
    host: str = "0.0.0.0",  # noqa: S104  behind a platform's router
    *,
    grace_s: int = GRACE_S,
    log_level: str = "INFO",
) -> dict[str, Any]:
    """Settings of gunicorn by name. grace_s: seconds from SIGTERM to SIGKILL."""
    return {
        "bind": netloc(host, port),
        "workers": workers,
        "worker_class": "webapp.serving.worker.PatientWorker",
        "threads": THREADS,
        "preload_app": True,
        "timeout": SILENCE_S + grace_s,
        "graceful_timeout": grace_s,
        "keepalive": 5,
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108
        "loglevel": log_level.lower(),
        "logger_class": Log,
        "on_starting": on_starting,
        "when_ready": when_ready,
        "on_exit": on_exit,
        "post_worker_init": post_worker_init,
        "worker_int": worker_int,
        "worker_exit": worker_exit,
    }


def netloc(host: str, port: int) -> str:
    """Host and port as an address has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_address(host: str, port: int) -> None:
    """See that the server will be able to listen there.

    Raises: ConfigError.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
            listener.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} is taken", hint=f"choose another with --port, such as --port {port % 65535 + 1}"
            ) from error
        words = f"cannot listen on port {port} of {host}: {error.strerror}"
        raise ConfigError(words, hint="choose another with --host or --port") from error


def on_starting(server: Any) -> None:
    """Migrate once, before the workers are forked; the connections are closed before the fork.

    Raises: RuntimeError, which gunicorn shows as one line, for a database or an address of Apprise that somebody has to
        mend first.
    """
    _check_channels(_part(server.app.wsgi(), Desk).postman)
    db = _part(server.app.wsgi(), Database)
    try:
        _bring_back(server.app.wsgi())
        _migrate_apart(db)
        ensure_migrated(db)
        _tell_where_the_data_is(db, copied=_replicated(server.app.wsgi()) is not None)
        _rehearse(server.app.wsgi())
    except (ConfigError, StoreError) as error:
        if error.code not in PASSING:
            raise RuntimeError(str(error)) from None
        log.warning("[SmartSync] started without the database: %s", error, extra={"code": error.code})
    finally:
        db.close()


def _rehearse(app: Any) -> None:
    """Ask what workers are asked first: what a first answer makes and all others use is then made once, for all of them.

    Else each would write it into memory that they share, and the system copy page after page for it.
    """
    token = next(iter(_part(app, Tokens).of("admin")), "")
    for path in REHEARSED:
        environ = create_environ(path, headers={"Authorization": f"Bearer {token}"})
        run_wsgi_app(app, environ, buffered=True)
    _part(app, Watch).close()


def when_ready(server: Any) -> None:
    """Begin to copy the database away, before the workers are there to change it.

    What is loaded by now is the workers' too. Left to the collector, each of them would write a mark on all of it, and
    have a copy of its own from then on.
    """
    gc.freeze()
    database = _replicated(server.app.wsgi())
    if database is not None:
        from webapp.serving.replica import Keeper  # noqa: PLC0415  where nothing is replicated nobody needs it

        url = _part(server.app.wsgi(), Settings).replica_url
        server.smart_sync_keeper = Keeper(database, url, server.LISTENERS)


def on_exit(server: Any) -> None:
    """The workers have ended: their last changes are copied, and that ends too."""
    keeper = getattr(server, "smart_sync_keeper", None)
    if keeper is not None:
        keeper.end()


def _bring_back(app: Any) -> None:
    """Restore a database file that is gone from its replica.

    Raises: StoreError; ConfigError.
    """
    database = _replicated(app)
    if database is not None:
        from webapp.serving.replica import find_litestream, restore_if_gone  # noqa: PLC0415

        find_litestream()
        restore_if_gone(database, _part(app, Settings).replica_url)


def _replicated(app: Any) -> Path | None:
    """The database file that is to be copied away while it is served, if any is."""
    settings, db = _part(app, Settings), _part(app, Database)
    wanted = settings.replica_url and not settings.demo and db.dialect == "sqlite"
    return Path(db.storage()) if wanted else None


def _tell_where_the_data_is(db: Database, *, copied: bool) -> None:
    """A disk that forgets is told at each start, before it has forgotten."""
    words, kind = whereabouts(db)
    level = logging.INFO if kind == "durable" or copied else logging.WARNING
    log.log(level, "[SmartSync] the data is %s", words, extra={"durability": kind})


def _migrate_apart(db: Database) -> None:
    """Migrate in a child process, where there is anything to do: Alembic's 10 MB go with it when it ends.

    What goes wrong there goes wrong again for who tries it next, in words. Beside other threads nothing is done: the
    child might wait for their locks for ever.

    Raises: StoreError where nobody can tell whether there is anything to do.
    """
    if current_revision(db) == HEAD_REVISION or threading.active_count() > 1:
        return
    child = os.fork()
    if child == 0:
        try:
            migrate(db)
        finally:
            os._exit(0)  # past all that the parent does at its own end
    os.waitpid(child, 0)


def _check_channels(postman: Postman | None) -> None:
    """See that Apprise knows the addresses that were set: in a child process, whose 45 MB go with it when it ends.

    Raises: RuntimeError that names the first that it does not know.
    """
    people = [] if postman is None else postman.people()
    words = _first_unknown(people) if threading.active_count() > 1 or not people else _ask_child(people)
    if words:
        raise RuntimeError(words)


def _first_unknown(people: Sequence[Notify]) -> str:
    try:
        for one in people:
            one.check()
    except ConfigError as error:
        return f"SMART_SYNC_NOTIFY: {error}"
    return ""


def _ask_child(people: Sequence[Notify]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, _first_unknown(people).encode())
        finally:
            os._exit(0)  # as above
    os.close(writing)
    with os.fdopen(reading, "rb") as found:
        words = found.read().decode()
    os.waitpid(child, 0)
    return words


def post_worker_init(worker: Any) -> None:
    """Open the database, as far as it can be; let a running sync know of SIGTERM at once, so that it ends in time.

    Messages that an earlier process left unsent are sent.
    """
    sys.setswitchinterval(SWITCH_S)
    opening = threading.Thread(target=_open, args=(_part(worker.wsgi, Database),))
    opening.start()
    opening.join()
    background = _part(worker.wsgi, Background)
    if (postman := _part(worker.wsgi, Desk).postman) is not None:
        postman.wake(background.submit)
    stop = background.stop
    gunicorns = signal.getsignal(signal.SIGTERM)

    def on_term(number: int, frame: FrameType | None) -> None:
        stop.request(_working_s(worker))
        if callable(gunicorns):
            gunicorns(number, frame)

    signal.signal(signal.SIGTERM, on_term)
    signal.siginterrupt(signal.SIGTERM, False)  # as gunicorn had it: requests are not to be disturbed


def _open(db: Database) -> None:
    """Open the database, as far as it can be: who has the file open notices when it is replaced, and knows which log
    beside it belongs to the old one.

    Called in a thread, which has memory of its own: in the main one SQLite would fill what gaps the master has left in
    pages that are shared, of which two megabytes would be copied.
    """
    with suppress(StoreError):
        db.open()


def worker_int(worker: Any) -> None:
    """Ctrl-C: whatever runs ends as soon as it can be left."""
    _part(worker.wsgi, Background).stop.request(0.0)


def worker_exit(server: Any, worker: Any) -> None:
    """Wait for background work, which has been told to end."""
    del server
    # gunicorn also calls this in its master, for a worker that it finds gone: nothing of ours ends there.
    if worker.pid == os.getpid() and hasattr(worker, "wsgi"):
        _part(worker.wsgi, Background).shut_down(_working_s(worker))


def _working_s(worker: Any) -> float:
    """Seconds of the grace in which work may go on."""
    grace = float(worker.cfg.graceful_timeout)
    return grace - min(LEAVE_S, grace / 4)


def _part(app: Any, kind: type[T]) -> T:
    part = app.extensions[KEY][kind]
    assert isinstance(part, kind)  # noqa: S101  narrows the type
    return part


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn over parts that are made already: what `smart-sync serve` runs."""

    def __init__(self, parts: Parts, settings: Mapping[str, Any]) -> None:
        self._parts = parts
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            if name in self.cfg.settings and value is not None:  # an older gunicorn knows fewer settings
                self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self._parts)


def _from_env() -> dict[str, Any]:
    settings = Settings.from_env()
    return options(settings.port, settings.web_concurrency, log_level=settings.log_level)


# gunicorn takes the names of this module for its settings.
globals().update(_from_env())
