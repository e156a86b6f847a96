"""What one cell says as a count. A cell that does not say exactly one number is refused, never guessed."""

from __future__ import annotations

import math
import re
import unicodedata

from webapp.model import LARGEST
from webapp.sources.blanks import BLANKS
from webapp.sources.locales import names_of
from webapp.sources.magnitudes import Magnitude, magnitude_of

# What readers of files put in the place of a formula whose result is not there, or that nobody can rely on.
NOT_COMPUTED = "#NOT COMPUTED!"

COMPUTE = "open and save it once in a spreadsheet program"

_LONGEST = 32  # characters; a count with every ornament needs fewer, and int() stays cheap
_ALWAYS_FITS = 18  # digits: any such number is small enough

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
_NO_VALUE_SIGNS = _DASHES + "?"
_NO_VALUE = frozenset(
    ("n/a", "n.a.", "na", "hidden", "unknown", "no data", "н/д", "н.д.", "скрыто", "неизвестно", "нет данных")
)

_ARABIC_DECIMAL = "\u066b"
_ARABIC_GROUP = "\u066c"
_GROUPING = f" ,.'{_ARABIC_GROUP}"
_MARKS = _GROUPING + _ARABIC_DECIMAL
_ALIKE = str.maketrans(
    {"\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'", "，": ",", "．": ".", "＋": "+"}
)

_HUGE_POWER = 64  # shifts any number of 32 digits out of range, or into nothing

# What marks decimals, by language or, where a country differs, by locale.
_POINT_LOCALES = (
    "bn cy en fil ga gu he hi ja kn ko ml mr ms ne pa ta te th ur zh "
    "de_CH de_LI es_419 es_CU es_DO es_GT es_HN es_MX es_NI es_PA es_PE es_PR es_SV es_US it_CH"
)
_COMMA_LOCALES = (
    "af az be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk ky lo lt lv mk nb nl nn no pl pt ro ru "
    "sk sl sq sr sv tr uk uz vi"
)
_DECIMAL_MARKS: dict[str, str | None] = {
    **dict.fromkeys(_POINT_LOCALES.split(), "."),
    **dict.fromkeys(_COMMA_LOCALES.split(), ","),
    **dict.fromkeys(("en_ZA", "fr_CH")),  # both marks are in use there
}

_WORDS = {
    "ambiguous": "has a point or comma that can be read in more than one way",
    "approximate": "is only approximate",
    "boolean": "is a checkbox or a yes-or-no value",
    "date": "is a date or a time",
    "formula_error": "is the error of a formula",
    "formula_text": "is a formula kept as text",
    "fraction": "is a fraction",
    "invisible_character": "has an invisible or broken character inside",
    "letters": "has letters beside the number",
    "mixed_digits": "mixes digits of two scripts",
    "negative": "is below zero",
    "not_a_number": "is not a number",
    "not_computed": "is a formula whose result is not in the file",
    "odd_digit": "has a sign that only looks like a digit, such as a footnote",
    "magnitude": "has letters that multiply by different numbers in different languages",
    "percent": "is a percentage",
    "too_large": f"is larger than {LARGEST}",
    "too_long": f"is longer than {_LONGEST} characters",
    "two_numbers": "has more than one number",
    "type": "is neither text nor a number",
}

_SCIENTIFIC = re.compile(rf"([0-9]+)(?:[.,{_ARABIC_DECIMAL}]([0-9]+))?[Ee]([+-]?[0-9]+)")
_AMOUNT = re.compile(rf"([0-9](?:[0-9{_MARKS}]*[0-9])?)([^0-9]*)")
_MARK = re.compile(r"[^0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_THREE = 3  # digits of a group, and of the decimals that could be one

_APART = r"\s/;&|+()\[\]" + re.escape(_DASHES)  # in a character class: what stands between two numbers

# Why a text is no count: the first pattern found in it tells. The order is part of the meaning. They are compiled when
# the first text is refused: at import they would double the module's load time.
_REFUSALS = (
    ("formula_error", r"\A(?:#[^\W\d_]|loading\W*\Z|загрузка\W*\Z)"),
    ("formula_text", r"\A="),
    ("boolean", r"\A(?:true|false)\Z"),
    ("percent", r"[%‰٪﹪％]"),
    ("approximate", r"\A[~∼≈≃<>≤≥±]"),
    ("date", r"\A[0-9]{4}([./-])[0-9]{1,2}\1[0-9]{1,2}(?![0-9./-])"),
    ("date", r"\A[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{2}){1,2}(?![0-9./-])|[0-9]:[0-9]"),
    ("negative", rf"\A[{re.escape(_DASHES)}].*[0-9]|\A\(.*[0-9].*\)\Z"),
    ("fraction", rf"\A[0-9]+ ?[/\u2044] ?[0-9]+\Z|\A[.,{_ARABIC_DECIMAL}][0-9]+\Z"),
    ("two_numbers", rf"[0-9](?=[^0-9]*[{_APART}])(?=[^0-9]*[^0-9{_MARKS}])[^0-9]*[0-9]"),
    ("letters", r"[0-9].*[^\W\d_]|[^\W\d_].*[0-9]"),
    ("ambiguous", rf"\A[0-9][0-9{_MARKS[1:]}]*\Z"),
    ("two_numbers", rf"\A[0-9][0-9{_MARKS}]*\Z"),
)
_LOOKALIKE = r"[0-9][OoОоIlІ]|[OoОоIlІ][0-9]"


class NotACount(ValueError):
    """A cell that is no count.

    code: stable, for machines. message: words that go on from the cell, such as `is a fraction`; it repeats neither
    the cell's value nor its address.
    """

    def __init__(self, code: str, hint: str = "") -> None:
        self.code = code
        self.message = f"{_WORDS[code]} ({hint})" if hint else _WORDS[code]
        super().__init__(self.message)


def count_of(cell: object, locale: str | None = None, *, english: bool = True) -> int | None:
    """The count a cell holds, from 0 to LARGEST; None for a blank cell and for a placeholder such as `-` or `n/a`.

    locale: the spreadsheet's, like `de_DE`. It matters to one point or comma before exactly three digits: `1.234` is
    1234 where the comma marks decimals, and refused where the point does or where nobody knows. `1,234` is refused
    only where the comma marks decimals. Before a suffix (`1.234M`) the mark must be the locale's own. It matters also
    to letters: `12 B` is 12,000 in Turkish. Where nobody knows the locale they are English, but not behind a decimal
    comma, nor with english=False.

    Raises: NotACount.
    """
    if type(cell) is int:
        return _check_range(cell)
    if isinstance(cell, str):
        if len(cell) <= _ALWAYS_FITS and cell.isascii() and cell.isdigit():
            return int(cell)
        return _count_of_text(cell, locale, english=english)
    if cell is None:
        return None
    if isinstance(cell, bool):
        raise NotACount("boolean")
    if isinstance(cell, float):
        return _count_of_float(cell)
    raise NotACount("type")


def has_letter(cell: str) -> bool:
    """Whether there may be a magnitude in it, wherever it stands: `12 B`, `12B+`."""
    return _LETTER.search(cell) is not None


def _check_range(n: int) -> int:
    if 0 <= n <= LARGEST:
        return n
    raise NotACount("negative" if n < 0 else "too_large")


def _count_of_float(number: float) -> int:
    if math.isnan(number):
        raise NotACount("not_a_number")
    if number < 0:
        raise NotACount("negative")
    if number > LARGEST:
        raise NotACount("too_large")
    if not number.is_integer():
        raise NotACount("fraction", "is the cell formatted as percent?" if number < 1 else "")
    return int(number)


def _count_of_text(cell: str, locale: str | None, *, english: bool) -> int | None:
    if cell == NOT_COMPUTED:
        raise NotACount("not_computed", COMPUTE)
    text = cell.strip(BLANKS).removeprefix("'").strip(BLANKS)
    if len(text) > _LONGEST:
        raise NotACount("too_long")
    if not text.strip(_NO_VALUE_SIGNS) or text.lower() in _NO_VALUE:
        return None
    if not text.isascii():
        text = _to_ascii(text)
    return _check_range(_number(_strip_plus(text), locale, english=english))


def _to_ascii(text: str) -> str:
    """The same text with ASCII digits and marks. Unicode's own folding is no help: it makes 123 of 12 and a footnote 3."""
    digits = {ord(sign): unicodedata.decimal(sign) for sign in text if sign.isdecimal()}
    if len({code - digit for code, digit in digits.items()}) > 1:
        raise NotACount("mixed_digits")
    return text.translate({code: str(digit) for code, digit in digits.items()}).translate(_ALIKE)


def _strip_plus(text: str) -> str:
    """`+5` and `500+` are what they say; a plus on both ends is not taken off."""
    return text[1:].lstrip(" ") if text.startswith("+") else text.removesuffix("+").rstrip(" ")


def _number(text: str, locale: str | None, *, english: bool) -> int:
    if scientific := _SCIENTIFIC.fullmatch(text):
        return _scale_scientific(scientific[1], scientific[2] or "", int(scientific[3]))
    amount = _AMOUNT.fullmatch(text)
    if amount is None:
        raise _refusal(text)
    word = amount[2].strip(" ")
    if not word:
        return _scale(*_parts(amount[1], locale, scaled=False)[:2], 0)
    magnitude = magnitude_of(word, locale)
    if magnitude is None:
        raise _refusal(text)
    whole, decimals, mark = _parts(amount[1], locale, scaled=True)
    if magnitude.power is None or not _is_sure(magnitude, mark, locale, english=english):
        raise NotACount("magnitude", "write all the digits")
    return _scale(whole, decimals, magnitude.power)


def _is_sure(magnitude: Magnitude, mark: str, locale: str | None, *, english: bool) -> bool:
    """Whether whoever wrote the number means by the letter what we do. The decimal mark tells who may not.

    K is a thousand to everybody; yet in a sheet of nobody knows where, a comma before it is too little to go by.
    """
    if magnitude.whose == "both":
        return mark != "."
    if magnitude.whose == "own":
        return True
    is_thousand = magnitude.power == _THREE
    if not _is_known(locale):
        return mark != "," and (english or is_thousand)
    return mark != "," or is_thousand or _decimal_mark(locale) != "."


def _scale_scientific(whole: str, decimals: str, power: int) -> int:
    if len(whole) > 1 and len(decimals) == _THREE:
        raise NotACount("ambiguous")
    return _scale(whole, decimals, power)


def _scale(whole: str, decimals: str, power: int) -> int:
    """`whole.decimals` times ten to the `power`, exactly."""
    digits, zeros = int(whole + decimals), power - len(decimals)
    scale: int = 10 ** min(abs(zeros), _HUGE_POWER)
    if zeros >= 0:
        return digits * scale
    n, rest = divmod(digits, scale)
    if rest:
        raise NotACount("fraction")
    return n


def _parts(amount: str, locale: str | None, *, scaled: bool) -> tuple[str, str, str]:
    """The digits before and after the decimal mark, and the mark. `amount` begins and ends with a digit."""
    runs, marks = _MARK.split(amount), _MARK.findall(amount)
    if not marks:
        return amount, "", ""
    if _is_grouped(runs, marks):
        one_mark = len(marks) == 1 and marks[0] in ",."
        return _by_locale(runs, marks[0], locale, scaled=scaled) if one_mark else ("".join(runs), "", "")
    if _has_decimals(runs, marks):
        return "".join(runs[:-1]), runs[-1], marks[-1]
    raise _refusal(amount)


def _is_grouped(runs: list[str], marks: list[str]) -> bool:
    """Whether the marks are all one and stand where thousands, or lakhs and crores, are marked off."""
    if len(set(marks)) != 1 or marks[0] not in _GROUPING or runs[0].startswith("0"):
        return False
    first, *middle, last = map(len, runs)
    if last != _THREE:
        return False
    western = first <= _THREE and all(length == _THREE for length in middle)
    indian = first < _THREE and marks[0] == "," and all(length == _THREE - 1 for length in middle)
    return western or indian


def _has_decimals(runs: list[str], marks: list[str]) -> bool:
    """Whether the last mark is a decimal mark and nothing else. `1,234.567` may as well be a slip in the grouping."""
    if marks[-1] not in {",", ".", _ARABIC_DECIMAL} or marks[-1] in marks[:-1]:
        return False
    if len(marks) > 1:
        maybe_group = len(runs[-1]) == _THREE and marks[-1] != _ARABIC_DECIMAL
        return _is_grouped(runs[:-1], marks[:-1]) and not maybe_group
    return runs[0] == "0" or not runs[0].startswith("0")


def _by_locale(runs: list[str], mark: str, locale: str | None, *, scaled: bool) -> tuple[str, str, str]:
    """One point or comma with three digits behind it: a group, decimals, or refused."""
    whole, last = runs
    decimal = _decimal_mark(locale)
    if scaled and mark == decimal:
        return whole, last, mark
    if mark == decimal and last != "000":
        raise NotACount("fraction")
    # 1.000 where the point marks decimals is a thousand from elsewhere more often than a one.
    if scaled or mark == decimal or (decimal is None and mark == "."):
        raise NotACount("ambiguous")
    return whole + last, "", ""


def _decimal_mark(locale: str | None) -> str | None:
    return next((_DECIMAL_MARKS[name] for name in names_of(locale) if name in _DECIMAL_MARKS), None)


def _is_known(locale: str | None) -> bool:
    return any(name in _DECIMAL_MARKS for name in names_of(locale))


def _refusal(text: str) -> NotACount:
    kinds = {unicodedata.category(sign) for sign in text if not sign.isspace()}
    if kinds & {"Cc", "Cf", "Cs"}:
        return NotACount("invisible_character")
    if kinds & {"No", "Nl", "Mn", "Me"}:
        return NotACount("odd_digit")
    code = next((code for code, pattern in _REFUSALS if re.search(pattern, text, re.IGNORECASE)), "not_a_number")
    lookalike = code == "letters" and re.search(_LOOKALIKE, text)
    return NotACount(code, "the letter O or l for a digit?" if lookalike else "")
