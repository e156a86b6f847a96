"""What was found out about projects, each for as long as it is as it was then: a sync of one leaves the others known."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from webapp.store.heads import Mark
from webapp.store.projects import Project

MOST = 5_000

T = TypeVar("T")


class ByProject(Generic[T]):
    """keep: false finds everything anew, each time."""

    def __init__(self, *, keep: bool = True) -> None:
        self._most = MOST if keep else 0
        self._known: dict[str, tuple[Hashable, T]] = {}

    def of(
        self,
        projects: Sequence[Project],
        beside: Hashable,
        find: Callable[[Sequence[Project]], Mapping[str, T]],
        *,
        anew: bool = False,
    ) -> dict[str, T]:
        """{project id: what is known of it}, for every one of them.

        beside: what it depends on besides the projects' numbers. find: finds it for those of which it is not known, in
        one go. anew: look at all of them.
        """
        keys = {one.id: (beside, Mark.of(one).state) for one in projects}
        known = {} if anew else self._known
        found = {one: known[one][1] for one, key in keys.items() if one in known and known[one][0] == key}
        missing = [one for one in projects if one.id not in found]
        if missing:
            more = find(missing)
            self._keep({one: (keys[one], value) for one, value in more.items()})
            found |= more
        return found

    def _keep(self, more: Mapping[str, tuple[Hashable, T]]) -> None:
        known = {**self._known, **more}
        self._known = known if len(known) <= self._most else {}
