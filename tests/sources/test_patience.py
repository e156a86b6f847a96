"""What is read takes time in proportion to what is there: no pattern broods over a text, and nothing is past the budget."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress

import pytest

from webapp.clock import Budget, Clock
from webapp.errors import OutOfTime, SourceError
from webapp.sources.sheet.rows import read_tab
from webapp.sources.sheet.table import read_table

HARD = [unit * 60_000 + end for unit in (".", "a.", "1.", "@.", "../", "www.") for end in (" a", " 1")]


@pytest.mark.parametrize("text", HARD, ids=lambda text: text[:4] + text[-2:])
def test_no_cell_holds_up_everybody_else(text: str) -> None:
    """A pattern that tries such a text in all ways takes a minute, in which no other thread runs."""
    started = time.process_time()

    for cells in ([text, "5"], ["https://x.com/ann", text], [text, None]):
        with suppress(SourceError):
            read_tab([["Link", "Followers"], cells], "A")

    assert time.process_time() - started < 2


def test_signs_before_a_word_are_passed_over_once() -> None:
    started = time.process_time()

    with suppress(SourceError):
        read_tab([["Link", "Followers"], *[["@" * 130_000, "5"]] * 100], "A")

    assert time.process_time() - started < 2


@pytest.mark.parametrize("title", ["...", "Grand total", "- sub  total:", "the.end of it", "Top. 10"])
def test_a_row_that_is_no_account_is_still_only_counted(title: str) -> None:
    reading = read_tab([["Link", "Followers"], ["https://x.com/ann", 5], [title, None]], "A")

    assert (len(reading.rows), reading.skips, reading.problems) == (1, {"no_url": 1}, ())


@pytest.mark.parametrize("link", ["ann.example", " ann.example ", "a/b c", "mail @ann"])
def test_a_text_that_may_be_a_link_is_still_no_title(link: str) -> None:
    reading = read_tab([["Link", "Followers"], ["https://x.com/ann", 5], [link, None]], "A")

    assert len(reading.problems) + len(reading.rows) == 2


def test_the_time_ends_within_cells_of_very_many_lines() -> None:
    looks = iter(range(10**6))
    budget = Budget(10, Clock(monotonic=lambda: float(next(looks))))
    text = "Link,Followers\n" + f'x.com/a,"5{chr(10) * 5_000}"\n' * 20

    with pytest.raises(OutOfTime):
        read_table(text, "A", budget=budget)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_line_of_cells_without_end_is_refused_before_it_is_held(delimiter: str) -> None:
    text = "Link,Followers\n" + delimiter * 10_000_001
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="A: more than 10,000,000 cells"):
            read_table(text, "A")
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()
