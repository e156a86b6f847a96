"""A page on a host that is not in the table of platforms. What may tell one account from another there is kept."""

from __future__ import annotations

import re
from urllib.parse import quote

from webapp.model import Profile
from webapp.sources.urls.pieces import Pieces, decode, parameters
from webapp.sources.urls.refusals import check_length
from webapp.sources.urls.vocabulary import (
    CASELESS_HOSTS,
    COUNTRY_FOLDER,
    COUNTRY_HOSTS,
    FRONTS,
    LANGUAGE_FOLDER,
    NAMED_BY,
    PATH_HOSTS,
    SECTIONS,
    SHARING,
    SHARING_VALUE,
    TABS,
    TRACKING,
    WEB_HOSTS,
)

_PATH_SAFE = "!$&()*+=@"
_QUERY_SAFE = "!$()*@"


def profile_elsewhere(host: str, address: Pieces) -> Profile:
    """The page as platform `other`. Its key leaves out what says in which language it is shown, and who shared it.

    Raises: BadProfile.
    """
    short = WEB_HOSTS.get(host.removeprefix("www."), host.removeprefix("www."))
    segments = [decode(segment) for segment in address.path.rstrip("/").split("/")]
    if short in NAMED_BY and parameters(address.query, NAMED_BY[short][0]):
        segments = [value for name in NAMED_BY[short] for value in parameters(address.query, name)[:1]]
    names_page = any(segments)
    kept = "" if short in PATH_HOSTS and names_page else _query(address.query, names_page=names_page)
    rest = ("?" + kept if kept else "") + _fragment(address.fragment)
    where = _path(segments) + rest
    url = f"https://{host}{where if len(where) > 1 else ''}"
    check_length(url)
    folder = COUNTRY_FOLDER if short in COUNTRY_HOSTS else LANGUAGE_FOLDER
    place = _path(_of_profile(short, _without(folder, segments))) + rest
    name = segments[0][1:] if len(segments) == 1 and segments[0].startswith("@") else ""
    own = short if "." in short else host
    return Profile("other", f"other:{own}{place if len(place) > 1 else ''}", name or None, url)


def _path(segments: list[str]) -> str:
    return "/".join(quote(segment, safe=_PATH_SAFE) for segment in ("", *segments))


def _without(folder: re.Pattern[str], segments: list[str]) -> list[str]:
    """`intl-de/artist/1` is `artist/1`, as `de/artist/1` is; a language alone is a page like any other."""
    if any(segments[1:]) and folder.fullmatch(segments[0].lower()):
        return segments[1:]
    return segments


def _of_profile(host: str, segments: list[str]) -> list[str]:
    """The name alone, of each of the pages that a profile has on a host where we know them."""
    if any(segments[1:]) and segments[0].lower() in FRONTS.get(host, ()):
        segments = segments[1:]
    if len(segments) > 1 and not segments[2:] and segments[1].lower() in TABS.get(host, ()):
        segments = segments[:1]
    return [segments[0].lower()] if len(segments) == 1 and host in CASELESS_HOSTS else segments


def _query(query: str, *, names_page: bool) -> str:
    """The parameters that may matter, in their one spelling and in the order they came."""
    return "&".join(filter(None, (_parameter(piece, names_page=names_page) for piece in query.split("&"))))


def _parameter(piece: str, *, names_page: bool) -> str:
    """Empty for one that only tracks, or that tells how the page was shared where something else names the page."""
    name, sign, value = piece.replace("+", " ").partition("=")
    name, value = decode(name), decode(value)
    plain = name.lower()
    if TRACKING.fullmatch(plain):
        return ""
    if names_page and (SHARING.fullmatch(plain) or (SHARING_VALUE.fullmatch(f"{plain}={value.lower()}"))):
        return ""
    return quote(name, safe=_QUERY_SAFE) + sign + quote(value, safe=_QUERY_SAFE)


def _fragment(fragment: str) -> str:
    """With its sign. Nothing for a section of the page, or for what a search or a campaign has hung on it.

    Everything else may name an account, as in applications that live behind one address: `#@ada`, `#/u/ada`.
    """
    kept = "&".join(piece for piece in fragment.split("&") if not TRACKING.fullmatch(piece.partition("=")[0].lower()))
    text = decode(kept) if kept not in {".", ".."} else ""
    if not text or text.startswith(":~:") or text.lower() in SECTIONS:
        return ""
    return "#" + "/".join(quote(decode(part), safe=_PATH_SAFE) for part in kept.split("/"))
