from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import SourceError
from webapp.model import METRICS
from webapp.rules.addresses import address, column_letters
from webapp.sources.sheet import Cell
from webapp.sources.sheet.headers import Header, find_header
from webapp.sources.sheet.quotes import quote_cell

LINK = "https://www.tiktok.com/@ann"
PLAIN: list[Cell] = ["Link", "Platform", "Username", "Owner", "Topic", "Status", *METRICS]


def columns(*names: Cell) -> dict[str, int]:
    return dict(find_header([names]).columns)


def refused(rows: list[list[Cell]], aliases: dict[str, tuple[str, ...]] | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        find_header(rows, aliases, "Project A")
    return caught.value


def header_or_code(rows: list[list[Cell]]) -> Header | str:
    try:
        return find_header(rows)
    except SourceError as error:
        return error.code


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "@Username, Link, Platform, Username, Followers, Likes, Following, Videos, Views, Last Update, Status, Тематика",
            "owner, url, platform, username, followers, likes, -, videos, views, -, status, topic",
            id="person and handle",
        ),
        pytest.param(
            "Account URL, Followers, Likes, Comments, Videos, Views",
            "url, followers, likes, comments, videos, views",
            id="account url and five metrics",
        ),
        pytest.param(
            "Telegram User, TikTok URL, Подписчики, Лайки, Подписки, Видео, Просмотры, Last Update, Статус, Тематика, Проект",
            "owner, url, followers, likes, -, videos, views, -, status, topic, -",
            id="one platform, in Russian",
        ),
        pytest.param(
            "Profile URL, Platform, Username, Topic, Followers, Likes, Comments, Videos, Views",
            "url, platform, username, topic, followers, likes, comments, videos, views",
            id="profile url",
        ),
    ],
)
def test_each_header_in_use_is_understood(line: str, expected: str) -> None:
    header = find_header([line.split(", ")])

    assert header.columns == {name: i for i, name in enumerate(expected.split(", ")) if name != "-"}
    assert (header.doubled, header.near) == ({}, {})


@pytest.mark.parametrize(
    ("meaning", "names"),
    [
        ("url", "Link|URL|Account URL|Profile URL|Profile|Profile link|Ссылка|Ссылка на профиль|Аккаунт"),
        ("url", "TikTok URL|Instagram link|Ссылка на тикток|YouTube channel link|X URL|Ссылка VK"),
        ("platform", "Platform|Social network|Платформа|Соцсеть"),
        ("username", "Username|Handle|Nickname|Ник|Логин|Юзернейм"),
        ("owner", "@Username|Owner|Telegram User|Person|Manager|Блогер|Владелец|Имя|Ответственный"),
        ("topic", "Topic|Niche|Category|Тематика|Тема"),
        ("status", "Status|Статус"),
        ("followers", "Followers|Subscribers|Подписчики"),
        ("likes", "Likes|Лайки"),
        ("comments", "Comments|Комментарии"),
        ("videos", "Videos|Video count|Видео|Ролики"),
        ("views", "Views|Просмотры"),
    ],
)
def test_a_column_has_names_in_english_and_russian(meaning: str, names: str) -> None:
    others = [name for name in ("Link", "Followers", "Views") if meaning not in {"url", "followers", "views"}]
    others = others or [name for name in ("Link", "Likes") if (meaning == "url") != (name == "Link")]

    for name in names.split("|"):
        assert columns(*others, name)[meaning] == len(others), name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("FOLLOWERS", id="case"),
        pytest.param("  Followers ", id="spaces around"),
        pytest.param("Follower\u00a0\n  Count", id="no-break space and line break"),
        pytest.param("\ufeffFollowers", id="byte order mark"),
        pytest.param("Fol\u200blowers", id="zero-width space"),
        pytest.param("👥 Followers ❤️", id="emoji"),
        pytest.param("*Followers*:", id="punctuation"),
        pytest.param("Ｆｏｌｌｏｗｅｒｓ", id="full width"),
        pytest.param("Follower_count", id="underscore"),
        pytest.param("Кол-во подписчиков", id="hyphen"),
    ],
)
def test_dress_does_not_matter_to_a_name(name: str) -> None:
    assert columns("Link", name) == {"url": 0, "followers": 1}


def test_a_name_in_decomposed_letters_is_the_same() -> None:
    assert columns("Link", "Лаи\u0306ки") == {"url": 0, "likes": 1}


@pytest.mark.parametrize("name", ["@Username", " @ username:", "👤@USERNAME", "＠Username"])
def test_the_at_sign_tells_a_person_from_a_handle(name: str) -> None:
    assert columns(name, "Link", "Username", "Views") == {"owner": 0, "url": 1, "username": 2, "views": 3}


@pytest.mark.parametrize("name", ["Following", "Подписки", "Project", "Проект", "Last Update", "Обновлено", "Posts"])
def test_a_column_that_is_no_metric_is_left_alone(name: str) -> None:
    header = find_header([["Link", "Views", name]])

    assert header.columns == {"url": 0, "views": 1}
    assert header.near == {}


@pytest.mark.parametrize(
    ("name", "platform"),
    [("TikTok URL", "tiktok"), ("Instagram link", "instagram"), ("Ссылка на ютуб", "youtube"), ("Link", None)],
)
def test_the_name_of_the_url_column_may_tell_the_platform(name: str, platform: str | None) -> None:
    assert find_header([[name, "Views"]]).platform == platform


@pytest.mark.parametrize("above", [0, 1, 9])
def test_a_header_may_stand_below_a_title(above: int) -> None:
    rows: list[list[Cell]] = [["Our bloggers, followers by hand"]] * above

    assert find_header([*rows, PLAIN]).row == above + 1


def test_a_header_is_not_looked_for_below_the_tenth_row() -> None:
    titles: list[list[Cell]] = [["Our bloggers"]] * 10

    assert refused([*titles, PLAIN]).code == "header_missing"


def test_a_table_may_start_anywhere_to_the_right() -> None:
    assert find_header([[], [], [None, "Link", "Views"]]).columns == {"url": 1, "views": 2}


def test_blank_and_doubled_unused_names_are_silent() -> None:
    header = find_header([["Link", "", None, "", "Notes", "Notes", "Views"]])

    assert header.columns == {"url": 0, "views": 6}
    assert (header.doubled, header.near) == ({}, {})


def test_platform_and_handle_do_for_an_address() -> None:
    assert columns("Platform", "Handle", "Views") == {"platform": 0, "username": 1, "views": 2}


@pytest.mark.parametrize(
    "names",
    [["Link", "Notes"], ["Followers", "Views"], ["Platform", "Views"], ["@Username", "Platform", "Views"]],
    ids=["no metric", "no account", "platform alone", "a person is no handle"],
)
def test_half_a_header_is_none(names: list[Cell]) -> None:
    assert refused([names]).code == "header_missing"


def test_a_missing_header_is_told_with_what_was_found_and_what_is_due() -> None:
    error = refused([[], ["Name", None, "Fans"], ["@ann", "https://x.com/ann", 12]])

    assert error.message.startswith("Project A: no header in the first 10 rows; row 2 has 'Name', 'Fans'; expected")
    assert all(word in error.message for word in ("profile URL", "Link", "Platform", "Followers", "Views"))
    assert error.hint is not None
    assert "SMART_SYNC_COLUMNS" in error.hint


def test_what_was_found_is_the_row_most_like_a_header() -> None:
    assert "row 3 has 'Link', 'Fans'" in refused([["Our bloggers"], [], ["Link", "Fans"]]).message


def test_a_wide_row_is_told_in_part() -> None:
    assert "and 88 more" in refused([[f"Note {i}" for i in range(100)]]).message


@pytest.mark.parametrize(
    "rows", [[], [[]], [[], [None, "", " \u00a0\ufeff"]], [[]] * 20], ids=["none", "one", "blank cells", "many"]
)
def test_an_empty_tab_is_told_as_such(rows: list[list[Cell]]) -> None:
    assert refused(rows).code == "tab_empty"


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        (["Link", "Views", "Account URL"], ["Project A!A1 'Link'", "Project A!C1 'Account URL'"]),
        (["TikTok URL", "Instagram URL", "Views"], ["Project A!A1 'TikTok URL'", "Project A!B1 'Instagram URL'"]),
        (["Platform", "Ник", "Handle", "Views"], ["Project A!B1 'Ник'", "Project A!C1 'Handle'"]),
        (["Platform", "Соцсеть", "Handle", "Views"], ["Project A!A1 'Platform'", "Project A!B1 'Соцсеть'"]),
    ],
    ids=["two links", "two platforms' links", "two handles", "two platforms"],
)
def test_two_columns_that_may_name_the_account_are_never_guessed(names: list[Cell], cells: list[str]) -> None:
    error = refused([names])

    assert error.code == "header_unsure"
    assert all(cell in error.message for cell in cells)


def test_a_doubled_metric_is_left_out_alone() -> None:
    header = find_header([["Link", "Followers", "Views", "Подписчики"]])

    assert header.columns == {"url": 0, "views": 2}
    assert header.doubled == {"followers": (1, 3)}


@pytest.mark.parametrize(
    ("header", "below", "doubled"),
    [
        (["Link", "Followers", None, "Likes"], ["", "Before", "Now", None], {"followers": (1, 2)}),
        (["Link", "Followers", "", "", "Likes"], ["", "24.11.", "25.11.", "26.11.", ""], {"followers": (1, 2, 3)}),
        (["Link", "Likes", "Followers"], [None, None, 45999, 46000], {"followers": (2, 3)}),
        (["Platform", "Ник", "Views"], ["", "", "2024", "2025"], {"views": (2, 3)}),
        (["Link", "Likes", "Followers"], ["", "all", "all"], {}),
        (["Link", "Followers", "", "Likes"], ["", "", "change"], {}),
        (["Link", "Followers", "", "Likes"], ["https://www.tiktok.com/@ann", 1000, 950], {}),
        (["Link", "Followers", "", "Likes"], ["", "1 000", "ask her", 5], {}),
        (["Owner", "Link", "Followers", "", "Likes", ""], ["Total:", "", 5799, 0.12, 327, "3 %"], {}),
        (["Link", "Followers", ""], ["", "New", "Total"], {"followers": (1, 2)}),
        (["Link", "Views", "", ""], ["", "2025", "2026", "Total"], {"views": (1, 2, 3)}),
        (["Link", "Followers"], [], {}),
    ],
    ids=[
        *("words", "days", "dates", "years", "their own", "a name beside", "an account", "a note"),
        *("sums", "a total", "years and a total", "a blank row"),
    ],
)
def test_a_name_that_is_merged_over_several_columns_is_none_of_theirs(
    header: list[Cell], below: list[Cell], doubled: dict[str, tuple[int, ...]]
) -> None:
    assert find_header([header, below]).doubled == doubled


@pytest.mark.parametrize(("names", "column"), [(["Now", "+/-"], 1), (["%", "Now"], 2), (["+", "%"], None)])
def test_below_a_merged_name_a_change_is_no_count(names: list[Cell], column: int | None) -> None:
    header = find_header([["Link", "Followers", "", "Likes"], ["", *names, "Now"]])

    assert (header.columns.get("followers"), header.columns["likes"]) == (column, 3)
    assert header.doubled == ({} if column else {"followers": (1, 2)})


def test_a_doubled_metric_alone_still_makes_a_header() -> None:
    assert find_header([["Link", "Views", "Views"]]).doubled == {"views": (1, 2)}


@pytest.mark.parametrize("names", [["Username", "Handle"], ["Owner", "Блогер"], ["Status", "Статус"]])
def test_a_doubled_text_is_left_out_where_a_link_names_the_account(names: list[str]) -> None:
    header = find_header([["Link", "Views", *names]])

    assert header.columns == {"url": 0, "views": 1}
    assert list(header.doubled.values()) == [(2, 3)]


@pytest.mark.parametrize(
    ("name", "metric"),
    [("Folowers", "followers"), ("Followers (k)", "followers"), ("Coments", "comments"), ("Лайкы", "likes")],
)
def test_a_slip_of_the_pen_is_seen(name: str, metric: str) -> None:
    header = find_header([["Link", "Views", name]])

    assert header.near == {metric: 2}
    assert metric not in header.columns


@pytest.mark.parametrize("name", ["{} %", "% {}", "{}, ％", "+{}", "{} (+/-)", "± {}", "∆ {}", "{}, $", "€ {}"])
def test_a_share_a_change_and_a_price_are_no_counts(name: str) -> None:
    """They stand beside the count, or alone."""
    header = find_header([["Link", "Views", name.format("Views"), name.format("Videos")]])

    assert header.columns == {"url": 0, "views": 1}
    assert header.doubled == {}


@pytest.mark.parametrize("name", ["Views ▲", "▲ Views", "Views ↑", "Views 🔻", "↗ Views"])
def test_an_arrow_makes_a_name_that_of_a_change(name: str) -> None:
    assert find_header([["Link", "Views", name]]).columns == {"url": 0, "views": 1}
    assert find_header([["Link", "Likes", name]]).near == {"views": 2}


@pytest.mark.parametrize("mark", ["▼", "▲", "↓", "↑", "🔽", "⬇️", "↗"])
def test_an_arrow_makes_no_other_name_of_what_is_no_count(mark: str) -> None:
    names = ["Link", "Owner", "Date", "Status", "Followers"]

    assert columns(*(f"{name} {mark}" for name in names[:4]), "Followers") == {
        n.lower() if n != "Link" else "url": i for i, n in enumerate(names)
    }
    assert find_header([[f"TikTok URL {mark}", "Likes"]]).platform == "tiktok"
    assert find_header([["Link", "Likes", f"Last update {mark}"]]).dated == (2,)


def test_the_names_of_a_sorted_table_may_come_twice() -> None:
    header = find_header([["Link ↓", "Likes ↓"], ["Link ↓", "Likes ↓"], [LINK, 12]])

    assert (header.columns, header.partial) == ({"url": 0, "likes": 1}, {})


@pytest.mark.parametrize(
    "name", ["Followers ▼", "Followers▼", "Followers ↓", "Followers 🔽", "Подписчики ⬇️", "Followers ▲▼"]
)
def test_an_arrow_down_behind_the_only_name_of_a_count_says_that_the_table_is_sorted(name: str) -> None:
    assert columns("Link", name, "Likes ▼") == {"url": 0, "followers": 1, "likes": 2}
    assert columns("Link", "Followers", name) == {"url": 0, "followers": 1}
    assert columns("Link", "Likes", "Followers ▲", name) == {"url": 0, "likes": 1}


def test_a_name_with_a_plus_behind_it_is_told_where_the_count_has_no_other_column() -> None:
    assert find_header([["Link", "Likes", "Followers+"]]).near == {"followers": 2}
    assert find_header([["Link", "Followers", "Followers+"]]).near == {}
    assert find_header([["Link", "Likes", "+Followers"]]).near == {}


@pytest.mark.parametrize("name", ["Followers (total)", "Current followers", "Подписчики (всего)", "Followers now"])
def test_a_name_of_the_whole_count_is_told(name: str) -> None:
    assert find_header([["Link", "Likes", name]]).near == {"followers": 2}
    assert find_header([["Link", "Followers", name]]).near == {}


@pytest.mark.parametrize(
    "unit",
    ["(K)", "K", "in K", "тыс.", "(тыс. чел.)", "(000)", "'000", "x1000", "thousands", "万", "(in millions)", "Tsd."],
)
def test_a_unit_beside_the_name_makes_no_counts_of_the_numbers(unit: str) -> None:
    below = find_header([["Link", "Followers", "Likes"], [None, unit], [LINK, 12, 5]])
    above = find_header([[None, unit], ["Link", "Followers", "Likes"], [LINK, 12, 5]])

    assert (below.row, below.columns, below.partial) == (1, {"url": 0, "likes": 2}, {"followers": (2, 1)})
    assert (above.row, above.columns, above.partial) == (2, {"url": 0, "likes": 2}, {"followers": (1, 1)})
    assert 1 in below.used


@pytest.mark.parametrize(
    "word",
    [
        *(
            "Growth",
            "%",
            "gained last week",
            "Δ",
            "прирост",
            "avg per video",
            "+/-",
            "growth 2026",
            "+7d",
            "+14d",
            "+ 7 days",
            "▲",
        ),
        *("7-day growth", "growth, not total", "new (30 days)", "% of 100", "growth 3M"),
    ],
)
def test_a_change_below_the_name_makes_no_counts_of_the_numbers(word: str) -> None:
    header = find_header([["Link", "Followers", "Likes"], ["(link)", word, "total"], [LINK, 12, 5]])

    assert (header.columns, header.partial) == ({"url": 0, "likes": 2}, {"followers": (2, 1)})


@pytest.mark.parametrize(
    "row",
    [
        *([None, "total"], [None, "(now)"], [None, "000"], [None, "-"], [LINK, "new"], [LINK, "K"]),
        *(
            [None, word]
            for word in (
                "+5%",
                "▲ 5%",
                "(+120)",
                "+120 this week",
                "+12 MoM",
                "+7% w/w",
                "100%",
                "goal: 10K",
                "Goal 10 000",
                "avg 12,000",
            )
        ),
        *(
            [None, word]
            for word in (
                "reels + posts",
                "posts+reels",
                "total, not growth",
                "всего, а не прирост",
                "incl. new",
                "▼",
                "@handle",
            )
        ),
    ],
)
def test_other_cells_below_the_name_are_no_unit(row: list[Cell]) -> None:
    assert find_header([["Link", "Followers"], row]).partial == {}


@pytest.mark.parametrize(
    "line",
    [
        "All numbers in thousands",
        "(in K)",
        "November (в тыс.)",
        "Angaben in Tsd.",
        "単位：千人",
        "（单位：万）",
        "단위: 천 명",
    ],
)
def test_a_line_that_makes_thousands_of_all_numbers_refuses_the_tab(line: str) -> None:
    error = refused([[line], ["Link", "Followers"], [LINK, 12]])

    assert (error.code, "Project A!A1" in error.message) == ("header_unsure", True)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "We reach people in millions of homes",
            "Followers in K-pop",
            "Thousands",
            "in Kenya",
            "Do not shorten (in K)",
        ),
        *(
            "Budget (in thousands)",
            "Prices (in K $)",
            "in k€",
            "Бюджет (в тыс. ₽)",
            "Цены (в тыс.)",
            "Reach goal (in K): 50",
        ),
        *("单位：万元", "単位：百万円", "金额（单位：万）", "단위: 천원"),
    ],
)
def test_other_lines_with_such_words_do_not(line: str) -> None:
    assert find_header([[line], ["Link", "Followers"], [LINK, 12]]).columns == {"url": 0, "followers": 1}


def test_a_line_about_the_number_behind_it_says_nothing_of_the_others() -> None:
    rows: list[list[Cell]] = [["Total views (in millions)", 12.5], ["Link", "Followers"], [LINK, 12]]

    assert find_header(rows).columns == {"url": 0, "followers": 1}
    assert refused([["Views and prices (in K)"], *rows[1:]]).code == "header_unsure"
    for year in (2026, "2026", 46000):
        assert refused([["November (in K)", year], *rows[1:]]).code == "header_unsure"


def test_a_share_is_not_meant_for_a_count() -> None:
    assert find_header([["Link", "Views", "Likes %"]]).near == {}


def test_a_metric_that_is_there_is_not_looked_for_elsewhere() -> None:
    assert find_header([["Link", "Followers", "Folowers"]]).near == {}


def test_names_can_be_added() -> None:
    aliases = {"url": ("Konto",), "followers": ("Fans", "Abonnenten")}

    assert find_header([["konto", "ABONNENTEN:"]], aliases).columns == {"url": 0, "followers": 1}


def test_an_added_name_settles_what_would_be_unsure() -> None:
    aliases = {"url": ("Account URL",), "owner": ("Username",)}

    header = find_header([["Link", "Account URL", "Username", "Views"]], aliases)

    assert header.columns == {"url": 1, "owner": 2, "views": 3}


def test_a_very_long_cell_is_no_name() -> None:
    assert refused([["Link" + " " * 500, "Views"]]).code == "header_missing"


def test_a_header_is_recognised_when_it_comes_again() -> None:
    header = find_header([["Link", "Followers", "Views"]])

    assert header.repeats(["ссылка", "Подписчики", None])
    assert not header.repeats(["https://x.com/ann", "Followers", "Views"])
    assert not header.repeats(["Link", 12, 0])
    assert not header.repeats(["Link"])


@pytest.mark.parametrize(
    ("index", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_have_letters(index: int, letter: str) -> None:
    assert column_letters(index) == letter


def test_an_address_reads_as_people_write_it() -> None:
    assert address("O'Brien!", 3, 17) == "O'Brien!!D17"
    assert address("", 3, 17) == "D17"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("#REF!", "'#REF!'"),
        ("12\n\x00\u202e13", r"'12\n\x00\u202e13'"),
        ("\ud800", r"'\ud800'"),
        ("x" * 41, f"'{'x' * 40}…'"),
        (True, "TRUE"),
        (0.45, "0.45"),
        (10**5000, "a number of very many digits"),
    ],
    ids=["text", "one line", "lone surrogate", "long", "boolean", "number", "huge"],
)
def test_a_cell_is_quoted_on_one_short_line(cell: Cell, shown: str) -> None:
    assert quote_cell(cell) == shown


@pytest.mark.parametrize(
    ("row", "above", "expected"),
    [
        (("Link", "Payment", "Paid"), (), True),
        (("Page", "Budget", "Spent"), (), True),
        (("Link", "Payment", "Paid"), ("x.com/ann", 5, 7), True),
        (("Page", "Budget", "Spent"), ("x.com/ann", 5, 7), False),
        (("", "Budget", "Spent"), (), False),
        (("@ann", "Budget", "Spent"), (), False),
        (("Total", "Budget", "Spent"), (), False),
        (("x.com/ann", "private", "hidden"), (), False),
        (("", "of all", "of the week"), ("Link", "Followers", "Likes"), False),
        (("Page", "Budget", "Budget"), (), False),
        (("Page", 5, "Spent"), (), False),
    ],
)
def test_a_row_names_other_columns_where_words_stand_apart_in_the_place_of_counts(
    row: Sequence[Cell], above: Sequence[Cell], *, expected: bool
) -> None:
    header = find_header([("Link", "Followers", "Likes"), ("x.com/ann", 1, 2)])

    assert header.names_others(row, above) is expected


@given(st.permutations(PLAIN), st.integers(0, 5))
def test_columns_may_stand_in_any_order_and_place(names: list[Cell], blanks: int) -> None:
    found = columns(*[""] * blanks, *names)

    meanings = ["url", *(str(name).lower() for name in PLAIN[1:])]
    assert found == {meaning: blanks + names.index(name) for meaning, name in zip(meanings, PLAIN, strict=True)}


@given(st.lists(st.lists(st.none() | st.text(max_size=12) | st.sampled_from(PLAIN) | st.integers(), max_size=6)))
def test_any_rows_have_a_header_or_an_error_of_ours(rows: list[list[Cell]]) -> None:
    header = header_or_code(rows)

    if isinstance(header, Header):
        assert {*header.columns, *header.doubled} & set(METRICS)
    else:
        assert header in {"tab_empty", "header_missing", "header_unsure"}
