"""`smart-sync cron`: what calls the service, printed for any caller, or kept in this user's crontab."""

from __future__ import annotations

import difflib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from webapp.bootstrap import kept_tokens, token_file
from webapp.cli.root import open_parts
from webapp.cli.terminal import say
from webapp.clock import Clock, iso
from webapp.config import Settings, environment
from webapp.cron.call import PATH, Call, service_url
from webapp.cron.callers import CALLERS, snippet
from webapp.cron.crontab import block, drop_block, put_block, read_block
from webapp.cron.curl import CURL, CURL_FILE, curl_config
from webapp.cron.every import Fields, Missed, explain_pace, missed_calls, parse_every
from webapp.errors import ConfigError, SmartSyncError
from webapp.rules.outcomes import run_label, succeeded
from webapp.store import runs
from webapp.store.runs import Run

LOCAL = ("crontab", "systemd")  # these run beside the service
NOT_INSTALLED = 3
ALARM_AFTER = 2  # a single missed call may be a service that was just waking up
LOOKED_AT = 200  # runs
TRIAL_S = 120


class CronError(SmartSyncError):
    """The crontab, curl or the service did not do what was asked."""

    code = "cron"


def _config(settings: Settings) -> Path:
    return settings.data_dir.resolve() / CURL_FILE


def _local_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.port}"


@click.group()
def cron() -> None:
    """What calls the service: crontab and other callers."""


@cron.command(name="print")
@click.option("--for", "caller", type=click.Choice(list(CALLERS)), required=True, help="Who will call.")
@click.option("--url", help="Address of the service; this machine's for crontab and systemd when left out.")
@click.option("--every", help="How often: 5m, 1h, 24h, or a cron expression. A default that suits the caller.")
def print_snippet(*, caller: str, url: str | None, every: str | None) -> None:
    """Print what to paste for a caller. Holds no token; notes are comments, or go to stderr where JSON takes none."""
    settings, _ = Settings.read(environment())
    if url is None and caller not in LOCAL:
        raise click.UsageError(f"{caller} calls from elsewhere: say --url https://...")
    notes, text = snippet(
        caller,
        url or _local_url(settings),
        every=every,
        config=str(_config(settings)),
        interval=settings.interval_minutes,
    )
    comments = CALLERS[caller].comments
    say(*(f"# {line}" if comments else line for line in notes.splitlines()), err=not comments)
    click.echo(text, nl=False)  # to be pasted as it is


# This user's crontab


@cron.command()
@click.option("--url", help="Address of the service; port PORT of this machine when left out.")
@click.option("--every", default="5m", show_default=True, help="How often: 5m, 1h, 24h, or a cron expression.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--no-trial", is_flag=True, help="Do not call the service first.")
def install(*, url: str | None, every: str, yes: bool, dry_run: bool, no_trial: bool) -> None:
    """Put the call into this user's crontab, after a trial; a second time changes it. No other line is touched."""
    settings = Settings.from_env()
    config, token, curl = _config(settings), _token(settings), _program("curl")
    call = Call(service_url(url or _local_url(settings)), parse_every(every), str(config))
    before = _read_crontab()
    after = put_block(before, block(call, curl))
    _show_change(before, after)
    if dry_run:
        return
    if not no_trial:
        _try(call, curl, token)
    if before != after and not yes:
        click.confirm("Write this crontab?", abort=True)
    _write_private(config, curl_config(token))
    if before != after:
        _write_crontab(after)
    say(f"installed; the token is in {config}, for you only. `smart-sync cron status` tells how it goes")
    for line in explain_pace(call.every, settings.interval_minutes):
        say(line)


@cron.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
def remove(*, yes: bool, dry_run: bool) -> None:
    """Take the call out of this user's crontab, and the file with the token away."""
    settings, _ = Settings.read(environment())
    before = _read_crontab()
    after = drop_block(before)
    if before == after:
        say("not installed")
        return
    _show_change(before, after)
    if dry_run:
        return
    if not yes:
        click.confirm("Write this crontab?", abort=True)
    _write_crontab(after)
    _config(settings).unlink(missing_ok=True)
    say("removed")


def _token(settings: Settings) -> str:
    if settings.admin_tokens:
        return settings.admin_tokens[0]
    kept = token_file(settings)
    try:
        return kept_tokens(kept)[0]
    except (OSError, IndexError):
        raise ConfigError(
            f"SMART_SYNC_ADMIN_TOKEN: is not set, and there is no token in {kept}",
            hint="set what the service was started with, or SMART_SYNC_DATA_DIR to its folder",
        ) from None


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CronError(f"there is no program {name} here", hint=f"install {'cron' if name == 'crontab' else name}")
    return os.path.abspath(found)  # noqa: PTH100  a link stays one: busybox goes by its name


def _run(arguments: Sequence[str], text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    # Messages are compared, so they have to be in one language.
    return subprocess.run(arguments, input=text, capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=False)  # noqa: S603  fixed programs


def _read_crontab() -> bytes:
    """The user's crontab; empty when there is none.

    Raises: CronError.
    """
    done = _run([_program("crontab"), "-l"])
    if done.returncode == 0:
        return done.stdout
    words = done.stderr.decode("utf-8", "replace").strip()
    if "no crontab" in words or "No such file" in words:
        return b""
    raise CronError(f"the crontab cannot be read: {words or done.returncode}")


def _write_crontab(text: bytes) -> None:
    done = _run([_program("crontab"), "-"], text)
    if done.returncode != 0:
        raise CronError(f"crontab refused it: {done.stderr.decode('utf-8', 'replace').strip()}")
    if _read_crontab() != text:
        raise CronError("the crontab does not read as it was written", hint="look at it with `crontab -l`")


def _show_change(before: bytes, after: bytes) -> None:
    if before == after:
        say("the crontab is as it should be already")
        return
    now, then = (text.decode("utf-8", "replace").splitlines() for text in (before, after))
    for line in difflib.unified_diff(now, then, "crontab now", "crontab then", lineterm="", n=1):
        say(line)


def _write_private(path: Path, text: str) -> None:
    """A file that was never readable by anybody else, whole or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    fresh.replace(path)


# The trial: the same program and the same options that cron will use, and nothing is written


def _try(call: Call, curl: str, token: str) -> None:
    """Ask whether the service is ready, then sync without writing.

    Raises: CronError when cron's calls would fail too.
    """
    _call(curl, f"{call.url}/ready", "", "--get")
    say(f"{call.url} is ready")
    answer = _call(curl, f"{call.url}{PATH}?dry_run=true&summary=true&budget={TRIAL_S - 20}", curl_config(token))
    say(_trial_words(answer))


def _call(curl: str, url: str, config: str, *options: str) -> dict[str, Any]:
    # The token comes over stdin: a command line can be read by others.
    done = _run([curl, "--config", "-", *shlex.split(CURL), *options, url], config.encode("ascii"))
    body = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
    words = " ".join(part for part in (done.stderr.decode("utf-8", "replace").strip(), body[:500].strip()) if part)
    raise CronError(
        f"the trial failed, and nothing was changed: {url}: {words or 'no answer that is JSON'}",
        hint="start the service, or say --url; needs curl 7.76 or newer; --no-trial goes on without",
    )


def _trial_words(answer: dict[str, Any]) -> str:
    if answer.get("success"):
        return f"a trial without writing went through: {answer.get('success_count')} of {answer.get('total_projects')} projects"
    return f"the calls will work, but a sync would fail now: {answer.get('error') or str(answer.get('error_count')) + ' projects'}"


# Whether it goes


@cron.command()
def status() -> None:
    """Whether the calls come. Exits with 0 fine, 1 overdue or failed, 3 not in this user's crontab."""
    settings = Settings.from_env()
    there = read_block(_read_crontab()) if shutil.which("crontab") else None
    with open_parts() as parts, parts.db.read() as tx:
        latest = runs.latest(tx, limit=LOOKED_AT)
    last = next((run for run in latest if _is_call(run)), None)
    late = _late(there, last, _config(settings), parts.clock)
    _print_status(there, last, late, next((run for run in latest if not succeeded(run)), None))
    sys.exit(_exit_code(there, last, late))


def _is_call(run: Run) -> bool:
    """Whether the run was asked for as our crontab asks; what people start by hand says nothing of it."""
    as_asked = bool(run.params.get("due")) and not run.params.get("project_id")
    return as_asked and run.caller != "cli" and not run.dry_run


def _late(there: Fields | None, last: Run | None, config: Path, clock: Clock) -> Missed:
    """What was missed since the last call, or since the installation."""
    if there is None:
        return Missed(0, None)
    times = [last.started_at] if last else []
    if config.exists():
        times.append(datetime.fromtimestamp(config.stat().st_mtime, tz=clock.now().tzinfo))
    if not times:
        return Missed(0, None)
    return missed_calls(there, _local(max(times)), _local(clock.now()))


def _local(moment: datetime) -> datetime:
    return moment.astimezone().replace(tzinfo=None)


def _print_status(there: Fields | None, last: Run | None, late: Missed, wrong: Run | None) -> None:
    say(f"installed: {there}, syncs what is due" if there else "installed: not in this user's crontab")
    say(f"last call: {iso(last.started_at)}, {run_label(last)}" if last else "last call: none yet")
    if there is not None:
        since = f"since {late.since:%Y-%m-%d %H:%M}, {late.calls} calls missed" if late.calls >= ALARM_AFTER else "no"
        say(f"overdue: {since}")
    if wrong is not None:
        words = wrong.error or wrong.state
        say(f"last error: {iso(wrong.started_at)}, run {wrong.id}: {words}")


def _exit_code(there: Fields | None, last: Run | None, late: Missed) -> int:
    if there is None:
        return NOT_INSTALLED
    failed = last is not None and not succeeded(last)
    return int(failed or late.calls >= ALARM_AFTER)
