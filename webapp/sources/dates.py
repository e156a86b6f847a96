"""What one cell says as a moment: dates as people, spreadsheets and programs write them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal

from webapp.sources.locales import names_of

# In which order day, month and year stand where numbers alone do not tell.
Order = Literal["dmy", "mdy", "ymd"]
ORDERS: tuple[Order, ...] = ("dmy", "mdy", "ymd")

_MONTH_FIRST = frozenset(("en_US", "en_PH", "fil_PH", "es_US", "es_PR", "es_PA"))
_YEAR_FIRST_LANGUAGES = frozenset(("hu", "ja", "ko", "lt", "mn", "sv", "zh"))
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_SHEET_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - cells have no zone
_UNIX_S = 946_684_800  # 2000, in seconds
_UNIX_MS = _UNIX_S * 1_000
_SERIALS = range(36_526, 73_051)  # days from 2000 to 2099 as spreadsheets count them
_TEXT_AS_NUMBER = re.compile(r"[0-9]{5}(?:\.[0-9]+)?|[0-9]{10}|[0-9]{13}")
_NUMBER = re.compile(r"\s*\d+(?:[.,]\d+)?\s*")
_LONGEST = 60  # characters

_TIME = re.compile(
    r"(?:[T ,]|, )\s*(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"\s*(?P<half>[AaPp]\.?\s?[Mm]\.?|SA|CH)?\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?\s*\Z"
)
# Before and after noon in other languages, in front of the time or behind it.
_FORENOON = "오전|午前|上午|öö|π\\.?μ\\.?|ص"
_AFTERNOON = "오후|午後|下午|ös|μ\\.?μ\\.?|م"
_CLOCK = r"([0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2})?)"
_HALVES = tuple(
    (re.compile(rf"(?:{half})\s*{_CLOCK}|{_CLOCK}\s*(?:{half})(?![^\W\d_])", re.IGNORECASE), rf"\1\2 {word}")
    for half, word in ((_FORENOON, "am"), (_AFTERNOON, "pm"))
)
_HOUR = re.compile(r"\s*[0-9]{1,2}\s*")
_FULL_HOUR = re.compile(r"\A([0-9]{1,2})\s*([ap]\.?m\.?)\Z", re.IGNORECASE)
_HOURS = 24
_NOON = 12
_YEAR_FIRST = re.compile(r"([0-9]{4})\s*[-/.년年]\s*([0-9]{1,2})\s*(?:[-/.월月]\s*([0-9]{1,2})\s*[.일日]?)?\s*")
_COMPACT = re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})")
_NUMBERS = re.compile(r"([0-9]{1,2})([./-])\s*([0-9]{1,2})\2\s*([0-9]{4}|[0-9]{2})\s*(?:г\.?|р\.?)?")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})\s?[./-]\s?([0-9]{4})")
_WEEK = re.compile(r"([0-9]{4})[\s-]*(?:[KC]?W|week)\s*([0-9]{1,2})", re.IGNORECASE)
_WEEK_YEAR = re.compile(r"(?:[KC]?W|week)\s*([0-9]{1,2})[\s,./-]+([0-9]{4})", re.IGNORECASE)
_DAY_NAME_YEAR = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th|er|º|°|\.)?[\s./-]*(?:de\s+|of\s+)?([^\W\d_]{3,})[\s.,/-]*(?:de\s+|del\s+)?"
    r"([0-9]{4}|[0-9]{2})\s*(?:г\.?|р\.?)?",
    re.IGNORECASE,
)
_NAME_DAY_YEAR = re.compile(r"([^\W\d_]{3,})[\s.-]*([0-9]{1,2})(?:st|nd|rd|th)?[\s.,-]+([0-9]{4})", re.IGNORECASE)
_NAME_YEAR = re.compile(r"([^\W\d_]{3,})[\s.,/-]+(?:de\s+)?([0-9]{4})", re.IGNORECASE)
_YEAR_NAME_DAY = re.compile(r"([0-9]{4})[\s./-]*([^\W\d_]{3,})[\s.-]*([0-9]{1,2})\.?")
_WEEKDAY = re.compile(r"[^\W\d_]{2,}[.,]*\s+")
_BEHIND = re.compile(r"\s*\([^\W\d_]{1,12}\.?\)|\s+[^\W\d_]{2,}\.?\Z")  # a weekday, or another word

# A date without its year, or a span of days: signs and words of which it consists, and one of days alone.
_PERIOD = re.compile(r"[\w .,:;/№#()–—-]+")
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_DAY_OF_MONTH = rf"(?:{_DAY}[./](?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[./]{_DAY})\.?"
_DAYS = re.compile(rf"{_DAY_OF_MONTH}(?:\s*[-–—]\s*{_DAY_OF_MONTH})?")
_WORD = re.compile(r"[^\W\d_]+")
_SPAN = re.compile(
    "w|wk|week|kw|cw|q|quarter|h|half|month|day|year|неделя|недели|нед|н|квартал|кв|месяц|день|год"
    "|woche|kalenderwoche|quartal|monat|tag|semaine|mois|jour|trimestre|trim|t|semana|mes|día|mês"
    "|settimana|mese|giorno|hafta|ay|gün|çeyrek|tydzień|miesiąc|dzień|minggu|bulan|hari|тиждень|місяць|týden|hét|uke|vecka"
    "|uge|viikko|[第週周月日目年回주차월일년분기季度四半期]+"
)
_BETWEEN = frozenset(
    ["of", "the", "from", "to", "no", "nr", "с", "по", "vom", "bis", "du", "au", "del", "al", "de", "dal"]
)

# The months in some languages, in full; three letters of a name are enough.
_MONTHS = (
    "january february march april may june july august september october november december;"
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря;"
    "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь;"
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня;"
    "januar februar märz april mai juni juli august september oktober november dezember;"
    "jänner feber maerz april mai juni juli august september oktober november dezember;"
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre;"
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre;"
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro;"
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre;"
    "januari februari maart april mei juni juli augustus september oktober november december;"
    "januari februari mars april maj juni juli augusti september oktober november december;"
    "januari februari maret april mei juni juli agustus september oktober november desember;"
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia;"
    "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień;"
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık;"
    "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie;"
    "ledna února března dubna května června července srpna září října listopadu prosince;"
    "leden únor březen duben květen červen červenec srpen září říjen listopad prosinec;"
    "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra;"
    "január február március április május június július augusztus szeptember október november december;"
    "ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου "
    "δεκεμβρίου;"
    "януари февруари март април май юни юли август септември октомври ноември декември"
)
_SHORTEST_NAME = 3
_SHORT_YEAR = 2  # digits


def likely_orders(cells: Iterable[object], locale: str | None) -> tuple[Order, ...]:
    """The orders that all the dates of a column may be in; the locale decides where they leave it open.

    locale: like `en_US`; None where nobody knows it. Empty where the dates contradict each other.
    """
    texts = {cell for cell in cells if isinstance(cell, str)}
    known = [
        found
        for found in ({order: moment_of(text, order) for order in ORDERS} for text in texts)
        if any(found.values())
    ]
    orders = tuple(order for order in ORDERS if all(found[order] is not None for found in known))
    wanted = _order_in(locale) if locale else None
    return (wanted,) if wanted in orders else orders


def _order_in(locale: str) -> Order:
    names = names_of(locale)
    if names[-1] in _YEAR_FIRST_LANGUAGES:
        return "ymd"
    return "mdy" if names[0] in _MONTH_FIRST else "dmy"


def moment_of(cell: object, order: Order) -> datetime | None:
    """The moment a cell names, without zone; a day's is its midnight, a month's its first day. None for anything else.

    order: of day, month and year, for a date of numbers that may be in several.
    """
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int | float):
        return _moment_of_number(cell)
    if not isinstance(cell, str) or len(cell) > _LONGEST:
        return None
    text = _plain(cell).strip("'\"").strip()
    if _TEXT_AS_NUMBER.fullmatch(text):
        return _moment_of_number(float(text))
    return (
        _moment_of_text(text, order)
        or _moment_of_text(_WEEKDAY.sub("", text, count=1), order)
        or _moment_of_text(_BEHIND.sub("", text, count=1), order)
    )


def is_written_date(text: str) -> bool:
    """Whether it is a date and no number, which may be anything."""
    return not _NUMBER.fullmatch(text) and any(moment_of(text, order) for order in ORDERS)


def is_part_of_date(text: str) -> bool:
    """Whether it is what is left of a date without its year: `Week 46`, `46 неделя`, `24.11.`, `November`, `Q3`."""
    if len(text) > _LONGEST:
        return False
    plain = _plain(text).casefold()
    if not _PERIOD.fullmatch(plain):
        return False
    words = [word for word in _WORD.findall(plain) if word not in _BETWEEN]
    if not words:
        return _DAYS.fullmatch(plain) is not None
    has_number = any(map(str.isdigit, plain))
    is_told = has_number or any(map(_is_whole_month, words))
    return is_told and all(_SPAN.fullmatch(word) or _is_whole_month(word) for word in words)


def _is_whole_month(word: str) -> bool:
    return _fold(word) in _months()


def _plain(cell: str) -> str:
    """With the digits of ASCII, and without the marks of direction that are typed with those of other scripts."""
    text = unicodedata.normalize("NFKC", cell).strip()
    if text.isascii():
        return text
    seen = (sign for sign in text if unicodedata.category(sign) != "Cf")
    digits = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in seen)
    for pattern, said in _HALVES:
        digits = pattern.sub(said, digits)
    return digits


def hour_of(cell: object) -> timedelta | None:
    """How long after midnight a cell names, `18:30`, `6:30 pm`, `18` or a part of a day; None for anything else."""
    if (isinstance(cell, int) and not isinstance(cell, bool)) or (isinstance(cell, str) and _HOUR.fullmatch(cell)):
        return timedelta(hours=int(cell)) if 0 <= int(cell) < _HOURS else None
    if isinstance(cell, float):
        return timedelta(seconds=round(cell * 86_400)) if 0 <= cell < 1 else None
    text = _FULL_HOUR.sub(r"\1:00 \2", cell.strip()) if isinstance(cell, str) and len(cell) <= _LONGEST else ""
    found = _TIME.fullmatch(f" {text}")
    moment = _at(_SHEET_EPOCH, found) if found else None
    return moment - _SHEET_EPOCH if moment else None


def _moment_of_number(number: float) -> datetime | None:
    """Days as spreadsheets count them, or seconds or thousandths of them since 1970."""
    if not math.isfinite(number):
        return None
    if int(min(number, _UNIX_MS)) in _SERIALS:
        return _SHEET_EPOCH + timedelta(seconds=round(number * 86_400))
    if number == (day := int(min(number, _UNIX_MS))) and (found := _COMPACT.fullmatch(str(day))):
        return _build(found[1], found[2], found[3])
    seconds = number / 1_000 if number >= _UNIX_MS else number
    if not _UNIX_S <= seconds < 2 * 2**31:
        return None
    return _in_range(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))


def _moment_of_text(text: str, order: Order) -> datetime | None:
    time = _TIME.search(text)
    if time is not None and (day := _day(text[: time.start()].strip(), order)):
        return _at(day, time)
    return _day(text, order)


def _at(day: datetime, time: re.Match[str]) -> datetime | None:
    hour, half = int(time["hour"]), (time["half"] or "").lower()[:1]
    if half and hour <= _NOON:  # a weekday may look like one: 15:20 SA
        hour = hour % 12 + (12 if half in {"p", "c"} else 0)  # CH is what Vietnamese calls pm
    try:
        moment = day.replace(hour=hour, minute=int(time["minute"]), second=int(time["second"] or 0))
    except ValueError:
        return None
    zone = time["zone"] or ""
    if zone[:1] not in {"+", "-"}:
        return moment
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return moment - ahead if zone[0] == "+" else moment + ahead


def _day(text: str, order: Order) -> datetime | None:
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return _build(found[1], found[2], found[3] or "1")
    if found := _NUMBERS.fullmatch(text):
        return _day_of_numbers(found[1], found[3], found[4], "dmy" if found[2] == "." else order)
    if found := _MONTH_YEAR.fullmatch(text):
        return _build(found[2], found[1], "1")
    if found := _WEEK.fullmatch(text):
        return _week(int(found[1]), int(found[2]))
    if found := _WEEK_YEAR.fullmatch(text):
        return _week(int(found[2]), int(found[1]))
    if found := _DAY_NAME_YEAR.fullmatch(text):
        return _build(found[3], _month(found[2]), found[1])
    if found := _NAME_DAY_YEAR.fullmatch(text):
        return _build(found[3], _month(found[1]), found[2])
    if found := _YEAR_NAME_DAY.fullmatch(text):
        return _build(found[1], _month(found[2]), found[3])
    if found := _NAME_YEAR.fullmatch(text):
        return _build(found[2], _month(found[1]), "1")
    return None


def _day_of_numbers(a: str, b: str, c: str, order: Order) -> datetime | None:
    if order == "ymd":
        return _build(a, b, c) if len(a) == len(c) == _SHORT_YEAR else None
    return _build(c, b, a) if order == "dmy" else _build(c, a, b)


def _build(year: str, month: str | int | None, day: str) -> datetime | None:
    whole = f"20{year}" if len(year) == _SHORT_YEAR else year
    try:
        return _in_range(datetime(int(whole), int(month or 0), int(day)))  # noqa: DTZ001 - cells have no zone
    except ValueError:
        return None


def _week(year: int, week: int) -> datetime | None:
    try:
        return _in_range(datetime.fromisocalendar(year, week, 1))
    except ValueError:
        return None


def _in_range(moment: datetime) -> datetime | None:
    return moment if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None


def _month(name: str) -> int | None:
    plain = _fold(name)
    return _months().get(plain) or _months().get(plain[:_SHORTEST_NAME]) if _is_month(plain) else None


def _fold(name: str) -> str:
    """In one case; in Turkish capitals i and ı have two, and `KASIM` is kasım."""
    return name.casefold().replace("i\u0307", "i").replace("ı", "i")


def _is_month(plain: str) -> bool:
    """Whether a word begins a month's name: `sept` does, `secret` does not."""
    return any(month.startswith(plain) for month in _months())


@cache
def _months() -> dict[str, int]:
    """{name, or its first three letters: number}; letters that begin different months are left out."""
    found: dict[str, int] = {}
    for language in _MONTHS.split(";"):
        for number, name in enumerate(map(_fold, language.split()), 1):
            for spelled in (name, name[:_SHORTEST_NAME]):
                found[spelled] = number if found.get(spelled, number) == number else 0
    return found
