"""The callers, one module each: what a person needs to know, and a snippet that is ready to be pasted. Pure.

No snippet holds the token; each says where it comes from. What a caller's makers document about it stands beside it, as
read in 2026. To add one: a module with its CALLER, and a line in CALLERS.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from webapp.cron.call import Call, Caller, service_url
from webapp.cron.callers import (
    cloud_scheduler,
    cron_job_org,
    crontab,
    eventbridge,
    github_actions,
    kubernetes,
    render,
    systemd,
    vercel,
)
from webapp.cron.every import explain_pace, parse_every

CALLERS: Mapping[str, Caller] = {
    "crontab": crontab.CALLER,
    "systemd": systemd.CALLER,
    "render": render.CALLER,
    "github-actions": github_actions.CALLER,
    "cron-job.org": cron_job_org.CALLER,
    "cloud-scheduler": cloud_scheduler.CALLER,
    "kubernetes": kubernetes.CALLER,
    "vercel": vercel.CALLER,
    "eventbridge": eventbridge.CALLER,
}


def snippet(name: str, url: str, *, every: str | None = None, config: str = "", interval: int = 30) -> tuple[str, str]:
    """(notes, what to paste) for a caller of CALLERS. interval: minutes, of projects that have none of their own.

    Raises: Invalid for an address or a schedule that does not suit this caller.
    """
    caller = CALLERS[name]
    call = Call(service_url(url, hosted=caller.hosted), parse_every(every or caller.every), config)
    text = caller.write(call)
    pace = explain_pace(call.every, interval)
    notes = [f"Smart Sync by {name}, every {call.every.text}.", *DUE, *pace, *caller.notes]
    return "\n".join(notes).replace("{config}", shlex.quote(config)), text


DUE = (
    "The caller is only a clock: each call syncs the projects whose own interval is over, and no others. Change intervals",
    "in the service; leave the caller as it is.",
)
