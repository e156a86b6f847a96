"""Which texts name the same profile, which do not, and which name none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.model import Profile
from webapp.sources.urls import PLATFORMS, BadProfile, parse, platform_slug, profile_of
from webapp.sources.urls.hosts import spellings
from webapp.sources.urls.shapes import Site
from webapp.sources.urls.table import SITES

UC = "UCabcDEFghi_jklMNOpqr-12"  # the id of a YouTube channel


def key(text: object, platform: str | None = None) -> str:
    return profile_of(text, platform).url_key


def refusal(text: object, platform: str | None = None) -> BadProfile:
    with pytest.raises(BadProfile) as caught:
        profile_of(text, platform)
    return caught.value


# Every spelling of one account, with the key they share.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "tiktok:@ada": (
        "https://www.tiktok.com/@ada",
        "http://www.tiktok.com/@ada",  # U1: scheme
        "https://tiktok.com/@ada",  # U1: www
        "https://www.tiktok.com/@ada/",  # U1: slash
        "tiktok.com/@ada",  # U1: no scheme
        "www.tiktok.com/@ada/",
        "//www.tiktok.com/@ada",
        "HTTPS://WWW.TikTok.COM/@ada",  # host case
        "https://www.tiktok.com./@ada",
        "https://m.tiktok.com/@ada",
        "https://www.tiktok.com//@ada//",
        "https://www.tiktok.com/@Ada",  # U4
        "https://www.tiktok.com/@ada?lang=ru&is_from_webapp=1&sender_device=pc",  # U2
        "https://www.tiktok.com/@ada?_t=8abc&_r=1#top",
        "https://www.tiktok.com/%40ada",  # U18
        "https://www.tiktok.com/@%61da",
        "https://www.tiktok.com/@ada/live",
        "  https://www.tiktok.com/@ada\n",
        # wrapped by whoever leads there
        "https://www.google.com/url?q=https://www.tiktok.com/@ada&sa=D&source=editors",
        "https://www.google.de/url?sa=t&url=https%3A%2F%2Fwww.tiktok.com%2F%40ada%3Flang%3Dde&usg=AOv",
        "https://www.google.co.uk/url?q=https%3A%2F%2Ftiktok.com%2F%40ada",
        "https://l.instagram.com/?u=https%3A%2F%2Fwww.tiktok.com%2F%40Ada%3F_t%3D8abc&e=AT0x",
        "https://lm.facebook.com/l.php?u=https%3A%2F%2Fwww.tiktok.com%2F%40ada&h=AT3",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%3A%2F%2Ftiktok.com%2F%40ada",
        "https://www.youtube.com/redirect?event=channel_header&q=https%3A%2F%2Fwww.tiktok.com%2F%40ada",
        "https://vk.com/away.php?to=https%3A%2F%2Fwww.tiktok.com%2F%40ada&cc_key=",
        "https://m.vk.com/away?to=http%3A%2F%2Ftiktok.com%2F%40ada",
        "https://out.reddit.com/t3_x?url=https%3A%2F%2Ftiktok.com%2F%40ada&token=AQ",
        "https://www.linkedin.com/redir/redirect?url=https%3A%2F%2Fwww%2Etiktok%2Ecom%2F%40ada&urlhash=x",
        "https://l.threads.com/?u=https%3A%2F%2Fwww.tiktok.com%2F%40ada&e=AT1",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.tiktok.com%2F%40ada&data=05",
        "https://slack-redir.net/link?url=https%3A%2F%2Fwww.tiktok.com%2F%40ada",
        "https://www.tiktok.com/login?redirect_url=https%3A%2F%2Fwww.tiktok.com%2F%40ada",
        "https://duckduckgo.com/l/?uddg=https%3A%2F%2Fwww.tiktok.com%2F%40ada",
        "\u200bhttps://www.tiktok.com/@ada\u00a0",
        '"https://www.tiktok.com/@ada",',
        "<https://www.tiktok.com/@ada>",
        "(https://www.tiktok.com/@ada)",
        "[ https://www.tiktok.com/@ada ]",
        "(tiktok.com/@ada),",
        "[ada](https://www.tiktok.com/@ada)",
        "[Ada, who dances](https://www.tiktok.com/@ada?lang=en)",
    ),
    "instagram:ada.l_": (
        "https://www.instagram.com/ada.l_/",
        "https://www.instagram.com/ada.l_",
        "https://instagram.com/Ada.L_?igsh=MWQ1ZGUxMzBkMA==",
        "https://www.instagram.com/ada.l_/?utm_source=qr&hl=en",
        "https://www.instagram.com/ada.l_/reels/",
        "https://www.instagram.com/ada.l_/tagged/",
        "https://m.instagram.com/ada%2El_",  # an encoded point
        "instagr.am/ada.l_",
        "https://www.instagram.com/_u/ada.l_/",
        "https://www.instagram.com/@ada.l_",
        "https://www.instagram.com/accounts/login/?next=%2Fada.l_%2F&source=desktop_nav",
        "https://www.instagram.com/accounts/login/?next=https%3A%2F%2Fwww.instagram.com%2Fada.l_%2Freels",
    ),
    "youtube:@ada": (
        "https://www.youtube.com/@ada",
        "https://youtube.com/@Ada?si=AbC_123",
        "https://m.youtube.com/@ada/videos",
        "https://www.youtube.com/@ada/shorts",
        "https://www.youtube.com/@ada/about?sub_confirmation=1",
        "https://music.youtube.com/@ada",
        "https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2F%40ada%3Fcbrd%3D1&gl=DE",
        "https://m.youtube.com/#/@ada",
    ),
    f"youtube:channel/{UC}": (
        f"https://www.youtube.com/channel/{UC}",
        f"youtube.com/channel/{UC}/videos?view=0",
        f"https://music.youtube.com/channel/{UC}",
        f"https://www.youtube.com/Channel/{UC}",
        UC,
        f" {UC}\n",
        f"'{UC}",
        f'"{UC}",',
    ),
    "youtube:@канал": (
        "https://www.youtube.com/@канал",
        "https://www.youtube.com/@КАНАЛ/videos",
        "https://www.youtube.com/@%D0%BA%D0%B0%D0%BD%D0%B0%D0%BB",
        "https://www.youtube.com/%40%d0%9a%D0%B0%D0%BD%D0%B0%D0%BB",
    ),
    "youtube:@caf\u00e9": (
        "https://www.youtube.com/@caf\u00e9",
        "https://www.youtube.com/@cafe\u0301",  # NFD
        "https://www.youtube.com/@cafe%CC%81",
    ),
    "youtube:@हिन्दी": ("https://www.youtube.com/@हिन्दी",),
    "facebook:ada.lovelace": (
        "https://www.facebook.com/ada.lovelace",
        "http://facebook.com/ada.lovelace/",  # V15
        "https://www.facebook.com/Ada.Lovelace/reels/",  # V15
        "https://www.facebook.com/ada.lovelace/videos",
        "https://m.facebook.com/ada.lovelace?mibextid=ZbWKwL",
        "https://web.facebook.com/ada.lovelace/about",
        "https://ru-ru.facebook.com/ada.lovelace",
        "https://fb.com/ada.lovelace",
        "https://www.facebook.com/pg/ada.lovelace/posts/",
        "https://www.facebook.com/ada.lovelace?sk=reels_tab&__tn__=-R",
    ),
    "facebook:id/100012345678901": (
        "https://www.facebook.com/profile.php?id=100012345678901",  # U3
        "https://m.facebook.com/profile.php?id=100012345678901&sk=about&mibextid=x",
        "facebook.com/profile.php/?v=info&id=100012345678901",
        "https://www.facebook.com/people/Ada-Lovelace/100012345678901/",
        "https://www.facebook.com/people/%D0%90%D0%B4%D0%B0/100012345678901/?sk=photos",
        "https://www.facebook.com/p/Ada-Lovelace-100012345678901/",
        "https://www.facebook.com/Ada-Lovelace-100012345678901/",
        "https://www.facebook.com/pages/Ada/100012345678901",
        "https://www.facebook.com/pg/100012345678901/posts/",
        "https://www.facebook.com/pg/Ada-Lovelace-100012345678901",
        "https://www.facebook.com/@100012345678901",
        "https://www.facebook.com/pages/category/Musician/Ada-Lovelace-100012345678901/",
        "https://www.facebook.com/100012345678901",
    ),
    "x:ada": (
        "https://x.com/ada",
        "https://twitter.com/Ada",  # U7
        "https://mobile.twitter.com/ada?s=21&t=abc",
        "https://x.com/ada/with_replies",
        "https://x.com/@ada",
        "https://twitter.com/intent/user?screen_name=Ada",  # U3
        "https://x.com/intent/follow?tw_p=1&screen_name=ada",
        "https://x.com/i/flow/login?redirect_after_login=%2Fada",
    ),
    "x:i/user/42": ("https://x.com/i/user/42", "https://twitter.com/intent/user?user_id=42"),
    "threads:@ada": (
        "https://www.threads.com/@ada",
        "https://www.threads.net/@Ada",  # U7
        "threads.net/@ada/replies?xmt=AQ",
    ),
    "telegram:ada_news": (
        "https://t.me/ada_news",
        "https://t.me/s/ada_news",
        "telegram.me/Ada_News",
        "https://ada_news.t.me",
        "https://t.me/ada_news?boost",
        "https://t.me/s/ada_news?before=120",
        # what the applications show behind the #
        "https://web.telegram.org/k/#@ada_news",
        "https://web.telegram.org/a/#@Ada_News",
        "https://web.telegram.org/#/im?p=@ada_news",
        "https://web.telegram.org/#/@ada_news",
        "web.telegram.org/z/#@ada_news",
        "https://webk.telegram.org/#@ada_news",
        "https://web.telegram.org/k/#?tgaddr=tg%3A%2F%2Fresolve%3Fdomain%3Dada_news",
        "https://web.telegram.org/a/#?tgaddr=tg%3A%2F%2Fresolve%3Fdomain%3Dada_news%26start%3Dx",
    ),
    "vk:ada.l": (
        "https://vk.com/ada.l",
        "https://m.vk.com/Ada.l?from=search",
        "https://vk.ru/ada.l",
        "vk.com/@ada.l",
        "vkvideo.ru/@ada.l/all",
    ),
    "vk:id123": ("https://vk.com/id123", "vkontakte.ru/id123"),
    "vk:club123": ("https://vk.com/club123", "https://m.vkvideo.ru/@club123"),
    "vk:public123": ("https://vk.com/public123",),
    "ok:ada": ("https://ok.ru/ada", "https://m.ok.ru/Ada/topics", "http://www.odnoklassniki.ru/ada"),
    "ok:profile/123": ("https://ok.ru/profile/123", "https://m.ok.ru/profile/123/statuses"),
    "ok:group/123": ("https://ok.ru/group/123",),
    "bluesky:ada.bsky.social": (
        "https://bsky.app/profile/ada.bsky.social",
        "https://bsky.app/profile/Ada.bsky.social/followers",
        "https://ada.bsky.social",
        "ada.bsky.social",
        "@ada.bsky.social",
    ),
    "bluesky:ada.example.com": ("https://bsky.app/profile/ada.example.com",),
    "bluesky:did:plc:abc234": (
        "https://bsky.app/profile/did:plc:abc234",
        "https://bsky.app/profile/did%3Aplc%3Aabc234",
    ),
    "mastodon:fosstodon.org/@ada": (
        "https://fosstodon.org/@ada",
        "https://fosstodon.org/@Ada/media",
        "https://fosstodon.org/users/ada",  # U12: actor
        "https://fosstodon.org/@ada@fosstodon.org",
        "https://mastodon.social/@ada@fosstodon.org",  # U12: seen from elsewhere
        "https://mastodon.social/web/@ada@fosstodon.org",
        "https://fosstodon.org/web/@ada",
        "https://fosstodon.org/web/#/@ada",
        "https://fosstodon.org/#/@ada",
        "https://fosstodon.org/deck/@ada",
        "@ada@fosstodon.org",
    ),
    "other:social.example/@Ada": (
        "https://social.example/@Ada",
        "@Ada@social.example",
        "https://mastodon.social/@Ada@social.example",
    ),
    "twitch:ada": (
        "https://www.twitch.tv/ada",
        "https://m.twitch.tv/Ada/videos",
        "https://player.twitch.tv/?channel=ada&parent=example.com",  # U3
        "twitch.tv/ada/schedule",
    ),
    "linkedin:in/ada-lovelace": (
        "https://www.linkedin.com/in/ada-lovelace/",
        "https://ru.linkedin.com/in/Ada-Lovelace?trk=x",
        "https://www.linkedin.com/in/ada-lovelace/recent-activity/all/",
    ),
    "linkedin:company/ada": ("https://www.linkedin.com/company/ada/", "linkedin.com/company/Ada/about/"),
    "linkedin:school/ada": ("https://www.linkedin.com/school/ada/",),
    "pinterest:ada": (
        "https://www.pinterest.com/ada/",
        "https://ru.pinterest.com/Ada/_created/",
        "https://www.pinterest.co.uk/ada",
    ),
    "snapchat:ada": ("https://www.snapchat.com/add/ada", "https://snapchat.com/@Ada?share_id=1"),
    "reddit:user/ada": (
        "https://www.reddit.com/user/ada/",
        "https://old.reddit.com/u/Ada",
        "https://www.reddit.com/user/ada/submitted/",
    ),
    "rumble:c/ada": ("https://rumble.com/c/ada", "https://rumble.com/c/Ada/videos?e9s=src"),
    "rumble:user/ada": ("https://rumble.com/user/ada",),
    "dzen:ada": ("https://dzen.ru/ada?tab=articles", "https://zen.yandex.ru/ada"),
    "dzen:id/5f3c2b1a00": ("https://dzen.ru/id/5f3c2b1a00",),
    "rutube:channel/123": ("https://rutube.ru/channel/123/videos/", "https://rutube.ru/video/person/123/"),
    "rutube:u/ada": ("https://rutube.ru/u/ada/",),
    "other:example.com/Ada?id=7": (
        "https://example.com/Ada?id=7",
        "http://www.example.com/Ada/?id=7",
        "example.com/Ada?utm_source=x&id=7&fbclid=abc&UTM_medium=y",  # utm
        "https://EXAMPLE.com/Ada?id=7#about",  # fragment
        "https://example.com/%41da?id=%37",
    ),
    "other:example.com": (
        "https://example.com",
        "https://www.example.com/",
        "example.com",
        "https://example.com/?gclid=1",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.com",
    ),
    "other:deezer.com/artist/123": (
        "https://www.deezer.com/artist/123",
        "https://www.deezer.com/us/artist/123",
        "https://www.deezer.com/en/artist/123",
    ),
    "other:example.com/a": ("https://example.com/a/",),
    "other:example.com/ADAX": ("https://example.com/ADAX/",),
    "other:example.com/ada?b=1&a=2": ("https://example.com/ada?b=1&si=x&a=2",),
    "other:fans.example/Ada": (
        "https://fans.example/de/Ada",
        "https://fans.example/Ada#.",
        "https://fans.example/Ada#..",
        "https://fans.example/Ada#fbclid=1",
    ),
    "other:fans.example/de": ("https://fans.example/de", "https://www.fans.example/de/"),
    "other:ada.example.com": ("https://ada.example.com/", "ada.example.com", "Ada.Example.com"),
    "other:app.example.com/#/u/Ada": ("https://app.example.com/#/u/Ada", "https://app.example.com#/u/Ada"),
    "other:app.example.com/k#@Ada": ("https://app.example.com/k/#@Ada", "app.example.com/k#%40Ada"),
    "other:example.com/team#ada": ("https://example.com/team#ada",),
    "other:matrix.to/#/@ada%3Aexample.org": ("https://matrix.to/#/%40ada%3Aexample.org",),
    "other:open.spotify.com/artist/4abcDEF": (
        "https://open.spotify.com/artist/4abcDEF",
        "https://open.spotify.com/artist/4abcDEF?si=x1",
        "https://open.spotify.com/intl-de/artist/4abcDEF?si=x2",
        "https://open.spotify.com/intl-pt-BR/artist/4abcDEF/?si=x2&nd=1&dlsi=3",
    ),
    "other:music.apple.com/artist/ada/123": (
        "https://music.apple.com/us/artist/ada/123",
        "https://music.apple.com/in/artist/ada/123?l=en",
        "https://music.apple.com/artist/ada/123",
    ),
    "other:soundcloud.com/ada": (
        "https://soundcloud.com/ada",
        "https://m.soundcloud.com/ada?utm_source=clipboard&si=abc",
        "https://www.m.soundcloud.com/ada",
        "https://soundcloud.com/ada?ref=clipboard&p=a&c=1",
    ),
    "other:fans.example/u/Ada": (
        "https://fans.example/u/Ada",
        "https://fans.example/en/u/Ada",
        "https://fans.example/pt-br/u/Ada?igsh=MWQ",
        "https://fans.example/de_DE/u/Ada/",
        "https://fans.example/u/Ada?si=abc&hl=en",
        "https://fans.example/u/Ada?lang=ru&share_id=7",
        "https://fans.example/u/Ada?share_from=app&shareId=7",
        "https://fans.example/u/Ada?ref=share_button",
        "https://fans.example/u/Ada?source=copy_link#:~:text=Ada",
        "https://fans.example/u/Ada?_branch_match_id=123&from=qr",
        "https://fans.example/u/Ada#utm_source=bio",
        "https://fans.example/u/Ada#utm_source=bio&utm_medium=x",
        "https://fans.example/u/Ada#about&utm_source=bio",
        "https://fans.example/u/Ada?ysclid=1&srsltid=2&li_fat_id=3&_openstat=4",
        "https://fans.example/u/Ada?enter_from=homepage&enter_method=share&u_code=1&timestamp=2",
        "https://fans.example/u/Ada?unique_k=1&plat_id=2&xhsshare=CopyLink&apptime=3",
        "https://fans.example/u/Ada?g_st=ic&from=groupmessage&isappinstalled=0&ScCid=1&_kx=2",
        "https://fans.example/u/Ada?lng=tr&mkt=tr-TR&gl=TR&ui_locale=tr_TR&entry=ttu&ref_=share_x",
        "https://fans.example/u/Ada?refid=1&__tn__=R&__cft__[0]=AZX&_rdr",
        "https://fans.example/u/Ada?view_as=subscriber&sub_confirmation=1&app=desktop&ab_channel=Ada",
        "https://fans.example/u/Ada?trackingId=1&originalSubdomain=de&lipi=2",
        "https://fans-example.translate.goog/u/Ada?_x_tr_sl=en&_x_tr_tl=de&_x_tr_hl=de",
        "https://web.archive.org/web/20260101000000/https://fans.example/u/Ada",
        "https://out.example/?url=https%3A%2F%2Ffans.example%2Fu%2FAda",
    ),
    "other:fans-site.example/u/Ada": ("https://fans--site-example.translate.goog/u/Ada",),
    # Named by what only leads on, on hosts of no platform.
    "tiktok:@led": (
        "https://www-tiktok-com.translate.goog/@led?_x_tr_sl=en",
        "https://www.google.com/amp/s/www.tiktok.com/@led",
        "https://www-tiktok-com.cdn.ampproject.org/c/s/www.tiktok.com/@led",
        "https://web.archive.org/web/2026/https://www.tiktok.com/@led",
        "web.archive.org/web/20260101000000id_/tiktok.com/@led",
        "https://r.jina.ai/https://www.tiktok.com/@led",
        "https://href.li/?https://www.tiktok.com/@led",
        "https://urldefense.com/v3/__https://www.tiktok.com/@led__;!!AbC-1!x$",
        "https://link.zhihu.com/?target=https%3A//www.tiktok.com/@led",
        "https://weibo.cn/sinaurl?u=https%3A%2F%2Fwww.tiktok.com%2F%40led",
        "https://yandex.ru/clck/jsredir?from=x&url=https%3A%2F%2Fwww.tiktok.com%2F%40led",
        "https://deref-gmx.example/mail/dereferrer/?redirectUrl=https%3A%2F%2Fwww.tiktok.com%2F%40led",
        "https://shop.example/redirect.php?goto=https://www.tiktok.com/@led",
        "https://c.pc.example/middlem.html?pfurl=https%3A%2F%2Fwww.tiktok.com%2F%40led",
    ),
    "other:xn--80ak6aa92e.xn--p1ai/@Ada": (
        "https://аррӏе.рф/@Ada",
        "https://xn--80ak6aa92e.xn--p1ai/@Ada",
    ),
    "other:example.com/%D0%B0%D0%B4%D0%B0": ("https://example.com/ада", "https://example.com/%d0%b0%D0%B4%D0%B0/"),
    "other:example.com/a%2Fb%20c%3F": ("https://example.com/a%2fb%20c%3f",),
    "other:example.com/%3Cscript%3E": ("https://example.com/<script>",),
}


@pytest.mark.parametrize(
    ("expected", "text"), [(expected, text) for expected, texts in SPELLINGS.items() for text in texts]
)
def test_spellings_of_one_account_share_its_key(expected: str, text: str) -> None:
    profile = profile_of(text)

    assert profile.url_key == expected
    assert profile.platform == expected.partition(":")[0]
    assert profile_of(profile.url) == profile


def test_a_key_is_of_one_platform_of_the_list_or_other() -> None:
    seen = {profile_of(text).platform for texts in SPELLINGS.values() for text in texts}

    assert seen == {*PLATFORMS, "other"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            f"youtube.com/channel/{UC}", f"youtube.com/channel/{UC.swapcase().replace('uc', 'UC', 1)}", id="U5"
        ),
        pytest.param("youtube.com/@ada", "youtube.com/c/ada", id="U6 @ and c"),
        pytest.param("youtube.com/c/ada", "youtube.com/user/ada", id="U6 c and user"),
        pytest.param("youtube.com/ada", "youtube.com/@ada", id="U6 bare and @"),
        pytest.param("youtube.com/ada", "youtube.com/c/ada", id="U6 bare and c"),
        pytest.param("netflix.com/jack", "x.com/jack", id="U8"),
        pytest.param("facebook.com/ada.lovelace", "facebook.com/adalovelace", id="U9 facebook's point"),
        pytest.param("instagram.com/ada_l", "instagram.com/adal", id="U9 underscore"),
        pytest.param("instagram.com/ada", "tiktok.com/@ada", id="U11"),
        pytest.param("mastodon.social/@ada", "fosstodon.org/@ada", id="U12 instances"),
        pytest.param("bsky.app/profile/ada.bsky.social", "bsky.app/profile/ada.com", id="U13 domain"),
        pytest.param("bsky.app/profile/ada.bsky.social", "bsky.app/profile/did:plc:abc234", id="U13 id"),
        pytest.param("facebook.com/profile.php?id=1001", "facebook.com/profile.php?id=1002", id="U3 id"),
        pytest.param("https://example.com/ada", "https://example.com/Ada", id="U4 unknown host"),
        pytest.param("https://example.com/p?id=1", "https://example.com/p?id=2", id="query of an unknown host"),
        pytest.param("https://example.com/p?t=1", "https://example.com/p?t=2", id="t may be a topic there"),
        pytest.param("https://example.com/p?q=a%2Bb", "https://example.com/p?q=a+b", id="plus and space"),
        pytest.param("https://example.com/a/b", "https://example.com/a%2Fb", id="encoded slash"),
        pytest.param("https://example.com/a%3Fb", "https://example.com/a?b", id="encoded question mark"),
        pytest.param("https://example.com/a%2541", "https://example.com/a%41", id="decoded once"),
        pytest.param("https://app.example.com/#/a", "https://app.example.com/#/b", id="pages behind #"),
        pytest.param("https://m.example.com/a", "https://example.com/a", id="m of an unknown host"),
        pytest.param("https://web.telegram.org/k/#@example_one", "https://web.telegram.org/k/#@example_two", id="app"),
        pytest.param("https://app.example.com/#@ada", "https://app.example.com/#@bob", id="handles behind #"),
        pytest.param(
            "https://fans.example/u/ada?url=https://fans.example/home",
            "https://fans.example/u/bob?url=https://fans.example/home",
            id="a page that also names another",
        ),
        pytest.param(
            "https://fans.example/out?url=https://a.example&to=https://b.example",
            "https://a.example",
            id="leads to two",
        ),
        pytest.param(
            "https://fans.example/go?to=/u/ada", "https://fans.example/go?to=/u/bob", id="leads to no address"
        ),
        pytest.param("https://fans.example/u?user_id=1", "https://fans.example/u?user_id=2", id="user_id"),
        pytest.param("https://fans.example/u?sec_user_id=1", "https://fans.example/u?sec_user_id=2", id="sec_user_id"),
        pytest.param("https://fans.example/?ts=1", "https://fans.example/?ts=2", id="nothing else names the page"),
        pytest.param("https://app.example.com/#!ada", "https://app.example.com/#!bob", id="handles behind #!"),
        pytest.param("https://app.example.com/p#-1001", "https://app.example.com/p#-1002", id="ids behind #"),
        pytest.param("https://app.example.com/p#id=1", "https://app.example.com/p#id=2", id="parameters behind #"),
        pytest.param(
            "https://example.com/#utm_source=x&id=1", "https://example.com/#utm_source=x&id=2", id="both behind #"
        ),
        pytest.param("https://example.com/team#ada", "https://example.com/team#bob", id="people behind #"),
        pytest.param("https://example.com/#ada", "https://example.com/", id="somebody behind #, and nobody"),
        pytest.param("https://example.com/de", "https://example.com/en", id="a language alone"),
        pytest.param("https://example.com/id/1", "https://example.com/in/1", id="folders that are no languages"),
        pytest.param("https://example.com/p?ref=ada", "https://example.com/p?ref=bob", id="who referred"),
        pytest.param("https://example.com/?si=1", "https://example.com/?si=2", id="nothing else names the page"),
        pytest.param("https://example.com/?lang=a", "https://example.com/?lang=b", id="a language that is all"),
        pytest.param("https://example.com/p?from=ada", "https://example.com/p?from=bob", id="from somebody"),
        pytest.param("https://example.com/p?lat=1&lng=2", "https://example.com/p?lat=1&lng=3", id="a place"),
        pytest.param("https://example.com/p?gl=ada", "https://example.com/p?gl=bob", id="no language"),
        pytest.param("https://example.com/p?v=1", "https://example.com/p?v=2", id="any other parameter"),
        pytest.param("https://patreon.com/user?u=1", "https://patreon.com/user?u=2", id="an id in the query"),
        pytest.param("google.com/url?q=https://x.com/ada", "google.com/url?q=https://x.com/bob", id="wrapped"),
        pytest.param("linktr.ee/ada", "linktr.ee/bob", id="link in bio"),
        pytest.param("https://tiktok.com/@ada", "https://tiktok.com.example.net/@ada", id="U16 host as subdomain"),
        pytest.param("https://t\u00edktok.com/@ada", "https://tiktok.com/@ada", id="U16 accent"),
        pytest.param("https://хх.com/ada", "https://xx.com/ada", id="U16 another alphabet"),
        pytest.param("https://\u00fcx.de/a", "https://ux.de/a", id="U16 umlaut"),
        pytest.param("youtube.com/@stra\u00dfe", "youtube.com/@strasse", id="sharp s"),
        pytest.param("youtube.com/@\u0430da", "youtube.com/@ada", id="cyrillic a in a handle"),
        pytest.param("vk.com/club1", "vk.com/public1", id="vk club and public"),
        pytest.param("ok.ru/profile/1", "ok.ru/group/1", id="ok profile and group"),
        pytest.param("linkedin.com/in/ada", "linkedin.com/company/ada", id="linkedin person and company"),
        pytest.param("rumble.com/c/ada", "rumble.com/user/ada", id="rumble channel and user"),
    ],
)
def test_different_accounts_keep_different_keys(one: str, other: str) -> None:
    assert key(one) != key(other)


REFUSED: dict[str, tuple[tuple[str, str], ...]] = {
    "posts (U10)": (
        ("https://www.instagram.com/p/Cabc123/", "a post"),
        ("https://www.instagram.com/ada/p/Cabc123/", "a post"),
        ("https://x.com/ada/status/1", "a post"),
        ("https://www.facebook.com/ada/posts/pfbid0abc", "a post"),
        ("https://www.facebook.com/permalink.php?story_fbid=1&id=2", "a post"),
        ("https://www.threads.net/@ada/post/C1", "a post"),
        ("https://t.me/ada_news/15", "a post"),
        ("https://vk.com/wall-1_2", "a post"),
        ("https://vk.com/ada?w=wall1_2", "a post"),
        ("https://bsky.app/profile/ada.bsky.social/post/3k", "a post"),
        ("https://mastodon.social/@ada/1234567", "a post"),
        ("https://mastodon.social/@ada@fosstodon.org/1234567", "a post"),
        ("https://www.linkedin.com/posts/ada_x-activity-1", "a post"),
        ("https://www.pinterest.com/pin/123/", "a post"),
        ("https://www.reddit.com/user/ada/comments/abc/title/", "a post"),
        ("https://dzen.ru/a/Xyz", "a post"),
        ("https://ok.ru/group/123/topic/456", "a post"),
    ),
    "reels and videos (U10)": (
        ("https://www.instagram.com/reel/Cabc/", "a reel"),
        ("https://www.instagram.com/reels/Cabc/", "a reel"),
        ("https://www.instagram.com/ada/reel/Cabc/", "a reel"),
        ("https://www.facebook.com/reel/123", "a reel"),
        ("https://www.facebook.com/ada/videos/123", "a video"),
        ("https://www.facebook.com/watch/?v=123", "a video"),
        ("https://www.tiktok.com/@ada/video/7", "a video"),
        ("https://www.tiktok.com/@ada/photo/7", "a photo"),
        ("https://www.youtube.com/watch?v=abc", "a video"),
        ("https://www.youtube.com/shorts/abc", "a video"),
        ("https://www.youtube.com/live/abc", "a video"),
        ("https://www.youtube.com/playlist?list=PL1", "a playlist"),
        ("https://vk.com/video-1_2", "a video"),
        ("https://vk.com/clip-1_2", "a video"),
        ("https://www.twitch.tv/videos/123", "a video"),
        ("https://www.twitch.tv/ada/clip/Abc", "a video"),
        ("https://rutube.ru/video/0123abc/", "a video"),
    ),
    "stories, groups, tags, searches, events (U10)": (
        ("https://www.instagram.com/stories/ada/123/", "a story"),
        ("https://www.facebook.com/stories/123", "a story"),
        ("https://www.facebook.com/groups/ada", "a group"),
        ("https://www.reddit.com/r/ada/", "a group"),
        ("https://t.me/joinchat/AbC", "a group"),
        ("https://t.me/+AbCdEf", "an invitation"),
        ("https://www.tiktok.com/tag/ada", "a hashtag"),
        ("https://x.com/hashtag/ada", "a hashtag"),
        ("https://www.instagram.com/explore/tags/ada/", "a search"),
        ("https://x.com/search?q=ada", "a search"),
        ("https://www.youtube.com/results?search_query=ada", "a search"),
        ("https://www.twitch.tv/directory", "a directory"),
        ("https://www.facebook.com/events/123", "an event"),
    ),
    "share and short links (U10, V16)": (
        ("https://www.facebook.com/share/1AbC/", "a share link"),
        ("https://www.facebook.com/sharer/sharer.php?u=x", "a share link"),
        ("https://www.tiktok.com/t/ZTabc/", "a share link"),
        ("https://x.com/intent/post?text=a", "a share link"),
        ("https://youtu.be/abc", "short"),
        ("https://vm.tiktok.com/ZMabc/", "short"),
        ("https://vt.tiktok.com/ZSabc/", "short"),
        ("https://fb.me/ada", "short"),
        ("https://fb.watch/abc/", "short"),
        ("https://t.co/abc", "short"),
        ("bit.ly/abc", "short"),
        ("pin.it/abc", "short"),
    ),
    "addresses that only lead somewhere else": (
        ("https://t.co/AbC123", "short or share link"),
        ("https://spotify.link/AbC123", "short or share link"),
        ("https://b23.tv/AbC123", "short or share link"),
        ("https://www.google.com/url?sa=D", "only leads somewhere else"),
        ("https://www.google.com/search?q=ada+tiktok", "only leads somewhere else"),
        ("https://www.bing.com/ck/a?u=a1aHR0cHM6Ly93d3cudGlrdG9rLmNvbS9AYWRh", "only leads somewhere else"),
        ("https://www.google.com/url?q=https://t.co/AbC123", "short or share link"),
        ("https://l.instagram.com/?u=https%3A%2F%2Fwww.tiktok.com%2F%40ada%2Fvideo%2F1", "a video"),
        ("https://www.google.com/url?q=javascript:alert(1)", "no web address"),
        ("https://www.google.com/url?q=http://127.0.0.1/ada", "an IP address"),
        ("https://www.youtube.com/redirect?q=", "no profile page of YouTube"),
        ("https://urldefense.proofpoint.com/v2/url?u=https-3A__x.com_ada&d=1", "only leads somewhere else"),
        ("https://web.archive.org/web/2026/https://t.co/AbC123", "short or share link"),
        ("https://out.example/?url=https%3A%2F%2Fwww.tiktok.com%2F%40ada%2Fvideo%2F1", "a video"),
        ("https://web.archive.org/web/2026/https://x.com/ada https://x.com/bob", "more than one link"),
        ("google.com/url?q=" * 6 + "https://x.com/ada", "from address to address"),
    ),
    "pages of applications that name nobody": (
        ("https://web.telegram.org/k/", "application of Telegram"),
        ("https://web.telegram.org/a/#-1001234567890", "application of Telegram"),
        ("https://web.telegram.org/k/#777000", "application of Telegram"),
        ("https://web.telegram.org/ada_news", "application of Telegram"),
        ("https://web.telegram.org/k/#@ada_news/15", "a post"),
        ("https://fosstodon.org/web/accounts/1", "a post"),
        ("https://fosstodon.org/web/#/timelines/home", "no profile page of Mastodon"),
    ),
    "pages of a platform that are nobody's": (
        ("https://www.tiktok.com/", "no profile page of TikTok"),
        ("instagram.com", "no profile page of Instagram"),
        ("https://www.facebook.com/profile.php", "no profile page of Facebook"),
        ("https://www.facebook.com/profile.php?id=1&id=2", "no profile page of Facebook"),
        ("https://www.facebook.com/home.php", "no profile page of Facebook"),
        ("https://www.facebook.com/people/Ada/pfbid0abc/", "no profile page of Facebook"),
        ("https://business.facebook.com/ada", "no profile page of Facebook"),
        ("https://www.facebook.com/ada#!/bob", "no profile page of Facebook"),
        ("https://l.facebook.com/l.php?e=AT0", "no profile page of Facebook"),
        ("https://shop.tiktok.com/@ada", "no profile page of TikTok"),
        ("https://www.tiktok.com/ada", "no profile page of TikTok"),
        ("https://www.youtube.com/channel/UCshort", "no profile page of YouTube"),
        (f"https://www.youtube.com/{UC}", "no profile page of YouTube"),
        ("https://www.pinterest.com/ada/board/", "no profile page of Pinterest"),
        ("https://bsky.app/profile/ada", "no profile page of Bluesky"),
        ("https://www.linkedin.com/feed/", "no profile page of LinkedIn"),
        ("https://www.instagram.com/accounts/login/", "no profile page of Instagram"),
        ("https://twitter.com/#!/ada", "no profile page of X"),
        ("https://www.tiktok.com/@ada.", "no profile page of TikTok"),
        ("https://www.tiktok.com/%2540ada", "no profile page of TikTok"),
    ),
    "no address of the public web (121-127, U16)": (
        ("javascript:alert(1)", "no web address"),
        ("javascript://tiktok.com/@ada", "no web address"),
        ("data:text/html,ada", "no web address"),
        ("file:///etc/passwd", "no web address"),
        ("ftp://example.com/ada", "no web address"),
        ("mailto:ada@example.com", "no web address"),
        ("instagram://user?username=ada", "no web address"),
        ("https://ada:secret@www.tiktok.com/@ada", "a password in front of the host"),
        ("https://www.tiktok.com@example.com/@ada", "a password in front of the host"),
        ("https://www.tiktok.com:443/@ada", "a port"),
        ("tiktok.com:8080/@ada", "a port"),
        ("(https://www.tiktok.com/@ada", "other signs in front"),
        ("=SUM(B2:B9)", "a formula kept as text"),
        ('=HYPERLINK("https://www.tiktok.com/@ada";"ada")', "a formula kept as text"),
        ("*http://www.tiktok.com/@ada", "other signs in front"),
        ("[tiktok.com/@ben](https://www.tiktok.com/@ada)", "is not a link"),
        ("[https://www.tiktok.com/@ben](https://www.tiktok.com/@ada)", "more than one link"),
        ("(ada)", "not a link"),
        ("[deleted]", "not a link"),
        ("https://93.184.216.34/ada", "an IP address"),
        ("http://127.0.0.1/ada", "an IP address"),
        ("http://127.1/ada", "an IP address"),
        ("http://0x7f.1/ada", "an IP address"),
        ("http://2130706433/ada", "an IP address"),
        ("http://[::1]/ada", "an IP address"),
        ("http://localhost/ada", "no public host"),
        ("http://ada.localhost/x", "no public host"),
        ("http://printer.local/x", "no public host"),
        ("https://exa mple/ada", "words beside the link"),
        ("https://-bad-.com/ada", "not a link"),
        ("https://a..com/ada", "not a link"),
        ("https:///", "not a link"),
        ("https:tiktok.com/@ada", "no web address"),
        ("https://%74iktok.com/@ada", "not a link"),
        (f"https://{'a.' * 127}com/ada", "not a link"),
        (f"https://{'б.' * 11}com/ada", "does not exist"),
        (f"https://{'б' * 64}.com/ada", "does not exist"),
    ),
    "look-alike hosts (U16, 129)": (
        ("https://t\u0456ktok.com/@ada", "mixes alphabets"),
        ("https://\u0430pple.com/ada", "mixes alphabets"),
        ("https://\uff54iktok.com/@ada", "does not exist"),
        ("https://ti\u212atok.com/@ada", "does not exist"),
        ("https://tiktok\u3002com/@ada", "does not exist"),
        ("https://stra\u00dfe.de/ada", "does not exist"),
        ("https://\u0627a.com/ada", "does not exist"),
    ),
    "broken texts (131-133)": (
        ("https:\\\\www.tiktok.com\\@ada", "backslash"),
        ("https://www.tiktok.com\\@example.com", "backslash"),
        ("https://www.tiktok.com/@a\x00da", "broken character"),
        ("https://www.tiktok.com/@a\u200bda", "broken character"),
        ("https://www.tiktok.com/@ada\u202e", "broken character"),
        ("https://example.com/a%00b", "broken character"),
        ("https://example.com/a%0d%0aSet-Cookie", "broken character"),
        ("https://example.com/a%5Cb", "backslash"),
        ("https://example.com/\ud800", "broken character"),
        ("https://example.com/%ED%A0%80", "percent signs"),
        ("https://example.com/%ff", "percent signs"),
        ("https://example.com/a/../b", "dots"),
        ("https://example.com/a/%2e%2E/b", "dots"),
        ("https://example.com/" + "a" * 2048, "longer than 2048"),
        ("https://example.com/" + "a" * 10_000, "longer than 2048"),
        ("https://example.com/" + "ы" * 250 + "/" + "ы" * 250, "longer than 2048"),
        ("https://example.com/" + "ы" * 256, "longer than 255"),
    ),
    "more than one link (S36)": (
        ("https://x.com/ada https://x.com/bob", "more than one link"),
        ("https://x.com/ada\nhttps://x.com/bob", "more than one link"),
        ("https://x.com/ada,https://x.com/bob", "more than one link"),
        ("https://x.com/adahttps://x.com/bob", "more than one link"),
        ("x.com/ada, x.com/bob", "more than one link"),
        ("example.com/ada,example.com/bob", "more than one link"),
        ("example.com/ada;www.example.com/bob", "more than one link"),
        ("@ada @bob", "more than one link"),
        ("@ada, @bob", "more than one link"),
    ),
    "text that hides its link, or is none (S35)": (
        ("Ada Lovelace", "smart chip"),
        ("Ada Lovelace - YouTube", "smart chip"),
        ("linked", "smart chip"),
        ("канал", "smart chip"),
        ("Мой канал", "smart chip"),
        ("Ада", "smart chip"),
        ("TikTok", "smart chip"),
        ("share", "smart chip"),
        ("reels", "smart chip"),
        ("URL", "smart chip"),
        ("#REF!", "smart chip"),
        ("#ada", "smart chip"),
        ("=HYPERLINK(A1)", "smart chip"),
        ("@ada (main)", "words beside the link"),
        ("мой канал: https://x.com/ada", "words beside the link"),
        ("ada@example.com", "e-mail"),
        ("@ada/", "smart chip"),
    ),
}


@pytest.mark.parametrize(
    ("text", "words"),
    [pytest.param(*case, id=f"{group}-{i}") for group, cases in REFUSED.items() for i, case in enumerate(cases)],
)
def test_what_is_no_profile_is_refused_with_a_hint(text: str, words: str) -> None:
    refused = refusal(text)

    assert refused.code == "bad_url"
    assert words in refused.message


@pytest.mark.parametrize("platform", [None, "TikTok"])
@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "\n",
            "\u00a0",
            "\u200b",
            '""',
            "-",
            "—",
            "...",
            "?",
            "/",
            "@",
            "n/a",
            "N/A",
            "нет",
            "НЕТ",
            "none",
            "None.",
        ),
        *("TBD", "(нет)", "null", "unknown", "Total", "Итого:", "нет ссылки", None),
        *("nan", "NaN", "None", "NULL", "(null)", "\\N", "<NA>", "NaT", "undefined", "#N/A", "nil"),
    ],
)
def test_blanks_and_placeholders_are_no_url_and_never_an_account(text: str | None, platform: str | None) -> None:
    assert refusal(text, platform).code == "no_url"


@pytest.mark.parametrize(
    "text", [True, False, 0, 7, 1.5, float("nan"), b"https://x.com/ada", ["https://x.com/ada"], object()]
)
def test_a_cell_that_is_no_text_is_refused(text: object) -> None:
    # 007 reaches us as 7: a number is nobody's handle any more.
    assert refusal(text, "TikTok").code == "bad_url"


@pytest.mark.parametrize(
    ("text", "platform", "same_as"),
    [
        ("@ada", "TikTok", "https://www.tiktok.com/@Ada"),
        ("ada", "tik tok", "https://www.tiktok.com/@ada"),
        ("@Ada", "тикток", "https://www.tiktok.com/@ada"),
        ("＠ada", "TikTok", "https://www.tiktok.com/@ada"),
        ("'@ada", "TikTok", "https://www.tiktok.com/@ada"),
        ("@total", "TikTok", "https://www.tiktok.com/@total"),
        ("@share", "TikTok", "https://www.tiktok.com/@share"),
        ("@tiktok", "TikTok", "https://www.tiktok.com/@tiktok"),
        ("@___", "Instagram", "https://www.instagram.com/___"),
        ("ada.lovelace", "IG", "https://www.instagram.com/ada.lovelace/"),
        ("ada.com", "Instagram", "https://www.instagram.com/ada.com/"),
        ("ada.lovelace", "FB", "https://www.facebook.com/ada.lovelace"),
        ("100012345678901", "Facebook", "https://www.facebook.com/profile.php?id=100012345678901"),
        ("@ada", "YT", "https://www.youtube.com/@ada"),
        ("@канал", "YouTube", "https://www.youtube.com/@канал"),
        (UC, "YouTube", f"https://www.youtube.com/channel/{UC}"),
        ("@ada", "Twitter", "https://x.com/ada"),
        ("@ada", "Threads", "https://www.threads.net/@ada"),
        ("@ada_news", "Телеграм", "https://t.me/ada_news"),
        ("id123", "ВКонтакте", "https://vk.com/id123"),
        ("ada", "Одноклассники", "https://ok.ru/ada"),
        ("ada.bsky.social", "Bluesky", "https://bsky.app/profile/ada.bsky.social"),
        ("@ada.com", "Bluesky", "https://bsky.app/profile/ada.com"),
        ("did:plc:abc234", "Bluesky", "https://bsky.app/profile/did:plc:abc234"),
        ("@ada@mastodon.social", "Mastodon", "https://mastodon.social/@ada"),
        ("ada", "Twitch", "https://www.twitch.tv/ada"),
        ("ada", "Pinterest", "https://www.pinterest.com/ada/"),
        ("ada", "Snapchat", "https://www.snapchat.com/add/ada"),
        ("ada", "Reddit", "https://www.reddit.com/user/ada"),
        ("ada", "Дзен", "https://dzen.ru/ada"),
    ],
)
def test_a_bare_handle_is_the_account_of_the_platform_beside_it(text: str, platform: str, same_as: str) -> None:
    assert key(text, platform) == key(same_as)


@pytest.mark.parametrize("platform", [None, "", "TikTok / Instagram", "blog", "other", "x" * 10_000, "\ud800"])
@pytest.mark.parametrize("text", ["@ada", "ada", "ada.lovelace", "ada.l.lovelace", "@канал", "12345"])
def test_a_bare_handle_without_a_known_platform_is_unknown_platform(text: str, platform: str | None) -> None:
    assert refusal(text, platform).code == "unknown_platform"


@pytest.mark.parametrize(
    "text",
    [
        UC.lower(),
        UC.replace("UC", "UU", 1),
        UC.replace("UC", "uC", 1),
        UC[:-1],
        UC + "x",
        "@" + UC,
        UC.replace("-", "."),
    ],
)
def test_what_is_nearly_the_id_of_a_channel_is_nobodys_handle(text: str) -> None:
    assert refusal(text).code == "unknown_platform"


def test_the_id_of_a_channel_is_a_handle_where_another_platform_is_named() -> None:
    assert key("UCaaaaaaaaaaaaaaaaaaaaaa", "Instagram") == "instagram:ucaaaaaaaaaaaaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("ada", "YouTube"),
        ("UCshort", "YouTube"),
        ("Ада", "YouTube"),
        ("Ада", "Telegram"),
        ("ada", "Bluesky"),
        ("@ada", "Mastodon"),
        ("@ada", "LinkedIn"),
        ("ada", "Rumble"),
        ("ada", "Rutube"),
        ("ada-lovelace", "TikTok"),
        ("@search", "Instagram"),
        ("@ada.", "TikTok"),
        ("instagram.com", "Instagram"),
        ("wall-1_2", "VK"),
    ],
)
def test_a_handle_that_does_not_fit_its_platform_is_refused(text: str, platform: str) -> None:
    assert refusal(text, platform).code == "bad_url"


def test_an_address_speaks_for_itself_whatever_the_platform_column_says() -> None:
    assert key("https://www.instagram.com/ada/", "TikTok") == "instagram:ada"


def test_an_unknown_host_is_kept_as_other_whatever_the_platform_column_says() -> None:
    assert key("https://example.com/@ada", "TikTok") == "other:example.com/@ada"


def test_a_platform_column_that_is_no_text_counts_as_missing() -> None:
    number: Any = 7

    assert refusal("@ada", number).code == "unknown_platform"


@pytest.mark.parametrize(
    ("text", "username", "url"),
    [
        ("tiktok.com/@Ada?lang=en", "Ada", "https://www.tiktok.com/@Ada"),
        ("http://instagram.com/Ada.L/reels/", "Ada.L", "https://www.instagram.com/Ada.L"),
        (
            "youtube.com/@канал",
            "канал",
            "https://www.youtube.com/@%D0%BA%D0%B0%D0%BD%D0%B0%D0%BB",
        ),
        (f"youtube.com/channel/{UC}/about", None, f"https://www.youtube.com/channel/{UC}"),
        ("youtube.com/c/Ada", "Ada", "https://www.youtube.com/c/Ada"),
        ("facebook.com/people/Ada/1001", None, "https://www.facebook.com/profile.php?id=1001"),
        ("twitter.com/Ada", "Ada", "https://x.com/Ada"),
        ("threads.net/@ada", "ada", "https://www.threads.com/@ada"),
        ("t.me/s/Ada_News", "Ada_News", "https://t.me/Ada_News"),
        ("vk.com/id1", None, "https://vk.com/id1"),
        ("bsky.app/profile/did:plc:abc234", None, "https://bsky.app/profile/did:plc:abc234"),
        ("mastodon.social/users/Ada", "Ada", "https://mastodon.social/@Ada"),
        ("snapchat.com/@ada", "ada", "https://www.snapchat.com/add/ada"),
        ("linkedin.com/in/Ada-L", "Ada-L", "https://www.linkedin.com/in/Ada-L"),
        ("http://www.example.com/@Ada/?utm_source=x", "Ada", "https://www.example.com/@Ada"),
        ("http://example.com/share", None, "https://example.com/share"),  # V17
        ("example.com", None, "https://example.com"),
        ("https://example.com?a=b", None, "https://example.com/?a=b"),
    ],
)
def test_a_profile_has_its_handle_as_written_and_a_clean_link(text: str, username: str | None, url: str) -> None:
    profile = profile_of(text)

    assert (profile.username, profile.url) == (username, url)


@pytest.mark.parametrize(
    ("slug", "names"),
    [
        ("youtube", ["YouTube", "YT", "you tube", "Ютуб", "YouTube Shorts", "youtube.com", "유튜브", " YOUTUBE\n"]),
        ("tiktok", ["TikTok", "Tik-Tok", "TT", "Тик Ток", "ТИКТОК", "ティックトック"]),
        ("instagram", ["Instagram", "insta", "IG", "Инстаграм", "ＩＧ", "İnstagram", "インスタ"]),
        ("facebook", ["Facebook", "FB", "Фейсбук", "फेसबुक"]),
        ("x", ["X", "Twitter", "X (Twitter)", "Twitter/X", "Твиттер"]),
        ("threads", ["Threads", "threads.net"]),
        ("telegram", ["Telegram", "TG", "Телеграм", "t.me"]),
        ("vk", ["VK", "ВК", "ВКонтакте", "В Контакте"]),
        ("ok", ["OK", "ОК", "Одноклассники"]),
        ("bluesky", ["Bluesky", "Blue Sky", "bsky.app"]),
        ("dzen", ["Дзен", "Яндекс.Дзен", "Zen"]),
    ],
)
def test_platforms_are_known_by_what_people_call_them(slug: str, names: list[str]) -> None:
    assert {platform_slug(name) for name in names} == {slug}


def test_every_platform_is_known_by_its_own_slug() -> None:
    assert [platform_slug(slug) for slug in PLATFORMS] == list(PLATFORMS)


@pytest.mark.parametrize("text", ["", "-", "other", "blog", "YouTube and TikTok", "抖音", "y" * 100_000])
def test_what_nobody_calls_a_platform_is_unknown(text: str) -> None:
    assert platform_slug(text) is None


def test_a_password_in_a_link_is_not_repeated() -> None:
    assert "secret" not in str(refusal("https://ada:secret@example.com/"))


def test_a_refusal_reads_as_its_message() -> None:
    refused = refusal("https://www.instagram.com/p/Cabc/")

    assert str(refused) == refused.message == "is a post, not a profile; paste the link of the profile page"


# Parts that make an address likely, so that the properties below look at accepted texts too.
CLEAN_FRONTS = sorted(parse._CLEAN)
NAMES = st.one_of(
    st.from_regex(r"@?[A-Za-z0-9_.\-]{1,12}", fullmatch=True),
    st.from_regex(r"@?[\w.%\-]{1,6}", fullmatch=True),
    st.sampled_from(
        ["search", "@search", "share", "Reels", "watch", "p", "profile.php", "ada.php", "id1", "wall1", "100"]
    ),
    st.sampled_from(
        ["Ada-Lovelace-100012345678901", "@ada@fosstodon.org", "..", "@канал", "@cafe\u0301", "@\u212a", "@\u0130"]
    ),
)
HOSTS = st.sampled_from(
    ["example.com", "WWW.Example.com", "ada.t.me", "ada.bsky.social", "ru.linkedin.com", "пример.рф", "b\u00fccher.de"]
)
AFTER = st.sampled_from(
    ["", "/", "//", "/videos", "/about/", "?utm_source=a&b=c+d%2B", "#x", "#/x?y", "/a%2Fb", "?id=100", "/=https://a.b"]
)
SCHEMES = st.sampled_from(["", "https://", "http://", "HTTPS://", "//", "https://www.", "https://m."])


def addresses_on(row: Site) -> st.SearchStrategy[str]:
    fronts = ["/".join((*form.before, form.sign)).replace("*", "a") for form in row.forms]
    hosts = sorted(spellings(row))
    return st.builds("{}{}/{}{}{}".format, SCHEMES, st.sampled_from(hosts), st.sampled_from(fronts), NAMES, AFTER)


ADDRESSES = st.one_of(
    st.sampled_from(SITES).flatmap(addresses_on), st.builds("{}{}/{}{}".format, SCHEMES, HOSTS, NAMES, AFTER)
)
ELSEWHERE = st.builds("https://example.com/{}".format, st.text(st.characters(codec="utf-8"), max_size=40))
ENCODED = st.builds(
    "example.com/{}".format,
    st.lists(
        st.sampled_from(
            [*"abA/?#&=+;,:@!$'()*~._-|", "%2F", "%2C", "%27", "%3a", "%25", "%20", "%C3%A9", "e\u0301", "http://"]
        )
    ).map("".join),
)
ANYTHING = st.one_of(
    st.text(), st.text(alphabet="@a./:%#?&=\\ \n\ud800\x00", max_size=30), ADDRESSES, ELSEWHERE, ENCODED
)
PLATFORM_TEXTS = st.one_of(st.none(), st.sampled_from([*PLATFORMS, "Тик Ток", "?"]), st.text(max_size=5))


def outcome(text: object, platform: str | None = None) -> Profile | tuple[str, str]:
    try:
        return profile_of(text, platform)
    except BadProfile as refused:
        return refused.code, refused.message


@given(ANYTHING, PLATFORM_TEXTS)
def test_any_text_is_a_profile_or_a_refusal(text: str, platform: str | None) -> None:
    found = outcome(text, platform)

    if isinstance(found, Profile):
        assert found.platform in {*PLATFORMS, "other"}
        assert found.url_key.startswith(f"{found.platform}:")
        assert found.url.startswith("https://")
        assert found.url.isascii()
        assert len(found.url) <= 2048
        assert found.url_key.encode().decode() == found.url_key
    else:
        assert found[0] in {"no_url", "bad_url", "unknown_platform"}
        assert found[1].isprintable()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.binary(), st.lists))
def test_any_object_is_a_refusal(thing: object) -> None:
    assert not isinstance(outcome(thing, "TikTok"), Profile)


@given(st.one_of(ADDRESSES, ELSEWHERE, ENCODED))
@example("example.com/http://a")
@example("m.vk.com/@id1")
@example("example.com/a%2Cwww.b")
@example("https://example.com/%27")
@example("https://example.com/?a=%2B+b")
@example("https://app.example.com/#/a?b=c")
def test_the_link_of_a_profile_names_the_same_profile(text: str) -> None:
    found = outcome(text)

    if isinstance(found, Profile):
        assert profile_of(found.url) == found


@given(NAMES, st.sampled_from(PLATFORMS))
def test_the_link_of_a_bare_handle_names_the_same_profile(handle: str, platform: str) -> None:
    found = outcome(handle, platform)

    if isinstance(found, Profile):
        assert profile_of(found.url) == found


@given(st.sampled_from(CLEAN_FRONTS), NAMES, st.sampled_from(["", "/", "//", "/videos", "?x=1", "\n"]))
def test_the_short_way_answers_like_the_careful_one(front: str, name: str, end: str) -> None:
    text = f"{front}/{name}{end}"
    try:
        careful: Profile | tuple[str, str] = parse._look_closely(text, None)
    except BadProfile as refused:
        careful = refused.code, refused.message

    assert outcome(text) == careful


@pytest.mark.parametrize(
    "text",
    [
        "https://www.tiktok.com/@ada",
        "https://www.instagram.com/ada/",
        "https://www.youtube.com/@ada",
        "https://www.facebook.com/ada",
        "https://t.me/ada_news",
        "https://x.com/ada",
        "https://vk.com/ada",
    ],
)
def test_the_commonest_forms_take_the_short_way(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parse._look_closely(text, None)
    monkeypatch.delattr(parse, "_look_closely")

    assert profile_of(text) == expected


HANDLES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{3,12}", fullmatch=True)


@given(st.sampled_from(["tiktok.com/@{}", "x.com/{}", "youtube.com/c/{}", "t.me/{}"]), HANDLES, HANDLES)
def test_two_handles_share_a_key_only_when_case_alone_differs(template: str, one: str, other: str) -> None:
    first, second = outcome(template.format(one)), outcome(template.format(other))

    if isinstance(first, Profile) and isinstance(second, Profile):
        assert (first.url_key == second.url_key) == (one.lower() == other.lower())
