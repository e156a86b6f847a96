"""Words that tell what a text is when it is no profile: a short link, a post, a placeholder, the text of a hidden link. Data."""

from __future__ import annotations

import re

from webapp.sources.urls.shapes import phrases, words

SHORT_HOSTS = words(
    "youtu.be y2u.be vm.tiktok.com vt.tiktok.com fb.me on.fb.me fb.watch m.me ig.me t.co pin.it redd.it lnkd.in vk.cc "
    "clck.ru bit.ly tinyurl.com goo.gl is.gd ow.ly cutt.ly rb.gy shorturl.at buff.ly dlvr.it tiny.cc t.ly v.gd goo.su "
    "u.to rebrand.ly trib.al t.snapchat.com spoti.fi spotify.link amzn.to wp.me ift.tt bit.do s.id adf.ly t.cn dwz.cn n9.cl "
    "urlz.fr tiny.one surl.li qps.ru u.nu soo.gd chn.ge g.co goo.gle app.goo.gl maps.app.goo.gl b23.tv xhslink.com "
    "v.douyin.com v.kuaishou.com l.ead.me smarturl.it fb.gg vkvideo.link telegra.link on.soundcloud.com lnkfi.re "
    "clicky.me short.gy shrtco.de hubs.ly hubs.la mol.im zurl.co snip.ly po.st j.mp x.gd da.gd ed.gr 1drv.ms"
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

# What a row of sums or of means is called.
TOTALS = phrases(
    "total|totals|subtotal|subtotals|sum|average|avg|итого|итог|всего|сумма|среднее|разом|всього|загалом|общо|всичко|укупно|барлығы|"
    "gesamt|insgesamt|gesamtsumme|gesamtergebnis|summe|zwischensumme|durchschnitt|mittelwert|totaal|totale|totalt|moyenne|promedio|"
    "suma|razem|średnia|celkem|spolu|összesen|ukupno|kokku|yhteensä|kopā|iš viso|toplam|genel toplam|ara toplam|ortalama|jumlah|"
    "median|mediana|медиана|medyan|średnio|gemiddelde|gemiddeld|průměr|átlag|rata-rata|trung bình|μέσος όρος|genomsnitt|"
    "medelvärde|gennemsnit|gjennomsnitt|keskiarvo|prosjek|平均|平均値|平均值|中央値|中位数|متوسط|المتوسط|ממוצע|औसत|ค่าเฉลี่ย|"
    "tổng|tổng cộng|σύνολο|合計|小計|总计|合计|小计|總計|합계|총계|소계|평균|المجموع|الإجمالي|סך הכל|कुल|รวม"
)

PLACEHOLDERS = TOTALS | phrases(
    "n/a|na|none|null|nil|nan|nat|undefined|\\n|#n/a|no|nope|empty|blank|tbd|tba|tbc|todo|to do|pending|later|soon|missing|unknown|no url|no link|"
    "no profile|not found|not yet|0|нет|нету|не|нет ссылки|нет профиля|нет данных|н/д|неизвестно|"
    "отсутствует|пусто|позже|скоро|потом|уточнить|уточняется|немає|нема|brak|kein|keine|aucun|"
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
    "|msclkid|gbraid|wbraid|igsh|igshid|mibextid|mc_cid|mc_eid|_ga|_gl|ref_src|ref_url|ysclid|li_fat_id|srsltid|gclsrc"
    "|gad_source|gad_campaignid|_openstat|vero_id|wickedid|oly_(?:enc|anon)_id|rb_clickid|s_kwcid|ef_id|hsctatracking|epik"
    "|at_(?:medium|campaign|custom[0-9])|cmpid|wt_mc|sc_campaign|ck_subscriber_id|sfnsn|__tn__|__cft__.*|__xts__.*|hc_ref"
    "|fref|_rdr|_rdc"
)

# Parameters that say how a page was shared or in which language it is shown, where something else names the page.
SHARING = re.compile(
    "si|nd|dlsi|igsh|share|shared|sharer|share[_-].*|shareid|sharetype|sharetoken|from_?share|is_from_webapp|sender_device"
    "|_branch_.*|_t|_r|hl|lang|language|locale|referrer|referer|xsec_token|xsec_source|spm|spm_id_from|vd_source|trk"
    "|xmt|feature_type|__twitter_impression|mkt_tok|amp|referral|sharer_id|shareuid|shared_by|sender_web_id|u_code|tt_from"
    "|tt_medium|ugc_source|ugbiz_name|enter_?from|enter_method|checksum|timestamp|ts|unique_k|plat_id|bbid|apptime"
    "|app_platform|appuid|exsource|xhsshare|sub_rt|author_share|pbjreload|view_as|sub_confirmation|ab_channel|cbrd|ucbcb"
    "|tracking_?id|originalsubdomain|lipi|outputtype|original(?:referrer|channel)|rcm|img_index|_d|_svg|preview_pb|rdid"
    "|refid|fan_landing|openexternalbrowser|_x_tr_.*|g_st|hc_location|isappinstalled|sharefrom|wechat_share|clicktime"
    "|fb_action_ids|_nc|setlang|ui_locale|locale2|langcode|rdt_cid|sccid|_kx|paipv|eav"
)
SHARING_VALUE = re.compile(
    "(?:ref|source|src|from|via|feature|context|medium|app)=.*(?:share|sharing|copy|qr|link).*|app=desktop|feature=youtu.be|entry=ttu"
    "|ref_=.*share.*|from=(?:group|single)message|(?:lg|gl|lng|mkt)=[a-z]{2}(?:[-_][a-z]{2})?"
)

# `/intl-de/`, `/pt-br/`, `/de/`: a language in front of the page. Codes that are words of their own are left out.
LANGUAGE_FOLDER = re.compile(
    "intl-[a-z]{2}(?:[-_][a-z]{2})?|[a-z]{2}[-_][a-z]{2}"
    "|(?:ar|bg|cs|da|de|el|en|es|et|fi|fr|he|hr|hu|it|ja|ko|lt|lv|nl|pl|pt|ro|ru|sk|sl|sr|sv|th|tr|uk|vi|zh)"
)

# Hosts that put a country in front of every page.
COUNTRY_FOLDER = re.compile("[a-z]{2}")
COUNTRY_HOSTS = words(
    "music.apple.com podcasts.apple.com books.apple.com apps.apple.com itunes.apple.com tv.apple.com deezer.com"
)

# Fragments that are places within a page.
SECTIONS = words(
    "top bottom home main content contents about about-us aboutme about-me contact contacts contact-us bio info links link "
    "social socials posts videos video reels shorts photos photo gallery media feed followers following comments comment "
    "reviews shop store menu header footer nav navigation start intro overview more share subscribe login signup faq events "
    "music tracks albums playlists respond wrapper page-top main-content maincontent primary skip details description"
)

# Hosts where the path alone names the account.
PATH_HOSTS = words(
    "open.spotify.com soundcloud.com music.apple.com podcasts.apple.com deezer.com tidal.com linktr.ee beacons.ai bio.link "
    "bio.site lnk.bio taplink.cc campsite.bio allmylinks.com solo.to msha.ke hoo.be flow.page linkpop.com ko-fi.com "
    "buymeacoffee.com onlyfans.com fansly.com kick.com vimeo.com dailymotion.com tumblr.com medium.com substack.com github.com "
    "behance.net dribbble.com flickr.com likee.video kwai.com weibo.com douyin.com xiaohongshu.com lemon8-app.com "
    "blog.naver.com strava.com letterboxd.com triller.co truthsocial.com odysee.com boosty.to bitchute.com"
)

# Hosts for small screens, with the host that shows the same pages at the same paths.
WEB_HOSTS = {
    "m.soundcloud.com": "soundcloud.com",
    "m.weibo.cn": "weibo.com",
    "m.weibo.com": "weibo.com",
    "m.blog.naver.com": "blog.naver.com",
    "m.douyin.com": "douyin.com",
    "m.kick.com": "kick.com",
    "m.vimeo.com": "vimeo.com",
    "m.onlyfans.com": "onlyfans.com",
    "m.imdb.com": "imdb.com",
    "m.flickr.com": "flickr.com",
    "touch.dailymotion.com": "dailymotion.com",
    "m.likee.video": "likee.video",
    "l.likee.video": "likee.video",
    "m.bilibili.com": "space.bilibili.com",
    "m.kwai.com": "kwai.com",
}

# What may stand in front of a name, and behind it, on pages of one profile.
FRONTS = {"patreon.com": words("c cw"), "weibo.com": words("u profile"), "space.bilibili.com": words("space")}
TABS = {
    "patreon.com": words("about collections home membership posts shop"),
    "space.bilibili.com": words("article audio dynamic upload video"),
    "kick.com": words("about clips videos"),
}

# Hosts that mind no case in a name.
CASELESS_HOSTS = words("kick.com patreon.com github.com linktr.ee onlyfans.com")

# Parameters that name the page in place of the path, in the order of its parts.
NAMED_BY = {"blog.naver.com": ("blogId", "logNo")}

# A text with points and without slashes is a host when it ends so; `ada.lovelace` is somebody's handle.
ENDINGS = words(
    "com net org edu gov io me ai tv cc to gg xyz info biz app dev art blog club live media news online pro shop site social "
    "store studio world eu ru ua by kz uk de fr es it pt pl nl br mx jp kr cn in tr рф укр"
)

# Endings that handles have as well: the text is a host where something else in its row is a handle.
RARE_ENDINGS = words("at be bio ch co cz dk ee fi ke link no page se")
