"""What can follow what."""

from __future__ import annotations

import pytest

from webapp.rules.credible import implausible


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, 10**9, False),
        (10**9, None, False),
        (100, 1_100, False),
        (100, 1_101, True),
        (1_101, 100, True),
        (1_000, 9_999, False),
        (1_000, 10_000, True),
        (10_000, 1_001, False),
        (10_000, 1_000, True),
        (0, 1_000, False),
        (0, 1_001, True),
        (5_000, 0, True),
    ],
    ids=str,
)
def test_ten_times_and_more_than_a_thousand_apart_is_implausible(
    old: int | None, new: int | None, expected: bool
) -> None:
    assert implausible(old, new) is expected
