"""gspread's client over our own HTTP. Imported when Google is asked for the first time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from gspread.http_client import HTTPClient
from requests import Response

from webapp.clock import Budget
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.http import Fetched, Http
from webapp.sources.sheet.credentials import Credentials
from webapp.sources.sheet.google.proofs import proof_of
from webapp.sources.sheet.google.ranges import API, query
from webapp.sources.sheet.pace import Pace

_ORIGINS = (API, "https://www.googleapis.com")


class Client(HTTPClient):
    """Builds the API's URLs as gspread does; who asks, for how long and what comes of the answer is ours.

    pace: as `GoogleSheet` has it. decode: turns the body of a good answer into what `json()` of the response returns. refuse: the error of another.
    """

    def __init__(
        self,
        http: Http,
        sign_in: Http,
        credentials: Credentials,
        *,
        api: str,
        budget: Budget,
        decode: Callable[[bytes], Any],
        refuse: Callable[[Fetched], SourceError],
        pace: Pace | None = None,
    ) -> None:
        super().__init__(None, session=http.session)  # type: ignore[arg-type]  # as gspread documents it
        self._http = http
        self._api = api
        self._budget = budget
        self._decode = decode
        self._refuse = refuse
        self._pace = pace
        self._proof = proof_of(credentials, sign_in)

    def request(
        self, method: str, endpoint: str, params: Mapping[str, Any] | None = None, *_: Any, **__: Any
    ) -> Response:
        """Reads from the API; there is no way to write through this client. Raises: SourceError, TransientSourceError."""
        if method.lower() != "get":
            raise PermissionError(f"{method} to Google: what people typed is never changed")
        for origin in _ORIGINS:
            if endpoint.startswith(origin):
                endpoint = self._api + endpoint.removeprefix(origin)
        return self._http.request(
            f"{endpoint}?{query(params or {})}",
            budget=self._budget,
            read=self._read,
            headers=self._headers,
            doubt=(HTTPStatus.NOT_FOUND,),
        )

    def _headers(self) -> dict[str, str]:
        """Asked for by each attempt, which waits for its turn here."""
        headers = self._proof.headers(self._budget)
        if self._pace is not None:
            self._pace(self._budget)
        return headers

    def _read(self, fetched: Fetched) -> Response:
        if fetched.ok:
            return _DecodedResponse(self._decode(fetched.body))
        error = self._refuse(fetched)
        if fetched.status == HTTPStatus.UNAUTHORIZED and self._proof.renew():
            raise TransientSourceError(error.message, code=error.code, hint=error.hint)
        raise error


class _DecodedResponse(Response):
    def __init__(self, value: object) -> None:
        super().__init__()
        self.status_code = HTTPStatus.OK
        self._value = value

    def json(self, **_: Any) -> Any:
        return self._value
