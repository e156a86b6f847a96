"""Locales as spreadsheets name them: `de_DE`, or the language alone."""

from __future__ import annotations

from functools import lru_cache

# Languages by the codes that they had once, which Java and Google still send.
_CODES = {"in": "id", "iw": "he", "mo": "ro", "sh": "sr", "tl": "fil"}


@lru_cache(maxsize=128)
def names_of(locale: str | None) -> tuple[str, ...]:
    """What a locale is looked up by, the language last: `id_ID`, then `id`, for `in_ID`. Empty where nobody knows it."""
    if not locale:
        return ()
    language, sign, country = locale.replace("-", "_").partition("_")
    language = _CODES.get(language, language)
    return (f"{language}{sign}{country}", language) if country else (language,)
