"""A machine of one's own: the units, the log that is rotated, and the proxies in front, each with the program it is for."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.e2e.google import Google, google
from tests.e2e.harness import TOKEN, Service, environment, free_port, serving, until
from tests.programs import need
from tests.reference import ROOT
from webapp.access import COOKIE
from webapp.config import Settings
from webapp.cron.callers import snippet
from webapp.server import GRACE_S

pytestmark = pytest.mark.usefixtures("processes")

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
UNIT = (UNITS / "smart-sync.service").read_text(encoding="utf-8")
HOST = "sync.example.com"
PROGRAM = "/opt/smart-sync/.venv/bin/gunicorn"


def done(*command: str | Path, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """(exit code, all it printed)."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)
    return ended.returncode, ended.stdout + ended.stderr


def values(name: str) -> list[str]:
    """What the unit says of one thing, once for each line."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


# Units


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a program that this machine has."""
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    (folder / "smart-sync.service").write_text(UNIT.replace(PROGRAM, "/usr/bin/true"), encoding="utf-8")
    return folder


def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    analyze = need("systemd-analyze")

    assert done(analyze, "verify", "--man=no", *sorted(units.iterdir())) == (0, "")


def test_systemd_finds_the_service_well_shut_in(units: Path) -> None:
    analyze = need("systemd-analyze")

    code, words = done(analyze, "security", "--offline=yes", "--threshold=20", units / "smart-sync.service")

    assert code == 0, words  # 2.0 of 10, where 0 is as well as can be


def test_the_calls_are_those_that_we_print() -> None:
    _, script = snippet("systemd", "http://127.0.0.1:8000")
    for name, unit in re.findall(r"cat > /etc/systemd/system/(\S+) <<'END'\n(.*?)END\n", script, re.DOTALL):
        written = (UNITS / name).read_text(encoding="utf-8")
        assert re.sub(r"^#.*\n", "", written, flags=re.MULTILINE) == unit


def test_the_unit_waits_for_a_sync_to_end() -> None:
    (wait,) = values("TimeoutStopSec")

    assert int(wait) > GRACE_S
    assert values("KillMode") == ["mixed"]


@contextmanager
def unit_started(folder: Path, **more: str) -> Iterator[tuple[Service, str]]:
    """The service started as its unit says, and what it told systemd; its folders are in another place."""
    port = str(free_port())
    places = {"%d": folder / "credentials", "%S/smart-sync": folder / "state", "%L/smart-sync": folder / "log"}
    for place in places.values():
        place.mkdir(mode=0o700)
    given = dict(line.split("=", 1) for line in values("Environment"))
    for specifier, place in places.items():
        given = {name: value.replace(specifier, str(place)) for name, value in given.items()}
    (folder / "credentials" / "admin_token").write_text(f"{TOKEN}\n", encoding="ascii")
    (folder / "credentials" / "google.json").write_text("{}", encoding="ascii")
    given = given | more | {"SMART_SYNC_PLATFORMS": "none", "PATH": os.environ["PATH"]}
    (command,) = (line.replace("--bind 127.0.0.1:8000", f"--bind 127.0.0.1:{port}") for line in values("ExecStart"))
    assert port in command
    program = [sys.executable, "-m", "gunicorn", *shlex.split(command)[1:]]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, (folder / "server.log").open("ab") as log:
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(60)
        given["NOTIFY_SOCKET"] = str(folder / "notify")
        process = subprocess.Popen(
            program, cwd=ROOT, env=given, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        service = Service(process, f"http://127.0.0.1:{port}", folder)
        try:
            told = systemd.recv(4096).decode()
            until(service.ready)
            yield service, told
        finally:
            service.kill()


def test_the_service_starts_as_the_unit_says_and_its_log_is_rotated(tmp_path: Path) -> None:
    logrotate = need("logrotate")
    folder = tmp_path / "u"
    folder.mkdir()
    log = folder / "log" / "smart-sync.log"
    config, state = _rotating(folder, log)
    # There is no key in this test: the sheet is a folder.
    given = {"GOOGLE_CREDENTIALS": "", "SMART_SYNC_SHEET": str(ROOT / "webapp" / "demo")}
    with unit_started(folder, **given) as (service, told):
        tried, words = done(logrotate, "--debug", config)
        before = log.read_text(encoding="utf-8")
        rotated, more = done(logrotate, "--force", "--state", state, config)
        assert service.sync().status == 200
        until(lambda: log.exists() and "sync ended" in log.read_text(encoding="utf-8"))
        again, rest = done(logrotate, "--force", "--state", state, config)
        service.signal(signal.SIGTERM)
        code = service.exit()

    assert told.startswith("READY=1")
    assert (tried, rotated, again, code) == (0, 0, 0, 0), words + more + rest
    assert "error" not in words
    first = gzip.decompress((folder / "log" / "smart-sync.log.2.gz").read_bytes()).decode()
    assert first.startswith(before)
    lines = [*first.splitlines(), *(folder / "log" / "smart-sync.log.1").read_text().splitlines()]
    assert all(json.loads(line) for line in lines)
    assert sum("sync ended" in line for line in lines) == 1
    assert (folder / "state" / "smart_sync.db").exists()
    assert set(re.findall(r"SMART_SYNC_\w+|GOOGLE_\w+", UNIT)) == {
        "SMART_SYNC_ADMIN_TOKEN_FILE",
        "GOOGLE_CREDENTIALS",
        "SMART_SYNC_DATA_DIR",
        "SMART_SYNC_LOG_FILE",
    }


def _rotating(folder: Path, log: Path) -> tuple[Path, Path]:
    """The snippet for a log elsewhere, of this user; and where logrotate keeps what it has done."""
    text = (DEPLOY / "smart-sync.logrotate").read_text(encoding="utf-8")
    assert values("LogsDirectory") == ["smart-sync"]
    assert "/var/log/smart-sync/smart-sync.log {" in text
    assert "su smart-sync smart-sync\n" in text
    config = folder / "rotate"
    own = text.replace("/var/log/smart-sync/smart-sync.log", str(log)).replace("    su smart-sync smart-sync\n", "")
    config.write_text(own, encoding="utf-8")
    config.chmod(0o644)
    return config, folder / "rotated"


# Proxies


class Front(NamedTuple):
    """A proxy at work. plain: where it answers without TLS; None: nowhere here."""

    port: int
    trust: ssl.SSLContext
    plain: int | None

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        """(status, headers in lower case, body as it came)."""
        connection = self.connect(method, path, body, headers)
        try:
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def connect(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.trust)
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sock = self.trust.wrap_socket(raw, server_hostname=HOST)
        given = {"Host": f"{HOST}:{self.port}", "Authorization": f"Bearer {TOKEN}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        connection.request(method, path, body or None, given)
        return connection


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate of ours for the host, as Certbot names its files."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return folder


@pytest.fixture(scope="module")
def sheet() -> Iterator[Google]:
    with google() as opened:
        opened.tab("Project A", 30, 100)
        yield opened


@pytest.fixture(scope="module")
def served(processes: None, sheet: Google, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("served") / "s", sheet, workers=2) as service:
        assert service.sync().status == 200
        yield service


@contextmanager
def started(command: list[str], folder: Path, port: int) -> Iterator[None]:
    env = environment(folder) | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        until(lambda: _listens(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def nginx(folder: Path, certificate: Path, backend: str) -> Iterator[Front]:
    program = need("nginx")
    plain, port = free_port(), free_port()
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    text = re.sub(r"^    listen \[::\].*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace("listen 443 ", f"listen 127.0.0.1:{port} ")
    text = text.replace(f"/etc/letsencrypt/live/{HOST}", str(certificate)).replace("http://127.0.0.1:8000", backend)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"worker_processes 1;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{text}\n}}\n",
        encoding="utf-8",
    )
    words = [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    code, said = done(*words, "-t")
    assert code == 0, said
    assert "[warn]" not in said
    with started([*words, "-g", "daemon off;"], folder, port):
        yield Front(port, ssl.create_default_context(cafile=str(certificate / "fullchain.pem")), plain)


@contextmanager
def caddy(folder: Path, certificate: Path, backend: str) -> Iterator[Front]:
    program = need("caddy")
    code, said = done(program, "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile")
    assert code == 0, said
    port = free_port()
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8").replace("127.0.0.1:8000", backend.partition("//")[2])
    own = f"tls {certificate}/fullchain.pem {certificate}/privkey.pem"
    text = text.replace(f"{HOST} {{", f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\t{own}")
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}", encoding="utf-8")
    with started([program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")], folder, port):
        yield Front(port, ssl.create_default_context(cafile=str(certificate / "fullchain.pem")), None)


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, served: Service, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """The service behind each proxy."""
    start: Callable[..., object] = request.param
    with start(tmp_path_factory.mktemp("proxy"), certificate, served.url) as proxy:  # type: ignore[attr-defined]
        yield proxy


def test_people_and_programs_are_answered_through_it(front: Front) -> None:
    page = front.ask("GET", "/sign-in")
    health = front.ask("GET", "/health")
    projects = front.ask("GET", "/api/projects")
    synced = front.ask("POST", "/api/admin/smart_sync")
    refused = front.ask("GET", "/api/projects", Authorization="Bearer none-of-the-tokens")

    assert [answer[0] for answer in (page, health, projects, synced, refused)] == [200, 200, 200, 200, 401]
    assert b"<form" in page[2]
    assert json.loads(projects[2])["projects"][0]["name"] == "Project A"
    assert json.loads(synced[2])["success"] is True


def test_answers_are_compressed_and_known_again(front: Front) -> None:
    status, headers, body = front.ask("GET", "/openapi.json", Accept_Encoding="gzip")
    again = front.ask("GET", "/openapi.json", Accept_Encoding="gzip", If_None_Match=headers["etag"])

    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert len(body) < len(gzip.decompress(body)) / 3
    assert "accept-encoding" in headers["vary"].lower()
    assert (again[0], again[2]) == (304, b"")


def test_somebody_signs_in_over_https_with_a_cookie_that_stays_there(front: Front) -> None:
    origin = f"https://{HOST}:{front.port}"
    form = {"Content_Type": "application/x-www-form-urlencoded", "Authorization": "", "Origin": origin}
    status, headers, _ = front.ask("POST", "/sign-in", f"token={TOKEN}&next=/runs", **form)
    cookie = headers["set-cookie"]
    home = front.ask("GET", "/", Authorization="", Cookie=cookie.partition(";")[0])
    forged = front.ask("POST", "/sign-in", f"token={TOKEN}", **(form | {"Origin": "https://elsewhere.example"}))

    assert (status, headers["location"]) == (303, "/runs")
    assert cookie.startswith(COOKIE)
    assert "Secure" in cookie
    assert home[0] == 200
    assert forged[0] == 403


def test_progress_comes_while_the_run_goes_on_and_is_not_compressed(front: Front, sheet: Google) -> None:
    sheet.tab("Project A", 30, 200)
    with sheet.gate() as gate:
        run_id = json.loads(front.ask("POST", "/api/admin/smart_sync?async=true")[2])["run_id"]
        gate.wait()
        connection = front.connect("GET", f"/api/admin/runs/{run_id}/events", "", {"Accept-Encoding": "gzip, zstd"})
        answer = connection.getresponse()
        first = [answer.readline() for _ in range(5)]
        gate.open()
        rest = answer.read()
        connection.close()

    assert answer.getheader("Content-Type", "").startswith("text/event-stream")
    assert answer.getheader("Content-Encoding") is None
    assert first[0].startswith(b"retry:")
    assert b"event: progress\n" in first
    assert b"event: end\n" in rest


def test_who_comes_without_tls_is_sent_to_it(front: Front) -> None:
    if front.plain is None:
        pytest.skip("Caddy does so by itself, on port 80 alone")
    connection = http.client.HTTPConnection("127.0.0.1", front.plain, timeout=20)
    connection.request("GET", "/runs", headers={"Host": HOST})
    answer = connection.getresponse()
    connection.close()

    assert (answer.status, answer.getheader("Location")) == (301, f"https://{HOST}/runs")


def test_the_proxies_let_through_what_the_service_takes_and_no_more() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")

    assert "client_max_body_size 4m;" in text
    assert f"127.0.0.1:{Settings.port};" in text
    assert f"127.0.0.1:{Settings.port}\n" in (DEPLOY / "Caddyfile").read_text(encoding="utf-8")


def test_the_crontab_line_of_the_page_asks_as_it_says(served: Service, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^\*/5 \* \* \* \* (curl .*)$", page, re.MULTILINE)
    (tmp_path / "header").write_text(f"Authorization: Bearer {TOKEN}\n", encoding="ascii")
    need("curl")

    command = line.replace("/etc/smart-sync/header", str(tmp_path / "header")).replace(
        "http://127.0.0.1:8000", served.url
    )
    code, words = done("/bin/sh", "-c", command)

    assert code == 0, words
    assert json.loads(words)["success"] is True
