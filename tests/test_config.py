"""Settings: what is understood, what is refused by name, and where they come from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest

from webapp.config import SETTINGS, Settings, environment
from webapp.errors import ConfigError

TOKEN = "a-token-of-some-length"
WEBHOOK_SECRET = "whsec_" + "A" * 44


def refused(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(environ)
    return caught.value.message


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_every_setting_has_a_place_and_a_meaning() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}

    assert {setting.attribute for setting in SETTINGS} <= fields
    assert all(setting.meaning for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


UNDERSTOOD: dict[str, tuple[str, str, Any]] = {
    "a port": ("PORT", "8080", 8080),
    "workers": ("WEB_CONCURRENCY", "4", 4),
    "a level in any case": ("LOG_LEVEL", "debug", "DEBUG"),
    "one sheet": ("SMART_SYNC_SHEET", " ./sheets ", ("./sheets",)),
    "several sheets": ("SMART_SYNC_SHEET", "a, b,,c,", ("a", "b", "c")),
    "two tokens": ("SMART_SYNC_ADMIN_TOKEN", f"{TOKEN},{TOKEN}2", (TOKEN, f"{TOKEN}2")),
    "seconds": ("SMART_SYNC_BUDGET", "2.5", 2.5),
    "a flag": ("SMART_SYNC_DISCOVER", "No", False),
    "a base": ("SMART_SYNC_SHEETS_API", "http://127.0.0.1:9/", "http://127.0.0.1:9"),
    "columns": (
        "SMART_SYNC_COLUMNS",
        "followers=Fans|Abonnenten; url=Konto;followers=Fanbase",
        {"followers": ("Fans", "Abonnenten", "Fanbase"), "url": ("Konto",)},
    ),
    "a snapshot": ("SMART_SYNC_SNAPSHOT", "Latest", "latest"),
    "a folder": ("SMART_SYNC_DATA_DIR", "/var/data", Path("/var/data")),
    "a folder at home": ("SMART_SYNC_DATA_DIR", "~/data", Path.home() / "data"),
    "a home of nobody": ("SMART_SYNC_DATA_DIR", "~nobody-here/data", Path("~nobody-here/data")),
    "a year": ("SMART_SYNC_LEASE_SECONDS", "31536000", 31_536_000),
    "a token in quotes": ("SMART_SYNC_ADMIN_TOKEN", f'"{TOKEN}"', (TOKEN,)),
    "a port in other quotes": ("PORT", " '8080' ", 8080),
    "an address that a page was copied with": ("DATABASE_URL", "\ufeff`sqlite:///x.db`\u200b", "sqlite:///x.db"),
    "blank": ("PORT", "  ", 8000),
}


@pytest.mark.parametrize("case", UNDERSTOOD, ids=str)
def test_what_is_understood(case: str) -> None:
    name, text, value = UNDERSTOOD[case]
    (attribute,) = (setting.attribute for setting in SETTINGS if setting.name == name)

    assert getattr(Settings.from_env({name: text}), attribute) == value


REFUSED: dict[str, tuple[str, str]] = {
    "a word for a port": ("PORT", "many"),
    "port 0": ("PORT", "0"),
    "other digits": ("PORT", "８０"),
    "too many workers": ("WEB_CONCURRENCY", "65"),
    "a level of another world": ("LOG_LEVEL", "LOUD"),
    "no seconds": ("SMART_SYNC_BUDGET", "25 s"),
    "endless seconds": ("SMART_SYNC_BUDGET", "inf"),
    "seconds that are none": ("SMART_SYNC_BUDGET", "nan"),
    "more seconds than a year has": ("SMART_SYNC_LEASE_SECONDS", "1e12"),
    "no time at all": ("SMART_SYNC_LEASE_SECONDS", "0"),
    "maybe": ("SMART_SYNC_DISCOVER", "maybe"),
    "a base without a host": ("SMART_SYNC_SHEETS_API", "http://"),
    "a base with a password": ("SMART_SYNC_SHEETS_API", "http://a:b@host"),
    "a short token": ("SMART_SYNC_ADMIN_TOKEN", "short"),
    "a token with a line break": ("SMART_SYNC_ADMIN_TOKEN", f"{TOKEN}\n{TOKEN}"),
    "a key with a line break": ("GOOGLE_API_KEY", "AIzaSyA\nbc"),
    "a key with another alphabet": ("GOOGLE_API_KEY", "AIzaSy\u0410bc"),
    "another database": ("DATABASE_URL", "mysql://localhost/x"),
    "columns without names": ("SMART_SYNC_COLUMNS", "followers="),
    "columns of no meaning": ("SMART_SYNC_COLUMNS", "fans=Fans"),
    "a column of two meanings": ("SMART_SYNC_COLUMNS", "followers=Fans|Abos; likes=fans"),
    "a snapshot of some day": ("SMART_SYNC_SNAPSHOT", "always"),
    "no interval": ("SMART_SYNC_INTERVAL_MINUTES", "0"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_cannot_be_used_is_refused_by_name(case: str) -> None:
    name, text = REFUSED[case]

    assert refused(**{name: text}).startswith(f"settings that cannot be used: {name}: ")


def test_all_that_is_wrong_is_told_at_once() -> None:
    words = refused(PORT="x", LOG_LEVEL="y", SMART_SYNC_SHET="z")

    assert words == (
        "settings that cannot be used: SMART_SYNC_SHET: is no setting; did you mean SMART_SYNC_SHEET?; "
        "PORT: 'x' is not a whole number from 1 to 65535; LOG_LEVEL: 'y' is not one of DEBUG, INFO, WARNING, ERROR"
    )


@pytest.mark.parametrize(
    ("name", "text", "more"),
    [
        ("SMART_SYNC_WEBHOOK_URL", "x", {"SMART_SYNC_WEBHOOK_SECRET": WEBHOOK_SECRET}),
        ("SMART_SYNC_WEBHOOK_SECRET", "x", {"SMART_SYNC_WEBHOOK_URL": "https://a.example"}),
        ("REDIS_URL", "x", {"SMART_SYNC_MODE": "celery"}),
        ("SMART_SYNC_PUBLIC_READS", "x", {"SMART_SYNC_CORS_ORIGINS": "*"}),
    ],
)
def test_what_is_refused_is_not_called_missing_as_well(name: str, text: str, more: dict[str, str]) -> None:
    _, wrong = Settings.read({name: text, **more})

    assert [words.partition(": ")[0] for words in wrong] == [name]
    assert "is not set" not in wrong[0]


def test_variables_of_other_programs_are_no_business_of_ours() -> None:
    assert Settings.from_env({"SMARTSYNC": "x", "PORTS": "y", "HOME": "/root"}) == Settings()


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting.secret], ids=lambda s: s.name)
def test_secrets_are_in_no_message_and_no_repr(setting: Any) -> None:
    secret = "hunter2"

    settings, wrong = Settings.read({setting.name: secret})

    assert secret not in "; ".join(wrong)
    if setting.name != "DATABASE_URL":
        assert secret not in repr(dataclasses.replace(settings, **cast("Any", {setting.attribute: secret})))


def test_reading_keeps_what_is_right_beside_what_is_wrong() -> None:
    settings, wrong = Settings.read({"PORT": "x", "WEB_CONCURRENCY": "3"})

    assert (settings.port, settings.web_concurrency) == (8000, 3)
    assert wrong == ["PORT: 'x' is not a whole number from 1 to 65535"]


# Files


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")

    assert Settings.from_env({"SMART_SYNC_ADMIN_TOKEN_FILE": str(tmp_path / "token")}).admin_tokens == (TOKEN,)


def test_a_file_may_begin_as_editors_of_windows_let_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbf" + TOKEN.encode() + b"\r\n")

    assert Settings.from_env({"SMART_SYNC_ADMIN_TOKEN_FILE": f'"{tmp_path}/token"'}).admin_tokens == (TOKEN,)


def test_a_setting_given_twice_is_refused(tmp_path: Path) -> None:
    words = refused(PORT="1", PORT_FILE=str(tmp_path))

    assert words.endswith("PORT: is set twice, as PORT and as PORT_FILE; remove one")


@pytest.mark.parametrize("data", [None, b"\xff\xfe\xfd"], ids=["missing", "no text"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "port").write_bytes(data)

    assert "the file that PORT_FILE names cannot be read" in refused(PORT_FILE=str(tmp_path / "port"))


# .env


def test_a_given_environment_is_all_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", "9001")
    (tmp_path / ".env").write_text("WEB_CONCURRENCY=9\n", encoding="utf-8")

    assert Settings.from_env({}) == Settings()


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9001")
    (tmp_path / ".env").write_text("PORT=9002\nWEB_CONCURRENCY=9\n", encoding="utf-8")

    found = environment(tmp_path / ".env")

    assert (found["PORT"], found["WEB_CONCURRENCY"]) == ("9001", "9")


def test_a_file_that_is_no_text_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff")

    with pytest.raises(ConfigError, match=f"{tmp_path}/.env cannot be read"):
        environment(tmp_path / ".env")


@pytest.mark.parametrize("line", ["SMART_SYNC_SHEET https://a.example/hunter2", 'PORT="9002', "PORT: 9002"])
def test_a_line_of_the_file_that_cannot_be_understood_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"WEB_CONCURRENCY=9\n\n{line}\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=f"{tmp_path}/.env cannot be understood in line 3") as refused:
        environment(tmp_path / ".env")

    assert "hunter2" not in str(refused.value)


def test_no_file_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9001")

    assert environment(tmp_path / ".env")["PORT"] == environment(None)["PORT"] == "9001"


# What follows from them


def test_the_database_is_a_file_in_the_data_folder_unless_one_is_named(tmp_path: Path) -> None:
    folder = Settings.from_env({"SMART_SYNC_DATA_DIR": str(tmp_path)})

    assert folder.database == f"sqlite:///{tmp_path}/smart_sync.db"
    assert dataclasses.replace(folder, database_url="postgresql://host/x").database == "postgresql://host/x"
    assert (folder.data_dir_set, Settings().data_dir_set) == (True, False)


def test_stale_is_twice_the_interval_unless_it_is_set() -> None:
    assert Settings.from_env({"SMART_SYNC_INTERVAL_MINUTES": "15"}).stale_after == 30
    assert Settings.from_env({"SMART_SYNC_STALE_AFTER": "45"}).stale_after == 45


@pytest.mark.parametrize("url", ["s3://bucket/path?endpoint=http://x", "file:///srv/copy", "sftp://ann:pw@host/path"])
def test_an_address_of_a_copy_is_taken_as_it_is(url: str) -> None:
    assert Settings.from_env({"LITESTREAM_REPLICA_URL": url}).replica_url == url


@pytest.mark.parametrize(
    "url", ["bucket/path", "s3:bucket", "file://srv/copy", "file:copy", "://x", "s3://[", "s3:///"]
)
def test_what_is_no_address_of_a_copy_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError, match="LITESTREAM_REPLICA_URL: ") as refused:
        Settings.from_env({"LITESTREAM_REPLICA_URL": url})
    assert f" {url}" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter22secret@host/db",
        "postgresql://ann:hunter22%73ecret@host/db",
        "postgresql://host/db?user=ann&password=hunter22secret",
        "postgresql://host/db?password=hunter22%73ecret",
    ],
)
def test_a_password_is_a_secret_wherever_it_stands(url: str) -> None:
    assert "hunter22secret" in Settings.from_env({"DATABASE_URL": url}).secrets


def test_a_password_is_a_secret_with_a_slash_in_it() -> None:
    assert "hunter/22secret" in Settings(database_url="postgresql://ann:hunter/22secret@host/db").secrets


def test_the_password_of_a_copy_is_a_secret() -> None:
    settings = Settings.from_env({"LITESTREAM_REPLICA_URL": "sftp://ann:hunter%322secret@host/path"})

    assert {"hunter%322secret", "hunter22secret"} <= {*settings.secrets}
    assert "hunter" not in repr(settings)
