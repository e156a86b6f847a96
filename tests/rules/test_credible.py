"""Whether what a file ends with may be the beginning of a number that is still being written."""

from __future__ import annotations

import pytest

from webapp.rules.credible import may_be_cut


@pytest.mark.parametrize(
    ("old", "new", "cut"),
    [
        (1234, 12, True),  # it begins the last one
        (1234, 123, True),
        (1000, 999, False),  # a digit less, and hardly smaller
        (1000, 200, True),  # a fifth of it
        (1000, 201, False),
        (1234, 1233, False),
        (1234, 9999, False),  # as many digits
        (1234, 1234, False),  # as it was
        (1234, None, True),  # nothing is there yet
        (None, 12, False),
        (None, None, False),
    ],
)
def test_a_number_that_may_be_cut(old: int | None, new: int | None, cut: bool) -> None:
    assert may_be_cut(old, new) is cut
