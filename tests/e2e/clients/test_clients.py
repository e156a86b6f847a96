"""Clients that are generated from the document: every name is there, and every answer has its type.

The programs `calls.py` and `calls.ts` call the service through them; type checkers read them before they run.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.e2e.harness import ROOT, TOKEN, Service, serving
from tests.programs import need

HERE = Path(__file__).parent
PACKAGE = HERE / "package.json"  # pins what npm installs
CACHE = ROOT / ".venv" / "node"
CLIENT = "smart_sync_client"
PATIENCE_S = 300.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The demo, synced once."""
    with serving(tmp_path_factory.mktemp("service"), None, "--demo") as running:
        assert running.sync().status == 200
        yield running


@pytest.fixture(scope="module")
def spec(service: Service) -> Any:
    return service.get("/openapi.json").json


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder with what npm has installed; one process of the tests does it, once for each change of the pins."""
    npm = need("npm")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pins = CACHE / PACKAGE.name
        if not pins.exists() or pins.read_bytes() != PACKAGE.read_bytes():
            install(npm)
            shutil.copy(PACKAGE, pins)
    return CACHE


def install(npm: str) -> None:
    """What the pins name, as a whole or not at all. Scripts of packages do not run."""
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    with TemporaryDirectory(dir=CACHE) as folder:
        shutil.copy(PACKAGE, folder)
        call(npm, "install", *options, cwd=Path(folder))
        shutil.rmtree(CACHE / "node_modules", ignore_errors=True)
        (Path(folder) / "node_modules").rename(CACHE / "node_modules")


def call(*program: str | Path, cwd: Path) -> str:
    """What a program printed; it has to end well."""
    done = subprocess.run(
        [str(part) for part in program],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# Python


@pytest.fixture(scope="module")
def python_client(spec: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package that openapi-python-client has made; a warning of it is an error."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "openapi.json").write_text(json.dumps(spec), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}), encoding="utf-8")
    options = ("--meta", "none", "--config", "config.json", "--fail-on-warning")
    paths = ("--path", "openapi.json", "--output-path", CLIENT)
    said = call(sys.executable, "-m", "openapi_python_client", "generate", *options, *paths, cwd=folder)
    assert "warning" not in said.lower(), said
    (folder / CLIENT / "py.typed").touch()
    return folder


def test_a_python_client_loses_no_name(python_client: Path, spec: Any) -> None:
    client = python_client / CLIENT
    operations = {(one["tags"][0], one["operationId"]) for path in spec["paths"].values() for one in path.values()}
    models = (client / "models" / "__init__.py").read_text(encoding="utf-8")

    assert {(path.parent.name, path.stem) for path in (client / "api").glob("*/[a-z]*.py")} == operations
    assert set(spec["components"]["schemas"]) <= set(re.findall(r"import (\w+)", models))


def test_a_python_client_loses_no_status(python_client: Path, spec: Any) -> None:
    for operation in (one for path in spec["paths"].values() for one in path.values()):
        module = python_client / CLIENT / "api" / operation["tags"][0] / f"{operation['operationId']}.py"
        text = module.read_text(encoding="utf-8")

        assert set(re.findall(r"if response.status_code == (\d+):", text)) == set(operation["responses"]), module.stem
        problems = {"401", "403", "404", "422", "429"} & set(operation["responses"])
        assert problems <= set(re.findall(r"response_(\d+) = Problem.from_dict\(", text)), module.stem


def test_a_python_client_knows_the_type_of_every_answer(python_client: Path, service: Service) -> None:
    shutil.copy(HERE / "calls.py", python_client)

    strict = ("--strict", "--follow-imports", "silent", "--config-file", os.devnull)
    call(sys.executable, "-m", "mypy", *strict, "calls.py", cwd=python_client)
    call(sys.executable, "-W", "error", "calls.py", service.url, TOKEN, cwd=python_client)


# TypeScript


@pytest.fixture(scope="module")
def typescript_types(spec: Any, node: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the types that openapi-typescript has made, beside what npm has installed."""
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(node / "node_modules")
    (folder / "openapi.json").write_text(json.dumps(spec), encoding="utf-8")
    shutil.copy(PACKAGE, folder)
    said = call(binary(folder, "openapi-typescript"), "openapi.json", "--output", "schema.d.ts", cwd=folder)
    assert "warn" not in said.lower(), said
    return folder


def binary(folder: Path, name: str) -> Path:
    return folder / "node_modules" / ".bin" / name


def test_typescript_loses_no_name(typescript_types: Path, spec: Any) -> None:
    text = (typescript_types / "schema.d.ts").read_text(encoding="utf-8")
    operations = {one["operationId"] for path in spec["paths"].values() for one in path.values()}

    assert operations <= set(re.findall(r"^    (\w+): \{$", text, re.MULTILINE))
    assert set(spec["components"]["schemas"]) <= set(re.findall(r"^        (\w+): ", text, re.MULTILINE))


def test_typescript_knows_the_type_of_every_answer(typescript_types: Path, service: Service) -> None:
    shutil.copy(HERE / "calls.ts", typescript_types)

    strict = ("--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck")
    call(binary(typescript_types, "tsc"), *strict, "calls.ts", cwd=typescript_types)
    call("node", "calls.js", service.url, TOKEN, cwd=typescript_types)
