"""A job at cron-job.org."""

from __future__ import annotations

import json

from webapp.cron.call import Call, Caller
from webapp.cron.every import number_lists

# Closes after 30 s, gives up on a body over 64 KB, and switches a job off after too many failures in a row
# (cron-job.org/en/faq). So: a short run, a short answer, and 200 for a run that failed in part.
TASK = {"budget": "20"}
NOTES = (
    "Run it in a shell that has SMART_SYNC_ADMIN_TOKEN and CRON_JOB_ORG_KEY (console, Settings, API key).",
    "By hand in the console: the URL below, request method POST, header Authorization: Bearer <token>, the same schedule.",
    "cron-job.org hangs up after 30 s: the run takes 20 s at most and the next call goes on with what is left. It switches",
    "jobs off that keep failing, so a failure in part answers 200; SMART_SYNC_PING_URL reports those.",
)


def _write(call: Call) -> str:
    fields = call.fields("cron-job.org")
    names = ("minutes", "hours", "mdays", "months", "wdays")
    job = {
        "title": "Smart Sync",
        "enabled": True,
        "saveResponses": True,
        "url": call.trigger(**TASK),
        "requestMethod": 1,  # POST
        "redirectSuccess": False,
        "schedule": {"timezone": "UTC", "expiresAt": 0} | dict(zip(names, number_lists(fields), strict=True)),
        "notification": {"onFailure": True, "onSuccess": True, "onDisable": True},
        "extendedData": {"headers": {"Authorization": "Bearer $SMART_SYNC_ADMIN_TOKEN"}},
    }
    return f"""\
(
umask 077
printf 'Authorization: Bearer %s\\n' "$CRON_JOB_ORG_KEY" > cron-job-org.header
curl --silent --show-error --fail-with-body --request PUT --header @cron-job-org.header \\
  --header 'Content-Type: application/json' --data @- https://api.cron-job.org/jobs <<END
{json.dumps({"job": job}, indent=1)}
END
rm cron-job-org.header
)
"""


CALLER = Caller("5m", NOTES, _write, hosted=True)
