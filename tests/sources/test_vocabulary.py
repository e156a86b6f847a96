"""Words and hosts that stand for others."""

from __future__ import annotations

import pytest

from webapp.sources.urls import BadProfile, profile_of


@pytest.mark.parametrize(
    ("small", "host"),
    [
        ("m.soundcloud.com", "soundcloud.com"),
        ("m.weibo.cn", "weibo.com"),
        ("m.weibo.com", "weibo.com"),
        ("m.blog.naver.com", "blog.naver.com"),
        ("m.douyin.com", "douyin.com"),
        ("m.kick.com", "kick.com"),
        ("m.vimeo.com", "vimeo.com"),
        ("m.onlyfans.com", "onlyfans.com"),
        ("m.imdb.com", "imdb.com"),
        ("m.flickr.com", "flickr.com"),
        ("touch.dailymotion.com", "dailymotion.com"),
        ("m.likee.video", "likee.video"),
        ("l.likee.video", "likee.video"),
    ],
)
def test_a_host_for_small_screens_shows_the_same_account(small: str, host: str) -> None:
    assert profile_of(f"https://{small}/u/ada").url_key == f"other:{host}/u/ada"


@pytest.mark.parametrize("text", ["link", "Links", "ссылка", "链接"])
def test_the_text_of_a_hidden_link_is_nobodys_handle(text: str) -> None:
    with pytest.raises(BadProfile, match="smart chip"):
        profile_of(text, "TikTok")
