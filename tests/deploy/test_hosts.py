"""The files for hosts say what their readers understand, and name what there is."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.api.tour import BY_ID
from tests.deploy import facts
from tests.deploy.image import DOCKERFILE, steps, words_of
from tests.reference import ROOT
from tests.test_docs import parse
from webapp.config import Settings, every_setting
from webapp.cron.callers import snippet
from webapp.server import GRACE_S

DEPLOY = ROOT / "deploy"
BLUEPRINTS = [ROOT / "render.yaml", DEPLOY / "render-postgres.yaml", DEPLOY / "render-celery.yaml"]
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SETTINGS = {setting.name for setting in every_setting()}
OPEN = {route.path for route in BY_ID.values() if route.method == "GET" and route.access == "public"}
SERVER = words_of(dict(steps(DOCKERFILE.read_text(encoding="utf-8")))["CMD"])
USER = 10001


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def faults(schema: facts.Schema, value: Any) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


def dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Each object within a document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from dicts(part)


# Everybody's


def test_every_file_is_looked_at_by_some_test() -> None:
    looked = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    names = {path.relative_to(DEPLOY) for path in DEPLOY.rglob("*") if path.is_file()}
    by_folder = {name for name in names if name.parts[0] in {"kubernetes", "systemd"}}

    assert {str(name) for name in names - by_folder if name.name not in looked} == set()


def test_every_file_is_told_of_on_the_page() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    names = {path.relative_to(ROOT).as_posix() for path in DEPLOY.rglob("*") if path.is_file()}
    monitoring = {"deploy/grafana-dashboard.json", "deploy/prometheus-rules.yml"}  # told of in metrics.md

    assert {name for name in names - monitoring if name not in page} == {"deploy/Dockerfile.dockerignore"}


@pytest.mark.parametrize(
    "change",
    [
        {"services": [{"type": "web", "name": "x"}]},
        {"services": [{"type": "redis", "name": "x", "ipAllowList": []}]},
        {"services": [{"type": "keyvalue", "name": "x"}]},
        {"databases": [{"name": "x", "plan": "starter"}]},
        {"databases": [{"name": "x", "postgresMajorVersion": 17}]},
        {"service": []},
    ],
)
def test_what_a_host_does_not_understand_would_be_noticed(change: Mapping[str, Any]) -> None:
    assert faults(facts.RENDER, change)


# Render


@pytest.fixture(params=BLUEPRINTS, ids=lambda path: path.name)
def blueprint(request: pytest.FixtureRequest) -> Any:
    (found,) = documents(request.param)
    return found


def test_render_understands_the_blueprint(blueprint: Any) -> None:
    assert faults(facts.RENDER, blueprint) == []


def test_a_blueprint_refers_to_what_it_makes(blueprint: Any) -> None:
    services = {(service["type"], service["name"]): service for service in blueprint["services"]}
    databases = {database["name"] for database in blueprint.get("databases", ())}
    for variable in (variable for service in services.values() for variable in service.get("envVars", ())):
        if "fromDatabase" in variable:
            assert variable["fromDatabase"]["name"] in databases
        if "fromService" in variable:
            source = services[variable["fromService"]["type"], variable["fromService"]["name"]]
            names = {one["key"] for one in source.get("envVars", ())}
            assert variable["fromService"].get("envVarKey", variable["key"]) in names | {"SYNC_HOST", "REDIS_URL"}
        assert variable["key"] in SETTINGS | {"PYTHON_VERSION", "SYNC_HOST"}


def test_all_blueprints_build_start_and_call_alike(blueprint: Any) -> None:
    (first,) = documents(BLUEPRINTS[0])
    for service in blueprint["services"]:
        for same in (one for one in first["services"] if one["type"] == service["type"]):
            for name in ("buildCommand", "startCommand", "healthCheckPath", "schedule"):
                assert service.get(name) == same.get(name)


def test_workers_are_started_where_there_is_a_queue_for_them(blueprint: Any) -> None:
    kinds = {service["type"] for service in blueprint["services"]}
    workers = [service for service in blueprint["services"] if service["type"] == "worker"]
    celery = [
        service
        for service in blueprint["services"]
        if {"key": "SMART_SYNC_MODE", "value": "celery"} in service.get("envVars", ())
    ]

    assert ("worker" in kinds) == ("keyvalue" in kinds)
    assert {service["type"] for service in celery} == ({"web", "worker"} if workers else set())
    for worker in workers:
        assert shlex.split(worker["startCommand"])[:4] == ["celery", "-A", "webapp.tasks", "worker"]


def test_a_blueprint_says_no_secret_and_asks_for_each(blueprint: Any) -> None:
    secret = {setting.name for setting in every_setting() if setting.secret} | {"DATABASE_URL"}

    assert [one for one in dicts(blueprint) if one.get("key") in secret and "value" in one] == []


def test_the_data_is_on_a_disk_or_in_a_database_that_only_the_service_reaches(blueprint: Any) -> None:
    (web,) = (service for service in blueprint["services"] if service["type"] == "web")
    databases = blueprint.get("databases", ())

    assert ("disk" in web) != bool(databases)
    assert all(database["ipAllowList"] == [] for database in databases)
    assert "disk" not in web or "numInstances" not in web  # a disk is one instance's
    assert web.get("maxShutdownDelaySeconds", 30) >= GRACE_S


# Compose


@pytest.fixture
def compose() -> Any:
    (found,) = documents(DEPLOY / "compose.yml")
    return found


def test_compose_understands_its_file(compose: Any) -> None:
    assert faults(facts.COMPOSE, compose) == []


def test_every_container_is_read_only_and_without_rights(compose: Any) -> None:
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service


def test_containers_use_networks_volumes_and_each_other_as_there_are(compose: Any) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service["networks"]) <= set(compose["networks"])
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= set(compose["volumes"])
        for name, wanted in service.get("depends_on", {}).items():
            assert wanted["condition"] != "service_healthy" or "test" in services[name]["healthcheck"]
    assert compose["networks"]["database"]["internal"] is True
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["database"]
    assert [port for service in services.values() for port in service.get("ports", ())] == ["127.0.0.1:8000:8000"]


def test_it_sets_only_what_there_is_and_every_secret_comes_from_outside(compose: Any) -> None:
    head = (DEPLOY / "compose.yml").read_text(encoding="utf-8").partition("\nname:")[0]
    for name in ("web", "clock", "worker"):
        environment = compose["services"][name]["environment"]
        assert set(environment) <= SETTINGS
        for setting, value in environment.items():
            assert "${" in value or setting == "REDIS_URL", setting
            for wanted in re.findall(r"\$\{(\w+)", value):
                assert f"{wanted}=" in head
    needed = set(re.findall(r"\$\{(\w+):\?", json.dumps(compose)))
    assert needed == {"POSTGRES_PASSWORD", "SMART_SYNC_ADMIN_TOKEN"}


def test_it_builds_our_image_and_starts_our_commands(compose: Any) -> None:
    build = compose["services"]["web"]["build"]
    context = (DEPLOY / build["context"]).resolve()
    program, *words = compose["services"]["clock"]["command"]

    assert context / build["dockerfile"] == DOCKERFILE
    assert program == "smart-sync"
    parse(words)
    assert compose["services"]["worker"]["command"][:4] == ["celery", "-A", "webapp.tasks", "worker"]
    assert int(compose["services"]["web"]["stop_grace_period"].removesuffix("s")) > GRACE_S


# Kubernetes


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_understands_the_manifests(path: Path) -> None:
    for document in documents(path):
        assert faults(facts.KUBERNETES[document["kind"]], document) == [], document["kind"]


def pods() -> Iterator[tuple[str, Any]]:
    """(file, specification) of every pod."""
    for path in MANIFESTS:
        for one in (one for document in documents(path) for one in dicts(document)):
            if "containers" in one:
                yield path.name, one


@pytest.mark.parametrize(("name", "pod"), list(pods()))
def test_every_pod_meets_the_restricted_standard(name: str, pod: Any) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["name"] for mount in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}


@pytest.fixture(params=["sqlite.yaml", "postgres.yaml"])
def deployment(request: pytest.FixtureRequest) -> Any:
    found = documents(DEPLOY / "kubernetes" / request.param)
    return next(document["spec"] for document in found if document["kind"] == "Deployment")


def test_the_deployment_is_asked_where_it_answers_and_has_time_to_end(deployment: Any) -> None:
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    (service,) = documents(DEPLOY / "kubernetes" / "service.yaml")
    asked = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}

    assert asked == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}
    assert set(asked.values()) <= OPEN
    assert container["ports"] == [{"name": "http", "containerPort": Settings.port}]
    assert service["spec"]["ports"][0]["targetPort"] == "http"
    assert service["spec"]["selector"] == deployment["selector"]["matchLabels"]
    assert deployment["template"]["metadata"]["labels"].items() >= service["spec"]["selector"].items()
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == USER
    wait = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > wait + GRACE_S


def test_no_variable_of_the_cluster_is_taken_for_a_setting(deployment: Any) -> None:
    _, wrong = Settings.read({"SMART_SYNC_PORT": "tcp://10.0.0.1:80", "SMART_SYNC_SERVICE_HOST": "10.0.0.1"})

    assert len(wrong) == 2  # what a service named smart-sync would bring
    assert deployment["template"]["spec"]["enableServiceLinks"] is False


def test_sqlite_is_one_pod_on_one_volume_and_postgres_is_several() -> None:
    claim, one = documents(DEPLOY / "kubernetes" / "sqlite.yaml")
    several, budget = documents(DEPLOY / "kubernetes" / "postgres.yaml")

    assert (one["spec"]["replicas"], one["spec"]["strategy"]["type"]) == (1, "Recreate")
    assert {"persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}} in [
        {name: value for name, value in volume.items() if name != "name"}
        for volume in one["spec"]["template"]["spec"]["volumes"]
    ]
    assert several["spec"]["replicas"] > budget["spec"]["minAvailable"]
    assert not [
        volume for volume in several["spec"]["template"]["spec"]["volumes"] if "persistentVolumeClaim" in volume
    ]


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.from_env({"DATABASE_URL": ""}).database_url == ""


def test_the_secret_is_a_template_that_no_service_starts_with() -> None:
    ours, ticks = (document["stringData"] for document in documents(DEPLOY / "kubernetes" / "secret.yaml"))

    _, wrong = Settings.read(ours)

    assert set(ours) <= SETTINGS
    assert any("SMART_SYNC_ADMIN_TOKEN" in words for words in wrong)
    assert ticks == {"header": f"Authorization: Bearer {ours['SMART_SYNC_ADMIN_TOKEN']}"}


def test_the_ticks_are_those_that_we_print() -> None:
    _, printed = snippet("kubernetes", "http://smart-sync")

    assert documents(DEPLOY / "kubernetes" / "tick.yaml") == list(yaml.safe_load_all(printed))


# Fly and Railway


def test_fly_understands_its_file_and_it_names_what_there_is() -> None:
    with (DEPLOY / "fly.toml").open("rb") as file:
        config = tomllib.load(file)

    assert faults(facts.FLY, config) == []
    assert (DEPLOY / config["build"]["dockerfile"]).samefile(DOCKERFILE)
    assert (DEPLOY / config["build"]["ignorefile"]).is_file()
    assert shlex.split(config["processes"]["web"]) == SERVER
    program, *words = shlex.split(config["processes"]["clock"])
    assert program == "smart-sync"
    parse(words)
    assert config["http_service"]["internal_port"] == int(config["env"]["PORT"])
    assert {check["path"] for check in config["http_service"]["checks"]} <= OPEN
    assert config["kill_signal"] == "SIGTERM"
    assert config["kill_timeout"] > GRACE_S


def test_railway_understands_its_file_and_it_names_what_there_is() -> None:
    config = json.loads((DEPLOY / "railway.json").read_text(encoding="utf-8"))

    assert faults(facts.RAILWAY, config) == []
    assert (ROOT / config["build"]["dockerfilePath"]).samefile(DOCKERFILE)
    assert config["deploy"]["healthcheckPath"] in OPEN
    assert config["deploy"]["drainingSeconds"] > GRACE_S
