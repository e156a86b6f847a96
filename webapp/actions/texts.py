"""Texts that people type: cleaned, or refused in words. A refusal names the field it is about."""

from __future__ import annotations

import unicodedata

from webapp.errors import Invalid
from webapp.model import LONGEST_NOTE, Profile
from webapp.sources.urls import BadProfile, profile_of

BREAKS = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of characters, line and paragraph separators


def refusal(field: str, words: str, hint: str | None = None) -> Invalid:
    """What to raise for a value that cannot be taken: the field's name with the words."""
    return Invalid(f"{field} {words}", field=field, code="invalid_parameter", hint=hint)


def clean_line(field: str, text: str, longest: int) -> str:
    """A text of one line that both databases keep as it is, in single spaces.

    Raises: Invalid.
    """
    if any(unicodedata.category(sign) in BREAKS for sign in text):
        raise refusal(field, "has a line break, a control character or a broken character in it")
    if len(text) > longest:
        raise refusal(field, f"is longer than {longest} characters")
    cleaned = unicodedata.normalize("NFC", " ".join(text.split()))
    if not cleaned:
        raise refusal(field, "is blank")
    return cleaned[:longest]


def clean_note(note: str | None) -> str | None:
    """Why, for the audit log, in one line.

    Raises: Invalid.
    """
    return None if note is None else clean_line("note", note, LONGEST_NOTE)


def parse_profile(field: str, text: str, platform: str | None = None) -> Profile:
    """The profile that a text names.

    Raises: Invalid.
    """
    try:
        return profile_of(text, platform)
    except BadProfile as error:
        raise refusal(field, error.message) from None
