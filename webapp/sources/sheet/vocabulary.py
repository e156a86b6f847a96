"""Words and signs by which a tab says what its columns are. Tables of data, and patterns made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from webapp.sources.urls.shapes import phrases, words
from webapp.sources.urls.vocabulary import PLACEHOLDERS, TOTALS

Aliases = Mapping[str, tuple[str, ...]]

# Names of dates that are no days.
OF_SPANS = (
    *("Week", "Month", "Period", "Quarter", "KW", "CW", "Calendar week", "Week no", "Week number"),
    *("Kalenderwoche", "Woche", "Monat", "Quartal", "Zeitraum", "Неделя", "Номер недели", "№ недели", "Месяц"),
    *("Квартал", "Период", "Тиждень", "Місяць", "Semaine", "Mois", "Période", "Semana", "Mes", "Mês"),
    *("Periodo", "Período", "Settimana", "Mese", "Tydzień", "Miesiąc", "Hafta", "Dönem", "Minggu", "Bulan"),
    *("週", "周", "周次", "月", "月份", "年月", "주차", "월"),
)

KNOWN: Aliases = {
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
        *OF_SPANS,
        *("Date", "Day", "Date time", "Datetime", "Timestamp", "As of", "As at", "Report date"),
        *("Reporting date", "Check date", "Date of check", "Date checked", "Snapshot date", "Log date"),
        *("Measured", "Measured at", "Measured on", "Recorded", "Recorded at", "Recorded on", "Logged at"),
        *("Checked", "Checked at", "Checked on", "Collected", "Collected at", "Captured at", "Scraped at"),
        *("Fetched at", "Дата", "День", "Дата и время", "Отметка времени", "Дата замера", "Дата проверки"),
        *("Дата отчета", "Дата отчёта", "Дата среза", "Datum", "Fecha", "Data", "Tarih", "Tanggal", "Dato"),
        *("Dátum", "日期", "日付", "日時", "날짜", "When", "Ngày", "Ημερομηνία", "Ημερομηνια", "Päivämäärä", "Kuupäev"),
        *("Datums", "Dagsetning", "Tarikh", "Petsa", "วันที่", "التاريخ", "تاريخ", "תאריך", "तारीख", "दिनांक"),
        *("Jour", "Día", "Giorno", "Dzień", "Gün", "Hari", "تاریخ"),
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
ARROWS = "▲▼△▽▴▾▵▿↑↓↗↘⇑⇓⇧⇩⬆⬇🔺🔻🔼🔽"
DOWN = "▼▽▾▿↓⇓⇩⬇🔽"  # what tables are sorted and filtered by
# Signs that make a name another one, as a currency does: a share, a change, what came on top.
SPEAKING = frozenset("@%‰±+\u2206" + ARROWS)
# What a second line of a header says where the numbers below are not the whole counts: their unit, or a change, a share.
UNITS = frozenset(("000", "000s", "x1000", "x 1000", "1000s"))
BESIDE_A_UNIT = words(
    "in of the followers subscribers subs likes comments videos views units people в чел шт en em x × 人 명"
)
PARTIAL = words(
    "growth change changes delta δ diff difference gain gained increase new percent wow mom avg average goal target "
    "plan kpi прирост изменение изм рост динамика разница новые новых процент среднее план цель доля wachstum "
    "veränderung zuwachs crecimiento variación cambio croissance évolution variation crescimento variação crescita "
    "artış değişim büyüme hedef wzrost zmiana pertumbuhan 增长 变化 增加 增减 増減 増加 前日比 前週比 前月比 증가 증감 변화"
)
# A number with such a word or sign is no name: `+5%`, `+120 this week`, `goal: 10K`. One of days or of a year is: `+7d`.
VALUE = re.compile(
    r"[^\w]*[0-9][0-9.,\s]*[%kK]?[^\w]*"
    r"|[^\w]*[+±−–▲▼△▽↑↓-]\s*[0-9][0-9.,]*+\s*+"
    r"(?:%|(?![\s-]*(?:[dhw日天周週月일주]|mo(?!m)|year|дн|ден|час|нед|мес|tag))).*"
    r"|[^0-9]+(?:[:=]\s*[0-9][0-9.,]*[kKmM%]?|\s(?:[0-9]{4,}|[0-9]{1,3}(?:(?:[., ][0-9]{3})+|\s*[%kK])))[^\w]*",
    re.IGNORECASE,
)
YEAR = re.compile(r"[^0-9]*20[0-9]{2}[^0-9]*")
SUM = re.compile(r"(?<=[^\W\d_])\s*\+\s*(?=[^\W\d_])")  # `reels + posts`
DENIES = words("not without excl incl including не без включая nicht ohne inkl sin pas sans sem")
# What people write in place of a count that nobody can see, or of an account that rests.
STATES = PLACEHOLDERS | phrases(
    "private|hidden|closed|banned|blocked|deleted|suspended|paused|inactive|offline|unavailable|on hold|vacation|on vacation"
    "|waiting|no data|no access|hidden by owner|account closed|закрыт|закрыто|закрытый|скрыт|скрыто|скрыты|бан|в бане|удален|удалён"
    "|заблокирован|пауза|на паузе|отпуск|в отпуске|ждем|ждём|нет доступа|приватный|закритий|приховано|видалено|privat|gesperrt"
    "|gelöscht|versteckt|pausiert|privado|privada|oculto|bloqueado|eliminado|en pausa|privé|masqué|supprimé|bloqué|en pause|privato"
    "|nascosto|gizli|kapalı|silindi|prywatne|ukryte|usunięte|非公開|削除|停止|私密|隐藏|封号|已注销|비공개|삭제|정지"
)
# Those that name a column of payments as well, where they are written as names are.
OF_PAYMENTS = words("Pending Closed Blocked Missing Todo Hidden")
# Beside a name: of the whole count, as the name alone is.
WHOLE = words("total totals now current currently overall всего сейчас итого общее")
# Names of dates, and what makes them dates of something else than the numbers in the row.
DATED = re.compile(
    r"date|time|\bhour|\bчас\b|\bhora\b|uhr|\bsaat\b|check|дата|обновл|провер|замер|fecha|datum|actuali|aktuali"
    r"|a[dt]ualiz|mise? à jour|\bmaj\b|aggiorn|bijgewerkt|güncel|diperbarui|uppdater|op[dp]+ater|frissít|оновл|更新|업데이트"
    r"|cập nhật|\A(?:snapshot|stand)\Z|fetched|scraped|captured|measured|recorded|collected|retrieved|pulled|tarih|erfasst"
    r"|abgerufen|zeitpunkt|relevé|medición|rilevazione|pomiar|съ[её]ма?\b|tanggal|日期|日付|取得日|時間|时间|날짜|기준일|측정일|수집일"
    r"|ngày|วันที่|تاريخ|تاریخ|תאריך"
    r"|as of|logged|\bсрез|данные на|внесено|kontroll|\babruf|集計日|記録日|기록일|조회일"
)
# The first or last day of what the numbers are of.
OF_SPAN = re.compile(
    r"\A(?:week|month|period|reporting (?:week|month|period)) (?:of|begin\w*|start\w*|end\w*)(?: date| on)?\Z"
)
OF_ELSE = re.compile(
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
IN_UNITS = re.compile(
    r"(?:\A|\()[^\w$€£¥₽₹₴₸₺₩]*"
    r"(?:(?:all|the|numbers?|figures?|values?|counts?|data|stats|shown|are|все|цифры|числа|данные|значения"
    r"|показатели|указаны|angaben|zahlen|alle|cifras|datos|chiffres|dados|números)\s+){0,4}+"
    r"(?:in|в|en|em)\s+(?:thousands?|millions?|k|000s?|тыс|тысячах|млн|миллионах|tsd|tausend|mio|millionen|miles|millones"
    r"|milliers|milhares|milhões)[^\w$€£¥₽₹₴₸₺₩]*+(?:\Z|\))|[単单單]位\s*[:：]?\s*[千万萬億亿百]++(?!\s*[元円圓])"
    r"|단위\s*[:：]?\s*[천만억백]++(?!\s*원)",
    re.IGNORECASE,
)
# What else than the numbers of accounts such a line may be of; a word that forbids it.
MONEY = re.compile(
    r"budget|pric(?:e|ing)|deal|payment|\bfees?\b|\bcosts?\b|spend|salar|revenue|\bsales\b|бюджет|цен[аы]|прайс"
    r"|оплат|стоимост|расход|доход|продаж|выручк|preis|kosten|umsatz|honorar|presupuesto|precio|ventas|\bprix\b|\bcoûts?\b|orçamento|preço|prezz"
    r"|bütçe|ücret|fiyat|金額|金额|报价|费用|预算|予算|価格|売上|销售额|예산|금액|단가",
    re.IGNORECASE,
)
COUNTED = re.compile("follow|subscri|like|comment|view|подписч|лайк|просмотр|粉丝|フォロワー|팔로워", re.IGNORECASE)
AMOUNT = re.compile(r"\s*(?!20[0-9]{2}\s*\Z)[0-9][0-9 ]*(?:[.,][0-9]+)?\s*[%kKM]?\s*")
DATES = (range(2000, 2100), range(30_000, 80_000))  # years, and days of our time as spreadsheets count them
FORBIDS = re.compile(r"\b(?:not|never|don['’]?t|не|nicht|keine?|ne pas|não)\b", re.IGNORECASE)

# Nothing here may try a text in many ways: a cell has up to 131,072 characters, and no thread runs beside a pattern.
TOTAL = re.compile(
    rf"[\W_]*+(?:(?:grand|sub)[\s-]*+)?(?:{'|'.join(sorted(TOTALS))})(?=[\s:=]|\Z)",
    re.IGNORECASE,
)

# Names that are near to a metric's and never it.
OTHERS = ("Following", "Followings", "Подписки", "Подписок", "Subscriptions", "Reviews")

# `TikTok URL`, `Ссылка на канал YouTube`: what makes a name one of links, and what may stand beside the platform.
URL_WORDS = frozenset(("url", "link", "profile", "account", "ссылка", "профиль", "аккаунт"))
FILLERS = frozenset(
    ("to", "of", "the", "channel", "page", "на", "в", "канал", "канала", "страницу", "аккаунта", "профиля")
)
