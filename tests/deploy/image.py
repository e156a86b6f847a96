"""What a builder makes of a Dockerfile, without one: its steps run in order, over the file system of this machine.

Each stage is a layer of files of its own above everything that is here; nothing below it is changed. This machine stands
in for the base image. `python -m tests.deploy.image` builds with the real pip and serves until Ctrl-C.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from packaging.markers import Marker

from tests.postgres_server import roomy_folder
from tests.reference import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
PIN = re.compile(r"^([a-z0-9-]+)(?:\[\S+\])?==(\S+?)(?: ; (.*?))? \\$", re.MULTILINE)
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# Of a namespace of its own, where root may mount: layers above this machine, its devices, a folder for temporary files.
STACK = """
set -e
mount -t overlay overlay -o "lowerdir=/,upperdir=$STAGE/files,workdir=$STAGE/work" "$STAGE/root"
mount --rbind /dev "$STAGE/root/dev"
mount --rbind /proc "$STAGE/root/proc"
mount -t tmpfs none "$STAGE/root/tmp"
if [ -n "$VOLUME" ]; then mount --bind "$VOLUME" "$STAGE/root/data"; fi
if [ -n "$READ_ONLY" ]; then mount -o remount,ro "$STAGE/root"; fi
exec chroot "$STAGE/root" "$@"
"""


class Step(NamedTuple):
    """One instruction: `RUN`, and what follows on it, with continued lines joined."""

    word: str
    rest: str


def steps(text: str) -> list[Step]:
    """The instructions of a Dockerfile, in order."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def words_of(rest: str) -> list[str]:
    """A command in the form of a JSON list."""
    words: list[str] = json.loads(rest)
    return words


@dataclass
class Stage:
    """What the steps of one stage have made so far. folder: holds its files, below `files`."""

    folder: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    work: str = "/"
    user: str = "0:0"
    command: Sequence[str] = ()
    check: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("files", "work", "root"):
            (self.folder / name).mkdir(parents=True)

    def path(self, inside: str) -> Path:
        """Where a file of this stage is, by its path inside."""
        return self.folder / "files" / str(PurePosixPath(self.work, inside)).lstrip("/")

    def start(
        self, words: Sequence[str], *, env: Mapping[str, str] | None = None, volume: Path | None = None
    ) -> subprocess.Popen[str]:
        """A program inside, alone in a session; where `volume` is given as its user, without rights, on a read-only root.

        volume: a folder that stands at /data.
        """
        inner = ["/usr/bin/env", "-i", "-C", self.work]
        served = [*self._as_user(), *inner] if volume else inner
        given = {**self.env, **(env or {})}
        mounts = {"STAGE": str(self.folder), "VOLUME": str(volume or ""), "READ_ONLY": "1" if volume else ""}
        return subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", STACK, "sh", *served, *(f"{k}={v}" for k, v in given.items()), *words],
            env={**os.environ, **mounts},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(
        self, words: Sequence[str], *, env: Mapping[str, str] | None = None, volume: Path | None = None
    ) -> tuple[int, str]:
        """The same to its end: its exit code, and what it printed."""
        with self.start(words, env=env, volume=volume) as process:
            printed, _ = process.communicate(timeout=120)
        return process.returncode, printed

    def make(self, *words: str) -> None:
        """A step of the build.

        Raises: RuntimeError when it fails.
        """
        code, printed = self.run(words)
        if code:
            raise RuntimeError(f"{shlex.join(words)} ended with {code}:\n{printed}")

    def _as_user(self) -> list[str]:
        user, _, group = self.user.partition(":")
        rights = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *rights]


def can_stack() -> bool:
    """Whether this user may lay files over those of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder) / "trial")
        return os.geteuid() == 0 and stage.run(["true"])[0] == 0


def build(folder: Path, *, pip: bool = False) -> Stage:
    """The last stage of our Dockerfile, its steps run in order in a folder of its own.

    pip: fetch the locked packages as a builder does; else those of this environment are copied, and have to be the same.
    """
    stages: dict[str, Stage] = {}
    context = _context(folder / "context")
    stage = Stage(folder / "none")
    for word, rest in steps(DOCKERFILE.read_text(encoding="utf-8")):
        if word == "FROM":
            _, _, name = rest.partition(" AS ")
            stage = stages[name] = _begin(folder / f"stage-{len(stages)}")
        elif word == "RUN" and rest.startswith("pip ") and not pip:
            _stand_in_for_pip(stage, rest)
        elif word == "RUN":
            stage.make("sh", "-c", rest)
        elif word == "COPY":
            _copy(stage, stages, context, rest)
        else:
            _set(stage, word, rest)
    return stage


def _context(folder: Path) -> Path:
    """What a builder is given of the repository."""
    rules = ignore_rules()
    there = (path for place in ("*", "webapp/**/*", "requirements/*", "deploy/*") for path in ROOT.glob(place))
    for path in (path.relative_to(ROOT).as_posix() for path in there if path.is_file()):
        if not is_ignored(path, rules):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)
    return folder


def ignore_rules() -> list[str]:
    lines = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def is_ignored(path: str, rules: Sequence[str]) -> bool:
    """Whether a builder is not given a file: the last rule that fits it, or a folder it is in, decides."""
    parts = path.split("/")
    ways = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    ignored = False
    for rule in rules:
        pattern = rule.removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        if any(
            _fits(way, pattern) or (anywhere != pattern and fnmatch(way.rpartition("/")[2], anywhere)) for way in ways
        ):
            ignored = not rule.startswith("!")
    return ignored


def _fits(way: str, pattern: str) -> bool:
    return way.count("/") == pattern.count("/") and fnmatch(way, pattern)


def _begin(folder: Path) -> Stage:
    """A stage over this machine, whose Python everybody finds and may run, as in the base image."""
    stage = Stage(folder)
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    ways = [*reversed(python.parents), python][1:]
    stage.make("sh", "-c", 'for way in "$@"; do chmod go+rx "$way"; done', "sh", *map(str, ways))
    library = Path(sysconfig.get_path("stdlib"))
    stand_ins = {f"bin/{name}": python for name in ("python", "python3")} | {f"lib/{library.name}": library}
    for name, path in stand_ins.items():
        place = stage.path(f"/usr/local/{name}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if path != Path("/usr/local", name):
            place.symlink_to(path)
    stage.path("/usr/local/bin/pip").write_text(f'#!/bin/sh\nexec {python} -m pip "$@"\n', encoding="ascii")
    stage.path("/usr/local/bin/pip").chmod(0o755)
    return stage


def _set(stage: Stage, word: str, rest: str) -> None:
    if word == "WORKDIR":
        stage.work = rest
        stage.path(rest).mkdir(parents=True, exist_ok=True)
    elif word == "ENV":
        stage.env |= dict(part.split("=", 1) for part in rest.split())
    elif word == "USER":
        stage.user = rest
    elif word == "CMD":
        stage.command = words_of(rest)
    elif word == "HEALTHCHECK":
        stage.check = words_of(rest.partition("CMD ")[2])
    elif word not in {"ARG", "EXPOSE"}:
        raise ValueError(f"{word} {rest}: nobody has said what this means")


def _copy(stage: Stage, stages: Mapping[str, Stage], context: Path, rest: str) -> None:
    name, _, paths = rest.removeprefix("--from=").partition(" ") if rest.startswith("--from=") else ("", "", rest)
    source, target = paths.split()
    found = stages[name].path(source) if name else context / source
    place = stage.path(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    if found.is_dir():
        shutil.copytree(found, place, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copyfile(found, place)


def _stand_in_for_pip(stage: Stage, rest: str) -> None:
    """Copy the locked packages from this environment.

    Raises: AssertionError where one of them is here in another version than is locked, or pip would not hold to the lock.
    """
    words = shlex.split(rest)
    assert {"--require-hashes", "--no-deps", "--no-compile", "--no-cache-dir"} <= set(words), rest
    lock = stage.path(words[words.index("-r") + 1]).read_text(encoding="utf-8")
    (packages,) = stage.path("/opt/venv/lib").glob("python3*/site-packages")
    for name, version, marker in PIN.findall(lock):
        if marker and not _here(marker):
            continue
        found = distribution(name)
        assert found.version == version, f"{name} {found.version}, locked is {version}"
        for file in found.files or ():
            place = (packages / file).resolve()
            if place.suffix != ".pyc" and place.is_relative_to(stage.path("/opt/venv")):
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), place)
    for script in stage.path("/opt/venv/bin").iterdir():
        if script.is_file() and not script.is_symlink() and script.read_bytes().startswith(b"#!"):
            body = script.read_text(encoding="utf-8").partition("\n")[2]
            script.write_text(f"#!/opt/venv/bin/python\n{body}", encoding="utf-8")


def _here(marker: str) -> bool:
    return Marker(marker).evaluate()


@contextmanager
def built(*, pip: bool = False) -> Iterator[Stage]:
    """The image in a folder that is removed at the end; in memory, if there is enough of it."""
    with tempfile.TemporaryDirectory(prefix="image-", dir=roomy_folder()) as folder:
        Path(folder).chmod(0o755)
        yield build(Path(folder), pip=pip)


def main() -> None:
    with built(pip=True) as stage, tempfile.TemporaryDirectory() as data:
        os.chown(data, 10001, 10001)
        process = stage.start(stage.command, volume=Path(data))
        try:
            for line in process.stdout or ():
                sys.stdout.write(line)
        except KeyboardInterrupt:
            process.terminate()


if __name__ == "__main__":
    main()
