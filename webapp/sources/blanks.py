"""Signs that are not seen, and come along when text is copied."""

from __future__ import annotations

_SPACES = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000"
)
# The right-to-left override is left out on purpose: behind it 123 is shown as 321.
MARKS = "\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069"
BLANKS = _SPACES + MARKS
