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
        ("m.kwai.com", "kwai.com"),
        ("m.bilibili.com", "space.bilibili.com"),
    ],
)
def test_a_host_for_small_screens_shows_the_same_account(small: str, host: str) -> None:
    assert profile_of(f"https://{small}/x/ada").url_key == f"other:{host}/x/ada"


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        ("patreon.com/ada", "patreon.com/Ada www.patreon.com/c/Ada patreon.com/c/ada/posts patreon.com/cw/ada"),
        ("patreon.com/c", "patreon.com/c"),
        ("kick.com/ada", "kick.com/Ada www.kick.com/ADA kick.com/ada/about"),
        ("kick.com/Ada/clips/1", "kick.com/Ada/clips/1"),
        ("weibo.com/123", "weibo.com/u/123 www.weibo.com/u/123?tabtype=home m.weibo.cn/u/123 m.weibo.cn/profile/123"),
        (
            "space.bilibili.com/12",
            "space.bilibili.com/12 m.bilibili.com/space/12 space.bilibili.com/12/video?spm_id_from=1",
        ),
        ("github.com/ada", "github.com/Ada github.com/ada?tab=stars"),
        ("github.com/Ada/Book", "github.com/Ada/Book"),
        ("blog.naver.com/ada", "blog.naver.com/ada m.blog.naver.com/PostList.naver?blogId=ada&tab=1"),
        ("blog.naver.com/ada/7", "blog.naver.com/ada/7 blog.naver.com/PostView.nhn?blogId=ada&logNo=7"),
        ("note.com/ada", "note.com/ada note.com/ada?sub_rt=share_b"),
    ],
)
def test_pages_of_one_profile_are_one_account(key: str, spellings: str) -> None:
    assert {profile_of(f"https://{spelling}").url_key for spelling in spellings.split()} == {f"other:{key}"}


def test_names_differ_by_case_where_nothing_is_known() -> None:
    assert profile_of("https://boosty.to/Ada").url_key != profile_of("https://boosty.to/ada").url_key
    assert (
        profile_of("https://blog.naver.com/PostList.naver?blogId=ada").url_key
        != profile_of("https://blog.naver.com/PostList.naver?blogId=bob").url_key
    )


@pytest.mark.parametrize("text", ["link", "Links", "ссылка", "链接"])
def test_the_text_of_a_hidden_link_is_nobodys_handle(text: str) -> None:
    with pytest.raises(BadProfile, match="smart chip"):
        profile_of(text, "TikTok")
