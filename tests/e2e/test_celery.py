"""Syncs by workers of Celery over a Redis of Debian: each project once, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.google import Google
from tests.e2e.harness import Service, environment, run, serving, until
from tests.e2e.redis_server import celery_env, certificate, redis_server, worker

pytestmark = pytest.mark.usefixtures("processes")
TABS = ("Project A", "Project B", "Project C")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as url:
        yield url


def fill(sheet: Google, followers: int) -> None:
    for title in TABS:
        sheet.tab(title, 30, followers)


def call(folder: Path, sheet: Google, env: dict[str, str], task: str, *args: object) -> None:
    """Ask for a task as another program does."""
    program = ("-m", "celery", "-A", "webapp.tasks", "call", f"webapp.tasks.{task}", "--args", json.dumps(args))
    done = run(folder, *program, env=environment(folder, sheet, env=env))
    assert done.returncode == 0, done.stdout


def test_the_endpoint_hands_runs_to_workers_and_everything_tells_of_them(
    sheet: Google, tmp_path: Path, redis: str
) -> None:
    fill(sheet, 100)
    env = celery_env(redis)
    with serving(tmp_path, sheet, env=env) as service:
        answer = service.sync()
        assert (answer.status, answer.json["state"]) == (202, "queued")
        assert service.get("/api/admin/sync_status").json["running"][0]["state"] == "queued"

        with worker(tmp_path, sheet, env) as one:
            ended = service.ended(answer.json["run_id"])
            assert (ended["state"], ended["success"]) == ("succeeded", True)
            assert service.followers() == {title: {100} for title in TABS}

            project = service.rows("SELECT id FROM projects WHERE name = 'Project A'")[0]
            fill(sheet, 200)
            call(tmp_path, sheet, env, "smart_sync_single_project", project)
            until(lambda: service.followers()["Project A"] == {200})
            assert service.followers()["Project B"] == {100}
            call(tmp_path, sheet, env, "smart_sync_all_projects")
            until(lambda: service.followers()["Project C"] == {200})
            until(lambda: set(service.states().values()) == {"succeeded"})
            assert one.stop() == 0
        assert "Traceback" not in one.log


def test_without_a_broker_it_says_so_and_what_is_read_is_read_as_ever(
    sheet: Google, tmp_path: Path, redis: str
) -> None:
    gone = redis.replace(redis.rpartition(":")[2], "1/0")
    fill(sheet, 100)
    with serving(tmp_path, sheet, env=celery_env(gone)) as service:
        answer = service.sync()

        assert (answer.status, answer.json["code"]) == (503, "queue_unavailable")
        assert service.get("/api/projects").status == 200
        assert gone not in service.log
        assert service.get("/health", token=None).status == 200


def test_workers_that_are_killed_at_random_sync_each_project_once(sheet: Google, tmp_path: Path, redis: str) -> None:
    fill(sheet, 0)
    env, chance = celery_env(redis), random.Random(7)
    with serving(tmp_path, sheet, env=env) as service:
        for followers in (100, 200, 300):
            fill(sheet, followers)
            with worker(tmp_path, sheet, env, name="a") as one, worker(tmp_path, sheet, env, name="b") as two:
                with sheet.gate(chance.choice(["tabs", "cells"])) as gate:
                    until(lambda: gate.reached.is_set() or _ask(service))
                    victim = chance.choice([one, two])
                    if chance.random() < 0.5:
                        for pid in victim.children:
                            os.kill(pid, signal.SIGKILL)
                    else:
                        victim.kill()
                until(partial(_synced, service, followers))
        assert service.rows("SELECT count(*) FROM account_snapshots") == [90]
        assert service.rows("SELECT count(*) FROM accounts") == [90]
        assert service.sound()


def _synced(service: Service, followers: int) -> bool:
    _ask(service)
    found = service.followers()
    return len(found) == len(TABS) and all(values == {followers} for values in found.values())


def _ask(service: Service) -> bool:
    """The cron's next call, which finds whatever died."""
    time.sleep(0.2)
    assert service.sync().status in {200, 202}
    return False


def test_a_task_that_comes_twice_does_nothing_twice(sheet: Google, tmp_path: Path, redis: str) -> None:
    fill(sheet, 100)
    env = celery_env(redis)
    with serving(tmp_path, sheet, env=env) as service:
        answer = service.sync()
        run_id, params = answer.json["run_id"], {"project_id": None, "due": False, "all": False, "force": False}
        params |= {"dry_run": False, "budget": None}
        call(tmp_path, sheet, env, "work_off_run", run_id, params)
        with worker(tmp_path, sheet, env, name="a"), worker(tmp_path, sheet, env, name="b"):
            service.ended(run_id)
            call(tmp_path, sheet, env, "work_off_run", run_id, params)
            call(tmp_path, sheet, env, "smart_sync_all_projects")
            until(lambda: len(service.states()) == 2 and set(service.states().values()) == {"succeeded"})

        assert service.rows("SELECT count(*) FROM account_snapshots") == [90]
        assert sheet.asked("tabs") == 2


def test_a_run_whose_worker_died_is_made_up_for_though_nobody_asks_again(
    sheet: Google, tmp_path: Path, redis: str
) -> None:
    fill(sheet, 100)
    env = celery_env(redis)
    with serving(tmp_path, sheet, env=env) as service, worker(tmp_path, sheet, env) as one:
        with sheet.gate("cells") as gate:
            died = service.sync().json["run_id"]
            gate.wait()
            for pid in one.children:
                os.kill(pid, signal.SIGKILL)
        until(lambda: sorted(service.states().values()) == ["abandoned", "succeeded"])

        assert service.states()[died] == "abandoned"
        assert service.followers() == {title: {100} for title in TABS}
        assert service.rows("SELECT count(*) FROM account_snapshots") == [90]


def test_a_worker_that_is_to_end_lets_its_run_end_in_time(sheet: Google, tmp_path: Path, redis: str) -> None:
    fill(sheet, 100)
    env = celery_env(redis) | {"SMART_SYNC_GOOGLE_READS": "1"}
    with serving(tmp_path, sheet, env=env) as service, worker(tmp_path, sheet, env) as one:
        run_id = service.sync().json["run_id"]
        until(lambda: sheet.calls)  # and the next one has to wait for a minute

        assert one.stop() == 0

        assert service.run(run_id)["state"] == "cancelled"
        assert service.sound()


def test_all_workers_together_read_google_no_more_often_than_it_grants(
    sheet: Google, tmp_path: Path, redis: str
) -> None:
    fill(sheet, 100)
    env = celery_env(redis) | {"SMART_SYNC_GOOGLE_READS": "5", "SMART_SYNC_BUDGET": "4"}
    with serving(tmp_path, sheet, env=env) as service:
        with worker(tmp_path, sheet, env, name="a"), worker(tmp_path, sheet, env, name="b"):
            first = service.sync()
            service.ended(first.json["run_id"])
            assert len(sheet.calls) in {3, 4, 5}
            second = service.sync()  # for which there are not enough left
            ended = service.ended(second.json["run_id"])

        assert len(sheet.calls) == 5
        assert "reads a minute that Google grants are used up" in json.dumps(ended)
        assert service.followers() == {title: {100} for title in TABS}


def test_beat_asks_by_the_half_hour_or_for_what_is_due_by_the_minute(tmp_path: Path, redis: str) -> None:
    code = "from webapp.tasks import app; print(app.conf.beat_schedule)"
    for beat, words in (("all", "<crontab: */30 * * * *"), ("tick", "'schedule': 60.0, 'args': [True]")):
        env = environment(tmp_path, env=celery_env(redis) | {"SMART_SYNC_BEAT": beat})
        assert words in run(tmp_path, "-c", code, env=env).stdout


def test_tasks_are_for_services_whose_mode_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "celery", "-A", "webapp.tasks", "worker", env=environment(tmp_path))

    assert done.returncode != 0
    assert "SMART_SYNC_MODE: is not celery" in done.stdout


def test_over_tls_only_a_trusted_certificate_of_the_host_will_do(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    options = certificate(tmp_path, "localhost")
    with redis_server(tmp_path, *options, "--requirepass", "sesame-secret", scheme="rediss") as url:
        env = celery_env(f'"{url.replace("://", "://:sesame-secret@")}"')  # in quotes, as a panel gives it
        trusting = env | {"SSL_CERT_FILE": str(tmp_path / "localhost.pem")}
        with serving(tmp_path, sheet, env=trusting) as service, worker(tmp_path, sheet, trusting) as one:
            assert service.ended(service.sync().json["run_id"])["state"] == "succeeded"
            assert "sesame-secret" not in one.log + service.log
        assert "its certificate is not trusted" in doctor(tmp_path, env)
        assert "it refuses the password" in doctor(tmp_path, trusting | {"REDIS_URL": url.replace("://", "://:wrong@")})
    with redis_server(tmp_path, *certificate(tmp_path, "elsewhere.example"), scheme="rediss") as url:
        env = celery_env(url) | {"SSL_CERT_FILE": str(tmp_path / "elsewhere.example.pem")}
        assert "its certificate is not trusted, or of another host" in doctor(tmp_path, env)


def doctor(folder: Path, env: dict[str, str]) -> str:
    """What it says of a service without a spreadsheet."""
    return run(folder, "-m", "webapp.cli", "doctor", env=environment(folder, env=env)).stdout


def test_doctor_asks_the_broker_and_the_workers(sheet: Google, tmp_path: Path, redis: str) -> None:
    env = environment(tmp_path, sheet, env=celery_env(redis))
    alone = run(tmp_path, "-m", "webapp.cli", "doctor", env=env).stdout
    assert "no worker answers" in alone
    with worker(tmp_path, sheet, celery_env(redis)):
        assert "1 worker answers" in run(tmp_path, "-m", "webapp.cli", "doctor", env=env).stdout
    gone = env | {"REDIS_URL": redis.replace(redis.rpartition(":")[2], "1/0")}
    assert "cannot be reached" in run(tmp_path, "-m", "webapp.cli", "doctor", env=gone).stdout
