"""What it means when Google says no, in words that name the fix."""

from __future__ import annotations

import msgspec

from webapp.errors import SourceError
from webapp.sources.http import Fetched
from webapp.sources.http.exchange import too_many
from webapp.sources.sheet import Tab
from webapp.sources.sheet.credentials import Credentials, ServiceAccount
from webapp.sources.sheet.google.ranges import range_of
from webapp.sources.sheet.payload import GARBLED


class _Message(msgspec.Struct):
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Message


_REFUSAL = msgspec.json.Decoder(_Refusal)  # before any thread asks, as in `answers`


class RefusedRangesError(SourceError):
    """Some range of a call is not granted. `said` is what Google says of it, and is not for showing."""

    def __init__(self, said: str, *, gone: bool) -> None:
        words = "a tab has gone" if gone else "Google Sheets does not understand the request for a tab (400)"
        super().__init__(words, code="tab_missing" if gone else "bad_request")
        self.said = said

    def is_about(self, tab: Tab) -> bool:
        return f": {range_of(tab)}" in self.said or f"({range_of(tab)})" in self.said


def refusal(fetched: Fetched, credentials: Credentials | None, *, of_ranges: bool = False) -> SourceError:
    """of_ranges: the call was for cells, so that one odd tab may be all that is wrong, whatever Google's words."""
    match fetched.status:
        case 400:
            return _bad_request(fetched, of_ranges=of_ranges)
        case 401:
            return _not_us("does not accept the credentials")
        case 403:
            return _forbidden(fetched, credentials)
        case 404:
            return SourceError(
                "the spreadsheet does not exist or is in the bin",
                code="spreadsheet_missing",
                hint="compare SMART_SYNC_SHEET with the address of the spreadsheet in the browser",
            )
        case _ if fetched.redirects:
            return SourceError("Google Sheets sent us to another address, which is not followed", code="redirected")
        case status:
            return SourceError(f"Google Sheets refused the request with status {status}", code="bad_request")


def _bad_request(fetched: Fetched, *, of_ranges: bool) -> SourceError:
    said = _message(fetched.body)
    if "not supported for this document" in said:
        return SourceError(
            "the spreadsheet is an uploaded Office file, which Google Sheets cannot read for us",
            code="office_file",
            hint="open it and choose File > Save as Google Sheets, then use the new address",
        )
    if "Unable to parse range" in said or "exceeds grid limits" in said:
        return RefusedRangesError(said, gone=True)
    if b"API_KEY_INVALID" in fetched.body or "API key" in said:
        return _not_us("does not know the API key")
    if of_ranges:
        return RefusedRangesError(said, gone=False)
    return SourceError("Google Sheets does not understand the request (400)", code="bad_request")


def _forbidden(fetched: Fetched, credentials: Credentials | None) -> SourceError:
    body = fetched.body
    if b"SERVICE_DISABLED" in body or b"accessNotConfigured" in body:
        api = "drive" if b"drive.googleapis.com" in body else "sheets"
        return SourceError(
            f"the Google {api.capitalize()} API is not enabled in the project of the credentials",
            code="api_disabled",
            hint=f"enable it at https://console.cloud.google.com/apis/library/{api}.googleapis.com",
        )
    if b"ateLimitExceeded" in body or b"RATE_LIMIT_EXCEEDED" in body:
        return too_many("Google Sheets")
    if b"API_KEY_" in body:
        return _not_us("does not let the API key be used for this")
    return _not_shared(credentials)


def _not_shared(credentials: Credentials | None) -> SourceError:
    if isinstance(credentials, ServiceAccount):
        email = credentials.client_email
        hint = f"share it with {email} as a viewer; if sharing outside is forbidden, its administrator has to allow it"
    else:
        hint = 'share it with "anyone with the link", or set GOOGLE_CREDENTIALS to a service account\'s key'
    return SourceError("the spreadsheet is not shared with us", code="not_shared", hint=hint)


def _not_us(what: str) -> SourceError:
    return SourceError(
        f"Google Sheets {what}",
        code="credentials",
        hint="check GOOGLE_CREDENTIALS or GOOGLE_API_KEY, or make a new key",
    )


def _message(body: bytes) -> str:
    """The words of Google's error; empty when the body is no such error. Never shown: it may quote the request."""
    try:
        return _REFUSAL.decode(body).error.message
    except GARBLED:
        return ""
