"""What commands say to a person. Names and cells come from sheets: on a terminal they are text, never commands to it."""

from __future__ import annotations

import re

import click

from webapp.logs import escape


def say(text: str = "", *, err: bool = False) -> None:
    """Print the lines of a text."""
    click.echo(shown(text), err=err)


def shown(text: str) -> str:
    """The text with escapes for all that moves the cursor, colours, or turns the direction; lines and tabs stay."""
    return "".join(part if part in ("\n", "\t") else escape(part) for part in re.split("([\n\t])", text))
