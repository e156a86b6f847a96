"""A Kubernetes CronJob."""

from __future__ import annotations

import shlex

from webapp.cron.call import Call, Caller, quote
from webapp.cron.curl import CURL, IMAGE, STRICT

NOTES = (
    "First the token, from a shell that has it, in the namespace of the job:",
    "printf 'Authorization: Bearer %s' \"$SMART_SYNC_ADMIN_TOKEN\" |",
    "  kubectl create secret generic smart-sync-tick --from-file=header=/dev/stdin",
    "A failed sync is a failed Job; `kubectl logs` has its answer. Inside the cluster the service's http address will do.",
)


def _write(call: Call) -> str:
    words = ["--header", "@/etc/smart-sync/header", *shlex.split(CURL), call.trigger(**STRICT)]
    arguments = "\n".join(f"                - {quote(word)}" for word in words)
    # Without a starting deadline a CronJob stops for good after 100 missed starts; under 10 s it may never start.
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: smart-sync-tick
spec:
  schedule: {quote(str(call.fields("kubernetes")))}
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


CALLER = Caller("5m", NOTES, _write)
