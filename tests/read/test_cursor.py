from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.api.http.cursor import decode_cursor, encode_cursor
from webapp.api.http.problems import HttpProblem

ids = st.integers(1, 2**63 - 1)


@given(st.none() | st.integers(-(2**63), 2**63 - 1), ids)
def test_a_cursor_says_what_was_put_into_it(value: int | None, account: int) -> None:
    assert decode_cursor("question", encode_cursor("question", (value, account)), text=False) == (value, account)


@given(st.none() | st.text(max_size=50), ids)
def test_a_cursor_may_hold_a_text(value: str | None, account: int) -> None:
    assert decode_cursor("question", encode_cursor("question", (value, account)), text=True) == (value, account)


@given(st.data())
def test_a_cursor_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    cursor = encode_cursor("question", (1_000, 17))
    place = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.characters().filter(lambda one: one != cursor[place]))

    with pytest.raises(HttpProblem) as refused:
        decode_cursor("question", cursor[:place] + letter + cursor[place + 1 :], text=False)

    assert (refused.value.status, refused.value.more["field"]) == (422, "cursor")


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    with pytest.raises(HttpProblem):
        decode_cursor("question", text, text=False)


@pytest.mark.parametrize(
    ("question", "text"), [pytest.param("another", False, id="question"), pytest.param("question", True, id="kind")]
)
def test_a_cursor_of_another_question_is_refused(question: str, text: bool) -> None:
    with pytest.raises(HttpProblem):
        decode_cursor(question, encode_cursor("question", (5, 1)), text=text)
