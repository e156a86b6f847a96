"""Tabs with a row for every day: the latest date of an account is what it has now."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from webapp.clock import Budget, Clock
from webapp.model import Counts
from webapp.sources.sheet import Cell
from webapp.sources.sheet.reading import SheetRow, TabReading
from webapp.sources.sheet.rows import read_tab

Row = list[Cell]

ONE = "https://www.tiktok.com/@example_one"
TWO = "https://www.tiktok.com/@example_two"
LOG: list[Row] = [["2026-11-24", ONE, 1420, 706], ["2026-11-25", ONE, 1400, 706], ["2026-11-26", ONE, 1380, 705]]


NOW = datetime(2026, 11, 28, 23, tzinfo=UTC)


def read(
    *rows: Row, header: str = "Date,Link,Followers,Videos", locale: str | None = None, now: datetime = NOW
) -> TabReading:
    return read_tab([list(header.split(",")), *rows], "Log", locale, budget=Budget(clock=Clock(now=lambda: now)))


def only(reading: TabReading) -> SheetRow:
    (row,) = reading.rows.values()
    return row


def codes(reading: TabReading) -> list[str]:
    return [problem.code for problem in reading.problems]


def test_the_latest_date_of_an_account_is_taken_and_noted_once() -> None:
    reading = read(*LOG)

    assert only(reading).counts == Counts(followers=1380, videos=705)
    assert (only(reading).row, only(reading).more) == (4, ())
    assert reading.skips == {}
    assert [problem.message for problem in reading.problems] == [
        "Log: 1 account has a row for each date; the row of the latest date is taken"
    ]


def test_the_order_of_the_rows_does_not_matter() -> None:
    for seed in range(6):
        rows = random.Random(seed).sample(LOG, len(LOG))

        assert only(read(*rows)).counts == Counts(followers=1380, videos=705)


def test_each_account_has_its_own_latest_date() -> None:
    reading = read(*LOG, ["2026-11-20", TWO, 90, 1], ["2026-11-21", TWO, 80, 2])

    assert [row.counts.followers for row in reading.rows.values()] == [1380, 80]
    assert codes(reading) == ["log_layout"]
    assert "2 accounts have" in reading.problems[0].message


@pytest.mark.parametrize(
    "name",
    [
        *("Date", "Day", "Timestamp", "Report date", "Дата", "Дата замера", "Datum", "Fecha", "日付", "When", "Ngày"),
        *("Ημερομηνία", "ΗΜΕΡΟΜΗΝΙΑ", "Päivämäärä", "วันที่", "التاريخ", "תאריך", "तारीख"),
    ],
)
def test_the_column_of_dates_has_names_in_many_languages(name: str) -> None:
    assert only(read(*LOG, header=f"{name},Link,Followers,Videos")).counts.followers == 1380


@pytest.mark.parametrize(
    "dates",
    [
        ("24.11.2026", "25.11.2026", "26.11.2026"),
        ("11/24/2026", "11/25/2026", "11/26/2026"),
        ("24/11/2026", "25/11/2026", "26/11/2026"),
        ("24 Nov 2026", "25 Nov 2026", "26 Nov 2026"),
        ("Nov 24, 2026", "Nov 25, 2026", "Nov 26, 2026"),
        ("24 ноября 2026", "25 ноября 2026", "26 ноября 2026"),
        (46350, 46351, 46352),
        ("46350", "46351", "46352"),
        ("2026-11-24T00:00:00", "2026-11-25T00:00:00", "2026-11-26T00:00:00"),
        ("2026-11-26 08:00", "2026-11-26 12:00", "2026-11-26 18:00"),
        ("9.11.2026", "10.11.2026", "11.11.2026"),
        ("2026-W46", "2026-W47", "2026-W48"),
        ("Sep 2026", "Oct 2026", "Nov 2026"),
        ("30.11.25", "01.12.25", "01.01.26"),
        ("24 KASIM 2026", "25 KASIM 2026", "26 KASIM 2026"),
        ("٢٤/١١/٢٠٢٦", "٢٥/١١/٢٠٢٦", "٢٦/١١/٢٠٢٦"),
        ("'24/11/2026", "'25/11/2026", "'26/11/2026"),
        (1795478400, 1795564800, 1795651200),
    ],
    ids=lambda dates: str(dates[0]),
)
def test_dates_are_compared_by_what_they_mean(dates: tuple[Cell, ...]) -> None:
    rows = [[day, *row[1:]] for day, row in zip(dates, LOG, strict=True)]

    for some in (rows, rows[::-1]):
        assert only(read(*some)).counts.followers == 1380


def test_a_blank_on_the_latest_day_is_filled_by_the_day_before() -> None:
    reading = read(*LOG, ["2026-11-27", ONE, None, 704], ["2026-11-28", ONE])

    assert only(reading).counts == Counts(followers=1380, videos=704)


def test_the_rows_that_fill_the_latest_day_are_named_with_it() -> None:
    for rows, row, more in (
        ([["2026-11-27", ONE, None, 704], ["2026-11-28", ONE]], 6, (5, 4)),
        ([["2026-11-27", ONE, None, 704]], 5, (4,)),
        ([["2026-11-27", ONE, "#REF!", None], ["2026-11-28", ONE, None, 704]], 6, (5,)),
    ):
        found = only(read(*LOG, *rows))

        assert (found.row, found.more) == (row, more)


def test_an_unreadable_count_of_the_latest_day_stays_unread() -> None:
    reading = read(*LOG, ["2026-11-27", ONE, "#REF!", 704])

    assert only(reading).counts == Counts(videos=704)
    assert only(reading).unread & 1


def test_a_date_that_cannot_be_read_leaves_its_row_out_and_says_where() -> None:
    reading = read(*LOG, ["yesterday", ONE, 99_999, 1], [None, ONE, 88_888, 1])

    assert only(reading).counts.followers == 1380
    assert [(p.code, p.cell) for p in reading.problems[:2]] == [("invalid_date", "Log!A5"), ("invalid_date", "Log!A6")]
    assert "'yesterday' is no date that can be read; the row is left out" in reading.problems[0].message


@pytest.mark.parametrize(
    "rows",
    [
        [["2026-11-24", ONE, 1420], [None, TWO, 10], ["2026-11-26", ONE, 1380], ["", TWO, 7]],
        [["2026-11-26", ONE, 1380], [" ", TWO, 7], ["2026-11-24", ONE, 1420], [None, TWO, 10]],
        [["24/11/2026"], [None, ONE, 1420], [None, TWO, 10], ["26/11/2026"], [None, ONE, 1380], [None, TWO, 7]],
        [[46350, ONE, 1420], [None, TWO, 10], [], [46352, TWO, 7], [None, ONE, 1380]],
    ],
)
def test_a_blank_below_a_date_is_of_that_date_as_where_cells_are_merged(rows: list[Row]) -> None:
    reading = read(*rows)

    assert {key[-3:]: row.counts.followers for key, row in reading.rows.items()} == {"one": 1380, "two": 7}
    assert codes(reading) == ["log_layout"]


def test_blanks_of_one_account_below_a_date_that_it_has_are_left_out() -> None:
    reading = read(["2026-11-24", ONE, 1400, 1], [None, ONE, 1420, 1], [None, TWO, 2, 1], [None, TWO, 3, 1])

    assert [row.counts.followers for row in reading.rows.values()] == [1400, 2]
    assert [(p.code, p.cell) for p in reading.problems[:2]] == [("invalid_date", "Log!A3"), ("invalid_date", "Log!A5")]


def test_blanks_above_all_dates_are_of_none() -> None:
    reading = read([None, ONE, 1400, 1], [None, ONE, 1420, 1], ["2026-11-24", TWO, 2, 1], ["2026-11-25", TWO, 1, 1])

    assert [row.counts.followers for row in reading.rows.values()] == [1420, 1]


def test_blanks_below_what_is_no_date_leave_the_counts_as_they_were() -> None:
    reading = read(["24.11.", ONE, 9, 1], [None, TWO, 10, 1], ["26.11.", ONE, 8, 1], [None, TWO, 7, 1])

    assert [row.counts for row in reading.rows.values()] == [Counts(), Counts()]


def test_an_update_that_is_blank_is_not_that_of_the_row_above() -> None:
    rows: list[Row] = [["2026-11-24", ONE, 9], [None, TWO, 10], ["2026-11-26", ONE, 8], ["2026-11-23", TWO, 7]]

    reading = read(*rows, header="Last update,Link,Followers")

    assert [row.counts.followers for row in reading.rows.values()] == [8, 7]


def test_a_date_of_the_future_does_not_win_and_is_told() -> None:
    reading = read(*LOG, ["2062-11-25", ONE, 99_999, 1], ["2026-11-30", ONE, 88_888, 1])

    assert only(reading).counts.followers == 1380
    assert [(p.code, p.cell) for p in reading.problems[:2]] == [("invalid_date", "Log!A5"), ("invalid_date", "Log!A6")]
    assert "'2062-11-25' is a date of the future; the row is left out" in reading.problems[0].message


def test_tomorrow_has_begun_somewhere() -> None:
    assert only(read(*LOG, ["2026-11-29 23:59", ONE, 1370, 700])).counts.followers == 1370


def test_days_that_are_only_planned_are_not_told() -> None:
    reading = read(*LOG, ["2026-12-24", ONE, None, None], ["2026-12-25", ONE])

    assert only(reading).counts.followers == 1380
    assert codes(reading) == ["log_layout"]


def test_an_account_of_the_future_alone_stays_as_it_was() -> None:
    reading = read(*LOG, ["2062-11-24", TWO, 9, 1], ["2062-11-25", TWO, 8, 1])

    assert [row.counts for row in reading.rows.values()] == [Counts(1380, None, None, 705), Counts()]
    assert [p.message.partition(": ")[2] for p in reading.problems[:2]] == [
        "'2062-11-24' is a date of the future",
        "'2062-11-25' is a date of the future",
    ]


def test_where_all_dates_are_of_the_future_the_clock_is_wrong() -> None:
    reading = read(*LOG, now=datetime(2020, 1, 1, tzinfo=UTC))

    assert only(reading).counts.followers == 1380
    assert codes(reading) == ["log_layout"]


def test_of_two_orders_that_one_is_meant_that_has_no_dates_of_the_future() -> None:
    rows: list[Row] = [["12/10/2026", ONE, 9, 1], ["01/11/2026", ONE, 8, 1], ["12/11/2026", ONE, 7, 1]]

    assert only(read(*rows)).counts.followers == 7


@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_the_only_column_without_a_name_is_of_dates_where_it_holds_nothing_else(name: str) -> None:
    merged: list[Row] = [["26.11.2026", ONE, 1380], ["", TWO, 7], ["25.11.2026", ONE, 1400], [None, TWO, 10]]

    assert only(read(*LOG, header=f"{name},Link,Followers,Videos")).counts.followers == 1380
    assert [row.counts.followers for row in read(*merged, header=f"{name},Link,Followers").rows.values()] == [1380, 7]


def test_a_column_beyond_the_header_may_be_of_dates() -> None:
    rows: list[Row] = [[link, count, date] for date, link, count, _ in LOG]

    assert only(read(*rows, header="Link,Followers")).counts.followers == 1380


@pytest.mark.parametrize(
    "cells",
    [("2026-11-24", "ok", "2026-11-26"), (46350, 46351, 46352), ("46350", "46351", "46352.5"), (True, "a", "b")],
)
def test_a_column_without_a_name_that_holds_other_things_tells_nothing(cells: tuple[Cell, ...]) -> None:
    rows = [[cell, *row[1:]] for cell, row in zip(cells, LOG, strict=True)]

    assert only(read(*rows, header=",Link,Followers,Videos")).counts.followers == 1420


def test_two_rows_of_one_account_and_day_are_a_slip() -> None:
    reading = read(*LOG, ["26.11.2026", ONE, 1390, 700])

    assert only(reading).counts == Counts(followers=1390, videos=705)
    assert (only(reading).row, only(reading).more) == (4, (5,))
    assert codes(reading) == ["duplicate_row", "log_layout"]


def test_dates_that_can_be_read_in_two_ways_are_not_guessed() -> None:
    rows: list[Row] = [["03/04/2026", ONE, 1000, 1], ["04/03/2026", ONE, 2000, 1]]

    unsure = read(*rows)
    american = read(*rows, locale="en_US")
    british = read(*rows, locale="en_GB")

    assert only(unsure).counts == Counts()
    assert only(unsure).unread == 0b11111
    assert codes(unsure) == ["invalid_date", "invalid_date", "log_layout"]
    assert only(american).counts.followers == 2000
    assert only(british).counts.followers == 1000


def test_dates_that_contradict_each_other_are_not_guessed() -> None:
    reading = read(["24/11/2026", ONE, 1000, 1], ["11/25/2026", ONE, 2000, 1])

    assert only(reading).counts == Counts()


def test_rows_without_any_date_are_a_slip() -> None:
    reading = read(["", ONE, 1000, 1], ["soon", ONE, 2000, 1])

    assert only(reading).counts.followers == 2000
    assert codes(reading) == ["duplicate_row"]


@pytest.mark.parametrize(
    "times",
    [
        ("08:00", "12:00", "18:30"),
        ("9:05 AM", "12:30 PM", "1:00 PM"),
        (0.25, 0.5, 0.75),
        ("8.00", "12.00", "18.00"),
        ("09:00:01", "09:00:02", "10:00:00"),
        (8, 12, 18),
        ("8", "12", "18"),
        (0, "12", 23),
    ],
    ids=lambda times: str(times[0]),
)
def test_an_hour_in_a_column_of_its_own_tells_rows_of_a_day_apart(times: tuple[Cell, ...]) -> None:
    rows = [["2026-11-26", time, *row[1:]] for time, row in zip(times, LOG, strict=True)]

    for some in (rows, rows[::-1]):
        assert only(read(*some, header="Date,Time,Link,Followers,Videos")).counts.followers == 1380


@pytest.mark.parametrize("name", ["Hour", "Час", "Hora", "Uhrzeit", "Saat"])
def test_the_column_of_hours_has_names(name: str) -> None:
    rows = [["2026-11-26", hour, *row[1:]] for hour, row in zip((8, 12, 18), LOG, strict=True)]

    assert only(read(*rows, header=f"Date,{name},Link,Followers,Videos")).counts.followers == 1380


@pytest.mark.parametrize("last", [24, -1, True, "118"])
def test_a_number_that_is_no_hour_tells_nothing(last: Cell) -> None:
    rows = [["2026-11-26", hour, *row[1:]] for hour, row in zip((8, 12, last), LOG, strict=True)]

    assert only(read(*rows, header="Date,Hour,Link,Followers,Videos")).counts.followers == 1420


def test_an_hour_is_not_added_to_a_date_that_has_one() -> None:
    rows: list[Row] = [
        ["2026-11-26 18:00", "18:00", ONE, 1420, 706],
        ["2026-11-27 05:00", "05:00", ONE, 1380, 705],
    ]

    assert only(read(*rows, header="Date,Time,Link,Followers,Videos")).counts.followers == 1380


def test_an_hour_that_not_every_row_has_tells_nothing() -> None:
    rows = [["2026-11-26", time, *row[1:]] for time, row in zip(("08:00", "later", "18:00"), LOG, strict=True)]

    reading = read(*rows, header="Date,Time,Link,Followers,Videos")

    assert codes(reading) == ["duplicate_row", "duplicate_row", "log_layout"]


@pytest.mark.parametrize(
    "dates",
    [
        ("24.11.", "25.11.", "26.11."),
        ("24 Nov", "25 Nov", "26 Nov"),
        ("46", "47", "48"),
        ("Mon", "Tue", "Wed"),
        ("24/11/2569", "25/11/2569", "26/11/2569"),
        ("11/24", "11/25", "11/26"),
        ("KW 46", "KW 47", "KW 48"),
        ("Q1", "Q2", "Q3"),
        ("today", "yesterday", "monday"),
        ("1405/09/03", "1405/09/04", "1405/09/05"),
        ("۱۴۰۵/۰۹/۰۳", "۱۴۰۵/۰۹/۰۴", "۱۴۰۵/۰۹/۰۵"),
        ("#REF!", "26.13.2026", "?"),
    ],
    ids=lambda dates: str(dates[0]),
)
def test_days_that_are_no_dates_are_neither_guessed_nor_is_the_largest_taken(dates: tuple[Cell, ...]) -> None:
    reading = read(*([day, *row[1:]] for day, row in zip(dates, LOG, strict=True)))

    assert (only(reading).counts, only(reading).unread) == (Counts(), 0b11111)
    assert codes(reading) == ["invalid_date"] * 3
    assert f"{dates[0]!r} is no date that can be read; write it as 2026-03-04" in reading.problems[0].message


def test_days_that_are_no_dates_may_come_twice() -> None:
    reading = read(
        ["Nov", ONE, 1380, 1], ["Oct", ONE, 1420, 1], ["Nov", ONE, 1300, 1], header="Month,Link,Followers,Videos"
    )

    assert only(reading).counts == Counts()
    assert codes(reading) == ["invalid_date"] * 3


@pytest.mark.parametrize(
    "titles",
    [
        ("Week 46", "Week 47"),
        ("KW 46", "KW 47"),
        ("W46", "W47"),
        ("46 неделя", "47 неделя"),
        ("October", "November"),
        ("Ekim", "Kasım"),
        ("Q2", "Q3"),
        ("24.11.", "26.11."),
        ("24 ноября", "26 ноября"),
        ("9.11 - 15.11", "16.11 - 22.11"),
        ("Week 46 (9.11-15.11)", "Week 47 (16.11-22.11)"),
        ("10月", "11月"),
        ("第46周", "第47周"),
        ("46주차", "47주차"),
    ],
    ids=lambda titles: titles[0],
)
def test_titles_that_are_dates_without_a_year_are_not_guessed(titles: tuple[str, str]) -> None:
    rows: list[Row] = [[ONE, 1420], [titles[1]], [ONE, 1380], [TWO, 5]]
    beside: list[Row] = [
        [titles[0], "Link", "Followers"],
        [None, ONE, 1420],
        [titles[1], "Link", "Followers"],
        [None, ONE, 1380],
    ]

    for reading in (read([titles[0]], *rows, header="Link,Followers"), read(*rows, header="Link,Followers")):
        assert [row.counts.followers for row in reading.rows.values()] == [None, 5]
        assert [code for code in codes(reading) if code != "unknown_platform"] == ["invalid_date", "invalid_date"]
    assert only(read_tab(beside, "Log")).counts == Counts()


@pytest.mark.parametrize(
    "titles",
    [
        *(("Team 1", "Team 2"), ("Jan", "Anna"), ("Batch 46", "Batch 47"), ("A", "B"), ("No 1", "No 2"), ("№1", "№2")),
        *(("12.50", "99.99"), ("Nr. 1", "Nr. 2")),
    ],
)
def test_other_titles_tell_no_days(titles: tuple[str, str]) -> None:
    reading = read([titles[0]], [ONE, 1420], [titles[1]], [ONE, 1380], header="Link,Followers")

    assert only(reading).counts.followers == 1420
    assert "duplicate_row" in codes(reading)


def test_weeks_in_the_column_of_numbers_of_a_file_are_weeks() -> None:
    rows: list[Row] = [["Week 46", "", ""], ["1", ONE, "1420"], ["Week 47", "", ""], ["1", ONE, "1380"]]

    assert only(read(*rows, header="#,Link,Followers")).counts == Counts()


@pytest.mark.parametrize(
    ("names", "first", "last"),
    [
        ("KW,Last update", (46, "20.11.2026"), (47, "26.11.2026")),
        ("Week no,Stand", ("46", "2026-11-20"), ("47", "2026-11-26")),
        ("月,更新日", ("10月", "2026/10/31"), ("11月", "2026/11/26")),
        ("Month,Date", ("2026-10", "2026-10-31"), ("2026-11", "2026-11-26")),
        ("Quarter,Date", ("2026-07-01", "2026-09-30"), ("2026-10-01", "2026-11-26")),
        ("年月,日付", ("2026/10", "2026-10-31"), ("2026/11", "2026-11-26")),
    ],
)
def test_weeks_and_months_may_stand_beside_days(names: str, first: tuple[Cell, Cell], last: tuple[Cell, Cell]) -> None:
    reading = read([*last, ONE, 1380], [*first, ONE, 1420], header=f"{names},Link,Followers")

    assert only(reading).counts.followers == 1380
    assert codes(reading) == ["log_layout"]


def test_days_beside_months_tell_more_rows_apart() -> None:
    rows: list[Row] = [
        ["10月", "2026/10/31", ONE, 9],
        ["11月", "2026/11/20", ONE, 1420],
        ["11月", "2026/11/26", ONE, 1380],
    ]
    full: list[Row] = [[f"2026年{row[0]}", *row[1:]] for row in rows]

    for log in (rows, full):
        assert only(read(*log, header="月,更新日,Link,Followers")).counts.followers == 1380


def test_the_same_counts_are_taken_whatever_day_they_are_of() -> None:
    reading = read([ONE, 1420], ["November"], [ONE, 1420], header="Link,Followers")

    assert only(reading).counts.followers == 1420
    assert codes(reading) == ["duplicate_row"]


def test_sums_that_stand_alone_in_a_file_are_no_days() -> None:
    rows: list[Row] = [[ONE, "1420", "7.5"], [None, None, "10.11"], [ONE, "1380", "2.5"], [None, None, "9.12"]]

    assert only(read(*rows, header="Link,Followers,Price")).counts.followers == 1420


def test_dates_may_stand_beside_the_names_of_a_header_that_comes_again() -> None:
    first: Row = ["24.11.2026", "Link", "Followers"]
    last: Row = ["26.11.2026", "Link", "Followers"]

    reading = read_tab([first, [None, ONE, 1420], [], last, [None, ONE, 1380]], "Log")

    assert only(reading).counts.followers == 1380
    assert codes(reading) == ["log_layout"]


@pytest.mark.parametrize(
    ("morning", "afternoon"),
    [
        ("2026. 11. 26 오전 9:20:11", "2026. 11. 26 오후 3:20:11"),
        ("2026/11/26 午前 9:20", "2026/11/26 午後 3:20"),
        ("2026/11/26 上午9:20", "2026/11/26 下午3:20"),
        ("26/11/2026 9:20 a. m.", "26/11/2026 3:20 p. m."),
        ("26.11.2026 ÖÖ 9:20", "26.11.2026 ÖS 3:20"),
        ("26/11/2026 9:20 π.μ.", "26/11/2026 3:20 μ.μ."),
        ("26/11/2026 9:20 ص", "26/11/2026 3:20 م"),
        ("26/11/2026 9:20 SA", "26/11/2026 3:20 CH"),
    ],
)
def test_the_halves_of_a_day_have_words_in_other_languages(morning: str, afternoon: str) -> None:
    reading = read([morning, ONE, 1420, 1], [afternoon, ONE, 1380, 1])

    assert only(reading).counts.followers == 1380
    assert codes(reading) == ["log_layout"]


def test_an_hour_after_noon_is_what_it_is() -> None:
    rows: list[Row] = [["26.11.2026 9:20", ONE, 1420, 1], ["26.11.2026 15:20 SA", ONE, 1380, 1]]

    assert only(read(*rows)).counts.followers == 1380


def test_an_hour_may_be_full() -> None:
    rows: list[Row] = [["26.11.2026", "9 AM", ONE, 1420], ["26.11.2026", "3 PM", ONE, 1380]]

    assert only(read(*rows, header="Date,Hour,Link,Followers")).counts.followers == 1380


def test_a_date_column_matters_only_to_repeated_accounts() -> None:
    reading = read(["yesterday", ONE, 1, 1], ["2026-11-24", TWO, 2, 1], ["2026-12-24", None, None, None])

    assert [row.counts.followers for row in reading.rows.values()] == [1, 2]
    assert (reading.problems, reading.skips) == ((), {})


@pytest.mark.parametrize("header", ["Date,Day", "Last update,Captured", "Erfasst am,取得日"])
def test_two_columns_of_dates_tell_as_much_as_one_where_they_agree(header: str) -> None:
    days: list[Cell] = [row[0] for row in LOG]

    def followers(*others: Cell) -> int | None:
        rows = ([other, *row] for other, row in zip(others, LOG, strict=True))
        return only(read(*rows, header=f"{header},Link,Followers,Videos")).counts.followers

    assert followers(*days) == 1380
    assert followers("2026-12-01", "2026-12-02", "2026-12-03") == 1380
    assert followers(*reversed(days)) == 1420
    assert followers(days[0], None, days[2]) == (1380 if header.startswith("Date") else 1420)


@pytest.mark.parametrize("days", [("24.11.2026", "26.11.2026"), ("November 24, 2026", "November 26, 2026")])
@pytest.mark.parametrize("header", ["Link,Followers,Videos", ",Link,Followers,Videos"])
def test_dates_may_stand_alone_above_the_rows_of_their_day(days: tuple[Cell, Cell], header: str) -> None:
    first, last = days
    indent: Row = [None] * header.startswith(",")
    rows: list[Row] = [[*indent, ONE, 1420, 7], [*indent, TWO, 10, 7], [*indent, ONE, 1380, 7]]

    reading = read([first], *rows[:2], [], [last, None, ""], rows[2], header=header)

    assert [row.counts.followers for row in reading.rows.values()] == [1380, 10]
    assert codes(reading) == ["log_layout"]


def test_rows_above_the_first_of_the_dates_may_be_of_any_day() -> None:
    reading = read([ONE, 1420], [TWO, 10], [TWO, 9], ["31.10.2026"], [ONE, 1380], header="Link,Followers")

    assert [row.counts.followers for row in reading.rows.values()] == [None, 10]
    assert codes(reading) == ["duplicate_row", "invalid_date", "invalid_date"]
    assert [problem.message.partition(": ")[2] for problem in reading.problems[1:]] == [
        "the date is missing",
        "'31.10.2026' is not above all rows of the account; write a date above the first ones too",
    ]


def test_the_first_of_the_dates_may_stand_above_the_header() -> None:
    rows: list[Row] = [["28.11.2026"], ["Link", "Followers"], [ONE, 1380], [], ["31.10.2026"], ["Link", "Followers"]]

    reading = read_tab([*rows, [ONE, 1420]], "Log")

    assert only(reading).counts.followers == 1380
    assert codes(reading) == ["log_layout"]


def test_a_lone_number_above_rows_is_a_date_but_under_numbers() -> None:
    dates = read([46350], [ONE, 1420], [46351], [ONE, 1380], header="Link,Followers")
    sums = read([ONE, 1420], ["", 46350], [ONE, 1380], ["", 46351], [ONE, 9], header="Link,Followers")
    costs = read([ONE, 1420, 20000], ["", "", 45000], [ONE, 1380, 1], header="Link,Followers,Price")

    assert [only(reading).counts.followers for reading in (dates, sums, costs)] == [1380, 1420, 1420]
    assert (codes(dates), dates.unusable) == (["log_layout"], 0)


def test_dates_that_stand_above_no_account_twice_tell_nothing() -> None:
    reading = read(["24.11.2026"], [ONE, 1420], [ONE, 1380], ["26.11.2026"], [TWO, 10], header="Link,Followers")

    assert [row.counts.followers for row in reading.rows.values()] == [1420, 10]
    assert codes(reading) == ["duplicate_row"]


@pytest.mark.parametrize("others", [("Tue", "Wed", "Thu"), (48, 48, 48), ("Nov 2026", "Nov 2026", "Nov 2026")])
def test_of_two_columns_that_are_called_a_date_the_finer_one_is_taken(others: tuple[Cell, ...]) -> None:
    rows: list[Row] = [[other, *row] for other, row in zip(others, LOG, strict=True)]
    merged: list[Row] = [rows[0], [None, None, TWO, 5, 7], *rows[1:], [None, None, TWO, 4, 7]]

    assert only(read(*rows, header="Day,Date,Link,Followers,Videos")).counts.followers == 1380
    assert [row.counts.followers for row in read(*merged, header="Week,Date,Link,Followers,Videos").rows.values()] == [
        1380, 4,
    ]  # fmt: skip


@pytest.mark.parametrize(("last", "expected"), [(46352, 1380), (46349, 1420)])
def test_of_two_columns_that_may_be_meant_none_is_taken_where_they_differ(last: int, expected: int) -> None:
    rows: list[Row] = [
        ["2026-11-24", 46350, ONE, 1420],
        ["2026-11-24", 46351, ONE, 1400],
        ["2026-11-25", last, ONE, 1380],
    ]

    assert only(read(*rows, header="Last update,Watch time,Link,Followers")).counts.followers == expected


def test_two_columns_of_days_that_are_no_dates_are_not_guessed() -> None:
    rows: list[Row] = [["24.11.", "Tue", ONE, 1420], ["26.11.", "Thu", ONE, 1380]]

    reading = read(*rows, header="Date,Day,Link,Followers")

    assert only(reading).counts.followers is None
    assert codes(reading) == ["invalid_date", "invalid_date"]


@pytest.mark.parametrize(
    "name",
    [
        *("Last update", "Updated at", "Date of the numbers", "Обновлено", "Fecha del dato", "Checked by", "Stand"),
        *("Snapshot", "Mis à jour", "Période", "Woche", "Atualizado em", "更新日", "Bijgewerkt", "Senast uppdaterad"),
        *("Oppdatert", "Opdateret", "Erfasst am", "取得日", "统计日期", "Ölçüm Tarihi", "Дата съёма", "تاریخ"),
        *("Erhebung", "Relevé le", "run", "scrape", "Fetched"),
        *(
            "Week ending",
            "Week start",
            "Period end",
            "Week of",
            "Dernière mise à jour",
            "Данные на",
            "Срез",
            "Kontrolliert am",
        ),
        *("Последнее обновление", "Последняя проверка", "Дата замера подписчиков", "Обновление подписчиков"),
    ],
)
def test_another_name_of_a_date_is_taken_for_one_where_it_tells_rows_apart(name: str) -> None:
    assert only(read(*LOG, header=f"{name},Link,Followers,Videos")).counts.followers == 1380


@pytest.mark.parametrize(
    "name",
    [
        "Date added",
        "Joined",
        "Start date",
        "Birthday",
        "Дата добавления",
        "Notes",
        "Contract date",
        "Vertragsende",
        "登録日",
        *(
            "Deadline",
            "Delivery",
            "Valid until",
            "Shoot",
            "Campaign",
            "Last video",
            "Дата съёмки",
            "Срок",
            "Следующий пост",
        ),
        *("Termin", "Drehtag", "Entrega", "Çekim tarihi", "撮影日"),
    ],
)
def test_the_date_of_something_else_is_none_of_the_row(name: str) -> None:
    assert only(read(*LOG, header=f"{name},Link,Followers,Videos")).counts.followers == 1420


def test_one_date_in_all_rows_of_an_account_tells_nothing() -> None:
    reading = read(
        ["2026-11-24", ONE, 1000, 1], ["2026-11-24", ONE, 900, 1], header="Last update,Link,Followers,Videos"
    )

    assert only(reading).counts.followers == 1000
    assert codes(reading) == ["duplicate_row"]


def test_texts_are_those_of_the_latest_day() -> None:
    header = "Date,Link,Followers,Owner,Status"

    reading = read(["2026-11-24", ONE, 1, "ann", "OLD"], ["2026-11-25", ONE, 2, "ben", None], header=header)

    assert (only(reading).owner, only(reading).status) == ("ben", "OLD")


def test_a_log_may_name_platform_and_handle() -> None:
    rows: list[Row] = [[day, "TikTok", "@example_one", count] for day, _, count, _ in LOG]

    reading = read(*rows, header="Date,Platform,Username,Followers")

    assert only(reading).counts.followers == 1380
