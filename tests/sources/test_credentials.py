"""Whatever shape a hosting panel leaves a key in, it is understood or refused without a word of it being shown."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import ConfigError
from webapp.sources.sheet.credentials import TOKEN_URIS, ApiKey, check_token_uri, parse_credentials

Spoil = Callable[[str], str]


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Spoil] = {
    "json": lambda text: text,
    "json in many lines": lambda text: json.dumps(json.loads(text), indent=2),
    "blanks around": lambda text: f"\n  {text}\t\n",
    "byte order mark": lambda text: "\ufeff" + text,
    "single quotes": lambda text: f"'{text}'",
    "double quotes": lambda text: f'"{text}"',
    "quotes in quotes": lambda text: f"\"'{text}'\"",
    "escaped quotes": lambda text: text.replace('"', '\\"'),
    "escaped once more": json.dumps,
    "line breaks escaped twice": lambda text: text.replace("\\n", "\\\\n"),
    "real line breaks": lambda text: text.replace("\\n", "\n"),
    "windows line breaks": lambda text: text.replace("\\n", "\\r\\n"),
    "blanks for line breaks": lambda text: text.replace("\\n", " "),
    "no line breaks": lambda text: text.replace("\\n", ""),
    "base64": in_base64,
    "base64 in lines": lambda text: "\n".join(in_base64(text)[at : at + 76] for at in range(0, len(text) * 2, 76)),
    "base64 without padding": lambda text: in_base64(text + " ").rstrip("="),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in quotes": lambda text: f'"{in_base64(text)}"',
    "base64 with a byte order mark inside": lambda text: in_base64("\ufeff" + text),
    "base64 of utf-16": lambda text: base64.b64encode(text.encode("utf-16")).decode(),
}


@pytest.mark.parametrize("spoil", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_key_is_understood(key_file: dict[str, str], private_key: str, spoil: Spoil) -> None:
    account = parse_credentials(spoil(json.dumps(key_file)))

    assert account.client_email == key_file["client_email"]
    assert account.info["private_key"] == private_key
    assert account.info["token_uri"] == key_file["token_uri"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_path_is_followed(
    key_file: dict[str, str], private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    file = tmp_path / "key file.json"
    file.write_text(json.dumps(key_file), encoding=encoding)
    monkeypatch.chdir(tmp_path)

    for path in (str(file), f" '{file}'\n", "key file.json"):
        assert parse_credentials(path).info["private_key"] == private_key


def test_a_file_may_hold_base64_or_quotes(key_file: dict[str, str], private_key: str, tmp_path: Path) -> None:
    file = tmp_path / "key.txt"
    file.write_text(f"'{json.dumps(key_file)}'")

    assert parse_credentials(str(file)).info["private_key"] == private_key


def test_a_token_uri_may_be_left_out(key_file: dict[str, str]) -> None:
    del key_file["token_uri"]

    account = parse_credentials(json.dumps(key_file))

    check_token_uri(account, None)
    assert account.info["token_uri"] == TOKEN_URIS[0]


def test_any_token_uri_will_do_for_another_api(key_file: dict[str, str]) -> None:
    check_token_uri(parse_credentials(json.dumps(key_file)), "http://127.0.0.1:1")


def spoiled(name: str, value: object) -> Spoil:
    return lambda text: json.dumps(json.loads(text) | {name: value})


DAMAGE: dict[str, tuple[Spoil, str]] = {
    "empty": (lambda _: "", "is empty"),
    "blank": (lambda _: " '' ", "is empty"),
    "cut short": (lambda text: text[:-40], "is not valid JSON"),
    "cut in the key": (lambda text: text[:900], "is not valid JSON"),
    "cut at the start": (lambda text: text[40:], "is neither JSON"),
    "base64 cut": (lambda text: in_base64(text)[: len(text)], "is neither JSON"),
    "no file": (lambda _: "/nowhere/at-all/key.json", "names a file that cannot be read as a key: /nowhere/at-all"),
    "words": (lambda _: "my key", "is neither JSON"),
    "a list": (lambda text: f"[{text}]", "is neither JSON"),
    "a number": (lambda _: "42", "is neither JSON"),
    "nul": (lambda _: "key\0.json", "names a file"),
    "deep": (lambda _: '{"a":' * 100_000, "is not valid JSON"),
    "a user's key": (spoiled("type", "authorized_user"), "is not the key of a service account"),
    "an oauth client": (lambda _: '{"installed": {"client_id": "x"}}', "has no client_email and no private_key"),
    "no e-mail": (spoiled("client_email", ""), "has no client_email"),
    "a key that is no text": (spoiled("private_key", 5), "has no private_key"),
    "no BEGIN": (spoiled("private_key", "MIIEv==\n-----END PRIVATE KEY-----"), "BEGIN or END"),
    "no END": (spoiled("private_key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN"), "BEGIN or END"),
    "damaged": (spoiled("private_key", "-----BEGIN PRIVATE KEY-----\n<hid>\n-----END PRIVATE KEY-----"), "is damaged"),
}


@pytest.mark.parametrize(("spoil", "words"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_key_is_refused_without_being_shown(
    key_file: dict[str, str], private_key: str, spoil: Spoil, words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        parse_credentials(spoil(json.dumps(key_file)))

    told = "".join(traceback.format_exception(error.value)) + repr(error.value.hint)
    assert error.value.message.startswith("GOOGLE_CREDENTIALS")
    assert words in error.value.message
    assert error.value.hint
    assert not [line for line in [*private_key.splitlines()[1:-1], "MIIEv", "<hid>"] if line in told]


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is neither JSON"):
        parse_credentials(str(tmp_path))


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode()))
def test_no_text_is_too_strange(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_credentials(text)


def test_a_key_is_not_in_its_repr(key_file: dict[str, str]) -> None:
    account = parse_credentials(json.dumps(key_file))

    assert repr(account) == f"ServiceAccount(client_email='{key_file['client_email']}')"
    assert repr(ApiKey("AIza-s3cret")) == "ApiKey()"


def test_the_same_key_is_the_same_account(key_file: dict[str, str], tmp_path: Path) -> None:
    text = json.dumps(key_file)
    file = Path(tmp_path / "key.json")
    file.write_text(text)

    assert parse_credentials(text) == parse_credentials(str(file))
    assert hash(parse_credentials(text)) == hash(parse_credentials(str(file)))
