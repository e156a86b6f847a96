"""From settings to parts: the only place that knows which part is made of which."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from webapp.access import Gate, Tokens
from webapp.actions.desk import Desk
from webapp.alerts import Mail, Recipient, name_of
from webapp.alerts.ping import Ping
from webapp.clock import Clock, Stop
from webapp.config import Settings
from webapp.errors import ConfigError
from webapp.setting import tokens, unwrapped
from webapp.sources.sheet import SheetSource
from webapp.sources.sheet.credentials import ApiKey, Credentials, ServiceAccount, parse_credentials
from webapp.store.db import Database, normalise_url, open_database
from webapp.store.traces import trace_files
from webapp.sync.background import Background
from webapp.sync.engine import Engine
from webapp.sync.options import Options

if TYPE_CHECKING:
    from webapp.alerts.channels import Channel
    from webapp.rules.quiet import Quiet
    from webapp.sources.platforms import Source
    from webapp.sources.sheet.pace import Pace
    from webapp.sync.postman import Postman
    from webapp.sync.queue import Queue

DEMO_FOLDER = Path(__file__).parent / "demo"
THREADS = 8


@dataclass(frozen=True)
class Parts:
    """Everything the application is made of."""

    settings: Settings
    clock: Clock
    db: Database
    engine: Engine
    background: Background
    tokens: Tokens

    @cached_property
    def gate(self) -> Gate:
        return Gate(self.clock)

    @cached_property
    def ping(self) -> Ping:
        return Ping(self.settings.ping_url, partial(_ping, self.clock, not self.settings.private_targets))

    @cached_property
    def desk(self) -> Desk:
        return Desk(
            self.settings, self.clock, self.db, self.engine, self.background, self.ping, self.postman, self.queue
        )

    @cached_property
    def postman(self) -> Postman | None:
        """Who sends messages; None where nobody is told of anything."""
        labels = {one.name: one.label for one in mail_of(self.settings).recipients}
        if not labels:
            return None
        from webapp.sync.postman import Postman  # noqa: PLC0415  most services have none

        stop = self.background.stop
        return Postman(self.db, self.clock, stop, channels_of(self.settings, self.clock, stop), labels)

    @cached_property
    def queue(self) -> Queue | None:
        """Of runs for workers; None where runs are worked off by the process that is asked."""
        if self.settings.mode != "celery" or self.settings.demo:
            return None
        from webapp.sync.queue import Queue  # noqa: PLC0415  as above

        return Queue(self.settings.redis_url)

    @cached_property
    def reader(self) -> str | None:
        """The address to share a spreadsheet with; None without a service account."""
        credentials = credentials_of(self.settings)
        return credentials.client_email if isinstance(credentials, ServiceAccount) else None


def bootstrap(settings: Settings, *, clock: Clock | None = None, loopback: bool = False, serving: bool = True) -> Parts:
    """All parts, wired. Touches neither database nor network.

    loopback: the service can be reached from this machine only, so it may make up its own token.
    serving: false where nobody can come in, so that no token is looked for or made.

    Raises: ConfigError.
    """
    clock = clock or Clock()
    db = open_database(settings.database, pool_size=THREADS + 4, traces=traces_of(settings))
    engine = Engine(
        db,
        sheets_of(settings, clock, pace_of(settings, db, clock)),
        options_of(settings),
        clock,
        partial(platforms_of, settings),
    )
    admin = admin_tokens(settings, loopback=loopback) if serving else ()
    gate = Tokens(admin, settings.read_tokens, settings.public_reads)
    return Parts(settings, clock, db, engine, Background(Stop(clock.monotonic)), gate)


def traces_of(settings: Settings) -> Sequence[Path]:
    """Where files tell of the database when it is gone: in and beside the data folder, else in that of its own file.

    One name for whatever database a data folder is used with: one that was changed for an empty one is missed too.
    The demo has nothing to lose, and a server without a data folder no place that would outlast it.
    """
    if settings.demo:
        return ()
    if settings.data_dir_set or not settings.database_url:
        return trace_files(settings.data_dir.resolve(), "database", beside=True)
    file = normalise_url(settings.database_url).database
    if not settings.database_url.startswith("sqlite") or not file:
        return ()
    path = Path(file).absolute()
    return trace_files(path.parent, path.name, beside=False)


def _ping(clock: Clock, public_only: bool, url: str, body: bytes) -> None:
    """Raises: as `post_ping`."""
    from webapp.sources.http.posting import post_ping  # noqa: PLC0415  most services have nobody to ping

    post_ping(clock, url, body, public_only=public_only)


def options_of(settings: Settings) -> Options:
    return Options(
        discover=settings.discover,
        latest_snapshot=settings.snapshot == "latest",
        aliases=settings.columns,
        interval_minutes=settings.interval_minutes,
        stale_after=settings.stale_after,
        lease_ms=settings.lease_ms,
        keep_changes=timedelta(days=settings.keep_changes_days),
        weekly_after=settings.weekly_after,
        read_every=settings.read_every,
        readings_stale_after=settings.readings_stale_after,
        mail=mail_of(settings),
    )


def mail_of(settings: Settings) -> Mail:
    """Who is told, and how; nobody of a demo."""
    webhooks = [Recipient(name_of("webhook", url), "webhook", _masked(url)) for url in _webhooks(settings)]
    people = [
        Recipient(name_of("notify", one), "notify", f"{one.partition('://')[0].lower()} ({place})")
        for place, one in enumerate(_notified(settings), 1)
    ]
    return Mail((*people, *webhooks), settings.base_url, quiet_of(settings))


def quiet_of(settings: Settings) -> Quiet | None:
    if settings.quiet_hours is None:
        return None
    from webapp.rules.quiet import Quiet  # noqa: PLC0415  most services have none

    return Quiet(*settings.quiet_hours)


def channels_of(settings: Settings, clock: Clock, stop: Stop) -> dict[str, Channel]:
    """{recipient: how it is reached}."""
    from webapp.alerts.channels.notify import Notify  # noqa: PLC0415  most services have neither
    from webapp.alerts.channels.webhook import Webhook  # noqa: PLC0415

    send = partial(_send, clock, stop, not settings.private_targets)
    found: dict[str, Channel] = {
        name_of("webhook", url): Webhook(url, settings.webhook_secrets, clock.now, send) for url in _webhooks(settings)
    }
    labels = {one.name: one.label for one in mail_of(settings).recipients}
    for one in _notified(settings):
        found[name_of("notify", one)] = Notify(one, labels[name_of("notify", one)])
    return found


def _webhooks(settings: Settings) -> list[str]:
    return [] if settings.demo else list(dict.fromkeys(settings.webhook_urls))


def _notified(settings: Settings) -> list[str]:
    return [] if settings.demo else list(dict.fromkeys(settings.notify))


def _masked(url: str) -> str:
    """An address without what may be secret of it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def _send(clock: Clock, stop: Stop, public_only: bool, url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Raises: as `post_message`."""
    from webapp.sources.http.posting import post_message  # noqa: PLC0415  most services have no webhook

    return post_message(clock, stop, url, body, headers, public_only=public_only)


def pace_of(settings: Settings, db: Database, clock: Clock) -> Pace | None:
    """How often Google may be asked, where several processes share what it grants."""
    per_minute, credentials = settings.google_reads_per_minute, credentials_of(settings)
    if per_minute is None or credentials is None:
        return None
    from webapp.sync.pace import SharedPace  # noqa: PLC0415  most services have one process that syncs

    account = credentials.client_email if isinstance(credentials, ServiceAccount) else credentials.value
    return SharedPace(db, sha256(account.encode()).hexdigest()[:16], per_minute, clock)


def sheets_of(settings: Settings, clock: Clock, pace: Pace | None = None) -> list[SheetSource]:
    """The configured spreadsheets, or the bundled one in the demo."""
    texts = (str(DEMO_FOLDER),) if settings.demo else settings.sheets
    if not texts:
        return []
    from webapp.sources.sheet.open import open_sheet  # noqa: PLC0415  some services only take readings

    base = settings.sheets_api or None
    credentials = credentials_of(settings)
    sheets = [
        open_sheet(text, credentials=credentials, api_base=base, clock=clock, aliases=settings.columns, pace=pace)
        for text in texts
    ]
    if len({sheet.key for sheet in sheets}) < len(sheets):
        raise ConfigError("SMART_SYNC_SHEET: names the same spreadsheet twice")
    return sheets


def platforms_of(settings: Settings) -> Sequence[Source]:
    """The platforms that can be read. Asked for by the first sync, since every start pays for imports."""
    from webapp.sources.platforms.registry import sources_of  # noqa: PLC0415

    return sources_of(settings)


def credentials_of(settings: Settings) -> Credentials | None:
    if settings.google_credentials:
        return parse_credentials(settings.google_credentials)
    return ApiKey(settings.google_api_key) if settings.google_api_key else None


def token_file(settings: Settings) -> Path:
    return settings.data_dir / "admin_token"


def admin_tokens(settings: Settings, *, loopback: bool) -> Sequence[str]:
    """The tokens that were set; otherwise one that is made once and kept in the data folder.

    Raises: ConfigError where a made-up token would be lost at the next restart, or nobody would see it.
    """
    if settings.admin_tokens:
        return settings.admin_tokens
    if not (loopback or settings.demo or settings.data_dir_set):
        raise ConfigError(
            "SMART_SYNC_ADMIN_TOKEN: is not set",
            hint=f"set it, for example SMART_SYNC_ADMIN_TOKEN={secrets.token_urlsafe(32)}, "
            "or give SMART_SYNC_DATA_DIR a folder that survives restarts",
        )
    path = token_file(settings)
    try:
        return _tokens_in(path)
    except OSError as error:
        raise ConfigError(
            f"SMART_SYNC_ADMIN_TOKEN: is not set, and {path} cannot be written or read: {error.strerror}",
            hint="set the token, or make the folder writable",
        ) from None


def kept_tokens(path: Path) -> Sequence[str]:
    """What is kept in the data folder; none in an empty file.

    Raises: OSError; ConfigError for what is no token.
    """
    try:
        return tokens(unwrapped(path.read_text(encoding="utf-8")))
    except ValueError as error:
        words = "no text" if isinstance(error, UnicodeDecodeError) else error
        raise ConfigError(
            f"{path} holds no token: {words}",
            hint="remove it, and the next start makes a new one, or set SMART_SYNC_ADMIN_TOKEN",
        ) from None


def _tokens_in(path: Path) -> Sequence[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (kept := kept_tokens(path)):
        return kept
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # who starts at the same instant waits, and takes what is made here
        if kept := kept_tokens(path):
            return kept
        token = secrets.token_urlsafe(32)
        file.write(token + "\n")
    return (token,)
