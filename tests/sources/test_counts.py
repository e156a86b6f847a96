"""Cells as people, spreadsheets and copied pages write them, and what each of them counts."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from webapp.sources.counts import NOT_COMPUTED, NotACount, count_of

CODES = {
    "ambiguous",
    "approximate",
    "boolean",
    "date",
    "formula_error",
    "formula_text",
    "fraction",
    "invisible_character",
    "letters",
    "magnitude",
    "mixed_digits",
    "negative",
    "not_a_number",
    "odd_digit",
    "percent",
    "too_large",
    "too_long",
    "two_numbers",
    "type",
}
LARGEST = 2**63 - 1
LOCALES = (
    None,
    "tr_TR",
    "id_ID",
    "pt_PT",
    "en_US",
    "de_DE",
    "ru_RU",
    "de_CH",
    "en_ZA",
    "es_MX",
    "es_ES",
    "iw_IL",
    "tlh_QO",
    "",
    "en",
)


def shown(cell: object) -> str:
    text = ascii(cell)
    return text if len(text) <= 40 else f"{text[:30]}... of {len(text)}"


def refusal(cell: object, locale: str | None = None) -> NotACount:
    with pytest.raises(NotACount) as refused:
        count_of(cell, locale)
    return refused.value


def outcome(cell: object, locale: str | None = None) -> int | str | None:
    """The count, or the code of the refusal."""
    try:
        return count_of(cell, locale)
    except NotACount as error:
        return error.code


ACCEPTED_JSON: dict[str, tuple[object, int]] = {
    "five": (5, 5),
    "zero": (0, 0),
    "whole float": (5.0, 5),
    "minus zero": (-0.0, 0),
    "10 to the 15": (1e15, 10**15),
    "beyond 2 to the 31": (2**31, 2**31),
    "last that JavaScript knows": (2**53 - 1, 2**53 - 1),
    "first that JavaScript rounds": (2**53 + 1, 2**53 + 1),
    "float beyond 2 to the 53": (2.0**62, 2**62),
    "largest": (LARGEST, LARGEST),
    "date serial, which only its format tells from a count": (45999, 45999),
    "hundred percent, which only its format tells from one": (1.0, 1),
}

REFUSED_JSON: dict[str, tuple[object, str]] = {
    "half": (5.5, "fraction"),
    "percent": (0.45, "fraction"),
    "smallest float": (5e-324, "fraction"),
    "sum of tenths": (0.1 + 0.2, "fraction"),
    "just below a million": (999999.9999999999, "fraction"),
    "below zero": (-1, "negative"),
    "float below zero": (-1.5, "negative"),
    "minus infinity": (float("-inf"), "negative"),
    "2 to the 63": (2**63, "too_large"),
    "float 2 to the 63": (2.0**63, "too_large"),
    "1e308": (1e308, "too_large"),
    "1e400": (float("1e400"), "too_large"),
    "infinity": (float("inf"), "too_large"),
    "5,000 digits": (10**5000, "too_large"),
    "5,000 digits below zero": (-(10**5000), "negative"),
    "not a number": (float("nan"), "not_a_number"),
    "true": (True, "boolean"),
    "false": (False, "boolean"),
    "list": ([1], "type"),
    "object": ({"n": 1}, "type"),
    "bytes": (b"5", "type"),
    "complex": (5j, "type"),
}

ACCEPTED_TEXT = [
    # plain
    ("0", 0),
    ("5", 5),
    (" 5 ", 5),
    ("5\n", 5),
    ("\t5\r\n", 5),
    ("007", 7),
    ("'5", 5),
    ("' 5", 5),
    ("+5", 5),
    ("+ 5", 5),
    ("5+", 5),
    ("100+", 100),
    ("12 500+", 12500),
    ("12 500 +", 12500),
    ("+12.5K", 12500),
    ("12.5K+", 12500),
    ("2147483648", 2**31),
    ("9007199254740993", 2**53 + 1),
    ("9223372036854775807", LARGEST),
    ("00000000000000000000000000000007", 7),
    # groups
    ("1,234", 1234),
    ("1,234,567", 1234567),
    ("1.234.567", 1234567),
    ("1 234", 1234),
    ("1 000 000", 1000000),
    ("1\u00a0234", 1234),
    ("1\u202f234\u202f567", 1234567),
    ("1\u2009234", 1234),
    ("1\u2007234", 1234),
    ("1'234", 1234),
    ("1\u2019234\u2019567", 1234567),
    ("'1'234", 1234),
    ("12,34,567", 1234567),
    ("1,23,45,678", 12345678),
    ("9,223,372,036,854,775,807", LARGEST),
    # decimals that are zero
    ("5.0", 5),
    ("5,0", 5),
    ("12,00", 12),
    ("1234.00", 1234),
    ("1234.000", 1234),
    ("0.000", 0),
    ("1,234.00", 1234),
    ("1.234,00", 1234),
    ("1 234,00", 1234),
    ("1'234.00", 1234),
    ("12,34,567.00", 1234567),
    ("1,234.0000", 1234),
    ("1\u066c234\u066c567\u066b000", 1234567),  # the Arabic decimal mark groups nothing
    # suffixes
    ("12K", 12000),
    ("12k", 12000),
    ("630k", 630000),
    ("12.3K", 12300),
    ("12.3 K", 12300),
    ("8.19K", 8190),
    ("1.2300K", 1230),
    ("0.5K", 500),
    ("0.500K", 500),
    ("0K", 0),
    ("1.2M", 1200000),
    ("1.2m", 1200000),
    ("4.1M", 4100000),
    ("3.4B", 3400000000),
    ("3.4b", 3400000000),
    ("9.223372036B", 9223372036),
    ("1,234.5K", 1234500),
    ("1 234,5 тыс.", 1234500),
    ("1 234K", 1234000),
    ("1,234,567K", 1234567000),
    ("12К", 12000),
    ("12,3К", 12300),  # the Cyrillic one
    ("12K.", 12000),
    ("12 тыс.", 12000),
    ("12 тыс", 12000),
    ("12тыс.", 12000),
    ("12 χιλιάδες", 12000),
    ("12 ΧΙΛΙΆΔΕΣ", 12000),
    ("12 ΧΙΛΙΑΔΕΣ", 12000),
    ("1,2 ΕΚΑΤΟΜΜΥΡΙΑ", 1200000),
    ("12 ТЫС.", 12000),
    ("1,2 млн", 1200000),
    ("1,2\u00a0млн.", 1200000),
    ("1,2 млрд", 1200000000),
    ("1,2 млрд.", 1200000000),
    ("1.5万", 15000),
    ("1.5萬", 15000),
    ("1.5만", 15000),
    ("1.5w", 15000),
    ("1.5W", 15000),
    ("2亿", 200000000),
    ("2億", 200000000),
    ("2억", 200000000),
    ("1.2 lakh", 120000),
    ("3 Lakhs", 300000),
    ("1.2 crore", 12000000),
    ("2 crores", 20000000),
    ("1,2 Mio.", 1200000),
    ("1,2 Mio", 1200000),
    ("1,2 Mrd.", 1200000000),
    ("12 Tsd.", 12000),
    ("1,2  million", 1200000),
    ("1.5 billion", 1500000000),
    ("12,5 rb", 12500),
    ("1,2 jt", 1200000),
    ("12 tys.", 12000),
    ("12 bin", 12000),
    ("1,2 milyon", 1200000),
    ("3 ألف", 3000),
    ("٣ مليون", 3000000),
    ("१२ लाख", 1200000),
    ("१.२ करोड़", 12000000),
    ("1.2 करोड\u093c", 12000000),  # composed of two signs
    ("5千", 5000),
    ("5천만", 50000000),
    ("1.5万亿", 1500000000000),
    ("12 พัน", 12000),
    ("1,2 εκ.", 1200000),
    ("12.5 هزار", 12500),
    ("۱۲٫۵ هزار", 12500),
    ("50 हज़ार", 50000),
    ("10 หมื่น", 100000),
    ("5 แสน", 500000),
    ("1.5 ล้าน", 1500000),
    ("2.3千", 2300),
    ("12만", 120000),
    ("1 億", 100000000),
    ("2.5 Mrd", 2500000000),
    ("12 mln.", 12000000),
    # scientific
    ("1e5", 100000),
    ("1E5", 100000),
    ("1.2E+06", 1200000),
    ("1,2E+06", 1200000),
    ("1.234E+06", 1234000),
    ("12.3E+06", 12300000),
    ("1200E-2", 12),
    ("1000000000000000000000000E-24", 1),
    ("0E999999999", 0),
    ("0E-999999999", 0),
    # digits of other scripts
    ("٠", 0),
    ("١٢٣٤", 1234),
    ("١٬٢٣٤", 1234),
    ("١٬٢٣٤٫٠", 1234),
    ("١٬٢٣٤٫٠٠٠", 1234),
    ("۱۲۳۴", 1234),
    ("१२,३४,५६७", 1234567),
    ("१.२ lakh", 120000),
    ("๑๒๓", 123),
    ("１２３４", 1234),
    ("１，２３４", 1234),
    ("＋１，２３４．００", 1234),
    ("１．５万", 15000),
    ("𝟭𝟮𝟯", 123),
    # what comes along with copied text
    ("\ufeff5", 5),
    ("5\u200e", 5),
    ("\u200f5\u200f", 5),
    ("\u200b5\u200b", 5),
    ("5\u2060 \u200b", 5),
    ("\u2068" + "1,234" + "\u2069", 1234),
    ("\u202d" + "1,234" + "\u202c", 1234),
    (" " * 50_000 + "5", 5),
]

REFUSED_TEXT = [
    # fractions
    ("0,5", "fraction"),
    ("0.5", "fraction"),
    (".5", "fraction"),
    (",5", "fraction"),
    ("2,41", "fraction"),
    ("1,23", "fraction"),
    ("1234.5", "fraction"),
    ("1234.567", "fraction"),
    ("0.123", "fraction"),
    ("0,123", "fraction"),
    ("12,345.67", "fraction"),
    ("1.234,56", "fraction"),
    ("١٫٢٣٤", "fraction"),
    ("1.2345K", "fraction"),
    ("1.23456789 млн", "fraction"),
    ("1.2E-3", "fraction"),
    ("1E-999999999", "fraction"),
    ("1/2", "fraction"),
    ("1 / 2", "fraction"),
    ("1\u20442", "fraction"),
    # percent, dates, times
    ("12%", "percent"),
    ("12 %", "percent"),
    ("12,5 ٪", "percent"),
    ("-5%", "percent"),
    ("2024-01-15", "date"),
    ("2024-01-15T10:00:00Z", "date"),
    ("3/4/2024", "date"),
    ("15.01.2024", "date"),
    ("15.1.24", "date"),
    ("12:30", "date"),
    ("1:02:03", "date"),
    # below zero
    ("-5", "negative"),
    ("- 5", "negative"),
    ("-0", "negative"),
    ("\u22125", "negative"),
    ("–5", "negative"),
    ("—5", "negative"),
    ("'-5", "negative"),
    ("+-5", "negative"),
    ("-1,234", "negative"),
    ("-1.2K", "negative"),
    ("(5)", "negative"),
    ("(1,234)", "negative"),
    # too much
    ("9223372036854775808", "too_large"),
    ("9.3E18", "too_large"),
    ("1E308", "too_large"),
    ("1e309", "too_large"),
    ("1e400", "too_large"),
    ("1E999999999", "too_large"),
    ("99999999999 млрд", "too_large"),
    ("9" * 32, "too_large"),
    ("1" * 33, "too_long"),
    ("1" * 5000, "too_long"),
    ("-" * 33, "too_long"),
    ("(" * 50_000, "too_long"),
    ("1 " * 25_000, "too_long"),
    # ambiguous and malformed
    ("1.234", "ambiguous"),
    ("1.000", "ambiguous"),
    ("1.234K", "ambiguous"),
    ("1,234K", "ambiguous"),
    ("12.345E3", "ambiguous"),
    ("1,234.567", "ambiguous"),
    ("1,234.000", "ambiguous"),
    ("1.234,567", "ambiguous"),
    ("1,2,3", "ambiguous"),
    ("1,2,3K", "ambiguous"),
    ("1.2.3.4", "ambiguous"),
    ("1,,234", "ambiguous"),
    ("1,234,56", "ambiguous"),
    ("1234,567,890", "ambiguous"),
    ("12.34.567", "ambiguous"),
    ("1.2.3", "ambiguous"),
    ("1,234.567,890", "ambiguous"),
    ("1,234'567.00", "ambiguous"),  # grouped by two marks
    ("1,234'567.5K", "ambiguous"),
    ("0,123,456", "ambiguous"),
    ("012,345", "ambiguous"),
    ("012.000", "ambiguous"),
    ("1'23", "ambiguous"),
    ("5.", "ambiguous"),
    # more than one number
    ("12 or 13", "two_numbers"),
    ("12 13", "two_numbers"),
    ("12, 13", "two_numbers"),
    ("12 3", "two_numbers"),
    ("2024 100", "two_numbers"),
    ("1  234", "two_numbers"),
    ("1 2K", "two_numbers"),
    ("12K 5", "two_numbers"),
    ("12\n13", "two_numbers"),
    ("1\t234", "two_numbers"),
    ("12;13", "two_numbers"),
    ("100-200", "two_numbers"),
    ("100–200", "two_numbers"),
    ("5+5", "two_numbers"),
    ("12 (13)", "two_numbers"),
    ("12[1]", "two_numbers"),
    ("12 Jan 2024", "two_numbers"),
    # approximate
    ("~100", "approximate"),
    ("≈ 100", "approximate"),
    ("<1000", "approximate"),
    (">1K", "approximate"),
    # letters
    ("1,234 followers", "letters"),
    ("1 234 followers", "letters"),
    ("12 followers", "letters"),
    ("about 100", "letters"),
    ("12or13", "letters"),
    ("1O5", "letters"),
    ("1O", "letters"),
    ("l23", "letters"),
    ("0x1F", "letters"),
    ("0b1", "letters"),
    ("1T", "letters"),
    ("12KK", "letters"),
    ("K12", "letters"),
    ("1.5万2000", "letters"),
    ("1" * 28 + "x", "letters"),
    ("12 mil", "letters"),
    ("1X234", "letters"),
    ("X", "not_a_number"),
    ("123,45,678", "ambiguous"),
    ("00.5", "ambiguous"),
    ("1,2 mi", "letters"),
    ("3 tn", "letters"),
    ("12l", "letters"),
    ("1.2Cr", "letters"),
    ("1.5兆", "letters"),
    ("1.2М", "letters"),  # the Cyrillic one, which no language uses so
    ("12 т", "letters"),
    ("12т.", "letters"),
    ("1.5kk", "letters"),
    ("1,5кк", "letters"),
    ("5 mil.", "letters"),
    ("2 md", "letters"),
    ("3 arab", "letters"),
    ("1万2千", "letters"),
    ("1.2万人", "letters"),
    ("12월", "letters"),
    ("12回", "letters"),
    ("c.12", "letters"),
    ("ок. 12", "letters"),
    ("1 lakh 20 thousand", "two_numbers"),
    ("1k-2k", "two_numbers"),
    ("12. 500", "two_numbers"),
    ("1`234", "not_a_number"),
    ("1\u2032234", "not_a_number"),
    ("12·345", "not_a_number"),
    ("12-", "not_a_number"),
    ("\u201c12\u201d", "not_a_number"),
    # letters of nobody knows what language, behind a decimal comma
    ("327,4B", "magnitude"),
    ("12,3K", "magnitude"),
    ("1,2M", "magnitude"),
    ("1,2 m", "magnitude"),
    ("1.234,5K", "magnitude"),
    ("1,5w", "magnitude"),
    ("1,2 mn", "magnitude"),
    ("1,5 bn", "magnitude"),
    ("1,5 billion", "magnitude"),
    # no digit, or a digit that is none
    ("nan", "not_a_number"),
    ("inf", "not_a_number"),
    ("Infinity", "not_a_number"),
    ("private", "not_a_number"),
    ("none", "not_a_number"),
    ("five", "not_a_number"),
    ("XII", "not_a_number"),
    ("一二三", "not_a_number"),
    ("+", "not_a_number"),
    ("K", "not_a_number"),
    ("5-", "not_a_number"),
    ("+5+", "not_a_number"),
    ("''5", "not_a_number"),
    ("5*", "not_a_number"),
    ("1_000", "not_a_number"),
    ("$12", "not_a_number"),
    ("$1,234", "not_a_number"),
    ("12 €", "not_a_number"),
    ("#1", "not_a_number"),
    ("²", "odd_digit"),
    ("12³", "odd_digit"),
    ("12\u2083", "odd_digit"),
    ("①", "odd_digit"),
    ("½", "odd_digit"),
    ("1½", "odd_digit"),
    ("Ⅻ", "odd_digit"),
    ("1\u0301" + "2", "odd_digit"),
    ("1\ufe0f\u20e3", "odd_digit"),
    ("1\u20e3", "odd_digit"),
    ("1٢", "mixed_digits"),
    ("٣۴", "mixed_digits"),
    ("１2K", "mixed_digits"),
    # what nobody sees
    ("1\u200b234", "invisible_character"),
    ("1\ufeff234", "invisible_character"),
    ("12\u200e34", "invisible_character"),
    ("1\u00ad234", "invisible_character"),
    ("\u00ad5", "invisible_character"),
    ("1\x00", "invisible_character"),
    ("\x005", "invisible_character"),
    ("5\x1b[0m", "invisible_character"),
    ("\ud800", "invisible_character"),
    ("1\udfff2", "invisible_character"),
    ("\u202e" + "123" + "\u202c", "invisible_character"),
    # words of the spreadsheet
    ("TRUE", "boolean"),
    ("false", "boolean"),
    ("=1+1", "formula_text"),
    ("'=A1", "formula_text"),
    ('=IMPORTRANGE("x"; "A!B2")', "formula_text"),
    ("#REF!", "formula_error"),
    ("#N/A", "formula_error"),
    ("#DIV/0!", "formula_error"),
    ("#VALUE!", "formula_error"),
    ("#NAME?", "formula_error"),
    ("#NUM!", "formula_error"),
    ("#ERROR!", "formula_error"),
    ("#NULL!", "formula_error"),
    ("#ССЫЛКА!", "formula_error"),
    ("Loading...", "formula_error"),
    ("Загрузка…", "formula_error"),
]

NO_VALUE = [
    None,
    "",
    " ",
    "\n",
    "\u00a0",
    "\u200b",
    "\ufeff\u200b \u2060",
    "'",
    "-",
    "--",
    "–",
    "—",
    "\u2212",
    "?",
    "???",
]
NO_VALUE += ["N/A", "n/a", " n/a ", "'n/a", "n.a.", "NA", "hidden", "Hidden", "unknown", "no data", "н/д", "скрыто"]
NO_VALUE += ["нет данных", "н.д.", "неизвестно", " " * 50_000]

BY_LOCALE = [
    ("1.234", "de_DE", 1234),
    ("1.234", "in_ID", 1234),
    ("1.234", "iw_IL", "fraction"),
    ("1.234", "tl_PH", "fraction"),
    ("1.234", "", "ambiguous"),
    ("1.234", "ru_RU", 1234),
    ("1.000", "de_DE", 1000),
    ("999.999", "es_ES", 999999),
    ("1.234", "en_US", "fraction"),
    ("1.000", "en_US", "ambiguous"),
    ("1.234", "de_CH", "fraction"),
    ("1.234", "fr_CH", "ambiguous"),
    ("1,234", "fr_CH", 1234),
    ("1.234", "es_MX", "fraction"),
    ("1.234", "en_ZA", "ambiguous"),
    ("1.234", "tlh_QO", "ambiguous"),
    ("1.234", None, "ambiguous"),
    ("1,234", "en_US", 1234),
    ("1,234", "es_MX", 1234),
    ("1,234", "en_ZA", 1234),
    ("1,234", "tlh_QO", 1234),
    ("1,234", "de_DE", "fraction"),
    ("1,234", "ru_RU", "fraction"),
    ("1,000", "de_DE", "ambiguous"),
    ("1.234M", "en_US", 1234000),
    ("1,234 млн", "ru_RU", 1234000),
    ("1.234 Mio.", "de_DE", "ambiguous"),
    ("1,234K", "en_US", "ambiguous"),
    ("1.234M", None, "ambiguous"),
    ("١.٢٣٤", "de_DE", 1234),
]


MAGNITUDES = [
    ("327,4B", "tr_TR", 327400),
    ("12,5 B", "tr_TR", 12500),
    ("12 b", "tr_TR", 12000),
    ("327.4B", "tr_TR", 327400),
    ("1,2 Mn", "tr_TR", 1200000),
    ("1,2M", "tr_TR", 1200000),
    ("1,2 MİLYON", "tr_TR", 1200000),
    ("3 Mr", "tr_TR", 3000000000),
    ("12,3 K", "tr_TR", 12300),
    ("1,2 M", "id_ID", 1200000000),
    ("3 m", "id_ID", 3000000000),
    ("1.2M", "id_ID", "magnitude"),  # as English writes it, and as it does not
    ("1.2M", "ms_MY", "magnitude"),
    ("2 J", "ms_MY", 2000000),
    ("12 m", "ca_ES", 12000),
    ("1,2 M", "ca_ES", 1200000),
    ("5 mil", "es_ES", 5000),
    ("5.5 mil", "es_MX", 5500),
    ("1,2 M", "es_ES", 1200000),
    ("1,2 mil M", "es_ES", 1200000000),
    ("1,2 MM", "es_ES", "magnitude"),
    ("1,5 B", "es_ES", "magnitude"),
    ("5 mil", "pt_BR", 5000),
    ("1,5 mi", "pt_BR", 1500000),
    ("2 bi", "pt_BR", 2000000000),
    ("1,5B", "pt_BR", 1500000000),
    ("2 bi", "pt_PT", "magnitude"),
    ("1,5 mM", "pt_PT", 1500000000),
    ("12 mil", "cs_CZ", 12000000),
    ("12 tis.", "sk_SK", 12000),
    ("12 хиљ.", "sr_RS", 12000),
    ("1,5 mlr.", "hr_HR", 1500000000),
    ("12 mii", "ro_RO", 12000),
    ("1,2 mil.", "ro_RO", 1200000),
    ("12 mila", "it_IT", 12000),
    ("1,2 Mln", "it_IT", 1200000),
    ("1,2 Mrd", "it_IT", 1200000000),
    ("12,3 k", "fr_FR", 12300),
    ("1,2 M", "fr_FR", 1200000),
    ("1,5 Md", "fr_FR", 1500000000),
    ("3 Bn", "fr_FR", "magnitude"),
    ("1,2 Mio.", "de_DE", 1200000),
    ("1,2M", "de_DE", 1200000),
    ("1.2M", "de_DE", 1200000),
    ("1.5B", "de_DE", "magnitude"),
    ("12 tn", "sv_SE", 12000),
    ("1,2 mn", "nb_NO", 1200000),
    ("1,5 md", "sv_SE", 1500000000),
    ("12 t", "da_DK", 12000),
    ("12 T", "da_DK", "magnitude"),
    ("1,5 mia.", "da_DK", 1500000000),
    ("12 t.", "fi_FI", 12000),
    ("1,2 milj.", "fi_FI", 1200000),
    ("12 E", "hu_HU", 12000),
    ("12 N", "vi_VN", 12000),
    ("1,2 Tr", "vi_VN", 1200000),
    ("1,2 T", "vi_VN", 1200000000),
    ("1.5兆", "ja_JP", 1500000000000),
    ("12L", "en_IN", 1200000),
    ("1.2 Cr", "hi_IN", 12000000),
    ("12 mln", "pl_PL", 12000000),
    ("12,3K", "en_US", 12300),
    ("1,2M", "en_US", "magnitude"),
    ("327,4B", "en_US", "magnitude"),
    ("1,2M", "en_ZA", 1200000),
    ("1T", "en_US", "letters"),
    ("1,2M", "ru_RU", 1200000),
    ("1,2M", "tlh_QO", "magnitude"),
    ("1,2 M", "in_ID", 1200000000),
    ("1,2 M", "in", 1200000000),
    ("1,2 M", "id-ID", 1200000000),
    ("1.2M", "in_ID", "magnitude"),
    ("1,2 M", "iw_IL", "magnitude"),
    ("12 B", "mo_MD", "magnitude"),
    ("12 mil.", "sh_RS", 12000000),
]


@pytest.mark.parametrize(("cell", "locale", "expected"), MAGNITUDES, ids=shown)
def test_letters_multiply_as_they_do_in_the_language_of_the_sheet(cell: str, locale: str, expected: int | str) -> None:
    assert outcome(cell, locale) == expected


def test_letters_are_not_english_where_the_tab_shows_that_they_are_not() -> None:
    with pytest.raises(NotACount) as refused:
        count_of("12 B", english=False)

    assert refused.value.code == "magnitude"
    assert count_of("12K", english=False) == 12_000
    assert count_of("12 B", "en_US", english=False) == 12_000_000_000


@pytest.mark.parametrize(("cell", "count"), ACCEPTED_JSON.values(), ids=ACCEPTED_JSON)
def test_a_whole_number_is_its_own_count(cell: object, count: int) -> None:
    assert count_of(cell) == count
    assert type(count_of(cell)) is int


@pytest.mark.parametrize(("cell", "code"), REFUSED_JSON.values(), ids=REFUSED_JSON)
def test_a_value_that_is_no_count_is_refused(cell: object, code: str) -> None:
    assert refusal(cell).code == code


@pytest.mark.parametrize(("cell", "count"), ACCEPTED_TEXT, ids=shown)
def test_a_written_count_is_understood(cell: str, count: int) -> None:
    assert count_of(cell) == count


@pytest.mark.parametrize(("cell", "code"), REFUSED_TEXT, ids=shown)
def test_a_text_that_is_no_count_is_refused(cell: str, code: str) -> None:
    assert refusal(cell).code == code


@pytest.mark.parametrize("cell", NO_VALUE, ids=shown)
def test_a_blank_or_a_placeholder_is_no_value(cell: object) -> None:
    assert count_of(cell) is None


@pytest.mark.parametrize(("cell", "locale", "expected"), BY_LOCALE, ids=shown)
def test_one_mark_before_three_digits_is_read_by_the_locale(cell: str, locale: str | None, expected: int | str) -> None:
    assert outcome(cell, locale) == expected


@pytest.mark.parametrize("cell", ["1O5", "l23", "2О"])
def test_a_letter_in_place_of_a_digit_gets_a_hint(cell: str) -> None:
    assert "letter O or l" in refusal(cell).message


def test_letters_that_look_like_no_digit_get_no_hint() -> None:
    assert refusal("12 followers").message == "has letters beside the number"
    assert refusal("1O%").message == "is a percentage"


def test_a_part_of_one_gets_a_hint_at_the_percent_format() -> None:
    assert refusal(0.45).message == "is a fraction (is the cell formatted as percent?)"
    assert "percent" not in refusal(1.45).message


@pytest.mark.parametrize("cell", [cell for cell, _ in REFUSED_TEXT if len(cell) > 2], ids=shown)
def test_a_refusal_repeats_nothing_of_the_cell(cell: str) -> None:
    refused = refusal(cell)

    assert cell not in refused.message
    assert str(refused) == refused.message


def test_a_formula_that_nobody_has_computed_says_what_to_do() -> None:
    with pytest.raises(NotACount, match="open and save it once") as refused:
        count_of(NOT_COMPUTED)

    assert refused.value.code == "not_computed"


def test_the_tables_show_every_code() -> None:
    shown_codes = {code for _, code in REFUSED_TEXT} | {code for _, code in REFUSED_JSON.values()}

    assert shown_codes == CODES


counts = st.integers(0, LARGEST)
small_counts = st.integers(0, 10**9)
locales = st.sampled_from(LOCALES)
# Mostly what numbers are made of, so that the rules meet in ways nobody wrote down.
numberlike = st.text(
    st.sampled_from("0001123456789,,..  ''’\u00a0+-–()KkMBw万億тысмлнрд.EeOl%/:#=?_²½٣٬٫१２\u200b\u202e\n\ud800"),
    max_size=34,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def grouped(n: int, mark: str) -> str:
    return f"{n:,}".replace(",", mark)


def grouped_as_in_india(n: int) -> str:
    head, last = divmod(n, 1000)
    return f"{re.sub(r'(?<=[0-9])(?=(?:[0-9]{2})+$)', ',', str(head))},{last:03}" if head else str(n)


def in_script(text: str, zero: str) -> str:
    return text.translate({ord("0") + digit: ord(zero) + digit for digit in range(10)})


@given(st.text() | numberlike | json_values, locales)
@example("9" * 4301, None)
@example("\ud800" * 50_000, None)
@example("\u20e3" * 32, "de_DE")
def test_any_cell_gets_a_count_none_or_a_refusal(cell: object, locale: str | None) -> None:
    result = outcome(cell, locale)

    assert result is None or result in CODES or (type(result) is int and 0 <= result <= LARGEST)


@given(
    counts, st.sampled_from([",", " ", "\u00a0", "\u202f", "\u2009", "'", "\u2019"]), st.sampled_from(["", ".00", ".0"])
)
def test_groups_and_zero_decimals_change_nothing(n: int, mark: str, decimals: str) -> None:
    assert count_of(grouped(n, mark) + decimals, "en_US") == n


@given(counts, st.sampled_from([".", " ", "\u00a0", "\u202f", "'"]), st.sampled_from(["", ",00"]))
def test_groups_change_nothing_where_the_comma_marks_decimals(n: int, mark: str, decimals: str) -> None:
    assert count_of(grouped(n, mark) + decimals, "de_DE") == n


@given(counts)
def test_indian_groups_change_nothing(n: int) -> None:
    assert count_of(grouped_as_in_india(n)) == n


@given(counts, st.sampled_from("٠۰०০๐０𝟎"), st.sampled_from(["", ",", " "]))
def test_the_script_of_the_digits_changes_nothing(n: int, zero: str, mark: str) -> None:
    assert count_of(in_script(grouped(n, mark), zero)) == n


@given(counts, st.sampled_from(["{}", "+{}", "{}+", "'{}", " {}\n", "\ufeff{}\u200b", "{}.0", "0{}"]))
def test_ornaments_change_nothing(n: int, form: str) -> None:
    assert count_of(form.format(n)) == n


@given(st.integers(0, 2**53))
def test_a_float_and_an_int_of_the_same_size_are_one_count(n: int) -> None:
    assert count_of(float(n)) == count_of(n) == n


@given(st.integers(1, 999_999), st.integers(0, 12))
def test_scientific_notation_is_exact(n: int, exponent: int) -> None:
    assert count_of(f"{n}E+{exponent:02}") == n * 10**exponent


SUFFIXES = {"": 1, "K": 10**3, "тыс.": 10**3, "万": 10**4, "lakh": 10**5, "M": 10**6, "млн": 10**6, "crore": 10**7}
SUFFIXES |= {"亿": 10**8, "B": 10**9, "млрд": 10**9}


@given(st.integers(0, 99_999), st.integers(0, 9_999), st.sampled_from([".", ","]), st.sampled_from(list(SUFFIXES)))
def test_a_suffix_multiplies_exactly_or_is_refused(whole: int, decimals: int, mark: str, suffix: str) -> None:
    assume(len(str(decimals)) != 3)
    value = Fraction(f"{whole}.{decimals}") * SUFFIXES[suffix]
    expected = int(value) if value.denominator == 1 else "fraction"

    assert outcome(f"{whole}{mark}{decimals}{suffix}") == (
        "magnitude" if mark == "," and suffix in {"K", "M", "B"} else expected
    )


@given(small_counts, small_counts, st.sampled_from(list(SUFFIXES)), st.sampled_from(list(SUFFIXES)))
def test_more_of_a_larger_suffix_is_never_less(a: int, b: int, small: str, large: str) -> None:
    (a, b), (small, large) = sorted((a, b)), sorted((small, large), key=SUFFIXES.__getitem__)
    less, more = count_of(f"{a} {small}"), count_of(f"{b} {large}")

    assert less is not None
    assert more is not None
    assert less <= more


@given(small_counts, st.text(min_size=1, max_size=8), small_counts)
@example(12, " or ", 13)
@example(1, "\u200b", 234)
@example(1, "_", 234)
def test_digits_apart_are_never_glued_together(a: int, between: str, b: int) -> None:
    assume(not set(between) & set(" ,.'’\u00a0\u2007\u2009\u202f\u066c，．"))
    assume(not any(sign.isdecimal() for sign in between))

    assert outcome(f"{a}{between}{b}") != int(f"{a}{b}")


@given(small_counts, st.sampled_from(list(" ,.'’\u00a0")), st.integers(0, 10**9).filter(lambda n: len(str(n)) != 3))
def test_what_is_no_group_of_three_is_never_glued_on(a: int, mark: str, b: int) -> None:
    assume((a, b) != (0, 0))

    assert outcome(f"{a}{mark}{b}") != int(f"{a}{b}")


@given(numberlike, locales, locales)
@example("1.234", "en_US", "de_DE")
@example("1,234K", "en_US", "de_DE")
@example("12 B", "en_US", "tr_TR")
def test_the_locale_matters_only_to_letters_and_to_one_mark_before_three_digits(
    cell: str, one: str | None, other: str | None
) -> None:
    if outcome(cell, one) != outcome(cell, other) and not re.search("[A-Za-z]", cell):
        assert re.search(r"(?<!\d)\d{1,3}[.,，．]\d{3}(?!\d)", cell)
        assert len(re.findall(r"\d[.,，．](?=\d)", cell)) == 1
