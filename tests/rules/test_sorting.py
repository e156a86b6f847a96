"""In which order lists come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webapp.rules.sorting import by_value, group_alike, group_by, matches, says

items = st.lists(
    st.tuples(st.integers(1, 99), st.none() | st.integers(0, 5)), unique_by=lambda item: item[0], max_size=20
)


@given(items, st.booleans())
def test_values_are_in_order_unknown_ones_last_and_equals_by_their_tie(
    found: list[tuple[int, int | None]], descending: bool
) -> None:
    ordered = by_value(found, lambda item: item[1], lambda item: item[0], descending=descending)

    sign = -1 if descending else 1
    assert ordered == sorted(found, key=lambda item: (item[1] is None, sign * (item[1] or 0), item[0]))


def test_small_values_come_first_where_nothing_else_is_asked_for() -> None:
    assert by_value([2, 1, 3], lambda item: item, lambda item: item) == [1, 2, 3]


def test_groups_keep_the_order_in_which_they_come() -> None:
    assert group_by(["bob", "ann", "ben"], lambda name: name[0]) == {"b": ["bob", "ben"], "a": ["ann"]}


def test_a_part_of_any_text_is_found_whatever_its_capitals() -> None:
    assert says("GLOW", "mira.glow", None)
    assert says("STRASSE", "Straße")
    assert says("", None)
    assert not says("glow", None, "", "mira")


def test_capitals_and_a_leading_sign_make_no_other_name() -> None:
    assert matches("@ANN", "ann ")
    assert matches(None, None)
    assert not matches("ann", None)
    assert not matches("ann", "anna")


def test_an_accent_that_is_sent_as_a_sign_of_its_own_is_the_same_letter() -> None:
    assert matches("CAFE\u0301", "Caf\u00e9")
    assert says("fe\u0301", "Caf\u00e9")


def test_names_that_match_are_one_group_by_its_most_usual_spelling() -> None:
    items = [("Food", 1), ("food", 1), (None, 9), ("FOOD", 1), ("food", 1), ("b", 2), ("@B", 2)]

    found = group_alike(items, lambda item: item[0], lambda item: item[1])

    assert found == {
        "food": [("Food", 1), ("food", 1), ("FOOD", 1), ("food", 1)],
        None: [(None, 9)],
        "@B": [("b", 2), ("@B", 2)],
    }
