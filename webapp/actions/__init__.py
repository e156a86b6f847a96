"""What a person or program does: one function each, which locks, checks the rules, writes and audits.

The words of a sync that its doors need come from here: nothing above reaches the sync itself.
"""

from __future__ import annotations

from webapp.sync.background import Background
from webapp.sync.live import Outcome
from webapp.sync.plan import PlannedChange
from webapp.sync.trigger import How, Started, Trigger

__all__ = ["Background", "How", "Outcome", "PlannedChange", "Started", "Trigger"]
