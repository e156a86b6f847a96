"""How an account is counted, as the Status column says it. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from webapp.model import Mode

_WORDS: dict[str, Mode] = {"old": "manual", "ban": "off", "banned": "off", "бан": "off"}


@lru_cache(maxsize=1_000)
def mode_of(status: str | None) -> Mode:
    """OLD is counted by hand, BAN is only shown; every other text says nothing about it.

    The word stands alone. Its case, numbers and signs beside it do not matter: `ban!`, `OLD (2024)`; a second word
    makes it another text: `Old contract`, `Ban lifted`.
    """
    # First the signs, then the width of letters: of № the latter makes two letters.
    letters = "".join(sign if sign.isalpha() else " " for sign in unicodedata.normalize("NFC", status or ""))
    words = unicodedata.normalize("NFKC", letters).casefold().split()
    return _WORDS.get(words[0], "auto") if len(words) == 1 else "auto"
