"""What alerts there are, how grave they are, and what can be watched. Pure."""

from __future__ import annotations

from typing import Literal, get_args

Rule = Literal[
    "spreadsheet",  # cannot be read, which is the reason of all its projects
    "failing",  # a project's syncs fail, or do with what is stored
    "stale",  # nobody has synced it for two intervals
    "guard",  # a tab lost so much at once that nothing of it is taken over
    "gone",  # a tab or a column is not there any more
    "waiting",  # values wait for a person
    "reader",  # a program that reads has stopped, or reads nothing new
    "platform",  # a platform cannot be read
    "quota",  # its units run out
    "moved",  # a total has fallen or risen by much in 24 hours
    "threshold",  # a number that somebody watches has crossed the line
    "target",  # the views that a project was to reach
    "silence",  # nobody asked for what is due
]
Level = Literal["problem", "risk", "news"]
RULES: tuple[Rule, ...] = get_args(Rule)
State = Literal["open", "closed"]

# What a watched number does for somebody to be told.
Kind = Literal["above", "below", "fallen", "risen"]
KINDS: tuple[Kind, ...] = get_args(Kind)
