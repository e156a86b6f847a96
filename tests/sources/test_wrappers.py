"""Addresses that only lead to another one."""

from __future__ import annotations

import pytest

from webapp.sources.urls import BadProfile, profile_of

TO_ADA = [
    "www.facebook.com/l.php?u=",
    "www.facebook.com/flx/warn/?u=",
    "www.facebook.com/login/?next=",
    "www.facebook.com/login.php?next=",
    "l.instagram.com/any/page?u=",
    "www.instagram.com/accounts/login/?next=",
    "www.instagram.com/linkshim/?u=",
    "l.threads.com/any/page?u=",
    "l.threads.net/any/page?u=",
    "www.threads.com/login?next=",
    "www.threads.net/login?next=",
    "l.messenger.com/any/page?u=",
    "l.wl.co/l?u=",
    "www.youtube.com/redirect?q=",
    "www.youtube.com/signin?next=",
    "consent.youtube.com/any/page?continue=",
    "www.tiktok.com/link/v2?target=",
    "www.tiktok.com/login?redirect_url=",
    "x.com/login?redirect_after_login=",
    "x.com/i/flow/login?redirect_after_login=",
    "twitter.com/login?redirect_after_login=",
    "twitter.com/i/flow/login?redirect_after_login=",
    "vk.com/away.php?to=",
    "vk.com/away?to=",
    "vk.ru/away.php?to=",
    "vk.ru/away?to=",
    "out.reddit.com/any/page?url=",
    "www.reddit.com/login/?dest=",
    "www.linkedin.com/redir/redirect?url=",
    "www.linkedin.com/safety/go?url=",
    "www.linkedin.com/authwall?sessionRedirect=",
    "www.linkedin.com/login?session_redirect=",
    "www.linkedin.com/uas/login?session_redirect=",
    "www.pinterest.com/offsite/?url=",
    "t.me/iv?url=",
    "www.google.com/url?q=",
    "www.google.com/url?url=",
    "www.google.co.uk/url?q=",
    "www.google.com.br/url?q=",
    "google.de/url?q=",
    "translate.google.com/translate?u=",
    "consent.google.com/m?continue=",
    "consent.google.com/ml?continue=",
    "accounts.google.com/ServiceLogin?continue=",
    "accounts.google.com/v3/signin/identifier?continue=",
    "duckduckgo.com/l/?uddg=",
    "steamcommunity.com/linkfilter/?u=",
    "steamcommunity.com/linkfilter/?url=",
    "t.umblr.com/any/page?z=",
    "exit.sc/any/page?url=",
    "slack-redir.net/link?url=",
    "disq.us/url?url=",
    "medium.com/r/?url=",
    "getpocket.com/redirect?url=",
    "eur01.safelinks.protection.outlook.com/any/page?url=",
    "out.pikabu.ru/any/page?url=",
    "discord-redirect.com/any/page?url=",
]


@pytest.mark.parametrize("front", TO_ADA)
def test_a_redirect_is_whatever_it_leads_to(front: str) -> None:
    assert profile_of(f"https://{front}x.com%2Fada").url_key == "x:ada"  # without a scheme it is no page's own link


@pytest.mark.parametrize("host", ["www.bing.com/ck/a", "www.bing.com/search", "r.search.yahoo.com/any/page",
                                  "urldefense.proofpoint.com/any/page", "www.google.com/search"])  # fmt: skip
def test_a_redirect_that_tells_nobody_where_to_is_refused(host: str) -> None:
    with pytest.raises(BadProfile, match="only leads somewhere else"):
        profile_of(f"https://{host}?url=https://x.com/ada")


def test_a_redirect_may_lead_to_a_page_of_its_own_host() -> None:
    assert profile_of("https://www.instagram.com/accounts/login/?next=/ada/").url_key == "instagram:ada"
    assert profile_of("https://www.instagram.com/accounts/login/?next=//x.com/ada").url_key == "x:ada"


def test_only_the_page_that_leads_on_and_those_below_it_are_redirects() -> None:
    assert profile_of("https://t.me/IV/any?url=x.com/ada").url_key == "x:ada"
    assert profile_of("https://t.me/ivan?url=x.com/ada").url_key == "telegram:ivan"


def test_a_path_that_only_begins_or_ends_like_that_page_is_another() -> None:
    assert profile_of("https://vk.com/awayX?to=x.com/ada").url_key == "vk:awayx"
    assert profile_of("https://example.com/outX?u=http://x.com/ada").platform == "other"


def test_an_empty_target_is_passed_over() -> None:
    assert profile_of("https://www.google.com/url?q=&q=%20&url=x.com/ada").url_key == "x:ada"


def test_a_page_that_names_two_others_leads_to_neither() -> None:
    assert profile_of("https://example.com/out?url=https://x.com/ada&to=https://x.com/ada").url_key == "x:ada"
    both = profile_of("https://example.com/out?url=https://x.com/ada&to=https://x.com/bob")
    assert both.platform == "other"


@pytest.mark.parametrize("path", ["", "out", "OUT.php", "a/b/redirect", "go.aspx"])
def test_a_page_of_no_platform_that_does_nothing_else_leads_on(path: str) -> None:
    assert profile_of(f"https://example.com/{path}?u=HTTP://x.com/ada").url_key == "x:ada"
    assert profile_of(f"https://example.com/{path}/ada?u=http://x.com/ada").platform == "other"


def test_what_a_translator_shows_is_the_page_itself() -> None:
    assert (
        profile_of("https://fans--site-example.translate.goog/a/b?id=1").url_key == "other:fans-site.example/a/b?id=1"
    )


@pytest.mark.parametrize(
    "text",
    [
        "https://web.archive.org/web/2026/https://x.com/ada",
        "web.archive.org/web/20260302100000if_/https://x.com/ada",
        "https://archive.today/2026/https://x.com/ada",
        "https://r.jina.ai/https://x.com/ada",
        "https://href.li/?https://x.com/ada",
        "https://urldefense.com/v3/__https://x.com/ada__;!!abc!def$",
        "https://www.google.com/amp/s/x.com/ada",
        "https://x-com.cdn.ampproject.org/c/s/x.com/ada",
    ],
)
def test_the_address_behind_an_archive_or_a_cache_is_taken(text: str) -> None:
    assert profile_of(text).url_key == "x:ada"
