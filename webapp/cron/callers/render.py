"""A cron job of Render, beside a web service there."""

from __future__ import annotations

from webapp.cron.call import HEALTH, Call, Caller, quote
from webapp.cron.curl import CURL, IMAGE, STRICT, WAKE

NOTES = (
    "Add it to render.yaml. Render asks for the token when the blueprint is applied (sync: false) and keeps it as a secret.",
    "Cron jobs run in UTC, one at a time, are paid by the second, and mail you when a command exits with an error.",
    "A free web service sleeps after 15 minutes and needs up to a minute to wake: /health is asked first, until it answers.",
)


def _write(call: Call) -> str:
    header = 'printf "Authorization: Bearer %s\\n" "$SMART_SYNC_ADMIN_TOKEN"'
    script = f'{WAKE} "{call.url}{HEALTH}"; {header} | curl --header @- {CURL} "$SMART_SYNC_TRIGGER"'
    return f"""\
services:
  - type: cron
    name: smart-sync-tick
    runtime: image
    image:
      url: {IMAGE}
    schedule: {quote(str(call.fields("render")))}
    dockerCommand: {quote(f"/bin/sh -c '{script}'")}
    envVars:
      - key: SMART_SYNC_TRIGGER
        value: {quote(call.trigger(**STRICT))}
      - key: SMART_SYNC_ADMIN_TOKEN
        sync: false
"""


CALLER = Caller("15m", NOTES, _write)
