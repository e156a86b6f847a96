"""From a problem to its cell, and from a state to what is to be done."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from tests.dashboard.conftest import Site
from tests.dashboard.filled import TOKEN
from tests.dashboard.test_pages import project_id, text_of
from webapp.dashboard import SetUp
from webapp.rules.addresses import cell_link, short_name
from webapp.rules.words import group_numbers
from webapp.store.tables import doubts, projects

BOOK = "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-abcd"


def change(site: Site, **values: Any) -> None:
    with site.parts.db.write() as tx:
        tx.execute(projects.update().where(projects.c.name == "Beauty Lab").values(**values))


def report(*problems: tuple[str, str, str | None]) -> dict[str, Any]:
    found = [{"code": code, "message": message, "cell": cell} for code, message, cell in problems]
    return {"sheet_report": {"final": {"problems": found}, "read": {}}}


def test_a_cell_of_a_google_sheet_is_one_click_away(site: Site) -> None:
    change(site, spreadsheet=BOOK, worksheet_id="17")
    visitor = site.visitor(TOKEN)

    page = visitor.get(f"/projects/{project_id(site)}").get_data(as_text=True)

    link = f'href="https://docs.google.com/spreadsheets/d/{BOOK}/edit#gid=17&amp;range=I6"'
    assert re.search(rf"{re.escape(link)}[^>]*>Beauty Lab!I6", page), re.findall('class="cell"[^>]*', page)


def test_rows_and_columns_have_their_links_and_a_title_is_none() -> None:
    base = f"https://docs.google.com/spreadsheets/d/{BOOK}/edit#gid=0"
    links = {cell: cell_link(BOOK, "0", cell) for cell in ("A!G14", "A!17", "A!D", "AB", "A!17,31", None)}

    assert links == {
        "A!G14": f"{base}&range=G14",
        "A!17": f"{base}&range=17%3A17",
        "A!D": f"{base}&range=D%3AD",
        "AB": base,
        "A!17,31": base,
        None: base,
    }
    assert cell_link("folder/of/files", "0", "A!G14") is None


def test_the_cell_of_a_file_can_be_copied(site: Site) -> None:
    page = site.visitor(TOKEN).get(f"/projects/{project_id(site)}").get_data(as_text=True)

    assert re.search(r'<code class="cell copy" data-copy>Beauty Lab![A-Z]+\d+</code>', page)


def test_problems_are_told_by_kind_with_what_to_do_and_held_values_stand_by_themselves(site: Site) -> None:
    change(
        site,
        **report(
            ("bad_url", "Beauty Lab!C4: 'x' is no profile", "Beauty Lab!C4"),
            ("held", "https://a.b/c: views 2993040 (instagram) is far off", None),
            ("lower_edit_ignored", "Beauty Lab!F3: 1234567 was typed, not '1234567'", "Beauty Lab!F3"),
            ("bad_url", "Beauty Lab!C5: 'y' is no profile", "Beauty Lab!C5"),
            ("of_tomorrow", "nobody knows this one", None),
        ),
    )
    visitor = site.visitor(TOKEN)
    words = text_of(visitor, f"/projects/{project_id(site)}")

    assert "Addresses that are no profile 2 Paste the address of the profile page. Beauty Lab!C4 'x' is no" in words
    assert "Beauty Lab!F3 1,234,567 was typed, not '1234567'" in words
    assert "Others 1 Mend what the words say. nobody knows this one" in words
    assert "2993040" not in words
    assert "whole sheet" not in words
    assert "4 problems 1 held value" in text_of(visitor, "/")


def test_a_cell_that_a_problem_names_besides_is_a_link_too(site: Site) -> None:
    twice = "Beauty Lab!C42: the same account as Beauty Lab!C8; the larger of each count is taken"
    change(site, spreadsheet=BOOK, worksheet_id="17", **report(("duplicate_row", twice, "Beauty Lab!C42")))

    page = site.visitor(TOKEN).get(f"/projects/{project_id(site)}").get_data(as_text=True)

    assert "#gid=17&amp;range=C42" in page
    assert "#gid=17&amp;range=C8" in page


def test_values_in_doubt_are_counted_and_lead_to_their_cells(site: Site) -> None:
    now = site.time.now
    with site.parts.db.write() as tx:
        row = {"account_id": 2, "metric": "views", "day": now.date(), "typed": 9_000_000, "credible": 1_000}
        tx.execute(doubts.insert().values(**row, since=now, observed_at=now, state="open"))
    change(site, spreadsheet=BOOK, worksheet_id="17")
    visitor = site.visitor(TOKEN)

    page = visitor.get(f"/projects/{project_id(site)}").get_data(as_text=True)

    assert "1 in doubt" in text_of(visitor, "/")
    assert "#gid=17&amp;range=I3" in page[page.index('id="doubts"') : page.index('id="accounts"')]


def test_what_failed_comes_first_and_is_counted_on_top(site: Site) -> None:
    with site.parts.db.write() as tx:
        gone = {"failures": 1, "last_error": "the tab 'Street Food' has gone"}
        tx.execute(projects.update().where(projects.c.name == "Street Food").values(gone))
    visitor = site.visitor(TOKEN)
    page, words = visitor.get("/").get_data(as_text=True), text_of(visitor, "/")
    with site.parts.db.read() as tx:
        found = tx.execute(sa.select(projects.c.id).where(projects.c.name == "Street Food")).scalar_one()
    mine = text_of(visitor, f"/projects/{found}")

    assert re.search(r"1 of 3 projects failed, \d needs? a hand", words)
    assert re.findall(r'data-project="([^"]+)"', page)[0] == found
    assert "Street Food failed" in words
    assert "the tab 'Street Food' has gone" in mine
    assert re.search(r"Problems [1-9]", mine)
    assert "The tab was not taken over" in mine[mine.index("Problems") :]
    assert "Nothing in the Sheet needs a hand" not in mine


def test_a_tab_that_was_not_taken_over_is_one_click_away(site: Site) -> None:
    change(site, spreadsheet=BOOK, worksheet_id="17", failures=1, last_error="Beauty Lab: the tab is empty")

    page = site.visitor(TOKEN).get(f"/projects/{project_id(site)}").get_data(as_text=True)

    link = f'href="https://docs.google.com/spreadsheets/d/{BOOK}/edit#gid=17"'
    assert link in page[page.index("The tab was not taken over") :]


def test_what_a_sync_came_to_is_said(quiet_site: Site) -> None:
    words = text_of(quiet_site.visitor(TOKEN), "/")

    assert "Latest sync just now succeeded: 3 projects done, 0 failed, 0 skipped, 0 left." in words


def test_a_number_in_words_is_grouped_and_nothing_else() -> None:
    said = "2993040 is far off the 74826 before; see 2026-03-02, '2993040', https://a.b/1234567 and v1.23456"

    assert group_numbers(said) == said.replace("2993040 is", "2,993,040 is").replace("74826", "74,826")


def test_an_account_without_a_name_is_called_by_a_short_address() -> None:
    assert short_name("anna", "https://x.com/anna") == "anna"
    assert short_name(None, "https://www.linktr.ee/anna/") == "linktr.ee/anna"
    assert short_name(None, "https://linktr.ee/some/very/long/address/of/anna") == "linktr.ee/…/anna"
    assert short_name(None, "x" * 70) == f"{'x' * 30}…"


def test_the_page_is_set_up_with_the_default_spreadsheet(quiet_site: Site) -> None:
    parts = quiet_site.app.extensions["smart_sync"]

    assert parts[SetUp].sheet == quiet_site.parts.engine.sheets[0].key
