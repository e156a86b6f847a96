"""`./dev` on bare machines: what it installs, what it makes anew, and the one line it prints where it may not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("cat", "chmod", "cmp", "cp", "date", "dirname", "env", "mkdir", "sh", "touch")

# A Python of a machine that is a folder: what it has are files there.
PYTHON = """\
#!/bin/sh
echo "python $*" >>"$MACHINE/log"
case "$*" in
*version_info*) ;;
*ensurepip*) [ -e "$MACHINE/has-venv" ] ;;
*"-m venv"*)
    mkdir -p "$4/bin" "$4/lib/python3.11/site-packages"
    cp "$0" "$4/bin/python"
    touch "$4/pip"
    ;;
*'distribution as'*) [ -e "${0%/bin/*}/pip" ] ;;
*tests.programs*) cat "$MACHINE/lacks" ;;
*pytest*) [ ! -e "$MACHINE/tests-fail" ] ;;
esac
"""
APT = """\
#!/bin/sh
echo "apt-get $*" >>"$MACHINE/log"
[ ! -e "$MACHINE/no-network" ] || exit 100
case "$*" in
*python3-venv*) touch "$MACHINE/has-venv" ;;
*install*) echo >"$MACHINE/lacks" ;;
esac
"""


class Machine:
    """A computer with a copy of the project, whose programs are ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.bin = folder / "bin"
        for path in (self.project / "requirements", self.project / ".ci", self.bin):
            path.mkdir(parents=True)
        for name in ("dev", ".ci/run", "requirements/base.txt", "requirements/dev.txt"):
            shutil.copy(ROOT / name, self.project / name)
        for name in TOOLS:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.put("python3", PYTHON)
        self.put("apt-get", APT)
        self.put("sudo", "#!/bin/sh\n")
        self.become(0)
        self.has("has-venv")
        (folder / "lacks").touch()
        (folder / "log").touch()

    def put(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def become(self, uid: int) -> None:
        self.put("id", f"#!/bin/sh\necho {uid}\n")

    def has(self, name: str, yes: bool = True) -> None:
        (self.folder / name).touch() if yes else (self.folder / name).unlink()

    def lacks(self, *packages: str) -> None:
        """Programs of these packages, which tests use."""
        (self.folder / "lacks").write_text(" ".join(packages) + "\n")

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "MACHINE": str(self.folder), **env}
        return subprocess.run(
            [self.project / command[0], *command[1:]],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def asked(self, program: str, words: str) -> list[str]:
        """The calls of a program that say this."""
        lines = (self.folder / "log").read_text().splitlines()
        return [line for line in lines if line.startswith(program) and words in line]


@pytest.fixture
def machine(tmp_path: Path, processes: None) -> Machine:
    return Machine(tmp_path)


def test_the_first_run_makes_an_environment_and_the_second_uses_it(machine: Machine) -> None:
    first, second = machine.run("dev", "run", "--port", "1"), machine.run("dev", "run")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert len(machine.asked("python", "-m venv --clear")) == 1
    assert len(machine.asked("python", "-m pip install")) == 1
    assert machine.asked("python", "serve --demo --port 1")
    assert not machine.asked("apt-get", "")


def test_root_gets_what_debian_keeps_apart(machine: Machine) -> None:
    machine.has("has-venv", False)

    ended = machine.run("dev", "run")

    assert ended.returncode == 0, ended.stderr
    assert machine.asked("apt-get", "install -qq --no-install-recommends python3 python3-venv")
    assert machine.asked("python", "serve --demo")


def test_anybody_else_is_told_the_line_to_type(machine: Machine) -> None:
    machine.has("has-venv", False)
    machine.become(1000)

    ended = machine.run("dev", "run")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        "python3 cannot make virtual environments yet; type: sudo apt-get install python3-venv"
    ]
    assert not (machine.project / ".venv").exists()


def test_a_machine_without_sudo_has_su(machine: Machine) -> None:
    (machine.bin / "sudo").unlink()
    machine.lacks("chromium", "cron")
    machine.become(1000)

    ended = machine.run("dev", "test")

    assert ended.stdout.splitlines()[-1].endswith("; type: su - -c 'apt-get install chromium cron'")


def test_so_is_root_when_the_network_is_away(machine: Machine) -> None:
    machine.has("has-venv", False)
    machine.has("no-network")

    ended = machine.run("dev", "run")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "python3 cannot make virtual environments yet; type: apt-get install python3-venv"
    )


def test_a_machine_without_python_is_told_so(machine: Machine) -> None:
    (machine.bin / "python3").unlink()
    machine.become(1000)

    ended = machine.run("dev", "quick")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("There is no Python from 3.11 on PATH; type: sudo apt-get install ")


def test_another_python_that_can_is_taken(machine: Machine) -> None:
    machine.put("python3.12", PYTHON)
    machine.put("python3", PYTHON.replace('[ -e "$MACHINE/has-venv" ]', "false"))

    ended = machine.run("dev", "run")

    assert ended.returncode == 0, ended.stderr
    assert not machine.asked("apt-get", "")


def test_a_half_made_environment_is_made_anew(machine: Machine) -> None:
    (machine.project / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(machine.bin / "python3", machine.project / ".venv" / "bin" / "python")

    ended = machine.run("dev", "run")

    assert ended.returncode == 0, ended.stderr
    assert len(machine.asked("python", "-m venv --clear")) == 1


def test_options_reach_the_tests_of_both_lanes(machine: Machine) -> None:
    assert machine.run("dev", "test", "-k", "a or b").returncode == 0
    assert machine.run("dev", "quick", "-k", "c").returncode == 0

    whole, quick = machine.asked("python", "-m pytest")
    assert whole.endswith(" -k a or b")
    assert "--cov" not in quick
    assert "--quick" not in whole
    assert quick.endswith(" -k c")
    assert "--quick" in quick


def test_programs_that_tests_lack_are_installed_by_root(machine: Machine) -> None:
    machine.lacks("chromium", "cron")

    ended = machine.run("dev", "test")

    assert ended.returncode == 0, ended.stderr
    assert machine.asked("apt-get", "install -qq --no-install-recommends chromium cron")
    assert "MISSING" not in ended.stdout


def test_the_fast_lane_needs_no_programs(machine: Machine) -> None:
    machine.lacks("chromium")

    assert machine.run("dev", "quick").returncode == 0
    assert not machine.asked("apt-get", "")


def test_what_anybody_else_lacks_is_in_the_last_line(machine: Machine) -> None:
    machine.lacks("chromium", "cron")
    machine.become(1000)

    ended = machine.run("dev", "test")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == (
        "MISSING programs, so tests were left out; type: sudo apt-get install chromium cron"
    )
    assert not machine.asked("apt-get", "")


def test_a_build_server_leaves_nothing_out(machine: Machine) -> None:
    machine.lacks("chromium")
    machine.has("no-network")
    machine.has("tests-fail")
    machine.put("python3", PYTHON.replace("case", 'echo "CI=$CI" >>"$MACHINE/log"\ncase', 1))

    ended = machine.run(".ci/run", "-x")

    assert ended.returncode == 1
    assert machine.asked("python", "-m pytest")[0].endswith(" -x")
    assert set(machine.asked("CI=", "")) == {"CI=true"}
    assert ended.stdout.splitlines()[-1] == "MISSING programs, so tests failed; type: apt-get install chromium"


def test_coverage_is_judged_when_all_tests_have_run(machine: Machine) -> None:
    for options in (["-x"], ["--durations", "9"], ["--lf"], ["-k", "a"], ["-m", "postgres"], ["tests/api"]):
        machine.run("dev", "test", *options)

    assert len(machine.asked("python", "--cov ")) == 6
    assert len(machine.asked("python", "-m coverage report")) == 2


def test_lines_that_no_test_reaches_are_a_failure(machine: Machine) -> None:
    machine.put("python3", PYTHON.replace("*pytest*)", '*"coverage report"*) echo "due.py  7-9"; exit 2 ;;\n*pytest*)'))

    ended = machine.run("dev", "test")

    assert ended.returncode == 1
    assert "due.py  7-9" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("FAILED coverage")


def test_a_failure_is_the_exit_code_and_every_step_is_named(machine: Machine) -> None:
    machine.has("tests-fail")

    ended = machine.run("dev", "test")

    assert ended.returncode == 1
    assert [line.split(" (")[0] for line in ended.stdout.splitlines()[-6:]] == [
        "ok     ruff check",
        "ok     ruff format",
        "ok     mypy",
        "ok     import contracts",
        "FAILED pytest",
        "ok     coverage",
    ]
