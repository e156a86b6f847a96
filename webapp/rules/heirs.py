"""Which tab goes on for one that has gone: made again under its name, or a file that was renamed. Pure.

Only what fits in exactly one way is taken: a wrong tab would give a project the numbers of another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

SHARE = 2, 3  # of the accounts that both must have


def by_name(wanted: Mapping[str, str], free: Sequence[tuple[str, str]]) -> dict[str, str]:
    """{project: tab} where the names are the same, and no other of either is called so.

    wanted: {project: the name of its tab}; free: (tab, its title). Names are compared as they stand here.
    """
    titles = [title for _, title in free]
    names = list(wanted.values())
    return {
        project: free[titles.index(name)][0]
        for project, name in wanted.items()
        if titles.count(name) == 1 and names.count(name) == 1
    }


def by_accounts(wanted: Mapping[str, Collection[str]], free: Mapping[str, Collection[str]]) -> dict[str, str]:
    """{project: tab} where two thirds of the accounts are the same, and no other of either fits.

    wanted: {project: its accounts}; free: {tab: its accounts}.
    """
    fits = [(project, tab) for project, mine in wanted.items() for tab, theirs in free.items() if _fit(mine, theirs)]
    projects = [project for project, _ in fits]
    tabs = [tab for _, tab in fits]
    return {project: tab for project, tab in fits if projects.count(project) == 1 and tabs.count(tab) == 1}


def _fit(mine: Collection[str], theirs: Collection[str]) -> bool:
    common = len(set(mine) & set(theirs))
    part, whole = SHARE
    return common > 0 and common * whole >= part * max(len(set(mine)), len(set(theirs)))
