"""A rule of Amazon EventBridge."""

from __future__ import annotations

import json

from webapp.cron.call import Call, Caller
from webapp.cron.every import expression

# An API destination has 5 s to answer, else it is tried again, 185 times within 24 hours unless limited
# (repost.aws, "invoke my EventBridge API destination target"); https only. The event is the body: `{}` says nothing.
NOTES = (
    "Run it in a shell that has SMART_SYNC_ADMIN_TOKEN, the AWS command line signed in, and EVENTBRIDGE_ROLE_ARN: a role",
    "that events.amazonaws.com may take and that may events:InvokeApiDestination.",
    "EventBridge waits for 5 s: the answer is given at once and the run goes on without the caller. It watches no run;",
    "SMART_SYNC_PING_URL reports failures.",
)


def _write(call: Call) -> str:
    key = {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer $SMART_SYNC_ADMIN_TOKEN"}
    target = {"Id": "smart-sync", "Arn": "$destination", "RoleArn": "$EVENTBRIDGE_ROLE_ARN", "Input": "{}"}
    retry = {"RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 300}}
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


CALLER = Caller("5m", NOTES, _write, hosted=True)
