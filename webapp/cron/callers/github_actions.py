"""A workflow of GitHub Actions."""

from __future__ import annotations

from webapp.cron.call import HEALTH, OFF_PEAK, Call, Caller, quote
from webapp.cron.curl import CURL, STRICT, WAKE
from webapp.cron.every import bad_every, shortest_gap

# Schedules: at most every 5 minutes, in UTC, often late and sometimes left out when many are due, most of all at the
# full hour; off after 60 days without activity in a public repository (docs.github.com, events that trigger workflows).
LEAST_MINUTES = 5
NOTES = (
    "Save it as .github/workflows/smart-sync.yml on the default branch, and the token as the repository's secret:",
    "`gh secret set SMART_SYNC_ADMIN_TOKEN`. A failed run mails whoever last changed the schedule.",
    "GitHub calls at most every 5 minutes, late under load (the full hour is worst, so this keeps off it) and not at all",
    "after 60 days without a commit in a public repository. Lateness does no harm here; silence does: set SMART_SYNC_PING_URL.",
    "Private repositories pay each call as a whole minute: every 30 minutes is 1,440 of them a month.",
)


def _write(call: Call) -> str:
    fields = call.fields("GitHub Actions", past=OFF_PEAK)
    if shortest_gap(fields) < LEAST_MINUTES:
        raise bad_every(f"GitHub Actions calls at most every {LEAST_MINUTES} minutes", "take 5m or more")
    return f"""\
name: Smart Sync
on:
  schedule:
    - cron: {quote(str(fields))}
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
          SMART_SYNC_TRIGGER: {quote(call.trigger(**STRICT))}
          SMART_SYNC_ADMIN_TOKEN: ${{{{ secrets.SMART_SYNC_ADMIN_TOKEN }}}}
        run: |
          {WAKE} {quote(call.url + HEALTH)} || true
          printf 'Authorization: Bearer %s\\n' "$SMART_SYNC_ADMIN_TOKEN" |
            curl --header @- {CURL} "$SMART_SYNC_TRIGGER"
"""


CALLER = Caller("30m", NOTES, _write, hosted=True)
