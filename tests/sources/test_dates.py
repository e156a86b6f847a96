"""Dates as people, spreadsheets and programs write them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.sources.dates import ORDERS, Order, is_part_of_date, likely_orders, moment_of

ONE_DAY = [
    *("2026-11-24", "2026/11/24", "2026.11.24", "20261124", "2026-11-24T00:00:00Z", "2026-11-24 00:00", "'2026-11-24"),
    *("24 Nov 2026", "24. November 2026", "24-Nov-26", "Nov 24, 2026", "November 24th, 2026", "24th of November 2026"),
    *(
        "Tue, 24 Nov 2026",
        "Tuesday, November 24, 2026",
        "24 ноября 2026 г.",
        "24 нояб. 2026",
        "вторник, 24 ноября 2026",
    ),
    *("24 листопада 2026", "24 de noviembre de 2026", "24 novembre 2026", "24 Kasım 2026", "24 listopada 2026"),
    *("2026年11月24日", "2026년 11월 24일", "2026. 11. 24.", "２０２６-11-24", " 2026-11-24 "),
    *("24 KASIM 2026", "24 kasim 2026", "24 Kasım 2026", "٢٠٢٦-١١-٢٤", "۲۰۲۶/۱۱/۲۴", "\u200f٢٤\u200f.١١\u200f.٢٠٢٦"),
    *("24 Kasım 2026 Salı", "2026-11-24 (Tue)", "2026年11月24日(火)", "2026年11月24日 火曜日", "24.11.2026 Di"),
    *("2026 Nov 24", "2026-Nov-24", "2026. november 24.", "24. listopadu 2026", "24. novembra 2026"),
    *("24 noiembrie 2026", "24 Νοεμβρίου 2026", "24 ноември 2026", "24.11.2026 (сегодня)"),
    *(46350, 46350.0, "46350", 20261124, 1795478400, 1795478400000, "1795478400"),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cell", ONE_DAY)
def test_a_date_is_its_day_however_it_is_written(cell: object, order: Order) -> None:
    assert moment_of(cell, order) == datetime(2026, 11, 24)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-11-24T10:30:15Z", "2026-11-24 10:30:15"),
        ("2026-11-24 10:30", "2026-11-24 10:30:00"),
        ("24.11.2026 8:05", "2026-11-24 08:05:00"),
        ("24 Nov 2026, 10:22:33 PM", "2026-11-24 22:22:33"),
        ("24 Nov 2026 12:00 am", "2026-11-24 00:00:00"),
        ("2026-11-24T10:00:00+02:00", "2026-11-24 08:00:00"),
        ("2026-11-24T10:00:00.123456-0500", "2026-11-24 15:00:00"),
        (46350.5, "2026-11-24 12:00:00"),
        ("2026-11", "2026-11-01 00:00:00"),
        ("Nov 2026", "2026-11-01 00:00:00"),
        ("2026-W48", "2026-11-23 00:00:00"),
        ("KW 48/2026", "2026-11-23 00:00:00"),
        ("Week 48, 2026", "2026-11-23 00:00:00"),
        ("11/2026", "2026-11-01 00:00:00"),
        ("2026/11/24(火) 10:30", "2026-11-24 10:30:00"),
    ],
)
def test_times_weeks_and_months_are_moments_too(cell: object, moment: str) -> None:
    assert str(moment_of(cell, "dmy")) == moment


@pytest.mark.parametrize(
    ("cell", "by_order"),
    [
        ("03/04/2026", ("2026-04-03", "2026-03-04", None)),
        ("03-04-2026", ("2026-04-03", "2026-03-04", None)),
        ("24/11/2026", ("2026-11-24", None, None)),
        ("11/24/2026", (None, "2026-11-24", None)),
        ("03.04.2026", ("2026-04-03", "2026-04-03", "2026-04-03")),
        ("26-11-24", ("2024-11-26", None, "2026-11-24")),
        ("24.11.26", ("2026-11-24", "2026-11-24", "2026-11-24")),
    ],
)
def test_numbers_alone_are_read_by_their_order(cell: str, by_order: tuple[str | None, ...]) -> None:
    found = (moment_of(cell, order) for order in ORDERS)

    assert tuple(moment and str(moment.date()) for moment in found) == by_order


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "yesterday",
            "24/11",
            "Nov 24",
            "31.02.2026",
            "2026-13-01",
            "2206-11-24",
            "1999-12-31",
            "week 48",
            "",
            "-",
            "x",
        ),
        *("24 secret 2026", "1.5", "12:30", "2026", "24 Nov 2026 25:00", "9" * 100, 0, 12, 12.5, 1e300, -1, True, None),
        *(float("nan"), float("inf"), 20261399, "#REF!", "2026-11-24 or later"),
    ],
    ids=repr,
)
def test_what_is_no_date_of_our_times_is_none(cell: object) -> None:
    assert {moment_of(cell, order) for order in ORDERS} == {None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, True) for text in ("Week 46", "46 неделя", "KW 46", "24.11.", "November", "Q3", "第46週")),
        *((text, False) for text in ("Ann", "46", "Week", "4.6 Ann", "Week 46 of Ann", "Week " + "4" * 60, "", "@may")),
    ],
)
def test_what_is_left_of_a_date_without_its_year_is_told_from_other_texts(text: str, *, expected: bool) -> None:
    assert is_part_of_date(text) is expected


@pytest.mark.parametrize(
    ("cells", "locale", "orders"),
    [
        (["2026-11-24", "24 Nov 2026", 46350], None, ORDERS),
        (["03/04/2026", "04/04/2026"], None, ("dmy", "mdy")),
        (["03/04/2026", "24/04/2026"], None, ("dmy",)),
        (["03/04/2026", "04/24/2026"], None, ("mdy",)),
        (["03/04/2026"], "en_US", ("mdy",)),
        (["03/04/2026"], "en_GB", ("dmy",)),
        (["24/04/2026"], "en_US", ("dmy",)),
        (["26/11/24"], "ja_JP", ("ymd",)),
        (["03/04/2026", "no date", "99/99/2026"], None, ("dmy", "mdy")),
        (["24/04/2026", "04/24/2026"], "en_US", ()),
        (["03/04/2026"], "tl_PH", ("mdy",)),
        (["03/04/2026"], "in_ID", ("dmy",)),
        (["03/04/2026"], "fil-PH", ("mdy",)),
        (["'24/04/2026"], None, ("dmy",)),
        (["Fri 24/04/2026"], None, ("dmy",)),
        (["٢٤/٠٤/٢٠٢٦"], None, ("dmy",)),
    ],
)
def test_a_column_tells_the_order_of_its_dates(
    cells: list[object], locale: str | None, orders: tuple[Order, ...]
) -> None:
    assert likely_orders(cells, locale) == orders


@given(st.text(max_size=70) | st.floats() | st.integers() | st.none() | st.booleans(), st.sampled_from(ORDERS))
def test_any_cell_is_a_moment_of_our_times_or_none(cell: object, order: Order) -> None:
    moment = moment_of(cell, order)

    assert moment is None or (moment.tzinfo is None and 1999 <= moment.year <= 2100)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)))  # noqa: DTZ001
def test_a_date_as_programs_write_it_is_read_back(moment: datetime) -> None:
    day = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
    whole = moment.replace(microsecond=0)

    for order in ORDERS:
        assert moment_of(day.date().isoformat(), order) == day
        assert moment_of(whole.isoformat(), order) == whole
        assert moment_of(f"{day:%d %B %Y}", order) == day
    assert moment_of(f"{day:%d/%m/%Y}", "dmy") == moment_of(f"{day:%m/%d/%Y}", "mdy") == day
