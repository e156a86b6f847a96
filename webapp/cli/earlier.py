"""The part of `smart-sync import` that takes over the earlier app's database."""

from __future__ import annotations

import sys

import click

from webapp.actions.desk import Desk
from webapp.actions.earlier import OfAccount, Report, open_earlier, take_over
from webapp.cli.progress import bar
from webapp.cli.root import open_parts
from webapp.cli.terminal import say


def import_earlier(where: str, *, drop_zeros: bool | None, dry_run: bool) -> None:
    """Take over what is there, after asking about zeros where nobody has said, and report it.

    where: a SQLite file, or a URL.
    """
    with open_parts() as parts:
        desk = parts.desk.through("cli")
        if drop_zeros is None:
            drop_zeros = _ask(_take(desk, where, drop_zeros=False, dry_run=True), dry_run=dry_run)
        report = _take(desk, where, drop_zeros=drop_zeros, dry_run=dry_run)
    _print(report, drop_zeros=drop_zeros, dry_run=dry_run)


def _take(desk: Desk, where: str, *, drop_zeros: bool, dry_run: bool) -> Report:
    with open_earlier(where) as app, bar("looking" if dry_run else "taking over") as show:
        return take_over(desk, app, drop_zeros=drop_zeros, dry_run=dry_run, advance=show)


def _ask(report: Report, *, dry_run: bool) -> bool:
    """Whether zeros are to be left out, as somebody at a terminal says.

    Raises: UsageError where nobody can be asked.
    """
    zeros = report.total("zeros")
    if not zeros or dry_run:
        return True
    words = f"{zeros:,} values are 0 after more, as the earlier app wrote them where it could not read"
    if not sys.stdin.isatty():
        raise click.UsageError(f"{words}; say --drop-zeros to leave them out, or --keep-zeros")
    say(f"{words}.")
    return click.confirm("Leave them out?", default=True)


def _print(report: Report, *, drop_zeros: bool, dry_run: bool) -> None:
    for one in report.accounts:
        said = _of_account(one, drop_zeros=drop_zeros)
        if said:
            say(f"{one.name}: {said}")
    for words in report.left_out:
        say(f"left out: {words}")
    say(
        f"{'would take over' if dry_run else 'taken over'}: {report.new_projects:,} of {report.projects:,} projects, "
        f"{report.new_accounts:,} of {len(report.accounts):,} accounts, {report.total('new_days'):,} of "
        f"{report.total('days'):,} days from {report.total('snapshots'):,} snapshots; the rest was here already"
    )


def _of_account(one: OfAccount, *, drop_zeros: bool) -> str:
    """What was odd about its snapshots; nothing where all is as it should be."""
    what = "left out" if drop_zeros else "kept"
    told = (
        ("of a day that had one (the larger counts are taken)", one.doubles),
        (f"zeros after more ({what})", one.zeros),
        (f"days of nothing but zeros ({what})", one.zero_days),
        ("without a time in the past (left out)", one.unusable),
        ("values that count nothing (left out)", one.odd),
    )
    found = [f"{words} {number:,}" for words, number in told if number]
    return f"snapshots {one.snapshots:,}, days {one.days:,}; {', '.join(found)}" if found else ""
