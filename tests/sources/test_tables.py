"""CSV as programs and people write it: read as it was meant, or refused with the line. Never shifted."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webapp.errors import SourceError
from webapp.model import Counts
from webapp.sources.sheet import Tab, limits, table
from webapp.sources.sheet.payload import csv_payload
from webapp.sources.sheet.reading import TabReading
from webapp.sources.sheet.rows import read_tab

LINK = "https://www.tiktok.com/@example_{:02}"


def rows_of(text: str, aliases: dict[str, tuple[str, ...]] | None = None) -> list[list[object]]:
    return [list(row) for row in csv_payload(Tab("a", "A"), text.encode(), aliases=aliases).rows()]


def read(text: str, aliases: dict[str, tuple[str, ...]] | None = None) -> TabReading:
    return read_tab(csv_payload(Tab("a", "A"), text.encode(), aliases=aliases).rows(), "A", None, aliases)


def followers(text: str, aliases: dict[str, tuple[str, ...]] | None = None) -> dict[str, int | None]:
    return {key.partition("@")[2]: row.counts.followers for key, row in read(text, aliases).rows.items()}


def followers_or_code(text: str) -> dict[str, int | None] | str:
    try:
        return followers(text)
    except SourceError as error:
        return error.code


def refusal(text: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        rows_of(text)
    return caught.value


def lines(*changed: tuple[int, str], header: str = "Link,Owner,Followers", count: int = 12, end: str = "\n") -> str:
    """A table of 12 accounts with thousands of followers, some of its lines changed. Account 9 stands in line 10."""
    rows = [header, *(f"{LINK.format(number)},ann,{number}000" for number in range(1, count + 1))]
    for number, line in changed:
        rows[number - 1] = line
    return end.join(rows) + end


WHOLE = {f"example_{number:02}": number * 1000 for number in range(1, 13)}


def test_a_whole_table_is_read() -> None:
    assert followers(lines()) == WHOLE


# Quotes


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ([(10, f'{LINK.format(9)},"Nick,9000')], 10),
        ([(10, f'"{LINK.format(9)},Nick,9000')], 10),
        ([(10, f'{LINK.format(9)},Nick,"9000')], 10),
        ([(13, f'{LINK.format(12)},"Nick,12000')], 13),
        ([(1, 'Link,"Owner,Followers')], 1),
        ([(10, f'{LINK.format(9)},"Nick,9000'), (12, f'{LINK.format(11)},"ann",11000')], 10),
        ([(10, f'{LINK.format(9)},"Nick" Ann,9000')], 10),
        ([(10, f'{LINK.format(9)},"Nick ""the" Ann",9000')], 10),
        ([(4, f'{LINK.format(3)},"two\nlines",3000'), (10, f'{LINK.format(9)},"Nick,9000')], 11),
    ],
    ids=[
        "text",
        "link",
        "number",
        "last row",
        "header",
        "met by another",
        "in front",
        "doubled once",
        "after two lines",
    ],
)
def test_a_stray_quote_refuses_the_tab_with_its_line(changed: Sequence[tuple[int, str]], line: int) -> None:
    error = refusal(lines(*changed))

    assert error.code == "malformed_csv"
    assert f"A: line {line} has a quote that is not closed, or closed too early" in error.message


@pytest.mark.parametrize(
    ("changed", "first", "last"),
    [
        ([(10, f'{LINK.format(9)},"Nick,9000'), (12, f'{LINK.format(11)},ann",11000')], 10, 12),
        ([(10, f'{LINK.format(9)},"Nick,9000'), (11, f'{LINK.format(10)},ann",10000')], 10, 11),
        ([(2, f'{LINK.format(1)},"ann,1000'), (13, f'{LINK.format(12)},ann",12000')], 2, 13),
        ([(10, f'"{LINK.format(9)},ann,9000'), (11, f'{LINK.format(10)}",ann,10000')], 10, 11),
        ([(10, f'{LINK.format(9)},ann,"9000'), (11, f'{LINK.format(10)},ann,10000"')], 10, 11),
    ],
    ids=["two rows", "one row", "all rows", "in the link", "in the number"],
)
def test_a_quote_closed_by_a_later_one_moves_no_numbers(
    changed: Sequence[tuple[int, str]], first: int, last: int
) -> None:
    error = refusal(lines(*changed))

    assert f"line {first} opens a quote that is closed only in line {last}, with rows between" in error.message


ACCOUNTS = [LINK.format(number) for number in range(7)]


@pytest.mark.parametrize(
    ("header", "swallowed"),
    [
        ("Link,Owner,Followers", [f'{ACCOUNTS[1]},"Nick,1000', f'{ACCOUNTS[2]},Nora,2000"']),
        ("Link,Owner,Followers", [f'{ACCOUNTS[1]},"Nick,', f'{ACCOUNTS[2]},Nora",2000']),
        ("Link,Owner,Followers", [f'{ACCOUNTS[1]},"Nick,soon', f'{ACCOUNTS[2]},Nora,2000"']),
        ("Link,Owner,Followers,Likes", [f'{ACCOUNTS[1]},"Nick,1000,10', f'{ACCOUNTS[2]},Nora,2000",20']),
        (
            "Link,Followers,Notes",
            [f'{ACCOUNTS[1]},1000,"', f"{ACCOUNTS[2]},2000,hi", f'{ACCOUNTS[3]},3000,bye"'],
        ),
        ("Link,Followers,Notes", [f'{ACCOUNTS[1]},1000,"ok', f'{ACCOUNTS[2]},,"']),
        ("Link,Followers,Notes", [f'{ACCOUNTS[1]},1000,"ok', f'{ACCOUNTS[2]},2000"']),
        ("Owner,Followers,Link,Likes,x", [f'ann,"1000,{ACCOUNTS[1]},10,ok', f'bo,2000,{ACCOUNTS[2]}",20']),
        ("Notes,Link,Followers", [f'"hi,{ACCOUNTS[1]},1000', f'",{ACCOUNTS[2]},2000']),
        ("Notes,Link,Followers", [f'"hi,{ACCOUNTS[1]},', f'ok",{ACCOUNTS[2]},2000']),
        ("Link,Owner,Followers", [f'{ACCOUNTS[1]},"Nick,1.234', f'{ACCOUNTS[2]},Nora",2000']),
        ("Link,Owner,Followers", [f'{ACCOUNTS[1]},"Nick,private', f'{ACCOUNTS[2]},Nora",2000']),
        (
            "Link,Owner,Followers",
            [f'{ACCOUNTS[1]},"Nick,private', f"{ACCOUNTS[2]},Nora,banned", f'{ACCOUNTS[3]},Jo",3000'],
        ),
        ("Notes,Link,Followers", [f'"hi,{ACCOUNTS[1]},#N/A', f'ok",{ACCOUNTS[2]},2000']),
    ],
    ids=[
        "last cell",
        "count",
        "no count",
        "middle",
        "notes",
        "blank",
        "short",
        "shorter",
        "first cell",
        "first without a count",
        "a count that is refused",
        "a word",
        "words",
        "the error of a formula",
    ],
)
def test_a_quote_closed_at_the_end_of_a_later_cell_swallows_no_row(header: str, swallowed: list[str]) -> None:
    places = {name: place for place, name in enumerate(header.split(","))}
    rows = [["x"] * len(places) for _ in ACCOUNTS]
    for row, account in zip(rows, ACCOUNTS, strict=True):
        row[places["Link"]] = account
        row[places["Followers"]] = "5000"
    short = f"{ACCOUNTS[6]},5000" if header.endswith("Notes") else ""
    text = "\n".join([header, ",".join(rows[0]), *swallowed, *(",".join(row) for row in rows[4:]), short, ""])

    assert "line 3 opens a quote that is closed only in line" in refusal(text.replace(",x,x", ",x,7")).message


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Followers,Owner,Link", f'1000,"ann,{ACCOUNTS[1]}"'),
        ("Link;Followers;Notes", f'"{ACCOUNTS[1]};1000;ok"'),
        ("Link;Followers;Notes", f'"{ACCOUNTS[1]};1000";ok'),
        ("Link,Followers,Likes", f'"{ACCOUNTS[1]},1000,"'),
        ("Owner,Followers,Link,Likes,Notes", f'ann,1000,"{ACCOUNTS[1]},50,hi there"'),
        ("Link,Owner,Followers", f'{ACCOUNTS[1]},"ann,1000"'),
        ("Link,Followers,Owner,Likes", f'{ACCOUNTS[1]},1000,"ann,50"'),
        ("Platform,Username,Owner,Followers", 'TikTok,"example_01,ann",1000'),
        ("Notes\tLink\tFollowers\tLikes", f'\t"{ACCOUNTS[1]}\t1000"'),
        ("Followers\tOwner\tLink", f'"1000\t"\t{ACCOUNTS[1]}'),
        ("Link;Followers;Likes", f'"{ACCOUNTS[1]};soon;\n{ACCOUNTS[2]};2000";50"'),
        ("Link,Followers,Likes", f'"{ACCOUNTS[1]},1000",50"'),
        ("Followers,Owner,Link,Notes", f'1000,"ann,{ACCOUNTS[1]}"'),
        ("Platform,Username,Followers,Likes,Owner", '"TikTok,example_01,1000,50\nTikTok",example_02,2000'),
    ],
)
def test_a_quote_around_cells_of_one_row_takes_no_account_out(header: str, row: str) -> None:
    reading = read(f"{header}\n{row}\n")

    assert (reading.rows, reading.torn) == ({}, True)
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("malformed_row", "A!A2")]
    assert "a quote is around several cells" in reading.problems[0].message


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("Link,Followers,Likes,Views", f'{ACCOUNTS[1]},5,"1,234"', Counts(5, 1234)),
        ("Link,Owner,Followers", f'{ACCOUNTS[1]},"Smith, Ann"', Counts()),
        ("Link,Owner,Followers", f'{ACCOUNTS[1]},"Smith, Ann, 5, or 6"', Counts()),
        ("Link,Followers,Owner,Notes", f'{ACCOUNTS[1]},5,"Smith, Ann"', Counts(5)),
        ("Link,Owner,Followers", f'{ACCOUNTS[1]},"Ann, 5",', Counts()),
    ],
)
def test_a_short_row_with_delimiters_in_its_texts_is_read(header: str, row: str, expected: Counts) -> None:
    reading = read(f"{header}\n{row}\n")

    assert [account.counts for account in reading.rows.values()] == [expected]


def test_a_quote_left_open_in_the_header_swallows_no_row() -> None:
    text = f'Link,Followers,"Notes\n{ACCOUNTS[1]},1000,hi"\n{ACCOUNTS[2]},2000,ok\n'

    assert "line 1 opens a quote" in refusal(text).message


@pytest.mark.parametrize(
    "note",
    [
        "paid\nMay, 5",
        f"was\n{ACCOUNTS[1]}",
        f"see\n{ACCOUNTS[1]}, ann",
        f"see {ACCOUNTS[1]}, 5, ok\nand more",
        "\n\n",
    ],
    ids=["handle", "link", "link and words", "row in its first line", "blank lines"],
)
def test_a_note_that_is_nearly_a_row_is_a_note(note: str) -> None:
    text = f'TikTok URL,Followers,Notes\n{ACCOUNTS[1]},1000,"{note}"\n{ACCOUNTS[2]},2000\nann,3000,ok\n'

    assert list(followers(text).values()) == [1000, 2000, 3000]


def test_names_with_roles_in_several_lines_are_a_text() -> None:
    text = f'TikTok URL,Owner,Followers\n{ACCOUNTS[1]},"Ann, boss\nBen, cook",1000\n{ACCOUNTS[2]},ann,2000\n'

    assert followers(text) == {"example_01": 1000, "example_02": 2000}


def test_swallowed_rows_are_seen_wherever_the_account_stands() -> None:
    rows = ["Owner,Link,Followers", f'"ann,{LINK.format(1)},1000', f'ben",{LINK.format(2)},2000', ""]
    handles = ["Platform,Owner,Username,Followers", 'TikTok,"ann,one,1000', 'TikTok,ben",two,2000', ""]

    assert refusal("\n".join(rows)).code == "malformed_csv"
    assert refusal("\n".join(handles)).code == "malformed_csv"


@pytest.mark.parametrize(
    ("cell", "owner"),
    [
        ('"Smith, Ann"', "Smith, Ann"),
        ('"two\nlines"', "two lines"),
        ('"a note\n\nwith, commas\nand lines"', "a note with, commas and lines"),
        ('"Nick ""the Knife"" Ann"', 'Nick "the Knife" Ann'),
        ('5" screen', '5" screen'),
        ('Nick "the Knife"', 'Nick "the Knife"'),
        ('""', None),
        ('"see\nhttps://www.tiktok.com/@old"', "see https://www.tiktok.com/@old"),
        (' "Smith, Ann"', "Smith, Ann"),
        ('"Nick \\"the Knife\\" Ann"', 'Nick "the Knife" Ann'),
    ],
    ids=[
        "delimiter",
        "lines",
        "note",
        "doubled",
        "inch",
        "unquoted",
        "empty",
        "link alone",
        "space before",
        "backslash",
    ],
)
def test_a_quoted_cell_is_what_it_says(cell: str, owner: str | None) -> None:
    reading = read(lines((10, f"{LINK.format(9)},{cell},9000")))

    assert {key.partition("@")[2]: row.counts.followers for key, row in reading.rows.items()} == WHOLE
    assert reading.rows["tiktok:@example_09"].owner == owner


def test_a_note_of_several_lines_swallows_no_row_though_the_count_before_it_is_none() -> None:
    text = f'Link,Followers,Owner\n{LINK.format(1)},5 or 6,"ann\nsince May"\n{LINK.format(2)},2000,ben\n'

    reading = read(text)

    assert {row.owner: row.counts.followers for row in reading.rows.values()} == {"ann since May": None, "ben": 2000}
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("invalid_number", "A!B2")]


def test_all_cells_may_be_quoted() -> None:
    quoted = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in lines().split("\n") if line)

    assert followers(quoted) == WHOLE


# Width


def test_a_number_that_was_cut_by_its_commas_is_not_read() -> None:
    reading = read(f"Link,Followers,Likes\n{LINK.format(1)},1,234,5,678\n{LINK.format(2)},987,65\n")

    assert {row.row: row.counts for row in reading.rows.values()} == {3: Counts(987, 65)}
    assert reading.torn
    (problem,) = reading.problems
    assert (problem.code, problem.cell) == ("malformed_row", "A!A2")
    assert "5 cells under 3 headers" in problem.message
    assert reading.unusable == 1


@pytest.mark.parametrize(
    "row",
    [
        f"{LINK.format(9)},ann,9,000",
        f"{LINK.format(9)},Smith, Ann,9000",
        f"{LINK.format(9)},ann,9000,note 7",
        f"Smith, Ann,{LINK.format(9)},9000",
        f"{LINK.format(9)},ann,9000,,,7",
        f"{LINK.format(9)}",
        f"{LINK.format(9)},9000",
    ],
    ids=["thousands", "comma in a text", "note", "before the link", "far right", "link alone", "shifted left"],
)
def test_a_row_with_other_cells_than_the_header_is_not_read(row: str) -> None:
    padded = lines((10, row), (5, f"{LINK.format(4)},ann,"))

    reading = read(padded)

    assert {key.partition("@")[2]: row.counts.followers for key, row in reading.rows.items()} == {
        name: None if name == "example_04" else count for name, count in WHOLE.items() if name != "example_09"
    }
    assert reading.torn
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("malformed_row", "A!A10")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (f"{LINK.format(9)},ann,9000,,,", 9000),
        (f"{LINK.format(9)},ann,9000, ,", 9000),
        (f"{LINK.format(9)},ann", None),
        (f"{LINK.format(9)}", None),
    ],
    ids=["blank cells", "blank signs", "blank end", "link alone"],
)
def test_blank_cells_at_the_end_may_be_there_or_not(row: str, expected: int | None) -> None:
    reading = read(lines((10, row)))

    assert reading.rows["tiktok:@example_09"].counts.followers == expected
    assert not reading.torn


@pytest.mark.parametrize("row", ["", ",,", "Our bloggers", "Our bloggers, listed, by hand, for us", "Total", "ann"])
def test_a_row_that_is_no_account_may_have_any_width(row: str) -> None:
    reading = read(lines((10, row), (5, f"{LINK.format(4)},ann,")))

    assert len(reading.rows) == 11
    assert not reading.torn


@pytest.mark.parametrize(
    "broken",
    [
        f"{LINK.format(9)},ann,9\n000",
        f"{LINK.format(9)},an\nn,9000",
        f"{LINK.format(9)}\n,ann,9000",
        f"{LINK.format(9)[:-4]}\n{LINK.format(9)[-4:]},ann,9000",
    ],
    ids=["in the number", "in a text", "behind the link", "in the link"],
)
def test_a_row_that_goes_on_in_the_next_line_is_not_read(broken: str) -> None:
    reading = read(lines((10, broken)))

    assert [row.counts.followers for row in reading.rows.values()] == [n for n in WHOLE.values() if n != 9000]
    assert reading.torn
    assert reading.problems[0].cell == "A!A10"
    assert "the line ends within a cell" in reading.problems[0].message


def test_a_note_beside_the_headers_is_a_note_and_a_group_of_digits_is_not() -> None:
    header = "Link,Owner,Followers,,"
    text = "\n".join([header, f"{LINK.format(1)},ann,1000,note,", f"{LINK.format(2)},ann,2,000,", ""])

    reading = read(text)

    assert [row.counts.followers for row in reading.rows.values()] == [1000]
    assert [problem.cell for problem in reading.problems] == ["A!A3"]


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("Link,Followers,", ["a,1,234,", "b,900,"], {"b": 900}),
        ("Link,Followers,", ["a,1,2K", "b,0,9K", "c,1,2M,", "d,12,5 K,", "e,900,"], {"e": 900}),
        ("Link,Followers", ["a,1,2K", "b,900"], {"b": 900}),
        ("Link,Followers,", ["a,1,5 тыс.,", "b,900,"], {"b": 900}),
        ("Link,Followers,,", ["a,1,234", "b,900"], {"b": 900}),
        ("Link,Followers,Likes,,", ["a,501,5,454,705,,", "b,501,675,,"], {"b": 501}),
        ("Link,Followers,Likes,,", ["a,47,326,81,652,,", "b,501,675,,"], {"b": 501}),
        ("Link,Followers,Likes,,", ["a,1,234,56,,", "b,501,675,,"], {"b": 501}),
        ("Link,Followers,Likes,,", ["a,1,234,56,vip", "b,501,675,,vip"], {"b": 501}),
        ("Link,Followers,Owner,Likes", ["a,49,189,ann,", "b,677,,115", "c,700,bo,9"], {"b": 677, "c": 700}),
        ("Link,Followers,Owner,", ["a,1,234,ann", "b,5000,bo,"], {"b": 5000}),
        ("Link,Followers,Likes", ["a,12,345,", "b,5,7"], {"b": 5}),
        ("Link,Followers,Likes", ["a,12,345,,", "b,5,7,"], {"b": 5}),
        ("Link,Followers,Likes", ["a,1,234,567,", "b,5,7"], {"b": 5}),
        ("Link,Followers,Notes", ["a,38,204,ok", "b,5,556,446,ann", "c,23,572", "d,96"], {"d": 96}),
        ("Link,Followers,Notes", ["a,38,204,ok", "b,23,572", "c,96"], {"c": 96}),
        ("Link,Followers,Notes", ["a,23,572", "b,5000,ok"], {"b": 5000}),
        ("Link,Followers,Notes", ["a,12,5K", "b,5000,ok"], {"b": 5000}),
        ("Link,Followers,Notes", ["a,23,072", "b,5000"], {"b": 5000}),
        ("Link,Followers,Owner", ["a,23,572", "b,5000,ann"], {"b": 5000}),
        ("Link,Followers,Owner", ["a,1,234,", "b,1,2K,", "c,5000,ann"], {"c": 5000}),
        ("Link,Followers,Date,Notes", ["a,12,345,2026-03-04", "b,5,2026-03-05"], {"b": 5}),
        ("Link,Followers,Date", ["a,12,345", "b,5,05.03.2026"], {"b": 5}),
    ],
)
def test_a_number_that_its_comma_cut_is_known_by_what_is_beside_it(
    header: str, rows: list[str], expected: dict[str, int]
) -> None:
    reading = read(header + "\n" + "".join(f"https://www.tiktok.com/@{row}\n" for row in rows))

    assert {key.partition("@")[2]: row.counts.followers for key, row in reading.rows.items()} == expected
    assert reading.torn
    assert len(reading.problems) == len(rows) - len(expected)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Link,Followers,Likes", ["a,12,345", "b,5,7"]),
        ("Link,Followers,Likes", ["a,12,345,", "b,5,7,"]),
        ("Link,Followers,Likes", ["a,12,345,,,", "b,5,7"]),
        ("Link,Followers,Likes", ["a,12,345,", "b,5,7", "c,9,8,,"]),
        ("Link,Followers,Likes,", ["a,12,345,note", "b,5,7,"]),
        ("Link,Followers,Likes,", ["a,12,345,7", "b,5,7,8"]),
        ("Link,Followers,Likes,", ["a,12,345,n/a", "b,5,7,2 weeks"]),
        ("Link,Followers,", ["a,12,3rd", "b,5,5 May", "c,7,vip,"]),
        ("Link,Followers,Following", ["a,12,345", "b,5,7", "c,9,n/a"]),
        ("Link,Followers,Notes", ["a,12,5K", "b,5000,10K", "c,9,goal"]),
        ("Link,Followers,Notes", ["a,12,345"]),
        ("Link,Followers,Date", ["a,12,2026-03-04", "b,5,2026-03-05"]),
        ("Link,Followers,Date", ["a,12,345", "b,5,46086"]),
        ("Link,Followers,Rate", ["a,12,345", "b,5,12.5"]),
        ("Link;Followers;;", ["a;1;2K;", "b;7;note;"]),
        ("Link;Followers;Likes", ["a;12;345;", "b;5;7"]),
    ],
)
def test_small_counts_notes_and_commas_at_the_end_are_no_cut_numbers(header: str, rows: list[str]) -> None:
    reading = read(header + "\n" + "".join(f"https://www.tiktok.com/@{row}\n" for row in rows))

    assert len(reading.rows) == len(rows)
    assert not reading.problems


@pytest.mark.parametrize(
    ("header", "row", "others"),
    [
        ("Link,Followers,Likes,Views", "a,,1000,5,", "1,2,3"),
        ("Link;Followers;Likes;Topic", "a;;1000;5;", "1;2;ok"),
        ("Link,Followers,Likes,Views,Topic", 'a,6,006",6055,6854,', "1,2,3,ok"),
        ("Link,Followers,Likes,,", "a,,1000,5,,", "1,2,,"),
    ],
)
def test_a_row_with_a_delimiter_too_many_is_not_read(header: str, row: str, others: str) -> None:
    rows = [row, *(f"{name},{others}".replace(",", header[4]) for name in "bcd")]

    reading = read("\n".join([header, *(f"https://www.tiktok.com/@{row}" for row in rows), ""]))

    assert list(reading.rows) == ["tiktok:@b", "tiktok:@c", "tiktok:@d"]
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("malformed_row", "A!A2")]
    assert "where others have" in reading.problems[0].message


@pytest.mark.parametrize(
    "rows",
    [
        ["a,1000,5,,", "b,1,2,3", "c,1,2,3"],
        ["a,,5,6,", "b,1,2,3,", "c,1,2,3"],
        ["a,,5,6", "b,1,2,3", "c,1,2,3"],
    ],
    ids=["no gap", "others likewise", "no cell more"],
)
def test_a_comma_at_the_end_of_a_row_is_none_too_many(rows: list[str]) -> None:
    reading = read("Link,Followers,Likes,Views\n" + "".join(f"https://www.tiktok.com/@{row}\n" for row in rows))

    assert len(reading.rows) == 3
    assert not reading.problems


@pytest.mark.parametrize("row", ["a,12,2024,1000,5,", "a,12,2024"])
def test_numbers_may_be_owners_and_topics_where_they_are_no_exception(row: str) -> None:
    rows = [row, "b,7,2025,1,2", "c,Cleo,2025,1,2", "d,7,Food,1,2"]

    reading = read("Link,Owner,Topic,Followers,Likes\n" + "".join(f"https://www.tiktok.com/@{row}\n" for row in rows))

    assert (len(reading.rows), reading.problems) == (4, ())


def test_nothing_is_cut_in_front_of_an_account_in_its_place() -> None:
    text = f"Followers,Likes,Link\n12,345,{ACCOUNTS[1]},\n5,7,{ACCOUNTS[2]}\n"

    assert list(followers(text).values()) == [12, 5]
    moved = read(text.replace("12,345", "1,234,5"))
    assert (moved.torn, list(moved.rows)) == (True, ["tiktok:@example_02"])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a,5,000", "b,70,8"], {"b": 70}),
        (["a,5,000", "b,7,100", "c,7000,12"], {"c": 7000}),
        (["a,12,045", "b,7,1"], {"b": 7}),
        (["a,5,000,", "b,7,8,9"], {"b": 7}),
        (["a,5,100", "b,7,200"], {"a": 5, "b": 7}),
        (["a,0,000", "b,7,8"], {"a": 0, "b": 7}),
        (["a,1000,000", "b,7,8"], {"a": 1000, "b": 7}),
        (['a,"5,000",40', "b,7,8"], {"a": 5000, "b": 7}),
    ],
)
def test_a_number_that_its_comma_cut_is_known_by_the_zero_it_goes_on_with(
    rows: list[str], expected: dict[str, int]
) -> None:
    text = "Link,Followers,Likes,Views\n" + "".join(f"https://www.tiktok.com/@{row}\n" for row in rows)

    assert followers(text) == expected


def test_cells_told_apart_by_other_signs_are_not_cut_by_commas() -> None:
    assert followers(f"Link;Followers;Likes\n{LINK.format(1)};5;000\n") == {"example_01": 5}


def test_a_row_that_ends_between_its_counts_is_read_where_many_do() -> None:
    header = "Link,Followers,Likes,Views"
    whole = [f"{LINK.format(n)},{n}00,{n}0,{n}" for n in range(1, 7)]
    short = [f"{LINK.format(n)},{n}00,{n}0" for n in range(7, 13)]

    trimmed = read("\n".join([header, *whole, *short, ""]))
    missing = read("\n".join([header, *whole, short[0], ""]))

    assert [row.counts.views for row in trimmed.rows.values()] == [1, 2, 3, 4, 5, 6, *[None] * 6]
    assert not trimmed.torn
    assert len(missing.rows) == 6
    assert [problem.cell for problem in missing.problems] == ["A!A8"]


def test_names_of_rows_that_have_no_header_shift_nothing() -> None:
    text = f'"Link","Followers"\n"1","{LINK.format(1)}","1000"\n"2","{LINK.format(2)}","2000"\n'

    assert followers(text) == {}


# Line ends and signs


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"], ids=["LF", "CRLF", "CR", "CRCRLF"])
def test_lines_may_end_in_any_way(end: str) -> None:
    assert followers(lines(end=end)) == WHOLE
    assert followers(lines(end=end).rstrip()) == WHOLE


def test_lines_of_unix_and_windows_may_stand_in_one_file() -> None:
    assert followers(lines() + lines(end="\r\n").partition("\r\n")[2]) == WHOLE


@pytest.mark.parametrize(
    ("changed", "line"),
    [((10, f"{LINK.format(9)},ann\rsmith,9000"), 10), ((2, f"{LINK.format(1)}\r,ann,1000"), 2)],
    ids=["in a text", "behind the link"],
)
def test_a_line_end_within_a_cell_refuses_the_tab(changed: tuple[int, str], line: int) -> None:
    assert f"line {line} ends by a sign that other lines do not end by" in refusal(lines(changed)).message


def test_a_line_end_within_a_quoted_cell_is_text() -> None:
    assert followers(lines((10, f'{LINK.format(9)},"ann\rsmith",9000'))) == WHOLE
    assert followers(lines((10, f'{LINK.format(9)},"ann\nsmith",9000'), end="\r\n")) == WHOLE


@pytest.mark.parametrize("text", ["90\x0000", "\0" * 40, "ann\0"])
def test_a_sign_that_is_no_text_refuses_the_tab_with_its_line(text: str) -> None:
    error = refusal(lines((10, f"{LINK.format(9)},ann,{text}")))

    assert "line 10 has signs that are no text" in error.message


def test_utf_16_without_its_mark_is_refused() -> None:
    payload = csv_payload(Tab("a", "A"), lines().encode("utf-16-le"))

    with pytest.raises(SourceError, match="UTF-16"):
        payload.rows()


def test_what_office_left_of_line_ends_is_passed_over() -> None:
    assert followers(lines().replace(",", "_x000D_,").replace("\n", "_x000D_\n")) == WHOLE


def test_a_file_that_ends_in_a_row_says_so() -> None:
    reading = read(lines().rstrip().removesuffix(",ann,12000"))

    assert "example_12" not in str(list(reading.rows))
    assert [(problem.code, problem.cell) for problem in reading.problems] == [("malformed_row", "A!A13")]
    assert "is it still being written?" in reading.problems[0].message
    assert reading.torn


# Delimiters


RAGGED = [
    "Link;Followers;Added;Note;X;Y",
    *(f"{LINK.format(n)};{n}000;April {n}, 2025;ok{';;' if n % 3 == 0 else ''}" for n in range(1, 13)),
    "",
]


def test_the_delimiter_is_the_one_that_finds_the_header() -> None:
    assert followers("\n".join(RAGGED)) == WHOLE


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("note", ["a, b", "a; b; c", "a | b", "a\tb", "1,5; 2,5"])
def test_other_delimiters_within_cells_do_not_matter(delimiter: str, note: str) -> None:
    cell = f'"{note}"' if delimiter in note else note
    table = [delimiter.join(("Link", "Note", "Followers"))]
    table += [delimiter.join((LINK.format(n), cell, f"{n}000")) for n in range(1, 13)]

    assert followers("\n".join(["Our bloggers, by hand; see | below", *table, ""])) == WHOLE


def test_names_that_were_added_find_the_delimiter_too() -> None:
    aliases: dict[str, tuple[str, ...]] = {"url": ("Konto",), "followers": ("Abonnenten",)}
    text = "\n".join(RAGGED).replace("Link;Followers", "Konto;Abonnenten")

    assert followers(text, aliases) == WHOLE


@pytest.mark.parametrize(
    ("first", "delimiter"),
    [
        ("sep=;", ";"),
        ("sep=,", ","),
        ("sep=\t", "\t"),
        ("SEP=|", "|"),
        ('"sep=;"', ";"),
        ("sep=^", "^"),
        ("sep=;;;", ";"),
    ],
)
def test_the_first_line_may_name_the_delimiter(first: str, delimiter: str) -> None:
    text = first + "\r\n" + lines(end="\r\n").replace(",", delimiter)

    assert followers(text) == WHOLE
    assert read(text).rows["tiktok:@example_01"].row == 3


@pytest.mark.parametrize(
    "text",
    [
        "# made by hand, with commas\n#\n" + lines(),
        "| " + lines().replace(",", " | ").replace("\n", " |\n| ").removesuffix("| "),
        "\ufeff" + lines(),
        lines() + "\x1a",
        lines() + "Total,,78000\n",
        "\n".join(f",{line}" for line in lines().splitlines()) + "\n",
        lines().replace(",ann,", ",50% off & <b>,"),
        lines().replace(",ann,", ',5" screen,'),
        lines().replace(",ann,", ",'ann',"),
        lines().replace("000\n", "000.0\n"),
        lines().replace("000\n", " 000\n"),
        lines(header=" link , OWNER , Followers "),
    ],
    ids=[
        "comments",
        "markdown",
        "mark",
        "end of DOS",
        "total",
        "index",
        "signs",
        "inches",
        "single quotes",
        "floats",
        "spaces",
        "spaces in the header",
    ],
)
def test_a_table_is_read_whatever_stands_around_it(text: str) -> None:
    assert followers(text) == WHOLE


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_first_line_that_names_another_delimiter_than_the_table_has_is_passed_over(delimiter: str) -> None:
    text = f"sep={'|' if delimiter == ',' else ','}\n" + lines().replace(",", delimiter)

    assert followers(text) == WHOLE


def test_a_table_whose_lines_are_quoted_as_a_whole_is_read() -> None:
    plain = lines((10, f'{LINK.format(9)},"Smith, Ann","9,000"'))
    wrapped = "".join('"{}"\n'.format(line.replace('"', '""')) for line in plain.splitlines())

    assert followers(wrapped) == WHOLE
    assert read(wrapped).rows["tiktok:@example_09"].owner == "Smith, Ann"
    assert followers(wrapped.replace("\n", "\r\n\r\n")) == WHOLE


def test_what_is_quoted_as_a_whole_and_no_table_is_none() -> None:
    with pytest.raises(SourceError, match="no header"):
        read('"a, b"\n"c, d"\n')


# Rules that hold for any table

CELLS = st.text(st.sampled_from("ab,;\"'\n\r |\t1é"), max_size=8)


@given(st.lists(CELLS, min_size=1, max_size=12), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_a_program_writes_is_read_back(notes: list[str], quoting: int) -> None:
    assume(not any("\r" in note for note in notes))  # a program that writes it as a line end is another's fault
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerow(["Link", "Note", "Followers"])
    writer.writerows([[LINK.format(n), note, n] for n, note in enumerate(notes)])

    rows = rows_of(out.getvalue())

    assert [[str(cell).strip() for cell in row[1:]] for row in rows[1:]] == [
        [note.strip(), str(n)] for n, note in enumerate(notes)
    ]


@given(st.integers(0, 12), st.integers(0, 30), st.sampled_from('"\r\0,'))
def test_a_stray_sign_never_gives_an_account_the_number_of_another(line: int, place: int, sign: str) -> None:
    rows = lines().split("\n")
    rows[line] = rows[line][:place] + sign + rows[line][place:]

    found = followers_or_code("\n".join(rows))

    if isinstance(found, str):
        assert found in {"malformed_csv", "header_missing"}
    else:
        assert all(count in {None, WHOLE[name]} for name, count in found.items() if name in WHOLE)


def test_a_cell_that_is_long_over_many_lines_is_refused() -> None:
    text = 'URL,Followers,Note\nx.com/a,12,ok\nx.com/b,13,"' + ("n" * 1_000 + "\n") * 200 + '"\n'

    with pytest.raises(SourceError, match="line 3 has a cell of more than 131,072 characters"):
        rows_of(text)


def test_many_short_rows_have_as_many_cells_as_few_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (limits, table):
        monkeypatch.setattr(module, "MOST_CELLS", 20)

    with pytest.raises(SourceError, match="more than 20 cells"):
        rows_of("URL,Followers\n" + "x.com/a,12\n" * 10)
