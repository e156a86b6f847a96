"""The command itself."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from webapp.cli.root import print_json
from webapp.cli.terminal import say

if TYPE_CHECKING:
    from webapp.doctor.case import Diagnosis


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, as_json: bool) -> None:
    """Look at every part and say how to mend what is wrong. Exits with 1 when something has failed."""
    from webapp.doctor.examination import examine  # noqa: PLC0415  nothing else needs its imports

    findings: list[Diagnosis] = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            say(f"{finding.level:4}  {finding.what}: {finding.words}")
            if finding.fix:
                say(f"      fix: {finding.fix}")
    failed = any(finding.level == "FAIL" for finding in findings)
    if as_json:
        print_json({"success": not failed, "findings": [asdict(finding) for finding in findings]})
    sys.exit(int(failed))
