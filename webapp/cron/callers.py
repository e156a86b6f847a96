"""The callers: what each one needs to know, and a snippet that is ready to be pasted. Pure.

No snippet holds the token; each says where it comes from. What a caller's makers document about it stands beside it, as
read in 2026.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from webapp.cron.every import (
    Every,
    Fields,
    bad_every,
    calendar,
    expression,
    number_lists,
    parse_every,
    shift,
    shortest_gap,
)
from webapp.errors import Invalid

PATH = "/api/admin/smart_sync"
HEALTH = "/health"

# What is called

HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
URL = re.compile(
    rf"(?P<scheme>https?)://{HOST}(?::(?P<port>[1-9][0-9]{{0,4}}))?(?P<path>(?:/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{{2}})*)*)"
)
LAST_PORT = 65535


def service_url(text: str, *, hosted: bool = False) -> str:
    """The service's address without a slash at its end; that of the trigger itself is understood too.

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
    """One caller's task: the service's checked address, how often, and whether to sync only what is due."""

    url: str
    every: Every
    due: bool = True
    config: str = ""  # path of curl's config file, for the caller that has one

    def trigger(self, **more: str) -> str:
        """The address to post to."""
        asked = {"due": "true"} if self.due else {}
        return f"{self.url}{PATH}?{urlencode(asked | {'summary': 'true'} | more)}"

    def fields(self, caller: str, *, past: int = 0) -> Fields:
        """Cron fields; `past`: minutes past the full hour, for durations.

        Raises: Invalid when the duration cannot be written as a cron expression.
        """
        fields = shift(self.every, past)
        if fields is None:
            words = f"{caller} cannot say every {self.every.text}: it does not divide an hour or a day evenly"
            raise bad_every(words, "let it come more often instead, such as every 15m: what is not due is left out")
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


def snippet(name: str, url: str, *, every: str | None = None, due: bool = True, config: str = "") -> tuple[str, str]:
    """(notes, what to paste) for a caller of CALLERS.

    Raises: Invalid for an address or a schedule that does not suit this caller.
    """
    caller = CALLERS[name]
    call = Call(service_url(url, hosted=caller.hosted), parse_every(every or caller.every), due, config)
    text = caller.write(call)
    notes = [f"Smart Sync by {name}, every {call.every.text}.", *(DUE if due else ALL), *caller.notes]
    return "\n".join(notes).replace("{config}", shlex.quote(config)), text


DUE = (
    "The caller is only a clock: each call syncs the projects whose own interval is over (SMART_SYNC_INTERVAL_MINUTES,",
    "30 unless set, or the project's own). Change intervals in the service; leave the caller as it is.",
)
ALL = ("Each call syncs all active projects, whether they are due or not.",)

# curl, which most of them use: 120 s for the sync, 90 s for a service that has to wake up first, and some to spare

BUDGET_S = 120
PATIENCE_S = 240
STRICT = {"strict": "true", "budget": str(BUDGET_S)}
# A redirect counts as a failure: followed, it would turn the POST into a GET or carry the token elsewhere.
CURL = f'--silent --show-error --fail-with-body --location --max-redirs 0 --max-time {PATIENCE_S} --data ""'
# Nothing but this is tried again: a second POST finds the failed projects put off and would call it a success.
WAKE = "curl --silent --output /dev/null --retry 5 --retry-delay 15 --retry-connrefused --max-time 60"
IMAGE = "docker.io/curlimages/curl:8.11.1"


def curl_config(token: str) -> str:
    """A config file of curl that holds nothing but the token, so that no command line does."""
    escaped = token.replace("\\", "\\\\").replace('"', '\\"')
    return f'header = "Authorization: Bearer {escaped}"\n'


def _quote(text: str) -> str:
    """A string of JSON and of YAML alike."""
    return json.dumps(text)


# The callers, each with the limits that its makers document

# cron mails what a job prints: nothing when all is well, the whole answer when it failed.
TICK = 'out=$({curl} --config {config} {options} "{url}" 2>&1) || {{ echo "$out"; exit 1; }}'

CRONTAB_NOTES = (
    "`smart-sync cron install` puts it there, with the token, after a trial. By hand, from a shell that has the token:",
    """(umask 077; printf 'header = "Authorization: Bearer %s"\\n' "$SMART_SYNC_ADMIN_TOKEN" > {config})""",
    'and the line below by `crontab -e`. (A " or \\ in a token of your own needs a backslash before it in that file.)',
    "A failure, in part too, is mailed by cron (MAILTO). `smart-sync cron status` tells whether the calls come.",
)


def _crontab(call: Call) -> str:
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


SYSTEMD_NOTES = (
    "Run as root in a shell that has SMART_SYNC_ADMIN_TOKEN. The token is kept in /etc/smart-sync/header for root only; the",
    "service gets it as a credential. A failed sync is a failed unit, its answer is in `journalctl -u smart-sync-tick`;",
    "add OnFailure= to be told. `systemctl list-timers smart-sync-tick` shows the next call.",
)
SYSTEMD = """\
install -d -m 700 /etc/smart-sync
(umask 077; printf 'Authorization: Bearer %s\\n' "$SMART_SYNC_ADMIN_TOKEN" > /etc/smart-sync/header)

cat > /etc/systemd/system/smart-sync-tick.service <<'END'
[Unit]
Description=Smart Sync: one call
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/bin/curl --header @${{CREDENTIALS_DIRECTORY}}/header {curl} {url}
LoadCredential=header:/etc/smart-sync/header
DynamicUser=yes
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
TimeoutStartSec={patience_s}
END

cat > /etc/systemd/system/smart-sync-tick.timer <<'END'
[Unit]
Description=Smart Sync: when to call

[Timer]
OnCalendar={calendar}
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
END

systemctl daemon-reload
systemctl enable --now smart-sync-tick.timer
"""


def _systemd(call: Call) -> str:
    url = call.trigger(**STRICT).replace("%", "%%")  # a bare one begins a specifier
    when = calendar(call.fields("systemd"))
    return SYSTEMD.format(curl=CURL, url=_quote(url), calendar=when, patience_s=PATIENCE_S + 30)


RENDER_NOTES = (
    "Add it to render.yaml. Render asks for the token when the blueprint is applied (sync: false) and keeps it as a secret.",
    "Cron jobs run in UTC, one at a time, are paid by the second, and mail you when a command exits with an error.",
    "A free web service sleeps after 15 minutes and needs up to a minute to wake: /health is asked first, until it answers.",
)


def _render(call: Call) -> str:
    header = 'printf "Authorization: Bearer %s\\n" "$SMART_SYNC_ADMIN_TOKEN"'
    script = f'{WAKE} "{call.url}{HEALTH}"; {header} | curl --header @- {CURL} "$SMART_SYNC_TRIGGER"'
    return f"""\
services:
  - type: cron
    name: smart-sync-tick
    runtime: image
    image:
      url: {IMAGE}
    schedule: {_quote(str(call.fields("render")))}
    dockerCommand: {_quote(f"/bin/sh -c '{script}'")}
    envVars:
      - key: SMART_SYNC_TRIGGER
        value: {_quote(call.trigger(**STRICT))}
      - key: SMART_SYNC_ADMIN_TOKEN
        sync: false
"""


# Schedules: at most every 5 minutes, in UTC, often late and sometimes left out when many are due, most of all at the
# full hour; off after 60 days without activity in a public repository (docs.github.com, events that trigger workflows).
GITHUB_LEAST_MINUTES = 5
GITHUB_PAST = 7
GITHUB_NOTES = (
    "Save it as .github/workflows/smart-sync.yml on the default branch, and the token as the repository's secret:",
    "`gh secret set SMART_SYNC_ADMIN_TOKEN`. A failed run mails whoever last changed the schedule.",
    "GitHub calls at most every 5 minutes, late under load (the full hour is worst, so this keeps off it) and not at all",
    "after 60 days without a commit in a public repository. Lateness does no harm here; silence does: set SMART_SYNC_PING_URL.",
    "Private repositories pay each call as a whole minute: every 30 minutes is 1,440 of them a month.",
)


def _github(call: Call) -> str:
    fields = call.fields("GitHub Actions", past=GITHUB_PAST)
    if shortest_gap(fields) < GITHUB_LEAST_MINUTES:
        raise bad_every(f"GitHub Actions calls at most every {GITHUB_LEAST_MINUTES} minutes", "take 5m or more")
    return f"""\
name: Smart Sync
on:
  schedule:
    - cron: {_quote(str(fields))}
  workflow_dispatch: {{}}
permissions: {{}}
concurrency:
  group: smart-sync
  cancel-in-progress: false
jobs:
  sync:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
      - name: Call Smart Sync
        env:
          SMART_SYNC_TRIGGER: {_quote(call.trigger(**STRICT))}
          SMART_SYNC_ADMIN_TOKEN: ${{{{ secrets.SMART_SYNC_ADMIN_TOKEN }}}}
        run: |
          {WAKE} {_quote(call.url + HEALTH)} || true
          printf 'Authorization: Bearer %s\\n' "$SMART_SYNC_ADMIN_TOKEN" |
            curl --header @- {CURL} "$SMART_SYNC_TRIGGER"
"""


# Closes after 30 s, gives up on a body over 64 KB, and switches a job off after too many failures in a row
# (cron-job.org/en/faq). So: a short run, a short answer, and 200 for a run that failed in part.
CRON_JOB_ORG = {"budget": "20"}
CRON_JOB_ORG_NOTES = (
    "Run it in a shell that has SMART_SYNC_ADMIN_TOKEN and CRON_JOB_ORG_KEY (console, Settings, API key).",
    "By hand in the console: the URL below, request method POST, header Authorization: Bearer <token>, the same schedule.",
    "cron-job.org hangs up after 30 s: the run takes 20 s at most and the next call goes on with what is left. It switches",
    "jobs off that keep failing, so a failure in part answers 200; be told of those by SMART_SYNC_PING_URL.",
)


def _cron_job_org(call: Call) -> str:
    fields = call.fields("cron-job.org")
    names = ("minutes", "hours", "mdays", "months", "wdays")
    job = {
        "title": "Smart Sync",
        "enabled": True,
        "saveResponses": True,
        "url": call.trigger(**CRON_JOB_ORG),
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


# An attempt may take 15 s to 30 min, 3 min unless set; anything but 2xx, or silence until then, is a failed attempt and
# tried again as configured, under the same X-CloudScheduler-ScheduleTime. Jobs are not switched off.
CLOUD_SCHEDULER = {"budget": "150"}
CLOUD_SCHEDULER_NOTES = (
    "Run it in a shell that has SMART_SYNC_ADMIN_TOKEN and GOOGLE_CLOUD_REGION, and is signed in with gcloud.",
    "Whoever may read the job sees the token in its headers. The attempt may take 180 s, the run 150 s of them; the next",
    "call goes on with what is left. A repeated delivery joins the run of the first; a forced run is a run of its own.",
    "Nobody watches its log, so a failure in part answers 200: be told of those by SMART_SYNC_PING_URL.",
)


def _cloud_scheduler(call: Call) -> str:
    return f"""\
(
umask 077
cat > smart-sync-job.yaml <<END
--schedule: {_quote(str(call.fields("Cloud Scheduler")))}
--time-zone: "Etc/UTC"
--uri: {_quote(call.trigger(**CLOUD_SCHEDULER))}
--http-method: "post"
--headers:
  Authorization: "Bearer $SMART_SYNC_ADMIN_TOKEN"
--attempt-deadline: "180s"
--max-retry-attempts: 2
--min-backoff: "30s"
END
gcloud scheduler jobs create http smart-sync --location="$GOOGLE_CLOUD_REGION" --flags-file=smart-sync-job.yaml
rm smart-sync-job.yaml
)
"""


KUBERNETES_NOTES = (
    "First the token, from a shell that has it, in the namespace of the job:",
    "printf 'Authorization: Bearer %s' \"$SMART_SYNC_ADMIN_TOKEN\" |",
    "  kubectl create secret generic smart-sync-tick --from-file=header=/dev/stdin",
    "A failed sync is a failed Job; `kubectl logs` has its answer. Inside the cluster the service's http address will do.",
)


def _kubernetes(call: Call) -> str:
    words = ["--header", "@/etc/smart-sync/header", *shlex.split(CURL), call.trigger(**STRICT)]
    arguments = "\n".join(f"                - {_quote(word)}" for word in words)
    # Without a starting deadline a CronJob stops for good after 100 missed starts; under 10 s it may never start.
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: smart-sync-tick
spec:
  schedule: {_quote(str(call.fields("kubernetes")))}
  timeZone: "Etc/UTC"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 120
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 600
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: 65534
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: curl
              image: {IMAGE}
              command: ["curl"]
              args:
{arguments}
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: ["ALL"]
              volumeMounts:
                - name: header
                  mountPath: /etc/smart-sync
                  readOnly: true
          volumes:
            - name: header
              secret:
                secretName: smart-sync-tick
"""


# Only GET, only to a path of the project's own production deployment, never following a redirect; once a day and
# anywhere within the hour on the Hobby plan, to the minute on Pro; no names in the expression (vercel.com/docs/cron-jobs).
VERCEL_PATH = "/api/smart-sync"
VERCEL_NOTES = (
    "vercel.json of a project of yours at Vercel: its cron calls the project's own path, which is forwarded to the service.",
    "Vercel only sends GET, so start the service with SMART_SYNC_ALLOW_GET_TRIGGER=true; the token is asked for as ever.",
    "Set CRON_SECRET in the Vercel project to an admin token: Vercel sends it as Authorization: Bearer.",
    "The Hobby plan calls once a day, within the hour; Pro as often as every minute (--every 5m). Nothing is tried again,",
    "so the answer is given at once and the run goes on without the caller; be told of failures by SMART_SYNC_PING_URL.",
)


def _vercel(call: Call) -> str:
    config = {
        "$schema": "https://openapi.vercel.sh/vercel.json",
        "crons": [{"path": VERCEL_PATH, "schedule": str(call.fields("Vercel", past=GITHUB_PAST))}],
        "rewrites": [{"source": VERCEL_PATH, "destination": call.trigger(**{"async": "true"})}],
    }
    return json.dumps(config, indent=2) + "\n"


# An API destination has 5 s to answer, else it is tried again, 185 times within 24 hours unless limited
# (repost.aws, "invoke my EventBridge API destination target"); https only. The event is the body: `{}` says nothing.
EVENTBRIDGE_NOTES = (
    "Run it in a shell that has SMART_SYNC_ADMIN_TOKEN, the AWS command line signed in, and EVENTBRIDGE_ROLE_ARN: a role",
    "that events.amazonaws.com may take and that may events:InvokeApiDestination.",
    "EventBridge waits for 5 s: the answer is given at once and the run goes on without the caller. It watches no run;",
    "be told of failures by SMART_SYNC_PING_URL.",
)


def _eventbridge(call: Call) -> str:
    key = {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer $SMART_SYNC_ADMIN_TOKEN"}
    target = {"Id": "smart-sync", "Arn": "$destination", "RoleArn": "$EVENTBRIDGE_ROLE_ARN", "Input": "{}"}
    retry = {"RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 300}}
    return f"""\
connection=$(aws events create-connection --name smart-sync --authorization-type API_KEY \\
  --auth-parameters file:///dev/stdin --query ConnectionArn --output text <<END
{json.dumps({"ApiKeyAuthParameters": key})}
END
)
destination=$(aws events create-api-destination --name smart-sync --connection-arn "$connection" \\
  --invocation-endpoint '{call.trigger(**{"async": "true"})}' --http-method POST \\
  --invocation-rate-limit-per-second 1 --query ApiDestinationArn --output text)
aws events put-rule --name smart-sync --schedule-expression '{expression(call.every)}'
aws events put-targets --rule smart-sync --targets file:///dev/stdin <<END
{json.dumps([target | retry])}
END
"""


CALLERS: Mapping[str, Caller] = {
    "crontab": Caller("5m", CRONTAB_NOTES, _crontab),
    "systemd": Caller("5m", SYSTEMD_NOTES, _systemd),
    "render": Caller("15m", RENDER_NOTES, _render),
    "github-actions": Caller("30m", GITHUB_NOTES, _github, hosted=True),
    "cron-job.org": Caller("5m", CRON_JOB_ORG_NOTES, _cron_job_org, hosted=True),
    "cloud-scheduler": Caller("5m", CLOUD_SCHEDULER_NOTES, _cloud_scheduler, hosted=True),
    "kubernetes": Caller("5m", KUBERNETES_NOTES, _kubernetes),
    "vercel": Caller("24h", VERCEL_NOTES, _vercel, hosted=True, comments=False),
    "eventbridge": Caller("5m", EVENTBRIDGE_NOTES, _eventbridge, hosted=True),
}
