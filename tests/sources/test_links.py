"""Where addresses lead that are not the page itself: behind a `#`, behind other addresses, to nobody knows whom."""

from __future__ import annotations

import pytest

from webapp.sources.urls import BadProfile, profile_of


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("google.com/url?q=" * 3 + "https://x.com/ada", "x:ada"),
        ("https://www.tiktok.com/#@ada", "tiktok:@ada"),
        ("https://www.tiktok.com/#/@ada?lang=de", "tiktok:@ada"),
        ("https://x.com/ada#/bob", "x:ada"),  # only where an application starts its page is behind the #
    ],
)
def test_an_address_is_followed_to_its_page(text: str, key: str) -> None:
    assert profile_of(text).url_key == key


@pytest.mark.parametrize(
    ("text", "words", "leads_on"),
    [
        ("google.com/url?q=" * 4 + "https://x.com/ada", "from address to address", False),
        ("https://bit.ly/abc", "short or share link", True),
        ("https://www.bit.ly/abc", "short or share link", True),
        ("https://www.google.com/search?q=ada", "only leads somewhere else", True),
        ("https://www.instagram.com/p/Cabc/", "is a post", False),
        ("https://web.telegram.org/k/#X@ada_news", "application of Telegram", False),
    ],
)
def test_a_refusal_says_whether_it_leads_to_nobody_knows_whom(text: str, words: str, leads_on: bool) -> None:
    with pytest.raises(BadProfile, match=words) as refused:
        profile_of(text)

    assert refused.value.leads_on is leads_on
