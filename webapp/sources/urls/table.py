"""The platforms: how each writes the address of a profile, and what people call it. Data.

To teach the parser a platform, add a row to `SITES` and the names people call it by to `CALLED`.
"""

from __future__ import annotations

import re

from webapp.sources.urls.shapes import Site, form, words

_ID = "[1-9][0-9]{0,24}"
YOUTUBE_ID = "UC[A-Za-z0-9_-]{22}"  # nothing else is written so; its case matters
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

SITES = (
    Site(
        slug="youtube",
        title="YouTube",
        home="https://www.youtube.com/",
        hosts=("youtube.com",),
        subs=("music", "studio", "gaming"),
        forms=(
            form("@{}", _ANY_SCRIPT),
            form("channel/{}", YOUTUBE_ID, folds=False, is_id=True),
            form("c/{}", _ANY_SCRIPT),
            form("user/{}", _ANY_SCRIPT),
            # An id without its `channel/` is no name: its case matters.
            form("{}", f"(?!{YOUTUBE_ID}$)" + _ANY_SCRIPT),
        ),
        tabs=words(
            "about channels community courses featured home live membership null playlists podcasts posts releases "
            "search shorts store streams videos"
        ),
        reserved=words(
            _COMMON
            + "attribution attribution_link c channel clip clips creators e embed gaming kids live_chat movies music "
            "new news oembed playables playlist podcasts premium redirect results shared shorts source "
            "subscription_center t tv user v yt"
        ),
        bare=(("@(.+)", "@{}"), (f"({YOUTUBE_ID})", "channel/{}")),
        clean=r"@[A-Za-z0-9_.-]{1,100}(?<!\.)",
    ),
    Site(
        slug="tiktok",
        title="TikTok",
        home="https://www.tiktok.com/",
        hosts=("tiktok.com",),
        forms=(form("@{}", _DOTTED),),
        tabs=words("favorites liked live reposts videos"),
        bare=(("@?(.+)", "@{}"),),
        clean=f"@{_DOTTED}",
    ),
    Site(
        slug="instagram",
        title="Instagram",
        home="https://www.instagram.com/",
        hosts=("instagram.com", "instagr.am"),
        forms=(
            form("_u/{}", _DOTTED, key="{}", link="{}"),
            form("@{}", _DOTTED, key="{}", link="{}"),
            form("{}", _DOTTED),
        ),
        tabs=words("channel feed followers following guides igtv photos reels reposts saved tagged videos"),
        reserved=words(
            _COMMON
            + "_n _u ar challenge channel direct directory emails graphql igtv lite locations n p popular push qr "
            "reel reels s session tags topics tv"
        ),
        clean=_DOTTED,
    ),
    Site(
        slug="facebook",
        title="Facebook",
        home="https://www.facebook.com/",
        hosts=("facebook.com", "fb.com"),
        subs=("web", "mbasic", "touch", "free", "d"),
        languages=_LOCALE,
        forms=(
            form("profile.php?id={}", _ID, key="id/{}", is_id=True),
            form("people/*/{}", _ID, key="id/{}", link="profile.php?id={}", is_id=True),
            form("pages/category/*/{}", f"(?:.*-)?({_ID})", key="id/{}", link="profile.php?id={}", is_id=True),
            form("pages/*/{}", _ID, key="id/{}", link="profile.php?id={}", is_id=True),
            form("p/{}", f".*-({_ID})", key="id/{}", link="profile.php?id={}", is_id=True),
            form("pg/{}", f"(?:.*-(?=[0-9]{{8}}))?({_ID})", key="id/{}", link="profile.php?id={}", is_id=True),
            form("pg/{}", _FACEBOOK_NAME, key="{}", link="{}"),
            form("@{}", _ID, key="id/{}", link="profile.php?id={}", is_id=True),
            form("@{}", _FACEBOOK_NAME, key="{}", link="{}"),
            form("{}", _ID, key="id/{}", link="profile.php?id={}", is_id=True),
            # A page without a name of its own: its title, and its id of 8 digits or more.
            form("{}", ".*-([1-9][0-9]{7,24})", key="id/{}", link="profile.php?id={}", is_id=True),
            form("{}", _FACEBOOK_NAME),
        ),
        tabs=words(
            "about about_details books community directory events followers following friends groups info likes live "
            "live_videos map mentions movies music notes past_hosted_events photos photos_albums photos_by photos_of "
            "posts reels reels_tab reviews services shop sports timeline tv videos videos_by"
        ),
        reserved=words(
            _COMMON
            + "ad_center app apps bookmarks business campaign crisis dialog directory donate event fundraisers games "
            "gaming group hashtags l.php latest lite marketplace media memories messenger p page pages people pg "
            "photo photos places plugins public r recover reel reels saved sharer story v watchparty weather"
        ),
        overlays=words("story_fbid fbid"),
        clean=r"[A-Za-z][A-Za-z0-9_.]{0,99}(?<!\.php)(?<!\.)",
    ),
    Site(
        slug="x",
        title="X",
        home="https://x.com/",
        hosts=("x.com", "twitter.com"),
        forms=(
            form("i/user/{}", _ID, is_id=True),
            form("intent/user?user_id={}", _ID, key="i/user/{}", link="i/user/{}", is_id=True),
            form("intent/user?screen_name={}", f"@?({_WORD})", key="{}", link="{}"),
            form("intent/follow?screen_name={}", f"@?({_WORD})", key="{}", link="{}"),
            form("@{}", _WORD, key="{}", link="{}"),
            form("{}", _WORD),
        ),
        tabs=words(
            "about affiliates articles followers followers_you_follow following header_photo highlights likes lists "
            "media photo superfollows verified_followers with_replies"
        ),
        reserved=words(
            _COMMON
            + "bookmarks communities compose i intent lists topics who_to_follow widgets"
        ),
        clean=_WORD,
    ),
    Site(
        slug="threads",
        title="Threads",
        home="https://www.threads.com/",
        hosts=("threads.com", "threads.net"),
        forms=(form("@{}", _DOTTED),),
        tabs=words("media replies reposts"),
        bare=(("@?(.+)", "@{}"),),
        clean=f"@{_DOTTED}",
    ),
    Site(
        slug="telegram",
        title="Telegram",
        home="https://t.me/",
        hosts=("t.me", "telegram.me", "telegram.dog"),
        apps=("web.telegram.org", "weba.telegram.org", "webk.telegram.org", "webz.telegram.org"),
        named_hosts=(("t.me", "{}"),),
        forms=(
            form("s/{}", "[A-Za-z0-9_]{3,64}", key="{}", link="{}"),
            form("@{}", "[A-Za-z0-9_]{3,64}", key="{}", link="{}"),
            form("{}", "[A-Za-z0-9_]{3,64}"),
        ),
        reserved=words(
            "addemoji addlist addstickers addtheme auction boost confirmphone contact giftcode invoice joinchat login "
            "msg nft proxy setlanguage share socks stars"
        ),
        clean="[A-Za-z0-9_]{3,64}",
    ),
    Site(
        slug="vk",
        title="VK",
        home="https://vk.com/",
        hosts=("vk.com", "vk.ru", "vkontakte.ru", "vkvideo.ru"),
        subs=("new",),
        forms=(
            form("{}", _VK_ID, is_id=True),
            form("@{}", _VK_ID, is_id=True, key="{}", link="{}"),
            form("@{}", _VK_NAME, key="{}", link="{}"),
            form("{}", _VK_NAME),
        ),
        tabs=words("about all clips lives playlists"),
        reserved=words(
            _COMMON
            + "album albums app apps article audio audios biz blog bookmarks calls clip clips club dev doc docs edit "
            "event faq fave games gifts id im join mail market music news note notes page photo photos play podcast "
            "podcasts poll product public services stickers story tag topic wall write"
        ),
        overlays=words("w z"),
        # No digits: those may be an id or the number of a post.
        clean=r"[A-Za-z_.]{2,64}(?<!\.php)(?<!\.)",
    ),
    Site(
        slug="ok",
        title="OK",
        home="https://ok.ru/",
        hosts=("ok.ru", "odnoklassniki.ru"),
        forms=(
            form("profile/{}", _ID, is_id=True),
            form("group/{}", _ID, is_id=True),
            form("{}", _SLUG),
        ),
        tabs=words("about albums friends games groups members music photos pphotos statuses topics video videos"),
        reserved=words(
            _COMMON
            + "app dk game games gifts group guests marks music online profile promo topic vitrine"
        ),
        clean=_SLUG,
    ),
    Site(
        slug="bluesky",
        title="Bluesky",
        home="https://bsky.app/",
        hosts=("bsky.app", "bsky.social"),
        named_hosts=(("bsky.social", "profile/{}.bsky.social"),),
        forms=(
            form("profile/{}", _DID, key="{}", folds=False, is_id=True),
            form("profile/{}", _DOMAIN, key="{}"),
        ),
        tabs=words("followers follows known-followers"),
        bare=((rf"@?({_DID}|.+\..+)", "profile/{}"),),
    ),
    Site(
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
            form("@{}", _WORD),
            form("users/{}", _WORD, key="@{}", link="@{}"),
        ),
        tabs=words("featured followers following media with_replies"),
        bare=(),
    ),
    Site(
        slug="twitch",
        title="Twitch",
        home="https://www.twitch.tv/",
        hosts=("twitch.tv",),
        subs=("go", "player"),
        forms=(
            form("?channel={}", _WORD, key="{}", link="{}"),
            form("@{}", _WORD, key="{}", link="{}"),
            form("{}", _WORD),
        ),
        tabs=words("about chat clips collections followers following home profile schedule squad videos"),
        reserved=words(
            _COMMON
            + "annual-recap bits broadcast clip clips collections directory downloads drops embed event inventory "
            "moderator p popout prime products redeem subs subscriptions team turbo u user wallet"
        ),
        clean=_WORD,
    ),
    Site(
        slug="linkedin",
        title="LinkedIn",
        home="https://www.linkedin.com/",
        hosts=("linkedin.com",),
        subs=("touch",),
        languages=_TWO_LETTERS,
        forms=tuple(form(kind + "/{}", _ANY_SCRIPT) for kind in ("in", "company", "school", "showcase")),
        tabs=words(
            "about de detail details en es events fr insights it jobs life mycompany overlay people pl posts products "
            "pt recent-activity ru tr uk videos zh"
        ),
        deep_tabs=True,
        bare=(),
    ),
    Site(
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
            form("@{}", _DASHED, key="{}", link="{}"),
            form("{}", _DASHED),
        ),
        tabs=words("_created _saved _shop boards followers following pins"),
        reserved=words(
            _COMMON
            + "_ _tools categories convert-business homefeed ideas more news_hub password pin pin-builder resource "
            "shopping source today topics"
        ),
        clean=_DASHED,
    ),
    Site(
        slug="snapchat",
        title="Snapchat",
        home="https://www.snapchat.com/",
        hosts=("snapchat.com",),
        forms=(
            form("add/{}", _SLUG, key="{}"),
            form("@{}", _SLUG, key="{}", link="add/{}"),
        ),
        bare=(("@?(.+)", "add/{}"),),
    ),
    Site(
        slug="reddit",
        title="Reddit",
        home="https://www.reddit.com/",
        hosts=("reddit.com",),
        subs=("old", "new", "np", "sh", "amp"),
        languages=_TWO_LETTERS,
        forms=(
            form("user/{}", _DASHED),
            form("u/{}", _DASHED, key="user/{}", link="user/{}"),
        ),
        tabs=words("about comments gilded overview posts submitted"),
        bare=(("@?(.+)", "user/{}"),),
    ),
    Site(
        slug="rumble",
        title="Rumble",
        home="https://rumble.com/",
        hosts=("rumble.com",),
        forms=(
            form("c/{}", _SLUG),
            form("user/{}", _SLUG),
        ),
        tabs=words("about livestreams playlists shorts videos"),
        bare=(),
    ),
    Site(
        slug="dzen",
        title="Dzen",
        home="https://dzen.ru/",
        hosts=("dzen.ru", "zen.yandex.ru", "zen.yandex.com"),
        forms=(
            form("id/{}", "[0-9a-f]{8,64}", is_id=True),
            form("@{}", _SLUG, key="{}", link="{}"),
            form("{}", _SLUG),
        ),
        reserved=words(
            _COMMON
            + "a articles b id list media profile shorts suite t topic topics user"
        ),
        clean=_SLUG,
    ),
    Site(
        slug="rutube",
        title="RUTUBE",
        home="https://rutube.ru/",
        hosts=("rutube.ru",),
        forms=(
            form("channel/{}", _ID, is_id=True),
            form("video/person/{}", _ID, key="channel/{}", link="channel/{}", is_id=True),
            form("u/{}", _SLUG),
        ),
        tabs=words("about playlists shorts videos"),
        bare=(),
    ),
)  # fmt: skip

# What people call a platform, as far as it is neither its slug nor a host of it. Case, spaces and signs do not matter.
CALLED = {
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
    "vk": "vkontakte, v kontakte, вк, вконтакте, в контакте, vk video, вк видео, vk видео",
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
