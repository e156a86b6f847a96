"""Which platforms are read, by the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.clock import Clock
from webapp.config import Settings
from webapp.errors import ConfigError
from webapp.platforms import PLATFORMS, Listed
from webapp.sources.platforms.registry import sources_of
from webapp.sources.urls import PLATFORMS as SITES

KEYLESS = [platform.name for platform in PLATFORMS if platform.keyless]


def names(**environ: str) -> list[str]:
    return [source.name for source in sources_of(Settings.from_env(environ))]


def test_what_needs_no_key_is_read_by_default() -> None:
    assert names() == KEYLESS
    assert "bluesky" in KEYLESS


def test_a_key_makes_a_platform_read() -> None:
    assert sorted(names(YOUTUBE_API_KEY="a-key-of-youtube")) == sorted([*KEYLESS, "youtube"])
    assert names(TWITCH_CLIENT_ID="an-id") == KEYLESS
    twitch = names(TWITCH_CLIENT_ID="an-id", TWITCH_CLIENT_SECRET="a-secret")
    assert sorted(twitch) == sorted([*KEYLESS, "twitch"])
    assert names(SMART_SYNC_YOUTUBE_API="https://proxy.example.com") == KEYLESS


def test_those_that_are_named_are_read_and_no_others() -> None:
    assert names(SMART_SYNC_PLATFORMS="none") == []
    assert names(SMART_SYNC_PLATFORMS="YouTube, bluesky") == ["bluesky"]


def test_the_demo_asks_nobody() -> None:
    assert sources_of(Settings(demo=True)) == []


@pytest.mark.parametrize("name", KEYLESS)
def test_what_needs_no_key_can_be_opened(name: str) -> None:
    (source,) = [source for source in sources_of(Settings()) if source.name == name]

    source.open(Clock()).close()


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"YOUTUBE_API_KEY": "two words"}, "YOUTUBE_API_KEY: has signs that no key has"),
        ({"SMART_SYNC_YOUTUBE_API": "ftp://x"}, "SMART_SYNC_YOUTUBE_API: is not a base URL"),
        ({"SMART_SYNC_YOUTUBE_QUOTA": "many"}, "SMART_SYNC_YOUTUBE_QUOTA: 'many' is not a whole number"),
        ({"SMART_SYNC_YOUTUBE_APY": "https://x.example"}, "is no setting; did you mean SMART_SYNC_YOUTUBE_API"),
        ({"SMART_SYNC_PLATFORMS": "myspace"}, "SMART_SYNC_PLATFORMS: 'myspace' is none of json, youtube"),
    ],
)
def test_what_cannot_be_used_is_said_at_the_start(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(environ)

    assert words in str(caught.value)


def test_a_key_is_a_secret_and_may_be_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("keys") / "key"
    path.write_text("a-key-of-youtube\n")

    settings = Settings.from_env({"YOUTUBE_API_KEY_FILE": str(path)})

    assert "a-key-of-youtube" in settings.secrets
    assert "a-key-of-youtube" not in repr(settings)


def test_how_often_an_account_is_asked_for() -> None:
    assert Settings.from_env({}).read_every == 30
    assert Settings.from_env({"SMART_SYNC_READ_MINUTES": "360"}).read_every == 360


@pytest.mark.parametrize("platform", [one for one in PLATFORMS if not one.many], ids=lambda one: one.name)
def test_the_addresses_of_a_platform_that_is_read_are_known(platform: Listed) -> None:
    assert platform.name in SITES, "webapp/sources/urls/table.py needs a row, else no account is ever one of its"


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda one: one.name)
def test_the_contracts_list_every_platform(platform: Listed) -> None:
    contracts = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")

    assert contracts.count(f"({platform.module})") == 2
