"""From an address to the profile it opens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from webapp.model import Profile
from webapp.sources.urls.elsewhere import profile_elsewhere
from webapp.sources.urls.hosts import app_of, host_of, is_listed, place_of
from webapp.sources.urls.pieces import Pieces, decode, parameters, segments_of, split
from webapp.sources.urls.refusals import PASTE, BadProfile
from webapp.sources.urls.shapes import Form, Site, words
from webapp.sources.urls.vocabulary import KINDS, SHORT_HOSTS
from webapp.sources.urls.wrappers import target_elsewhere, target_of

_MOST_WRAPPERS = 4  # around one address
_SHELLS = words("web deck app home home.php index.php index.html")
_TELEGRAM_NAME = re.compile(r"(?:^p=@|[?&]domain=)([A-Za-z0-9_]{3,64})(?![A-Za-z0-9_])")

FEDIVERSE = re.compile(r"@([A-Za-z0-9_.-]{1,64})@([\w.-]+)")


def profile_of_link(typed: str) -> Profile:
    """The profile that an address opens. Raises: BadProfile."""
    address = split(typed)
    host = host_of(address.authority)
    for _ in range(_MOST_WRAPPERS):
        target = target_of(host, address)
        if target is None and not is_listed(host):
            target = target_elsewhere(address)
        if not target:
            return _profile_at(host, address, leads_on=target is not None)
        address = split(target)
        host = host_of(address.authority)
    raise BadProfile(f"leads from address to address; open it and {PASTE}")


def _profile_at(host: str, address: Pieces, *, leads_on: bool) -> Profile:
    if host.removeprefix("www.") in SHORT_HOSTS:
        raise BadProfile(f"is a short or share link; open it and {PASTE}", leads_on=True)
    if site := app_of(host):
        return _profile_in_app(site, address.fragment)
    place = place_of(host)
    if place is None and leads_on:
        raise BadProfile(f"only leads somewhere else; open it and {PASTE}", leads_on=True)
    if place is None:
        return profile_elsewhere(host, address)
    segments = [*place.before, *segments_of(address.path)]
    if address.fragment.startswith("!/"):
        raise _refusal(place.site, [])  # the page was behind the #, when the platform still showed it so
    if address.fragment.startswith(("/", "@")) and _is_shell(segments):
        path, _, query = address.fragment.partition("?")
        return profile_on(place.site, place.host, segments_of(path), query)
    if "{}" in place.site.home and len(segments) > 1 and segments[0] in _SHELLS:
        segments = segments[1:]
    return profile_on(place.site, place.host, segments, address.query)


def _is_shell(segments: list[str]) -> bool:
    """Whether a path is only where an application starts, whose pages stand behind the #."""
    return not segments or (len(segments) == 1 and segments[0].lower() in _SHELLS)


def _profile_in_app(site: Site, fragment: str) -> Profile:
    """`#@ada`, `#/im?p=@ada`, `#?tgaddr=tg://resolve?domain=ada` of Telegram's applications for the browser."""
    route, _, query = fragment.lstrip("!/").partition("?")
    named = _TELEGRAM_NAME.search(decode(query))
    segments = segments_of(route)
    if named:
        segments = [named[1]]
    elif not (segments and segments[0].startswith("@")):
        raise BadProfile(f"is a page inside the application of {site.title}; {PASTE}")
    return profile_on(site, site.hosts[0], segments, "")


def profile_at_home(address: re.Match[str]) -> Profile:
    """An account of the Fediverse, `@ada@host`, on its own host."""
    return profile_of_link(f"https://{address[2]}/@{address[1]}")


def _refusal(site: Site, segments: Iterable[str]) -> BadProfile:
    kind = next(filter(None, map(_kind, segments)), None)
    return BadProfile(f"is {kind}, not a profile; {PASTE}" if kind else f"is no profile page of {site.title}; {PASTE}")


def _kind(segment: str) -> str | None:
    """What a segment that is no profile announces; `wall-1_2` by its letters, `+AbC` and a number by themselves."""
    if segment.startswith("+"):
        return "an invitation"
    if segment.isdigit():
        return "a post"
    word = segment.lower()
    return KINDS.get(word) or KINDS.get(word.rstrip("0123456789_-"))


def profile_on(site: Site, host: str, segments: list[str], query: str) -> Profile:
    """The profile at a path of a known platform."""
    if "{}" in site.home and segments and (address := FEDIVERSE.fullmatch(segments[0])):
        _check_tab(site, segments[1:])
        return profile_at_home(address)
    for form in site.forms:
        found = _match(form, segments, query)
        if found is None:
            continue
        name, rest = found
        if not form.link and name.lower() in site.reserved:
            break
        _check_tab(site, rest)
        if any(parameters(query, overlay) for overlay in site.overlays):
            raise BadProfile(f"is a post, not a profile; {PASTE}")
        return _build(site, host, form, name)
    raise _refusal(site, segments)


def _match(form: Form, segments: list[str], query: str) -> tuple[str, list[str]] | None:
    """The name as this form finds it, and the segments behind it."""
    depth = len(form.before)
    if any(want not in ("*", have.lower()) for want, have in zip(form.before, segments, strict=False)):
        return None
    if form.param:
        names = parameters(query, form.param) if len(segments) == depth else []
        segment, rest = (names[0] if len(names) == 1 else ""), []
    elif len(segments) > depth:
        segment, rest = segments[depth], segments[depth + 1 :]
    else:
        return None
    match = form.name.fullmatch(segment, len(form.sign)) if segment.startswith(form.sign) else None
    return (match[match.lastindex or 0], rest) if match else None


def _check_tab(site: Site, rest: list[str]) -> None:
    """A profile's own list of videos is the profile; one video of it is not."""
    if not rest:
        return
    if rest[0].lower() not in site.tabs or (len(rest) > 1 and not site.deep_tabs):
        raise _refusal(site, rest)


def _build(site: Site, host: str, form: Form, name: str) -> Profile:
    folded = unicodedata.normalize("NFC", name.lower()) if form.folds else name
    own = f"{host}/" if "{}" in site.home else ""
    return Profile(
        site.slug,
        f"{site.slug}:{own}{form.key}{folded}",
        None if form.is_id else name,
        site.home.format(host) + form.link + quote(name, safe=":"),
    )
