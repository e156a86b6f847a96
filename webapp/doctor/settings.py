"""What runs, what is set, and who may come in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from webapp import __version__
from webapp.bootstrap import kept_tokens, token_file
from webapp.config import Settings, every_setting
from webapp.doctor.case import Case, Diagnosis
from webapp.logs import NAME_A_FILE

SHORT_LEASE_S = 5.0
OPEN_TO_OTHERS = 0o077


def examine_version(_: Case) -> Iterator[Diagnosis]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Diagnosis("ok", "version", f"Smart Sync {__version__}, Python {python}")


def examine_settings(case: Case) -> Iterator[Diagnosis]:
    meanings = {setting.name: setting.meaning for setting in every_setting()}
    for text in case.wrong:
        name, _, words = text.partition(": ")
        meaning = f": {meanings[name]}" if name in meanings else "; docs/settings.md lists all settings"
        yield Diagnosis("FAIL", f"setting {name}", words, f"correct or remove {name}{meaning}")
    if not case.wrong:
        given = sorted(name for name in case.environ if {name, name.removesuffix("_FILE")} & meanings.keys())
        yield Diagnosis("ok", "settings", f"{', '.join(given) or 'none'} set, the others by default")
    yield from _odd_settings(case.settings)
    yield from _log_file(case.settings)


def _log_file(settings: Settings) -> Iterator[Diagnosis]:
    """A log file that cannot be written keeps everything from starting."""
    path, name = settings.log_file, "setting SMART_SYNC_LOG_FILE"
    if path is None:
        return
    wanted = path if path.exists() else path.parent
    if path.is_dir() or not os.access(wanted, os.W_OK):
        yield Diagnosis("FAIL", name, f"{path} cannot be written", NAME_A_FILE)
    else:
        yield Diagnosis("ok", name, f"{path} can be written")


def _odd_settings(settings: Settings) -> Iterator[Diagnosis]:
    """What may be set so, and is hardly meant."""
    if settings.stale_after < settings.interval_minutes:
        yield Diagnosis(
            "warn",
            "setting SMART_SYNC_STALE_AFTER",
            f"{settings.stale_after} minutes are over before the next sync after {settings.interval_minutes} minutes",
            "make it longer than SMART_SYNC_INTERVAL_MINUTES, or leave it out",
        )
    if settings.lease_s < SHORT_LEASE_S:
        words = f"a run that pauses for {settings.lease_s:g} s is taken for dead"
        yield Diagnosis("warn", "setting SMART_SYNC_LEASE_SECONDS", words, "leave it out, or use 30 or more")
    if settings.google_credentials and settings.google_api_key:
        words = "is not used, because GOOGLE_CREDENTIALS is set"
        yield Diagnosis("warn", "setting GOOGLE_API_KEY", words, "remove one of the two")
    if settings.sheets_api:
        words = f"{settings.sheets_api} stands in for Google"
        fix = "remove it, unless this is a test or a proxy of yours"
        yield Diagnosis("warn", "setting SMART_SYNC_SHEETS_API", words, fix)


def examine_token(case: Case) -> Iterator[Diagnosis]:
    settings, path = case.settings, token_file(case.settings)
    if settings.admin_tokens:
        name = "SMART_SYNC_ADMIN_TOKEN"
        name = name if case.environ.get(name, "").strip() else f"{name}_FILE"
        count = len(settings.admin_tokens)
        yield Diagnosis("ok", "token", f"{count} set by {name}" if count > 1 else f"set by {name}")
    elif path.is_file():
        kept_tokens(path)
        mode = path.stat().st_mode & 0o777
        if mode & OPEN_TO_OTHERS:
            yield Diagnosis("warn", "token", f"{path} can be read by others (mode {mode:o})", f"chmod 600 {path}")
        else:
            yield Diagnosis("ok", "token", f"made by Smart Sync and kept in {path}")
    elif settings.data_dir_set:
        yield Diagnosis("ok", "token", f"none yet; the first start makes one and keeps it in {path}")
    else:
        words = "none set; only `smart-sync serve` on this machine makes one itself"
        yield Diagnosis("warn", "token", words, "set SMART_SYNC_ADMIN_TOKEN to what `smart-sync token new` prints")
