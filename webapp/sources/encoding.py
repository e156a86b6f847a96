"""Text as files and panels hand it over."""

from __future__ import annotations

import codecs


def decode_text(data: bytes) -> str:
    """UTF-8, or UTF-16 where a byte order mark says so; the mark itself is left out.

    Raises: UnicodeError.
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig")
