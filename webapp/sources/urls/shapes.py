"""What is known of a platform's addresses, as values: the rows of the table are made of these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple


class Form(NamedTuple):
    """One way in which a platform writes the address of a profile.

    before: path segments in front of the name, `*` for any one. sign: what the name's own segment starts with.
    param: the query parameter that holds the name, where it is not in the path. name: what a name looks like; a group
    in it is the name proper. key, link: what stands before the name in the key, and behind the home in the URL.
    folds: names that differ in case are one account. is_id: the name is no handle that a person would know.
    """

    before: tuple[str, ...]
    sign: str
    param: str | None
    name: re.Pattern[str]
    key: str
    link: str
    folds: bool
    is_id: bool


def form(
    template: str,
    name: str,
    *,
    key: str | None = None,
    link: str | None = None,
    folds: bool = True,
    is_id: bool = False,
) -> Form:
    """A form from `channel/{}`, `people/*/{}`, `@{}` or `profile.php?id={}`; key and link are alike unless given."""
    path, _, param = template.partition("?")
    parts = path.split("/") if path else []
    sign = "" if param else parts.pop().removesuffix("{}")
    return Form(
        before=tuple(parts),
        sign=sign,
        param=param.removesuffix("={}") or None,
        name=re.compile(name),
        key=(template if key is None else key).removesuffix("{}"),
        link=(template if link is None else link).removesuffix("{}"),
        folds=folds,
        is_id=is_id,
    )


def words(text: str) -> frozenset[str]:
    """Those that blanks part."""
    return frozenset(text.split())


def phrases(text: str) -> frozenset[str]:
    """Those that `|` parts, each of one word or more."""
    return frozenset(text.split("|"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is known of one platform.

    home: what every link starts with; `{}` is the host where each host has accounts of its own.
    hosts: without `www.`. apps: hosts of its application for the browser, whose pages stand behind the #. subs: names before a host that show the same pages, beside `m` and `mobile`; languages: the
    same for whole patterns. named_hosts: hosts below which the subdomain is the name, with the path it stands for.
    forms: tried in this order. tabs: pages of a profile, alone behind the name (with deep_tabs also with more).
    reserved: first segments that are pages of the platform itself. overlays: parameters that open a post on top.
    bare: what a bare handle looks like and which path it stands for; empty where it does not say whose page it is.
    clean: names of the commonest form that need no further thought.
    """

    slug: str
    title: str
    home: str
    hosts: tuple[str, ...]
    forms: tuple[Form, ...]
    apps: tuple[str, ...] = ()
    subs: tuple[str, ...] = ()
    languages: re.Pattern[str] | None = None
    named_hosts: tuple[tuple[str, str], ...] = ()
    tabs: frozenset[str] = frozenset()
    deep_tabs: bool = False
    reserved: frozenset[str] = frozenset()
    overlays: frozenset[str] = frozenset()
    bare: tuple[tuple[str, str], ...] = (("@?(.+)", "{}"),)
    clean: str | None = None
