"""Which words of a Status column change how an account is counted."""

from __future__ import annotations

import pytest

from webapp.rules.modes import mode_of


@pytest.mark.parametrize(
    "status", ["OLD", "old", " Old ", "OLD!", "OLD (2024)", "⏳ OLD", "old 2", "ＯＬＤ", "[OLD]", "Old №3", "OLD™"]
)
def test_old_is_counted_by_hand(status: str) -> None:
    assert mode_of(status) == "manual"


@pytest.mark.parametrize(
    "status", ["BAN", "ban", "Banned", "БАН", "бан!", "BAN 12.03", "⛔ ban", "ban?", "_BAN_", "Ban:"]
)
def test_ban_is_only_shown(status: str) -> None:
    assert mode_of(status) == "off"


@pytest.mark.parametrize(
    "status",
    [
        *(
            "Bank details sent",
            "Banner live",
            "Old contract",
            "Older",
            "Golden",
            "Bandung",
            "Banking",
            "Urban",
            "Unban",
        ),
        *(
            "Ban lifted",
            "Not banned",
            "no ban",
            "old-school",
            "Oldenburg",
            "Банк",
            "банер готов",
            "Бананы",
            "was banned",
        ),
        *("Shadowban", "BAN (shadow)", "Bann", "Ban risk", "Active, was banned", "BAN/OLD", "Bangkok", "Banksy"),
        *("разбанен", "Бан снят", "не забанен", "Банан", "Старый договор", "Alter Vertrag", "Sperrung aufgehoben"),
        *("NEW", "active", "", " ", "-", "2024", "⛔", None),
    ],
)
def test_any_other_status_says_nothing_of_it(status: str | None) -> None:
    assert mode_of(status) == "auto"
