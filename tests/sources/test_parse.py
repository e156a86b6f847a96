"""What a text that names a profile may look like, to its last character."""

from __future__ import annotations

import pytest

from webapp.sources.urls import BadProfile, platform_slug, profile_of


def refusal(text: object, platform: str | None = None) -> BadProfile:
    with pytest.raises(BadProfile) as caught:
        profile_of(text, platform)
    return caught.value


def test_a_platform_has_64_characters_at_most() -> None:
    assert platform_slug("YouTube".ljust(64)) == "youtube"
    assert platform_slug("YouTube".ljust(65)) is None


def test_an_address_has_2048_characters_at_most() -> None:
    front = "https://www.tiktok.com/@ada?x="

    assert profile_of(front.ljust(2048, "a")).url_key == "tiktok:@ada"
    assert refusal(front.ljust(2049, "a")).message == "is longer than 2048 characters"


@pytest.mark.parametrize(
    ("text", "words"), [(None, "is blank"), ("", "is blank"), (" ", "is blank"), ("-", "is no link")]
)
def test_a_blank_is_told_from_a_placeholder(text: str | None, words: str) -> None:
    refused = refusal(text)

    assert (refused.code, refused.message) == ("no_url", words)


def test_what_begins_with_www_is_an_address_whatever_the_platform_column_says() -> None:
    assert profile_of("www.example.com", "TikTok").platform == "other"
    assert profile_of("WWW.example.museum").platform == "other"


def test_an_e_mail_address_of_one_letter_is_one() -> None:
    assert "e-mail" in refusal("a@example.com").message
