"""A job of Google Cloud Scheduler."""

from __future__ import annotations

from webapp.cron.call import Call, Caller, quote

# An attempt may take 15 s to 30 min, 3 min unless set; anything but 2xx, or silence until then, is a failed attempt,
# tried again as configured: here not at all. It may still be delivered twice, under the same
# X-CloudScheduler-ScheduleTime. Jobs are not switched off.
TASK = {"budget": "150"}
NOTES = (
    "Run it in a shell that has SMART_SYNC_ADMIN_TOKEN and GOOGLE_CLOUD_REGION, and is signed in with gcloud.",
    "Whoever may read the job sees the token in its headers. The attempt may take 180 s, the run 150 s of them; the next",
    "call goes on with what is left. A doubled delivery joins the run of the first; a forced run is a run of its own.",
    "Nobody watches its log, so a failure in part answers 200: SMART_SYNC_PING_URL reports those.",
)


def _write(call: Call) -> str:
    return f"""\
(
umask 077
cat > smart-sync-job.yaml <<END
--schedule: {quote(str(call.fields("Cloud Scheduler")))}
--time-zone: "Etc/UTC"
--uri: {quote(call.trigger(**TASK))}
--http-method: "post"
--headers:
  Authorization: "Bearer $SMART_SYNC_ADMIN_TOKEN"
--attempt-deadline: "180s"
--max-retry-attempts: 0
END
gcloud scheduler jobs create http smart-sync --location="$GOOGLE_CLOUD_REGION" --flags-file=smart-sync-job.yaml
rm smart-sync-job.yaml
)
"""


CALLER = Caller("5m", NOTES, _write, hosted=True)
