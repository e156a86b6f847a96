"""Which row of a tab is its header, and what each of its columns means."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from webapp.errors import SourceError
from webapp.model import METRICS, Metric
from webapp.rules.addresses import address
from webapp.sources.blanks import BLANKS
from webapp.sources.counts import NotACount, count_of
from webapp.sources.magnitudes import magnitude_of
from webapp.sources.sheet import Cell, Grid
from webapp.sources.sheet.quotes import quote_cell
from webapp.sources.sheet.reading import TEXTS
from webapp.sources.urls import platform_slug
from webapp.sources.urls.shapes import phrases, words
from webapp.sources.urls.vocabulary import PLACEHOLDERS, TOTALS

Aliases = Mapping[str, tuple[str, ...]]

_SEARCHED = 10  # rows from the top in which a header may stand
_LONGEST_NAME = 200  # characters; anything longer is a note, not a name
_LISTED = 12  # cells of a row that a message repeats
_LOOSE = (*TEXTS, "date")
_ALIKE = 0.8  # difflib's ratio from which a name may be a slip of the pen

_KNOWN: Aliases = {
    "url": (
        *("Link", "Links", "URL", "Account", "Account URL", "Account link", "Profile", "Profile URL", "Profile link"),
        *("Link to profile", "Link to account", "Channel URL", "Channel link", "Channel ID", "Page URL", "Page link"),
        *("Ссылка", "Ссылки", "Аккаунт", "Профиль", "Ссылка на профиль", "Ссылка на аккаунт", "Ссылка на канал"),
        *("Ссылка на страницу", "Ссылка профиля", "Ссылка аккаунта", "URL профиля", "URL аккаунта", "Линк"),
    ),
    "platform": (
        *("Platform", "Social network", "Social media", "Social platform", "Network"),
        *("Платформа", "Соцсеть", "Соц сеть", "Социальная сеть", "Площадка"),
    ),
    "username": (
        *("Username", "User name", "Handle", "Nickname", "Nick", "Account username", "Account handle", "Login"),
        *("Ник", "Никнейм", "Логин", "Юзернейм", "Имя пользователя"),
    ),
    "owner": (
        *("@Username", "@User", "@Owner", "@Telegram", "@Ник", "@Юзернейм"),
        *("Owner", "Account owner", "Telegram User", "Telegram Username", "Person", "Manager", "Blogger", "Creator"),
        *("Блогер", "Владелец", "Имя", "Ответственный", "Менеджер", "Автор"),
    ),
    "topic": ("Topic", "Niche", "Category", "Theme", "Тематика", "Тема", "Ниша", "Категория"),
    "status": ("Status", "Account status", "Статус", "Статус аккаунта"),
    "date": (
        *("Date", "Day", "Date time", "Datetime", "Timestamp", "As of", "As at", "Week", "Month", "Period"),
        *("Report date", "Reporting date", "Check date", "Date of check", "Date checked", "Snapshot date", "Log date"),
        *("Measured", "Measured at", "Measured on", "Recorded", "Recorded at", "Recorded on", "Logged at"),
        *(
            "Checked",
            "Checked at",
            "Checked on",
            "Collected",
            "Collected at",
            "Captured at",
            "Scraped at",
            "Fetched at",
        ),
        *("Дата", "День", "Дата и время", "Отметка времени", "Дата замера", "Дата проверки", "Дата отчета"),
        *("Дата отчёта", "Дата среза", "Неделя", "Месяц", "Период"),
        *(
            "Datum",
            "Fecha",
            "Data",
            "Tarih",
            "Tanggal",
            "Dato",
            "Dátum",
            "日期",
            "日付",
            "日時",
            "날짜",
            "When",
            "Ngày",
        ),
        *(
            "Ημερομηνία",
            "Ημερομηνια",
            "Päivämäärä",
            "Kuupäev",
            "Datums",
            "Dagsetning",
            "Tarikh",
            "Petsa",
            "วันที่",
            "التاريخ",
            "تاريخ",
        ),
        *("תאריך", "तारीख", "दिनांक"),
        *("Jour", "Día", "Giorno", "Dzień", "Gün", "Hari", "Woche", "Semaine", "Semana", "Settimana", "Tydzień"),
        *(
            "Hafta",
            "Minggu",
            "Тиждень",
            "Monat",
            "Mois",
            "Mes",
            "Mês",
            "Mese",
            "Miesiąc",
            "Bulan",
            "Місяць",
            "Zeitraum",
        ),
        *("Période", "Periodo", "Período", "KW", "Kalenderwoche", "CW", "Calendar week", "Week no", "Week number"),
        *(
            "Номер недели",
            "№ недели",
            "Quarter",
            "Quartal",
            "Квартал",
            "週",
            "周",
            "周次",
            "月",
            "月份",
            "年月",
            "주차",
            "월",
        ),
        *("Dönem", "تاریخ"),
    ),
    "followers": (
        *("Followers", "Follower", "Follower count", "Followers count", "Total followers", "Number of followers"),
        *("Subscribers", "Subscriber count", "Subscribers count", "Total subscribers", "Subs"),
        *("Подписчики", "Подписчиков", "Кол-во подписчиков", "Количество подписчиков", "Число подписчиков"),
        *("Всего подписчиков", "Фолловеры"),
    ),
    "likes": (
        *("Likes", "Like count", "Likes count", "Total likes", "Number of likes"),
        *("Лайки", "Лайков", "Кол-во лайков", "Количество лайков", "Число лайков", "Всего лайков"),
    ),
    "comments": (
        *("Comments", "Comment count", "Comments count", "Total comments", "Number of comments"),
        *("Комментарии", "Комментариев", "Комменты", "Кол-во комментариев", "Количество комментариев"),
        *("Число комментариев", "Всего комментариев"),
    ),
    "videos": (
        *("Videos", "Video", "Video count", "Videos count", "Total videos", "Number of videos"),
        *("Видео", "Ролики", "Роликов", "Кол-во видео", "Количество видео", "Число видео", "Всего видео"),
        *("Видеоролики", "Кол-во роликов", "Количество роликов"),
    ),
    "views": (
        *("Views", "View count", "Views count", "Total views", "Number of views"),
        *("Просмотры", "Просмотров", "Кол-во просмотров", "Количество просмотров", "Число просмотров"),
        *("Всего просмотров",),
    ),
}
_ARROWS = "▲▼△▽▴▾▵▿↑↓↗↘⇑⇓⇧⇩⬆⬇🔺🔻🔼🔽"
_DOWN = "▼▽▾▿↓⇓⇩⬇🔽"  # what tables are sorted and filtered by
# Signs that make a name another one, as a currency does: a share, a change, what came on top.
_SPEAKING = frozenset("@%‰±+\u2206" + _ARROWS)
# What a second line of a header says where the numbers below are not the whole counts: their unit, or a change, a share.
_UNITS = frozenset(("000", "000s", "x1000", "x 1000", "1000s"))
_BESIDE_A_UNIT = words(
    "in of the followers subscribers subs likes comments videos views units people в чел шт en em x × 人 명"
)
_PARTIAL = words(
    "growth change changes delta δ diff difference gain gained increase new percent wow mom avg average goal target "
    "plan kpi прирост изменение изм рост динамика разница новые новых процент среднее план цель доля wachstum "
    "veränderung zuwachs crecimiento variación cambio croissance évolution variation crescimento variação crescita "
    "artış değişim büyüme hedef wzrost zmiana pertumbuhan 增长 变化 增加 增减 増減 増加 前日比 前週比 前月比 증가 증감 변화"
)
# A number with such a word or sign is no name: `+5%`, `+120 this week`, `goal: 10K`. One of days or of a year is: `+7d`.
_VALUE = re.compile(
    r"[^\w]*[0-9][0-9.,\s]*[%kK]?[^\w]*"
    r"|[^\w]*[+±−–▲▼△▽↑↓-]\s*[0-9][0-9.,]*+\s*+"
    r"(?:%|(?![\s-]*(?:[dhw日天周週月일주]|mo(?!m)|year|дн|ден|час|нед|мес|tag))).*"
    r"|[^0-9]+(?:[:=]\s*[0-9][0-9.,]*[kKmM%]?|\s(?:[0-9]{4,}|[0-9]{1,3}(?:(?:[., ][0-9]{3})+|\s*[%kK])))[^\w]*",
    re.IGNORECASE,
)
_YEAR = re.compile(r"[^0-9]*20[0-9]{2}[^0-9]*")
_SUM = re.compile(r"(?<=[^\W\d_])\s*\+\s*(?=[^\W\d_])")  # `reels + posts`
_DENIES = words("not without excl incl including не без включая nicht ohne inkl sin pas sans sem")
# What people write in place of a count that nobody can see, or of an account that rests.
_STATES = PLACEHOLDERS | phrases(
    "private|hidden|closed|banned|blocked|deleted|suspended|paused|inactive|offline|unavailable|on hold|vacation|on vacation"
    "|waiting|no data|no access|hidden by owner|account closed|закрыт|закрыто|закрытый|скрыт|скрыто|скрыты|бан|в бане|удален|удалён"
    "|заблокирован|пауза|на паузе|отпуск|в отпуске|ждем|ждём|нет доступа|приватный|закритий|приховано|видалено|privat|gesperrt"
    "|gelöscht|versteckt|pausiert|privado|privada|oculto|bloqueado|eliminado|en pausa|privé|masqué|supprimé|bloqué|en pause|privato"
    "|nascosto|gizli|kapalı|silindi|prywatne|ukryte|usunięte|非公開|削除|停止|私密|隐藏|封号|已注销|비공개|삭제|정지"
)
# Those that name a column of payments as well, where they are written as names are.
_OF_PAYMENTS = words("Pending Closed Blocked Missing Todo Hidden")
# Beside a name: of the whole count, as the name alone is.
_WHOLE = words("total totals now current currently overall всего сейчас итого общее")
# Names of dates, and what makes them dates of something else than the numbers in the row.
_DATED = re.compile(
    r"date|time|\bhour|\bчас\b|\bhora\b|uhr|\bsaat\b|check|дата|обновл|провер|замер|fecha|datum|actuali|aktuali"
    r"|a[dt]ualiz|mise? à jour|\bmaj\b|aggiorn|bijgewerkt|güncel|diperbarui|uppdater|op[dp]+ater|frissít|оновл|更新|업데이트"
    r"|cập nhật|\A(?:snapshot|stand)\Z|fetched|scraped|captured|measured|recorded|collected|retrieved|pulled|tarih|erfasst"
    r"|abgerufen|zeitpunkt|relevé|medición|rilevazione|pomiar|съ[её]ма?\b|tanggal|日期|日付|取得日|時間|时间|날짜|기준일|측정일|수집일"
    r"|ngày|วันที่|تاريخ|تاریخ|תאריך"
    r"|as of|logged|\bсрез|данные на|внесено|kontroll|\babruf|集計日|記録日|기록일|조회일"
)
# The first or last day of what the numbers are of.
_OF_SPAN = re.compile(
    r"\A(?:week|month|period|reporting (?:week|month|period)) (?:of|begin\w*|start\w*|end\w*)(?: date| on)?\Z"
)
_OF_ELSE = re.compile(
    r"add|join|creat|start|begin|end|birth|due|dead|publ|post|sign|hire|contract|pay|paid|next|launch|register|note|remark"
    r"|deliver|expir|valid until|renew|release|remind|meeting|\bcall\b|invoice|visit|shoot|campaign|event|vacation|follow.?up"
    r"|anniversary|\bdob\b|\bsince\b|\border|bought|purchase|onboard|banned|blocked|approv|\bsent\b|\bleave\b|\bleft\b|\bfired\b|\bsold\b|\btrip\b|\bsick\b|\bpause|\blast (?:video|live|reel)"
    r"|добав|начал|созд|рожд|публ|окон|оплат|регистр|подпис(?!чик)|договор|вступ|\bслед|примеч|замет"
    r"|\bсрок|дедлайн|релиз|\bвыход|отпуск|встреч|созвон|звонок|напомин|продлен|действует до|съ[её]мк|съ[её]мочн|заказ|покупк"
    r"|уш[её]л|уволен|\bдр\b|отправлен|последн\w+ (?:пост|видео|ролик)|frist|termin|lieferung|rechnung|drehtag|veröffent|bestell|\bseit\b|letzt\w+ (?:post|video)"
    r"|livraison|échéance|tournage|depuis|entrega|vencim|grabaci|gravaç|reuni|validade|desde|scadenza|consegna|teslim|son tarih"
    r"|(?<!veri )çekim|納期|撮影|締切|交付|截止|拍摄|到期|마감|촬영|만료|alta|nacim|inicio|fin\b|naiss"
    r"|début|ajout|inscri|vertrag|geburt|beginn|erstell|hinzu|nascita|creaz|criad|urodz|umow|utworz|lahir|mulai|kayıt|doğum"
    r"|başla|oluştur|sözleşme|登録|登录|作成|创建|注册|開始|开始|契約|合同|生日|投稿|发布|등록|생성|생일|시작|게시|계약"
)

# A line by itself, or a remark in brackets, by which all numbers of a table are thousands or millions.
_IN_UNITS = re.compile(
    r"(?:\A|\()[^\w$€£¥₽₹₴₸₺₩]*"
    r"(?:(?:all|the|numbers?|figures?|values?|counts?|data|stats|shown|are|все|цифры|числа|данные|значения"
    r"|показатели|указаны|angaben|zahlen|alle|cifras|datos|chiffres|dados|números)\s+){0,4}+"
    r"(?:in|в|en|em)\s+(?:thousands?|millions?|k|000s?|тыс|тысячах|млн|миллионах|tsd|tausend|mio|millionen|miles|millones"
    r"|milliers|milhares|milhões)[^\w$€£¥₽₹₴₸₺₩]*+(?:\Z|\))|[単单單]位\s*[:：]?\s*[千万萬億亿百]++(?!\s*[元円圓])"
    r"|단위\s*[:：]?\s*[천만억백]++(?!\s*원)",
    re.IGNORECASE,
)
# What else than the numbers of accounts such a line may be of; a word that forbids it.
_MONEY = re.compile(
    r"budget|pric(?:e|ing)|deal|payment|\bfees?\b|\bcosts?\b|spend|salar|revenue|\bsales\b|бюджет|цен[аы]|прайс"
    r"|оплат|стоимост|расход|доход|продаж|выручк|preis|kosten|umsatz|honorar|presupuesto|precio|ventas|\bprix\b|\bcoûts?\b|orçamento|preço|prezz"
    r"|bütçe|ücret|fiyat|金額|金额|报价|费用|预算|予算|価格|売上|销售额|예산|금액|단가",
    re.IGNORECASE,
)
_COUNTED = re.compile("follow|subscri|like|comment|view|подписч|лайк|просмотр|粉丝|フォロワー|팔로워", re.IGNORECASE)
_AMOUNT = re.compile(r"\s*(?!20[0-9]{2}\s*\Z)[0-9][0-9 ]*(?:[.,][0-9]+)?\s*[%kKM]?\s*")
_DATES = (range(2000, 2100), range(30_000, 80_000))  # years, and days of our time as spreadsheets count them
_FORBIDS = re.compile(r"\b(?:not|never|don['’]?t|не|nicht|keine?|ne pas|não)\b", re.IGNORECASE)

# Nothing here may try a text in many ways: a cell has up to 131,072 characters, and no thread runs beside a pattern.
_TOTAL = re.compile(
    rf"[\W_]*+(?:(?:grand|sub)[\s-]*+)?(?:{'|'.join(sorted(TOTALS))})(?=[\s:=]|\Z)",
    re.IGNORECASE,
)

# Names that are near to a metric's and never it.
_OTHERS = ("Following", "Followings", "Подписки", "Подписок", "Subscriptions", "Reviews")

# Names of dates that are no days.
_OF_SPANS = (
    *(
        "Week",
        "Month",
        "Period",
        "Quarter",
        "KW",
        "CW",
        "Calendar week",
        "Week no",
        "Week number",
        "Kalenderwoche",
        "Woche",
    ),
    *(
        "Monat",
        "Quartal",
        "Zeitraum",
        "Неделя",
        "Номер недели",
        "№ недели",
        "Месяц",
        "Квартал",
        "Период",
        "Тиждень",
        "Місяць",
    ),
    *(
        "Semaine",
        "Mois",
        "Période",
        "Semana",
        "Mes",
        "Mês",
        "Periodo",
        "Período",
        "Settimana",
        "Mese",
        "Tydzień",
        "Miesiąc",
    ),
    *("Hafta", "Dönem", "Minggu", "Bulan", "週", "周", "周次", "月", "月份", "年月", "주차", "월"),
)

# `TikTok URL`, `Ссылка на канал YouTube`: what makes a name one of links, and what may stand beside the platform.
_URL_WORDS = frozenset(("url", "link", "profile", "account", "ссылка", "профиль", "аккаунт"))
_FILLERS = frozenset(
    ("to", "of", "the", "channel", "page", "на", "в", "канал", "канала", "страницу", "аккаунта", "профиля")
)


@dataclass(frozen=True)
class Header:
    """What the columns of a tab mean.

    row: as the sheet shows it, from 1.
    columns: the column, from 0, of url, platform, username, owner, topic, status, date and the metrics that have one.
    doubled: meanings that more than one column claims, with these columns; none of them is used.
    near: for a metric without a column the one whose name may be meant for it.
    partial: metrics of which a cell above or below the name says that the numbers are no whole counts, with its row, from
    1, and column; none of them is used.
    dates: columns that are called a date, where there are several: `Date`, `Day`. spans: of these the weeks, months and
    quarters.
    dated: columns without a meaning whose name says that they may be of the date of the row: `Last update`.
    undated: columns whose name says that a date there is of something else: `Created`.
    platform: whose bare handles stand in the url column, if its name says so: `TikTok URL`.
    chosen: meanings by the normal form of the names that were added to ours.
    """

    row: int
    columns: Mapping[str, int]
    doubled: Mapping[str, tuple[int, ...]]
    near: Mapping[Metric, int]
    partial: Mapping[Metric, tuple[int, int]] = field(default_factory=dict)
    dates: tuple[int, ...] = ()
    spans: tuple[int, ...] = ()
    dated: tuple[int, ...] = ()
    undated: tuple[int, ...] = ()
    platform: str | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def used(self) -> set[int]:
        """The columns that have a meaning."""
        doubled = (column for columns in self.doubled.values() for column in columns)
        return {*self.columns.values(), *(column for _, column in self.partial.values()), *doubled}

    def repeats(self, row: Sequence[Cell]) -> bool:
        """Whether a row names columns where an account and at least one of its counts should stand."""
        return any(self._names(row, m) for m in METRICS) and all(self._names(row, m) for m in identity(self.columns))

    def names_others(self, row: Sequence[Cell], above: Sequence[Cell]) -> bool:
        """Whether a row has words where counts should stand, another one in each column: the names of other columns.

        above: the row before. One such word is none of a header where rows stand right above it. Neither are those of a
        row that names no account as ours does, but where each of our metrics has one: a title may be so long. Those right
        below our names, once more, are their second line. What says
        why a count is missing is no name, nor is a handle or a word for a total.
        """
        filled = [row[i] for metric in METRICS if _is_filled(row, i := self.columns.get(metric, len(row)))]
        if not filled or len({*map(_normal, filled)}) < len(filled) or not all(map(_is_word, filled)):
            return False
        if any(map(_is_state, filled)):
            return False
        if self.repeats(above):
            return False
        is_apart = sum(map(_is_seen, above)) <= 1
        if all(self._names(row, meaning) for meaning in identity(self.columns)):
            return is_apart or len(filled) > 1
        is_full = 1 < len(filled) == sum(metric in self.columns for metric in METRICS)
        return is_apart and is_full and all(self._may_be_name(row, m) for m in identity(self.columns))

    def _may_be_name(self, row: Sequence[Cell], meaning: str) -> bool:
        column = self.columns[meaning]
        if not _is_filled(row, column):
            return False
        cell = row[column]
        return not is_total(cell) and not (isinstance(cell, str) and cell.lstrip().startswith("@"))

    def foreign_column(self, row: Sequence[Cell]) -> int | None:
        """The first column to which a row that names columns again gives another meaning.

        Where a text stands, which tells no numbers, what is no name of ours may be the title of the rows below.
        """
        names = [_normal(cell) for cell in row]
        meant = [_meaning(name, self.chosen) for name in names]
        ours = sorted((column, meaning) for meaning, column in self.columns.items() if column < len(names))
        others = (i for i, meaning in ours if names[i] and meant[i] != meaning and (meant[i] or meaning not in _LOOSE))
        return next(others, None)

    def platform_below(self, row: Sequence[Cell]) -> str | None:
        """The platform of bare handles below a row that names columns again."""
        url = self.columns.get("url")
        return (None if url is None else _platform(_normal(row[url]))) or self.platform

    def _names(self, row: Sequence[Cell], meaning: str) -> bool:
        column = self.columns.get(meaning)
        cell = row[column] if column is not None and column < len(row) else None
        # A number is no name; to look at it no further keeps files fast, where every cell is text.
        return isinstance(cell, str) and not cell[:1].isdigit() and bool(_meaning(_normal(cell), self.chosen))


def identity(meanings: Container[str]) -> tuple[str, ...]:
    """The meanings that name an account: its URL, or a platform and, last, a username."""
    return ("url",) if "url" in meanings else ("platform", "username")


def find_header(rows: Grid, aliases: Aliases | None = None, title: str = "") -> Header:
    """The header among the first 10 rows: it names a profile URL (or platform and username) and at least one metric.

    aliases: more names by meaning; where one of them stands in the row, the built-in names of its meaning do not count.
    title: the tab's, for the words of an error.

    Raises: SourceError `tab_empty`; `header_missing`; `header_unsure` when two columns may name the account.
    """
    chosen = _meanings_by_name(aliases or {})
    for number, row in enumerate(rows[:_SEARCHED], 1):
        names = [_normal(cell) for cell in row]
        found = _meanings(names, chosen)
        if _is_enough(found):
            _check_identity(found, number, row, title)
            found |= _merged(found, row, rows[number : number + 1])
            partial = _partial(found, number, rows)
            _check_units(rows[: number - 1], partial.values(), title)
            return _header(number, names, found, chosen, partial)
    raise _missing(rows, chosen, title)


def has_foreign_header(rows: Grid, aliases: Aliases | None = None) -> bool:
    """Whether there is a header, and one of the names that make it one is not plain ASCII."""
    chosen = _meanings_by_name(aliases or {})
    for row in rows[:_SEARCHED]:
        names = [_normal(cell) for cell in row]
        if _is_enough(_meanings(names, chosen)):
            return any(not name.isascii() and _meaning(name, chosen) for name in names)
    return False


def fitness(rows: Grid, aliases: Aliases | None = None) -> int:
    """How many columns with a meaning there are in the row that is most like a header; 0 if it is no header at all."""
    chosen = _meanings_by_name(aliases or {})
    found = (_meanings(map(_normal, row), chosen) for row in rows[:_SEARCHED])
    return max((sum(map(len, meanings.values())) for meanings in found if _is_enough(meanings)), default=0)


def _normal(cell: object) -> str:
    """A name as it is compared; nothing for what is no name."""
    return _fold(cell) if isinstance(cell, str) and len(cell) <= _LONGEST_NAME else ""


@lru_cache(maxsize=1024)
def _fold(text: str) -> str:
    """Letters and digits in one case, single spaces, and `@` if it comes first."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(map(_letter, folded))
    name = " ".join(letters.replace("@", " ").split())
    return f"@{name}" if name and letters.lstrip().startswith("@") else name


def _letter(sign: str) -> str:
    """The sign itself, nothing for what is not seen, a space for punctuation and pictures."""
    category = unicodedata.category(sign)
    if category == "Cf" or "\ufe00" <= sign <= "\ufe0f":
        return ""
    return sign if sign in _SPEAKING or category[0] in "LN" or category in {"Mn", "Mc", "Sc"} else " "


def _meanings_by_name(aliases: Aliases) -> dict[str, str]:
    return {_normal(name): meaning for meaning, names in aliases.items() for name in names}


_MEANINGS = _meanings_by_name(_KNOWN)
_NAMES = {metric: [_normal(name) for name in _KNOWN[metric]] for metric in METRICS}
_NEVER = frozenset(map(_normal, _OTHERS))
_SPANS = frozenset(map(_normal, _OF_SPANS))


def _meanings(names: Iterable[str], chosen: Mapping[str, str]) -> dict[str, list[int]]:
    """The columns that claim each meaning."""
    ours: dict[str, list[int]] = {}
    added: dict[str, list[int]] = {}
    arrows: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        if meaning := _meaning(name, chosen):
            (added if name in chosen else ours).setdefault(meaning, []).append(column)
        bare = _without_arrows(name)
        if bare != name not in chosen and (meaning := _meaning(bare, chosen)):
            arrows.setdefault(meaning, []).append(column)
    found = ours | added
    sole = {m: _sorted(columns, arrows.get(m, ())) if m in METRICS else columns for m, columns in found.items()}
    return {meaning: columns for meaning, columns in sole.items() if columns}


def _sorted(columns: list[int], arrows: Sequence[int]) -> list[int]:
    """Without those that have an arrow in their name, where others have the name too: they are of changes."""
    return columns if columns == [*arrows] and len(columns) == 1 else [i for i in columns if i not in arrows]


def _meaning(name: str, chosen: Mapping[str, str]) -> str | None:
    """A count with an arrow in its name is a change, but for one behind it that points down: a table is sorted by it."""
    meaning = (name and (chosen.get(name) or _MEANINGS.get(name) or (_platform(name) and "url"))) or None
    if meaning or (bare := _without_arrows(name)) == name:
        return meaning
    meaning = _meaning(bare, chosen)
    is_sorted = name.startswith(bare) and not set(_DOWN).isdisjoint(name)
    return meaning if meaning not in METRICS or is_sorted else None


def _without_arrows(name: str) -> str:
    return name if name.isascii() else name.strip(_ARROWS + " ")


def _platform(name: str) -> str | None:
    """The platform of `tiktok url` or `ссылка на тикток`."""
    words = name.split()
    if _URL_WORDS.isdisjoint(words):
        return None
    return platform_slug(" ".join(word for word in words if word not in _URL_WORDS and word not in _FILLERS))


def _is_enough(found: Mapping[str, object]) -> bool:
    return all(meaning in found for meaning in identity(found)) and any(metric in found for metric in METRICS)


def _merged(found: Mapping[str, Sequence[int]], row: Sequence[Cell], below: Grid) -> dict[str, list[int]]:
    """The metrics whose name is merged over several columns, each of which has a name of its own below it, with these.

    A share or a change among them is none of the counts.
    """
    under = below[0] if below else ()
    if any(_is_filled(under, found[meaning][0]) for meaning in identity(found)) or _is_sum(under):
        return {}
    spans = {metric: _span(found[metric][0], row, under) for metric in METRICS if len(found.get(metric, ())) == 1}
    return {metric: span for metric, span in spans.items() if span != found[metric]}


def _span(column: int, row: Sequence[Cell], under: Sequence[Cell]) -> list[int]:
    """A number that has a text beside it is no name: the row has lost its account, and its note is in nobody's column."""
    end = column + 1
    while _is_filled(under, end - 1) and _is_filled(under, end) and not _is_filled(row, end):
        if _is_number(under[column]) and not (_is_number(under[end]) or is_total(under[end])):
            break
        end += 1
    span = range(column, end)
    return [i for i in span if i < len(under) and _SPEAKING.isdisjoint(_normal(under[i]))] or [*span]


def _partial(found: Mapping[str, Sequence[int]], number: int, rows: Grid) -> dict[Metric, tuple[int, int]]:
    """The metrics with a unit above their name, or a unit, a change or a share below it, where no account stands there."""
    columns = {metric: found[metric][0] for metric in METRICS if len(found.get(metric, ())) == 1}
    above = rows[number - 2] if number > 1 else ()
    partial = {m: (number - 1, i) for m, i in columns.items() if _is_filled(above, i) and _is_unit(above[i])}
    under = next(iter(rows[number : number + 1]), ())
    if any(_is_filled(under, i) and not _meaning(_normal(under[i]), {}) for m in identity(found) for i in found[m]):
        return partial
    said = {m: under[i] for m, i in columns.items() if _is_filled(under, i) and not _meaning(_normal(under[i]), {})}
    below = (metric for metric, cell in said.items() if _is_unit(cell) or _is_part(cell))
    return partial | {metric: (number + 1, columns[metric]) for metric in below}


def _is_unit(cell: Cell) -> bool:
    """Whether a text says what numbers are counted in: `(K)`, `in thousands`, `тыс. чел.`."""
    name = _normal(cell)
    if name in _UNITS and not (isinstance(cell, str) and cell.strip(BLANKS).isdigit()):
        return True
    words = [word for word in name.split() if word not in _BESIDE_A_UNIT]
    return len(words) == 1 and magnitude_of(words[0], None) is not None


def _is_part(cell: Cell) -> bool:
    """Whether a text is of a change, of a share or of a mean: `growth`, `%`, `new this week`."""
    name = _normal(cell)
    words = name.split()
    if not words or _is_count(cell) or _is_value(str(cell)) or (_is_arrows(name) and not set(_DOWN).isdisjoint(name)):
        return False
    if not _SPEAKING.isdisjoint(_SUM.sub(" ", name.lstrip("@"))) or words[0] in _PARTIAL:
        return True
    return words[-1] in _PARTIAL and _DENIES.isdisjoint(words)


def _is_value(text: str) -> bool:
    return _VALUE.fullmatch(text) is not None and not _YEAR.fullmatch(text)


def _is_arrows(name: str) -> bool:
    return not _without_arrows(name)


def _check_units(above: Grid, known: Container[tuple[int, int]], title: str) -> None:
    """Raises: SourceError where a line above the header says that all numbers are thousands, or millions.

    known: row and column of cells that say so of one metric.
    """
    for number, row in enumerate(above, 1):
        for column, cell in enumerate(row):
            if not isinstance(cell, str) or len(cell) > _LONGEST_NAME or (number, column) in known:
                continue
            if _is_in_units(cell, row[column + 1 :]):
                raise SourceError(
                    f"{address(title, column, number)} {quote_cell(cell)} says that the numbers are no whole counts; "
                    "nothing of the tab is read",
                    code="header_unsure",
                    hint="write all the digits, and take that line out",
                )


def _is_in_units(text: str, behind: Sequence[Cell]) -> bool:
    """Whether a line makes thousands of all numbers, and not of money or of the one that stands behind it."""
    found = _IN_UNITS.search(text)
    if found is None or _FORBIDS.search(text, 0, found.start()):
        return False
    if _MONEY.search(text) and not _COUNTED.search(text):
        return False
    beside = next(filter(_is_seen, behind), "")
    return not (found.start() > 0 and _is_amount(beside))


def _is_amount(cell: Cell) -> bool:
    """Whether it is a number, and hardly that of a date."""
    return _AMOUNT.fullmatch(cell) is not None if isinstance(cell, str) else not any(cell in dates for dates in _DATES)


def _is_count(cell: Cell) -> bool:
    try:
        count_of(cell)
    except NotACount:
        return False
    return True


def _is_word(cell: Cell) -> bool:
    """Whether it is a text without digits that is no link and says nothing about a count, as the name of a column does."""
    if not isinstance(cell, str) or len(cell) > _LONGEST_NAME or "://" in cell or any(map(str.isdigit, cell)):
        return False
    try:
        count_of(cell)
    except NotACount as why:
        return why.code in {"not_a_number", "too_long"}
    return False


def _is_state(cell: Cell) -> bool:
    """Whether it says why a count is missing."""
    text = cell.strip(BLANKS + ".!") if isinstance(cell, str) else ""
    is_name = text[:1].isupper() and text.capitalize() in _OF_PAYMENTS
    return text.casefold() in _STATES and not is_name


def _is_sum(row: Sequence[Cell]) -> bool:
    """Whether a row has a word for a total in front of numbers and of no other text."""
    label, *others = [*filter(_is_seen, row)] or [None]
    return is_total(label) and all(not isinstance(cell, str) or any(map(str.isdigit, cell)) for cell in others)


def is_total(cell: Cell) -> bool:
    """Whether a text begins with a word for a total."""
    return isinstance(cell, str) and _TOTAL.match(cell) is not None


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, str) or cell.strip()[:1].isdigit()


def _is_filled(row: Sequence[Cell], column: int) -> bool:
    return column < len(row) and _is_seen(row[column])


def _check_identity(found: Mapping[str, Sequence[int]], number: int, row: Sequence[Cell], title: str) -> None:
    for meaning in identity(found):
        if len(found[meaning]) > 1:
            cells = " and ".join(f"{address(title, i, number)} {quote_cell(row[i])}" for i in found[meaning][:_LISTED])
            noun = "profile URL" if meaning == "url" else meaning
            raise SourceError(
                f"{cells} may all be the {noun} column; nothing of the tab is read",
                code="header_unsure",
                hint=f"rename all but one, or name it in SMART_SYNC_COLUMNS ({meaning}=...)",
            )


def _header(
    number: int,
    names: Sequence[str],
    found: Mapping[str, Sequence[int]],
    chosen: Mapping[str, str],
    partial: Mapping[Metric, tuple[int, int]],
) -> Header:
    used = {column for columns in found.values() for column in columns}
    others = {name: i for i, name in enumerate(names) if name and i not in used and name not in _NEVER}
    unknown = {name: i for name, i in others.items() if _SPEAKING.isdisjoint(name)}
    dated = {name: i for name, i in others.items() if _SPEAKING.isdisjoint(_without_arrows(name))}
    columns = {m: columns[0] for m, columns in found.items() if len(columns) == 1 and m not in partial}
    marked = {bare: i for i, name in enumerate(names) if (bare := _bare(name)) != name}
    return Header(
        row=number,
        columns=columns,
        # Two dates say nothing of each row's own, and a tab that is no log does without.
        doubled={m: tuple(columns) for m, columns in found.items() if len(columns) > 1 and m != "date"},
        near={m: i for m in METRICS if m not in found and (i := _near(_NAMES[m], unknown, marked)) is not None},
        partial=partial,
        dates=tuple(found.get("date", ())) if len(found.get("date", ())) > 1 else (),
        spans=tuple(i for i in found.get("date", ()) if names[i] in _SPANS),
        dated=tuple(
            i
            for name, i in dated.items()
            if _OF_SPAN.match(name) or (_DATED.search(name) and not _OF_ELSE.search(name))
        ),
        undated=tuple(i for i, name in enumerate(names) if _OF_ELSE.search(name) and not _OF_SPAN.match(name)),
        platform=_platform(names[columns["url"]]) if "url" in columns else None,
        chosen=chosen,
    )


def _bare(name: str) -> str:
    """The name without a plus behind it, an arrow or a word for all of it."""
    return " ".join(word for word in _without_arrows(name.rstrip("+")).split() if word not in _WHOLE)


def _near(wanted: Sequence[str], unknown: Mapping[str, int], marked: Mapping[str, int]) -> int | None:
    """The column of the unknown name that is most like one of the wanted ones, if any is like them at all.

    marked: other names without what stands beside them: `Followers+`, `Followers (total)`.
    """
    name = max(
        (name for word in wanted for name in difflib.get_close_matches(word, unknown, 1, _ALIKE)),
        key=lambda name: max(difflib.SequenceMatcher(None, name, word).ratio() for word in wanted),
        default=None,
    )
    return unknown[name] if name is not None else next((marked[word] for word in wanted if word in marked), None)


def _missing(rows: Grid, chosen: Mapping[str, str], title: str) -> SourceError:
    """Why there is no header: the row that comes nearest to one, or the first that is not empty, against what is due."""
    where = f"{title}: " if title else ""
    full = ((number, row) for number, row in enumerate(rows, 1) if any(map(_is_seen, row)))
    first = next(full, None)
    if first is None:
        return SourceError(f"{where}the tab is empty", code="tab_empty", hint="fill in a header row and the accounts")
    searched = [first, *((number, row) for number, row in full if number <= _SEARCHED)]
    number, row = max(searched, key=lambda r: len(_meanings(map(_normal, r[1]), chosen)))
    cells = [quote_cell(cell) for cell in row if _is_seen(cell)]
    more = f" and {len(cells) - _LISTED} more" if len(cells) > _LISTED else ""
    return SourceError(
        f"{where}no header in the first {_SEARCHED} rows; row {number} has {', '.join(cells[:_LISTED])}{more}; "
        "expected a profile URL column (Link, URL, Account URL, Profile URL, TikTok URL, Ссылка) or Platform and "
        "Username, and at least one of Followers, Likes, Comments, Videos, Views",
        code="header_missing",
        hint="rename the columns, or name them in SMART_SYNC_COLUMNS",
    )


def _is_seen(cell: object) -> bool:
    return bool(cell.strip(BLANKS)) if isinstance(cell, str) else cell is not None
