"""What a person should look at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from webapp.model import Counts
from webapp.rules.edits import OddEdit, decode_notes, note_edits, odd_edits

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
BEFORE = Counts(followers=1_000, likes=10, views=5_000)


def test_the_last_edit_of_each_metric_is_noted() -> None:
    after = Counts(followers=50_000, likes=9, views=5_000)

    assert note_edits(BEFORE, after, None, history=True) == "implausible:followers lowered:likes"


def test_without_history_only_what_was_lowered_is_odd() -> None:
    assert note_edits(BEFORE, Counts(followers=50, likes=20), None, history=False) == "lowered:followers"


def test_what_was_odd_stays_so_until_the_metric_is_edited_again() -> None:
    note = "implausible:followers lowered:views"

    assert note_edits(BEFORE, BEFORE._replace(views=6_000), note, history=True) == "implausible:followers"
    assert note_edits(BEFORE, BEFORE._replace(followers=1_001), note, history=True) == "lowered:views"


def test_a_note_says_one_thing_of_a_metric_and_nothing_of_unknown_ones() -> None:
    assert decode_notes("implausible:views lowered:likes lowered:shares") == {
        "views": "implausible", "likes": "lowered",
    }  # fmt: skip
    assert decode_notes(None) == {}


def test_an_implausible_edit_is_pointed_out_for_a_day() -> None:
    def found(since: datetime | None) -> list[OddEdit]:
        return list(odd_edits("implausible:followers", BEFORE, BEFORE, since, NOW))

    assert found(NOW - timedelta(hours=23)) == [OddEdit("implausible", 0)]
    assert found(NOW - timedelta(hours=24)) == found(None) == []


def test_a_lower_edit_is_pointed_out_while_it_is_ignored() -> None:
    def found(current: Counts) -> list[OddEdit]:
        return list(odd_edits("lowered:likes lowered:comments", BEFORE, current, NOW, NOW))

    assert found(BEFORE._replace(likes=11)) == [OddEdit("lowered", 1)]
    assert found(BEFORE) == []
