"""What a person should look at again."""

from __future__ import annotations

from webapp.model import Counts
from webapp.rules.edits import decode_notes, ignored_edits, note_edits

BEFORE = Counts(followers=1_000, likes=10, views=5_000)


def test_the_last_edit_of_each_metric_is_noted() -> None:
    assert note_edits(BEFORE, Counts(followers=50_000, likes=9, views=4_000), None) == "lowered:likes lowered:views"


def test_what_was_odd_stays_so_until_the_metric_is_edited_again() -> None:
    note = "lowered:followers lowered:views"

    assert note_edits(BEFORE, BEFORE._replace(views=6_000), note) == "lowered:followers"
    assert note_edits(BEFORE, BEFORE._replace(followers=1_001), note) == "lowered:views"


def test_a_note_says_one_thing_of_a_metric_and_nothing_of_unknown_ones() -> None:
    assert decode_notes("lowered:likes lowered:shares") == {"likes": "lowered"}
    assert decode_notes(None) == {}


def test_a_lower_edit_is_pointed_out_while_it_is_ignored() -> None:
    def found(current: Counts) -> list[int]:
        return list(ignored_edits("lowered:likes lowered:comments", BEFORE, current))

    assert found(BEFORE._replace(likes=11)) == [1]
    assert found(BEFORE) == []
    assert list(ignored_edits("lowered:likes", BEFORE, BEFORE._replace(likes=11), {"likes"})) == []
