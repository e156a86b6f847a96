"""Who is told of alerts: whether the addresses can be used, and whether what was sent arrives. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.alerts.channels.notify import Notify
from webapp.bootstrap import channels_of, mail_of
from webapp.clock import Stop
from webapp.doctor.case import Case, Diagnosis, failure
from webapp.errors import ConfigError
from webapp.store import outbox


def examine_alerts(case: Case) -> Iterator[Diagnosis]:
    recipients = mail_of(case.settings).recipients
    if not recipients:
        yield Diagnosis("ok", "alerts", "nobody is told; SMART_SYNC_NOTIFY and SMART_SYNC_WEBHOOK_URL are not set")
    elif not case.settings.base_url:
        words = "messages have no link to a page: SMART_SYNC_URL is not set"
        yield Diagnosis("warn", "alerts", words, "set it to the address at which people reach this service")
    channels = channels_of(case.settings, case.clock, Stop())
    standing, refusals = _kept(case)
    for one in recipients:
        channel, waits = channels[one.name], standing.get(one.name, outbox.Standing())
        what = f"alerts to {one.label}"
        try:
            if isinstance(channel, Notify):
                channel.check()
        except ConfigError as error:
            yield failure(what, error)
            continue
        if one.name in refusals:
            fix = "mend the receiver, then `smart-sync alerts test`"
            yield Diagnosis("warn", what, f"is left alone: {refusals[one.name]}", fix)
        elif waits.error:
            words = f"{waits.waiting} messages wait; the last attempt failed: {waits.error}"
            yield Diagnosis("warn", what, words, "mend that; they are sent again by themselves")
        else:
            yield Diagnosis("ok", what, f"{waits.waiting} messages wait; `smart-sync alerts test` sends one")


def _kept(case: Case) -> tuple[dict[str, outbox.Standing], dict[str, str]]:
    if case.db is None or not case.current:
        return {}, {}
    with case.db.read() as tx:
        return outbox.standing(tx), dict(outbox.refusals(tx))
