"""How an address is taken apart."""

from __future__ import annotations

import pytest

from webapp.sources.urls import BadProfile, profile_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tiktok.com:8/@ada", "names a port"),
        ("tiktok.com:8080/@ada", "names a port"),
        ("https://example.com/a/./b", "by its dots"),
        ("https://example.com/a/../b", "by its dots"),
        ("https://example.com/" + "ы" * 256, "longer than 255"),
    ],
)
def test_an_address_with_a_part_that_leads_astray_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadProfile, match=words):
        profile_of(text)


def test_a_part_in_another_script_has_255_letters_at_most() -> None:
    assert profile_of("https://example.com/" + "ы" * 255).platform == "other"


def test_no_letter_of_a_host_is_lost() -> None:
    assert profile_of("https://X.com/ada").url_key == "x:ada"
    assert profile_of("https:///X.com/ada").url_key == "x:ada"
