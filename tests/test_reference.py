"""What the code writes into the documents is what it would write now, and the answers there have the shape of real ones."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.api.tour import BY_ID
from tests.documents import text_of
from tests.reference import (
    PARTS,
    Entry,
    addresses,
    codes,
    commands,
    contents,
    entries,
    imports,
    part_in,
    presets,
    settings,
    shape,
    trimmed,
)

ANEW = "write it anew: python -m tests.reference"


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Entry]]:
    """Every address with what it answered to the demo, and the folder of that demo."""
    folder = str(tmp_path_factory.mktemp("visited"))
    return folder, entries(folder)


def part(name: str) -> str:
    """A part of a document that the code has written."""
    return part_in(text_of(PARTS[name]), name)[2]


def test_the_page_of_settings_lists_every_one() -> None:
    assert part("settings") == settings(), ANEW


def test_the_page_of_commands_lists_every_one() -> None:
    assert part("commands") == commands(), ANEW


def test_the_page_of_callers_shows_every_preset() -> None:
    assert part("presets") == presets(), ANEW


def test_the_page_of_architecture_shows_the_import_contracts() -> None:
    assert part("imports") == imports(), ANEW


def documented() -> dict[str, str]:
    """{`METHOD /path`: its section}."""
    parts = re.split(r"^### `(.+)`$", part("addresses"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def without_answers(text: str) -> str:
    return re.sub(r"```json\n.*?\n```", "", text, flags=re.DOTALL)


def test_the_page_of_addresses_says_what_the_code_says(visited: tuple[str, list[Entry]]) -> None:
    folder, found = visited

    assert list(BY_ID) == [name for name, route in BY_ID.items() if any(e.route is route for e in found)]
    assert without_answers(part("addresses")) == without_answers(addresses(found, folder)), ANEW
    assert part("contents") == contents(found), ANEW
    assert part("codes") == codes(), ANEW


def test_every_answer_has_the_shape_of_the_real_one(visited: tuple[str, list[Entry]]) -> None:
    sections = documented()
    for entry in visited[1]:
        found = re.search(r"```json\n(.*?)\n```", sections[entry.heading.strip("`")], re.DOTALL)
        assert (found is None) == (entry.answer is None), f"{entry.heading}; {ANEW}"
        if found is not None:
            assert _fits(shape(json.loads(found[1])), shape(entry.visit.answer.get_json())), f"{entry.heading}; {ANEW}"


def _fits(told: Any, real: Any) -> bool:
    """Whether a value of the page, whose lists have one element, could be part of the real one."""
    if isinstance(told, dict) and isinstance(real, dict):
        return told.keys() == real.keys() and all(_fits(told[name], real[name]) for name in told)
    if isinstance(told, list) and isinstance(real, list):
        return bool(told) == bool(real) and all(any(_fits(one, other) for other in real) for one in told)
    return bool(told == real)


def test_a_trimmed_list_keeps_the_element_that_tells_most() -> None:
    assert trimmed({"a": [{"b": []}, {"b": [1, 22]}]}) == {"a": [{"b": [22]}]}
