"""A cron of a project at Vercel."""

from __future__ import annotations

import json

from webapp.cron.call import OFF_PEAK, Call, Caller

# Only GET, only to a path of the project's own production deployment, never following a redirect; once a day and
# anywhere within the hour on the Hobby plan, to the minute on Pro; no names in the expression (vercel.com/docs/cron-jobs).
HERE = "/api/smart-sync"
NOTES = (
    "vercel.json of a project of yours at Vercel: its cron calls the project's own path, which is forwarded to the service.",
    "Vercel only sends GET, so start the service with SMART_SYNC_ALLOW_GET_TRIGGER=true; the token is asked for as ever.",
    "Set CRON_SECRET in the Vercel project to an admin token: Vercel sends it as Authorization: Bearer.",
    "The Hobby plan calls once a day, within the hour; Pro as often as every minute (--every 5m). Nothing is tried again,",
    "so the answer is given at once and the run goes on without the caller; SMART_SYNC_PING_URL reports failures.",
)


def _write(call: Call) -> str:
    config = {
        "$schema": "https://openapi.vercel.sh/vercel.json",
        "crons": [{"path": HERE, "schedule": str(call.fields("Vercel", past=OFF_PEAK))}],
        "rewrites": [{"source": HERE, "destination": call.trigger(**{"async": "true"})}],
    }
    return json.dumps(config, indent=2) + "\n"


CALLER = Caller("24h", NOTES, _write, hosted=True, comments=False)
