"""Which hosts are public names, and whose they are."""

from __future__ import annotations

import pytest

from webapp.sources.urls import BadProfile, profile_of

LONG = ".".join(["a" * 63] * 3)


def key(text: str) -> str:
    return profile_of(text).url_key


@pytest.mark.parametrize(
    "host",
    [
        f"{LONG}.{'a' * 57}.com",  # 253 characters
        "xn--90a.com",
        "a.local.example.com",  # what is private at the end only
        "under_score.example.com",
        f"{'a' * 63}.example",
    ],
)
def test_a_public_name_is_kept(host: str) -> None:
    assert key(f"https://{host}/ada") == f"other:{host}/ada"


def test_a_name_in_another_script_is_kept_in_the_form_of_the_network() -> None:
    assert key(f"https://{'б.' * 9}com/ada") == f"other:{'xn--90a.' * 9}com/ada"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (f"{LONG}.{'a' * 58}.com", "not a link"),
        (".".join(["б" * 60] * 5), "not a link"),
        (f"{'a' * 64}.example", "not a link"),
        (f"{'б.' * 10}com", "does not exist"),
        (f"{'б' * 64}.com", "does not exist"),
        ("ap\u03c1le.com", "mixes alphabets"),  # a Greek letter
        ("g\u0585ogle.com", "mixes alphabets"),  # an Armenian one
        ("a\u0384b.com", "does not exist"),  # a Greek sign that is no letter
        ("127.0x1", "an IP address"),
        ("a.printer.local", "no public host"),
        ("localhost", "no public host"),
    ],
)
def test_whatever_is_no_public_name_is_refused(host: str, words: str) -> None:
    with pytest.raises(BadProfile, match=words):
        profile_of(f"https://{host}/ada")


def test_the_application_of_a_platform_may_have_www_in_front() -> None:
    assert key("https://www.web.telegram.org/k/#@ada_news") == "telegram:ada_news"


def test_a_page_of_a_platform_leads_only_where_the_platform_says() -> None:
    assert key("https://vk.com/click?url=https://x.com/bob") == "vk:click"
    assert key("https://example.com/click?url=https://x.com/bob") == "x:bob"
