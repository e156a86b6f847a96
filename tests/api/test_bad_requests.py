"""What callers get for requests that are wrong, hostile or not theirs to make: a problem document, never HTML or 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.service import ADMIN, TOKEN, Service

PATH = "/api/admin/smart_sync"
DEEP = b"[" * 990 + b"]" * 990


@pytest.fixture
def service(sqlite_service: Service) -> Service:
    sqlite_service.sheet.rows("Project A", ["https://x.com/ann", 1])
    return sqlite_service


def is_problem(answer: TestResponse, status: int, code: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    body = json.loads(answer.data)
    assert (body["status"], body["type"]) == (status, f"urn:smart-sync:problem:{body['code']}")
    assert {"title", "detail"} <= set(body)
    assert code in (None, body["code"])
    assert TOKEN not in answer.text
    assert "Traceback" not in answer.text


def nothing_ran(service: Service) -> bool:
    return service.sheet.calls == 0


# Queries


@pytest.mark.parametrize(
    "query",
    [
        "project_id=", "project_id=%20", "project_id=%00", "project_id=a%00b", "project_id=" + "x" * 101,
        "project_id=a&project_id=b", "project_id=a&project%5Fid=a", "project=a", "Project_id=a", "projectid=a",
        "project_id", "=a", "due=", "due=maybe", "due=2", "due=null", "force=yes%00", "force=true&force=true",
        "dry_run=on%20", "budget=0", "budget=-1", "budget=abc", "budget=inf", "budget=nan", "budget=1e999",
        "budget=-0.0", "budget=86401", "budget=null", "budget=", "budget=1,5", "budget=0x10", "budget=" + "9" * 5000,
        "async=2", "run_async=true", "summary=1.0", "strict=%E2%9C%93", "token=" + TOKEN, "a=1", "%5B%5D=1",
        "project_id[]=a", "due[$ne]=1",
    ],
)  # fmt: skip
def test_a_query_that_can_not_be_meant_is_422_and_runs_nothing(service: Service, query: str) -> None:
    answer = service.client.post(f"{PATH}?{query}", headers=ADMIN)

    is_problem(answer, 422, "invalid_parameter")
    assert nothing_ran(service)


@pytest.mark.parametrize(
    "query", ["project_id=%FF", "project_id=%C3%28", "%ED%A0%80=1", "&".join(f"p{n}=1" for n in range(51))],
    ids=["byte", "bad sequence", "surrogate", "51 parameters"],
)  # fmt: skip
def test_a_query_that_can_not_be_decoded_is_400(service: Service, query: str) -> None:
    is_problem(service.client.post(f"{PATH}?{query}", headers=ADMIN), 400, "bad_query")
    assert nothing_ran(service)


@pytest.mark.parametrize(
    "project_id",
    [
        "nothing", "null", "None", "undefined", "all", "*", "%25", "../../etc/passwd", "' OR 1=1 --", "%27%3B--", "0",
        "00000000-0000-0000-0000-000000000000", "%F0%9F%98%80", "%252e%252e", "a%26b", "a%0Ab",
    ],
)  # fmt: skip
def test_an_unknown_project_is_404_and_never_all(service: Service, project_id: str) -> None:
    is_problem(service.client.post(f"{PATH}?project_id={project_id}", headers=ADMIN), 404, "project_not_found")
    assert nothing_ran(service)


def test_a_removed_project_is_404(service: Service) -> None:
    service.sync()
    service.write("UPDATE projects SET removed_at = '2026-01-01 00:00:00'")

    answer = service.trigger(project_id=service.project()["id"])

    is_problem(answer, 404, "project_not_found")


@pytest.mark.parametrize("yes", ["true", "True", "TRUE", "1"])
def test_a_yes_may_be_written_in_several_ways(service: Service, yes: str) -> None:
    assert service.client.post(f"{PATH}?dry_run={yes}", headers=ADMIN).json["dry_run"] is True  # type: ignore[index]


# Bodies


BODIES: dict[str, tuple[bytes, int, str]] = {
    "an object with a parameter": (b'{"project_id": "x"}', 422, "unexpected_body"),
    "a list": (b"[]", 400, "bad_json"),
    "a number": (b"0", 400, "bad_json"),
    "null": (b"null", 400, "bad_json"),
    "text": (b"project_id=x", 400, "bad_json"),
    "half an object": (b'{"a":', 400, "bad_json"),
    "doubled members": (b'{"a":1,"a":2}', 400, "bad_json"),
    "deep lists": (DEEP, 400, "bad_json"),
    "very deep lists": (b"[" * 200_000, 400, "bad_json"),
    "deep objects": (b'{"a":' * 990 + b"1" + b"}" * 990, 400, "bad_json"),
    "less deep objects": (b'{"a":' * 51 + b"1" + b"}" * 51, 400, "bad_json"),
    "lists in an object": (b'{"a":' + b"[" * 50 + b"]" * 50 + b"}", 400, "bad_json"),
    "as deep as it may be": (b'{"a":' + b"[" * 49 + b"]" * 49 + b"}", 422, "unexpected_body"),
    "no UTF-8": (b'{"a": "\xff"}', 400, "bad_json"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 400, "bad_json"),
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', 400, "bad_json"),
    "NaN": (b'{"a": NaN}', 400, "bad_json"),
    "infinity": (b'{"a": -Infinity}', 400, "bad_json"),
    "a number of 5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", 400, "bad_json"),
    "NUL": (b"\x00", 400, "bad_json"),
}


@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_says_something_is_refused(
    service: Service, body: bytes, status: int, code: str, kind: str
) -> None:
    answer = service.client.post(PATH, data=body, content_type=kind, headers=ADMIN)

    is_problem(answer, status, code)
    assert nothing_ran(service)


@pytest.mark.parametrize("body", [b"", b"{}", b" { } \n"], ids=repr)
def test_a_body_that_says_nothing_is_heeded_by_nobody(service: Service, body: bytes) -> None:
    answer = service.client.post(PATH, data=body, content_type="application/json", headers=ADMIN)

    assert answer.status_code == 200


@pytest.mark.parametrize("path", [PATH, "/api/admin/readings"])
def test_five_megabytes_are_413(service: Service, path: str) -> None:
    answer = service.client.post(path, data=b"x" * 5 * 1024 * 1024, headers=ADMIN)

    is_problem(answer, 413, "body_too_large")
    assert nothing_ran(service)


@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES.keys())
def test_where_an_object_is_due_anything_else_is_refused_too(
    service: Service, body: bytes, status: int, code: str
) -> None:
    answer = service.client.post("/api/admin/projects", data=body, headers=ADMIN)

    is_problem(answer, status, "invalid_parameter" if status == 422 else code)


# Who may


@pytest.mark.parametrize(
    "given",
    [
        None, "", " ", "Bearer", "Bearer ", "Bearer undefined", "Bearer null", "Bearer None", "Bearer  ",
        f"Basic {TOKEN}", "Basic YTpi", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN} {TOKEN}", f"Bearer {TOKEN},{TOKEN}", "Bearer \u00fc\u00df", "Bearer " + "a" * 8192,
        f"Token {TOKEN}", "Bearer \x01", "Digest username=",
    ],
    ids=lambda given: repr(given)[:30],
)  # fmt: skip
def test_without_the_token_nothing_runs(service: Service, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}

    answer = service.client.post(PATH, headers=headers)

    is_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert nothing_ran(service)


def test_the_token_is_no_parameter(service: Service) -> None:
    is_problem(service.client.post(f"{PATH}?token={TOKEN}"), 401, "unauthorized")
    is_problem(service.client.post(PATH, data={"token": TOKEN}), 401, "unauthorized")


def test_all_refusals_are_the_same(service: Service) -> None:
    wrong = [{"Authorization": "Bearer wrong"}, {"Authorization": "Bearer " + "a" * 8000}, {}]

    assert len({service.client.post(PATH, headers=headers).data for headers in wrong}) == 1


def test_who_keeps_guessing_is_slowed_down_and_the_right_token_still_passes(service: Service) -> None:
    wrong = {"Authorization": "Bearer a-wrong-token", "X-Forwarded-For": "10.0.0.1"}
    answers = [service.client.post(PATH, headers=wrong | {"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(12)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    is_problem(answers[-1], 429)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert service.trigger().status_code == 200
    service.time.forward(seconds=61)
    is_problem(service.client.post(PATH, headers=wrong), 401)


def test_somebody_without_any_token_is_not_slowed_down(service: Service) -> None:
    assert {service.client.post(PATH).status_code for _ in range(30)} == {401}
    assert service.client.post(PATH, headers={"Authorization": "Bearer a-wrong-token"}).status_code == 401


# Methods and places


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_only_post_triggers(service: Service, method: str) -> None:
    answer = service.client.open(PATH, method=method, headers=ADMIN)

    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)
    assert nothing_ran(service)
    if method != "HEAD":
        is_problem(answer, 405, "method_not_allowed")


def test_a_get_says_which_method_to_use(service: Service) -> None:
    assert "use POST" in service.client.get(PATH, headers=ADMIN).json["detail"]  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    [
        "/api/admin/smart_sync//", "/api/admin/smart-sync", "/api/admin/SMART_SYNC", "/api/admin", "//api/admin/smart_sync",
        "/api/admin/../admin/smart_sync", "/api/admin/held/abc/accept", "/api/admin/held/-1/accept", "/api/admin/held/1.5/accept",
        "/%00", "/api/%F0%9F%98%80", "/api/%FF", "/.env", "/wp-login.php",
    ],
)  # fmt: skip
def test_there_is_nothing_at_other_addresses(service: Service, path: str) -> None:
    answer = service.client.post(path, headers=ADMIN)

    is_problem(answer, 404)
    assert nothing_ran(service)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html"},
        {"Content-Type": "text/html"},
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Origin": "https://evil.example"},
        {"Cookie": "a=" + "b" * 4000},
        {"Range": "bytes=0-1"},
        {"Expect": "nothing"},
        {"If-None-Match": "*"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_headers_that_mean_nothing_here_change_nothing(service: Service, headers: dict[str, str]) -> None:
    answer = service.client.post(PATH, headers=ADMIN | headers)

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert "evil.example" not in answer.text + str(answer.headers)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [PATH, "/nowhere", "/api/admin/runs"])
def test_every_answer_says_the_same_to_browsers(service: Service, path: str) -> None:
    headers: Any = service.client.get(path).headers

    assert (headers["X-Frame-Options"], headers["Referrer-Policy"]) == ("DENY", "no-referrer")
    assert "default-src" in headers["Content-Security-Policy"]
