"""One call of the service: where to, how often, and what for. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from webapp.cron.every import Every, Fields, bad_every, more_often, shift
from webapp.errors import Invalid

PATH = "/api/admin/smart_sync"
HEALTH = "/health"
OFF_PEAK = 7  # minutes past the full hour, when shared clocks are less busy

HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
URL = re.compile(
    rf"(?P<scheme>https?)://{HOST}(?::(?P<port>[1-9][0-9]{{0,4}}))?(?P<path>(?:/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{{2}})*)*)"
)
LAST_PORT = 65535


def service_url(text: str, *, hosted: bool = False) -> str:
    """The service's address without a slash at its end; that of the trigger itself is accepted too.

    Takes only characters that mean nothing to a shell, YAML, JSON or curl. hosted: called over the internet.

    Raises: Invalid.
    """
    found = URL.fullmatch(text)
    if found is None or int(found["port"] or 1) > LAST_PORT:
        raise _bad_url(
            "is not an address such as https://sync.example.com", "no user, no query, no fragment, ASCII only"
        )
    if hosted and found["scheme"] == "http":
        raise _bad_url("would send the token over the internet in clear", "use the https address")
    return text.rstrip("/").removesuffix(PATH)


def _bad_url(words: str, hint: str) -> Invalid:
    return Invalid(f"--url: {words}", field="--url", code="bad_url", hint=hint)


@dataclass(frozen=True)
class Call:
    """One caller's task: the service's address, and how often to ask there for what is due."""

    url: str
    every: Every
    config: str = ""  # path of curl's config file, for the caller that has one

    def trigger(self, **more: str) -> str:
        """The address to post to."""
        return f"{self.url}{PATH}?{urlencode({'due': 'true', 'summary': 'true'} | more)}"

    def fields(self, caller: str, *, past: int = 0) -> Fields:
        """Cron fields; `past`: minutes past the full hour, for durations.

        Raises: Invalid when the duration cannot be written as a cron expression.
        """
        fields = shift(self.every, past)
        if fields is None:
            words = f"{caller} cannot say every {self.every.text}: it does not divide an hour or a day evenly"
            instead = f"let it come more often instead, such as every {more_often(self.every)}"
            raise bad_every(words, f"{instead}: what is not due is left out")
        return fields


@dataclass(frozen=True)
class Caller:
    """One kind of caller. Snippets are YAML or a shell script, with notes as comments; JSON takes no comments.

    every: how often, when nothing is said. hosted: comes over the internet. notes: what to know and do first.
    """

    every: str
    notes: Sequence[str]
    write: Callable[[Call], str]
    hosted: bool = False
    comments: bool = True


def quote(text: str) -> str:
    """A string of JSON and of YAML alike."""
    return json.dumps(text)
