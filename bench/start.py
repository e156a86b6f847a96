"""gunicorn to the first 200, against Flask with SQLAlchemy Core alone, the two taking turns on one core."""

from __future__ import annotations

import os
import statistics
import tempfile

from bench.load import serving


def measure(rounds: int) -> None:
    """Print both medians and the ratio of the pairs."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    floors, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        token = {"SMART_SYNC_ADMIN_TOKEN": "bench-token-of-no-consequence", "SMART_SYNC_DATA_DIR": folder}
        for _ in range(rounds):
            with serving("bench.floor_app:app", {}, ready="/constant") as server:
                floors.append(server.seconds)
            with serving("webapp.wsgi:app", token, ready="/health") as server:
                ours.append(server.seconds)
    ratios = [a / b for a, b in zip(ours, floors, strict=True)]
    print(
        f"start, {rounds} rounds: floor {statistics.median(floors):.2f} s   ours {statistics.median(ours):.2f} s   "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )
