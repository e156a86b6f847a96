"""Words that tell what a text is when it is no profile: a short link, a post, a placeholder, the text of a hidden link. Data."""

from __future__ import annotations

import re

from webapp.sources.urls.shapes import phrases, words

SHORT_HOSTS = words(
    "youtu.be y2u.be vm.tiktok.com vt.tiktok.com fb.me on.fb.me fb.watch m.me ig.me t.co pin.it redd.it lnkd.in vk.cc "
    "clck.ru bit.ly tinyurl.com goo.gl is.gd ow.ly cutt.ly rb.gy shorturl.at buff.ly dlvr.it tiny.cc t.ly v.gd goo.su "
    "u.to rebrand.ly trib.al t.snapchat.com"
)

# What a segment that is no profile tells about the rest.
KINDS = {
    word: noun
    for noun, said in {
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
    for word in said.split()
}

PLACEHOLDERS = phrases(
    "n/a|na|none|null|nil|no|nope|empty|blank|tbd|tba|tbc|todo|to do|pending|later|soon|missing|unknown|no url|no link|"
    "no profile|not found|not yet|total|totals|sum|0|нет|нету|не|нет ссылки|нет профиля|нет данных|н/д|неизвестно|"
    "отсутствует|пусто|позже|скоро|потом|уточнить|уточняется|итого|итог|всего|сумма|немає|нема|brak|kein|keine|aucun|"
    "ninguno|nessuno|nenhum|yok|无|沒有|没有|なし|없음"
)

# What a cell shows where its link is hidden behind the text.
LINK_WORDS = phrases(
    "link|links|linked|url|urls|channel|profile|account|page|here|click|open|go|website|site|share|reel|reels|shorts|"
    "video|videos|канал|ссылка|линк|профиль|аккаунт|страница|страничка|тут|здесь|сайт|группа|открыть|перейти|посилання|"
    "профіль|сторінка|enlace|canal|perfil|lien|kanal|profil|リンク|링크|链接"
)

# Query parameters that never tell one page from another, on any site.
TRACKING = re.compile(
    "utm_.*|mtm_.*|hsa_.*|pk_(?:campaign|content|kwd|medium|source)|_hsenc|_hsmi|fbclid|gclid|yclid|dclid|ttclid|twclid"
    "|msclkid|gbraid|wbraid|igsh|igshid|mibextid|mc_cid|mc_eid|_ga|_gl|ref_src|ref_url"
)

# A text with points and without slashes is a host when it ends so; `ada.lovelace` is somebody's handle.
ENDINGS = words(
    "com net org edu gov io me ai tv cc to gg xyz info biz app dev art blog club live media news online pro shop site social "
    "store studio world eu ru ua by kz uk de fr es it pt pl nl br mx jp kr cn in tr рф укр"
)
