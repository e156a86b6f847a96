"""cron itself: a line of a crontab."""

from __future__ import annotations

import shlex

from webapp.cron.call import Call, Caller
from webapp.cron.curl import CURL, STRICT
from webapp.errors import Invalid

# cron mails what a job prints: nothing when all is well, the whole answer when it failed.
TICK = 'out=$({curl} --config {config} {options} "{url}" 2>&1) || {{ echo "$out"; exit 1; }}'

NOTES = (
    "`smart-sync cron install` puts it there, with the token, after a trial. By hand, from a shell that has the token:",
    """(umask 077; printf 'header = "Authorization: Bearer %s"\\n' "$SMART_SYNC_ADMIN_TOKEN" > {config})""",
    'and the line below by `crontab -e`. (A " or \\ in a token of your own needs a backslash before it in that file.)',
    "A failure, in part too, is mailed by cron (MAILTO). `smart-sync cron status` tells whether the calls come.",
)


def _write(call: Call) -> str:
    return crontab_line(call, "curl") + "\n"


def crontab_line(call: Call, curl: str) -> str:
    """The line of a crontab. curl: the program, by its path where cron's few folders do not have it.

    Raises: Invalid.
    """
    if not call.config.isprintable():
        raise Invalid("the data folder's name has a line break or the like", code="bad_path", hint="rename it")
    files = {"curl": shlex.quote(curl), "config": shlex.quote(call.config)}
    script = TICK.format(**files, options=CURL, url=call.trigger(**STRICT))
    # A bare % ends the command for cron, whatever the quotes around it.
    return f"{call.fields('crontab')} /bin/sh -c {shlex.quote(script)}".replace("%", "\\%")


CALLER = Caller("5m", NOTES, _write)
