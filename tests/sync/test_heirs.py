"""What the search for the tab that goes on for another does with tabs that cannot be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.errors import SourceError


def names(service: Service) -> set[str]:
    return {row["name"] for row in service.rows("SELECT name FROM projects")}


@pytest.mark.parametrize("header", [["Notes", "of", "nobody"], ["Link", "Followers"]])
def test_a_new_tab_without_the_accounts_goes_on_for_nobody(
    service: Service, sheet: FakeSheet, header: list[str]
) -> None:
    sheet.rows("Project A", ["x.com/ann", 1], ["x.com/bob", 2])
    service.sync()
    sheet.delete("Project A")
    sheet.rows("Other", ["x.com/cid", 3], header=header)
    service.trigger()

    assert "Project A" in names(service)


@pytest.mark.parametrize("breaks", [FakeSheet.broken, FakeSheet.breaks_at])
def test_a_new_tab_that_cannot_be_read_goes_on_for_nobody(
    service: Service, sheet: FakeSheet, time: FakeClock, breaks: Callable[[FakeSheet, str, SourceError], None]
) -> None:
    sheet.rows("Project A", ["x.com/ann", 1], ["x.com/bob", 2])
    service.sync()
    sheet.delete("Project A")
    sheet.rows("Other", ["x.com/ann", 1], ["x.com/bob", 2])
    breaks(sheet, "Other", SourceError("no"))
    time.forward(days=1)
    service.trigger()

    assert "Project A" in names(service)
