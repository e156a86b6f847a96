"""Which platforms can be read, by the settings."""

from __future__ import annotations

from functools import partial

from webapp.clock import Clock
from webapp.config import Settings
from webapp.platforms import PLATFORMS, Listed
from webapp.sources.platforms import Reader, Source


def sources_of(settings: Settings) -> list[Source]:
    """What can be read, one source for each platform: the first that there is.

    Loads the files of those platforms alone that have a setting; the others are loaded when they are opened.
    """
    found = (source for listed in PLATFORMS if settings.reads(listed) for source in _sources(listed, settings))
    return list({source.platform: source for source in reversed([*found])}.values())[::-1]


def _sources(listed: Listed, settings: Settings) -> list[Source]:
    if listed.is_set(settings.platforms):
        return list(listed.load().sources(settings.platforms))
    return [Source(listed.name, listed.name, partial(_open, listed, settings))] if listed.keyless else []


def _open(listed: Listed, settings: Settings, clock: Clock) -> Reader:
    reader: Reader = listed.load().open(settings.platforms, clock)
    return reader
