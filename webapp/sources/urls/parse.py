"""Which profile a text names: one parser for everything people type or paste as a profile's address.

A false merge is worse than a miss: what is not surely the page of one account is refused, in words that say what to
paste instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from webapp.model import Profile
from webapp.sources.blanks import BLANKS
from webapp.sources.urls.hosts import LONGEST_HOST, place_of, spellings
from webapp.sources.urls.links import FEDIVERSE, profile_at_home, profile_of_link, profile_on
from webapp.sources.urls.pieces import check_seen, decode
from webapp.sources.urls.refusals import LINKED_TEXT, PASTE, BadProfile, check_length
from webapp.sources.urls.table import CALLED, SITES, YOUTUBE_ID
from webapp.sources.urls.vocabulary import ENDINGS, LINK_WORDS, PLACEHOLDERS, RARE_ENDINGS
from webapp.sources.urls.wrappers import strip_front

PLATFORMS: tuple[str, ...] = tuple(site.slug for site in SITES)

_LONGEST_SLUG = 64  # characters of what a Platform column says
_AROUND = BLANKS + "\"'`«»“”„‘’‚,;"  # quotes, and what ends a clause. A point may end a name.
_MARKDOWN = re.compile(r"\[[^\[\]/]*\]\((https?://[^\s()]+)\)", re.IGNORECASE)  # of a text that is no link itself
_SPEAKS = re.compile(r"[^\W_]")
_SECOND_LINK = re.compile("(?<!=)https?://", re.IGNORECASE)
_APART = re.compile(r"[\s,;|]+")
_LIKE_LINK = re.compile(r"(?:https?:)?//|www\.|@|[\w.-]+\.[a-z]{2,}/", re.IGNORECASE)
_CHANNEL_ID = re.compile(YOUTUBE_ID)
_LIKE_HANDLE = re.compile(r"@?[\w.\-·\u0300-\u1fff\ua000-\uabff]+|@[\w.-]+@[\w.-]+|did:[\w.:-]+")


def profile_of(text: object, platform: str | None = None) -> Profile:
    """The profile that a cell or a form names.

    text: an address in any way its platform writes it, with or without scheme, or a bare handle (`@ada`, `ada`).
    platform: what the row's Platform column says, in any language and case. It only tells whose a bare handle is; an
    address speaks for itself. A host that is not in the table makes platform `other`: host, path and query are the
    key, as they are but for tracking parameters.

    Raises: BadProfile, and nothing else whatever the text.
    """
    if type(text) is str:
        front, _, name = text.rpartition("/")
        if not name:
            front, _, name = front.rpartition("/")
        clean = _CLEAN.get(front)
        if clean is not None and name.isascii() and clean.fits(name):
            folded = name.lower()
            if folded not in clean.reserved:
                return Profile(clean.slug, clean.key + folded, name[clean.sign :], clean.home + name)
    return _look_closely(text, platform)


def platform_slug(text: str) -> str | None:
    """The slug of a platform as people write it (`YT`, `Тик Ток`, `X (Twitter)`, `instagram.com`); None if unknown."""
    return _slug_of(text) if len(text) <= _LONGEST_SLUG else None


def is_host(text: object) -> bool:
    """Whether a text is a site alone, `linktr.ee`, as far as one can tell where something else is the handle."""
    if not isinstance(text, str) or "/" in text or "." not in text:
        return False
    typed = text.strip(_AROUND).lower()
    ending = typed.rpartition(".")[2]
    return not typed.startswith("@") and (ending in ENDINGS or ending in RARE_ENDINGS or _is_known_host(typed))


def _plain(text: str) -> str:
    """Letters and digits alone, whatever the case, width and accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold()).casefold()))


class _CleanForm(NamedTuple):
    """What the short way of `profile_of` needs of a host."""

    fits: Callable[[str], re.Match[str] | None]
    slug: str
    key: str
    home: str
    sign: int
    reserved: frozenset[str]


def _clean_forms() -> Iterator[tuple[str, _CleanForm]]:
    """What stands in front of the last slash of a clean address, for every platform that has clean names."""
    for site in SITES:
        if site.clean:
            fits = re.compile(site.clean).fullmatch
            sign = site.clean.startswith("@")
            clean = _CleanForm(fits, site.slug, f"{site.slug}:", site.home, sign, site.reserved)
            hosts = (www + host for host in spellings(site) for www in ("www.", ""))
            yield from ((scheme + host, clean) for host in hosts for scheme in ("https://", "http://", ""))


_BY_SLUG = {site.slug: site for site in SITES}
_CLEAN = dict(_clean_forms())
_SLUGS = {
    _plain(name): slug
    for slug, site in _BY_SLUG.items()
    for name in (slug, *filter(None, CALLED.get(slug, "").split(",")), *site.hosts)
}


@lru_cache(maxsize=256)
def _slug_of(text: str) -> str | None:
    return _SLUGS.get(_plain(text))


def _look_closely(text: object, platform: str | None) -> Profile:
    typed = _trim(text)
    return profile_of_link(typed) if _is_link(typed) else _profile_of_handle(typed, platform)


def _trim(text: object) -> str:
    """The text without what copying left around it, as far as it may be one address or one handle."""
    if text is None:
        raise BadProfile("is blank", "no_url")
    if not isinstance(text, str):
        raise BadProfile("is not text; write the handle with its @ or paste the link of the profile page")
    typed = strip_front(text.strip(_AROUND))
    if typed.startswith("="):
        raise BadProfile(f"is a formula kept as text and {LINKED_TEXT}")
    if found := _MARKDOWN.fullmatch(typed):
        typed = found[1]
    if (typed[:1], typed[-1:]) == ("<", ">") or (typed[:1] + typed[-1:] in {"()", "[]"} and "/" in typed):
        typed = typed[1:-1].strip(_AROUND)
    check_length(typed)
    if _is_placeholder(typed):
        raise BadProfile("is no link" if typed else "is blank", "no_url")
    _check_alone(typed)
    check_seen(typed)
    return "@" + typed[1:] if typed[0] == "＠" else typed


def _is_placeholder(typed: str) -> bool:
    if typed.casefold().strip(" .:!?()[]-–—…") in PLACEHOLDERS:
        return True
    return not _SPEAKS.search(typed) and not typed.startswith("@_")


def _check_alone(typed: str) -> None:
    """Raises: BadProfile for a second link and for words beside the link."""
    pieces = _APART.split(typed)
    links = sum(_LIKE_LINK.match(piece) is not None for piece in pieces) if len(pieces) > 1 else 1
    if links > 1 or len(_SECOND_LINK.findall(typed)) > 1:
        raise BadProfile("is more than one link; give every account a row of its own")
    if len(pieces) > 1 and len(typed.split()) > 1:
        raise BadProfile("has words beside the link; leave the link alone" if links else LINKED_TEXT)


def _is_link(typed: str) -> bool:
    if "/" in typed or typed[:4].lower() == "www.":
        return True
    if typed.startswith(("@", "did:")):
        return False
    return ":" in typed or _is_known_host(typed)


def _is_known_host(typed: str) -> bool:
    return len(typed) <= LONGEST_HOST and place_of(typed.lower()) is not None


def _profile_of_handle(typed: str, platform: str | None) -> Profile:
    if not _LIKE_HANDLE.fullmatch(typed):
        raise BadProfile("is an e-mail address, not a profile" if "@" in typed[1:] else LINKED_TEXT)
    if typed.casefold() in LINK_WORDS or (typed[0] != "@" and platform_slug(typed)):
        raise BadProfile(LINKED_TEXT)
    if address := FEDIVERSE.fullmatch(typed):
        return profile_at_home(address)
    site = _BY_SLUG.get(platform_slug(platform) or "") if isinstance(platform, str) else None
    if site is None:
        return _profile_of_lone_handle(typed)
    handle = decode(typed)
    for pattern, path in site.bare:
        if match := re.fullmatch(pattern, handle):
            return profile_on(site, site.hosts[0], path.format(match[1]).split("/"), "")
    raise BadProfile(f"is not enough to find the page on {site.title}; {PASTE}")


def _profile_of_lone_handle(typed: str) -> Profile:
    """What has neither slash nor platform: a host or an id that says enough by itself, or nobody's handle."""
    handle = typed.removeprefix("@")
    if _CHANNEL_ID.fullmatch(typed):
        return profile_of_link(f"https://www.youtube.com/channel/{typed}")
    if _is_known_host(handle):
        return profile_of_link(handle)
    if handle is typed:
        _, dot, ending = handle.lower().rpartition(".")
        if dot and ending in ENDINGS:
            return profile_of_link(handle)
        if not handle.isascii():
            raise BadProfile(LINKED_TEXT)
    raise BadProfile(
        "is a handle without a platform we know; name the platform in its column or paste the link", "unknown_platform"
    )
