"""`smart-sync serve`."""

from __future__ import annotations

import sys
from typing import Any

import click

from webapp import __version__
from webapp.actions.trigger import sync_once
from webapp.bootstrap import Parts, bootstrap, token_file
from webapp.cli.root import read_settings
from webapp.cli.terminal import say
from webapp.logs import hold
from webapp.store.migrate import ensure_migrated


@click.command()
@click.option("--demo", is_flag=True, help="Serve the bundled workbook from a database of its own.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; PORT or 8000 when left out.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; WEB_CONCURRENCY or 2 when left out.")
@click.option(
    "--grace", type=click.IntRange(1, 3600), default=30, show_default=True, help="Seconds to end in after SIGTERM."
)
def serve(*, demo: bool, host: str, port: int | None, workers: int | None, grace: int) -> None:
    """Serve the API with gunicorn."""
    from webapp.server import Server, check_address, netloc, options, when_ready  # noqa: PLC0415  gunicorn is slow to import

    settings = read_settings(demo=demo)
    port = port or settings.port
    check_address(host, port)
    held = hold()
    parts = bootstrap(settings, loopback=host in ("127.0.0.1", "::1", "localhost"))
    if demo:
        ensure_migrated(parts.db)
        sync_once(parts.desk.through("cli"))
        parts.db.close()
    served = options(port, workers or settings.web_concurrency, host, grace_s=grace, log_level=settings.log_level)

    def greet(server: Any) -> None:
        shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104  only shown
        say(*_greeting(parts, f"http://{netloc(shown, port)}"))
        sys.stdout.flush()
        held.let_go()
        when_ready(server)

    Server(parts, served | {"when_ready": greet}).run()


def _greeting(parts: Parts, address: str) -> list[str]:
    if parts.settings.admin_tokens:
        words = "the one in SMART_SYNC_ADMIN_TOKEN"
        token = "$SMART_SYNC_ADMIN_TOKEN"  # noqa: S105  the shell's variable, not a token
    else:
        token = parts.tokens.admin[0]
        words = f"{token}   (kept in {token_file(parts.settings)})"
    lines = [f"Smart Sync {__version__} on {address}", f"Token: {words}"]
    if not parts.settings.sheets and not parts.settings.demo:
        lines.append("Sheet: none yet; set SMART_SYNC_SHEET, then `smart-sync doctor` tells whether it can be read")
    curl = f'curl -X POST -H "Authorization: Bearer {token}" {address}/api/admin/smart_sync'
    return [*lines, "Sync now:", f"  {curl}"]
