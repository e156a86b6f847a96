"""What stands behind a number and multiplies it: K, Mio., тыс., 万. Data, and how it is looked up.

The same letter is a thousand to one reader and a million millions to another, so letters belong to languages. A whole
word means the same wherever it stands, unless another language has it too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from webapp.sources.locales import names_of


class Magnitude(NamedTuple):
    """What a word multiplies by.

    power: of ten; None where people do not agree. whose: `english` for a letter that is read as English does for want
    of a better meaning, `both` for one that people of this language also write as English does, else `own`.
    """

    power: int | None
    whose: Literal["own", "english", "both"]


def _words(text: str) -> dict[str, int | None]:
    """`3 k tsd; 6 mio` as {word: power of ten}; `_` joins a word of two parts, `?` is the power nobody knows."""
    table: dict[str, int | None] = {}
    for line in text.split(";"):
        power, *names = line.split()
        table |= {_plain(name.replace("_", " ")): None if power == "?" else int(power) for name in names}
    return table


def _plain(word: str) -> str:
    """In one spelling; the sigma at the end of a word is no letter of its own, and capitals have only one."""
    return word if word.isascii() else unicodedata.normalize("NFC", word).replace("ς", "σ")


# Words that mean one thing, in whatever language they are found.
_ANYWHERE = _words(
    "3 к тыс тысяча тысячи тысяч тис тисяча тисячі тисяч thousand thousands tsd tausend tys tysiąc tysiące tysięcy "
    "tūkst ribu rb mille duizend dzd tusen tusind tuhat tuhatta ezer bin хил хиляди χιλ χιλιάδα χιλιάδες χιλιαδα χιλιαδες ათ հզր мың миң ming "
    "nghìn ngàn mijë elfu libo 千 천 พัน ألف الف آلاف هزار אלף אלפים हज़ार हजार হাজার હજાર ਹਜ਼ਾਰ ہزار;"
    "4 万 萬 만 หมื่น;"
    "5 lakh lakhs lac lacs लाख লাখ লক্ষ લાખ ਲੱਖ لاکھ แสน;"
    "6 млн миллион миллиона миллионов мільйон мільйони мільйонів милион милиона mio mln million millions millionen "
    "millón millones milhão milhões milione milioni milion miliony milionów milionů milión miliónov milioane miljoen "
    "milj miljon miljoner miljoonaa milyon millió jt juta triệu εκ εκατ εκατομμύριο εκατομμύρια εκατομμυριο εκατομμυρια მლნ մլն 百万 百萬 백만 ล้าน مليون "
    "ملايين میلیون מיליון;"
    "7 crore crores करोड़ करोड कोटी কোটি કરોડ ਕਰੋੜ کروڑ 千万 千萬 천만;"
    "8 亿 億 억;"
    "9 млрд миллиард миллиарда миллиардов мільярд мільярди мільярдів милиард mrd mlrd mld mljrd milliard milliards "
    "milliarden miliardo miliardi miliard miliardy miliardów miliarda miliarde miljard miljarder miljardia milyar "
    "milyard miliar milliárd tỷ tỉ δισ δισεκατομμύριο δισεκατομμύρια δισεκατομμυριο δισεκατομμυρια მლრდ մլրդ अरब ارب พันล้าน مليار مليارات میلیارد מיליארד;"
    "12 трлн триллион триллиона триллионов 万亿 조"
)

# T is missing: it is a thousand to some, a thousand millions to others, and a million millions to most.
_ENGLISH = _words("3 k; 4 w; 6 m mn; 9 b bn billion billions")

# Languages in which a billion is a million millions, so that a B there may be anything.
_LONG_SCALE_LANGUAGES = (
    "af bs ca cs da de es et eu fi fr gl hr hu is it lb lt lv mk nb nl nn no pl pt ro sk sl sq sr sv"
)
_LONG_SCALE = dict.fromkeys(_LONG_SCALE_LANGUAGES.split(), _words("? b bn billion billions"))

_MIL = _words("3 mil; 6 M mill; 9 mil_m mil_millones mil_milhões; ? m mm")
_SLAVIC = _words(
    "3 tis tisíc tisíce tisuća tisuće hilj hiljada hiljade хиљ хиљада хиљаде илј; 6 mil мил милиона; 9 mlr милј"
)
_NORDIC = _words("3 tn; 6 mill; 9 md mia mdr")
_INDIAN = _words("5 L; 7 cr क॰; 9 अ॰")

# By language or, where a country differs, by locale. Letters whose case matters stand here as they are written.
_BY_LANGUAGE: Mapping[str, Mapping[str, int | None]] = {
    **dict.fromkeys(("bs", "cs", "hr", "mk", "sk", "sl", "sr"), _SLAVIC),
    **dict.fromkeys(("nb", "nn", "no", "sv"), _NORDIC),
    **dict.fromkeys(("bn", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "ta", "te", "ur", "en_IN", "en_PK"), _INDIAN),
    "az": _words("? b"),
    "ca": _words("3 m mil milers; 6 M milions; ? mm"),
    "da": _NORDIC | _words("3 t tus; ? T"),
    "de": _words("6 mill"),
    "es": _MIL | _words("9 k_m km"),
    "et": _words("3 tuh; 6 miljonit; 9 miljardit"),
    "eu": _words("3 mila; 6 M; ? m"),
    "fi": _words("3 t tuh; ? T"),
    "fr": _words("3 milles; 6 M; 9 md mds; ? m"),
    "gl": _MIL,
    "hu": _words("3 e; 6 M; ? m"),
    "id": _words("9 m; 12 t triliun"),
    "is": _words("3 þ þús; 6 m; 9 ma"),
    "it": _words("3 mila; 6 M; ? m"),
    "ja": _words("12 兆"),
    "ms": _words("6 j; 9 bilion; ? m"),
    "pl": _words("6 M; ? m"),
    "pt": _MIL | _words("6 mi; 9 mM; ? bi"),
    "pt_BR": _MIL | _words("6 mi; 9 b bi bilhão bilhões"),
    "ro": _words("3 mii mie; 6 M mil; ? m"),
    "tr": _words("3 b; 6 m mn; 9 mr mlr mlyr; 12 tn trilyon"),
    "vi": _words("3 n; 6 tr; 9 t; 12 nt"),
}

# Letters that people there also write as English does: behind a decimal point nobody can tell which.
_BOTH_WAYS = {("id", "m")}


def magnitude_of(word: str, locale: str | None) -> Magnitude | None:
    """What a word behind a number multiplies by; None for a word that is no magnitude.

    word: without blanks around it, with or without a final point. locale: like `tr_TR`; None where nobody knows it.
    """
    plain = _plain(" ".join(word[:-1].split() if word.endswith(".") else word.split()))
    table = _table(locale)
    return table.get(plain) or table.get(plain.casefold().replace("i\u0307", "i"))


@lru_cache(maxsize=128)
def _table(locale: str | None) -> dict[str, Magnitude]:
    """Every word of a locale, its own words before those of English."""
    local: dict[str, int | None] = {}
    for name in reversed(names_of(locale)):
        local |= {**_LONG_SCALE.get(name, {}), **_BY_LANGUAGE.get(name, {})}
    both_ways = {word for language, word in _BOTH_WAYS if language in names_of(locale)}
    own = {word: Magnitude(power, "both" if word in both_ways else "own") for word, power in local.items()}
    english = {word: Magnitude(power, "english") for word, power in _ENGLISH.items()}
    return english | {word: Magnitude(power, "own") for word, power in _ANYWHERE.items()} | own
