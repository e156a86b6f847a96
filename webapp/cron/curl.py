"""curl, by which most callers call: 120 s for the sync, 90 s for a service that has to wake up first, and some to spare."""

from __future__ import annotations

BUDGET_S = 120
PATIENCE_S = 240
STRICT = {"strict": "true", "budget": str(BUDGET_S)}
# A redirect counts as a failure: followed, it would turn the POST into a GET or carry the token elsewhere.
CURL = f'--silent --show-error --fail-with-body --location --max-redirs 0 --max-time {PATIENCE_S} --data ""'
# Nothing but this GET is tried again: a second POST finds the failed projects put off and would call it a success.
WAKE = "curl --silent --output /dev/null --retry 5 --retry-delay 15 --retry-connrefused --max-time 60"
IMAGE = "docker.io/curlimages/curl:8.11.1"


CURL_FILE = "cron.curl"  # in the data folder: curl's config of an installed caller


def curl_config(token: str) -> str:
    """A config file of curl that holds nothing but the token, so that no command line does."""
    escaped = token.replace("\\", "\\\\").replace('"', '\\"')
    return f'header = "Authorization: Bearer {escaped}"\n'
