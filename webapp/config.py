"""Settings: read once from the environment, checked together, handed down. Nothing else reads the environment."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from webapp.errors import ConfigError
from webapp.model import LONGEST_INTERVAL, METRICS

TOKEN_LENGTH = 16
SECRET_LENGTH = 8  # what is shorter is found in innocent words
TRUE = {"1", "true", "yes", "on"}
HOST = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[1-9][0-9]*)?")
FALSE = {"0", "false", "no", "off"}


@dataclass(frozen=True)
class Setting:
    """One variable of the environment: its name, what it means, and how its text becomes a value."""

    name: str
    attribute: str
    parse: Callable[[str], Any]
    meaning: str
    default: str = ""
    secret: bool = False


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
    get_trigger: bool = False
    ping_url: str = field(default="", repr=False)
    private_targets: bool = False
    demo: bool = False

    @property
    def database(self) -> str:
        """The database URL, by default a SQLite file in the data folder."""
        name = "demo.db" if self.demo else "smart_sync.db"
        return self.database_url or f"sqlite:///{(self.data_dir / name).resolve()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must be seen nowhere: tokens, keys, passwords, secret addresses."""
        try:
            password = urlsplit(self.database_url).password or ""
        except ValueError:  # it is refused as an address elsewhere
            password = ""
        found = (*self.admin_tokens, *self.read_tokens, self.google_api_key, self.ping_url, password, unquote(password))
        return tuple({secret for secret in found if len(secret) >= SECRET_LENGTH})

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
        wrong = _unknown(environ)
        for setting in SETTINGS:
            try:
                text = _text(environ, setting.name)
                if text is not None:
                    values[setting.attribute] = setting.parse(text)
            except ValueError as error:
                wrong.append(f"{setting.name}: {error}")
        for attribute, words in _together(values).items():
            del values[attribute]
            wrong.append(words)
        return cls(**values, data_dir_set="data_dir" in values), wrong


def environment(dotenv: Path | None = Path(".env")) -> dict[str, str]:
    """The variables of this process, with those of a `.env` file behind them; None: of no file.

    Raises: ConfigError when the file is there and cannot be read.
    """
    return ({} if dotenv is None else dict(_dotenv(dotenv))) | dict(os.environ)


def _dotenv(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415  most starts have no such file

    try:
        found = dotenv_values(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the settings file {path.absolute()} cannot be read: {type(error).__name__}",
            hint="make it a text file in UTF-8 that this user may read, or remove it",
        ) from None
    return {name: value for name, value in found.items() if value is not None}


def _text(env: Mapping[str, str], name: str) -> str | None:
    """The setting's text from `NAME` or the file that `NAME_FILE` names; None when it is unset or blank."""
    text, path = env.get(name, "").strip(), env.get(f"{name}_FILE", "").strip()
    if text and path:
        raise ValueError(f"is set twice, as {name} and as {name}_FILE; remove one")
    if path:
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file that {name}_FILE names cannot be read: {type(error).__name__}") from None
    return text or None


def _unknown(env: Mapping[str, str]) -> list[str]:
    known = {setting.name for setting in SETTINGS} | {f"{setting.name}_FILE" for setting in SETTINGS}
    found = []
    for name in sorted(env):
        if name.startswith("SMART_SYNC_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            found.append(f"{name}: is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _together(values: Mapping[str, Any]) -> dict[str, str]:
    """Settings that are right one by one and wrong together: {attribute: what is wrong}."""
    found = {}
    if "*" in values.get("cors_origins", ()) and not values.get("public_reads"):
        found["cors_origins"] = (
            "SMART_SYNC_CORS_ORIGINS: `*` is for public numbers; it needs SMART_SYNC_PUBLIC_READS=true"
        )
    if set(values.get("read_tokens", ())) & set(values.get("admin_tokens", ())):
        found["read_tokens"] = "SMART_SYNC_READ_TOKEN: is an admin token as well; give reading a token of its own"
    return found


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high):
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number of seconds") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{text!r} must be finite and above 0")
    return value


def _flag(text: str) -> bool:
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def _one_of(*values: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for value in values:
            if text.lower() == value.lower():
                return value
        raise ValueError(f"{text!r} is not one of {', '.join(values)}")

    return parse


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def _tokens(text: str) -> tuple[str, ...]:
    tokens = _list(text)
    for token in tokens:
        if len(token) < TOKEN_LENGTH or not token.isascii() or not token.isprintable():
            raise ValueError(
                f"a token needs at least {TOKEN_LENGTH} printable ASCII characters; `smart-sync token new` makes one"
            )
    return tokens


def _key(text: str) -> str:
    """What goes into a header as it is."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("has signs that no key has: copy it again, without line breaks")
    return text


def _origins(text: str) -> tuple[str, ...]:
    origins = _list(text)
    for origin in origins:
        if not (origin == "*" and len(origins) == 1):
            _check_origin(origin)
    return origins


def _check_origin(text: str) -> None:
    """Refuse what no browser would ever send as `Origin`."""
    words = f"{text!r} is not an origin such as https://app.example.com: in lower case, no path, no usual port"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(words) from None
    usual = {"http": 80, "https": 443}
    exact = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in usual or not HOST.fullmatch(parts.netloc) or text != exact or port == usual[parts.scheme]:
        raise ValueError(words)


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("is not a base URL such as https://sheets.example.com")
    return text.rstrip("/")


def _target_url(text: str) -> str:
    """An address to send to. Messages about it leave it out: it may hold a secret."""
    words = "is not an address such as https://hc-ping.com/your-check"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(words) from None
    plain = text.isascii() and text.isprintable() and " " not in text and not parts.username and not parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not plain:
        raise ValueError(words)
    return text


def _database_url(text: str) -> str:
    scheme = text.partition("://")[0].partition("+")[0]
    if scheme not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text


def _columns(text: str) -> dict[str, tuple[str, ...]]:
    """`followers=Fans|Abonnenten; url=Konto` -> {"followers": ("Fans", "Abonnenten"), "url": ("Konto",)}."""
    meanings = ("url", "platform", "username", "owner", "topic", "status", "date", *METRICS)
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        meaning, equals, names = part.partition("=")
        meaning = meaning.strip().lower()
        headers = tuple(name.strip() for name in names.split("|") if name.strip())
        if not equals or not headers or meaning not in meanings:
            raise ValueError(f"{part!r} is not `meaning=Header|Other header` with a meaning of {', '.join(meanings)}")
        found[meaning] = found.get(meaning, ()) + headers
    return found


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DATABASE_URL",
        "database_url",
        _database_url,
        "where everything is kept: sqlite:////path/file.db or postgresql://...",
        "a SQLite file in SMART_SYNC_DATA_DIR",
        secret=True,
    ),
    Setting("PORT", "port", _whole(1, 65535), "port to serve on", "8000"),
    Setting("WEB_CONCURRENCY", "web_concurrency", _whole(1, 64), "worker processes of the server", "2"),
    Setting(
        "LOG_LEVEL", "log_level", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "least level of a log line", "INFO"
    ),
    Setting(
        "SMART_SYNC_LOG_FILE",
        "log_file",
        Path,
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
    Setting("GOOGLE_API_KEY", "google_api_key", _key, "API key, enough for sheets that anyone may read", secret=True),
    Setting(
        "SMART_SYNC_SHEET",
        "sheets",
        _list,
        "one or several, by comma: spreadsheet URL or id, published CSV URL, folder of CSV files, .xlsx file",
    ),
    Setting(
        "SMART_SYNC_SHEETS_API",
        "sheets_api",
        _base_url,
        "stands in for the origin of the Google APIs, for tests and proxies",
    ),
    Setting(
        "SMART_SYNC_ADMIN_TOKEN",
        "admin_tokens",
        _tokens,
        "token of the admin routes; several by comma while you change it",
        "generated on loopback, in the demo or with SMART_SYNC_DATA_DIR set",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_READ_TOKEN",
        "read_tokens",
        _tokens,
        "token that opens the routes that only read; several by comma while you change it",
        "the admin token reads too",
        secret=True,
    ),
    Setting("SMART_SYNC_PUBLIC_READS", "public_reads", _flag, "whether reading needs no token", "false"),
    Setting(
        "SMART_SYNC_CORS_ORIGINS",
        "cors_origins",
        _origins,
        "pages of other origins whose scripts may read, by comma, such as https://app.example.com; "
        "`*` for all, with public reads only",
        "none",
    ),
    Setting("SMART_SYNC_DATA_DIR", "data_dir", Path, "folder that survives a restart", "data"),
    Setting(
        "SMART_SYNC_BUDGET",
        "budget_s",
        _seconds,
        "seconds one run may take",
        "120 over HTTP, 600 in the background, none on the command line",
    ),
    Setting("SMART_SYNC_DISCOVER", "discover", _flag, "make projects of new tabs and accounts of new rows", "true"),
    Setting(
        "SMART_SYNC_COLUMNS",
        "columns",
        _columns,
        "more names for columns, such as `followers=Fans|Abonnenten; url=Konto`",
    ),
    Setting(
        "SMART_SYNC_SNAPSHOT",
        "snapshot",
        _one_of("first", "latest"),
        "`first`: a day's snapshot stays as first made; `latest`: each sync of the day updates it",
        "first",
    ),
    Setting(
        "SMART_SYNC_LEASE_SECONDS",
        "lease_s",
        _seconds,
        "seconds after which a run that gives no sign of life is taken over",
        "60",
    ),
    Setting(
        "SMART_SYNC_INTERVAL_MINUTES",
        "interval_minutes",
        _whole(1, LONGEST_INTERVAL),
        "minutes between two syncs of a project that has no interval of its own",
        "30",
    ),
    Setting(
        "SMART_SYNC_STALE_AFTER",
        "stale_after_minutes",
        _whole(1, LONGEST_INTERVAL),
        "minutes without success after which a project is called stale",
        "twice the interval",
    ),
    Setting(
        "SMART_SYNC_READINGS_STALE_AFTER",
        "readings_stale_after",
        _whole(1, LONGEST_INTERVAL),
        "minutes without a reading after which the readings of a program are called stale",
        "2880",
    ),
    Setting(
        "SMART_SYNC_KEEP_CHANGES_DAYS",
        "keep_changes_days",
        _whole(1, 36_500),
        "days for which it is kept which sync changed which count; snapshots stay for ever",
        "90",
    ),
    Setting(
        "SMART_SYNC_ALLOW_GET_TRIGGER",
        "get_trigger",
        _flag,
        "take GET for the trigger too, for callers that send nothing else; the token is asked for as ever",
        "false",
    ),
    Setting(
        "SMART_SYNC_PING_URL",
        "ping_url",
        _target_url,
        "address of a check at healthchecks.io or the like; it hears of each run's start, success and failure",
        secret=True,
    ),
    Setting(
        "SMART_SYNC_ALLOW_PRIVATE_TARGETS",
        "private_targets",
        _flag,
        "whether pings may go to addresses of a private network",
        "false",
    ),
)
