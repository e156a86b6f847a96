"""What is noted while a tab is read."""

from __future__ import annotations

from webapp.model import Problem, SkipReason
from webapp.rules.addresses import address

_MOST_PROBLEMS = 1_000


class Notes:
    """Rows that are passed over, counted by reason, and problems, of which the first thousand are kept.

    count: how much was noted so far.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.count = 0
        self.skips: dict[SkipReason, int] = {}
        self._problems: list[Problem] = []
        self._unlisted = 0

    def skip(self, reason: SkipReason) -> None:
        self.count += 1
        self.skips[reason] = self.skips.get(reason, 0) + 1

    def add_at(self, code: str, row: int, column: int, words: str) -> None:
        """A problem with one cell. row: from 1; column: from 0."""
        cell = address(self.title, column, row)
        self.add(Problem(code, f"{cell}: {words}", cell))

    def add(self, problem: Problem) -> None:
        self.count += 1
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(problem)
        else:
            self._unlisted += 1

    def problems(self) -> tuple[Problem, ...]:
        """Those that are kept, and how many are not."""
        if not self._unlisted:
            return tuple(self._problems)
        words = f"{self.title}: {self._unlisted} more problems, of which only the first {_MOST_PROBLEMS} are listed"
        return (*self._problems, Problem("more_problems", words))
