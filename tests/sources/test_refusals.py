"""What a refused address says."""

from __future__ import annotations

import pytest

from webapp.sources.urls.refusals import BadProfile, check_length


def test_a_refusal_is_its_words_and_leads_nowhere_unless_it_says_so() -> None:
    refused = BadProfile("is blank", "no_url")

    assert (str(refused), refused.message, refused.code, refused.leads_on) == ("is blank", "is blank", "no_url", False)
    assert BadProfile("is short").code == "bad_url"
    assert BadProfile("is short", leads_on=True).leads_on


def test_an_address_has_2048_characters() -> None:
    check_length("a" * 2048)

    with pytest.raises(BadProfile, match="is longer than 2048 characters"):
        check_length("a" * 2049)
