"""What commands say to a person. Names and cells come from sheets: on a terminal they are text, never commands to it."""

from __future__ import annotations

import click

from webapp.logs import escape


def say(*lines: str, err: bool = False) -> None:
    """Print lines, each of which stays one whatever is in it: a name with a line break would else forge another."""
    click.echo("\n".join(map(one_line, lines)), err=err)


def shown(text: str) -> str:
    """The text with escapes for all that moves the cursor, colours, or turns the direction; lines and tabs stay."""
    return "\n".join(map(one_line, text.split("\n")))


def one_line(text: str) -> str:
    """The same with escapes for line breaks too."""
    return "\t".join(map(escape, text.split("\t")))
