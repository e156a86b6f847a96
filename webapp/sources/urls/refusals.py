"""A text that names no profile, and how that is said."""

from __future__ import annotations

from typing import Literal

LONGEST = 2048  # characters of an address

PASTE = "paste the link of the profile page"
LINKED_TEXT = (
    "is not a link; if the cell shows linked text or a smart chip, paste the address itself, such as https://..."
)

Code = Literal["no_url", "bad_url", "unknown_platform"]


class BadProfile(ValueError):
    """A text that names no profile.

    code: `no_url` for a blank or a placeholder, `unknown_platform` for a bare handle on nobody knows what platform,
    `bad_url` for the rest. message: words that go on from the text, such as `is a post, not a profile; ...`; it
    repeats neither the text nor its address. leads_on: it is a link that leads to nobody knows whom.
    """

    def __init__(self, message: str, code: Code = "bad_url", *, leads_on: bool = False) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.leads_on = leads_on


def check_length(address: str) -> None:
    """Raises: BadProfile."""
    if len(address) > LONGEST:
        raise BadProfile(f"is longer than {LONGEST} characters")
