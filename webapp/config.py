"""Settings: read once from the environment, checked together, handed down. Nothing else reads the environment."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time
from importlib.util import find_spec
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from webapp.errors import ConfigError
from webapp.model import LONGEST_INTERVAL, METRICS
from webapp.platforms import PLATFORMS, Listed
from webapp.setting import (
    Setting,
    base_url,
    database_url_text,
    file_path,
    flag,
    key_text,
    line,
    notify_addresses,
    one_of,
    origins,
    picture,
    quiet_hours,
    redis_url,
    replica_url,
    seconds,
    signing_secrets,
    target_url,
    target_urls,
    text_list,
    tokens,
    unwrapped,
    whole,
)

GOOGLE_READS = 60  # a minute, that Google grants to an account
SECRET_LENGTH = 8  # what is shorter is found in innocent words
_PASSWORD = re.compile(r"[\w+.-]+://[^:/@]*:([^@]*)@")


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Times are in seconds, tokens in order of preference."""

    database_url: str = ""
    port: int = 8000
    web_concurrency: int = 2
    log_level: str = "INFO"
    log_file: Path | None = None
    google_credentials: str = field(default="", repr=False)
    google_api_key: str = field(default="", repr=False)
    sheets: tuple[str, ...] = ()
    sheets_api: str = ""
    admin_tokens: tuple[str, ...] = field(default=(), repr=False)
    read_tokens: tuple[str, ...] = field(default=(), repr=False)
    public_reads: bool = False
    cors_origins: tuple[str, ...] = ()
    data_dir: Path = Path("data")
    data_dir_set: bool = False
    budget_s: float | None = None
    discover: bool = True
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    snapshot: Literal["first", "latest"] = "first"
    lease_s: float = 60.0
    interval_minutes: int = 30
    stale_after_minutes: int | None = None
    readings_stale_after: int = 2880
    keep_changes_days: int = 90
    weekly_after: int | None = None
    replica_url: str = field(default="", repr=False)
    get_trigger: bool = False
    ping_url: str = field(default="", repr=False)
    notify: tuple[str, ...] = field(default=(), repr=False)
    webhook_urls: tuple[str, ...] = field(default=(), repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    quiet_hours: tuple[time, time, str] | None = None
    mode: Literal["here", "celery"] = "here"
    redis_url: str = field(default="", repr=False)
    beat: Literal["all", "tick"] = "all"
    google_reads: int | None = None
    own_url: str = ""
    share_name: str = "Smart Sync"
    share_logo: str = field(default="", repr=False)
    render_url: str = ""
    private_targets: bool = False
    read_platforms: tuple[str, ...] | None = None
    read_minutes: int | None = None
    platforms: Mapping[str, Any] = field(default_factory=dict, repr=False)
    platform_secrets: tuple[str, ...] = field(default=(), repr=False)
    demo: bool = False

    @property
    def database(self) -> str:
        """The database URL, by default a SQLite file in the data folder."""
        name = "demo.db" if self.demo else "smart_sync.db"
        return self.database_url or f"sqlite:///{(self.data_dir / name).resolve()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must be seen nowhere: tokens, keys, passwords, secret addresses."""
        passwords = [*chain(*map(_passwords_in, (self.database_url, self.replica_url, self.redis_url)))]
        found = (
            *(*self.admin_tokens, *self.read_tokens, self.google_api_key, self.ping_url),
            *(*passwords, *map(unquote, passwords)),
        )
        told = (*self.notify, *self.webhook_urls, *self.webhook_secrets)
        return tuple({secret for secret in (*found, *told, *self.platform_secrets) if len(secret) >= SECRET_LENGTH})

    @property
    def google_reads_per_minute(self) -> int | None:
        """Reads of Google that all processes may make together in a minute; None: nobody counts."""
        return self.google_reads or (GOOGLE_READS if self.mode == "celery" else None)

    @property
    def base_url(self) -> str:
        """Where people reach the service, without a slash at its end; empty: nobody said."""
        return self.own_url or self.render_url

    def reads(self, platform: Listed) -> bool:
        """Whether the platform may be read, if it can be."""
        return not self.demo and (self.read_platforms is None or platform.name in self.read_platforms)

    @property
    def read_every(self) -> int:
        """Minutes after which a platform is asked for an account again."""
        return self.read_minutes or self.interval_minutes

    @property
    def configured(self) -> bool:
        """Whether there is any spreadsheet to read."""
        return self.demo or bool(self.sheets)

    @property
    def lease_ms(self) -> int:
        """Milliseconds after its last sign of life from which a run is taken for dead."""
        return int(self.lease_s * 1000)

    @property
    def stale_after(self) -> int:
        """Minutes after the last success from which a project's numbers are too old to trust."""
        return self.stale_after_minutes or 2 * self.interval_minutes

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings from an environment, by default the process's own with the `.env` file here behind it.

        Raises: ConfigError that names every setting that cannot be used.
        """
        settings, wrong = cls.read(environment() if environ is None else environ)
        if wrong:
            raise ConfigError("settings that cannot be used: " + "; ".join(wrong))
        return settings

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
        """The settings that can be used, defaults for the others, and `NAME: what is wrong with it` of each of those."""
        values: dict[str, Any] = {}
        platforms: dict[str, Any] = {}
        secrets: list[str] = []
        refused: set[str] = set()
        settings = (*SETTINGS, *_of_platforms(platform for platform in PLATFORMS if platform.is_set(environ)))
        wrong = _unknown(environ, settings)
        for setting in settings:
            try:
                text = _text(environ, setting.name)
                if text is not None:
                    value = setting.parse(text)
                    (values if setting.attribute else platforms)[setting.attribute or setting.name] = value
                    secrets += getattr(value, "secrets", (text,)) if setting.secret and not setting.attribute else ()
            except ValueError as error:
                wrong.append(f"{setting.name}: {error}")
                refused.add(setting.name)
        for attribute, (other, words) in _together(values).items():
            del values[attribute]
            if other not in refused:  # else it is told already why that one is missing
                wrong.append(words)
        kept: dict[str, Any] = {"platforms": platforms, "platform_secrets": tuple(secrets)} if platforms else {}
        return cls(**values, **kept, data_dir_set="data_dir" in values), wrong


def _passwords_in(url: str) -> Iterator[str]:
    """As any reader of the address may take it: one with a slash in it, and one among the options."""
    with suppress(ValueError):  # it is refused as an address elsewhere
        parts = urlsplit(url)
        yield parts.password or ""
        yield from parse_qs(parts.query).get("password", ())
    if found := _PASSWORD.match(url):
        yield found[1]


def environment(dotenv: Path | None = Path(".env")) -> dict[str, str]:
    """The variables of this process, with those of a `.env` file behind them; None: of no file.

    Raises: ConfigError when the file is there and cannot be read, or not all of it.
    """
    return ({} if dotenv is None else dict(_dotenv(dotenv))) | dict(os.environ)


def _dotenv(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415  most starts have no such file
    from dotenv.parser import parse_stream  # noqa: PLC0415

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the settings file {path.absolute()} cannot be read: {type(error).__name__}",
            hint="make it a text file in UTF-8 that this user may read, or remove it",
        ) from None
    odd = [_line(*part.original) for part in parse_stream(StringIO(text)) if part.error]
    if odd:  # what stands there would silently be the default
        raise ConfigError(
            f"the settings file {path.absolute()} cannot be understood in line {', '.join(map(str, odd))}",
            hint="write NAME=value, close each quote, and begin a remark with #",
        )
    found = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in found.items() if value is not None}


def _line(text: str, start: int) -> int:
    """Where a statement begins whose text has the blank lines before it."""
    return start + text[: len(text) - len(text.lstrip())].count("\n")


def _text(env: Mapping[str, str], name: str) -> str | None:
    """The setting's text from `NAME` or the file that `NAME_FILE` names; None when it is unset or blank."""
    text, file = unwrapped(env.get(name, "")), unwrapped(env.get(f"{name}_FILE", ""))
    if text and file:
        raise ValueError(f"is set twice, as {name} and as {name}_FILE; remove one")
    if file:
        try:
            text = unwrapped(file_path(file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file that {name}_FILE names cannot be read: {type(error).__name__}") from None
    return text or None


def _of_platforms(platforms: Iterable[Listed]) -> Iterable[Setting]:
    return (setting for platform in platforms for setting in platform.load().settings)


def every_setting() -> tuple[Setting, ...]:
    """All settings there are, those of every platform too."""
    return (*SETTINGS, *_of_platforms(PLATFORMS))


def _names(settings: Iterable[Setting]) -> set[str]:
    return {name for setting in settings for name in (setting.name, f"{setting.name}_FILE")}


def _unknown(env: Mapping[str, str], settings: Iterable[Setting]) -> list[str]:
    known = _names(settings)
    found = []
    for name in sorted(env):
        if name.startswith("SMART_SYNC_") and name not in known:
            near = difflib.get_close_matches(name, _names(every_setting()), n=1)
            found.append(f"{name}: is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _together(values: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Settings that are right one by one and wrong together: {attribute: (the other one's name, what is wrong)}."""
    found = {}
    if "*" in values.get("cors_origins", ()) and not values.get("public_reads"):
        found["cors_origins"] = (
            "SMART_SYNC_PUBLIC_READS",
            "SMART_SYNC_CORS_ORIGINS: `*` is for public numbers; it needs SMART_SYNC_PUBLIC_READS=true",
        )
    if set(values.get("read_tokens", ())) & set(values.get("admin_tokens", ())):
        found["read_tokens"] = (
            "SMART_SYNC_ADMIN_TOKEN",
            "SMART_SYNC_READ_TOKEN: is an admin token as well; give reading a token of its own",
        )
    if values.get("mode") == "celery" and not values.get("redis_url"):
        words = "REDIS_URL: is not set; SMART_SYNC_MODE=celery needs the address of a Redis"
        found["mode"] = "REDIS_URL", words
    if values.get("mode") == "celery" and find_spec("celery") is None:
        found["mode"] = "", "SMART_SYNC_MODE: celery needs Celery: install smart-sync with the extra `celery`"
    address, secret = values.get("webhook_urls"), values.get("webhook_secrets")
    if bool(address) != bool(secret):
        missing = f"SMART_SYNC_WEBHOOK_{'SECRET' if address else 'URL'}"
        words = f"{missing}: is not set; a webhook needs its address and its secret"
        found["webhook_urls" if address else "webhook_secrets"] = missing, words
    return found


def _platforms(text: str) -> tuple[str, ...]:
    names = tuple(part.lower() for part in text_list(text))
    known = [platform.name for platform in PLATFORMS]
    for name in names:
        if name not in (*known, "none"):
            raise ValueError(f"{name!r} is none of {', '.join(known)}; `none` reads none of them")
    return names


def _columns(text: str) -> dict[str, tuple[str, ...]]:
    """`followers=Fans|Abonnenten; url=Konto` -> {"followers": ("Fans", "Abonnenten"), "url": ("Konto",)}."""
    meanings = ("url", "platform", "username", "owner", "topic", "status", "date", *METRICS)
    found: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        meaning, equals, names = part.partition("=")
        meaning = meaning.strip().lower()
        headers = tuple(name.strip() for name in names.split("|") if name.strip())
        if not equals or not headers or meaning not in meanings:
            raise ValueError(f"{part!r} is not `meaning=Header|Other header` with a meaning of {', '.join(meanings)}")
        for name in headers:
            other = owners.setdefault(name.casefold(), meaning)
            if other != meaning:
                raise ValueError(f"{name!r} cannot be both {other} and {meaning}")
        found[meaning] = found.get(meaning, ()) + headers
    return found


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DATABASE_URL",
        "database_url",
        database_url_text,
        "where everything is kept: sqlite:////path/file.db or postgresql://...",
        "a SQLite file in SMART_SYNC_DATA_DIR",
        secret=True,
    ),
    Setting("PORT", "port", whole(1, 65535), "port to serve on", "8000"),
    Setting("WEB_CONCURRENCY", "web_concurrency", whole(1, 64), "worker processes of the server", "2"),
    Setting("LOG_LEVEL", "log_level", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "least level of a log line", "INFO"),
    Setting(
        "SMART_SYNC_LOG_FILE",
        "log_file",
        file_path,
        "file that gets every log line as well, as JSON; moved away by a rotation, it is begun anew",
        "none, the lines go to stderr alone",
    ),
    Setting(
        "GOOGLE_CREDENTIALS",
        "google_credentials",
        str,
        "service account for the Sheets API: path of the key file, its JSON, or its JSON in base64",
        secret=True,
    ),
    Setting(
        "GOOGLE_API_KEY", "google_api_key", key_text, "API key, enough for sheets that anyone may read", secret=True
    ),
    Setting(
        "SMART_SYNC_SHEET",
        "sheets",
        text_list,
        "one or several, by comma: spreadsheet URL or id, published CSV URL, folder of CSV files, .xlsx file",
    ),
    Setting(
        "SMART_SYNC_SHEETS_API",
        "sheets_api",
        base_url,
        "stands in for the origin of the Google APIs, for tests and proxies",
    ),
    Setting(
        "SMART_SYNC_ADMIN_TOKEN",
        "admin_tokens",
        tokens,
        "token of the admin routes; several by comma while you change it",
        "generated on loopback, in the demo or with SMART_SYNC_DATA_DIR set",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_READ_TOKEN",
        "read_tokens",
        tokens,
        "token that opens the routes that only read; several by comma while you change it",
        "the admin token reads too",
        secret=True,
    ),
    Setting("SMART_SYNC_PUBLIC_READS", "public_reads", flag, "whether reading needs no token", "false"),
    Setting(
        "SMART_SYNC_CORS_ORIGINS",
        "cors_origins",
        origins,
        "pages of other origins whose scripts may read, by comma, such as https://app.example.com; "
        "`*` for all, with public reads only",
        "none",
    ),
    Setting("SMART_SYNC_DATA_DIR", "data_dir", file_path, "folder that survives a restart", "data"),
    Setting(
        "SMART_SYNC_BUDGET",
        "budget_s",
        seconds,
        "seconds one run may take",
        "120 over HTTP, 600 in the background, none on the command line",
    ),
    Setting("SMART_SYNC_DISCOVER", "discover", flag, "make projects of new tabs and accounts of new rows", "true"),
    Setting(
        "SMART_SYNC_COLUMNS",
        "columns",
        _columns,
        "more names for columns, such as `followers=Fans|Abonnenten; url=Konto`",
    ),
    Setting(
        "SMART_SYNC_SNAPSHOT",
        "snapshot",
        one_of("first", "latest"),
        "`first`: a day's snapshot stays as first made; `latest`: each sync of the day updates it",
        "first",
    ),
    Setting(
        "SMART_SYNC_LEASE_SECONDS",
        "lease_s",
        seconds,
        "seconds after which a run that gives no sign of life is taken over",
        "60",
    ),
    Setting(
        "SMART_SYNC_INTERVAL_MINUTES",
        "interval_minutes",
        whole(1, LONGEST_INTERVAL),
        "minutes between two syncs of a project that has no interval of its own",
        "30",
    ),
    Setting(
        "SMART_SYNC_STALE_AFTER",
        "stale_after_minutes",
        whole(1, LONGEST_INTERVAL),
        "minutes without success after which a project is called stale",
        "twice the interval",
    ),
    Setting(
        "SMART_SYNC_READINGS_STALE_AFTER",
        "readings_stale_after",
        whole(1, LONGEST_INTERVAL),
        "minutes without a reading after which the readings of a program are called stale",
        "2880",
    ),
    Setting(
        "SMART_SYNC_PLATFORMS",
        "read_platforms",
        _platforms,
        "platforms to be read, by comma; `none` for none",
        "those that need no key, and those whose keys are set",
    ),
    Setting(
        "SMART_SYNC_READ_MINUTES",
        "read_minutes",
        whole(1, LONGEST_INTERVAL),
        "minutes after which a platform is asked for an account again",
        "SMART_SYNC_INTERVAL_MINUTES",
    ),
    Setting(
        "SMART_SYNC_KEEP_CHANGES_DAYS",
        "keep_changes_days",
        whole(1, 36_500),
        "days for which it is kept which sync changed which count; snapshots stay for ever",
        "90",
    ),
    Setting(
        "SMART_SYNC_WEEKLY_AFTER_MONTHS",
        "weekly_after",
        whole(1, 1_200),
        "months after which of each week only what it ends with is kept, once `smart-sync db thin` has begun with it; "
        "without it every day is kept for ever",
    ),
    Setting(
        "LITESTREAM_REPLICA_URL",
        "replica_url",
        replica_url,
        "where the server copies a SQLite database to all the time, and restores it from when it is gone, such as "
        "`s3://bucket/path`; Litestream's own variables say with which keys",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_ALLOW_GET_TRIGGER",
        "get_trigger",
        flag,
        "take GET for the trigger too, for callers that send nothing else; the token is asked for as ever",
        "false",
    ),
    Setting(
        "SMART_SYNC_PING_URL",
        "ping_url",
        target_url,
        "address of a check at healthchecks.io or the like; it hears of each run's start, success and failure",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_NOTIFY",
        "notify",
        notify_addresses,
        "who is told of alerts: addresses of Apprise, one or several by comma, such as mailto://... or twilio://...; "
        "needs the extra `notify`",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_QUIET_HOURS",
        "quiet_hours",
        quiet_hours,
        "when people are not told of alerts until it is over, such as `22:00-07:00 Europe/Berlin`",
    ),
    Setting(
        "SMART_SYNC_WEBHOOK_URL",
        "webhook_urls",
        target_urls,
        "addresses that get a signed message of runs, projects and alerts; several by comma",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_WEBHOOK_SECRET",
        "webhook_secrets",
        signing_secrets,
        "what these messages are signed with, by Standard Webhooks; several by comma while you change it",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_ALLOW_PRIVATE_TARGETS",
        "private_targets",
        flag,
        "whether pings and webhooks may go to addresses of a private network",
        "false",
    ),
    Setting(
        "SMART_SYNC_MODE",
        "mode",
        one_of("here", "celery"),
        "who works syncs off: `here`, the process that is asked; `celery`, the workers of `celery -A webapp.tasks`",
        "here",
    ),
    Setting(
        "REDIS_URL", "redis_url", redis_url, "where tasks wait for the workers: redis:// or rediss://", secret=True
    ),
    Setting(
        "SMART_SYNC_BEAT",
        "beat",
        one_of("all", "tick"),
        "what `celery beat` asks for: `all`, everything every 30 minutes; `tick`, what is due every minute",
        "all",
    ),
    Setting(
        "SMART_SYNC_GOOGLE_READS",
        "google_reads",
        whole(1, 100_000),
        "reads of Google that all processes on this database may make together in a minute",
        "60 with Celery; else nobody counts, and a refusal is waited for",
    ),
    Setting(
        "SMART_SYNC_URL",
        "own_url",
        base_url,
        "address at which people reach this service, for the links in messages",
        "RENDER_EXTERNAL_URL",
    ),
    Setting(
        "SMART_SYNC_SHARE_NAME",
        "share_name",
        line,
        "name on the pages that share links open, such as yours",
        "Smart Sync",
    ),
    Setting(
        "SMART_SYNC_SHARE_LOGO",
        "share_logo",
        picture,
        "picture beside it: path of an .svg, .png, .jpg or .webp file of at most 32 KB",
    ),
    Setting("RENDER_EXTERNAL_URL", "render_url", base_url, "the same, as Render sets it by itself"),
)
