"""The heavy half: sockets that keep a deadline, one attempt, and the policy of trying again.

Timeouts of sockets count from packet to packet, so a server that sends a byte now and then is never late. Here each
read of a connection, of headers as of the body, looks at the time that the whole call has left.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from io import BufferedReader, RawIOBase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import allowed_gai_family, create_connection

from webapp.clock import Budget, Clock
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.http.exchange import Busy, Fetched, Limits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

_CHUNK = 64 * 1024
_SLICE_S = 1.0  # how long a wait may overlook a shutdown
_NAT64 = IPv6Network("64:ff9b::/96")

# The waits of a quota add up to more than a minute, because quotas are counted by the minute.
_BACKOFF = tenacity.wait_exponential(multiplier=0.5) + tenacity.wait_random(0, 0.5)
_QUOTA = tenacity.wait_exponential(multiplier=5) + tenacity.wait_random(0, 5)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request under way. left: the seconds it may still take."""

    name: str
    limits: Limits
    left: Callable[[], float]
    public_only: bool


# urllib3 has no way to hand anything to the connection that it picks for a request.
_current: ContextVar[Attempt] = ContextVar("attempt")


class _TimedSocket(RawIOBase):
    """The reading side of a connection, which gives up when the server is silent too long or the call has no time left."""

    def __init__(self, sock: socket.socket, file: BufferedReader, attempt: Attempt) -> None:
        self._sock = sock
        self._file = file  # what http.client made; it holds the socket open for us
        self._attempt = attempt

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        silence = self._attempt.limits.silence_s
        while (patience := min(silence, self._attempt.left(), _SLICE_S)) > 0:
            self._sock.settimeout(patience)
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError:
                silence -= patience
        raise TimeoutError

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_TimedSocket(sock, self.fp, _current.get()), _CHUNK)


def _connect(connection: HTTPConnection) -> socket.socket:
    """A socket to the first address that answers; all addresses together get the time of one call, not one each."""
    attempt = _current.get()
    host, port = connection.host, connection.port
    failure: OSError = OSError("no address")
    for *_, address in socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM):
        ip = str(address[0])
        if attempt.public_only and not is_public(ip):
            raise SourceError(
                f"{host} is a private address, which is refused", code="private_address", hint="use a public URL"
            )
        if (patience := min(attempt.limits.connect_s, attempt.left())) <= 0:
            raise TimeoutError
        try:
            return create_connection((ip, port), patience, connection.source_address, connection.socket_options)
        except OSError as error:
            failure = error
    raise failure


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when it is wrapped into an IPv6 one."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.sixtofour or ip.teredo or ip in _NAT64:
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast


class _PlainConnection(HTTPConnection):
    response_class = _TimedResponse

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Session(requests.Session):
    """One that looks once for each host what the environment says of proxies and certificates, and not at each call."""

    def __init__(self) -> None:
        super().__init__()
        self._environment: dict[tuple[str, str], Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        scheme, host, *_ = urlsplit(url)
        if (scheme, host) not in self._environment:
            self._environment[scheme, host] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return self._environment[scheme, host]

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: requests would look where it leads even though nobody goes there, and stumble over what is no address."""
        del resp


def open_session(*, public_only: bool) -> requests.Session:
    """A session without cookies whose connections keep the deadline of the call they serve."""
    session = _Session()
    session.trust_env = not public_only
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    # Google compresses only for those who also name gzip here.
    session.headers.update({"User-Agent": "smart-sync (gzip)", "Accept-Encoding": "gzip"})
    return session


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stands in for authentication: without it requests would put a password from ~/.netrc over our header."""
    return request


def send(
    session: requests.Session, attempt: Attempt, url: str, headers: Mapping[str, str], form: bytes | None
) -> Fetched:
    """One attempt, whatever its status.

    Raises: SourceError `too_large`, `private_address`; TransientSourceError `timeout`, `network`, `bad_response`.
    """
    token = _current.set(attempt)
    try:
        with session.request(
            "GET" if form is None else "POST",
            url,
            data=form,
            headers=headers,
            auth=_keep_headers,
            stream=True,
            allow_redirects=False,
            timeout=(attempt.limits.connect_s, attempt.limits.silence_s),
        ) as response:
            body = _body(response, attempt) if attempt.limits.body_bytes else b""
            return Fetched(response.status_code, response.headers, body)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        # Not chained: these errors quote the whole URL. A ValueError is what http.client makes of a length below zero.
        raise _failure(attempt.name, url, error) from None
    finally:
        _current.reset(token)


def _body(response: requests.Response, attempt: Attempt) -> bytes:
    parts, size = [], 0
    for part in response.raw.stream(_CHUNK, decode_content=True):
        size += len(part)
        if size > attempt.limits.body_bytes:
            limit = attempt.limits.body_bytes // 2**20
            raise SourceError(
                f"{attempt.name} sent more than {limit} MB at once",
                code="too_large",
                hint=attempt.limits.split,
            )
        parts.append(part)
    return b"".join(parts)


# What went wrong, by the innermost sign of it: kinds of error, code, words. The first that fits counts.
_SIGNS: tuple[tuple[tuple[type[BaseException], ...], str, str], ...] = (
    ((TimeoutError, urllib3.exceptions.TimeoutError, requests.Timeout), "timeout", "{name} did not answer in time"),
    ((urllib3.exceptions.DecodeError,), "bad_response", "{name} sent an answer that cannot be unpacked"),
    ((socket.gaierror, UnicodeError), "network", "{name}: the name {host} cannot be resolved"),
    ((ssl.SSLError, urllib3.exceptions.SSLError), "network", "{name}: no trusted connection to {host} (TLS)"),
    ((ConnectionRefusedError,), "network", "{name}: {host} refused the connection"),
    ((BaseException,), "network", "{name}: the connection to {host} broke off"),
)


def _failure(name: str, url: str, error: Exception) -> TransientSourceError:
    causes = list(_causes(error))
    code, words = next(rest for kinds, *rest in _SIGNS if any(isinstance(cause, kinds) for cause in causes))
    return TransientSourceError(words.format(name=name, host=urlsplit(url).hostname), code=code)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: urllib3 and requests keep the reason in `reason`, in `args` or behind `from`."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            waiting += [getattr(cause, "reason", None), cause.__cause__, *cause.args]
            yield cause


def persist(attempt: Callable[[], T], *, budget: Budget, clock: Clock, limits: Limits) -> T:
    """The attempt's result, tried again after every TransientSourceError as long as attempts and budget allow.

    Never waits past the budget: a wait that would not end before it ends the trying at once.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientSourceError),
        wait=_wait,
        stop=partial(_is_enough, budget, limits),
        sleep=partial(_pause, budget, clock),
        reraise=True,
    )(attempt)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Busy) and error.wait_s is not None:
        return error.wait_s
    limited = isinstance(error, SourceError) and error.code == "rate_limited"
    return (_QUOTA if limited else _BACKOFF)(state)


def _is_enough(budget: Budget, limits: Limits, state: tenacity.RetryCallState) -> bool:
    wait_s = state.upcoming_sleep
    over = budget.stopped or wait_s >= budget.left() or wait_s > limits.wait_s
    return over or state.attempt_number >= limits.attempts


def _pause(budget: Budget, clock: Clock, seconds: float) -> None:
    while seconds > 0 and not (budget.used_up or budget.stopped):
        clock.sleep(min(seconds, _SLICE_S))
        seconds -= _SLICE_S
