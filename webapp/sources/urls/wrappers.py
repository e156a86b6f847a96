"""Addresses that only lead to another one, and name it: the redirects of search engines, of platforms, of sign-in pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from webapp.sources.urls.pieces import Pieces, parameters
from webapp.sources.urls.shapes import words

# Below which path (nothing: any) the parameter that holds the other address; no parameter: it is not to be found out.
_Rules = tuple[tuple[str, frozenset[str]], ...]

_GOOGLE = re.compile(r"(?:.*\.)?google\.(?:[a-z]{2,3}|com?\.[a-z]{2})")


def _rules(text: str) -> _Rules:
    """`l.php u; login next` as rules; `*` is any path."""
    pairs = (line.split() for line in text.split(";"))
    return tuple((path.replace("*", ""), words(" ".join(names))) for path, *names in pairs)


_WRAPPERS: dict[str, _Rules] = {
    "facebook.com": _rules("l.php u; flx/warn u; login next; login.php next"),
    "l.instagram.com": _rules("* u"),
    "instagram.com": _rules("accounts/login next; linkshim u"),
    "l.threads.com": _rules("* u"),
    "l.threads.net": _rules("* u"),
    "threads.com": _rules("login next"),
    "threads.net": _rules("login next"),
    "l.messenger.com": _rules("* u"),
    "l.wl.co": _rules("l u"),
    "youtube.com": _rules("redirect q; signin next"),
    "consent.youtube.com": _rules("* continue"),
    "tiktok.com": _rules("link/v2 target; login redirect_url"),
    "x.com": _rules("login redirect_after_login; i/flow/login redirect_after_login"),
    "twitter.com": _rules("login redirect_after_login; i/flow/login redirect_after_login"),
    "vk.com": _rules("away.php to; away to"),
    "vk.ru": _rules("away.php to; away to"),
    "out.reddit.com": _rules("* url"),
    "reddit.com": _rules("login dest"),
    "linkedin.com": _rules(
        "redir/redirect url; safety/go url; authwall sessionRedirect; login session_redirect; uas/login session_redirect"
    ),
    "pinterest.com": _rules("offsite url"),
    "t.me": _rules("iv url"),
    "google": _rules(
        "url q url; search; translate u; m continue; ml continue; ServiceLogin continue; v3/signin continue"
    ),
    "bing.com": _rules("ck/a; search"),
    "search.yahoo.com": _rules("*"),
    "duckduckgo.com": _rules("l uddg"),
    "steamcommunity.com": _rules("linkfilter u url"),
    "t.umblr.com": _rules("* z"),
    "exit.sc": _rules("* url"),
    "slack-redir.net": _rules("link url"),
    "disq.us": _rules("url url"),
    "medium.com": _rules("r url"),
    "getpocket.com": _rules("redirect url"),
    "safelinks.protection.outlook.com": _rules("* url"),
    "out.pikabu.ru": _rules("* url"),
    "discord-redirect.com": _rules("* url"),
    "urldefense.proofpoint.com": _rules("*"),
}
# On hosts that are not listed: the pages that do nothing but lead on, and the parameters that hold a whole address there.
_LEADING_PAGE = re.compile(
    r"|(?:.*/)?(?:l|r|url|link|links|redirect|redir|jsredir|redirector|go|goto|out|outgoing|outbound|leave|leaving|away|exit"
    r"|external|offsite|linkfilter|click|jump|dereferrer|deref|middlem|sinaurl|safety|warning)(?:\.(?:php|html?|aspx?))?",
    re.IGNORECASE,
)
_LEADING = words(
    "url u to target dest destination goto out href link redirect redirect_to redirect_url redirectUrl redir a pfurl l q"
)
# What stands in front of the other address in the path, or in the query, of those that write it there as it is.
_IN_FRONT = re.compile(
    r"(?:https?://)?(?:www\.)?(?:web\.archive\.org/web/[0-9]{4,14}(?:[a-z]{2}_)?/|archive\.(?:is|ph|today)/[0-9]{4,14}/"
    r"|r\.jina\.ai/|href\.li/\?|anonym\.to/\?|nullrefer\.com/\?|urldefense\.com/v3/__"
    r"|google\.[a-z.]{2,6}/amp/s/|[a-z0-9-]+\.cdn\.ampproject\.org/[a-z]/s/)(?=[\w/])",
    re.IGNORECASE,
)
_DEFENDED = re.compile(r"__;.*\Z", re.DOTALL)
_TRANSLATED = ".translate.goog"


def strip_front(typed: str) -> str:
    """The address behind that of an archive, of a cache or of what hides where a visitor comes from."""
    found = _IN_FRONT.match(typed)
    return _DEFENDED.sub("", typed[found.end() :]) if found else typed


def target_of(host: str, address: Pieces) -> str | None:
    """The address that this one leads to; empty where it does not say which; None for one that is a page itself.

    Raises: BadProfile.
    """
    path = address.path.strip("/")
    for base in _bases(host):
        for below, names in _WRAPPERS.get(base, ()):
            if below and path.lower() != below.lower() and not path.lower().startswith(below.lower() + "/"):
                continue
            for name in sorted(names):
                for value in parameters(address.query, name):
                    if value.strip():
                        return f"https://{host}{value}" if re.match("/[^/]", value) else value
            return ""
    if host.endswith(_TRANSLATED):
        return f"https://{_translated(host)}/{address.path}?{address.query}"
    return None


def target_elsewhere(address: Pieces) -> str | None:
    """The one address that a page of no platform leads to; None for one that is more than that."""
    if not _LEADING_PAGE.fullmatch(address.path.strip("/")):
        return None
    found = {
        value
        for name in _LEADING
        for value in parameters(address.query, name)
        if value.lower().startswith(("https://", "http://"))
    }
    return found.pop() if len(found) == 1 else None


def _translated(host: str) -> str:
    """`fans--site-example.translate.goog` shows `fans-site.example`."""
    plain = host.removesuffix(_TRANSLATED).replace("--", " ").replace("-", ".")
    return plain.replace(" ", "-")


def _bases(host: str) -> Iterator[str]:
    """The host and every host it lies below; each of Google's countries is Google."""
    if _GOOGLE.fullmatch(host):
        yield "google"
    while host:
        yield host
        host = host.partition(".")[2]
