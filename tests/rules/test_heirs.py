"""Which tab goes on for one that has gone."""

from __future__ import annotations

import pytest

from webapp.rules.heirs import by_accounts, by_name


def test_a_tab_that_is_made_again_under_its_name_goes_on() -> None:
    assert by_name({"p": "Spring", "q": "Summer"}, [("t1", "Autumn"), ("t2", "Summer")]) == {"q": "t2"}


def test_a_name_that_two_tabs_or_two_projects_have_decides_nothing() -> None:
    assert by_name({"p": "Spring"}, [("t1", "Spring"), ("t2", "Spring")]) == {}
    assert by_name({"p": "Spring", "q": "Spring"}, [("t1", "Spring")]) == {}


@pytest.mark.parametrize(
    ("mine", "theirs", "fits"),
    [
        ("abc", "abc", True),
        ("abc", "abx", True),  # two thirds of both
        ("abc", "ax", False),
        ("abcde", "abcxy", False),
        ("abcdef", "abcdxy", True),
        ("abc", "abcdef", False),  # all of mine, and as many others
        ("a", "a", True),
        ("a", "b", False),
        ("", "", False),  # two empty tabs have nothing in common
        ("aabbc", "abx", True),  # an account that stands twice is one
    ],
)
def test_a_tab_with_two_thirds_of_the_accounts_goes_on(mine: str, theirs: str, fits: bool) -> None:
    assert by_accounts({"p": mine}, {"t": theirs}) == ({"p": "t"} if fits else {})
    assert by_accounts({"p": list(mine)}, {"t": list(theirs), "u": ["z"]}) == ({"p": "t"} if fits else {})


def test_accounts_that_fit_two_tabs_or_two_projects_decide_nothing() -> None:
    assert by_accounts({"p": "abc"}, {"t": "abc", "u": "abx"}) == {}
    assert by_accounts({"p": "abc", "q": "abx"}, {"t": "abc"}) == {}
    assert by_accounts({"p": "abc", "q": "xyz"}, {"t": "abc", "u": "xyz"}) == {"p": "t", "q": "u"}
