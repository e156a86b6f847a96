"""The hosts, names and links of every platform, once more, so that no row of the table changes unseen."""

from __future__ import annotations

import pytest

from webapp.sources.urls import PLATFORMS, BadProfile, profile_of

MASTODON = (
    "mastodon.social mastodon.online aus.social c.im chaos.social climatejustice.social det.social fediscience.org "
    "floss.social fosstodon.org front-end.social hachyderm.io indieweb.social infosec.exchange ioc.exchange "
    "journa.host kolektiva.social mas.to masto.ai mastodon.art mastodon.au mastodon.cloud mastodon.gamedev.place "
    "mastodon.green mastodon.ie mastodon.nl mastodon.nu mastodon.nz mastodon.scot mastodon.uno mastodon.world "
    "mastodon.xyz mastodonapp.uk mathstodon.xyz mindly.social mstdn.ca mstdn.jp mstdn.party mstdn.social "
    "newsie.social norden.social ohai.social pawoo.net phpc.social piaille.fr ruby.social scholar.social "
    "sfba.social social.linux.pizza social.tchncs.de social.vivaldi.net tech.lgbt techhub.social toot.community "
    "toot.io troet.cafe universeodon.com wandering.shop"
)
PINTEREST = (
    "pinterest.com pinterest.at pinterest.ca pinterest.ch pinterest.cl pinterest.co.kr pinterest.co.uk "
    "pinterest.com.au pinterest.com.mx pinterest.de pinterest.dk pinterest.es pinterest.fr pinterest.ie "
    "pinterest.it pinterest.jp pinterest.nz pinterest.ph pinterest.pt pinterest.ru pinterest.se"
)
# Of each platform: its name, where its links begin, and every host at which its profiles are found.
ROWS = {
    "youtube": ("YouTube", "https://www.youtube.com/@ada_99", "youtube.com"),
    "tiktok": ("TikTok", "https://www.tiktok.com/@ada_99", "tiktok.com"),
    "instagram": ("Instagram", "https://www.instagram.com/ada_99", "instagram.com instagr.am"),
    "facebook": ("Facebook", "https://www.facebook.com/ada_99", "facebook.com fb.com"),
    "x": ("X", "https://x.com/ada_99", "x.com twitter.com"),
    "threads": ("Threads", "https://www.threads.com/@ada_99", "threads.com threads.net"),
    "telegram": ("Telegram", "https://t.me/ada_99", "t.me telegram.me telegram.dog"),
    "vk": ("VK", "https://vk.com/ada_99", "vk.com vk.ru vkontakte.ru vkvideo.ru"),
    "ok": ("OK", "https://ok.ru/ada_99", "ok.ru odnoklassniki.ru"),
    "bluesky": ("Bluesky", "https://bsky.app/profile/ada-99.bsky.social", "bsky.app bsky.social"),
    "mastodon": (
        "Mastodon",
        "https://{host}/@ada_99",
        MASTODON,
    ),
    "twitch": ("Twitch", "https://www.twitch.tv/ada_99", "twitch.tv"),
    "linkedin": ("LinkedIn", "https://www.linkedin.com/in/ada_99", "linkedin.com"),
    "pinterest": (
        "Pinterest",
        "https://www.pinterest.com/ada_99",
        PINTEREST,
    ),
    "snapchat": ("Snapchat", "https://www.snapchat.com/add/ada_99", "snapchat.com"),
    "reddit": (
        "Reddit",
        "https://www.reddit.com/user/ada_99",
        "reddit.com",
    ),
    "rumble": ("Rumble", "https://rumble.com/c/ada_99", "rumble.com"),
    "dzen": ("Dzen", "https://dzen.ru/ada_99", "dzen.ru zen.yandex.ru zen.yandex.com"),
    "rutube": ("RUTUBE", "https://rutube.ru/u/ada_99", "rutube.ru"),
}
PARTS = {
    "youtube": "music.youtube.com studio.youtube.com gaming.youtube.com",
    "facebook": "web.facebook.com mbasic.facebook.com touch.facebook.com free.facebook.com d.facebook.com "
    "de-de.facebook.com",
    "vk": "new.vk.com",
    "twitch": "go.twitch.tv player.twitch.tv",
    "linkedin": "touch.linkedin.com de.linkedin.com",
    "pinterest": "fr.pinterest.com",
    "reddit": "old.reddit.com new.reddit.com np.reddit.com sh.reddit.com amp.reddit.com de.reddit.com",
}


@pytest.mark.parametrize(
    ("slug", "link", "host"),
    [pytest.param(slug, link, host, id=host) for slug, (_, link, hosts) in ROWS.items() for host in hosts.split()],
)
def test_a_profile_is_found_at_every_host_of_its_platform(slug: str, link: str, host: str) -> None:
    path = link.split("/", 3)[3]

    for front in ("https://", "http://", "www.", "m.", "mobile."):
        found = profile_of(f"{front}{host}/{path}")
        assert (found.platform, found.url) == (slug, link.replace("{host}", host)), front


@pytest.mark.parametrize(
    ("slug", "host"), [pytest.param(slug, host, id=host) for slug, hosts in PARTS.items() for host in hosts.split()]
)
def test_parts_of_a_platform_show_its_profiles(slug: str, host: str) -> None:
    link = ROWS[slug][1]

    for front in ("https://", "www."):
        assert profile_of(f"{front}{host}/{link.split('/', 3)[3]}").url == link


@pytest.mark.parametrize("slug", ROWS)
def test_a_page_that_is_nobodys_is_named_by_its_platform(slug: str) -> None:
    name, _, hosts = ROWS[slug]

    with pytest.raises(BadProfile, match=f"^is no profile page of {name}; "):
        profile_of(f"https://{hosts.split()[0]}/")


def test_every_platform_of_the_table_is_here() -> None:
    assert set(PLATFORMS) == set(ROWS)


@pytest.mark.parametrize("app", ["web", "weba", "webk", "webz"])
def test_telegram_may_be_read_in_a_browser(app: str) -> None:
    assert profile_of(f"https://{app}.telegram.org/k/#@ada_99").url_key == "telegram:ada_99"


@pytest.mark.parametrize(
    ("text", "key", "username", "link"),
    [
        ("facebook.com/@ada.l", "facebook:ada.l", "ada.l", "https://www.facebook.com/ada.l"),
        ("ok.ru/profile/123", "ok:profile/123", None, "https://ok.ru/profile/123"),
        ("ok.ru/group/123", "ok:group/123", None, "https://ok.ru/group/123"),
        ("twitch.tv/@ada", "twitch:ada", "ada", "https://www.twitch.tv/ada"),
        ("linkedin.com/showcase/ada", "linkedin:showcase/ada", "ada", "https://www.linkedin.com/showcase/ada"),
        ("dzen.ru/@ada", "dzen:ada", "ada", "https://dzen.ru/ada"),
    ],
)
def test_each_way_to_write_a_profile_has_its_key_name_and_link(
    text: str, key: str, username: str | None, link: str
) -> None:
    found = profile_of(text)

    assert (found.url_key, found.username, found.url) == (key, username, link)
