"""Where a host belongs. Nothing but a public name by itself is one."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from webapp.sources.urls.refusals import LINKED_TEXT, PASTE, BadProfile
from webapp.sources.urls.shapes import Site, words
from webapp.sources.urls.table import SITES

LONGEST_HOST = 253
_LONGEST_LABEL = 63
_MOST_LABELS = 10  # of a host in another script, each of which costs a conversion
_NO_SUCH_HOST = "has a host name that does not exist"

_PRIVATE = words("localhost local localdomain internal intranet lan home arpa onion")
_LABEL = re.compile("[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LAST_LABEL = re.compile("[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_ALIKE_SCRIPTS = frozenset(("CYRILLIC", "GREEK", "ARMENIAN"))


def spellings(site: Site) -> dict[str, str]:
    """Every host that shows the platform's pages, without `www.`, and the host of the table that it stands for."""
    subs = ("", "m.", "mobile.", *(f"{sub}." for sub in site.subs))
    return {sub + host: host for host in site.hosts for sub in subs}


_HOSTS = {spelling: (site, host) for site in SITES for spelling, host in spellings(site).items()}
_NAMED_HOSTS = {host: path for site in SITES for host, path in site.named_hosts}

_APP_HOSTS = {host: site for site in SITES for host in site.apps}


def app_of(host: str) -> Site | None:
    """The platform whose application for the browser lives at the host: the fragment names its page."""
    return _APP_HOSTS.get(host.removeprefix("www."))


def host_of(authority: str) -> str:
    """The host in lower case and ASCII.

    Raises: BadProfile for everything that is no public name by itself.
    """
    if authority.startswith("@"):
        raise BadProfile(LINKED_TEXT)
    if "@" in authority:
        raise BadProfile(f"has a name or a password in front of the host; {PASTE}")
    if authority.lower().endswith(("http:", "https:")):
        raise BadProfile("has other signs in front of https://; leave the link alone")
    if ":" in authority:
        raise BadProfile(f"names a port or an IP address; {PASTE}")
    if len(authority) > LONGEST_HOST:
        raise BadProfile(LINKED_TEXT)
    name = authority.removesuffix(".")
    if not name.isascii():
        if name.count(".") >= _MOST_LABELS:
            raise BadProfile(_NO_SUCH_HOST)
        name = ".".join(label if label.isascii() else _punycode(label) for label in name.split("."))
    host = name.lower()
    if host.removeprefix("www.") not in _HOSTS:
        _check_public(host)
    return host


def _punycode(label: str) -> str:
    """The `xn--` form of a label that is exactly what was typed, so that no look-alike ends up at the host it mimics.

    Letters that the encoding would replace by others (full width, ß) are refused, and so are mixed alphabets.
    """
    if len(label) > _LONGEST_LABEL:
        raise BadProfile(_NO_SUCH_HOST)
    spelled = unicodedata.normalize("NFC", label.lower())
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in spelled if letter.isalpha()}
    if "LATIN" in scripts and scripts & _ALIKE_SCRIPTS:
        raise BadProfile(
            "mixes alphabets in its host, as links that pretend to be another site do; type the address anew"
        )
    try:
        coded = spelled.encode("idna")
        exact = coded.startswith(b"xn--") and coded.decode("idna") == spelled
    except UnicodeError:
        exact = False
    if not exact:
        raise BadProfile(_NO_SUCH_HOST)
    return coded.decode("ascii")


def _check_public(host: str) -> None:
    labels = host.split(".")
    if labels[-1][:1].isdigit():
        raise BadProfile(f"names an IP address; {PASTE}")
    if len(host) > LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)) or not _LAST_LABEL.fullmatch(labels[-1]):
        raise BadProfile(LINKED_TEXT)
    if len(labels) == 1 or labels[-1] in _PRIVATE:
        raise BadProfile("has no public host in it; paste the whole address, such as https://...")


def is_listed(host: str) -> bool:
    """Whether the host is a platform's, or below one."""
    return bool(_base(host)) or app_of(host) is not None


def _base(host: str) -> str:
    """The listed host that this one is, or is below; empty where there is none."""
    base = host.removeprefix("www.")
    while base and base not in _HOSTS:
        base = base.partition(".")[2]
    return base


class Place(NamedTuple):
    """Where a host belongs: the platform, the host as the table has it, and the path that a subdomain stands for."""

    site: Site
    host: str
    before: tuple[str, ...] = ()


def place_of(host: str) -> Place | None:
    """Raises: BadProfile for a part of a platform that has no profiles, such as its shop or its help."""
    bare, base = host.removeprefix("www."), _base(host)
    if not base:
        return None
    site, listed = _HOSTS[base]
    if base == bare:
        return Place(site, listed)
    sub = bare.removesuffix("." + base)
    if path := _NAMED_HOSTS.get(listed):
        return Place(site, listed, tuple(path.format(sub).split("/")))
    if site.languages and site.languages.fullmatch(sub):
        return Place(site, listed)
    raise BadProfile(f"is no profile page of {site.title}; {PASTE}")
