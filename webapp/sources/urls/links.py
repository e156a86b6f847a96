"""From an address to the profile it opens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, unquote

from webapp.model import Profile
from webapp.sources.urls.hosts import host_of, place_of
from webapp.sources.urls.refusals import PASTE, BadProfile, check_length
from webapp.sources.urls.shapes import Form, Site
from webapp.sources.urls.vocabulary import KINDS, SHORT_HOSTS, TRACKING

FEDIVERSE = re.compile(r"@([A-Za-z0-9_.-]{1,64})@([\w.-]+)")

_LONGEST_PIECE = 255  # characters of a part in another script: to normalise piled accents takes quadratic time
_UNSAFE = re.compile(
    "[\\\\\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_PATH_SAFE = "!$&()*+=@"
_QUERY_SAFE = "!$()*@"


def profile_of_link(typed: str) -> Profile:
    authority, path, query, fragment = _split(typed)
    host = host_of(authority)
    if host.removeprefix("www.") in SHORT_HOSTS:
        raise BadProfile(f"is a short or share link; open it and {PASTE}")
    place = place_of(host)
    if place is None:
        return _profile_elsewhere(host, path, query, fragment)
    segments = [*place.before, *(decode(segment) for segment in path.split("/") if segment)]
    return profile_on(place.site, place.host, segments, query)


def _split(typed: str) -> tuple[str, str, str, str]:
    """Authority, path without its first slash, query and fragment of an address that may have no scheme."""
    rest = typed
    if scheme := _SCHEME.match(typed):
        rest = typed[scheme.end() :]
        if rest[:1].isdigit():
            raise BadProfile(f"names a port; {PASTE}")
        if scheme[1].lower() not in {"http", "https"} or not rest.startswith("/"):
            raise BadProfile(f"is no web address; {PASTE}")
    rest, _, fragment = rest.lstrip("/").partition("#")
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    return authority, path, query, fragment


def profile_at_home(address: re.Match[str]) -> Profile:
    """An account of the Fediverse, `@ada@host`, on its own host."""
    return profile_of_link(f"https://{address[2]}/@{address[1]}")


def check_seen(text: str) -> None:
    """Raises: BadProfile for signs that nobody sees, and for the backslash, which browsers read as a slash."""
    if _UNSAFE.search(text):
        raise BadProfile("has an invisible or broken character or a backslash inside; type it or paste it again")


def decode(piece: str) -> str:
    """A part of an address, decoded once, in the one spelling (NFC) that equal texts share."""
    text = piece
    if "%" in piece:
        try:
            text = unquote(piece, errors="strict")
        except UnicodeDecodeError:
            raise BadProfile("has percent signs that stand for no text; copy it from the address bar") from None
        check_seen(text)
    if text in {".", ".."}:
        raise BadProfile(f"leads somewhere else by its dots; {PASTE}")
    if text.isascii():
        return text
    if len(text) > _LONGEST_PIECE:
        raise BadProfile(f"has a part longer than {_LONGEST_PIECE} characters")
    return unicodedata.normalize("NFC", text)


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
        if any(_parameters(query, overlay) for overlay in site.overlays):
            raise BadProfile(f"is a post, not a profile; {PASTE}")
        return _build(site, host, form, name)
    raise _refusal(site, segments)


def _match(form: Form, segments: list[str], query: str) -> tuple[str, list[str]] | None:
    """The name as this form finds it, and the segments behind it."""
    depth = len(form.before)
    if any(want not in ("*", have.lower()) for want, have in zip(form.before, segments, strict=False)):
        return None
    if form.param:
        names = _parameters(query, form.param) if len(segments) == depth else []
        segment, rest = (names[0] if len(names) == 1 else ""), []
    elif len(segments) > depth:
        segment, rest = segments[depth], segments[depth + 1 :]
    else:
        return None
    match = form.name.fullmatch(segment, len(form.sign)) if segment.startswith(form.sign) else None
    return (match[match.lastindex or 0], rest) if match else None


def _parameters(query: str, name: str) -> list[str]:
    """The values of one parameter."""
    pairs = (piece.partition("=") for piece in query.split("&"))
    return [decode(value) for key, _, value in pairs if key == name]


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


def _profile_elsewhere(host: str, path: str, query: str, fragment: str) -> Profile:
    """A page on a host that is not in the table: we know of nothing there that does not matter."""
    segments = [decode(segment) for segment in path.rstrip("/").split("/")]
    where = "/".join(quote(segment, safe=_PATH_SAFE) for segment in ("", *segments))
    kept = "&".join(filter(None, map(_clean_parameter, query.split("&"))))
    if kept:
        where += "?" + kept
    if fragment[:1] in {"/", "!"}:  # the page of an application that lives behind one address
        where += "#" + "/".join(quote(decode(part), safe=_PATH_SAFE) for part in fragment.split("/"))
    where = where if len(where) > 1 else ""
    url = f"https://{host}{where}"
    check_length(url)
    short = host.removeprefix("www.")
    name = segments[0][1:] if len(segments) == 1 and segments[0].startswith("@") else ""
    return Profile("other", f"other:{short if '.' in short else host}{where}", name or None, url)


def _clean_parameter(piece: str) -> str:
    """A query parameter in its one spelling; empty for one that only tracks."""
    name, sign, value = piece.replace("+", " ").partition("=")
    name = decode(name)
    if TRACKING.fullmatch(name.lower()):
        return ""
    return quote(name, safe=_QUERY_SAFE) + sign + quote(decode(value), safe=_QUERY_SAFE)
