"""What shows Google who is asking: an API key, or an access token of a service account.

Imported with gspread's client, when Google is asked for the first time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Protocol

import msgspec
from google.auth import transport
from google.auth.credentials import TokenState
from google.oauth2 import service_account

from webapp.clock import Budget, Clock
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.http import Fetched, Http
from webapp.sources.http.exchange import date_of
from webapp.sources.sheet.credentials import ApiKey, Credentials, ServiceAccount
from webapp.sources.sheet.payload import GARBLED

_SCOPES = ("https://www.googleapis.com/auth/spreadsheets.readonly",)
_read_key: Callable[..., Any] = service_account.Credentials.from_service_account_info
_SKEW_S = 60


class Proof(Protocol):
    """What goes into the headers of a call."""

    def headers(self, budget: Budget) -> dict[str, str]:
        """Raises: SourceError, TransientSourceError."""

    def renew(self) -> bool:
        """Whether another proof may help after this one was refused."""


def proof_of(credentials: Credentials, sign_in: Http) -> Proof:
    """sign_in: the service that hands out access tokens; an API key needs none."""
    return _KeyProof(credentials) if isinstance(credentials, ApiKey) else _TokenProof(credentials, sign_in)


class _KeyProof:
    """An API key, in a header because a query ends up in logs."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def headers(self, _: Budget) -> dict[str, str]:
        return {"x-goog-api-key": self._key.value}

    def renew(self) -> bool:
        return False


class _TokenProof:
    """A service account's access token."""

    def __init__(self, account: ServiceAccount, sign_in: Http) -> None:
        self._tokens = _tokens_of(account)
        self._sign_in = sign_in
        self._token = ""
        self._reused = False

    def headers(self, budget: Budget) -> dict[str, str]:
        self._token, self._reused = self._tokens.get(self._sign_in, budget)
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """A token from earlier may have been revoked; a new one is refused for good."""
        if self._reused:
            self._tokens.drop(self._token)
        return self._reused


class _AccessTokens:
    """The access token of one account, kept until shortly before it expires. Threads that need a new one share it."""

    def __init__(self, account: ServiceAccount) -> None:
        self._email = account.client_email
        self._lock = threading.Lock()
        try:
            self._credentials = _read_key(account.info, scopes=_SCOPES)
        except (ValueError, TypeError):
            raise SourceError(
                "the private key in GOOGLE_CREDENTIALS cannot be used",
                code="credentials",
                hint="download a new JSON key",
            ) from None

    def get(self, http: Http, budget: Budget) -> tuple[str, bool]:
        """The token, and whether it was there already. Raises: SourceError, TransientSourceError."""
        if not self._lock.acquire(timeout=min(budget.left(), http.limits.call_s)):
            raise TransientSourceError(f"{http.name} did not answer in time", code="timeout")
        try:
            reused = self._credentials.token_state is TokenState.FRESH
            if not reused:
                # Never through `before_request`: that starts a thread which asks another API where we may call from.
                self._credentials.refresh(_SignIn(http, budget, self._email))
            return str(self._credentials.token), reused
        finally:
            self._lock.release()

    def drop(self, token: str) -> None:
        with self._lock:
            if self._credentials.token == token:
                self._credentials.token = None


@lru_cache(maxsize=8)
def _build_tokens(account: ServiceAccount) -> _AccessTokens:
    return _AccessTokens(account)


_building = threading.Lock()


def _tokens_of(account: ServiceAccount) -> _AccessTokens:
    """The account's tokens, one per process: checking the key takes longer than a small sync."""
    with _building:
        return _build_tokens(account)


# What may stand in a header, as far as tokens use it, and for how long. A broken one would be kept until it expires, and
# each call with it would look like a fault of the network.
_Sendable = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]+\Z", max_length=16_000)]
_Lifetime = Annotated[int, msgspec.Meta(gt=0, le=10**8)]  # seconds


class _Grant(msgspec.Struct):
    access_token: _Sendable
    expires_in: _Lifetime


_GRANT = msgspec.json.Decoder(_Grant, strict=False)  # before any thread asks, as in `answers`


@dataclass(frozen=True, slots=True)
class _TokenAnswer:
    """What google-auth expects of an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)


class _SignIn(transport.Request):
    """google-auth's way to the token endpoint, over our HTTP. It sees good answers only, so it never tries again itself."""

    def __init__(self, http: Http, budget: Budget, email: str) -> None:
        self._http = http
        self._budget = budget
        self._email = email

    def __call__(
        self,
        url: str,
        method: str = "GET",  # noqa: ARG002 - the interface's; a token is always posted for
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the budget's business
        **_: Any,
    ) -> _TokenAnswer:
        return self._http.request(
            url, budget=self._budget, read=self._read, headers=lambda: headers or {}, form=body or b""
        )

    def _read(self, fetched: Fetched) -> _TokenAnswer:
        if not fetched.ok:
            raise self._refusal(fetched)
        try:
            _GRANT.decode(fetched.body)
        except GARBLED:
            message = f"{self._http.name} answered with something other than a token"
            raise TransientSourceError(message, code="bad_response") from None
        return _TokenAnswer(fetched.status, fetched.headers, fetched.body)

    def _refusal(self, fetched: Fetched) -> SourceError:
        message = f"Google does not let {self._email} sign in"
        hint = "the key may have been deleted or its account disabled: make a new key and set GOOGLE_CREDENTIALS"
        skew = _skew(fetched, self._http.clock)
        if b"invalid_grant" in fetched.body and abs(skew) > _SKEW_S:
            message += f": this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Google's"
            hint = "set the clock, with NTP for instance"
        return SourceError(message, code="credentials", hint=hint)


def _skew(fetched: Fetched, clock: Clock) -> float:
    """Seconds by which our clock is ahead of the server's; 0 when it does not name its time."""
    theirs = date_of(fetched.headers.get("Date", ""))
    return 0.0 if theirs is None else (clock.now() - theirs).total_seconds()
