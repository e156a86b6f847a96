from __future__ import annotations

import random
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import SourceError
from webapp.model import METRICS, Counts
from webapp.rules.addresses import cell_of, rows_address
from webapp.sources.sheet import Cell
from webapp.sources.sheet.reading import SheetRow, TabReading
from webapp.sources.sheet.rows import PARSER_VERSION, read_tab

Row = list[Cell]

HEADER: Row = ["Link", "Platform", "Username", "Owner", "Topic", "Status", *METRICS]
SHORT: Row = ["Link", *METRICS]
ANN = "https://www.tiktok.com/@ann"
BEN = "https://www.instagram.com/ben"


def read(
    *rows: Sequence[Cell], locale: str | None = None, aliases: dict[str, tuple[str, ...]] | None = None
) -> TabReading:
    return read_tab(rows, "Project A", locale, aliases)


def reading_or_code(rows: list[Row]) -> TabReading | str:
    try:
        return read(*rows)
    except SourceError as error:
        return error.code


def only(reading: TabReading) -> SheetRow:
    (row,) = reading.rows.values()
    return row


def codes(reading: TabReading) -> list[str]:
    return [problem.code for problem in reading.problems]


def counts_of(reading: TabReading) -> dict[str, tuple[Counts, int]]:
    return {key: (row.counts, row.unread) for key, row in reading.rows.items()}


# Headers


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        pytest.param(
            "@Username, Link, Platform, Username, Followers, Likes, Following, Videos, Views, Last Update, Status, Тематика",
            ["@ann_the_person", ANN, "TikTok", "ann", 1, 2, 99, 4, 5, 45999, "NEW", "Dance"],
            ("ann_the_person", "Dance", "NEW", Counts(1, 2, None, 4, 5)),
            id="person and handle",
        ),
        pytest.param(
            "Account URL, Followers, Likes, Comments, Videos, Views",
            [ANN, 1, 2, 3, 4, 5],
            (None, None, None, Counts(1, 2, 3, 4, 5)),
            id="account url and five metrics",
        ),
        pytest.param(
            "Telegram User, TikTok URL, Подписчики, Лайки, Подписки, Видео, Просмотры, Last Update, Статус, Тематика, Проект",
            ["@ann_tg", "@ann", 1, 2, 99, 4, 5, 45999, "OLD", "Танцы", "Project B"],
            ("ann_tg", "Танцы", "OLD", Counts(1, 2, None, 4, 5)),
            id="one platform, in Russian",
        ),
        pytest.param(
            "Profile URL, Platform, Username, Topic, Followers, Likes, Comments, Videos, Views",
            [ANN, "TikTok", "ann", "Dance", 1, 2, 3, 4, 5],
            (None, "Dance", None, Counts(1, 2, 3, 4, 5)),
            id="profile url",
        ),
    ],
)
def test_a_row_is_read_under_each_header_in_use(
    header: str, row: Row, expected: tuple[str | None, str | None, str | None, Counts]
) -> None:
    reading = read(header.split(", "), row)

    account = only(reading)
    assert (account.owner, account.topic, account.status, account.counts) == expected
    assert (account.profile.url_key, account.profile.username, account.row) == ("tiktok:@ann", "ann", 2)
    assert (reading.problems, reading.skips) == ((), {})


def test_a_metric_without_a_column_is_not_tracked() -> None:
    reading = read(["Link", "Followers", "Likes", "Views"], [ANN, 1, 2, 3])

    assert only(reading).counts == Counts(1, 2, None, None, 3)
    assert only(reading).unread == 0b01100
    assert reading.columns == {"followers": "B", "likes": "C", "views": "D"}
    assert reading.problems == ()


def test_a_doubled_metric_is_not_read_and_told_once_with_both_cells() -> None:
    reading = read(["Link", "Likes", "Followers", "Views", "Followers"], [ANN, 1, 2, 3, 4], [BEN, 1, 2, 3, 4])

    assert {row.counts for row in reading.rows.values()} == {Counts(None, 1, None, None, 3)}
    assert all(row.unread & 1 for row in reading.rows.values())
    assert "followers" not in reading.columns
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == ("header_duplicate", "Project A!E1")
    assert problem.message.startswith("Project A!C1 and Project A!E1 may all be the followers column")


def test_a_misspelt_metric_is_asked_about() -> None:
    reading = read(["Link", "Views", "Folowers"], [ANN, 5, 7])

    assert only(reading).counts == Counts(views=5)
    (problem,) = reading.problems
    assert problem.code == "missing_column"
    assert problem.message == 'Project A: no followers column; did you mean "Folowers" (C1)?'
    assert problem.cell == "Project A!C1"


def test_names_can_be_added() -> None:
    assert only(read(["Konto", "Fans"], [ANN, 7], aliases={"url": ("Konto",), "followers": ("Fans",)})).counts[0] == 7


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "tab_empty"),
        ([["", None], []], "tab_empty"),
        ([["Name", "Fans"], ["ann", 1]], "header_missing"),
        ([[ANN, 1, 2, 3, 4, 5]], "header_missing"),
        ([["Link", "URL", "Views"], [ANN, BEN, 1]], "header_unsure"),
    ],
    ids=["no rows", "blank rows", "other names", "no header row", "two links"],
)
def test_a_tab_without_a_sure_header_is_refused(rows: list[Row], code: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(*rows)

    assert caught.value.code == code


def test_a_header_may_stand_lower_and_have_names_that_were_added() -> None:
    assert read(["Our bloggers"], SHORT).rows == {}
    assert read(["Konto", "Views"], aliases={"url": ("Konto",)}).rows == {}


def test_a_header_alone_has_no_accounts() -> None:
    reading = read(SHORT)

    assert (reading.rows, reading.problems, reading.skips) == ({}, (), {})


def test_rows_above_the_header_are_no_accounts() -> None:
    reading = read(["Our bloggers"], [ANN], [], SHORT, [ANN, 1])

    assert only(reading).row == 5


def test_a_table_may_start_at_b3() -> None:
    reading = read([], [], [None, *SHORT], [None, ANN, 1, 2, 3, 4, 5])

    assert only(reading).counts == Counts(1, 2, 3, 4, 5)
    assert cell_of(rows_address(reading.title, only(reading).row), reading.columns["followers"]) == "Project A!C4"


def test_the_meaning_of_cells_has_a_version() -> None:
    assert PARSER_VERSION


# Cells


@pytest.mark.parametrize("blank", [None, "", " ", "\u00a0", "\u200b", "-", "N/A"])
def test_a_blank_cell_is_no_observation(blank: Cell) -> None:
    reading = read(SHORT, [ANN, blank, 0, 3, 4, 5])

    assert only(reading).counts == Counts(None, 0, 3, 4, 5)
    assert (only(reading).unread, reading.problems, reading.skips) == (0, (), {})


@pytest.mark.parametrize(
    ("cell", "count"),
    [(0, 0), (7.0, 7), ("1 234 567", 1_234_567), ("1.5K", 1500), (2**63 - 1, 2**63 - 1), ("007", 7)],
)
def test_a_number_is_read_however_it_is_typed(cell: Cell, count: int) -> None:
    assert only(read(SHORT, [ANN, cell])).counts.followers == count


def test_the_locale_of_the_spreadsheet_counts() -> None:
    assert only(read(SHORT, [ANN, "1.234"], locale="de_DE")).counts.followers == 1234
    assert only(read(SHORT, [ANN, "1.234"])).unread == 1


def test_letters_of_an_unknown_language_are_refused_with_the_cell() -> None:
    reading = read(["Link", "Followers"], [ANN, "327,4B"], [BEN, "12 B"], ["tiktok.com/@cid", "3K"])

    assert [row.counts.followers for row in reading.rows.values()] == [None, None, 3000]
    assert [problem.cell for problem in reading.problems] == ["Project A!B2", "Project A!B3"]
    assert "write all the digits" in reading.problems[0].message


@pytest.mark.parametrize("end", [" ", "\u00a0", "\u200b", ".", "+", " +"])
def test_what_stands_behind_a_letter_makes_it_no_other(end: str) -> None:
    for foreign, unsure in (("327,4B", f"12 B{end}"), (f"327,4B{end}", "12 B")):
        reading = read(["Link", "Followers"], [ANN, foreign], [BEN, unsure])

        assert [row.counts.followers for row in reading.rows.values()] == [None, None]


@pytest.mark.parametrize(
    "foreign", ["~327,4B", "327,4B!", "327,4B'", "1.327,4 Bn followers", "+1,2M", "1,25 K, roughly"]
)
def test_a_letter_behind_a_decimal_comma_shows_it_even_where_it_is_refused(foreign: str) -> None:
    reading = read(["Link", "Followers"], [ANN, foreign], [BEN, "12 B"])

    assert [row.counts.followers for row in reading.rows.values()] == [None, None]


@pytest.mark.parametrize(
    ("foreign", "count"), [("5 bin", 5_000), ("3 milyon", 3_000_000), ("1,2 jt", 1_200_000), ("3 rb.", 3_000)]
)
def test_a_word_of_a_language_whose_letters_differ_shows_it(foreign: str, count: int) -> None:
    reading = read(["Link", "Followers"], [ANN, foreign], [BEN, "12 M"], ["tiktok.com/@cid", "3K"])

    assert [row.counts.followers for row in reading.rows.values()] == [count, None, 3_000]


@pytest.mark.parametrize("english", ["1,234K", "1,234,567 B", "1.2M, 3K", "1,2 млн", "2,5"])
def test_other_commas_show_nothing(english: str) -> None:
    reading = read(["Link", "Followers"], [ANN, english], [BEN, "12 B"])

    assert [*reading.rows.values()][1].counts.followers == 12_000_000_000


def test_letters_are_those_of_the_locale() -> None:
    reading = read(["Link", "Followers"], [ANN, "327,4B"], [BEN, "12,5 B"], locale="tr_TR")

    assert [row.counts.followers for row in reading.rows.values()] == [327_400, 12_500]
    assert reading.problems == ()


def test_letters_are_english_where_nothing_says_otherwise() -> None:
    reading = read(["Link", "Followers"], [ANN, "3M"], [BEN, "1.5B"], ["tiktok.com/@cid", "1,2 млн"])

    assert [row.counts.followers for row in reading.rows.values()] == [3_000_000, 1_500_000_000, 1_200_000]


@pytest.mark.parametrize(
    "cell",
    ["#REF!", "12 or 13", True, False, -1, 0.5, float("nan"), 2**63, 10**5000, "9" * 60_000],
    ids=["formula", "two", "true", "false", "negative", "fraction", "nan", "too large", "huge", "long"],
)
def test_an_unreadable_cell_keeps_its_place_and_is_told(cell: Cell) -> None:
    reading = read(SHORT, [ANN, 1, 2, cell, 4, 5], [BEN, 1, 2, 3, 4, 5])

    assert reading.rows["tiktok:@ann"].counts == Counts(1, 2, None, 4, 5)
    assert reading.rows["tiktok:@ann"].unread == 0b00100
    assert reading.rows["instagram:ben"].unread == 0
    assert reading.skips == {"invalid_number": 1}
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == ("invalid_number", "Project A!D2")
    assert len(problem.message) < 200


def test_an_unreadable_cell_is_told_in_words() -> None:
    (problem,) = read(SHORT, [ANN, "#REF!"]).problems

    assert problem.message == "Project A!B2: '#REF!' is not a count: it is the error of a formula"


def test_what_a_cell_says_stays_on_one_line() -> None:
    (problem,) = read(SHORT, [ANN, "12\nor\x00\ud800 13" + "!" * 100]).problems

    assert problem.message.isprintable()
    assert len(problem.message) < 150


# Rows


def test_a_short_row_is_blank_at_its_end() -> None:
    assert only(read(SHORT, [ANN, 1])).counts == Counts(1)


def test_a_column_that_is_blank_at_first_is_read_further_down() -> None:
    reading = read(SHORT, [ANN, 1, 2, 3, 4], [BEN, 1, 2, 3, 4, 5])

    assert [row.counts.views for row in reading.rows.values()] == [None, 5]


def test_what_is_no_cell_at_all_is_told_and_nothing_else() -> None:
    odd = cast("Row", [ANN, {"followers": 1}, ["TikTok"], ["@ann"], [1], {"a": {}}])

    reading = read(["Link", "Views", "Platform", "Username", "Topic", "Notes"], odd)

    assert only(reading).unread == 31
    assert codes(reading) == ["invalid_number"]


def test_cells_beside_the_table_are_ignored() -> None:
    reading = read(SHORT, [ANN, 1, 2, 3, 4, 5, "note", 99, True], [None, None, None, None, None, None, None, "stray"])

    assert only(reading).counts == Counts(1, 2, 3, 4, 5)
    assert (reading.problems, reading.skips) == ((), {})


def test_blank_rows_are_no_accounts() -> None:
    blanks: list[Row] = [[], [None] * 6, ["", " ", "\u200b"]] * 400

    reading = read(SHORT, [ANN, 1], *blanks, [BEN, 2], *blanks)

    assert [row.row for row in reading.rows.values()] == [2, 1203]
    assert (reading.problems, reading.skips) == ((), {})


def test_checkboxes_make_no_account() -> None:
    reading = read(["Status", "Link", "Platform", "Username", "Views"], [False, False, None, True, None])

    assert (reading.rows, reading.problems, reading.skips) == ({}, (), {})


@pytest.mark.parametrize("blank", [None, "", " ", "-", "n/a", "нет", "TBD"])
def test_a_row_with_counts_and_no_link_is_told(blank: Cell) -> None:
    reading = read(SHORT, [ANN, 1], [blank, None, None, 12])

    assert list(reading.rows) == ["tiktok:@ann"]
    assert reading.skips == {"no_url": 1}
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == ("no_url", "Project A!A3")
    assert problem.message.startswith("Project A!A3: ")


def test_an_unreadable_count_without_a_link_is_told_too() -> None:
    assert codes(read(SHORT, [None, "#N/A"])) == ["no_url"]


def test_a_row_without_link_and_counts_is_only_counted() -> None:
    reading = read(HEADER, [None, "TikTok", None, "@ann", "Dance", "NEW"])

    assert (reading.rows, reading.problems, reading.skips) == ({}, (), {"no_url": 1})


NOTHINGS = ["nan", "NaN", "None", "null", "NULL", "\\N", "<NA>", "NaT", "#N/A", "undefined", "(null)"]


@pytest.mark.parametrize("word", NOTHINGS)
def test_what_programs_write_for_nothing_is_nobody_and_nothing(word: str) -> None:
    reading = read(
        HEADER,
        [ANN, "TikTok", word, word, word, word, 5, word],
        [word, "TikTok", word, None, None, None, 7],
        [word, "TikTok", word, None, None, None, 9],
    )

    account = only(reading)
    assert (account.profile.username, account.owner, account.topic, account.status) == ("ann", None, None, None)
    assert account.counts == Counts(followers=5)
    assert account.unread & 0b10


def test_a_name_that_looks_like_a_word_for_nothing_is_a_name() -> None:
    reading = read(HEADER, [ANN, None, None, "Nan", "Null", "none", 5], ["@nan", "TikTok", None, None, None, None, 7])

    assert next((row.owner, row.topic, row.status) for row in reading.rows.values()) == ("Nan", "Null", "none")
    assert list(reading.rows) == ["tiktok:@ann", "tiktok:@nan"]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#VALUE!", "Loading..."])
def test_a_text_that_is_the_error_of_a_formula_is_unread(error: str) -> None:
    reading = read(HEADER, [ANN, None, None, error, error, error, 5])

    account = only(reading)
    assert (account.owner, account.topic, account.status) == (None, None, None)
    assert account.unread >> len(METRICS) == 0b111
    assert codes(reading) == ["invalid_text"] * 3


def test_nobody_is_missed_for_a_link_that_is_the_error_of_a_formula() -> None:
    assert read(SHORT, ["#REF!", 5], [BEN, 6]).torn
    assert not read(SHORT, ["https://www.tiktok.com/@ann/video/1", 5], [BEN, 6]).torn


def test_placeholders_in_many_rows_are_never_one_account() -> None:
    reading = read(
        ["TikTok URL", "Views"], *[[placeholder, 1] for placeholder in ("", "-", "n/a", "нет", "?", "TBD", False)]
    )

    assert reading.rows == {}
    assert sum(reading.skips.values()) == 7


@pytest.mark.parametrize(
    "row",
    [
        ["TOTAL", 1, 2, 3, 4, 5],
        ["Итого:", 1, 2, 3, 4, 5],
        ["Grand total (12)", 1],
        [None, 1, 2, 3, 4, 5, "Всего по проекту"],
        ["Our TikTok bloggers"],
        ["Bloggers"],
        ["* numbers of last week"],
    ],
)
def test_totals_titles_and_notes_are_only_counted(row: Row) -> None:
    reading = read(SHORT, [ANN, 1], row, [BEN, 2])

    assert list(reading.rows) == ["tiktok:@ann", "instagram:ben"]
    assert (reading.problems, reading.skips) == ((), {"no_url": 1})


@pytest.mark.parametrize(
    "word",
    [
        "Total",
        "Subtotal",
        "Average",
        "Median",
        "平均",
        "Summe",
        "GESAMT",
        "Toplam:",
        "Razem",
        "Celkem",
        "Jumlah",
        "合計",
        "Всього",
    ],
)
def test_a_total_is_no_handle_in_any_language(word: str) -> None:
    of_one = read(["TikTok URL", "Followers"], ["ann", 1000], [word, 1000])
    of_many = read(["Platform", "Username", "Followers"], ["TikTok", "ann", 1000], ["TikTok", word, 1000])

    for reading in (of_one, of_many):
        assert list(reading.rows) == ["tiktok:@ann"]
        assert (reading.problems, reading.skips) == ((), {"no_url": 1})


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("https://www.tiktok.com/@ann/video/7301", "bad_url"),
        ("javascript:alert(1)", "bad_url"),
        (f"{ANN} {BEN}", "bad_url"),
        ("Ann on TikTok", "bad_url"),
        (12345, "bad_url"),
        ("https://x.com/\x00ann", "bad_url"),
        ("x" * 10_000, "bad_url"),
        ("@ann", "unknown_platform"),
        ("#REF!", "bad_url"),
    ],
    ids=["post", "script", "two links", "linked text", "number", "control", "long", "bare handle", "formula"],
)
def test_a_cell_that_names_no_profile_is_told(cell: Cell, code: str) -> None:
    reading = read(HEADER, [cell, None, None, "Ann", None, None, 5], [BEN])

    assert list(reading.rows) == ["instagram:ben"]
    assert reading.skips == {code: 1}
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == (code, "Project A!A2")
    assert problem.message.startswith("Project A!A2: ")
    assert problem.message.isprintable()


def test_a_lone_link_that_is_wrong_is_no_title() -> None:
    assert codes(read(SHORT, ["https://www.tiktok.com/@ann/video/7301"])) == ["bad_url"]


@pytest.mark.parametrize(
    "header",
    [SHORT, ["TikTok URL", *METRICS], ["Platform", "Username", *METRICS]],
    ids=["links", "handles of one platform", "platform and handle"],
)
def test_a_second_header_is_no_account(header: Row) -> None:
    account: Row = [ANN] if header[0] != "Platform" else ["TikTok", "ann"]

    reading = read(header, [*account, 1], [], header, [*account[:-1], "https://www.tiktok.com/@ben", 2])

    assert list(reading.rows) == ["tiktok:@ann", "tiktok:@ben"]
    assert (reading.problems, reading.skips) == ((), {"no_url": 1})


def test_a_second_header_in_other_words_is_no_account_either() -> None:
    reading = read(["TikTok URL", "Followers"], ["ann", 1], ["Link", "Подписчики"], ["ben", 2])

    assert list(reading.rows) == ["tiktok:@ann", "tiktok:@ben"]
    assert reading.skips == {"no_url": 1}


@pytest.mark.parametrize(
    ("first", "second", "letter"),
    [
        (["Link", "Followers", "Likes"], ["Link", "Likes", "Followers"], "B"),
        (["Link", "Followers", "Likes"], ["Link", "Views", "Likes"], "B"),
        (["Link", "Followers", "Likes"], ["Link", "Followers", "Shares"], "C"),
        (["Link", "Followers", "Likes"], ["Profile", None, "Views"], "C"),
    ],
    ids=["other order", "another metric", "no metric", "a blank"],
)
def test_nothing_is_read_below_the_header_of_another_table(first: Row, second: Row, letter: str) -> None:
    table: list[Row] = [first, [ANN, 1000, 5], [], second, ["https://www.tiktok.com/@ben", 7, 2000], []]

    reading = read(*table)
    again = read(*table, first, ["https://www.tiktok.com/@cleo", 3000, 6])

    assert counts_of(reading) == {"tiktok:@ann": (Counts(1000, 5), 28)}
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("other_table", f"Project A!{letter}4")]
    assert f"is not what {letter}1 says" in reading.problems[0].message
    assert (reading.torn, reading.unusable) == (True, 1)
    assert list(again.rows) == ["tiktok:@ann", "tiktok:@cleo"]


def test_the_same_columns_of_another_platform_are_read_as_its_own() -> None:
    tiktok: list[Row] = [["TikTok URL", "Followers"], ["ann", 1], []]
    instagram: list[Row] = [["Instagram URL", "Followers"], ["ben", 2], [BEN + "jamin", 3], []]

    reading = read(*tiktok, *instagram, ["Link", "Followers"], ["cleo", 4])

    assert list(reading.rows) == ["tiktok:@ann", "instagram:ben", "instagram:benjamin", "tiktok:@cleo"]
    assert (codes(reading), reading.torn, reading.divided) == ([], False, True)
    assert [key in reading.odd for key in reading.rows] == [False, True, True, False]


@pytest.mark.parametrize("title", ["Week 2", "08.11.2026", "Ada Lovelace", "Genre"])
def test_a_title_beside_the_names_of_the_same_columns_begins_no_other_table(title: str) -> None:
    header: Row = ["Topic", "Link", "Followers"]

    reading = read(header, ["Food", ANN, 1], [title, *header[1:]], ["Dance", BEN, 2])
    moved = read(header, ["Food", ANN, 1], ["Owner", *header[1:]], ["Dance", BEN, 2])

    assert [row.topic for row in reading.rows.values()] == ["Food", "Dance"]
    assert [codes(reading), codes(moved)] == [[], ["other_table"]]


def test_a_table_of_sums_keeps_no_account_that_has_gone() -> None:
    reading = read(
        ["Link", "Topic", "Followers"], [ANN, "Food", 1000], [], ["Platform", None, "Followers"], ["TikTok", None, 1000]
    )

    assert list(reading.rows) == ["tiktok:@ann"]
    assert codes(reading) == ["other_table"]
    assert (reading.torn, reading.unusable) == (False, 0)


@pytest.mark.parametrize(
    ("header", "between"),
    [
        (["Link", "Payment", "Paid"], []),
        (["Link", "Payment", "Paid"], [[]]),
        (["Ссылка", "Оплата", None], [[]]),
        (["Page", "Budget", "Deal"], [["Budgets"]]),
        (["Link", "Payment", "Pending"], []),
    ],
    ids=["right below", "after a gap", "one name", "names that are not ours", "a name that is a state too"],
)
def test_numbers_below_names_of_other_things_are_no_counts(header: Row, between: list[Row]) -> None:
    reading = read(["Link", "Followers", "Likes"], [ANN, 1000, 5], *between, header, [ANN, 2000, 40], [BEN, 200, 4])

    assert counts_of(reading) == {"tiktok:@ann": (Counts(1000, 5), 28)}
    assert codes(reading)[-1] == "other_table"
    assert reading.torn


@pytest.mark.parametrize(
    "row",
    [
        *(
            ["Link", "private", None],
            ["Ann", "private", "closed"],
            ["Link", "private", "private"],
            ["Link", "-", "n/a"],
        ),
        *(
            ["Link", "Private", "Closed"],
            ["Ссылка", "скоро", "позже"],
            ["Link", "pending", None],
            ["Profile", "not found", "?"],
        ),
        *(["Ann (new)", "private", "ask her"], ["@ann soon", "ill", "away"], ["Average", "good", "fair"]),
    ],
)
def test_words_in_the_row_of_an_account_begin_no_table(row: Row) -> None:
    gaps: tuple[list[Row], ...] = ([], [[]])
    for gap in gaps:
        reading = read(["Link", "Followers", "Likes"], [ANN, 1000, 5], *gap, row, [BEN, 200, 4])

        assert list(reading.rows) == ["tiktok:@ann", "instagram:ben"]
        assert "other_table" not in codes(reading)


def test_a_second_line_below_a_header_that_comes_again_begins_no_table() -> None:
    names: list[Row] = [["Link", "Followers", "Likes"], ["(link)", "number", "total"]]

    assert list(read(*names, [ANN, 1000, 5], [], *names, [BEN, 200, 4]).rows) == ["tiktok:@ann", "instagram:ben"]


def test_the_header_of_other_things_is_known_where_the_accounts_above_are_left_unread() -> None:
    rows: list[Row] = [["Link", "Followers", "Likes"], [ANN, 1000, 5], [], ["Link", "Payment", None], [BEN, 200]]

    reading = read_tab(rows, "Project A", only=[1, 3, 4, 5])

    assert (dict(reading.rows), codes(reading)[-1], reading.divided) == ({}, "other_table", True)


def test_what_stands_above_all_accounts_begins_no_table_where_some_rows_are_left_unread() -> None:
    rows: list[Row] = [["Link", "Followers", "Likes"], ["TikTok"], ["Team", "Berlin", "Food"], [ANN, 1000, 5]]

    assert list(read_tab(rows, "Project A", only=[1, 2, 3, 4]).rows) == ["tiktok:@ann"] == [*read(*rows).rows]


def test_a_title_over_some_of_the_columns_begins_no_table() -> None:
    table: list[Row] = [["Link", *METRICS], [ANN, 1000, 5], []]

    assert list(read(*table, ["Team Ann", "Berlin", "Food"], [BEN, 200, 4]).rows) == ["tiktok:@ann", "instagram:ben"]


def test_links_over_the_columns_of_counts_begin_no_table() -> None:
    reading = read(["Link", "Followers", "Likes"], [ANN, 1000, 5], [], ["Team Ann", ANN, "Berlin"], [BEN, 200, 4])

    assert list(reading.rows) == ["tiktok:@ann", "instagram:ben"]


def test_a_column_in_thousands_is_not_read_and_told() -> None:
    reading = read(["Link", "Followers", "Likes"], [None, "(K)", None], [ANN, 12, 5])

    assert counts_of(reading) == {"tiktok:@ann": (Counts(likes=5), 29)}
    assert (reading.problems[0].code, reading.problems[0].cell) == ("missing_column", "Project A!B2")
    assert "'(K)' says that the followers in this column are no whole counts" in reading.problems[0].message


def test_a_header_of_two_lines_is_one_header() -> None:
    reading = read(["Link", "Followers", "Likes"], ["Ссылка", "Подписчики (сейчас)", "Лайки"], [ANN, 1000, 5])

    assert counts_of(reading) == {"tiktok:@ann": (Counts(1000, 5), 28)}
    assert codes(reading) == []


# Who it is


def test_platform_and_handle_do_without_a_link() -> None:
    reading = read(["Platform", "Handle", "Views"], ["TikTok", "@ann", 5], ["инстаграм", "ben", 6])

    assert counts_of(reading) == {"tiktok:@ann": (Counts(views=5), 15), "instagram:ben": (Counts(views=6), 15)}
    assert [row.typed for row in reading.rows.values()] == [ANN, "https://www.instagram.com/ben"]
    assert reading.rows["tiktok:@ann"].profile.username == "ann"


@pytest.mark.parametrize("blank", [None, "", "-"])
def test_platform_and_handle_stand_in_for_a_blank_link(blank: Cell) -> None:
    reading = read(HEADER, [blank, "TikTok", "@ann", None, None, None, 5])

    assert only(reading).profile.url_key == "tiktok:@ann"
    assert only(reading).typed == ANN
    assert (reading.problems, reading.skips) == ((), {})


def test_platform_and_handle_beat_an_address_that_names_no_account() -> None:
    header: Row = ["Platform", "Username", "Link", "Followers"]
    shared = "https://linktr.ee/example_one"

    reading = read(header, ["Instagram", "example_one", shared, 5000], ["TikTok", "@example_one", shared, 90000])

    assert {key: row.counts.followers for key, row in reading.rows.items()} == {
        "instagram:example_one": 5000,
        "tiktok:@example_one": 90000,
    }
    assert [row.typed for row in reading.rows.values()] == [
        "https://www.instagram.com/example_one",
        "https://www.tiktok.com/@example_one",
    ]
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (["Instagram", "ann", "https://beacons.ai/ann"], "instagram:ann"),
        (["YouTube", "@ann", "https://bit.example/ann?x=1"], "youtube:@ann"),
        (["Threads", "ann", "https://ann.example/"], "threads:@ann"),
        (["Телеграм", "ann_news", "taplink.cc/ann"], "telegram:ann_news"),
        (["Instagram", "https://instagram.com/ann", "https://linktr.ee/ann"], "instagram:ann"),
        (["TikTok", "@ann", "https://vm.tiktok.com/ZMabc/"], "tiktok:@ann"),
        (["Instagram", "ann", "https://bit.ly/3abc"], "instagram:ann"),
        (["X", "ann", "https://t.co/abc"], "x:ann"),
        (["YouTube", "@ann", "https://www.google.com/search?q=ann"], "youtube:@ann"),
        (["TikTok", "Ann Smith", "https://linktr.ee/ann"], "other:linktr.ee/ann"),
        (["TikTok", None, "https://linktr.ee/ann"], "other:linktr.ee/ann"),
        (["TikTok", "-", "https://linktr.ee/ann"], "other:linktr.ee/ann"),
        (["Blog", "ann", "https://ann.example/"], "other:ann.example"),
        ([None, "ann", "https://linktr.ee/ann"], "other:linktr.ee/ann"),
        (["TikTok", "ann", "https://www.instagram.com/ben/"], "instagram:ben"),
        (["Mastodon", "@ann@social.example", "https://social.example/@ann"], "other:social.example/@ann"),
    ],
)
def test_what_names_the_account_is_told_by_the_row(row: Row, expected: str) -> None:
    assert only(read(["Platform", "Username", "Link", "Followers"], [*row, 1])).profile.url_key == expected


def test_the_name_of_the_column_may_be_the_platform_of_a_handle() -> None:
    reading = read(["TikTok URL", "Username", "Followers"], ["https://linktr.ee/ann", "ann", 1])

    assert list(reading.rows) == ["tiktok:@ann"]


def test_one_address_of_no_platform_is_not_the_account_of_two_platforms() -> None:
    shared = "https://linktr.ee/ann"

    reading = read(["Platform", "Link", "Followers"], ["Instagram", shared, 5000], ["TikTok", shared, 90000])

    assert {key: row.counts.followers for key, row in reading.rows.items()} == {"other:linktr.ee/ann": 5000}
    assert reading.skips == {"bad_url": 1}
    (problem,) = reading.problems
    assert problem.cell == "Project A!B3"
    assert "stands in a row of instagram too" in problem.message


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (["Instagram", "ann", "agency.com"], "instagram:ann"),
        (["Instagram", "ann", " Linktr.ee "], "instagram:ann"),
        (["TikTok", "ann", "ann.carrd.co"], "tiktok:@ann"),
        (["Instagram", "ann", "www.agency.com"], "instagram:ann"),
        (["Instagram", "ann", "instagram.com"], "instagram:ann"),
        (["Telegram", "ann_news", "agency.com"], "telegram:ann_news"),
        (["YouTube", "@ann", "agency.com"], "youtube:@ann"),
        (["Instagram", "ann", "@agency.com"], "instagram:agency.com"),
        (["Instagram", "ann", "ann.smith"], "instagram:ann.smith"),
        (["Instagram", "Ann Smith", "ann.me"], "instagram:ann.me"),
        (["Instagram", None, "ann.me"], "instagram:ann.me"),
        (["Bluesky", "ann", "ann.com"], "bluesky:ann.com"),
    ],
)
def test_a_site_alone_is_no_handle_beside_one(row: Row, expected: str) -> None:
    assert only(read(["Platform", "Username", "Link", "Followers"], [*row, 1])).profile.url_key == expected


def test_in_a_column_of_a_platforms_handles_a_site_may_be_one_but_not_that_of_two() -> None:
    reading = read(
        ["Instagram URL", "Username", "Views"], ["ann.art", "Ann", 5], ["ben.art", "b", 6], ["ben.art", "c", 7]
    )

    assert {key: row.counts.views for key, row in reading.rows.items()} == {
        "instagram:ann.art": 5,
        "instagram:ben.art": 6,
    }
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("bad_url", "Project A!A4")]


def test_a_link_stays_as_it_is_typed_where_the_columns_name_the_same_account() -> None:
    assert only(read(["Platform", "Handle", "Link", "Views"], ["Instagram", "ann.me", "Ann.me", 1])).typed == "Ann.me"


BIO = "https://linktr.ee/agency"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["YouTube", "ann", BIO], ["YouTube", "ben", BIO]),
        (["LinkedIn", "ann-one", BIO], ["LinkedIn", "ben-two", BIO]),
        (["Facebook", "Ann One", BIO], ["Facebook", "Ben Two", BIO]),
        (["Bluesky", "ann", BIO], ["Bluesky", "ben", BIO]),
        (["RuTube", 1234, BIO], ["RuTube", 1235, BIO]),
        (["Lemon8", "ann", BIO], ["Lemon8", "ben", BIO]),
        (["Lemon8", "ann", BIO], ["Kwai", "ann", BIO]),
        (["Spotify", None, BIO], ["SoundCloud", None, BIO]),
        ([None, "ann", BIO], [None, "ben", BIO]),
        (["YouTube", "ann", BIO], ["TikTok", None, BIO]),
        (["Bluesky", "ann", "agency.com"], ["Bluesky", "ben", "agency.com"]),
        (["Instagram", "Ann One", "agency.com"], ["Instagram", "Ben Two", "agency.com"]),
    ],
)
def test_one_link_is_never_the_account_of_two(one: Row, other: Row) -> None:
    reading = read(["Platform", "Username", "Link", "Followers"], [*one, 5000], [*other, 90000], [*one, 6000])

    assert only(reading).counts.followers == 6000
    assert (only(reading).row, only(reading).more) == (2, (4,))
    assert [(problem.code, problem.cell) for problem in reading.problems] == [
        ("bad_url", "Project A!C3"),
        ("duplicate_row", "Project A!C4"),
    ]
    assert "stands in a row of" in reading.problems[0].message
    assert reading.skips == {"bad_url": 1, "duplicate_row": 1}


def test_the_row_of_an_accounts_own_platform_keeps_its_link() -> None:
    link = "https://www.tiktok.com/@ben"
    header: Row = ["Platform", "Username", "Link", "Followers"]

    reading = read(header, ["Instagram", "ann", link, 90000], ["TikTok", "ben", link, 5000])

    assert (only(reading).profile.url_key, only(reading).counts.followers, only(reading).row) == (
        "tiktok:@ben",
        5000,
        3,
    )
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("bad_url", "Project A!C2")]


@pytest.mark.parametrize("other", [["TikTok", "ben"], ["YouTube", "ann"]])
def test_a_page_of_another_platform_is_of_none_of_several(other: Row) -> None:
    link = "https://www.instagram.com/agency/"

    reading = read(["Platform", "Username", "Link", "Followers"], ["TikTok", "ann", link, 5], [*other, link, 9])

    assert reading.rows == {}
    assert [problem.cell for problem in reading.problems] == ["Project A!C2", "Project A!C3"]
    assert "is a page of instagram, not of tiktok" in reading.problems[0].message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["TikTok", "Ann Smith", ANN], ["TikTok", "Annie", ANN]),
        (["TikTok", None, ANN], [None, "ann", ANN]),
        (["Short videos", "ann", ANN], ["Clips", "ann", ANN]),
        (["TikTok", "ann", None], ["TikTok", "@Ann"]),
        (["Lemon8", "@Ann", BIO], ["lemon8", "ann", BIO]),
        (["Lemon8", "-", BIO], [None, "ann", BIO]),
        (["Instagram", "ann", ANN], ["Instagram", "ann", ANN]),
    ],
)
def test_rows_that_do_not_contradict_each_other_are_one_account(one: Row, other: Row) -> None:
    reading = read(["Followers", "Platform", "Username", "Link"], [5000, *one], [90000, *other])

    assert only(reading).counts.followers == 90000
    assert [problem.code for problem in reading.problems] == ["duplicate_row"]


def test_identity_behind_the_sign_of_a_fragment_is_kept() -> None:
    rows: list[Row] = [
        [f"https://web.telegram.org/k/#@example_{name}", n] for name, n in (("one", 5000), ("two", 90000))
    ]

    reading = read(["Link", "Followers"], *rows)

    assert {key: row.counts.followers for key, row in reading.rows.items()} == {
        "telegram:example_one": 5000,
        "telegram:example_two": 90000,
    }


def test_one_artist_shared_three_times_is_one_account() -> None:
    artist = "https://open.spotify.com/artist/4abcDEF"
    links = (artist, f"{artist}?si=x1", "https://open.spotify.com/intl-de/artist/4abcDEF?si=x2")
    rows: list[Row] = [[link, 1000] for link in links]

    assert only(read(["Link", "Followers"], *rows)).counts.followers == 1000


def test_a_handle_alone_does_not_stand_in_for_a_link() -> None:
    reading = read(HEADER, [None, None, "@ann", None, None, None, 5])

    assert (reading.rows, reading.skips, codes(reading)) == ({}, {"no_url": 1}, ["no_url"])


@pytest.mark.parametrize(
    ("header", "row", "code", "cell"),
    [
        (["Platform", "Handle", "Views"], ["Fotolog", "@ann", 5], "unknown_platform", "Project A!B2"),
        (["Platform", "Handle", "Views"], [None, "@ann", 5], "unknown_platform", "Project A!B2"),
        (["Platform", "Handle", "Views"], ["TikTok", None, 5], "no_url", "Project A!B2"),
        (["Platform", "Handle", "Views"], ["TikTok", "Ann Smith", 5], "bad_url", "Project A!B2"),
        (["Link", "Platform", "Handle", "Views"], [None, "TikTok", "Ann Smith", 5], "bad_url", "Project A!C2"),
        (["Link", "Platform", "Handle", "Views"], [None, "Fotolog", "ann", 5], "unknown_platform", "Project A!C2"),
        (["Link", "Platform", "Handle", "Views"], [None, "TikTok", "-", 5], "no_url", "Project A!A2"),
    ],
)
def test_what_platform_and_handle_do_not_tell_is_told(header: Row, row: Row, code: str, cell: str) -> None:
    reading = read(header, row)

    assert (reading.rows, reading.skips) == ({}, {code: 1})
    assert [(problem.code, problem.cell) for problem in reading.problems] == [(code, cell)]


def test_a_bare_handle_is_of_the_platform_in_its_row_or_in_the_name_of_its_column() -> None:
    reading = read(["TikTok URL", "Platform", "Views"], ["@ann", None, 1], ["@ben", "Instagram", 2], [BEN + "2", "", 3])

    assert list(reading.rows) == ["tiktok:@ann", "instagram:ben", "instagram:ben2"]


def test_the_id_of_a_channel_says_enough_by_itself() -> None:
    ids = ("UC" + "a" * 22, "UC" + "b" * 22)

    channel: dict[str, tuple[str, ...]] = {"url": ("Channel",)}
    for header, aliases in (("Channel", channel), ("Channel ID", None)):
        reading = read([header, "Followers"], [ids[0], 5000], [ids[1], 700], aliases=aliases)

        assert {key: row.counts.followers for key, row in reading.rows.items()} == {
            f"youtube:channel/{ids[0]}": 5000,
            f"youtube:channel/{ids[1]}": 700,
        }


@pytest.mark.parametrize(
    ("handle", "username"),
    [
        ("@Ann_Official", "Ann_Official"),
        (" ann2 ", "ann2"),
        (12345, "12345"),
        (12.0, "12"),
        (None, "ann"),
        ("", "ann"),
        ("@", "ann"),
        (True, "ann"),
        (ANN, "ann"),
    ],
)
def test_the_username_column_names_the_account(handle: Cell, username: str) -> None:
    account = only(read(["Link", "Username", "Views"], [ANN, handle, 1]))

    assert account.profile.username == username
    assert account.profile.url_key == "tiktok:@ann"


@pytest.mark.parametrize(
    ("cell", "owner"),
    [
        ("@ann", "ann"),
        (" @ Ann \n Smith ", "Ann Smith"),
        ("@@ann", "@ann"),
        ("Ann", "Ann"),
        ("@", None),
        ("\u200b", None),
        (True, None),
        (7, "7"),
        (0.5, "0.5"),
        pytest.param(10**5000, "a number of very many digits", id="huge"),
    ],
)
def test_an_owner_is_one_text_with_or_without_the_sign(cell: Cell, owner: str | None) -> None:
    assert only(read(["Link", "Owner", "Views"], [ANN, cell, 1])).owner == owner


@pytest.mark.parametrize(
    ("cell", "topic"),
    [
        ("<script>", "<script>"),
        ("=Dance", "=Dance"),
        ("Dance\nand  song", "Dance and song"),
        ("Dan\x00ce\x07", "Dance"),
        ("Dance \ud83d", "Dance \ufffd"),
        ("\ufeffDance\u200b", "Dance"),
        ("Лаи\u0306ки 👩\u200d🎤", "Лайки 👩\u200d🎤"),
    ],
    ids=["markup", "formula", "line break", "control", "lone surrogate", "invisible", "decomposed, and emoji"],
)
def test_a_text_can_be_stored_and_is_else_as_typed(cell: str, topic: str) -> None:
    assert only(read(["Link", "Topic", "Views"], [ANN, cell, 1])).topic == topic


@pytest.mark.parametrize("name", ["Owner", "Topic", "Status", "Username"])
def test_a_very_long_text_is_cut_and_told(name: str) -> None:
    reading = read(["Link", name, "Views"], [ANN, "é" * 10_000, 1])

    account = only(reading)
    texts = {
        "Owner": account.owner,
        "Topic": account.topic,
        "Status": account.status,
        "Username": account.profile.username,
    }
    assert texts[name] == "é" * 255
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == ("too_long", "Project A!B2")
    assert len(problem.message) < 150


def test_a_link_is_kept_as_typed() -> None:
    typed = "  http://tiktok.com/@Ann/?utm_source=" + "x" * 300

    account = only(read(SHORT, [typed, 1]))

    assert account.typed == typed.strip()
    assert account.profile.url_key == "tiktok:@ann"


# The same account twice


def test_the_larger_of_each_count_is_taken_from_rows_of_one_account() -> None:
    reading = read(
        HEADER,
        [ANN, None, None, None, "Dance", "", 10, 2, None, "x", "y"],
        [BEN, None, None, None, None, None, 1],
        ["tiktok.com/@Ann/", None, None, "@ann", "Song", "OLD", 9, 20, 0, 7, "z"],
        [ANN],
    )

    account = reading.rows["tiktok:@ann"]
    assert account.counts == Counts(10, 20, 0, 7, None)
    assert account.unread == 0b10000
    assert (account.row, account.more, account.typed) == (2, (4, 5), ANN)
    assert (account.owner, account.topic, account.status) == ("ann", "Dance", "OLD")
    assert list(reading.rows) == ["tiktok:@ann", "instagram:ben"]
    assert reading.skips == {"invalid_number": 3, "duplicate_row": 2}


def test_both_rows_of_an_account_are_named() -> None:
    (problem,) = read(SHORT, [ANN, 1], [BEN, 1], [ANN, 2]).problems

    assert (problem.code, problem.cell) == ("duplicate_row", "Project A!A4")
    assert "Project A!A4" in problem.message
    assert "Project A!A2" in problem.message


def test_a_column_that_is_not_read_stays_unread_in_rows_of_one_account() -> None:
    assert only(read(["Link", "Views"], [ANN, 1], [ANN, 2])).unread == 0b01111


def test_problems_are_listed_up_to_a_thousand() -> None:
    reading = read(SHORT, *[[f"{ANN}{i}", "#REF!"] for i in range(1_234)])

    assert len(reading.rows) == 1_234
    assert reading.skips == {"invalid_number": 1_234}
    assert len(reading.problems) == 1_001
    last = reading.problems[-1]
    assert (last.code, last.cell) == ("more_problems", None)
    assert last.message.startswith("Project A: 234 more problems")


# Rules that hold for any tab

LINKS = [
    ANN,
    BEN,
    "tiktok.com/@Ann",
    "https://x.com/cid",
    "https://x.com/cid/status/1",
    "-",
    "",
    None,
    "@dan",
    "Total",
    "Title",
]
METRIC_CELLS = st.one_of(
    st.integers(0, 10**6), st.none(), st.sampled_from(["", "#REF!", "1.5K", "12 or 13", "-", True, 0.5, -3])
)
ROWS = st.tuples(
    st.sampled_from(LINKS),
    st.sampled_from([None, "TikTok", "Instagram", "Fotolog"]),
    st.sampled_from([None, "", "@ann", "eve", "Ann Smith"]),
    st.sampled_from([None, "@ann", "Ben"]),
    st.sampled_from([None, "Dance"]),
    st.sampled_from([None, "OLD", ""]),
    *[METRIC_CELLS] * len(METRICS),
).map(list[Cell])
TABS = st.lists(ROWS, max_size=12)
JSON_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([*HEADER, *LINKS, "Views"]),
)


@given(TABS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], chance: random.Random) -> None:
    shuffled = chance.sample(rows, len(rows))

    one, other = read(HEADER, *rows), read(HEADER, *shuffled)

    assert counts_of(one) == counts_of(other)
    assert one.skips == other.skips
    assert sorted(codes(one)) == sorted(codes(other))


@given(TABS, st.lists(st.integers(0, 12), max_size=4))
def test_blank_rows_change_nothing_but_row_numbers(rows: list[Row], places: list[int]) -> None:
    spaced = list(rows)
    for place in places:
        spaced.insert(place, ["", None])

    one, other = read(HEADER, *rows), read(HEADER, *spaced)

    def unnumbered(reading: TabReading) -> list[SheetRow]:
        return [row._replace(row=0, more=(0,) * len(row.more), places=()) for row in reading.rows.values()]

    assert unnumbered(one) == unnumbered(other)
    assert (one.skips, codes(one), one.columns) == (other.skips, codes(other), other.columns)


@given(TABS, st.lists(st.integers(0, 11), max_size=4), st.sampled_from([None, "note", 7, True, "https://x.com/zoe"]))
def test_unrelated_columns_change_nothing_but_letters(rows: list[Row], places: list[int], filling: Cell) -> None:
    widened: list[Row] = [list(row) for row in [HEADER, *rows]]
    for place in places:
        for row in widened:
            row.insert(place, "Notes" if row is widened[0] else filling)

    one, other = read(HEADER, *rows), read(*widened)

    assert one.rows == other.rows
    assert (one.skips, codes(one)) == (other.skips, codes(other))


@given(TABS, st.data())
def test_a_ragged_row_is_the_row_padded(rows: list[Row], data: st.DataObject) -> None:
    cuts = [data.draw(st.integers(0, len(row))) for row in rows]
    ragged = [row[:cut] for row, cut in zip(rows, cuts, strict=True)]
    padded = [row[:cut] + [None] * (len(row) - cut) for row, cut in zip(rows, cuts, strict=True)]

    assert read(HEADER, *ragged) == read(HEADER, *padded)


@given(st.lists(st.lists(JSON_CELLS, max_size=8), max_size=8), st.booleans())
def test_any_grid_is_read_or_refused(grid: list[Row], headed: bool) -> None:
    rows = [HEADER, *grid] if headed else grid
    reading = reading_or_code(rows)

    if isinstance(reading, str):
        assert reading in {"tab_empty", "header_missing", "header_unsure"}
        return
    for key, account in reading.rows.items():
        assert key == account.profile.url_key
        assert all(count is None or 0 <= count < 2**63 for count in account.counts)
        texts = (account.typed, account.owner, account.topic, account.status, account.profile.username)
        assert all("\x00" not in text and text.encode() for text in texts if text is not None)
    assert all(problem.message.isprintable() for problem in reading.problems)
