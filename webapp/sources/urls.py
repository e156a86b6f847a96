"""Which profile a text names: one parser and one table for everything people type or paste as a profile's address.

A false merge is worse than a miss: what is not surely the page of one account is refused, in words that say what to
paste instead. To teach it a platform, add a row to `_TABLE` and the names people call it by to `_CALLED`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, NoReturn
from urllib.parse import quote, unquote

from webapp.model import Profile

__all__ = ["PLATFORMS", "BadProfile", "platform_slug", "profile_of"]

_LONGEST = 2048  # characters of an address
_LONGEST_HOST = 253
_LONGEST_LABEL = 63
_MOST_LABELS = 10  # of a host in another script, each of which costs a conversion
_LONGEST_PIECE = 255  # characters of a part in another script: to normalise piled accents takes quadratic time
_LONGEST_SLUG = 64  # characters of what a Platform column says

_PASTE = "paste the link of the profile page"
_LINKED_TEXT = (
    "is not a link; if the cell shows linked text or a smart chip, paste the address itself, such as https://..."
)

_Code = Literal["no_url", "bad_url", "unknown_platform"]


class BadProfile(ValueError):
    """A text that names no profile.

    code: `no_url` for a blank or a placeholder, `unknown_platform` for a bare handle on nobody knows what platform,
    `bad_url` for the rest. message: words that go on from the text, such as `is a post, not a profile; ...`; it
    repeats neither the text nor its address.
    """

    def __init__(self, code: _Code, message: str) -> None:
        super().__init__(message)
        self.code: _Code = code
        self.message = message


def profile_of(text: object, platform: str | None = None) -> Profile:
    """The profile that a cell or a form names.

    text: an address in any way its platform writes it, with or without scheme, or a bare handle (`@ada`, `ada`).
    platform: what the row's Platform column says, in any language and case. It only tells whose a bare handle is; an
    address speaks for itself. A host that is not in the table makes platform `other`: host, path and query are the
    key, as they are but for tracking parameters.

    Raises: BadProfile, and nothing else whatever the text.
    """
    if type(text) is str:
        front, _, name = text.rpartition("/")
        if not name:
            front, _, name = front.rpartition("/")
        clean = _CLEAN.get(front)
        if clean is not None and name.isascii() and clean.fits(name):
            folded = name.lower()
            if folded not in clean.reserved:
                return Profile(clean.slug, clean.key + folded, name[clean.sign :], clean.home + name)
    return _careful(text, platform)


def platform_slug(text: str) -> str | None:
    """The slug of a platform as people write it (`YT`, `Тик Ток`, `X (Twitter)`, `instagram.com`); None if unknown."""
    return _slug_of(text) if len(text) <= _LONGEST_SLUG else None


class _Form(NamedTuple):
    """One way in which a platform writes the address of a profile.

    before: path segments in front of the name, `*` for any one. sign: what the name's own segment starts with.
    param: the query parameter that holds the name, where it is not in the path. name: what a name looks like; a group
    in it is the name proper. key, link: what stands before the name in the key, and behind the home in the URL.
    folds: names that differ in case are one account. is_id: the name is no handle that a person would know.
    """

    before: tuple[str, ...]
    sign: str
    param: str | None
    name: re.Pattern[str]
    key: str
    link: str
    folds: bool
    is_id: bool


def _form(
    template: str,
    name: str,
    *,
    key: str | None = None,
    link: str | None = None,
    folds: bool = True,
    is_id: bool = False,
) -> _Form:
    """A form from `channel/{}`, `people/*/{}`, `@{}` or `profile.php?id={}`; key and link are alike unless given."""
    path, _, param = template.partition("?")
    parts = path.split("/") if path else []
    sign = "" if param else parts.pop().removesuffix("{}")
    return _Form(
        before=tuple(parts),
        sign=sign,
        param=param.removesuffix("={}") or None,
        name=re.compile(name),
        key=(template if key is None else key).removesuffix("{}"),
        link=(template if link is None else link).removesuffix("{}"),
        folds=folds,
        is_id=is_id,
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Platform:
    """What is known of one platform.

    home: what every link starts with; `{}` is the host where each host has accounts of its own.
    hosts: without `www.`. subs: names before a host that show the same pages, beside `m` and `mobile`; languages: the
    same for whole patterns. named_hosts: hosts below which the subdomain is the name, with the path it stands for.
    forms: tried in this order. tabs: pages of a profile, alone behind the name (with deep_tabs also with more).
    reserved: first segments that are pages of the platform itself. overlays: parameters that open a post on top.
    bare: what a bare handle looks like and which path it stands for; empty where it does not say whose page it is.
    clean: names of the commonest form that need no further thought.
    """

    slug: str
    title: str
    home: str
    hosts: tuple[str, ...]
    forms: tuple[_Form, ...]
    subs: tuple[str, ...] = ()
    languages: re.Pattern[str] | None = None
    named_hosts: tuple[tuple[str, str], ...] = ()
    tabs: frozenset[str] = frozenset()
    deep_tabs: bool = False
    reserved: frozenset[str] = frozenset()
    overlays: frozenset[str] = frozenset()
    bare: tuple[tuple[str, str], ...] = (("@?(.+)", "{}"),)
    clean: str | None = None


_ID = "[1-9][0-9]{0,24}"
_WORD = r"[A-Za-z0-9_]{1,64}"
_DOTTED = r"[A-Za-z0-9_.]{1,64}(?<!\.)"
_DASHED = r"[A-Za-z0-9_-]{1,100}"
_SLUG = r"[A-Za-z0-9_.-]{1,100}(?<!\.)"
# Letters of every script with their marks, which \w leaves out.
_ANY_SCRIPT = r"[\w.\-·\u0300-\u1fff\ua000-\uabff]{1,100}(?<!\.)"
_FACEBOOK_NAME = r"[A-Za-z0-9_.-]{1,100}(?<!\.php)(?<!\.)"
_DOMAIN = r"[A-Za-z0-9][A-Za-z0-9.-]{0,240}\.[A-Za-z][A-Za-z0-9-]{1,62}"
_DID = "did:(?:plc|web):[A-Za-z0-9._:-]{1,240}"
_VK_PAGE = (
    "(?!(?:album|albums|app|audio|audios|clip|clips|doc|docs|event|market|music|note|notes|page|photo|photos|podcast"
    "|podcasts|poll|product|story|stories|tag|topic|video|videos|wall|write)-?[0-9][0-9_]*$)"
)
_VK_ID = "(?:id|club|public)[0-9]{1,20}"
_VK_NAME = _VK_PAGE + r"[A-Za-z0-9_.]{2,64}(?<!\.php)(?<!\.)"

_TWO_LETTERS = re.compile("[a-z]{2}")
_LOCALE = re.compile("[a-z]{2}-[a-z]{2}")

# Pages that most platforms have; nobody is called so where names share the path with them.
_COMMON = (
    "about account accounts ads api auth dashboard developer developers discover download error events explore feed "
    "followers following friends groups hashtag help home index index.html index.php invite jobs legal live login "
    "logout messages notifications oauth policies policy post posts press privacy register robots.txt rules safety "
    "search settings share signin signup sitemap stories support terms tos trending upload video videos watch web "
)

_TABLE = (
    _Platform(
        slug="youtube",
        title="YouTube",
        home="https://www.youtube.com/",
        hosts=("youtube.com",),
        subs=("music", "studio", "gaming"),
        forms=(
            _form("@{}", _ANY_SCRIPT),
            _form("channel/{}", "UC[A-Za-z0-9_-]{22}", folds=False, is_id=True),
            _form("c/{}", _ANY_SCRIPT),
            _form("user/{}", _ANY_SCRIPT),
            # An id without its `channel/` is no name: its case matters.
            _form("{}", "(?!UC[A-Za-z0-9_-]{22}$)" + _ANY_SCRIPT),
        ),
        tabs=_words(
            "about channels community courses featured home live membership null playlists podcasts posts releases "
            "search shorts store streams videos"
        ),
        reserved=_words(
            _COMMON
            + "attribution attribution_link c channel clip clips creators e embed gaming kids live_chat movies music "
            "new news oembed playables playlist podcasts premium redirect results shared shorts source "
            "subscription_center t tv user v yt"
        ),
        bare=(("@(.+)", "@{}"), ("(UC[A-Za-z0-9_-]{22})", "channel/{}")),
        clean=r"@[A-Za-z0-9_.-]{1,100}(?<!\.)",
    ),
    _Platform(
        slug="tiktok",
        title="TikTok",
        home="https://www.tiktok.com/",
        hosts=("tiktok.com",),
        forms=(_form("@{}", _DOTTED),),
        tabs=_words("favorites liked live reposts videos"),
        bare=(("@?(.+)", "@{}"),),
        clean=f"@{_DOTTED}",
    ),
    _Platform(
        slug="instagram",
        title="Instagram",
        home="https://www.instagram.com/",
        hosts=("instagram.com", "instagr.am"),
        forms=(
            _form("_u/{}", _DOTTED, key="{}", link="{}"),
            _form("@{}", _DOTTED, key="{}", link="{}"),
            _form("{}", _DOTTED),
        ),
        tabs=_words("channel feed followers following guides igtv photos reels reposts saved tagged videos"),
        reserved=_words(
            _COMMON
            + "_n _u ar challenge channel direct directory emails graphql igtv lite locations n p popular push qr "
            "reel reels s session tags topics tv"
        ),
        clean=_DOTTED,
    ),
    _Platform(
        slug="facebook",
        title="Facebook",
        home="https://www.facebook.com/",
        hosts=("facebook.com", "fb.com"),
        subs=("web", "mbasic", "touch", "free", "d"),
        languages=_LOCALE,
        forms=(
            _form("profile.php?id={}", _ID, key="id/{}", is_id=True),
            _form("people/*/{}", _ID, key="id/{}", link="profile.php?id={}", is_id=True),
            _form("pages/category/*/{}", f"(?:.*-)?({_ID})", key="id/{}", link="profile.php?id={}", is_id=True),
            _form("pages/*/{}", _ID, key="id/{}", link="profile.php?id={}", is_id=True),
            _form("p/{}", f".*-({_ID})", key="id/{}", link="profile.php?id={}", is_id=True),
            _form("pg/{}", _FACEBOOK_NAME, key="{}", link="{}"),
            _form("@{}", _FACEBOOK_NAME, key="{}", link="{}"),
            _form("{}", _ID, key="id/{}", link="profile.php?id={}", is_id=True),
            # A page without a name of its own: its title, and its id of 8 digits or more.
            _form("{}", ".*-([1-9][0-9]{7,24})", key="id/{}", link="profile.php?id={}", is_id=True),
            _form("{}", _FACEBOOK_NAME),
        ),
        tabs=_words(
            "about about_details books community directory events followers following friends groups info likes live "
            "live_videos map mentions movies music notes past_hosted_events photos photos_albums photos_by photos_of "
            "posts reels reels_tab reviews services shop sports timeline tv videos videos_by"
        ),
        reserved=_words(
            _COMMON
            + "ad_center app apps bookmarks business campaign crisis dialog directory donate event fundraisers games "
            "gaming group hashtags l.php latest lite marketplace media memories messenger p page pages people pg "
            "photo photos places plugins public r recover reel reels saved sharer story v watchparty weather"
        ),
        overlays=_words("story_fbid fbid"),
        clean=r"[A-Za-z][A-Za-z0-9_.]{0,99}(?<!\.php)(?<!\.)",
    ),
    _Platform(
        slug="x",
        title="X",
        home="https://x.com/",
        hosts=("x.com", "twitter.com"),
        forms=(
            _form("i/user/{}", _ID, is_id=True),
            _form("intent/user?user_id={}", _ID, key="i/user/{}", link="i/user/{}", is_id=True),
            _form("intent/user?screen_name={}", f"@?({_WORD})", key="{}", link="{}"),
            _form("intent/follow?screen_name={}", f"@?({_WORD})", key="{}", link="{}"),
            _form("@{}", _WORD, key="{}", link="{}"),
            _form("{}", _WORD),
        ),
        tabs=_words(
            "about affiliates articles followers followers_you_follow following header_photo highlights likes lists "
            "media photo superfollows verified_followers with_replies"
        ),
        reserved=_words(
            _COMMON
            + "bookmarks communities compose i intent lists topics who_to_follow widgets"
        ),
        clean=_WORD,
    ),
    _Platform(
        slug="threads",
        title="Threads",
        home="https://www.threads.com/",
        hosts=("threads.com", "threads.net"),
        forms=(_form("@{}", _DOTTED),),
        tabs=_words("media replies reposts"),
        bare=(("@?(.+)", "@{}"),),
        clean=f"@{_DOTTED}",
    ),
    _Platform(
        slug="telegram",
        title="Telegram",
        home="https://t.me/",
        hosts=("t.me", "telegram.me", "telegram.dog"),
        named_hosts=(("t.me", "{}"),),
        forms=(
            _form("s/{}", "[A-Za-z0-9_]{3,64}", key="{}", link="{}"),
            _form("@{}", "[A-Za-z0-9_]{3,64}", key="{}", link="{}"),
            _form("{}", "[A-Za-z0-9_]{3,64}"),
        ),
        reserved=_words(
            "addemoji addlist addstickers addtheme auction boost confirmphone contact giftcode invoice joinchat login "
            "msg nft proxy setlanguage share socks stars"
        ),
        clean="[A-Za-z0-9_]{3,64}",
    ),
    _Platform(
        slug="vk",
        title="VK",
        home="https://vk.com/",
        hosts=("vk.com", "vk.ru", "vkontakte.ru"),
        subs=("new",),
        forms=(
            _form("{}", _VK_ID, is_id=True),
            _form("@{}", _VK_NAME, key="{}", link="{}"),
            _form("{}", _VK_NAME),
        ),
        reserved=_words(
            _COMMON
            + "album albums app apps article audio audios biz blog bookmarks calls clip clips club dev doc docs edit "
            "event faq fave games gifts id im join mail market music news note notes page photo photos play podcast "
            "podcasts poll product public services stickers story tag topic wall write"
        ),
        overlays=_words("w z"),
        # No digits: those may be an id or the number of a post.
        clean=r"[A-Za-z_.]{2,64}(?<!\.php)(?<!\.)",
    ),
    _Platform(
        slug="ok",
        title="OK",
        home="https://ok.ru/",
        hosts=("ok.ru", "odnoklassniki.ru"),
        forms=(
            _form("profile/{}", _ID, is_id=True),
            _form("group/{}", _ID, is_id=True),
            _form("{}", _SLUG),
        ),
        tabs=_words("about albums friends games groups members music photos pphotos statuses topics video videos"),
        reserved=_words(
            _COMMON
            + "app dk game games gifts group guests marks music online profile promo topic vitrine"
        ),
        clean=_SLUG,
    ),
    _Platform(
        slug="bluesky",
        title="Bluesky",
        home="https://bsky.app/",
        hosts=("bsky.app", "bsky.social"),
        named_hosts=(("bsky.social", "profile/{}.bsky.social"),),
        forms=(
            _form("profile/{}", _DID, key="{}", folds=False, is_id=True),
            _form("profile/{}", _DOMAIN, key="{}"),
        ),
        tabs=_words("followers follows known-followers"),
        bare=((rf"@?({_DID}|.+\..+)", "profile/{}"),),
    ),
    _Platform(
        slug="mastodon",
        title="Mastodon",
        home="https://{}/",
        # The instances whose pages we know to be Mastodon's. Elsewhere `/@name` may be any software.
        hosts=(
            "mastodon.social", "mastodon.online", "aus.social", "c.im", "chaos.social", "climatejustice.social",
            "det.social", "fediscience.org", "floss.social", "fosstodon.org", "front-end.social", "hachyderm.io",
            "indieweb.social", "infosec.exchange", "ioc.exchange", "journa.host", "kolektiva.social", "mas.to",
            "masto.ai", "mastodon.art", "mastodon.au", "mastodon.cloud", "mastodon.gamedev.place", "mastodon.green",
            "mastodon.ie", "mastodon.nl", "mastodon.nu", "mastodon.nz", "mastodon.scot", "mastodon.uno",
            "mastodon.world", "mastodon.xyz", "mastodonapp.uk", "mathstodon.xyz", "mindly.social", "mstdn.ca",
            "mstdn.jp", "mstdn.party", "mstdn.social", "newsie.social", "norden.social", "ohai.social", "pawoo.net",
            "phpc.social", "piaille.fr", "ruby.social", "scholar.social", "sfba.social", "social.linux.pizza",
            "social.tchncs.de", "social.vivaldi.net", "tech.lgbt", "techhub.social", "toot.community", "toot.io",
            "troet.cafe", "universeodon.com", "wandering.shop",
        ),
        forms=(
            _form("@{}", _WORD),
            _form("users/{}", _WORD, key="@{}", link="@{}"),
        ),
        tabs=_words("featured followers following media with_replies"),
        bare=(),
    ),
    _Platform(
        slug="twitch",
        title="Twitch",
        home="https://www.twitch.tv/",
        hosts=("twitch.tv",),
        subs=("go", "player"),
        forms=(
            _form("?channel={}", _WORD, key="{}", link="{}"),
            _form("@{}", _WORD, key="{}", link="{}"),
            _form("{}", _WORD),
        ),
        tabs=_words("about chat clips collections followers following home profile schedule squad videos"),
        reserved=_words(
            _COMMON
            + "annual-recap bits broadcast clip clips collections directory downloads drops embed event inventory "
            "moderator p popout prime products redeem subs subscriptions team turbo u user wallet"
        ),
        clean=_WORD,
    ),
    _Platform(
        slug="linkedin",
        title="LinkedIn",
        home="https://www.linkedin.com/",
        hosts=("linkedin.com",),
        subs=("touch",),
        languages=_TWO_LETTERS,
        forms=tuple(_form(kind + "/{}", _ANY_SCRIPT) for kind in ("in", "company", "school", "showcase")),
        tabs=_words(
            "about de detail details en es events fr insights it jobs life mycompany overlay people pl posts products "
            "pt recent-activity ru tr uk videos zh"
        ),
        deep_tabs=True,
        bare=(),
    ),
    _Platform(
        slug="pinterest",
        title="Pinterest",
        home="https://www.pinterest.com/",
        hosts=tuple(
            "pinterest." + ending
            for ending in (
                "com", "at", "ca", "ch", "cl", "co.kr", "co.uk", "com.au", "com.mx", "de", "dk", "es", "fr", "ie", "it",
                "jp", "nz", "ph", "pt", "ru", "se",
            )
        ),
        languages=_TWO_LETTERS,
        forms=(
            _form("@{}", _DASHED, key="{}", link="{}"),
            _form("{}", _DASHED),
        ),
        tabs=_words("_created _saved _shop boards followers following pins"),
        reserved=_words(
            _COMMON
            + "_ _tools categories convert-business homefeed ideas more news_hub password pin pin-builder resource "
            "shopping source today topics"
        ),
        clean=_DASHED,
    ),
    _Platform(
        slug="snapchat",
        title="Snapchat",
        home="https://www.snapchat.com/",
        hosts=("snapchat.com",),
        forms=(
            _form("add/{}", _SLUG, key="{}"),
            _form("@{}", _SLUG, key="{}", link="add/{}"),
        ),
        bare=(("@?(.+)", "add/{}"),),
    ),
    _Platform(
        slug="reddit",
        title="Reddit",
        home="https://www.reddit.com/",
        hosts=("reddit.com",),
        subs=("old", "new", "np", "sh", "amp"),
        languages=_TWO_LETTERS,
        forms=(
            _form("user/{}", _DASHED),
            _form("u/{}", _DASHED, key="user/{}", link="user/{}"),
        ),
        tabs=_words("about comments gilded overview posts submitted"),
        bare=(("@?(.+)", "user/{}"),),
    ),
    _Platform(
        slug="rumble",
        title="Rumble",
        home="https://rumble.com/",
        hosts=("rumble.com",),
        forms=(
            _form("c/{}", _SLUG),
            _form("user/{}", _SLUG),
        ),
        tabs=_words("about livestreams playlists shorts videos"),
        bare=(),
    ),
    _Platform(
        slug="dzen",
        title="Dzen",
        home="https://dzen.ru/",
        hosts=("dzen.ru", "zen.yandex.ru", "zen.yandex.com"),
        forms=(
            _form("id/{}", "[0-9a-f]{8,64}", is_id=True),
            _form("@{}", _SLUG, key="{}", link="{}"),
            _form("{}", _SLUG),
        ),
        reserved=_words(
            _COMMON
            + "a articles b id list media profile shorts suite t topic topics user"
        ),
        clean=_SLUG,
    ),
    _Platform(
        slug="rutube",
        title="RUTUBE",
        home="https://rutube.ru/",
        hosts=("rutube.ru",),
        forms=(
            _form("channel/{}", _ID, is_id=True),
            _form("video/person/{}", _ID, key="channel/{}", link="channel/{}", is_id=True),
            _form("u/{}", _SLUG),
        ),
        tabs=_words("about playlists shorts videos"),
        bare=(),
    ),
)  # fmt: skip

PLATFORMS: tuple[str, ...] = tuple(row.slug for row in _TABLE)

# What people call a platform, as far as it is neither its slug nor a host of it. Case, spaces and signs do not matter.
_CALLED = {
    "youtube": "yt, you tube, youtube shorts, youtube channel, ютуб, ютюб, ютьюб, ют, 유튜브, ユーチューブ, يوتيوب, यूट्यूब, "
    "יוטיוב",
    "tiktok": "tt, tik tok, тикток, тик ток, тт, тікток, ティックトック, 틱톡, تيك توك, टिकटॉक, טיקטוק",
    "instagram": "ig, insta, inst, instagram reels, инстаграм, инстаграмм, инста, инст, інстаграм, インスタグラム, インスタ, "
    "인스타그램, 인스타, انستغرام, انستقرام, اینستاگرام, इंस्टाग्राम, אינסטגרם",
    "facebook": "fb, face book, facebook page, facebook reels, фейсбук, фэйсбук, фб, フェイスブック, 페이스북, 脸书, 臉書, فيسبوك, "
    "फेसबुक, פייסבוק",
    "x": "twitter, x twitter, twitter x, tw, твиттер, твитер, твіттер, икс, ツイッター, 트위터, 推特, تويتر, ट्विटर, טוויטר",
    "threads": "thread, тредс, тредз, スレッズ, 스레드",
    "telegram": "tg, телеграм, телеграмм, телега, тг, テレグラム, 텔레그램, تيليجرام, تلگرام, טלגרם",
    "vk": "vkontakte, v kontakte, вк, вконтакте, в контакте",
    "ok": "odnoklassniki, одноклассники, ок, однокласники",
    "bluesky": "blue sky, bsky, блюскай, блускай, ブルースカイ",
    "mastodon": "мастодон, マストドン",
    "twitch": "твич, твитч, トゥイッチ, 트위치",
    "linkedin": "linked in, линкедин, лінкедін, لينكد إن, 领英",
    "pinterest": "pin terest, пинтерест, пінтерест, ピンタレスト, 핀터레스트",
    "snapchat": "snap, snap chat, снапчат, スナップチャット, 스냅챗, سناب شات",
    "reddit": "реддит, レディット, 레딧",
    "rumble": "рамбл",
    "dzen": "zen, yandex zen, yandex dzen, дзен, яндекс дзен",
    "rutube": "ru tube, рутуб, рутьюб",
}

_SHORT_HOSTS = _words(
    "youtu.be y2u.be vm.tiktok.com vt.tiktok.com fb.me on.fb.me fb.watch m.me ig.me t.co pin.it redd.it lnkd.in vk.cc "
    "clck.ru bit.ly tinyurl.com goo.gl is.gd ow.ly cutt.ly rb.gy shorturl.at buff.ly dlvr.it tiny.cc t.ly v.gd goo.su "
    "u.to rebrand.ly trib.al t.snapchat.com"
)

# What a segment that is no profile tells about the rest.
_KINDS = {
    word: noun
    for noun, words in {
        "a post": "a article comments p permalink.php pin post posts pulse status statuses story.php topic wall",
        "a photo": "photo photos photo.php album albums media",
        "a video": "video videos watch shorts embed v clip clips live tv",
        "a playlist": "playlist",
        "a reel": "reel reels",
        "a story": "stories story",
        "a group": "group groups r communities joinchat team",
        "a hashtag": "hashtag tag tags",
        "a search": "search explore results",
        "a directory": "directory discover",
        "a share link": "share sharer sharer.php share.php intent s t",
        "an event": "event events",
    }.items()
    for word in words.split()
}

_PLACEHOLDERS = _phrases(
    "n/a|na|none|null|nil|no|nope|empty|blank|tbd|tba|tbc|todo|to do|pending|later|soon|missing|unknown|no url|no link|"
    "no profile|not found|not yet|total|totals|sum|0|нет|нету|не|нет ссылки|нет профиля|нет данных|н/д|неизвестно|"
    "отсутствует|пусто|позже|скоро|потом|уточнить|уточняется|итого|итог|всего|сумма|немає|нема|brak|kein|keine|aucun|"
    "ninguno|nessuno|nenhum|yok|无|沒有|没有|なし|없음"
)

# What a cell shows where its link is hidden behind the text.
_LINK_WORDS = _phrases(
    "link|links|linked|url|urls|channel|profile|account|page|here|click|open|go|website|site|share|reel|reels|shorts|"
    "video|videos|канал|ссылка|линк|профиль|аккаунт|страница|страничка|тут|здесь|сайт|группа|открыть|перейти|посилання|"
    "профіль|сторінка|enlace|canal|perfil|lien|kanal|profil|リンク|링크|链接"
)

# Query parameters that never tell one page from another, on any site.
_TRACKING = re.compile(
    "utm_.*|mtm_.*|hsa_.*|pk_(?:campaign|content|kwd|medium|source)|_hsenc|_hsmi|fbclid|gclid|yclid|dclid|ttclid|twclid"
    "|msclkid|gbraid|wbraid|igsh|igshid|mibextid|mc_cid|mc_eid|_ga|_gl|ref_src|ref_url"
)

# A text with points and without slashes is a host when it ends so; `ada.lovelace` is somebody's handle.
_ENDINGS = _words(
    "com net org edu gov io me ai tv cc to gg xyz info biz app dev art blog club live media news online pro shop site social "
    "store studio world eu ru ua by kz uk de fr es it pt pl nl br mx jp kr cn in tr рф укр"
)
_PRIVATE = _words("localhost local localdomain internal intranet lan home arpa onion")
_LABEL = re.compile("[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LAST_LABEL = re.compile("[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_ALIKE_SCRIPTS = frozenset(("CYRILLIC", "GREEK", "ARMENIAN"))

# Around what was copied: white space, invisible marks, quotes, and what ends a clause. A point may end a name.
_AROUND = (
    " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069"
    "\"'`«»“”„‘’‚,;"
)
_UNSAFE = re.compile(
    "[\\\\\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SPEAKS = re.compile(r"[^\W_]")
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_SECOND_LINK = re.compile("(?<!=)https?://", re.IGNORECASE)
_APART = re.compile(r"[\s,;|]+")
_LIKE_LINK = re.compile(r"(?:https?:)?//|www\.|@|[\w.-]+\.[a-z]{2,}/", re.IGNORECASE)
_LIKE_HANDLE = re.compile(r"@?[\w.\-·\u0300-\u1fff\ua000-\uabff]+|@[\w.-]+@[\w.-]+|did:[\w.:-]+")
_ADDRESS = re.compile(r"@([A-Za-z0-9_.-]{1,64})@([\w.-]+)")
_PATH_SAFE = "!$&()*+=@"
_QUERY_SAFE = "!$()*@"


def _plain(text: str) -> str:
    """Letters and digits alone, whatever the case, width and accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold()).casefold()))


class _Clean(NamedTuple):
    """What the short way of `profile_of` needs of a host."""

    fits: Callable[[str], re.Match[str] | None]
    slug: str
    key: str
    home: str
    sign: int
    reserved: frozenset[str]


def _clean_forms() -> Iterator[tuple[str, _Clean]]:
    """What stands in front of the last slash of a clean address, for every platform that has clean names."""
    for row in _TABLE:
        if row.clean:
            fits = re.compile(row.clean).fullmatch
            clean = _Clean(fits, row.slug, f"{row.slug}:", row.home, row.clean.startswith("@"), row.reserved)
            hosts = (www + host for host in _spellings(row) for www in ("www.", ""))
            yield from ((scheme + host, clean) for host in hosts for scheme in ("https://", "http://", ""))


def _spellings(row: _Platform) -> dict[str, str]:
    """Every host that shows the platform's pages, without `www.`, and the host of the table that it stands for."""
    subs = ("", "m.", "mobile.", *(f"{sub}." for sub in row.subs))
    return {sub + host: host for host in row.hosts for sub in subs}


_BY_SLUG = {row.slug: row for row in _TABLE}
_HOSTS = {spelling: (row, host) for row in _TABLE for spelling, host in _spellings(row).items()}
_NAMED_HOSTS = {host: path for row in _TABLE for host, path in row.named_hosts}
_CLEAN = dict(_clean_forms())
_SLUGS = {
    _plain(name): slug for slug, names in _CALLED.items() for name in (slug, *names.split(","), *_BY_SLUG[slug].hosts)
}


@lru_cache(maxsize=256)
def _slug_of(text: str) -> str | None:
    return _SLUGS.get(_plain(text))


def _careful(text: object, platform: str | None) -> Profile:
    typed = _typed(text)
    return _of_link(typed) if _is_link(typed) else _of_handle(typed, platform)


def _no(words: str, code: _Code = "bad_url") -> NoReturn:
    raise BadProfile(code, words)


def _typed(text: object) -> str:
    """The text without what copying left around it, as far as it may be one address or one handle."""
    if text is None:
        _no("is blank", "no_url")
    if not isinstance(text, str):
        _no("is not text; write the handle with its @ or paste the link of the profile page")
    typed = text.strip(_AROUND)
    if typed.startswith("<") and typed.endswith(">"):
        typed = typed[1:-1].strip(_AROUND)
    if len(typed) > _LONGEST:
        _no(f"is longer than {_LONGEST} characters")
    if _is_placeholder(typed):
        _no("is no link" if typed else "is blank", "no_url")
    _check_alone(typed)
    if _UNSAFE.search(typed):
        _no("has an invisible or broken character or a backslash inside; type it or paste it again")
    return "@" + typed[1:] if typed[0] == "＠" else typed


def _is_placeholder(typed: str) -> bool:
    if typed.casefold().strip(" .:!?()[]-–—…") in _PLACEHOLDERS:
        return True
    return not _SPEAKS.search(typed) and not typed.startswith("@_")


def _check_alone(typed: str) -> None:
    """Refuse a second link and words beside the link."""
    pieces = _APART.split(typed)
    links = sum(_LIKE_LINK.match(piece) is not None for piece in pieces) if len(pieces) > 1 else 1
    if links > 1 or len(_SECOND_LINK.findall(typed)) > 1:
        _no("is more than one link; give every account a row of its own")
    if len(pieces) > 1 and len(typed.split()) > 1:
        _no("has words beside the link; leave the link alone" if links else _LINKED_TEXT)


def _is_link(typed: str) -> bool:
    if "/" in typed or typed[:4].lower() == "www.":
        return True
    if typed.startswith(("@", "did:")):
        return False
    return ":" in typed or (len(typed) <= _LONGEST_HOST and _place(typed.lower()) is not None)


def _of_link(typed: str) -> Profile:
    authority, path, query, fragment = _parts(typed)
    host = _host(authority)
    if host.removeprefix("www.") in _SHORT_HOSTS:
        _no(f"is a short or share link; open it and {_PASTE}")
    place = _place(host)
    if place is None:
        return _elsewhere(host, path, query, fragment)
    segments = [*place.before, *(_decoded(segment) for segment in path.split("/") if segment)]
    return _on(place.row, place.host, segments, query)


def _parts(typed: str) -> tuple[str, str, str, str]:
    """Authority, path without its first slash, query and fragment of an address that may have no scheme."""
    rest = typed
    if scheme := _SCHEME.match(typed):
        rest = typed[scheme.end() :]
        if rest[:1].isdigit():
            _no(f"names a port; {_PASTE}")
        if scheme[1].lower() not in {"http", "https"} or not rest.startswith("/"):
            _no(f"is no web address; {_PASTE}")
    rest, _, fragment = rest.lstrip("/").partition("#")
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    return authority, path, query, fragment


def _host(authority: str) -> str:
    """The host in lower case and ASCII. Nothing but a public name by itself is one."""
    if authority.startswith("@"):
        _no(_LINKED_TEXT)
    if "@" in authority:
        _no(f"has a name or a password in front of the host; {_PASTE}")
    if ":" in authority:
        _no(f"names a port or an IP address; {_PASTE}")
    if len(authority) > _LONGEST_HOST:
        _no(_LINKED_TEXT)
    name = authority.removesuffix(".")
    if not name.isascii():
        if name.count(".") >= _MOST_LABELS:
            _no("has a host name that does not exist")
        name = ".".join(label if label.isascii() else _punycode(label) for label in name.split("."))
    host = name.lower()
    if host.removeprefix("www.") not in _HOSTS:
        _check_public(host)
    return host


def _punycode(label: str) -> str:
    """The `xn--` form of a label that is exactly what was typed, so that no look-alike ends up at the host it mimics.

    Letters that the encoding would replace by others (full width, ß) are refused, and so are mixed alphabets.
    """
    if len(label) > _LONGEST_LABEL:
        _no("has a host name that does not exist")
    spelled = unicodedata.normalize("NFC", label.lower())
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in spelled if letter.isalpha()}
    if "LATIN" in scripts and scripts & _ALIKE_SCRIPTS:
        _no("mixes alphabets in its host, as links that pretend to be another site do; type the address anew")
    try:
        coded = spelled.encode("idna")
        exact = coded.startswith(b"xn--") and coded.decode("idna") == spelled
    except UnicodeError:
        exact = False
    if not exact:
        _no("has a host name that does not exist")
    return coded.decode("ascii")


def _check_public(host: str) -> None:
    labels = host.split(".")
    if labels[-1][:1].isdigit():
        _no(f"names an IP address; {_PASTE}")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)) or not _LAST_LABEL.fullmatch(labels[-1]):
        _no(_LINKED_TEXT)
    if len(labels) == 1 or labels[-1] in _PRIVATE:
        _no("has no public host in it; paste the whole address, such as https://...")


class _Place(NamedTuple):
    """Where a host belongs: the platform, the host as the table has it, and the path that a subdomain stands for."""

    row: _Platform
    host: str
    before: tuple[str, ...] = ()


def _place(host: str) -> _Place | None:
    """Raises: BadProfile for a part of a platform that has no profiles, such as its shop or its help."""
    bare = host.removeprefix("www.")
    base = bare
    while base and base not in _HOSTS:
        base = base.partition(".")[2]
    if not base:
        return None
    row, listed = _HOSTS[base]
    if base == bare:
        return _Place(row, listed)
    sub = bare.removesuffix("." + base)
    if path := _NAMED_HOSTS.get(listed):
        return _Place(row, listed, tuple(path.format(sub).split("/")))
    if row.languages and row.languages.fullmatch(sub):
        return _Place(row, listed)
    _no(f"is no profile page of {row.title}; {_PASTE}")


def _decoded(piece: str) -> str:
    """A part of an address, decoded once, in the one spelling (NFC) that equal texts share."""
    text = piece
    if "%" in piece:
        try:
            text = unquote(piece, errors="strict")
        except UnicodeDecodeError:
            _no("has percent signs that stand for no text; copy it from the address bar")
        if _UNSAFE.search(text):
            _no("has an invisible or broken character or a backslash inside; type it or paste it again")
    if text in {".", ".."}:
        _no(f"leads somewhere else by its dots; {_PASTE}")
    if text.isascii():
        return text
    if len(text) > _LONGEST_PIECE:
        _no(f"has a part longer than {_LONGEST_PIECE} characters")
    return unicodedata.normalize("NFC", text)


def _refuse(row: _Platform, segments: Iterable[str]) -> NoReturn:
    for segment in segments:
        kind = _kind(segment)
        if kind:
            _no(f"is {kind}, not a profile; {_PASTE}")
    _no(f"is no profile page of {row.title}; {_PASTE}")


def _kind(segment: str) -> str | None:
    """What a segment that is no profile announces; `wall-1_2` by its letters, `+AbC` and a number by themselves."""
    if segment.startswith("+"):
        return "an invitation"
    if segment.isdigit():
        return "a post"
    word = segment.lower()
    return _KINDS.get(word) or _KINDS.get(word.rstrip("0123456789_-"))


def _on(row: _Platform, host: str, segments: list[str], query: str) -> Profile:
    """The profile at a path of a known platform."""
    if "{}" in row.home and segments and (address := _ADDRESS.fullmatch(segments[0])):
        _check_tab(row, segments[1:])
        return _at_home(address)
    for form in row.forms:
        found = _found(form, segments, query)
        if found is None:
            continue
        name, rest = found
        if not form.link and name.lower() in row.reserved:
            break
        _check_tab(row, rest)
        if any(_parameters(query, overlay) for overlay in row.overlays):
            _no(f"is a post, not a profile; {_PASTE}")
        return _built(row, host, form, name)
    _refuse(row, segments)


def _found(form: _Form, segments: list[str], query: str) -> tuple[str, list[str]] | None:
    """The name as this form finds it, and the segments behind it."""
    depth = len(form.before)
    if any(want not in ("*", have.lower()) for want, have in zip(form.before, segments, strict=False)):
        return None
    if form.param:
        names = _parameters(query, form.param) if len(segments) == depth else []
        segment, rest = (names[0] if len(names) == 1 else ""), []
    elif len(segments) > depth:
        segment, rest = segments[depth], segments[depth + 1 :]
    else:
        return None
    match = form.name.fullmatch(segment, len(form.sign)) if segment.startswith(form.sign) else None
    return (match[match.lastindex or 0], rest) if match else None


def _parameters(query: str, name: str) -> list[str]:
    """The values of one parameter."""
    pairs = (piece.partition("=") for piece in query.split("&"))
    return [_decoded(value) for key, _, value in pairs if key == name]


def _check_tab(row: _Platform, rest: list[str]) -> None:
    """A profile's own list of videos is the profile; one video of it is not."""
    if not rest:
        return
    if rest[0].lower() not in row.tabs or (len(rest) > 1 and not row.deep_tabs):
        _refuse(row, rest)


def _built(row: _Platform, host: str, form: _Form, name: str) -> Profile:
    folded = unicodedata.normalize("NFC", name.lower()) if form.folds else name
    own = f"{host}/" if "{}" in row.home else ""
    return Profile(
        row.slug,
        f"{row.slug}:{own}{form.key}{folded}",
        None if form.is_id else name,
        row.home.format(host) + form.link + quote(name, safe=":"),
    )


def _elsewhere(host: str, path: str, query: str, fragment: str) -> Profile:
    """A page on a host that is not in the table: we know of nothing there that does not matter."""
    segments = [_decoded(segment) for segment in path.rstrip("/").split("/")]
    where = "/".join(quote(segment, safe=_PATH_SAFE) for segment in ("", *segments))
    kept = "&".join(filter(None, map(_kept, query.split("&"))))
    if kept:
        where += "?" + kept
    if fragment[:1] in {"/", "!"}:  # the page of an application that lives behind one address
        where += "#" + "/".join(quote(_decoded(part), safe=_PATH_SAFE) for part in fragment.split("/"))
    where = where if len(where) > 1 else ""
    url = f"https://{host}{where}"
    if len(url) > _LONGEST:
        _no(f"is longer than {_LONGEST} characters")
    short = host.removeprefix("www.")
    name = segments[0][1:] if len(segments) == 1 and segments[0].startswith("@") else ""
    return Profile("other", f"other:{short if '.' in short else host}{where}", name or None, url)


def _kept(piece: str) -> str:
    """A query parameter in its one spelling; empty for one that only tracks."""
    name, sign, value = piece.replace("+", " ").partition("=")
    name = _decoded(name)
    if _TRACKING.fullmatch(name.lower()):
        return ""
    return quote(name, safe=_QUERY_SAFE) + sign + quote(_decoded(value), safe=_QUERY_SAFE)


def _of_handle(typed: str, platform: str | None) -> Profile:
    if not _LIKE_HANDLE.fullmatch(typed):
        _no("is an e-mail address, not a profile" if "@" in typed[1:] else _LINKED_TEXT)
    if typed.casefold() in _LINK_WORDS or (typed[0] != "@" and platform_slug(typed)):
        _no(_LINKED_TEXT)
    if address := _ADDRESS.fullmatch(typed):
        return _at_home(address)
    row = _BY_SLUG.get(platform_slug(platform) or "") if isinstance(platform, str) else None
    if row is None:
        return _of_unplaced(typed)
    handle = _decoded(typed)
    for pattern, path in row.bare:
        if match := re.fullmatch(pattern, handle):
            return _on(row, row.hosts[0], path.format(match[1]).split("/"), "")
    _no(f"is not enough to find the page on {row.title}; {_PASTE}")


def _at_home(address: re.Match[str]) -> Profile:
    """An account of the Fediverse, `@ada@host`, on its own host."""
    return _of_link(f"https://{address[2]}/@{address[1]}")


def _of_unplaced(typed: str) -> Profile:
    """What has neither slash nor platform: a host that says enough by itself, or nobody's handle."""
    handle = typed.removeprefix("@")
    if len(handle) <= _LONGEST_HOST and _place(handle.lower()) is not None:
        return _of_link(handle)
    if handle is typed:
        _, dot, ending = handle.lower().rpartition(".")
        if dot and ending in _ENDINGS:
            return _of_link(handle)
        if not handle.isascii():
            _no(_LINKED_TEXT)
    _no("is a handle without a platform we know; name the platform in its column or paste the link", "unknown_platform")
