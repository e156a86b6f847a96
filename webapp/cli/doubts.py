"""`smart-sync doubts`: odd values of the Sheet that history waits with."""

from __future__ import annotations

from typing import cast

import click

from webapp.actions.doubts import accept_doubt
from webapp.cli.root import open_parts
from webapp.cli.terminal import say
from webapp.clock import iso
from webapp.model import METRICS, Metric
from webapp.store import doubts as doubt_rows


@click.group()
def doubts() -> None:
    """Odd values of the Sheet: shown, and not believed by history yet."""


@doubts.command(name="list")
def list_doubts() -> None:
    """What is in doubt, with the words that `accept` takes in front."""
    with open_parts() as parts, parts.db.read() as tx:
        found = doubt_rows.listed(tx)
    for one in found:
        say(
            f"{one.account_id} {one.metric}: {one.typed} after {one.credible}, since {iso(one.since)}, {one.profile_url}"
        )
    if not found:
        say("nothing is in doubt")


@doubts.command()
@click.argument("account_id", type=click.IntRange(min=1))
@click.argument("metric", type=click.Choice(METRICS))
def accept(*, account_id: int, metric: str) -> None:
    """Let history believe what the Sheet says: the days since then get what was seen on them."""
    with open_parts() as parts:
        doubt = accept_doubt(parts.desk.through("cli"), account_id, cast("Metric", metric))
    say(f"{metric} {doubt.typed} of account {account_id} is believed, also on the days since {iso(doubt.since)}")
