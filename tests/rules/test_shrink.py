"""What a tab may lose at once."""

from __future__ import annotations

import pytest

from webapp.rules.shrink import Losses, Shrinkage, may_have_shrunk, shrinkage

KEPT = (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("losses", "known", "expected"),
    [
        (Losses(4, 6, KEPT), 10, Shrinkage(None, 6, 10)),
        (Losses(5, 5, KEPT), 10, None),
        (Losses(1, 8, KEPT), 9, None),
        (Losses(0, 1, KEPT), 1, Shrinkage(None, 1, 1)),
        (Losses(0, 0, KEPT), 0, None),
        (Losses(10, 0, (0, 6, 0, 0, 0)), 10, Shrinkage("likes", 6, 10)),
        (Losses(10, 0, (0, 5, 0, 0, 0)), 10, None),
        (Losses(10, 0, (0, 0, 0, 0, 9)), 10, None),
    ],
    ids=str,
)
def test_more_than_half_of_ten_or_more_is_too_much(losses: Losses, known: int, expected: Shrinkage | None) -> None:
    found = shrinkage(losses, known, (known, known, known, None, 9))

    assert found == expected
    assert found is None or may_have_shrunk(losses)


def test_from_five_losses_on_what_there_was_is_counted() -> None:
    assert may_have_shrunk(Losses(9, 5, KEPT))
    assert may_have_shrunk(Losses(9, 0, (0, 0, 0, 0, 5)))


@pytest.mark.parametrize("losses", [Losses(9, 4, KEPT), Losses(9, 0, (4, 4, 4, 4, 4))], ids=str)
def test_few_losses_need_no_counting_of_what_there_was(losses: Losses) -> None:
    assert not may_have_shrunk(losses)
