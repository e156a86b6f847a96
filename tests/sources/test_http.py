"""What every source gets from its HTTP: an end in time, and words for what went wrong."""

from __future__ import annotations

import gzip
import ipaddress
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from webapp.clock import Stop
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.http import Fetched, Http, Limits
from webapp.sources.http.client import _retry_after
from webapp.sources.http.transport import is_public

if TYPE_CHECKING:
    from tests.sources.conftest import FakeTime, Wires

Answers = Callable[..., None]


def body(fetched: Fetched) -> bytes:
    return fetched.body


@pytest.fixture
def http(fake_time: FakeTime) -> Http:
    return Http("The Service", fake_time.clock)


@pytest.fixture
def answers(httpserver: HTTPServer) -> Answers:
    """Answers of the server to `/`, in order, the last one again and again."""

    def set_answers(*responses: Response) -> None:
        left = list(responses)
        httpserver.expect_request("/").respond_with_handler(lambda _: left.pop(0) if len(left) > 1 else left[0])

    return set_answers


def ok() -> Response:
    return Response("fine")


def test_an_answer_comes_unpacked_with_its_status_and_headers(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response(gzip.compress(b"fine"), 203, {"Content-Encoding": "gzip", "X-Kind": "test"}))

    fetched = http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=lambda fetched: fetched)

    assert (fetched.status, fetched.headers["x-kind"], fetched.body) == (203, "test", b"fine")
    assert "gzip" in httpserver.log[0][0].headers["User-Agent"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_asked_again(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers, status: int
) -> None:
    answers(Response("<html>sorry</html>", status), ok())

    assert http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body) == b"fine"
    assert http.calls == 2


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_a_lasting_answer_is_the_readers_to_judge_and_asked_for_once(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers, status: int
) -> None:
    answers(Response("no", status))

    def refuse(fetched: Fetched) -> None:
        raise SourceError("no", code=str(fetched.status))

    with pytest.raises(SourceError) as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=refuse)

    assert (error.value.code, http.calls, fake_time.slept) == (str(status), 1, [])


def test_trying_ends_after_five_attempts_and_tells_nothing_of_the_body(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("upstream talk", 503))

    with pytest.raises(TransientSourceError) as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(None), read=body)

    assert (error.value.code, http.calls) == ("upstream_error", 5)
    assert str(error.value) == "The Service failed with status 503"


def test_retry_after_in_seconds_is_waited_for(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 429, {"Retry-After": "7"}), ok())

    http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert sum(fake_time.slept) == 7
    assert max(fake_time.slept) <= 1


@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "x-rate-limit-reset", "RateLimit-Reset"])
@pytest.mark.parametrize("how", ["seconds", "since 1970", "ISO 8601"])
def test_the_end_of_a_limits_window_is_waited_for(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers, name: str, how: str
) -> None:
    then = datetime.now(UTC) + timedelta(seconds=30)
    text = {"seconds": "30", "since 1970": f"{then.timestamp():.0f}", "ISO 8601": then.isoformat()}[how]
    answers(Response("", 429, {name: text}), ok())

    http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert 20 < sum(fake_time.slept) <= 31


@pytest.mark.parametrize("text", ["", "soon", "-5"])
def test_an_end_that_is_none_leaves_the_waits_as_they_are(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers, text: str
) -> None:
    answers(Response("", 429, {"X-RateLimit-Reset": text}), ok())

    http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert 5 <= sum(fake_time.slept) <= 11


def test_an_end_that_never_comes_ends_the_trying(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 429, {"X-RateLimit-Reset": "9" * 400}), ok())

    with pytest.raises(TransientSourceError):
        http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert (http.calls, fake_time.slept) == (1, [])


def test_a_window_that_is_over_is_not_waited_for(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 429, {"X-RateLimit-Reset": "1700000000"}), ok())

    http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert sum(fake_time.slept) == 0


def test_retry_after_as_a_date_is_waited_for(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    answers(Response("", 503, {"Retry-After": date}), ok())

    http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert 20 < sum(fake_time.slept) <= 30


@pytest.mark.parametrize("seconds", [None, 20.0], ids=["no budget", "a budget of 20 s"])
def test_a_retry_after_that_is_too_long_ends_the_trying_at_once(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers, seconds: float | None
) -> None:
    answers(Response("", 429, {"Retry-After": "3600"}), ok())

    with pytest.raises(TransientSourceError) as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(seconds), read=body)

    assert (error.value.code, http.calls, fake_time.slept) == ("rate_limited", 1, [])


def test_waits_for_a_quota_outlast_its_minute(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 429))

    with pytest.raises(TransientSourceError):
        http.request(httpserver.url_for("/"), budget=fake_time.budget(None), read=body)

    assert sum(fake_time.slept) > 60


def test_waits_never_pass_the_budget(httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers) -> None:
    answers(Response("", 429))
    budget = fake_time.budget(20)

    with pytest.raises(TransientSourceError):
        http.request(httpserver.url_for("/"), budget=budget, read=body)

    assert budget.left() > 0


def test_a_shutdown_ends_a_wait_promptly_with_the_error_that_was_waited_for(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 429, {"Retry-After": "30"}), ok())
    stop = Stop(fake_time.clock.monotonic)
    fake_time.on_sleep = lambda: stop.request(8)

    with pytest.raises(TransientSourceError) as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(60, stop), read=body)

    assert (error.value.code, http.calls, len(fake_time.slept)) == ("rate_limited", 1, 1)


def test_nothing_is_asked_when_the_budget_is_used_up(httpserver: HTTPServer, http: Http, fake_time: FakeTime) -> None:
    with pytest.raises(TransientSourceError) as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(0), read=body)

    assert (error.value.code, http.calls, httpserver.log) == ("timeout", 0, [])


@pytest.mark.parametrize(
    "start",
    [
        None,
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["hangs", "drips its headers", "drips its body", "drips without a length"],
)
def test_a_server_that_hangs_or_drips_is_late(
    wires: Wires, http: Http, fake_time: FakeTime, start: bytes | None
) -> None:
    server = wires.serve(wires.drip(start) if start else wires.hang)

    with pytest.raises(TransientSourceError, match="The Service did not answer in time") as error:
        http.request(server.url, budget=fake_time.budget(0.2), read=body)

    assert error.value.code == "timeout"


def test_silence_has_a_limit_of_its_own_and_is_asked_again(wires: Wires, fake_time: FakeTime) -> None:
    http = Http("The Service", fake_time.clock, limits=Limits(silence_s=0.1))
    server = wires.serve(wires.hang, wires.say(wires.answer(b"fine")))

    assert http.request(server.url, budget=fake_time.budget(None), read=body) == b"fine"


def test_a_call_has_a_limit_of_its_own(wires: Wires, fake_time: FakeTime) -> None:
    http = Http("The Service", fake_time.clock, limits=Limits(call_s=0.2, attempts=1))
    server = wires.serve(wires.drip(b"HTTP/1.1 200 OK\r\n\r\n"))

    with pytest.raises(TransientSourceError, match="in time"):
        http.request(server.url, budget=fake_time.budget(None), read=body)


def test_a_shutdown_is_noticed_while_a_server_is_silent(wires: Wires, http: Http, fake_time: FakeTime) -> None:
    stop = Stop(fake_time.clock.monotonic)

    def ask_for_the_end(connection: socket.socket) -> None:
        stop.request()
        wires.hang(connection)

    with pytest.raises(TransientSourceError) as error:
        http.request(wires.serve(ask_for_the_end).url, budget=fake_time.budget(None, stop), read=body)

    assert (error.value.code, http.calls) == ("timeout", 1)


@pytest.mark.parametrize(
    "fault", ["reset", "truncated", "chunk cut", "chunk below zero", "not http", "closed", "torn gzip"]
)
def test_a_broken_transfer_is_asked_again(wires: Wires, http: Http, fake_time: FakeTime, fault: str) -> None:
    script = {
        "reset": wires.reset,
        "truncated": wires.say(wires.answer(b"much more")[:-4]),
        "chunk cut": wires.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        "chunk below zero": wires.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nab\r\n"),
        "not http": wires.say(b"what?\r\n\r\n"),
        "closed": wires.say(b""),
        "torn gzip": wires.say(wires.answer(b"\x1f\x8b\x08no gzip", "Content-Encoding: gzip")),
    }[fault]
    server = wires.serve(script, wires.say(wires.answer(b"fine")))

    assert http.request(server.url, budget=fake_time.budget(), read=body) == b"fine"
    assert len(server.requests) == 2


def test_a_broken_transfer_ends_as_a_network_error(wires: Wires, http: Http, fake_time: FakeTime) -> None:
    with pytest.raises(TransientSourceError) as error:
        http.request(wires.serve(wires.reset).url, budget=fake_time.budget(None), read=body)

    assert error.value.code == "network"
    assert error.value.message == "The Service: the connection to 127.0.0.1 broke off"


def test_a_body_that_can_not_be_unpacked_ends_as_a_bad_response(wires: Wires, http: Http, fake_time: FakeTime) -> None:
    server = wires.serve(wires.say(wires.answer(b"\x1f\x8b\x08no gzip", "Content-Encoding: gzip")))

    with pytest.raises(TransientSourceError) as error:
        http.request(server.url, budget=fake_time.budget(), read=body)

    assert error.value.code == "bad_response"


def test_a_refused_connection_is_a_network_error(http: Http, fake_time: FakeTime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(TransientSourceError, match=r"127\.0\.0\.1 refused the connection") as error:
        http.request(f"http://127.0.0.1:{port}/?key=s3cret", budget=fake_time.budget(), read=body)

    assert error.value.code == "network"
    assert http.calls == 5


def test_a_name_that_is_unknown_is_a_network_error(
    http: Http, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(TransientSourceError, match=r"the name sheets\.example cannot be resolved") as error:
        http.request("http://sheets.example/", budget=fake_time.budget(), read=body)

    assert error.value.code == "network"


def test_a_look_up_that_takes_all_the_time_leaves_none_to_connect(
    http: Http, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> list[object]:
        fake_time.clock.sleep(100)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 9))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    with pytest.raises(TransientSourceError) as error:
        http.request("http://sheets.example/", budget=fake_time.budget(60), read=body)

    assert (error.value.code, http.calls) == ("timeout", 1)


def test_a_name_that_can_not_be_one_is_a_network_error(http: Http, fake_time: FakeTime) -> None:
    with pytest.raises(TransientSourceError) as error:
        http.request(f"http://{'a' * 80}.example/", budget=fake_time.budget(), read=body)

    assert error.value.code == "network"


def test_a_certificate_nobody_vouches_for_is_refused(
    wires: Wires, http: Http, fake_time: FakeTime, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    server = wires.serve(
        wires.say(wires.answer(b"fine")), wrap=lambda sock: context.wrap_socket(sock, server_side=True)
    )

    with pytest.raises(TransientSourceError, match="no trusted connection to") as error:
        http.request(server.url.replace("http", "https"), budget=fake_time.budget(), read=body)

    assert error.value.code == "network"
    assert server.requests == []


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kind, form, bare = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "server.pem"
    file.write_bytes(certificate.public_bytes(kind) + key.private_bytes(kind, form, bare))
    return file


@pytest.mark.parametrize("packed", [True, False], ids=["gzip bomb", "plain"])
def test_a_body_over_the_cap_is_cut_and_not_asked_for_again(
    httpserver: HTTPServer, fake_time: FakeTime, answers: Answers, packed: bool
) -> None:
    http = Http("The Service", fake_time.clock, limits=Limits(body_bytes=2**20))
    data = bytes(2**20 + 1)
    answers(Response(gzip.compress(data), 200, {"Content-Encoding": "gzip"}) if packed else Response(data))

    with pytest.raises(SourceError, match="more than 1 MB") as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert (error.value.code, http.calls) == ("too_large", 1)
    assert error.value.hint is not None
    assert "split the tab" in error.value.hint


@pytest.mark.parametrize("where", ["http://[::1", "http://\xff", "//", "http:///", "\x80"])
def test_where_a_redirect_leads_is_not_looked_at(http: Http, fake_time: FakeTime, wires: Wires, where: str) -> None:
    server = wires.serve(
        wires.say(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
    )

    assert http.request(server.url, budget=fake_time.budget(), read=lambda fetched: fetched.status) == 302


def test_a_redirect_is_not_followed_and_takes_no_secret_along(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers, wires: Wires
) -> None:
    elsewhere = wires.serve(wires.say(wires.answer(b"gotcha")))
    answers(Response("", 302, {"Location": elsewhere.url}))

    status = http.request(
        httpserver.url_for("/"),
        budget=fake_time.budget(),
        read=lambda fetched: fetched.status,
        headers=lambda: {"Authorization": "Bearer s3cret"},
    )

    assert status == 302
    assert elsewhere.requests == []


def test_a_password_of_the_machine_is_not_sent(
    httpserver: HTTPServer,
    http: Http,
    fake_time: FakeTime,
    answers: Answers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {httpserver.host} login me password s3cret")
    monkeypatch.setenv("NETRC", str(netrc))
    answers(ok())

    http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert "Authorization" not in httpserver.log[0][0].headers


def test_cookies_are_not_kept(httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers) -> None:
    answers(Response("", headers={"Set-Cookie": "who=you"}))

    for _ in range(2):
        http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body)

    assert "Cookie" not in httpserver.log[1][0].headers


def test_a_proxy_of_the_environment_is_used(
    wires: Wires, http: Http, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = wires.serve(wires.say(wires.answer(b"by proxy")))
    monkeypatch.setenv("http_proxy", proxy.url)

    assert http.request("http://sheets.example/x", budget=fake_time.budget(), read=body) == b"by proxy"
    assert proxy.requests[0].startswith(b"GET http://sheets.example/x ")


def test_every_address_of_a_host_gets_its_turn(
    wires: Wires, http: Http, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = wires.serve(wires.say(wires.answer(b"fine")))
    port = int(server.url.rpartition(":")[2])
    tcp = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    found = socket.getaddrinfo

    def two_addresses(host: str, *rest: Any) -> Any:
        if host != "sheets.example":
            return found(host, *rest)
        return [(*tcp, ("127.0.0.2", port)), (*tcp, ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", two_addresses)

    assert http.request(f"http://sheets.example:{port}/", budget=fake_time.budget(), read=body) == b"fine"


def test_headers_are_made_anew_for_every_attempt(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 500), ok())
    tokens = iter(["one", "two"])

    http.request(
        httpserver.url_for("/"), budget=fake_time.budget(), read=body, headers=lambda: {"X-Token": next(tokens)}
    )

    assert [request.headers["X-Token"] for request, _ in httpserver.log] == ["one", "two"]


def test_a_form_is_posted(httpserver: HTTPServer, http: Http, fake_time: FakeTime) -> None:
    httpserver.expect_request("/", method="POST").respond_with_handler(lambda request: Response(request.data))

    assert http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=body, form=b"a=1") == b"a=1"


def test_a_garbled_body_is_asked_for_again(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("[1, 2"), Response("[1, 2]"))

    def read(fetched: Fetched) -> Any:
        try:
            return json.loads(fetched.body)
        except ValueError:
            raise TransientSourceError("garbled", code="bad_response") from None

    assert http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=read) == [1, 2]


def found_or_not(fetched: Fetched) -> bytes:
    if fetched.status == 404:
        raise SourceError("gone", code="gone", hint="look again")
    return fetched.body


def test_a_doubted_status_is_believed_the_second_time(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 404), Response("", 404), ok())

    with pytest.raises(SourceError) as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=found_or_not, doubt=(404,))

    assert (type(error.value), error.value.hint, http.calls) == (SourceError, "look again", 2)


def test_a_doubted_status_that_passes_was_nothing(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 404), ok())

    assert http.request(httpserver.url_for("/"), budget=fake_time.budget(), read=found_or_not, doubt=(404,)) == b"fine"


def test_a_doubted_status_without_time_for_a_second_look_is_not_final(
    httpserver: HTTPServer, http: Http, fake_time: FakeTime, answers: Answers
) -> None:
    answers(Response("", 404))

    with pytest.raises(TransientSourceError) as error:
        http.request(httpserver.url_for("/"), budget=fake_time.budget(0.3), read=found_or_not, doubt=(404,))

    assert error.value.code == "gone"


def test_no_secret_gets_into_errors_or_logs(
    wires: Wires, http: Http, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(TransientSourceError) as error:
        http.request(
            wires.serve(wires.reset).url + "/a?ranges=B",
            budget=fake_time.budget(),
            read=body,
            headers=lambda: {"Authorization": "Bearer s3cret"},
        )

    assert "s3cret" not in caplog.text
    assert "ranges" not in str(error.value)
    assert error.value.__suppress_context__


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0.0.0.0"])
def test_a_private_address_is_refused_before_a_byte_is_sent(
    httpserver: HTTPServer, fake_time: FakeTime, host: str
) -> None:
    http = Http("The Service", fake_time.clock, public_only=True)

    with pytest.raises(SourceError, match="private address") as error:
        http.request(f"http://{host}:{httpserver.port}/", budget=fake_time.budget(), read=body)

    assert (error.value.code, http.calls, httpserver.log) == ("private_address", 1, [])


def test_a_proxy_does_not_hide_a_private_address(
    httpserver: HTTPServer, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", httpserver.url_for(""))
    http = Http("The Service", fake_time.clock, public_only=True)

    with pytest.raises(SourceError, match="private address"):
        http.request("http://127.0.0.1:1/", budget=fake_time.budget(), read=body)

    assert httpserver.log == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2a00:1450:4001:81b::200e", True),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("ff02::1", False),
    ],
)
def test_public_addresses_are_told_from_others(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("9" * 400, float("inf")),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Mon, 01 Jan 2024 00:00:30 GMT", 30.0),
        ("Mon, 01 Jan 2024 00:00:30", 30.0),
        ("Sun, 31 Dec 2023 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 99999999999 00:00:30 GMT", None),
        ("Mon, 32 Jan 2024 00:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert _retry_after(text, datetime(2024, 1, 1, tzinfo=UTC)) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ ([+-]\d+|GMT)?"))
def test_no_retry_after_is_too_strange(text: str) -> None:
    seconds = _retry_after(text, datetime(2024, 1, 1, tzinfo=UTC))

    assert seconds is None or seconds >= 0


def test_threads_share_a_client(httpserver: HTTPServer, http: Http, fake_time: FakeTime) -> None:
    def echo(request: Request) -> Response:
        return Response(request.args["n"])

    httpserver.expect_request("/").respond_with_handler(echo)
    url, budget, got = httpserver.url_for("/"), fake_time.budget(), {}

    def ask(number: int) -> None:
        got[number] = http.request(f"{url}?n={number}", budget=budget, read=body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == {number: str(number).encode() for number in range(8)}
