"""`make e2e-compose` on an unprepared machine prints a line on what is missing, and leaves no trace."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compose import machine
from tests.compose.__main__ import _judge
from tests.compose.engine import Engine, Failed
from tests.waiting import until

ROOT = Path(__file__).parents[2]
STAND_INS = ROOT / "tests/compose/stand_ins.sh"
# A docker that refuses everything, and a podman that can't start anything.
NO_DOCKER = "#!/bin/sh\nexit 1\n"
NO_PODMAN = """#!/bin/sh
case "$1" in
    image) exit 0 ;;
    run) echo 'Error: runc: error setting rlimit type 7: operation not permitted' >&2; exit 126 ;;
esac
"""
APT = """#!/bin/sh
echo 'Packages stable-security main https://mirror.test/security/'
echo 'Packages nodistro main https://other.test/'
echo 'Packages CODENAME main https://mirror.test/debian/'
"""


def programs(folder: Path, **texts: str) -> dict[str, str]:
    """Returns an environment in which these programs come before the machine's own."""
    for name, text in texts.items():
        (folder / name.replace("_", "-")).write_text(text)
        (folder / name.replace("_", "-")).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def everywhere(*without: str) -> machine.Find:
    return lambda name: name not in without


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as podman does for this")
def test_containers_that_cannot_start_are_told_of_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(machine.missing()):
        pytest.skip("podman's parts are not here")
    done = subprocess.run(
        [sys.executable, "-m", "tests.compose"],
        cwd=ROOT,
        env=programs(tmp_path, docker=NO_DOCKER, podman=NO_PODMAN, podman_compose=NO_DOCKER),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("failed: a first container")
    assert "rlimit type 7" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_podman_is_asked_for_no_more_than_this_process_may_have() -> None:
    text = machine.configuration()
    limits = {name: int(limit) for name, limit, _ in re.findall(r'"(\w+)=(\d+):(\d+)"', text)}
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(kind)[1]
        assert limits[name] > 0
        assert hard == resource.RLIM_INFINITY or limits[name] <= hard
    assert re.search(r'^runtime = "(runc|crun)"$', text, re.MULTILINE)
    assert 'network_backend = "netavark"' in text


@pytest.mark.parametrize("name", ["netavark", "aardvark-dns"])
def test_a_missing_part_of_podman_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert list(machine.missing(everywhere(), everywhere())) == []
    [line] = machine.missing(everywhere(), everywhere(name))
    assert line.endswith(f"install {name}")


def test_a_missing_runtime_and_a_missing_firewall_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [line.split(":")[1].strip() for line in machine.missing(lambda _: False, everywhere())] == [
        "run this as root, since it kills containers' processes by their ids",
        "install runc or crun",
        "install iptables",
    ]


@pytest.mark.parametrize("program", ["debootstrap", "node", "npm"])
def test_what_makes_base_images_is_named_where_it_is_missing(program: str) -> None:
    assert list(machine.missing_for_images(everywhere())) == []
    [line] = machine.missing_for_images(everywhere(program))
    assert program in line


def mirror(env: dict[str, str]) -> str:
    """Returns the archive that stand_ins.sh finds."""
    script = (
        "set -euo pipefail\n"
        + re.findall(r"^own_mirror\(\) \{.*?^\}$", STAND_INS.read_text(), re.M | re.S)[0]
    )
    done = subprocess.run(
        ["bash", "-c", f"{script}\nown_mirror"],
        env=env,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout.strip()


def test_the_archive_is_the_one_that_apt_uses(tmp_path: Path) -> None:
    release = dict(re.findall(r'^(\w+)="?(.*?)"?$', Path("/etc/os-release").read_text(), re.MULTILINE))
    if release.get("ID") != "debian":
        pytest.skip("no Debian")
    apt = APT.replace("CODENAME", release["VERSION_CODENAME"])
    assert mirror(programs(tmp_path, apt_get=apt)) == "https://mirror.test/debian/"
    assert mirror(programs(tmp_path, apt_get="#!/bin/sh\nexit 0\n")) == ""


def test_the_stand_ins_name_no_host() -> None:
    assert re.findall(r"https?://\w", STAND_INS.read_text()) == []


async def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As podman-compose did when its containers could not start."""
    # A fake Docker, so that this machine's podman isn't asked.
    monkeypatch.setenv("PATH", programs(tmp_path, docker="#!/bin/sh\nexit 0\n")["PATH"])
    engine = Engine(tmp_path / ".env")
    pid = tmp_path / "pid"
    monkeypatch.setattr(engine, "_compose", ["sh", "-c", f"sleep 600 & echo $! >{pid}; wait"])
    with pytest.raises(Failed, match="did not end within 1 s"):
        engine.compose("up", timeout_s=1)
    stat = Path("/proc", pid.read_text().strip(), "stat")
    # A killed process ends a moment after the signal.
    await until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_who_waits_too_long_fails_the_run_but_not_for_what_others_take() -> None:
    _judge("gateway", [1.0, 4.9, 30.0], [1.0])
    _judge("chat-api", [8.9, 8.9, 8.9], [1.0, 3.0, 4.0])
    with pytest.raises(AssertionError, match="every gateway killed"):
        _judge("gateway", [1.0, 5.1, 5.2], [1.0, 1.0])
    with pytest.raises(AssertionError, match="every chat-api killed"):
        _judge("chat-api", [3.1, 3.1, 3.1], [1.0])
